using System.Net;
using EventMesh.Host.Events;
using EventMesh.Journal;
using EventMesh.Node;
using EventMesh.Projections;
using EventMesh.Trust;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace EventMesh.Host.Endpoints;

/// <summary><c>/v1/trust</c>: the trust ledger and its commands, which are answered when they are durable.</summary>
internal static class TrustEndpoints
{
    /// <summary>Who decides when a request does not say.</summary>
    private const string Operator = "operator";

    /// <summary>Maps the endpoints.</summary>
    public static void MapTrust(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("trust", (IEventJournal journal, TimeProvider time) => TrustView.From(journal.State.Trust, time.GetUtcNow()));

        routes.MapPost("trust/pin", async (PinRequest request, ITrust trust, IMesh mesh, IEventJournal journal, CancellationToken cancellationToken) =>
        {
            PeerId peer = SelectPeer(request.Peer, mesh, journal.State);
            IReadOnlyList<RecordedEvent> recorded = await trust.PinAsync(request.Contact, peer, request.By ?? Operator, cancellationToken);
            return Answer(ContactAddress.Canonical(request.Contact)!, recorded);
        });

        routes.MapPost("trust/unpin", async (UnpinRequest request, ITrust trust, CancellationToken cancellationToken) =>
        {
            IReadOnlyList<RecordedEvent> recorded = await trust.UnpinAsync(request.Contact, request.Reason ?? "", request.By ?? Operator, cancellationToken);
            return Answer(ContactAddress.Canonical(request.Contact)!, recorded);
        });

        routes.MapPost("trust/trust", async (TrustRequest request, ITrust trust, IMesh mesh, IEventJournal journal, CancellationToken cancellationToken) =>
        {
            RefuseEnd(request, "Trust");
            PeerId peer = SelectPeer(request.Target, mesh, journal.State);
            return Answer(peer.ToString(), await trust.TrustAsync(peer, request.Reason ?? "", request.By ?? Operator, cancellationToken));
        });

        routes.MapPost("trust/block", async (TrustRequest request, ITrust trust, IMesh mesh, IEventJournal journal, CancellationToken cancellationToken) =>
        {
            string reason = request.Reason ?? "", by = request.By ?? Operator;
            if (IsPrefix(request.Target, out IPNetwork prefix))
                return Answer(prefix.ToString(), await trust.BlockPrefixAsync(prefix, reason, request.Until, by, cancellationToken));
            PeerId peer = SelectPeer(request.Target, mesh, journal.State);
            return Answer(peer.ToString(), await trust.BlockAsync(peer, reason, request.Until, by, cancellationToken));
        });

        routes.MapPost("trust/unblock", async (TrustRequest request, ITrust trust, IMesh mesh, IEventJournal journal, CancellationToken cancellationToken) =>
        {
            RefuseEnd(request, "The lifting of a block");
            string reason = request.Reason ?? "", by = request.By ?? Operator;
            if (IsPrefix(request.Target, out IPNetwork prefix))
                return Answer(prefix.ToString(), await trust.UnblockPrefixAsync(prefix, reason, by, cancellationToken));
            PeerId peer = SelectPeer(request.Target, mesh, journal.State);
            return Answer(peer.ToString(), await trust.UnblockAsync(peer, reason, by, cancellationToken));
        });

        routes.MapPost("trust/revoke", async (TrustRequest request, ITrust trust, IMesh mesh, IEventJournal journal, CancellationToken cancellationToken) =>
        {
            RefuseEnd(request, "A revocation");
            string reason = request.Reason ?? "", by = request.By ?? Operator;
            if (CertificateFingerprint.TryParse(request.Target, out string fingerprint))
                return Answer(fingerprint, await trust.RevokeCertificateAsync(fingerprint, reason, by, cancellationToken));
            PeerId key = SelectPeer(request.Target, mesh, journal.State);
            return Answer(key.ToString(), await trust.RevokeAsync(key, reason, by, cancellationToken));
        });
    }

    private static TrustChangeView Answer(string target, IReadOnlyList<RecordedEvent> recorded) => new(target, [.. recorded.Select(EventViews.From)]);

    // A blocked peer is not joined: those that the ledger and the cache know count too.
    private static PeerId SelectPeer(string? text, IMesh mesh, MeshState state) => PeerSelector.Select(
        text,
        mesh.Peers.Select(p => p.Peer)
            .Concat(state.Cache.Entries.Keys).Concat(state.Trust.BlockedPeers.Keys).Concat(state.Trust.Trusted.Keys)
            .Concat(state.Trust.Pins.Values.Select(p => p.Peer)).Concat(state.Trust.Pins.Values.Select(p => p.Mismatch).OfType<PeerId>())
            .Distinct(),
        "known peer", "mesh peers");

    // No identity has one of these characters: what has them is meant as an address.
    private static bool IsPrefix(string? target, out IPNetwork prefix)
    {
        if (AddressPrefix.TryParse(target, out prefix)) return true;
        return target?.AsSpan().IndexOfAny('.', ':', '/') >= 0
            ? throw new MeshException(MeshError.InvalidConfiguration, $"'{target}' is not an address or a range of addresses such as 192.0.2.0/24 or 2001:db8::/56.")
            : false;
    }

    private static void RefuseEnd(TrustRequest request, string what)
    {
        if (request.Until is not null) throw new MeshException(MeshError.InvalidConfiguration, $"{what} has no end: 'until' is for blocks.");
    }
}
