using System.Net;

namespace EventMesh.Transport.InMemory;

/// <summary>One step of one packet, for tests and for people who ask what a simulation did.</summary>
/// <param name="At">The time since the network was made.</param>
/// <param name="From">The sender.</param>
/// <param name="To">The receiver.</param>
/// <param name="Kind">What the packet carries, such as <c>Data</c> or <c>Ack</c>.</param>
/// <param name="Bytes">Its size as the statistics count it.</param>
/// <param name="Fate">What became of it.</param>
public readonly record struct PacketTrace(TimeSpan At, IPEndPoint From, IPEndPoint To, string Kind, int Bytes, PacketFate Fate);
