using EventMesh.Messaging;
using EventMesh.Wire.Frames;

namespace EventMesh.Sessions.Internal;

/// <summary>A message on its way out.</summary>
internal sealed class OutboundMessage(MessageId id, MessageHeader header, ReadOnlyMemory<byte> payload, object? token)
    : TaskCompletionSource<SendReceipt>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public MessageId Id => id;

    public MessageHeader Header => header;

    public ReadOnlyMemory<byte> Payload => payload;

    public void Complete(SendOutcome outcome, MeshError? error = null) => TrySetResult(new SendReceipt(id, outcome, error, token));
}
