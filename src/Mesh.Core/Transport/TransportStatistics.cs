namespace EventMesh.Transport;

/// <summary>Figures of a connection.</summary>
/// <param name="BytesSent">UDP payload bytes sent.</param>
/// <param name="BytesReceived">UDP payload bytes received.</param>
/// <param name="SmoothedRoundTrip">RFC 9002 5.3; zero where the provider can't tell.</param>
/// <param name="CongestionWindow">Bytes; zero where the provider can't tell.</param>
public readonly record struct TransportStatistics(long BytesSent, long BytesReceived, TimeSpan SmoothedRoundTrip, long CongestionWindow);
