using EventMesh.Bootstrap;
using EventMesh.Events;
using EventMesh.Projections;
using EventMesh.Sessions.Internal;
using EventMesh.Wire;

namespace EventMesh.Bootstrap.Internal;

/// <summary>
/// Tries a cached node now and then, one at a time: that keeps the cache honest and confirms what was only probed. The connection stays until the next
/// feeler's: one link of each node wanders, which joins the halves of a mesh that was divided for longer than lost peers are dialled again.
/// </summary>
internal sealed class Feelers(ISessionHost host, SessionTable table, Dialer dialer)
{
    private PeerSession? _last;

    /// <summary>Runs until cancelled; never fails.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        TimeSpan interval = host.Options.Cache.FeelerInterval;
        if (interval == TimeSpan.Zero) return;
        try
        {
            while (true)
            {
                await Task.Delay(interval * (0.5 + Random.Shared.NextDouble()), host.Clock, cancellationToken).ConfigureAwait(false);
                // Alone, the node bootstraps: that tries the whole cache.
                if (table.JoinedCount > 0) await FeelAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is MeshException or OperationCanceledException)
        {
            // The node stops, or its journal can't go on and it is about to stop.
        }
    }

    private async Task FeelAsync(CancellationToken cancellationToken)
    {
        BootstrapCacheEntry? entry = BootstrapCacheDecisions.Feeler(host.Journal.State, host.Clock.GetUtcNow(), Random.Shared.NextDouble());
        if (entry is null) return;
        try
        {
            await dialer.DialAsync(entry.Endpoints[0], entry.Peer, DiscoverySource.Cache, cancellationToken).ConfigureAwait(false);
        }
        catch (MeshException)
        {
            // It is in the log, and counts against the entry.
            return;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Sessions.Internal.Log.DialBroke(host.Logger, e);
            return;
        }
        PeerSession? before = _last;
        if (!table.TryGet(entry.Peer, out _last) || before is null || before == _last) return;
        bool isNeeded = before.Info is null || table.Degree <= host.Options.Bootstrap.TargetPeers || host.IsProtected(before.Peer);
        if (!isNeeded) await before.LeaveAsync(CloseReason.Trimmed, WireCode.Trimmed).ConfigureAwait(false);
    }
}
