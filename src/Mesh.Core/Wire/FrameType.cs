namespace EventMesh.Wire;

/// <summary>The type of a frame. Even numbers above 31 are optional: a receiver that does not know one skips it.</summary>
internal enum FrameType : ulong
{
    Hello = 1,
    HelloAck = 2,
    ReverseCheck = 3,
    Ping = 4,
    Pong = 5,
    PeersRequest = 6,
    Peers = 7,
    Outcome = 8,
    Notice = 9,
    Goodbye = 10,
    DialBackRequest = 13,
    DialBackResult = 14,
    KindChanged = 11,
    Credit = 12,
    Message = 16,
    Request = 17,
    Response = 18,
    ChannelHeader = 19,
    ChannelAck = 20,
}
