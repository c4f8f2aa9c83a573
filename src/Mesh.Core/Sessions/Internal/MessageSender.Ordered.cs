using EventMesh.Wire;

namespace EventMesh.Sessions.Internal;

/// <summary>Ordered channels: at most 16, each with its stream and a queue of its own.</summary>
internal sealed partial class MessageSender
{
    // What one ordered channel may have waiting: this part of the peer's limits.
    private const int OrderedShare = 8;

    private readonly Lock _channelsMutex = new();
    private readonly Dictionary<string, OrderedSender> _channels = [];
    private readonly int _channelMessages;
    private readonly int _channelBytes;
    private ulong _lastChannel;

    /// <summary>The peer has read so many messages of an ordered channel.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.ProtocolViolation"/>: more than were sent.</exception>
    public void OnChannelAck(ulong number, ulong received)
    {
        OrderedSender? channel;
        lock (_channelsMutex) channel = _channels.Values.FirstOrDefault(one => one.Number == number);
        channel?.OnAcknowledged(received);
    }

    private async ValueTask<MeshError?> SendOrderedAsync(OutboundMessage message, CancellationToken cancellationToken)
    {
        OrderedSender? channel;
        OrderedSender? replaced = null;
        lock (_channelsMutex)
        {
            if (_isStopped) return MeshError.NotConnected;
            if (!_channels.TryGetValue(message.Channel, out channel) || channel.HasFailed)
            {
                if (channel is null && _channels.Count >= WireLimits.OrderedChannels)
                {
                    // A channel at rest gives way to one that is used; should it be used again, its next stream begins after the end of this.
                    replaced = _channels.Values.FirstOrDefault(one => one.IsIdle);
                    if (replaced is null) return MeshError.QueueFull;
                    _channels.Remove(replaced.Name);
                }
                channel = new OrderedSender(_connection, message.Channel, ++_lastChannel, _channelMessages, _channelBytes, _clock);
                _channels[message.Channel] = channel;
                if (!_inFlight.TryRun(static one => one.RunAsync(), channel)) return MeshError.NotConnected;
            }
            // Under the lock, so that a channel that is about to be used never counts as idle.
            channel.Begin(message);
            if (message.Header.WantsOutcome) AwaitOutcome(message);
        }
        replaced?.End();
        return await FinishAsync(channel.EnqueueAsync(message, cancellationToken)).ConfigureAwait(false);
    }

    private void StopOrdered()
    {
        OrderedSender[] channels;
        lock (_channelsMutex) channels = [.. _channels.Values];
        foreach (OrderedSender channel in channels) channel.Stop();
    }
}
