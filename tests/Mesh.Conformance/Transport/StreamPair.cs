using EventMesh.Transport;

namespace EventMesh.Conformance;

/// <summary>The two ends of a stream: of who opened it and of who accepted it.</summary>
public sealed record StreamPair(ITransportStream Local, ITransportStream Remote);
