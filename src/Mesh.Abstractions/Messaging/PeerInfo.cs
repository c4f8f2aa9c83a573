using System.Net;
using EventMesh.Identity;

namespace EventMesh.Messaging;

/// <summary>A joined peer.</summary>
/// <param name="Peer">Its identity.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Instance">The random identity of its process start.</param>
/// <param name="Endpoints">Where it can be dialled, the proven one first; empty for a client.</param>
/// <param name="Remote">The remote end of the connection in use.</param>
/// <param name="Agent">Its program and version, as it says.</param>
/// <param name="JoinedAt">Since when.</param>
public sealed record PeerInfo(
    PeerId Peer, PeerKind Kind, Guid Instance, IReadOnlyList<IPEndPoint> Endpoints, IPEndPoint Remote, string Agent, DateTimeOffset JoinedAt);
