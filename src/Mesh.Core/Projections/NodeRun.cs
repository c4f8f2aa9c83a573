using System.Net;
using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Projections;

/// <summary>A run of the node's process, as its log tells it.</summary>
/// <param name="Epoch">Its number, from 1.</param>
/// <param name="Instance">Its random identity.</param>
/// <param name="Identity">The identity of the node's key.</param>
/// <param name="Kind">What the node asked to be.</param>
/// <param name="Agent">Program and version.</param>
/// <param name="Transport">The QUIC provider in use.</param>
/// <param name="Reachability">Whether others can dial it.</param>
/// <param name="Endpoint">The endpoint at which others see it; null before one has told.</param>
/// <param name="StartedAt">When it took the log over.</param>
/// <param name="StoppedAt">When it ended in order; null while it runs, and after a crash.</param>
/// <param name="StopReason">Why it ended, for people; null together with <paramref name="StoppedAt"/>.</param>
public sealed record NodeRun(
    int Epoch, Guid Instance, PeerId Identity, PeerKind Kind, string Agent, string Transport, Reachability Reachability, IPEndPoint? Endpoint,
    DateTimeOffset StartedAt, DateTimeOffset? StoppedAt, string? StopReason)
{
    /// <summary>The run after one more event; the same object when nothing changes. Pure: <see cref="NodeState"/> with what history needs beside it.</summary>
    /// <param name="before">The run until then; null before the first.</param>
    /// <param name="recorded">The event.</param>
    public static NodeRun? Apply(NodeRun? before, RecordedEvent recorded)
    {
        ArgumentNullException.ThrowIfNull(recorded);
        NodeRun? run = recorded.Data is NodeStarted e
            ? new(recorded.Epoch, e.Instance, e.Peer, e.Kind, e.Agent, e.Transport, Reachability.Unknown, null, recorded.Time, null, null)
            : before;
        if (run is null)
            return null;
        NodeState node = NodeState.Apply(run.ToState(), recorded);
        NodeRun after = run with { Identity = node.Identity!.Value, Reachability = node.Reachability, Endpoint = node.ObservedEndPoint };
        if (recorded.Data is NodeStopped stopped)
            after = after with { StoppedAt = recorded.Time, StopReason = stopped.Reason };
        return after == before ? before : after;
    }

    private NodeState ToState() =>
        NodeState.Empty with { Instance = Instance, IsRunning = StoppedAt is null, Identity = Identity, Reachability = Reachability, ObservedEndPoint = Endpoint };
}
