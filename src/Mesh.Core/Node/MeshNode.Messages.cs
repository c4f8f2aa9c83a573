using System.Text;
using EventMesh.Dispatch;
using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.Sessions.Internal;
using EventMesh.Wire;

namespace EventMesh.Node;

/// <summary>Messages and requests.</summary>
public sealed partial class MeshNode
{
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    // How soon a message is sent again to a peer that is joined again.
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(50);

    /// <inheritdoc/>
    public ValueTask<SendReceipt> SendAsync(PeerId peer, OutgoingMessage message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        CheckMessage(message);
        var id = new MessageId(LocalPeer, Instance, ((ISessionHost)this).NextSequence());
        return message.RetryFor is null
            ? SendOnceAsync(peer, message, id, LimitOf(message), cancellationToken)
            : SendAgainAsync(peer, message, id, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<ReadOnlyMemory<byte>> RequestAsync(
        PeerId peer, string channel, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken = default)
    {
        CheckChannel(channel);
        CheckLength(payload.Length);
        if (_table is not null && _table.TryGet(peer, out PeerSession? session)) return session.RequestAsync(channel, payload, cancellationToken);
        return Task.FromException<ReadOnlyMemory<byte>>(new MeshException(
            MeshError.NotConnected, $"Peer {peer.ToShortString()} is not joined. Connect to it first, or wait until it has joined."));
    }

    /// <inheritdoc/>
    public async Task<ReadOnlyMemory<byte>> RequestWithinAsync(
        PeerId peer, string channel, ReadOnlyMemory<byte> payload, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero);
        using var timer = new CancellationTokenSource(timeout, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            return await RequestAsync(peer, channel, payload, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new MeshException(
                MeshError.Timeout, $"Peer {peer.ToShortString()} did not answer the request on '{channel}' within {timeout.TotalSeconds:0.###} s.");
        }
    }

    private ValueTask<SendReceipt> SendOnceAsync(
        PeerId peer, OutgoingMessage message, MessageId id, TimeSpan? limit, CancellationToken cancellationToken) =>
        _table is not null && _table.TryGet(peer, out PeerSession? session)
            ? session.SendAsync(message, id, limit, cancellationToken)
            : new(new SendReceipt(id, SendOutcome.NotSent, MeshError.NotConnected, message.Token));

    /// <summary>Sends until the peer has spoken, the time is over, or something else than the connection is the reason.</summary>
    private async ValueTask<SendReceipt> SendAgainAsync(PeerId peer, OutgoingMessage message, MessageId id, CancellationToken cancellationToken)
    {
        long started = _clock.GetTimestamp();
        TimeSpan? limit = LimitOf(message);
        TimeSpan retryFor = message.RetryFor!.Value;
        bool mayHaveArrived = false;
        while (true)
        {
            TimeSpan? left = limit - _clock.GetElapsedTime(started);
            // What may have arrived stays so, whatever becomes of a later try that did not leave.
            if (left <= TimeSpan.Zero) return Ended(MeshError.DeadlineExceeded);
            SendReceipt receipt = await SendOnceAsync(peer, message, id, left, cancellationToken).ConfigureAwait(false);
            mayHaveArrived |= receipt.Outcome == SendOutcome.Unknown;
            if (receipt.Error is not (MeshError.ConnectionLost or MeshError.NotConnected))
                return receipt.Outcome == SendOutcome.NotSent && mayHaveArrived ? Ended(receipt.Error) : receipt;
            if (_clock.GetElapsedTime(started) >= retryFor || _stopping.IsCancellationRequested) return Ended(receipt.Error);
            await Task.Delay(RetryInterval, _clock, cancellationToken).ConfigureAwait(false);
        }

        SendReceipt Ended(MeshError? error) => new(id, mayHaveArrived ? SendOutcome.Unknown : SendOutcome.NotSent, error, message.Token);
    }

    private TimeSpan? LimitOf(OutgoingMessage message)
    {
        if (message.Deadline is not null || message.Delivery != DeliveryMode.Handled || HandlingScope.End is not { } end) return message.Deadline;
        // Two handlers that wait for each other's peer would otherwise both run out of their own time. One that may run on after it has none.
        TimeSpan half = (end - _clock.GetUtcNow()) / 2;
        return half > Least ? half : null;
    }

    private void CheckMessage(OutgoingMessage message)
    {
        CheckChannel(message.Channel);
        if (message.Deadline is { } deadline && (deadline < Least || deadline > Longest))
            throw new ArgumentException($"A deadline is between 1 ms and {Longest.TotalDays} days, not {deadline}.", nameof(message));
        if (message.IsOrdered && (message.RetryFor is not null || message.Content is not null || message.Payload.Length > WireLimits.LargeMessage))
        {
            throw new ArgumentException(
                $"An ordered message has at most {WireLimits.LargeMessage} bytes, no stream as its content, and is not sent again.", nameof(message));
        }
        if (message.Content is null)
        {
            CheckLength(message.Payload.Length);
            return;
        }
        if (message.RetryFor is not null || !message.Payload.IsEmpty)
            throw new ArgumentException("A message with a stream as its content has no payload and is not sent again.", nameof(message));
        if (message.ContentLength is < 0 or > WireLimits.StreamedMessage)
            throw new ArgumentException($"A streamed message has 0 to {WireLimits.StreamedMessage} bytes, not {message.ContentLength}.", nameof(message));
    }

    private static void CheckChannel(string channel)
    {
        ArgumentNullException.ThrowIfNull(channel);
        int size = Encoding.UTF8.GetByteCount(channel);
        if (size is 0 or > WireLimits.Channel)
            throw new ArgumentException($"A channel's name has 1 to {WireLimits.Channel} bytes of UTF-8, not {size}.", nameof(channel));
    }

    private void CheckLength(int length)
    {
        if (length > _options.Limits.MaxMessageBytes)
        {
            throw new ArgumentException(
                $"The message has {length} bytes; the limit is {_options.Limits.MaxMessageBytes} (EventMesh:Limits:MaxMessageBytes).", nameof(length));
        }
    }
}
