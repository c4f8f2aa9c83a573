namespace EventMesh.Transport;

/// <summary>Whether a provider can work on this machine.</summary>
/// <param name="IsSupported">Whether it can.</param>
/// <param name="Detail">The library and its version, or what is missing.</param>
/// <param name="Remedy">How to get what is missing; null when nothing is.</param>
public sealed record TransportSupport(bool IsSupported, string Detail, string? Remedy);
