namespace EventMesh.Transport;

/// <summary>What a provider said about this machine.</summary>
/// <param name="Name">The provider's name in configuration.</param>
/// <param name="Support">Whether it can work here and why.</param>
public sealed record TransportProbe(string Name, TransportSupport Support);
