using Microsoft.Extensions.Logging;

namespace EventMesh.Bootstrap.Internal;

/// <summary>The log of joining the mesh.</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 1301, EventName = "BootstrapSucceeded", Level = LogLevel.Information, Message = "Joined the mesh through peer {Peer}, known from {Source}.")]
    public static partial void BootstrapSucceeded(ILogger logger, string peer, string source);

    [LoggerMessage(EventId = 1302, EventName = "BootstrapFailed", Level = LogLevel.Warning, Message = "None of {Candidates} candidates could be joined; trying again in {Seconds:F1} s.")]
    public static partial void BootstrapFailed(ILogger logger, int candidates, double seconds);

    [LoggerMessage(EventId = 1303, EventName = "ContactNotResolved", Level = LogLevel.Warning, Message = "{Detail}")]
    public static partial void ContactNotResolved(ILogger logger, string detail);

    [LoggerMessage(EventId = 1304, EventName = "RedialFailed", Level = LogLevel.Debug, Message = "Lost peer {Peer} does not answer yet: {Error}.")]
    public static partial void RedialFailed(ILogger logger, string peer, MeshError error);

    [LoggerMessage(EventId = 1305, EventName = "Trimming", Level = LogLevel.Information, Message = "Closing {Count} of {Joined} peers: more than the high watermark (EventMesh:Limits:HighWatermark).")]
    public static partial void Trimming(ILogger logger, int count, int joined);
}
