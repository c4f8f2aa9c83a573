using Microsoft.Extensions.Logging;

namespace EventMesh.Marten.Store;

internal static partial class Log
{
    [LoggerMessage(EventId = 5001, EventName = "StoreOpened", Level = LogLevel.Information,
        Message = "The log is in PostgreSQL {Server} at {Host}, schema {Schema}; opened in {Elapsed}")]
    public static partial void StoreOpened(ILogger logger, string server, string host, string schema, TimeSpan elapsed);

    [LoggerMessage(EventId = 5002, EventName = "SchemaMade", Level = LogLevel.Information,
        Message = "Made or upgraded schema {Schema} to version {Version} in {Elapsed}")]
    public static partial void SchemaMade(ILogger logger, string schema, int version, TimeSpan elapsed);

    [LoggerMessage(EventId = 5004, EventName = "ProjectionsStopped", Level = LogLevel.Warning,
        Message = "The projections stay where they are for now: they can't follow the log. They try again")]
    public static partial void ProjectionsStopped(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 5005, EventName = "ProjectionsGoOn", Level = LogLevel.Information, Message = "The projections follow the log again")]
    public static partial void ProjectionsGoOn(ILogger logger);

    [LoggerMessage(EventId = 5006, EventName = "ProjectionStuck", Level = LogLevel.Error,
        Message = "Projection {Projection} can't fold what comes next in the log of node {Node}. It skips nothing: it stays there and tries again")]
    public static partial void ProjectionStuck(ILogger logger, string projection, string node, Exception exception);

    [LoggerMessage(EventId = 5007, EventName = "ProjectionGoesOn", Level = LogLevel.Information,
        Message = "Projection {Projection} follows the log of node {Node} again")]
    public static partial void ProjectionGoesOn(ILogger logger, string projection, string node);
}
