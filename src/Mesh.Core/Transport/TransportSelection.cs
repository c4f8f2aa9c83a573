namespace EventMesh.Transport;

/// <summary>The transport that a node uses, and why.</summary>
/// <param name="Transport">The transport.</param>
/// <param name="Reason">A sentence for the log and <c>mesh doctor</c>.</param>
/// <param name="Probes">What each provider said, in the order in which <c>auto</c> tries them.</param>
public sealed record TransportSelection(ITransport Transport, string Reason, IReadOnlyList<TransportProbe> Probes);
