using EventMesh.Events;

namespace EventMesh.Marten.Queries;

/// <summary>How a connection ended.</summary>
/// <param name="At">When.</param>
/// <param name="Reason">Why.</param>
/// <param name="BytesSent">Application bytes sent on it.</param>
/// <param name="BytesReceived">Application bytes received on it.</param>
/// <param name="MessagesSent">Messages sent on it.</param>
/// <param name="MessagesReceived">Messages received on it.</param>
public sealed record ConnectionEnd(
    DateTimeOffset At, CloseReason Reason, long BytesSent, long BytesReceived, long MessagesSent, long MessagesReceived);
