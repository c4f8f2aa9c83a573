using EventMesh.Events;

namespace EventMesh.Projections;

/// <summary>
/// The node's state in memory, folded from its log by the same functions as the stored projections. Immutable: each event
/// makes a new one that shares what did not change.
/// </summary>
/// <param name="Cache">The bootstrap cache.</param>
/// <param name="Peers">The peers ever seen, as far as the memory's limits go, and who is joined now.</param>
/// <param name="Connections">The connections open now.</param>
/// <param name="Node">The node itself.</param>
public sealed record MeshState(BootstrapCacheState Cache, PeerDirectoryState Peers, ConnectionState Connections, NodeState Node)
{
    /// <summary>Which identities are one peer.</summary>
    public KeySuccessionState Keys { get; init; } = KeySuccessionState.Empty;

    /// <summary>The state before the first event.</summary>
    public static MeshState Empty { get; } = new(BootstrapCacheState.Empty, PeerDirectoryState.Empty, ConnectionState.Empty, NodeState.Empty);

    /// <summary>The state after one more event. Pure; unknown events change nothing.</summary>
    public static MeshState Apply(MeshState state, RecordedEvent recorded)
    {
        ArgumentNullException.ThrowIfNull(state);
        return new(
            BootstrapCacheState.Apply(state.Cache, recorded),
            PeerDirectoryState.Apply(state.Peers, recorded),
            ConnectionState.Apply(state.Connections, recorded),
            NodeState.Apply(state.Node, recorded))
        {
            Keys = KeySuccessionState.Apply(state.Keys, recorded),
        };
    }
}
