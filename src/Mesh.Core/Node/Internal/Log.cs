using Microsoft.Extensions.Logging;

namespace EventMesh.Node.Internal;

/// <summary>The log of a node's life.</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 1201, EventName = "NodeStarted", Level = LogLevel.Information, Message = "Node {Peer} listens on {Endpoint}; transport: {Transport}; store: {Store}.")]
    public static partial void Started(ILogger logger, string peer, string endpoint, string transport, string store);

    [LoggerMessage(EventId = 1202, EventName = "NodeStopped", Level = LogLevel.Information, Message = "The node has stopped.")]
    public static partial void Stopped(ILogger logger);

    [LoggerMessage(EventId = 1203, EventName = "StopFailed", Level = LogLevel.Error, Message = "A part of the node did not stop in order.")]
    public static partial void StopFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 1204, EventName = "JournalFailed", Level = LogLevel.Critical, Message = "The node stops: {Detail}")]
    public static partial void JournalFailed(ILogger logger, string detail);

    [LoggerMessage(EventId = 1700, EventName = "LogNotSealed", Level = LogLevel.Warning, Message = "The log could not be sealed now; the next seal stands for what this one would have: {Detail}")]
    public static partial void NotSealed(ILogger logger, string detail);
}
