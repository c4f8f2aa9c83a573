using System.Net;
using EventMesh.Identity;

namespace EventMesh.Bootstrap.Internal;

/// <summary>A joined peer's word for where it sees our listening socket.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="From">The peer's address.</param>
/// <param name="Endpoint">Where it sees us.</param>
internal sealed record ObservedClaim(PeerId Peer, IPAddress From, IPEndPoint Endpoint);
