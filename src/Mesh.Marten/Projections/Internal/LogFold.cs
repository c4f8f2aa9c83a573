using EventMesh.Events;
using Npgsql;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>
/// The fold of a node's log into a generation's table, page after page. It remembers what it has folded, so that the next page can be folded while the one before is
/// written.
/// </summary>
internal abstract class LogFold
{
    /// <summary>Reads what the table holds of what a page may change, or of all that any page may.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="page">The page; null for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public virtual Task LoadAsync(NpgsqlConnection connection, IReadOnlyList<RecordedEvent>? page, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Folds a page of which all is loaded; writes what it changes when it is told to, in the caller's transaction and after the pages before it.</summary>
    public abstract Func<NpgsqlConnection, CancellationToken, Task> Fold(IReadOnlyList<RecordedEvent> page);
}
