namespace EventMesh.Limits.Internal;

/// <summary>What a peer did against the rules. The names are published: they are in the log lines that programs read.</summary>
internal enum Offence
{
    /// <summary>A frame or stream that the protocol does not allow.</summary>
    ProtocolViolation,

    /// <summary>A frame or message above the limit.</summary>
    TooLarge,

    /// <summary>More control frames than the limit.</summary>
    ControlFlood,

    /// <summary>More connections than the limit.</summary>
    ConnectionFlood,

    /// <summary>A connection without a Hello in time.</summary>
    HandshakeStalled,

    /// <summary>A message or request that made a handler fail.</summary>
    HandlerFailure,
}
