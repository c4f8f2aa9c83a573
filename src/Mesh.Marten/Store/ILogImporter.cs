using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Marten.Store;

/// <summary>Brings the exported log of a node into this store, for analysis.</summary>
/// <remarks>May be called concurrently. Once the import is done queries and projections work on the log as on any other; no node can append to it.</remarks>
public interface ILogImporter
{
    /// <summary>
    /// Imports a log, all or nothing: what is there when it fails is removed again, after a crash by the next import of the same node.
    /// </summary>
    /// <param name="node">Whose log it is.</param>
    /// <param name="events">The events in order of place, without a gap; the first may have any place.</param>
    /// <param name="through">The last place that has to come; null when nothing tells it.</param>
    /// <param name="cancellationToken">Gives up; nothing is left.</param>
    /// <returns>How many events were imported.</returns>
    /// <remarks>
    /// The task fails with <see cref="MeshException"/>: <see cref="MeshError.ConcurrencyConflict"/> when the store has a log of the node already or another
    /// import of it is under way, <see cref="MeshError.InvalidConfiguration"/> when the events are none, have a gap or end early.
    /// </remarks>
    Task<long> ImportAsync(NodeId node, IAsyncEnumerable<RecordedEvent> events, long? through, CancellationToken cancellationToken = default);
}
