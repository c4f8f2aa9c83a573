namespace EventMesh.Host.Endpoints;

/// <summary>Whose addresses to erase.</summary>
/// <param name="Peer">The peer.</param>
internal sealed record ErasureRequest(PeerId Peer);
