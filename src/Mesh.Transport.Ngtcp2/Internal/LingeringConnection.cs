using System.Numerics;
using EventMesh.Transport.Ngtcp2.Interop;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>
/// The rest of a connection for three probe timeouts after its end (RFC 9000 10.2): it answers late packets with our
/// CONNECTION_CLOSE, ever less often, or swallows them when the peer closed. It holds none of the connection's memory.
/// </summary>
internal sealed class LingeringConnection(EventLoop loop, byte[]? closePacket) : PacketTarget
{
    private uint _received;

    internal override unsafe void Receive(ngtcp2_path* path, byte* packet, int length, ulong now)
    {
        _received++;
        if (closePacket is not null && BitOperations.IsPow2(_received))
            loop.Sender.SendNow(path->remote, closePacket);
    }

    internal override void OnTimer(ulong now) => loop.Routes.Remove(this);
}
