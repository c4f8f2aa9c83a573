using EventMesh.Events;
using EventMesh.Marten.Retention;

namespace EventMesh.Host.Tests.Support;

/// <summary>The months of a log that a test plays: one of each state.</summary>
internal sealed class FakeSegments : ISegments
{
    public static readonly SegmentInfo Archived = new(StreamFamily.Peers, "2026-01", SegmentStatus.Archived, 2, 4711, 4000, 123_456, "AAAA");
    public static readonly SegmentInfo Open = new(StreamFamily.Cache, "2026-03", SegmentStatus.Open, 5000, 5100, 7, 0, null);

    /// <summary>The age of the last request; null when there was none.</summary>
    public TimeSpan? Asked { get; private set; }

    public bool IsDropped { get; private set; }

    public Task<IReadOnlyList<SegmentInfo>> ListAsync(CancellationToken cancellationToken = default) => Answer([Archived, Open]);

    public Task<IReadOnlyList<SegmentInfo>> ArchiveAsync(TimeSpan olderThan, CancellationToken cancellationToken = default)
    {
        Asked = olderThan;
        return Answer([Archived]);
    }

    public Task<IReadOnlyList<SegmentInfo>> FindDroppableAsync(TimeSpan olderThan, CancellationToken cancellationToken = default)
    {
        Asked = olderThan;
        return Answer([Archived]);
    }

    public Task<IReadOnlyList<SegmentInfo>> DropAsync(TimeSpan olderThan, CancellationToken cancellationToken = default)
    {
        Asked = olderThan;
        IsDropped = true;
        return Answer([Archived with { Status = SegmentStatus.Dropped }]);
    }

    private static Task<IReadOnlyList<SegmentInfo>> Answer(IReadOnlyList<SegmentInfo> segments) => Task.FromResult(segments);
}
