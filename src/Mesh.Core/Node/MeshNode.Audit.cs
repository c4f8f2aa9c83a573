using EventMesh.Journal;
using EventMesh.Trust;
using EventMesh.Trust.Internal;

namespace EventMesh.Node;

/// <summary>What the node does for those who check its log.</summary>
public sealed partial class MeshNode : ILogSealing
{
    async Task<SignedHead> ILogSealing.SignHeadAsync(CancellationToken cancellationToken)
    {
        NodeIdentity identity = Started(_identity);
        LogHead head = await _store.GetHeadAsync(identity.Node, cancellationToken).ConfigureAwait(false)
            ?? throw new MeshException(MeshError.StoreUnavailable, $"The store '{_store.Name}' keeps no chain over the log.");
        return LogSeal.Sign(identity, head);
    }
}
