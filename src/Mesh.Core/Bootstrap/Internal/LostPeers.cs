using System.Collections.Concurrent;
using System.Net;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.Sessions.Internal;

namespace EventMesh.Bootstrap.Internal;

/// <summary>
/// Dials nodes again that were lost: each second for half a minute, so that a restarted one is back within 2 s, then ever more rarely for a quarter of an
/// hour, so that the halves of a divided mesh find each other. At most 32 at a time; the others are left to the cache.
/// </summary>
internal sealed class LostPeers(ISessionHost host, SessionTable table, Dialer dialer, CancellationToken stopping)
{
    private const int MaxTracked = 32;

    private static readonly TimeSpan QuickPhase = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan QuickPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromMinutes(15);

    // A try that went out a moment before the peer is back must end soon; every fourth has the time that a slow link needs.
    private static readonly TimeSpan ShortTry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongTry = TimeSpan.FromSeconds(3);

    private readonly ConcurrentDictionary<PeerId, byte> _tracked = [];

    /// <summary>A peer has left; a node that we have not parted from on purpose is dialled again.</summary>
    public void OnLeft(PeerInfo peer, CloseReason reason)
    {
        if (reason is not (CloseReason.Lost or CloseReason.Idle or CloseReason.PeerShutdown)) return;
        // One that joins and drops us again and again would fill the log: it is left to the bootstrapper, which backs off.
        if (host.Clock.GetUtcNow() - peer.JoinedAt < Bootstrapper.ShortJoin) return;
        if (peer.Kind != PeerKind.Node || peer.Endpoints.Count == 0 || _tracked.Count >= MaxTracked || !_tracked.TryAdd(peer.Peer, 0)) return;
        if (!table.Tasks.TryRun(static s => s.Lost.RunAsync(s.Peer, s.Endpoint), (Lost: this, peer.Peer, Endpoint: peer.Endpoints[0])))
            _tracked.TryRemove(peer.Peer, out _);
    }

    /// <summary>Whether a further try may help after one that failed so: not when the peer is there and does not want us.</summary>
    internal static bool IsWorthAnotherTry(MeshError error) => error is MeshError.Unreachable or MeshError.Timeout or MeshError.IdleTimeout
        or MeshError.ConnectionLost or MeshError.ClosedByPeer or MeshError.ReverseCheckFailed or MeshError.AlreadyConnected;

    private async Task RunAsync(PeerId peer, IPEndPoint endpoint)
    {
        try
        {
            await RedialAsync(peer, endpoint).ConfigureAwait(false);
        }
        catch (Exception e) when (e is MeshException or OperationCanceledException)
        {
            // The node stops, or its journal can't go on and it is about to stop.
        }
        catch (Exception e)
        {
            Sessions.Internal.Log.DialBroke(host.Logger, e);
        }
        finally
        {
            _tracked.TryRemove(peer, out _);
        }
    }

    private async Task RedialAsync(PeerId peer, IPEndPoint endpoint)
    {
        long lost = host.Clock.GetTimestamp();
        // Both sides lose each other at once: by chance one of them is first.
        TimeSpan pause = TimeSpan.FromMilliseconds(50 + (200 * Random.Shared.NextDouble()));
        for (int attempt = 0; host.Clock.GetElapsedTime(lost) < GiveUpAfter; attempt++)
        {
            await Task.Delay(pause, host.Clock, stopping).ConfigureAwait(false);
            if (table.TryGet(peer, out PeerSession? session) && session.Info is not null) return;
            if (table.JoinedCount >= host.Options.Limits.High) return;
            long started = host.Clock.GetTimestamp();
            try
            {
                await dialer.RedialAsync(endpoint, peer, attempt % 4 == 3 ? LongTry : ShortTry, stopping).ConfigureAwait(false);
                return;
            }
            catch (MeshException e) when (IsWorthAnotherTry(e.Error))
            {
                Log.RedialFailed(host.Logger, peer.ToShortString(), e.Error);
            }
            pause = host.Clock.GetElapsedTime(lost) < QuickPhase
                ? Max(TimeSpan.Zero, QuickPause - host.Clock.GetElapsedTime(started))
                : Min(LongestPause, Max(QuickPause, pause * 2)) * (1 - (0.2 * Random.Shared.NextDouble()));
        }
    }

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
