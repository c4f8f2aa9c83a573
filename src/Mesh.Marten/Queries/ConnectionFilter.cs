using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Marten.Queries;

/// <summary>Which connections to read.</summary>
public sealed record ConnectionFilter
{
    /// <value>Only those with this peer. Defaults to null: all.</value>
    public PeerId? Peer { get; init; }

    /// <value>Only those with peers whose identity begins so, in lower case. Defaults to null: all.</value>
    public string? PeerPrefix { get; init; }

    /// <value>Only those that ended for this reason. Defaults to null: all, also those that stand.</value>
    public CloseReason? Reason { get; init; }

    /// <value>Only those that this side dialled. Defaults to null: all.</value>
    public ConnectionDirection? Direction { get; init; }

    /// <value>Only those open at this time. Defaults to null: all.</value>
    public DateTimeOffset? OpenAt { get; init; }

    /// <value>The page: only those opened before this place in the log, the last <see cref="ConnectionRecord.OpenedSeq"/> of the page before. Defaults to null: the first page.</value>
    public long? Before { get; init; }

    /// <value>The first opened first. Defaults to false: the last opened first.</value>
    public bool OldestFirst { get; init; }

    /// <value>The page: <see cref="HistoryPage{T}.Next"/> of the one before, with everything else as it was. Defaults to null: the first page.</value>
    public string? After { get; init; }

    /// <value>Connections in a page. Defaults to 100; 1 to 1,000.</value>
    public int Limit { get; init; } = 100;
}
