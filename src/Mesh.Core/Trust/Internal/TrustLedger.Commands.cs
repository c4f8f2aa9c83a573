using System.Collections.Immutable;
using System.Net;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Node;
using EventMesh.Projections;

namespace EventMesh.Trust.Internal;

/// <summary>The commands of operators and the application.</summary>
internal sealed partial class TrustLedger : ITrust
{
    private const int MaxReason = 256;
    private const int MaxBy = 64;

    bool ITrust.IsBlocked(PeerId peer) => RefusalBy(journal.State, peer, default, clock.GetUtcNow()) is not null
        || InForce().Any(opening => RefusalBy(opening.Before, peer, default, clock.GetUtcNow()) is not null);

    bool ITrust.IsBlocked(IPAddress address) => BlockOf(Wire.EndpointCodec.Normalize(address)) is not null;

    public Task<IReadOnlyList<RecordedEvent>> PinAsync(
        string contact, PeerId peer, string by = TrustAuthor.Application, CancellationToken cancellationToken = default)
    {
        string name = NameOf(contact);
        Check(peer, "", by);
        return OpenAsync(state => TrustDecisions.Pin(state, name, peer, by), cancellationToken);
    }

    public Task<IReadOnlyList<RecordedEvent>> UnpinAsync(
        string contact, string reason, string by = TrustAuthor.Application, CancellationToken cancellationToken = default)
    {
        string name = NameOf(contact);
        Check(null, reason, by);
        return OpenAsync(state => TrustDecisions.Unpin(state, name, reason, by), cancellationToken);
    }

    public Task<IReadOnlyList<RecordedEvent>> TrustAsync(
        PeerId peer, string reason, string by = TrustAuthor.Application, CancellationToken cancellationToken = default)
    {
        Check(peer, reason, by);
        DateTimeOffset now = clock.GetUtcNow();
        return OpenAsync(state => TrustDecisions.Trust(state, peer, reason, by, now), cancellationToken);
    }

    public Task<IReadOnlyList<RecordedEvent>> BlockAsync(
        PeerId peer, string reason, DateTimeOffset? until = null, string by = TrustAuthor.Application, CancellationToken cancellationToken = default)
    {
        Check(peer, reason, by);
        CheckEnd(until);
        return ProtectAsync(state => TrustDecisions.Block(state, peer, reason, until, by), cancellationToken);
    }

    public Task<IReadOnlyList<RecordedEvent>> BlockPrefixAsync(
        IPNetwork prefix, string reason, DateTimeOffset? until = null, string by = TrustAuthor.Application, CancellationToken cancellationToken = default)
    {
        Check(null, reason, by);
        CheckEnd(until);
        IPNetwork normalized = AddressPrefix.Normalize(prefix);
        return ProtectAsync(state => TrustDecisions.Block(state, normalized, reason, until, by), cancellationToken);
    }

    public Task<IReadOnlyList<RecordedEvent>> UnblockAsync(
        PeerId peer, string reason, string by = TrustAuthor.Application, CancellationToken cancellationToken = default)
    {
        Check(peer, reason, by);
        DateTimeOffset now = clock.GetUtcNow();
        return OpenAsync(state => TrustDecisions.Unblock(state, peer, reason, by, now), cancellationToken);
    }

    public Task<IReadOnlyList<RecordedEvent>> UnblockPrefixAsync(
        IPNetwork prefix, string reason, string by = TrustAuthor.Application, CancellationToken cancellationToken = default)
    {
        Check(null, reason, by);
        DateTimeOffset now = clock.GetUtcNow();
        IPNetwork normalized = AddressPrefix.Normalize(prefix);
        return OpenAsync(state => TrustDecisions.Unblock(state, normalized, reason, by, now), cancellationToken);
    }

    public Task<IReadOnlyList<RecordedEvent>> RevokeAsync(
        PeerId key, string reason, string by = TrustAuthor.Application, CancellationToken cancellationToken = default)
    {
        Check(key, reason, by);
        return ProtectAsync(state => TrustDecisions.Revoke(state, key, reason, by), cancellationToken);
    }

    public Task<IReadOnlyList<RecordedEvent>> RevokeCertificateAsync(
        string fingerprint, string reason, string by = TrustAuthor.Application, CancellationToken cancellationToken = default)
    {
        Check(null, reason, by);
        if (!CertificateFingerprint.TryParse(fingerprint, out string parsed))
            throw Invalid($"'{fingerprint}' is not a certificate's fingerprint: the SHA-256 of its DER, 64 digits of hexadecimal.");
        return ProtectAsync(state => TrustDecisions.Revoke(state, parsed, reason, by), cancellationToken);
    }

    private async Task<IReadOnlyList<RecordedEvent>> ProtectAsync(Func<MeshState, IEnumerable<IMeshEvent>> decision, CancellationToken cancellationToken)
    {
        IReadOnlyList<RecordedEvent> recorded = Restrict(decision);
        Tell(recorded);
        // An earlier command may have decided the same and not be durable yet.
        RecordedEvent? last = recorded.Count > 0 ? recorded[^1] : Volatile.Read(ref _last);
        if (last is not null) await journal.WhenDurableAsync(last, cancellationToken).ConfigureAwait(false);
        return recorded;
    }

    private async Task<IReadOnlyList<RecordedEvent>> OpenAsync(Func<MeshState, IEnumerable<IMeshEvent>> decision, CancellationToken cancellationToken)
    {
        IReadOnlyList<RecordedEvent> recorded = [];
        Opening opening;
        RecordedEvent? last;
        lock (_mutex)
        {
            // On the list before the state has its effect; all decisions on the ledger take this lock, so that nothing comes between.
            opening = new Opening(journal.State);
            _openings = _openings.Add(opening);
            try
            {
                recorded = journal.Decide(decision);
            }
            finally
            {
                if (recorded.Count == 0) _openings = _openings.Remove(opening);
                else _last = recorded[^1];
            }
            last = _last;
        }
        Tell(recorded);
        Publish(recorded);
        Task inForce = recorded.Count > 0 ? EnterIntoForceAsync(opening, recorded[^1])
            : last is null ? Task.CompletedTask : journal.WhenDurableAsync(last, cancellationToken);
        await inForce.WaitAsync(cancellationToken).ConfigureAwait(false);
        return recorded;
    }

    /// <summary>Goes on when the command's caller does not wait any more; what never becomes durable never is in force.</summary>
    private async Task EnterIntoForceAsync(Opening opening, RecordedEvent recorded)
    {
        try
        {
            await journal.WhenDurableAsync(recorded, CancellationToken.None).ConfigureAwait(false);
        }
        catch (MeshException e)
        {
            Log.OpeningNotDurable(logger, e.Message);
            throw;
        }
        lock (_mutex) _openings = _openings.Remove(opening);
    }

    private void Tell(IReadOnlyList<RecordedEvent> recorded)
    {
        foreach (RecordedEvent each in recorded)
        {
            (string decision, string by)? told = each.Data switch
            {
                PeerPinned e => ($"contact {e.Contact} is pinned to peer {e.Peer.ToShortString()}", e.By),
                PeerUnpinned e => ($"contact {e.Contact} is no longer pinned to peer {e.Peer.ToShortString()}", e.By),
                PeerTrusted e => ($"peer {e.Peer.ToShortString()} is trusted", e.By),
                PeerBlocked e => ($"peer {e.Peer.ToShortString()} is blocked", e.By),
                PrefixBlocked e => ($"prefix {e.Prefix} is blocked", e.By),
                Unblocked e => ($"{(e.Peer is { } peer ? $"peer {peer.ToShortString()}" : $"prefix {e.Prefix}")} is unblocked", e.By),
                CertificateRevoked e => ($"{(e.Key is { } key ? $"key {key.ToShortString()}" : $"certificate {e.Fingerprint}")} is revoked", e.By),
                _ => null,
            };
            if (told is { } line) Log.Decided(logger, line.decision, line.by);
        }
    }

    private void Check(PeerId? peer, string reason, string by)
    {
        if (peer == LocalPeer) throw Invalid("This is the node itself.");
        if (reason is null || reason.Length > MaxReason || reason.Any(char.IsControl))
            throw Invalid($"A reason has at most {MaxReason} characters and no control characters.");
        if (string.IsNullOrWhiteSpace(by) || by.Length > MaxBy || by.Any(char.IsControl))
            throw Invalid($"Who decides is named by 1 to {MaxBy} characters without control characters.");
        if (by is TrustAuthor.Limits or TrustAuthor.FirstUse) throw Invalid($"'{by}' is the node itself: say who decides.");
    }

    private void CheckEnd(DateTimeOffset? until)
    {
        if (until is { } end && end <= clock.GetUtcNow()) throw Invalid("The end of a block must be in the future.");
    }

    private static string NameOf(string contact) => ContactAddress.Canonical(contact)
        ?? throw Invalid($"'{contact}' is not a contact: give host:port with a name or an address, such as node.example:4433 or [2001:db8::1]:4433.");

    private static MeshException Invalid(string message) => new(MeshError.InvalidConfiguration, message);
}
