namespace EventMesh.Marten.Retention;

/// <summary>The months of this node's log, and what moves and removes them.</summary>
/// <remarks>
/// All members may be called concurrently, while the node runs. The tasks fail with <see cref="MeshException"/>:
/// <see cref="MeshError.StoreUnavailable"/>, <see cref="MeshError.NodeStopped"/>.
/// </remarks>
public interface ISegments
{
    /// <summary>All months, in order of time.</summary>
    Task<IReadOnlyList<SegmentInfo>> ListAsync(CancellationToken cancellationToken = default);

    /// <summary>Moves closed months into blocks now.</summary>
    /// <param name="olderThan">How long ago a month must have ended; zero for every closed one.</param>
    /// <param name="cancellationToken">Stops between two blocks; what was moved stays moved.</param>
    /// <returns>The months that are archived now and were not before.</returns>
    Task<IReadOnlyList<SegmentInfo>> ArchiveAsync(TimeSpan olderThan, CancellationToken cancellationToken = default);

    /// <summary>
    /// Which archived months of connections may be removed: they ended that long ago, every projection has followed beyond them, and the month
    /// after them opens with a snapshot.
    /// </summary>
    /// <param name="olderThan">How long ago a month must have ended.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    Task<IReadOnlyList<SegmentInfo>> FindDroppableAsync(TimeSpan olderThan, CancellationToken cancellationToken = default);

    /// <summary>Removes what <see cref="FindDroppableAsync"/> finds, for good; each removal is first an event.</summary>
    /// <param name="olderThan">How long ago a month must have ended.</param>
    /// <param name="cancellationToken">Stops between two months.</param>
    /// <returns>The months that were removed.</returns>
    Task<IReadOnlyList<SegmentInfo>> DropAsync(TimeSpan olderThan, CancellationToken cancellationToken = default);
}
