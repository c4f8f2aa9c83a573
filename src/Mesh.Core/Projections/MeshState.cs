using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Projections;

/// <summary>
/// The node's state in memory, folded from its log by the same functions as the stored projections. Immutable: each event
/// makes a new one that shares what did not change.
/// </summary>
/// <param name="Cache">The bootstrap cache.</param>
/// <param name="Peers">The peers ever seen, as far as the memory's limits go, and who is joined now.</param>
/// <param name="Connections">The connections open now.</param>
/// <param name="Node">The node itself.</param>
/// <param name="Trust">The trust ledger.</param>
public sealed record MeshState(BootstrapCacheState Cache, PeerDirectoryState Peers, ConnectionState Connections, NodeState Node, TrustState Trust)
{
    /// <summary>Which identities are one peer.</summary>
    public KeySuccessionState Keys { get; init; } = KeySuccessionState.Empty;

    /// <summary>Which month the monthly streams have come to.</summary>
    public SegmentState Segments { get; init; } = SegmentState.Empty;

    /// <summary>The state before the first event.</summary>
    public static MeshState Empty { get; } = new(
        BootstrapCacheState.Empty, PeerDirectoryState.Empty, ConnectionState.Empty, NodeState.Empty, TrustState.Empty);

    /// <summary>The state after one more event. Pure; unknown events change nothing.</summary>
    public static MeshState Apply(MeshState state, RecordedEvent recorded)
    {
        ArgumentNullException.ThrowIfNull(state);
        return new(
            BootstrapCacheState.Apply(state.Cache, recorded),
            PeerDirectoryState.Apply(state.Peers, recorded),
            ConnectionState.Apply(state.Connections, recorded),
            NodeState.Apply(state.Node, recorded),
            TrustState.Apply(state.Trust, recorded))
        {
            Keys = KeySuccessionState.Apply(state.Keys, recorded),
            Segments = SegmentState.Apply(state.Segments, recorded),
        };
    }

    /// <summary>
    /// All identities that are one peer with this one, itself among them: blocks, pins and trust hold for all. Every look into the ledger asks here, so
    /// that a peer which changes its key stays the peer that was judged.
    /// </summary>
    /// <param name="peer">One of its identities.</param>
    public IReadOnlyList<PeerId> SamePeer(PeerId peer) => Keys.Successors.IsEmpty ? [peer] : Keys.ChainOf(peer);
}
