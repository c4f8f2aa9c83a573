using System.Net;
using EventMesh.Events;
using EventMesh.Notifications;
using EventMesh.Sessions.Internal;

namespace EventMesh.Bootstrap.Internal;

/// <summary>Keeps the bootstrap cache by what sessions tell: nodes that were reached enter, hard-coded contacts never do.</summary>
internal sealed class CacheKeeper(ISessionHost host, ContactBook contacts)
{
    public void OnProven(PeerSession session, PeerConnection first, IPEndPoint proven)
    {
        if (contacts.Contains(proven)) return;
        byte[] certificate = first.Transport.PeerCertificate.ToArray();
        ConnectionDirection origin = first.IsDialer ? ConnectionDirection.Outbound : ConnectionDirection.Inbound;
        Publish(host.Journal.Decide(state => host.Trust.Refusal(session.Peer, certificate, proven.Address) is not null
            ? []
            : BootstrapCacheDecisions.Connected(state, session.Peer, [proven], certificate, origin)));
        // A dial from the cache reached it after a silence.
        if (first.Source == DiscoverySource.Cache)
            Publish(host.Journal.Decide(state => BootstrapCacheDecisions.Confirmed(state, session.Peer, by: null)));
    }

    public void OnDialFailed(DialFailed failure) =>
        Publish(host.Journal.Decide(state => BootstrapCacheDecisions.Failed(state, failure)).Where(recorded => recorded.Data is not DialFailed));

    private void Publish(IEnumerable<RecordedEvent> changes)
    {
        foreach (RecordedEvent change in changes) host.Dispatcher.Publish(new CacheChanged(change, host.Journal.IsDurable(change)));
    }
}
