using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Journal.Internal;
using EventMesh.Trust;
using EventMesh.Trust.Internal;

namespace EventMesh.Node;

/// <summary>What the node does for those who check its log.</summary>
public sealed partial class MeshNode : ILogSealing, ILogErasing
{
    private static readonly TimeSpan CommitLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan CommitPoll = TimeSpan.FromMilliseconds(20);

    async Task<SignedHead> ILogSealing.SignHeadAsync(CancellationToken cancellationToken)
    {
        NodeIdentity identity = Started(_identity);
        LogHead head = await _store.GetHeadAsync(identity.Node, cancellationToken).ConfigureAwait(false)
            ?? throw new MeshException(MeshError.StoreUnavailable, $"The store '{_store.Name}' keeps no chain over the log.");
        return LogSeal.Sign(identity, head);
    }

    async Task ILogErasing.ForgetAsync(PeerId peer, CancellationToken cancellationToken)
    {
        if (Peers.Any(joined => joined.Peer == peer))
            throw new MeshException(
                MeshError.InvalidConfiguration, $"Peer {peer.ToShortString()} is joined, its addresses are in use. `mesh trust block` keeps it away; `mesh disconnect` ends its connections.");
        // First: a crash from here on leaves nothing but a start that reads the whole log.
        LocalErasure.Request(_options.DataDirectory);
        await ((Bootstrap.IBootstrapCache)this).RemoveAsync(peer, cancellationToken).ConfigureAwait(false);
    }

    async Task<RecordedEvent> ILogErasing.RecordAsync(PeerErased erased, CancellationToken cancellationToken)
    {
        RecordedEvent recorded = _journal.Record(erased);
        long start = _clock.GetTimestamp();
        while (_journal.Status.LastCommitted < recorded.NodeSeq)
        {
            if (_clock.GetElapsedTime(start) > CommitLimit)
                throw new MeshException(MeshError.StoreUnavailable, "The store does not take the erasure's event; nothing was erased. Try again when it is back.");
            await Task.Delay(CommitPoll, _clock, cancellationToken).ConfigureAwait(false);
        }
        return recorded;
    }
}
