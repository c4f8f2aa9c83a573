using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Projections;
using EventMesh.Trust.Internal;

namespace EventMesh.Trust;

/// <summary>What is recorded of the certificates that were accepted; <see cref="CertificateGate"/> judges them.</summary>
internal static class TrustGate
{
    // A subject is the peer's to choose.
    private const int MaxSubject = 256;

    /// <summary>What is recorded when a connection with this certificate stands: the first acceptance of each key.</summary>
    public static IEnumerable<IMeshEvent> OnAccepted(MeshState state, PeerId peer, ReadOnlyMemory<byte> certificate, TrustMode mode)
    {
        if (state.Node.KnownKeys.Contains(peer)) return [];
        // TLS took it even when we can't read it: the key is proven all the same.
        CertificateLabel label = CertificateLabel.TryRead(certificate) ?? new("(unreadable)", DateTimeOffset.MaxValue);
        string subject = label.Subject.Length <= MaxSubject ? label.Subject : label.Subject[..MaxSubject];
        return [new CertificateAccepted(peer, subject, label.NotAfter, mode)];
    }

    /// <summary>What is recorded of the node's own identity at start.</summary>
    public static IEnumerable<IMeshEvent> OnIdentity(MeshState state, NodeIdentity identity)
    {
        if (state.Node.Identity == identity.Peer) return [];
        // From the key that the log knows on: the changes may have been several since the last start.
        int known = identity.Succession.ToList().FindLastIndex(statement => statement.Predecessor == state.Node.Identity);
        return known < 0
            ? [new IdentityCreated(identity.Peer, identity.KeyAlgorithm)]
            : identity.Succession.Skip(known).Select(statement => new IdentityRotated(statement.Predecessor, statement.Successor, statement.Sequence, statement.SignedAt));
    }
}
