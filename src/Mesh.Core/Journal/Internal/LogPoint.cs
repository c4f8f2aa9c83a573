using EventMesh.Events;

namespace EventMesh.Journal.Internal;

/// <summary>An event's place in a node's log, with its id: another log has another event there.</summary>
internal readonly record struct LogPoint(Guid Event, LogPosition Position)
{
    public static LogPoint Of(RecordedEvent recorded) => new(recorded.Id, new LogPosition(recorded.Epoch, recorded.NodeSeq, recorded.Time));
}
