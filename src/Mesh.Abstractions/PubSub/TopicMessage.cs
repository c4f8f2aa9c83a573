using EventMesh.Identity;

namespace EventMesh.PubSub;

/// <summary>A message of a topic.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Id">Its identity, made by the publisher.</param>
/// <param name="From">The node that published it, proven by TLS.</param>
/// <param name="Payload">The content; the handler's to keep.</param>
public sealed record TopicMessage(string Topic, Guid Id, PeerId From, ReadOnlyMemory<byte> Payload);
