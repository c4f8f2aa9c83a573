namespace EventMesh.Transport.InMemory.Internal;

/// <summary>What a packet carries: one frame each, named after RFC 9000 where there is one of the kind.</summary>
internal enum PacketKind
{
    Initial,
    Retry,
    ServerHandshake,
    ClientHandshake,
    Data,
    Ack,
    Reset,
    StopSending,
    MaxData,
    MaxStreamData,
    MaxStreams,
    Ping,
    Pong,
    Close,
}
