using System.Net;
using EventMesh.Identity;

namespace EventMesh.Transport;

/// <summary>What a peer proved in the handshake, for the decision whether to go on.</summary>
/// <param name="PeerId">The identity of its key; the signature over the handshake has been verified.</param>
/// <param name="Chain">The certificates as sent, DER, the peer's own first. Valid after the call too.</param>
/// <param name="Remote">The peer's end.</param>
/// <param name="IsDialer">Whether this side dialled.</param>
public readonly record struct PeerCertificate(PeerId PeerId, IReadOnlyList<ReadOnlyMemory<byte>> Chain, IPEndPoint Remote, bool IsDialer);
