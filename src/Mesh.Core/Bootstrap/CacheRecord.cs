using System.Net;
using EventMesh.Identity;

namespace EventMesh.Bootstrap;

/// <summary>A node as caches hand it to each other.</summary>
/// <param name="Peer">The node.</param>
/// <param name="Endpoints">Where it can be dialled, the proven one first; 1 to 8.</param>
/// <param name="Certificate">Its certificate, DER.</param>
public sealed record CacheRecord(PeerId Peer, IReadOnlyList<IPEndPoint> Endpoints, byte[] Certificate);
