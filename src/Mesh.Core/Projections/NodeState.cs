using System.Collections.Immutable;
using System.Net;
using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Projections;

/// <summary>The node itself.</summary>
/// <param name="Instance">The random identity of the last process start; empty before the first.</param>
/// <param name="IsRunning">Whether the last start was not followed by a stop.</param>
/// <param name="Identity">The identity of the node's key; null before it was made.</param>
/// <param name="Reachability">Whether others can dial this node.</param>
/// <param name="ObservedEndPoint">The endpoint at which others see this node.</param>
/// <param name="KnownKeys">The peers whose certificate was accepted once.</param>
public sealed record NodeState(
    Guid Instance, bool IsRunning, PeerId? Identity, Reachability Reachability, IPEndPoint? ObservedEndPoint, ImmutableHashSet<PeerId> KnownKeys)
{
    /// <summary>How many keys are remembered in memory: 4,096.</summary>
    public const int MaxKnownKeys = 4096;

    /// <summary>Before the first start.</summary>
    public static NodeState Empty { get; } = new(Guid.Empty, IsRunning: false, null, Reachability.Unknown, null, []);

    /// <summary>The node after one more event. Pure.</summary>
    public static NodeState Apply(NodeState state, RecordedEvent recorded)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(recorded);
        return recorded.Data switch
        {
            NodeStarted e => state with { Instance = e.Instance, IsRunning = true, Reachability = Reachability.Unknown, ObservedEndPoint = null },
            NodeStopped => state with { IsRunning = false },
            IdentityCreated e => state with { Identity = e.Peer },
            IdentityRotated e => state with { Identity = e.Successor },
            ReachabilityChanged e => state with { Reachability = e.Reachability },
            EndpointObserved e => state with { ObservedEndPoint = e.Endpoint },
            // Bounded: strangers bring as many keys as they like.
            CertificateAccepted e when state.KnownKeys.Count < MaxKnownKeys => state with { KnownKeys = state.KnownKeys.Add(e.Peer) },
            _ => state,
        };
    }
}
