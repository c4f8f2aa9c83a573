using Microsoft.Extensions.Logging;

namespace EventMesh.Journal.Internal;

internal static partial class Log
{
    [LoggerMessage(3001, LogLevel.Information, "The journal is open: epoch {Epoch} from event {NodeSeq}; {Closed} events close what the last process left open.",
        EventName = "JournalOpened")]
    public static partial void Opened(ILogger logger, int epoch, long nodeSeq, int closed);

    [LoggerMessage(3002, LogLevel.Information, "Brought {Count} events of an earlier process from the spool to the store.", EventName = "JournalDrained")]
    public static partial void Drained(ILogger logger, long count);

    [LoggerMessage(3003, LogLevel.Warning, "The store {Store} does not take events; they go to the spool until it does.", EventName = "JournalStoreAway")]
    public static partial void StoreAway(ILogger logger, string store, Exception exception);

    [LoggerMessage(3004, LogLevel.Error, "The store {Store} refuses events for a reason that may not pass; they go to the spool meanwhile.",
        EventName = "JournalStoreRefuses")]
    public static partial void StoreRefuses(ILogger logger, string store, Exception exception);

    [LoggerMessage(3005, LogLevel.Information, "The store {Store} takes events again after {Duration}.", EventName = "JournalStoreBack")]
    public static partial void StoreBack(ILogger logger, string store, TimeSpan duration);

    [LoggerMessage(3006, LogLevel.Error, "The spool {Path} takes no more events; they wait in memory, which is lost with the process.", EventName = "JournalSpoolFailed")]
    public static partial void SpoolFailed(ILogger logger, string path, Exception? exception);

    [LoggerMessage(3007, LogLevel.Critical, "The journal can't go on ({Error}); the node has to stop.", EventName = "JournalFailed")]
    public static partial void Failed(ILogger logger, MeshError error, Exception exception);

    [LoggerMessage(3008, LogLevel.Information, "The journal has stopped at event {NodeSeq}; {Spooled} events wait in the spool for the next start.",
        EventName = "JournalStopped")]
    public static partial void Stopped(ILogger logger, long nodeSeq, long spooled);

    [LoggerMessage(3009, LogLevel.Error, "{Count} recorded events were taken neither by the store nor by the spool and are lost.", EventName = "JournalEventsLost")]
    public static partial void EventsLost(ILogger logger, long count);

    [LoggerMessage(3010, LogLevel.Error, "The end of the node could not be recorded; the next start treats it as a crash.", EventName = "JournalStopNotRecorded")]
    public static partial void StopNotRecorded(ILogger logger, Exception exception);

    [LoggerMessage(3011, LogLevel.Warning, "The local copy of the log {Path} can't be used and is made anew.", EventName = "JournalReplicaDropped")]
    public static partial void ReplicaDropped(ILogger logger, string path, Exception exception);

    [LoggerMessage(3182, LogLevel.Information, "Folded {Read} events: there is no local copy of the log, whose last month begins at event {NodeSeq}.", EventName = "JournalFoldedMonth")]
    public static partial void FoldedMonth(ILogger logger, long read, long nodeSeq);

    [LoggerMessage(3012, LogLevel.Information, "Folded {Read} events after the local copy of the log, which ended at event {NodeSeq}.", EventName = "JournalFolded")]
    public static partial void Folded(ILogger logger, long read, long nodeSeq);

    [LoggerMessage(3013, LogLevel.Warning,
        "The store {Store} is away. The node starts from its local copy of the log, which ends at event {NodeSeq}; its events wait in the spool. {Reason}",
        EventName = "JournalOpenedWithoutStore")]
    public static partial void OpenedWithoutStore(ILogger logger, string store, long nodeSeq, string reason);

    [LoggerMessage(3014, LogLevel.Information, "The store {Store} is back; epoch {Epoch} has taken the log over.", EventName = "JournalClaimedLate")]
    public static partial void ClaimedLate(ILogger logger, string store, int epoch);

    [LoggerMessage(3015, LogLevel.Warning,
        "The log has {Count} events that this directory did not know of when it ran without the store; the events in the spool take the places after them.",
        EventName = "JournalSpoolMoved")]
    public static partial void SpoolMoved(ILogger logger, long count);

    [LoggerMessage(EventId = 3181, EventName = "StoreLostTail", Level = LogLevel.Warning,
        Message = "The node's log in the store '{Store}' ends at place {StoreSeq}, and it had acknowledged {KnownSeq}: {Lost} events are lost, by a failover to a replica that was behind or by a restored backup. The node goes on from what the store has")]
    public static partial void StoreLostTail(ILogger logger, string store, long storeSeq, long knownSeq, long lost);

    [LoggerMessage(1720, LogLevel.Warning,
        "The spool {Path} has reached its limit of {Limit} bytes, or its disk takes no more: connections are counted, not recorded one by one, until there is room again. Bring the store back; make room on the disk, or raise Journal:SpoolLimit.",
        EventName = "JournalSummarisingBegan")]
    public static partial void SummarisingBegan(ILogger logger, string path, long limit);

    [LoggerMessage(1721, LogLevel.Information, "The spool {Path} has space again: connections are recorded one by one. {CaughtUp} events bring the log up to what stands.",
        EventName = "JournalSummarisingEnded")]
    public static partial void SummarisingEnded(ILogger logger, string path, int caughtUp);
}
