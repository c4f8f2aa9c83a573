using EventMesh.Journal;

namespace EventMesh.Dispatch;

/// <summary>A part of the node from another assembly that lives as long as the node runs; registered as a list.</summary>
/// <remarks>
/// Calling contract: the node calls <see cref="StartAsync"/> once, after the journal is open and before it accepts or dials peers, and
/// <see cref="StopAsync"/> once, after the peers are gone and before the journal closes, also when a start failed or was cancelled. The
/// extensions start in the order of their registration and stop in reverse.
/// </remarks>
public interface IMeshExtension
{
    /// <summary>Starts the extension.</summary>
    /// <param name="mesh">The node, not joined yet; valid until the extension is stopped.</param>
    /// <param name="journal">The node's open journal.</param>
    /// <param name="cancellationToken">The start was given up.</param>
    /// <remarks>The task fails with <see cref="MeshException"/>: the node then does not start.</remarks>
    Task StartAsync(IMesh mesh, IEventJournal journal, CancellationToken cancellationToken);

    /// <summary>Stops the extension. It never fails.</summary>
    /// <param name="cancellationToken">What still runs is given up.</param>
    Task StopAsync(CancellationToken cancellationToken);
}
