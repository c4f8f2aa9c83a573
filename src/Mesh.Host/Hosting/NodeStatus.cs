using EventMesh.Diagnostics;
using EventMesh.Host.Endpoints;
using EventMesh.Journal;
using EventMesh.Node;
using Microsoft.Extensions.Options;

namespace EventMesh.Host.Hosting;

/// <summary>Tells of the node in this process.</summary>
internal sealed class NodeStatus(MeshNode node, EventJournal journal, IEventStore store, IOptions<MeshOptions> options) : INodeStatus
{
    public NodeId NodeId => node.NodeId;

    public bool IsRunning => node.State == MeshNodeState.Running;

    public HealthView GetHealth() => HealthView.From(IsRunning, journal.Status);

    public NodeView GetView() => new(
        node.LocalPeer,
        node.NodeId.ToString(),
        node.Instance,
        options.Value.Kind,
        options.Value.MeshName,
        MeshTelemetry.Version,
        node.State,
        node.LocalEndPoint.ToString(),
        node.ObservedEndPoint?.ToString(),
        journal.State.Node.Reachability,
        node.Transport?.Transport.Name ?? "none",
        node.Transport?.Reason ?? "",
        store.Name,
        Path.GetFullPath(options.Value.DataDirectory),
        journal.Epoch,
        node.Peers.Count,
        Environment.ProcessId);
}
