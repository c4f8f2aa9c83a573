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

    [LoggerMessage(EventId = 5003, EventName = "StoreCloseFailed", Level = LogLevel.Warning,
        Message = "The store could not stop a part of itself in order")]
    public static partial void StoreCloseFailed(ILogger logger, Exception exception);
}
