using EventMesh.Transport.Ngtcp2.Interop;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>What the connection ids of incoming packets lead to: a connection, or the rest of one that has ended.</summary>
internal abstract class PacketTarget : TimerEntry
{
    /// <value>The ids in packets to us.</value>
    internal List<ConnectionId> Ids { get; } = new(4);

    /// <value>The tokens with which the peer may reset the connection.</value>
    internal List<ConnectionId> ResetTokens { get; } = new(2);

    /// <summary>Takes one datagram.</summary>
    internal abstract unsafe void Receive(ngtcp2_path* path, byte* packet, int length, ulong now);
}
