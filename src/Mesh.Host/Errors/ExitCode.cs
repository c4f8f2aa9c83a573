namespace EventMesh.Host.Errors;

/// <summary>How the process ends, for scripts and supervisors; docs/cli.md has the table. Published: a member never changes its number.</summary>
internal enum ExitCode
{
    /// <summary>Done; also a node, a demo or a followed stream that was ended with Ctrl-C or SIGTERM, which is how they end.</summary>
    Success = 0,

    /// <summary>A failure that no other code names.</summary>
    Failure = 1,

    /// <summary>The command line or the configuration is wrong.</summary>
    Usage = 2,

    /// <summary>No node is running on the data directory, or it stopped meanwhile.</summary>
    NodeNotRunning = 3,

    /// <summary>The UDP address is in use or not of this machine.</summary>
    AddressUnavailable = 4,

    /// <summary>The data directory is locked by another process or can't be used.</summary>
    DataDirectory = 5,

    /// <summary>No QUIC transport works here.</summary>
    TransportUnavailable = 6,

    /// <summary>The event store can't be reached, started or understood.</summary>
    Store = 7,

    /// <summary>A plugin can't be loaded.</summary>
    Plugin = 8,

    /// <summary>The message or request was not delivered, or was refused.</summary>
    NotDelivered = 9,

    /// <summary>The peer can't be reached or was not accepted, or did not accept us.</summary>
    PeerUnreachable = 10,

    /// <summary>Another process took over the node's log: starting again would fight with it.</summary>
    TakenOver = 11,

    /// <summary>An audit found something wrong with the log.</summary>
    AuditFailed = 12,

    /// <summary>Interrupted (SIGINT, SIGTERM) before the work was done: 128 + 2, as shells count.</summary>
    Interrupted = 130,
}
