using EventMesh.Journal;
using EventMesh.Marten.Queries;

namespace EventMesh.Host.Endpoints;

/// <summary>Whose history a request asks for: the running node's own, or that of another node whose log is in the same store.</summary>
/// <param name="Node">The node.</param>
/// <param name="LastRecorded">The last place that the running node has recorded; null for another node, of which only the store tells.</param>
internal sealed record HistorySource(NodeId Node, long? LastRecorded)
{
    /// <summary>Whether it is another node than the running one.</summary>
    public bool IsOther => LastRecorded is null;

    /// <summary>The node that a request names; the running one when it names none.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.InvalidConfiguration"/>: it is not a node's id.</exception>
    public static HistorySource From(string? node, INodeStatus status, IEventJournal journal)
    {
        if (node is null) return new(status.NodeId, journal.LastNodeSeq);
        if (!Guid.TryParse(node, out Guid id)) throw new MeshException(MeshError.InvalidConfiguration, $"'{node}' is not the id of a node, a UUID: `mesh import` and the log's NodeStarted tell it.");
        return status.NodeId.Value == id ? new(status.NodeId, journal.LastNodeSeq) : new(new NodeId(id), null);
    }

    /// <summary>What an answer stands on.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.InvalidConfiguration"/>: the store has no log of the node.</exception>
    public AsOfView AsOf(HistoryPoint point) => IsOther && point.LogSeq == 0
        ? throw new MeshException(MeshError.InvalidConfiguration, $"The store has no log of node {Node}.")
        : AsOfView.From(point, LastRecorded ?? point.LogSeq);
}
