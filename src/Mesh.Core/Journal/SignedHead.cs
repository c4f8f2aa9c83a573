using EventMesh.Identity;

namespace EventMesh.Journal;

/// <summary>A head of a node's log with the signature of the node's key. Kept elsewhere, it proves later that the log still begins as it did.</summary>
/// <param name="Node">The log's tenant.</param>
/// <param name="Place">The last place that it stands for.</param>
/// <param name="Hash">The link of the chain there, 32 bytes.</param>
/// <param name="PublicKey">The node's public key, DER SubjectPublicKeyInfo.</param>
/// <param name="Signature">By that key; docs/audit.md has the format.</param>
public sealed record SignedHead(NodeId Node, long Place, byte[] Hash, byte[] PublicKey, byte[] Signature);
