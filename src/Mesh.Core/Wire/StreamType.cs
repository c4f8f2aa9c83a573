namespace EventMesh.Wire;

/// <summary>The first varint of each stream: what it carries.</summary>
internal enum StreamType : ulong
{
    /// <summary>Control frames; one unidirectional stream a side, never closed.</summary>
    Control = 0,

    /// <summary>One or several small messages, unidirectional.</summary>
    Messages = 1,

    /// <summary>One message above <see cref="WireLimits.LargeMessage"/>, or a streamed one, unidirectional.</summary>
    LargeMessage = 2,

    /// <summary>The messages of one ordered channel, unidirectional and long-lived.</summary>
    OrderedChannel = 3,

    /// <summary>One request and its response, bidirectional.</summary>
    Request = 4,
}
