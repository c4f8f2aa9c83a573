namespace EventMesh.Limits.Internal;

/// <summary>
/// How fast one peer may send. Messages and bytes above the rate are not refused but read later: the sender's streams fill up, as QUIC's flow control means it. Control
/// frames above the rate break the protocol.
/// </summary>
internal sealed class IntakeRate(Node.LimitOptions limits, TimeProvider clock)
{
    private readonly TokenBucket _messages = new(limits.MessagesPerSecondPerPeer, limits.MessagesPerSecondPerPeer, clock);
    private readonly TokenBucket _bytes = new(limits.BytesPerSecondPerPeer, limits.BytesPerSecondPerPeer, clock);
    private readonly TokenBucket _control = new(limits.ControlFramesPerSecondPerPeer, limits.ControlFrameBurstPerPeer, clock);

    /// <summary>Counts a message or request; completes when its turn has come. Asked before it is read wherever one is sure to follow.</summary>
    public ValueTask TakeMessageAsync(CancellationToken cancellationToken) => WaitAsync(_messages.Take(1), cancellationToken);

    /// <summary>Counts a message's bytes; completes when their turn has come.</summary>
    public ValueTask TakeBytesAsync(int bytes, CancellationToken cancellationToken) => WaitAsync(_bytes.Take(bytes), cancellationToken);

    /// <summary>Counts a control frame; false when it is one too many.</summary>
    public bool TryTakeControl() => _control.TryTake();

    private ValueTask WaitAsync(TimeSpan wait, CancellationToken cancellationToken)
    {
        if (wait <= TimeSpan.Zero) return ValueTask.CompletedTask;
        Diagnostics.MeshMetrics.Throttled.Add(1);
        return new ValueTask(Task.Delay(wait, clock, cancellationToken));
    }
}
