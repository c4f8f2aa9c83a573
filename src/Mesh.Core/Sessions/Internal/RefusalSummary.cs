using System.Net;
using EventMesh.Events;
using EventMesh.Trust;

namespace EventMesh.Sessions.Internal;

/// <summary>
/// Counts refused strangers by source prefix and writes one event a minute and prefix, so that nobody can fill the log. At most 1,024 prefixes
/// a minute are told apart; the rest counts as <c>other</c>.
/// </summary>
internal sealed class RefusalSummary(ISessionHost host)
{
    private const int MaxKeys = 1024;

    private readonly Lock _mutex = new();
    private Dictionary<(string Prefix, MeshError Error), int> _counts = [];

    public void Count(IPAddress source, MeshError error)
    {
        lock (_mutex)
        {
            (string, MeshError) key = (AddressPrefix.SourceOf(source).ToString(), error);
            if (_counts.Count >= MaxKeys && !_counts.ContainsKey(key)) key = ("other", error);
            _counts[key] = _counts.GetValueOrDefault(key) + 1;
        }
    }

    /// <summary>Writes what was counted, each minute until cancelled and once at the end; never fails.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMinutes(1), host.Clock);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false)) Flush();
        }
        catch (OperationCanceledException)
        {
            Flush();
        }
        catch (MeshException)
        {
            // The journal can't go on: the node is about to stop.
        }
    }

    private void Flush()
    {
        Dictionary<(string Prefix, MeshError Error), int> counts;
        lock (_mutex)
        {
            if (_counts.Count == 0) return;
            (counts, _counts) = (_counts, []);
        }
        foreach (((string prefix, MeshError error), int count) in counts) host.Journal.Record(new InboundRefused(prefix, error, count));
    }
}
