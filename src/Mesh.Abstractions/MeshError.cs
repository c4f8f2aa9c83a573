namespace EventMesh;

/// <summary>What went wrong, for programs: switch on this, show <see cref="Exception.Message"/> to people.</summary>
public enum MeshError
{
    /// <summary>A failure that no other member names; the inner exception says more.</summary>
    Unknown,

    /// <summary>A configuration value is missing, malformed or out of range.</summary>
    InvalidConfiguration,

    /// <summary>The UDP address is in use by another process.</summary>
    AddressInUse,

    /// <summary>The address is not of this machine, or the network is down.</summary>
    AddressNotAvailable,

    /// <summary>No QUIC transport can be used here; the message names the package to install.</summary>
    TransportUnavailable,

    /// <summary>Another process uses the data directory.</summary>
    DataDirectoryLocked,

    /// <summary>The data directory can't be read, written or is open to other users.</summary>
    DataDirectoryUnusable,

    /// <summary>PostgreSQL can't be reached or started.</summary>
    StoreUnavailable,

    /// <summary>Another process writes to this node's log: this one has to stop.</summary>
    EpochLost,

    /// <summary>The store holds a schema that this program does not understand.</summary>
    StoreIncompatible,

    /// <summary>The store refused an append because somebody else appended first.</summary>
    ConcurrencyConflict,

    /// <summary>A plugin could not be loaded or configured.</summary>
    PluginUnusable,

    /// <summary>Nobody answered at the address within the handshake time.</summary>
    Unreachable,

    /// <summary>The peer's certificate, or ours, was refused in the TLS handshake.</summary>
    CertificateRefused,

    /// <summary>The peer proved another identity than the one that was dialled.</summary>
    WrongPeer,

    /// <summary>The peer does not speak <c>eventmesh/1</c> (ALPN, RFC 7301).</summary>
    ProtocolMismatch,

    /// <summary>The peer belongs to another mesh.</summary>
    WrongMesh,

    /// <summary>The dialled address is this node itself.</summary>
    ConnectionToSelf,

    /// <summary>Another live process has the peer's identity.</summary>
    DuplicateIdentity,

    /// <summary>A connection with this peer stands already.</summary>
    AlreadyConnected,

    /// <summary>The reverse connection that proves a node reachable failed.</summary>
    ReverseCheckFailed,

    /// <summary>A limit on connections was reached, ours or the peer's.</summary>
    TooManyConnections,

    /// <summary>The peer sent what the protocol does not allow.</summary>
    ProtocolViolation,

    /// <summary>The peer is not joined.</summary>
    NotConnected,

    /// <summary>The connection was lost while the operation was under way.</summary>
    ConnectionLost,

    /// <summary>The connection was idle for longer than its limit.</summary>
    IdleTimeout,

    /// <summary>The peer closed the connection or reset the stream.</summary>
    ClosedByPeer,

    /// <summary>The operation was aborted on this side.</summary>
    Aborted,

    /// <summary>The time limit of the operation was reached.</summary>
    Timeout,

    /// <summary>The message or frame is larger than allowed.</summary>
    TooLarge,

    /// <summary>The send queue is full and the sender asked not to wait.</summary>
    QueueFull,

    /// <summary>No handler on the peer takes messages of this channel.</summary>
    NoHandler,

    /// <summary>The peer has no room for the message or request now.</summary>
    Busy,

    /// <summary>The peer's handler failed.</summary>
    HandlerFailed,

    /// <summary>The node is stopping or has stopped.</summary>
    NodeStopped,

    /// <summary>Two keys claim to follow the same one: both are refused until the operator decides.</summary>
    SuccessionConflict,

    /// <summary>The peer or its address is blocked, here or there.</summary>
    Blocked,

    /// <summary>The peer or its address came too often, here or there.</summary>
    RateLimited,

    /// <summary>The message was not sent, or not handled, before its deadline.</summary>
    DeadlineExceeded,
}
