using System.Collections.Concurrent;
using System.Net;
using EventMesh.Events;
using EventMesh.Identity;
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
internal sealed class PeerExchange(ISessionHost host, SessionTable table, Dialer dialer, CancellationToken stopping)
{
    private const int MaxDialsAtATime = 8;

    private readonly ConcurrentDictionary<PeerId, byte> _dialling = [];

    /// <summary>How often a node below its target asks for more peers.</summary>
    public TimeSpan Interval { get; } = TimeSpan.FromSeconds(30);

    /// <summary>The joined nodes that the asking peer could dial, in random order.</summary>
    public Peers Answer(PeerId asking, IPAddress askingFrom, int max)
    {
        PeerSession[] sessions = table.Sessions();
        Random.Shared.Shuffle(sessions);
        var answer = new Peers();
        foreach (PeerSession session in sessions)
        {
            if (answer.Peers_.Count >= max) break;
            if (session.Peer == asking || session.Info is not { Kind: PeerKind.Node } peer) continue;
            IEnumerable<IPEndPoint> shared = peer.Endpoints.Where(e => AddressScope.IsShared(e.Address, askingFrom)).Take(WireLimits.PeerEndpoints);
            var record = new PeerRecord { PeerId = ByteString.CopyFrom(session.Peer.ToByteArray()), DnsName = session.ProvenName };
            record.Endpoints.AddRange(shared.Select(EndpointCodec.ToFrame));
            if (record.Endpoints.Count > 0) answer.Peers_.Add(record);
        }
        return answer;
    }

    /// <summary>Dials what a peer told of, as far as the target goes.</summary>
    public void OnTold(PeerSession from, Peers told)
    {
        if (from.Info is not { } teller) return;
        foreach (PeerRecord record in told.Peers_)
        {
            if (record.PeerId.Length != PeerId.Length || record.Endpoints.Count > WireLimits.PeerEndpoints) continue;
            // A dial that its certificate's name would end is none of a stranger's business to cause.
            if (record.DnsName.Length > WireLimits.DnsName || !host.Gate.MayHaveName(record.DnsName)) continue;
            var peer = new PeerId(record.PeerId.Span);
            IPEndPoint? endpoint = record.Endpoints.Select(EndpointCodec.FromFrame)
                .FirstOrDefault(e => e is not null && AddressScope.IsShared(e.Address, teller.Remote.Address));
            if (endpoint is not null) TryDial(peer, endpoint, DiscoverySource.PeerExchange);
        }
    }

    /// <summary>Below the target: asks a joined peer for more and dials from the cache.</summary>
    public async Task KeepTargetAsync(CancellationToken cancellationToken)
    {
        PeerSession[] joined = [.. table.Sessions().Where(session => session.Info is not null)];
        if (joined.Length == 0 || joined.Length >= host.Options.Bootstrap.TargetPeers) return;
        foreach (BootstrapCacheEntry entry in host.Journal.State.Cache.NewestFirst())
        {
            if (entry.Endpoints.Count > 0) TryDial(entry.Peer, entry.Endpoints[0], DiscoverySource.Cache);
        }
        await joined[Random.Shared.Next(joined.Length)].AskForPeersAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private void TryDial(PeerId peer, IPEndPoint endpoint, DiscoverySource source)
    {
        if (peer == host.LocalPeer || table.TryGet(peer, out _)) return;
        int joined = table.Sessions().Count(session => session.Info is not null);
        if (joined + _dialling.Count >= host.Options.Bootstrap.TargetPeers || _dialling.Count >= MaxDialsAtATime) return;
        if (!_dialling.TryAdd(peer, 0)) return;
        if (!table.Tasks.TryRun(static s => s.Exchange.DialAsync(s.Peer, s.Endpoint, s.Source), (Exchange: this, Peer: peer, Endpoint: endpoint, Source: source)))
            _dialling.TryRemove(peer, out _);
    }

    private async Task DialAsync(PeerId peer, IPEndPoint endpoint, DiscoverySource source)
    {
        try
        {
            await dialer.DialAsync(endpoint, peer, source, stopping).ConfigureAwait(false);
        }
        catch (Exception e) when (e is MeshException or OperationCanceledException)
        {
            // It is in the log, or the node stops.
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
