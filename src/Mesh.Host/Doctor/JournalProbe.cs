using System.Globalization;
using EventMesh.Events;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Journal;
using EventMesh.Node;
using Microsoft.Extensions.Options;

namespace EventMesh.Host.Doctor;

/// <summary>Asks the node that runs on the data directory which way its events take. Without one there is nothing to tell.</summary>
internal sealed class JournalProbe(IOptions<MeshOptions> options) : IDoctorProbe
{
    private const string Name = "journal";

    public async Task<IReadOnlyList<DoctorCheck>> ExamineAsync(CancellationToken cancellationToken)
    {
        using ControlClient client = new(options.Value.DataDirectory);
        try
        {
            return (await client.GetHealthAsync(cancellationToken)).Journal is { } journal ? [Judge(journal)] : [];
        }
        catch (MeshException e) when (e.Error == MeshError.NodeStopped)
        {
            return [];
        }
    }

    /// <summary>What the state means, and what to do.</summary>
    public static DoctorCheck Judge(JournalView journal)
    {
        string spool = string.Create(
            CultureInfo.InvariantCulture,
            $"since {journal.Since?.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z, {journal.Spooled} events wait in the spool, {journal.SpoolBytes} of {journal.SpoolLimit} bytes");
        return journal.State switch
        {
            JournalState.Live when journal.IsSpoolRefusing => DoctorCheck.Note(
                Name, "live: events go straight to the store; the spool took nothing when it was needed last", "Make space on the disk of the data directory."),
            JournalState.Live when journal.HeldBackPeers > 0 => DoctorCheck.Note(
                Name, $"live: events go straight to the store; {journal.HeldBackPeers} new peers are only counted until it is their turn to be recorded",
                "They are peers like others meanwhile. If so many are expected, raise Journal:NewPeersPerMinute; if not, see who comes with `mesh peers`."),
            JournalState.Live => DoctorCheck.Ok(Name, "live: events go straight to the store"),
            JournalState.Draining => DoctorCheck.Note(Name, $"draining {spool}: the store is back and takes the older events first"),
            JournalState.Spooling when journal.IsSpoolRefusing => DoctorCheck.Note(
                Name, $"spooling {spool}: the spool takes no more, {journal.Queued} events wait in memory, and are lost with the process; connections are only counted",
                "Make space on the disk of the data directory, or bring the store back. The node goes on by itself then; commands are answered then."),
            JournalState.Spooling when journal.IsSummarising => DoctorCheck.Note(
                Name, $"spooling {spool}: the spool is full, connections are only counted",
                "Bring the store back; or make space on the disk, raise Journal:SpoolLimit and restart the node."),
            JournalState.Spooling => DoctorCheck.Note(
                Name, $"spooling {spool}: the store {(journal.Cause == SpoolingCause.Slow ? "acknowledges too slowly" : "is away")}",
                "Look at the store; nothing is lost meanwhile."),
            _ => DoctorCheck.Note(Name, "the journal can't go on, and the node stops", "The node's log says why."),
        };
    }
}
