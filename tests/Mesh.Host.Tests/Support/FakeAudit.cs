using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Audit;

namespace EventMesh.Host.Tests.Support;

/// <summary>An audit whose outcome the test decides.</summary>
internal sealed class FakeAudit : ILogAudit, ILogSealing, ILogPrivacy, ILogErasing
{
    public List<AuditFinding> Findings { get; } = [];

    public SignedHead? Asked { get; private set; }

    public SignedHead Head { get; } = new(new NodeId(Guid.Empty), 41, [1, 2], [3], [4]);

    public Task<AuditReport> VerifyAsync(NodeId node, SignedHead? head = null, CancellationToken cancellationToken = default)
    {
        Asked = head;
        return Task.FromResult(new AuditReport(node, 41, 1, [1, 2], 2, 40, [], ["bootstrap_cache"], Findings, Findings.Count));
    }

    public List<PeerId> Forgotten { get; } = [];

    public Task ForgetAsync(PeerId peer, CancellationToken cancellationToken = default)
    {
        Forgotten.Add(peer);
        return Task.CompletedTask;
    }

    public Task<RecordedEvent> RecordAsync(PeerErased erased, CancellationToken cancellationToken = default) =>
        Task.FromResult(new RecordedEvent(Guid.NewGuid(), 1, 42, DateTimeOffset.UnixEpoch, erased, null));

    public async Task<AuditErasure?> EraseAsync(
        NodeId node, PeerId peer, Func<PeerErased, CancellationToken, Task<RecordedEvent>> record, CancellationToken cancellationToken = default) =>
        new((await record(new PeerErased(peer, 7, []), cancellationToken)).NodeSeq, peer, 7);

    public Task<SignedHead> SignHeadAsync(CancellationToken cancellationToken = default) => Task.FromResult(Head);
}
