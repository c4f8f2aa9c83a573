using EventMesh.Identity;
using MediatR;

namespace EventMesh.Notifications;

/// <summary>A request of a peer; the handler returns the response's content.</summary>
/// <param name="From">The peer, proven by TLS.</param>
/// <param name="Channel">The channel, one of those that the plugin announced.</param>
/// <param name="Payload">The content; the handler's to keep.</param>
public sealed record RemoteRequest(PeerId From, string Channel, ReadOnlyMemory<byte> Payload) : IRequest<ReadOnlyMemory<byte>>;
