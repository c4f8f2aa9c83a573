using System.Net;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Node;
using EventMesh.Projections;
using EventMesh.Trust;

namespace EventMesh.Tests.Common.Hosting;

/// <summary>A trust ledger over a test's log, durable at once, without checks of reasons and names.</summary>
public sealed class FakeTrust(FakeNodeLog log, TimeProvider time) : ITrust
{
    public bool IsBlocked(PeerId peer) => log.State.BlockOf(peer, time.GetUtcNow()) is not null;

    public bool IsBlocked(IPAddress address) => log.State.BlockOf(address, time.GetUtcNow()) is not null;

    public bool IsTrusted(PeerId peer) => log.State.IsTrusted(peer);

    public Task<IReadOnlyList<RecordedEvent>> PinAsync(
        string contact, PeerId peer, string by = TrustAuthor.Application, CancellationToken cancellationToken = default) =>
        DecideAsync(state => TrustDecisions.Pin(state, NameOf(contact), peer, by));

    public Task<IReadOnlyList<RecordedEvent>> UnpinAsync(
        string contact, string reason, string by = TrustAuthor.Application, CancellationToken cancellationToken = default) =>
        DecideAsync(state => TrustDecisions.Unpin(state, NameOf(contact), reason, by));

    public Task<IReadOnlyList<RecordedEvent>> TrustAsync(
        PeerId peer, string reason, string by = TrustAuthor.Application, CancellationToken cancellationToken = default) =>
        DecideAsync(state => TrustDecisions.Trust(state, peer, reason, by, time.GetUtcNow()));

    public Task<IReadOnlyList<RecordedEvent>> BlockAsync(
        PeerId peer, string reason, DateTimeOffset? until = null, string by = TrustAuthor.Application, CancellationToken cancellationToken = default) =>
        DecideAsync(state => TrustDecisions.Block(state, peer, reason, until, by));

    public Task<IReadOnlyList<RecordedEvent>> BlockPrefixAsync(
        IPNetwork prefix, string reason, DateTimeOffset? until = null, string by = TrustAuthor.Application, CancellationToken cancellationToken = default) =>
        DecideAsync(state => TrustDecisions.Block(state, prefix, reason, until, by));

    public Task<IReadOnlyList<RecordedEvent>> UnblockAsync(
        PeerId peer, string reason, string by = TrustAuthor.Application, CancellationToken cancellationToken = default) =>
        DecideAsync(state => TrustDecisions.Unblock(state, peer, reason, by, time.GetUtcNow()));

    public Task<IReadOnlyList<RecordedEvent>> UnblockPrefixAsync(
        IPNetwork prefix, string reason, string by = TrustAuthor.Application, CancellationToken cancellationToken = default) =>
        DecideAsync(state => TrustDecisions.Unblock(state, prefix, reason, by, time.GetUtcNow()));

    public Task<IReadOnlyList<RecordedEvent>> RevokeAsync(
        PeerId key, string reason, string by = TrustAuthor.Application, CancellationToken cancellationToken = default) =>
        DecideAsync(state => TrustDecisions.Revoke(state, key, reason, by));

    public Task<IReadOnlyList<RecordedEvent>> RevokeCertificateAsync(
        string fingerprint, string reason, string by = TrustAuthor.Application, CancellationToken cancellationToken = default) =>
        DecideAsync(state => TrustDecisions.Revoke(state, fingerprint, reason, by));

    private static string NameOf(string contact) => ContactAddress.Canonical(contact)
        ?? throw new MeshException(MeshError.InvalidConfiguration, $"'{contact}' is not a contact.");

    private async Task<IReadOnlyList<RecordedEvent>> DecideAsync(Func<MeshState, IReadOnlyList<IMeshEvent>> decision)
    {
        await Task.Yield();
        RecordedEvent[] recorded = [.. decision(log.State).Select(log.Record)];
        log.Store();
        return recorded;
    }
}
