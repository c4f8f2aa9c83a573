using EventMesh.Identity;

namespace EventMesh.Marten.Queries;

/// <summary>Which connections to read.</summary>
public sealed record ConnectionFilter
{
    /// <value>Only those with this peer. Defaults to null: all.</value>
    public PeerId? Peer { get; init; }

    /// <value>Only those open at this time. Defaults to null: all.</value>
    public DateTimeOffset? OpenAt { get; init; }

    /// <value>The page: only those opened before this place in the log, the last <see cref="ConnectionRecord.OpenedSeq"/> of the page before. Defaults to null: the first page.</value>
    public long? Before { get; init; }

    /// <value>Connections in a page. Defaults to 100; 1 to 1,000.</value>
    public int Limit { get; init; } = 100;
}
