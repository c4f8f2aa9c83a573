using System.Collections.Concurrent;
using System.Net;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Limits.Internal;
using EventMesh.Projections;
using EventMesh.Sessions.Internal;
using EventMesh.Wire;
using EventMesh.Wire.Frames;
using Google.Protobuf;

namespace EventMesh.Bootstrap.Internal;

/// <summary>
/// Tells peers of others and dials those that it is told of, so that nodes which share one contact come to know each other. What is told becomes
/// an event only once it was dialled.
/// </summary>
internal sealed class PeerExchange(
    ISessionHost host, SessionTable table, Dialer dialer, CacheKeeper cache, Departures departures, CancellationToken stopping)
{
    private const int MaxDialsAtATime = 8;

    // A peer that was trimmed, or could not be dialled, is left alone for a while.
    private static readonly TimeSpan TrimmedPause = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan FailedPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<PeerId, byte> _dialling = [];
    private readonly Departures _failed = new(host.Clock);
    // Whom we dial is recorded, so the tellers must not decide how often: a peer that joins and leaves again makes room for the next dial.
    private readonly MinuteBudget _dials = new(host.Options.Journal.NewPeersPerMinute, host.Clock);
    private int _fruitless;

    /// <summary>How often a node whose rounds bring nothing new asks for more peers, and one that has enough looks around.</summary>
    public TimeSpan Interval { get; } = TimeSpan.FromSeconds(30);

    /// <summary>When to look again: soon below the target, while rounds bring something.</summary>
    public TimeSpan NextRound
    {
        get
        {
            if (table.Degree >= host.Options.Bootstrap.TargetPeers) return Interval;
            TimeSpan wait = ShortestInterval * (1 << Math.Min(Volatile.Read(ref _fruitless), 4));
            return (wait < Interval ? wait : Interval) * (1 - (0.2 * Random.Shared.NextDouble()));
        }
    }

    /// <summary>The joined nodes that the asking peer could dial, in random order.</summary>
    public Peers Answer(PeerId asking, IPAddress askingFrom, int max)
    {
        PeerSession[] sessions = table.Sessions();
        var answer = new Peers();
        for (int i = 0; i < sessions.Length && answer.Peers_.Count < max; i++)
        {
            // Shuffled only as far as the answer goes: it is asked for with every join.
            int chosen = Random.Shared.Next(i, sessions.Length);
            (sessions[i], sessions[chosen]) = (sessions[chosen], sessions[i]);
            PeerSession session = sessions[i];
            if (session.Peer == asking || session.Info is not { Kind: PeerKind.Node } peer) continue;
            var record = new PeerRecord();
            foreach (IPEndPoint endpoint in peer.Endpoints)
            {
                if (record.Endpoints.Count < WireLimits.PeerEndpoints && AddressScope.IsShared(endpoint.Address, askingFrom))
                    record.Endpoints.Add(EndpointCodec.ToFrame(endpoint));
            }
            if (record.Endpoints.Count == 0) continue;
            record.PeerId = UnsafeByteOperations.UnsafeWrap(session.Peer.ToByteArray());
            record.DnsName = session.ProvenName;
            answer.Peers_.Add(record);
        }
        return answer;
    }

    /// <summary>
    /// Dials what a peer told of, as far as the target goes, and half of the target at most: one teller must not choose all of our peers.
    /// </summary>
    public void OnTold(PeerSession from, Peers told)
    {
        if (from.Info is not { } teller) return;
        int share = Math.Max(1, host.Options.Bootstrap.TargetPeers / 2);
        PeerRecord[] records = [.. told.Peers_];
        Random.Shared.Shuffle(records);
        foreach (PeerRecord record in records)
        {
            if (record.PeerId.Length != PeerId.Length || record.Endpoints.Count > WireLimits.PeerEndpoints) continue;
            // A dial that its certificate's name would end is none of a stranger's business to cause.
            if (record.DnsName.Length > WireLimits.DnsName || !host.Gate.MayHaveName(record.DnsName)) continue;
            var peer = new PeerId(record.PeerId.Span);
            IPEndPoint? endpoint = record.Endpoints.Select(EndpointCodec.FromFrame)
                .FirstOrDefault(e => e is not null && AddressScope.IsShared(e.Address, teller.Remote.Address));
            if (endpoint is null) continue;
            cache.OnTold(peer, endpoint, teller.Peer, teller.Remote.Address);
            if (share > 0 && TryDial(peer, endpoint, DiscoverySource.PeerExchange)) share--;
        }
    }

    /// <summary>Below the target: dials from the cache and asks a joined peer for more.</summary>
    public async Task KeepTargetAsync(CancellationToken cancellationToken)
    {
        if (table.Degree >= host.Options.Bootstrap.TargetPeers) return;
        PeerSession[] joined = [.. table.Sessions().Where(session => session.Info is not null)];
        if (joined.Length == 0) return;
        int round = Interlocked.Increment(ref _fruitless);
        DateTimeOffset now = host.Clock.GetUtcNow();
        foreach (BootstrapCacheEntry entry in host.Journal.State.Cache.NewestFirst())
        {
            if (entry.Endpoints.Count > 0 && BootstrapCacheDecisions.IsDue(entry, now)) TryDial(entry.Peer, entry.Endpoints[0], DiscoverySource.Cache);
        }
        // Every second time one that we have chosen ourselves: many that dialled us must not drown it out.
        PeerSession[] chosen = [.. joined.Where(session => !session.IsInbound)];
        PeerSession[] asked = round % 2 == 1 && chosen.Length > 0 ? chosen : joined;
        await asked[Random.Shared.Next(asked.Length)].AskForPeersAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private bool TryDial(PeerId peer, IPEndPoint endpoint, DiscoverySource source)
    {
        if (peer == host.LocalPeer || _dialling.Count >= MaxDialsAtATime || table.TryGet(peer, out _)) return false;
        if (table.Degree + _dialling.Count >= host.Options.Bootstrap.TargetPeers) return false;
        if (departures.WasTrimmed(peer, TrimmedPause) || _failed.Since(peer) < FailedPause) return false;
        if (source == DiscoverySource.PeerExchange && !_dials.TryTake()) return false;
        if (!_dialling.TryAdd(peer, 0)) return false;
        if (!table.Tasks.TryRun(static s => s.Exchange.DialAsync(s.Peer, s.Endpoint, s.Source), (Exchange: this, Peer: peer, Endpoint: endpoint, Source: source)))
            _dialling.TryRemove(peer, out _);
        return true;
    }

    private async Task DialAsync(PeerId peer, IPEndPoint endpoint, DiscoverySource source)
    {
        try
        {
            await dialer.DialAsync(endpoint, peer, source, stopping).ConfigureAwait(false);
            Volatile.Write(ref _fruitless, 0);
        }
        catch (Exception e) when (e is MeshException or OperationCanceledException)
        {
            // It is in the log, or the node stops.
            _failed.Add(peer, CloseReason.Lost);
        }
        catch (Exception e)
        {
            Sessions.Internal.Log.DialBroke(host.Logger, e);
        }
        finally
        {
            _dialling.TryRemove(peer, out _);
        }
    }
}
