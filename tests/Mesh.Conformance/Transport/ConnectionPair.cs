using EventMesh.Transport;

namespace EventMesh.Conformance;

/// <summary>The two ends of a connection.</summary>
public sealed record ConnectionPair(ITransportConnection Client, ITransportConnection Server);
