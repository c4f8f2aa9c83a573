using System.Net;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Notifications;
using EventMesh.Projections;
using EventMesh.Sessions.Internal;

namespace EventMesh.Bootstrap.Internal;

/// <summary>Keeps the bootstrap cache by what sessions and operators tell: nodes that were reached enter, hard-coded contacts never do.</summary>
internal sealed class CacheKeeper(ISessionHost host, ContactBook contacts, Departures departures)
{
    // As long as a NAT has to keep a UDP binding (RFC 4787, 5): within it a dial may ride on what the last connection opened, and prove nothing.
    private static readonly TimeSpan Silence = TimeSpan.FromMinutes(2);

    public void OnProven(PeerSession session, PeerConnection first, IPEndPoint proven)
    {
        if (contacts.Contains(proven))
        {
            // It may have been cached before it became a contact.
            Remove(session.Peer);
            return;
        }
        byte[] certificate = first.Transport.PeerCertificate.ToArray();
        ConnectionDirection origin = first.IsDialer ? ConnectionDirection.Outbound : ConnectionDirection.Inbound;
        Change(state => host.Trust.Refusal(session.Peer, certificate, proven.Address) is not null
            ? []
            : BootstrapCacheDecisions.Connected(state, session.Peer, [proven], certificate, origin, host.Options.Cache.MaxPerPrefix));
        if (first.Source == DiscoverySource.Cache && (departures.Since(session.Peer) is not { } silence || silence >= Silence))
            Change(state => BootstrapCacheDecisions.Confirmed(state, session.Peer, by: null));
    }

    /// <summary>A joined node became a client, and still answers.</summary>
    public void OnDowngraded(PeerId peer) => Change(state => BootstrapCacheDecisions.Downgraded(state, peer));

    public void OnDialFailed(DialFailed failure) => Change(state => BootstrapCacheDecisions.Failed(state, failure));

    /// <summary>A joined peer has told of a node that it has reached.</summary>
    public void OnTold(PeerId peer, IPEndPoint endpoint, PeerId by, IPAddress byAddress) =>
        Change(state => BootstrapCacheDecisions.ToldOf(state, peer, endpoint, by, byAddress));

    /// <summary>Takes a node out; the event, or null when it was not in.</summary>
    public RecordedEvent? Remove(PeerId peer) => Change(state => BootstrapCacheDecisions.Removed(state, peer)) is [.., var removed] ? removed : null;

    /// <summary>Brings in nodes from another cache.</summary>
    public (CacheImport Result, RecordedEvent? Last) Import(IReadOnlyList<CacheRecord> records)
    {
        CacheRecord[] wanted = [.. records.DistinctBy(r => r.Peer).Where(r => r.Peer != host.LocalPeer && !r.Endpoints.Any(contacts.Contains))];
        int known = 0;
        IReadOnlyList<RecordedEvent> added = Change(state =>
        {
            known = wanted.Count(record => state.Cache.Entries.ContainsKey(record.Peer));
            return BootstrapCacheDecisions.Imported(state, wanted, host.Options.Cache.MaxPerPrefix);
        });
        return (new CacheImport(added.Count, known, records.Count - known - added.Count), added is [.., var last] ? last : null);
    }

    /// <summary>Whether an address is a hard-coded contact's.</summary>
    public bool IsContact(IPEndPoint endpoint) => contacts.Contains(endpoint);

    private IReadOnlyList<RecordedEvent> Change(Func<MeshState, IEnumerable<IMeshEvent>> decision)
    {
        IReadOnlyList<RecordedEvent> changes = host.Journal.Decide(decision);
        foreach (RecordedEvent change in changes)
        {
            if (change.Data is not DialFailed) host.Dispatcher.Publish(new CacheChanged(change, host.Journal.IsDurable(change)));
        }
        return changes;
    }
}
