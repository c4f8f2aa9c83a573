using EventMesh.Identity;

namespace EventMesh.Events;

/// <summary>The node's key vouched for its log up to a place: what comes before can't be changed any more without showing.</summary>
/// <param name="Place">The last place that the seal stands for, before the seal's own.</param>
/// <param name="Hash">The link of the chain there, 32 bytes.</param>
/// <param name="PublicKey">The node's public key, DER SubjectPublicKeyInfo.</param>
/// <param name="Signature">By that key, over label, node, place and hash; docs/audit.md has the format.</param>
[MeshEvent("log.sealed", 1, StreamFamily.Node)]
public sealed record LogSealed(long Place, byte[] Hash, byte[] PublicKey, byte[] Signature) : IMeshEvent;

/// <summary>The addresses of a peer were replaced by pseudonyms in earlier events. This event vouches for their new content.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="Count">How many events were changed.</param>
/// <param name="Digest">SHA-256 over the place (8 bytes, big-endian) and the new digest of each changed event, in order of place.</param>
[MeshEvent("privacy.peer-erased", 1, StreamFamily.Node)]
public sealed record PeerErased(PeerId Peer, int Count, byte[] Digest) : IMeshEvent;
