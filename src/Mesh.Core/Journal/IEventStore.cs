using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Journal;

/// <summary>The durable log of one or more nodes.</summary>
/// <remarks>
/// Calling contract: one journal per node calls it, one append at a time; reads may run at any time. Every method fails with
/// <see cref="MeshException"/>: <see cref="MeshError.StoreUnavailable"/> when the store can't be reached (transient; for an append the
/// outcome is then unknown: ask <see cref="FindAsync"/>), <see cref="MeshError.EpochLost"/> when another process took over the node.
/// </remarks>
public interface IEventStore : IAsyncDisposable
{
    /// <summary>For people and <c>mesh doctor</c>, without secrets: <c>postgresql</c>, <c>memory</c>.</summary>
    string Name { get; }

    /// <summary>
    /// Whether the store runs by itself, outside this process and what it starts: then it may be away for a while, and a node that has run before
    /// starts without it.
    /// </summary>
    bool IsExternal { get; }

    /// <summary>
    /// Makes the store ready: starts what has to run (a private server keeps its files in <paramref name="dataDirectory"/>), connects, makes or
    /// checks the schema. Called before all else, and again after it has failed; disposing ends what it started.
    /// </summary>
    /// <remarks>
    /// The task fails with <see cref="MeshException"/>: <see cref="MeshError.StoreUnavailable"/> or <see cref="MeshError.StoreIncompatible"/>, and
    /// nothing is left running.
    /// </remarks>
    Task OpenAsync(NodeId node, string dataDirectory, CancellationToken cancellationToken);

    /// <summary>
    /// Where the node's log ends: the last claimed epoch and the last place, both 0 for a new node.
    /// </summary>
    Task<LogPosition> GetPositionAsync(NodeId node, CancellationToken cancellationToken);

    /// <summary>
    /// Takes the log over: appends <paramref name="started"/>, whose epoch is one above the last, in a compare-and-set on the epoch. From then
    /// on appends of older epochs fail with <see cref="MeshError.EpochLost"/>; so does this call when another process was first.
    /// </summary>
    Task ClaimEpochAsync(NodeId node, RecordedEvent started, CancellationToken cancellationToken);

    /// <summary>
    /// Appends a batch, all or nothing, in one transaction that holds only while the batch's epoch is the node's last. The events are in
    /// order of <see cref="RecordedEvent.NodeSeq"/> and may belong to several stream families.
    /// </summary>
    Task AppendAsync(NodeId node, IReadOnlyList<RecordedEvent> batch, CancellationToken cancellationToken);

    /// <summary>
    /// Says which batch is appended after the one that is under way, so that a store can use the time. A store need not, and an append that was
    /// not announced, or comes instead, is as good.
    /// </summary>
    void Prepare(NodeId node, IReadOnlyList<RecordedEvent> batch)
    {
    }

    /// <summary>Which of these events the log holds: settles an append whose outcome is unknown.</summary>
    Task<IReadOnlySet<Guid>> FindAsync(NodeId node, IReadOnlyList<Guid> ids, CancellationToken cancellationToken);

    /// <summary>Reads in order of place, after <paramref name="afterNodeSeq"/>, to the end of the log as it is when the read begins.</summary>
    /// <param name="node">The node.</param>
    /// <param name="afterNodeSeq">The place to start after; 0 for the beginning.</param>
    /// <param name="families">Only these streams; null for all.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    IAsyncEnumerable<RecordedEvent> ReadAsync(
        NodeId node, long afterNodeSeq, IReadOnlySet<StreamFamily>? families, CancellationToken cancellationToken);

    /// <summary>
    /// The place at which the last month of the log begins: that of a <see cref="PeersSegmentOpened"/> which <see cref="CacheSegmentOpened"/> follows at once. What the monthly streams have
    /// before it is not needed to fold the state. Null where no month has both, and in a store that does not look: the log is then folded from its beginning.
    /// </summary>
    Task<long?> FindMonthAsync(NodeId node, CancellationToken cancellationToken) => Task.FromResult<long?>(null);

    /// <summary>The end of what is committed, with the link of the log's chain; null when the store keeps no chain, or the log has no event in it yet.</summary>
    Task<LogHead?> GetHeadAsync(NodeId node, CancellationToken cancellationToken) => Task.FromResult<LogHead?>(null);
}
