namespace EventMesh.Wire;

/// <summary>
/// The application codes of closes, resets and refusals (RFC 9000 20.2), the same table for all. docs/protocol.md describes them; a test
/// holds the two together.
/// </summary>
internal enum WireCode : ulong
{
    /// <summary>No error: nothing more to say.</summary>
    None = 0,

    /// <summary>The node stops.</summary>
    Shutdown = 1,

    /// <summary>An operator, the application or a plugin closed it.</summary>
    Disconnected = 2,

    /// <summary>The other side belongs to another mesh.</summary>
    WrongMesh = 3,

    /// <summary>A connection with this peer and instance stands already.</summary>
    AlreadyConnected = 4,

    /// <summary>Another live process has this identity.</summary>
    DuplicateIdentity = 5,

    /// <summary>Of two crossing dials this one, of the higher PeerId, gives way.</summary>
    SimultaneousDial = 6,

    /// <summary>The node dialled itself.</summary>
    ConnectionToSelf = 7,

    /// <summary>A limit on connections was reached.</summary>
    TooManyConnections = 8,

    /// <summary>A reverse connection names a link that is not waited for.</summary>
    LinkUnknown = 9,

    /// <summary>The dialer could not be reached in reverse.</summary>
    ReverseCheckFailed = 10,

    /// <summary>The other connection of the pair ended.</summary>
    PairIncomplete = 11,

    /// <summary>A newer connection took the place of this one.</summary>
    Replaced = 12,

    /// <summary>The application handshake took too long.</summary>
    HandshakeTimeout = 13,

    /// <summary>The peer proved another identity than the one that was dialled.</summary>
    WrongPeer = 14,

    /// <summary>A frame or stream that the protocol does not allow.</summary>
    ProtocolViolation = 16,

    /// <summary>A stream of a type that the receiver does not know.</summary>
    UnknownStreamType = 17,

    /// <summary>A frame or message above the receiver's limit.</summary>
    TooLarge = 18,

    /// <summary>No handler takes messages or requests of this channel.</summary>
    NoHandler = 19,

    /// <summary>No room for the message or request now.</summary>
    Busy = 20,

    /// <summary>The handler failed.</summary>
    HandlerFailed = 21,

    /// <summary>The requester took its request back.</summary>
    Cancelled = 22,

    /// <summary>The certificate, or the name that comes with it, is not accepted.</summary>
    CertificateRefused = 25,

    /// <summary>Two keys claim to follow the same one.</summary>
    SuccessionConflict = 30,

    /// <summary>The peer or its address is blocked. The reason stays with the operator.</summary>
    Blocked = 15,

    /// <summary>The peer or its address came too often.</summary>
    RateLimited = 26,

    /// <summary>The node has more peers than it wants; this one is not needed.</summary>
    Trimmed = 29,

    /// <summary>The address was checked a short while ago: no check now.</summary>
    CheckedRecently = 27,

    /// <summary>The peer's address has changed: whether it can be dialled there has to be proven.</summary>
    AddressChanged = 28,

    /// <summary>The message was not handled before its deadline.</summary>
    DeadlineExceeded = 23,
}
