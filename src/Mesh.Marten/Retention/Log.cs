using Microsoft.Extensions.Logging;

namespace EventMesh.Marten.Retention;

internal static partial class Log
{
    [LoggerMessage(EventId = 3160, EventName = "SegmentArchived", Level = LogLevel.Information,
        Message = "Compressed {Stream}: {Count} events")]
    public static partial void Archived(ILogger logger, string stream, long count);

    [LoggerMessage(EventId = 3161, EventName = "SegmentDropped", Level = LogLevel.Warning,
        Message = "Removed {Stream} from the log for good: {Count} events. The projections keep their rows; one that is rebuilt from now on lacks them")]
    public static partial void Dropped(ILogger logger, string stream, long count);

    [LoggerMessage(EventId = 3162, EventName = "RetentionWaits", Level = LogLevel.Warning,
        Message = "Closed months stay as they are for now. It is tried again")]
    public static partial void Waits(ILogger logger, Exception exception);
}
