using System.Buffers;
using System.Collections.Concurrent;
using EventMesh.Messaging;
using EventMesh.Transport;
using EventMesh.Wire;

namespace EventMesh.Sessions.Internal;

/// <summary>
/// Sends one peer's messages on the connection of this side: small ones share a stream when several wait, each large one has a stream of its own.
/// </summary>
internal sealed class MessageSender
{
    private const int MaxLargeAtATime = 4;
    private const int MaxBatchesInFlight = 64;
    private const int LargePiece = 64 * 1024;

    private readonly PeerConnection _connection;
    private readonly SendQueue _queue;
    private readonly SemaphoreSlim _handled;

    // A write ends when the transport has buffered it: what is buffered must be bounded too.
    private readonly SemaphoreSlim _batches = new(MaxBatchesInFlight, MaxBatchesInFlight);
    private readonly SemaphoreSlim _large = new(MaxLargeAtATime, MaxLargeAtATime);
    private readonly ConcurrentDictionary<ulong, OutboundMessage> _awaitingOutcome = [];
    private readonly TaskTracker _inFlight = new();
    private readonly Task _loop;
    private volatile bool _isStopped;

    public MessageSender(PeerConnection connection, int maxMessages, int maxBytes)
    {
        _connection = connection;
        _queue = new SendQueue(maxMessages, maxBytes);
        _handled = new SemaphoreSlim(maxMessages, maxMessages);
        _loop = RunAsync();
    }

    /// <summary>Sends; the message's task says how it ended.</summary>
    /// <returns>Why it was not taken, or null.</returns>
    public async ValueTask<MeshError?> SendAsync(OutboundMessage message, bool failWhenFull, CancellationToken cancellationToken)
    {
        if (_isStopped) return MeshError.NotConnected;
        bool isLarge = message.Payload.Length > WireLimits.LargeMessage;
        if (isLarge && !await EnterAsync(_large, failWhenFull, cancellationToken).ConfigureAwait(false)) return MeshError.QueueFull;
        if (message.Header.WantsOutcome && !await AwaitOutcomeAsync(message, failWhenFull, cancellationToken).ConfigureAwait(false))
        {
            if (isLarge) _large.Release();
            return MeshError.QueueFull;
        }
        if (!isLarge)
        {
            if (await _queue.EnqueueAsync(message, failWhenFull, cancellationToken).ConfigureAwait(false)) return null;
            return _isStopped ? MeshError.NotConnected : MeshError.QueueFull;
        }
        if (!_isStopped && _inFlight.TryRun(static s => s.Sender.SendLargeAsync(s.Message), (Sender: this, Message: message))) return null;
        _large.Release();
        return MeshError.NotConnected;
    }

    /// <summary>The peer's verdict on a message that asked for it.</summary>
    public void OnOutcome(ulong sequence, WireCode code)
    {
        if (!_awaitingOutcome.TryGetValue(sequence, out OutboundMessage? message)) return;
        if (code == WireCode.None) message.Complete(SendOutcome.Handled);
        else message.Complete(SendOutcome.Refused, code.ToMeshError());
    }

    /// <summary>Takes no more; what waits was not sent, what has left without an answer is unknown.</summary>
    public void Stop()
    {
        _isStopped = true;
        foreach (OutboundMessage message in _queue.Close()) message.Complete(SendOutcome.NotSent, MeshError.ConnectionLost);
        foreach (OutboundMessage message in _awaitingOutcome.Values) message.Complete(SendOutcome.Unknown, MeshError.ConnectionLost);
    }

    /// <summary>Waits, for at most <paramref name="limit"/>, until what was sent is acknowledged.</summary>
    public async Task DrainAsync(TimeSpan limit, TimeProvider clock)
    {
        Stop();
        await DrainCoreAsync().WaitAsync(limit, clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task DrainCoreAsync()
    {
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _inFlight.CloseAsync().ConfigureAwait(false);
    }

    private static async ValueTask<bool> EnterAsync(SemaphoreSlim slots, bool failWhenFull, CancellationToken cancellationToken)
    {
        if (slots.Wait(0, CancellationToken.None)) return true;
        if (failWhenFull) return false;
        await slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Remembers a message until its end, however it ends, so that the peer's verdict finds it.</summary>
    private async ValueTask<bool> AwaitOutcomeAsync(OutboundMessage message, bool failWhenFull, CancellationToken cancellationToken)
    {
        if (!await EnterAsync(_handled, failWhenFull, cancellationToken).ConfigureAwait(false)) return false;
        _awaitingOutcome[message.Id.Sequence] = message;
        _ = message.Task.ContinueWith(
            (_, sequence) =>
            {
                _awaitingOutcome.TryRemove((ulong)sequence!, out OutboundMessage? _);
                _handled.Release();
            },
            message.Id.Sequence, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        if (_isStopped) message.Complete(SendOutcome.NotSent, MeshError.ConnectionLost);
        return true;
    }

    private async Task RunAsync()
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var output = new ArrayBufferWriter<byte>(WireLimits.Batch + WireLimits.MessageHeader);
        try
        {
            while (await _queue.WaitAsync(_connection.Ended).ConfigureAwait(false))
            {
                await _batches.WaitAsync(_connection.Ended).ConfigureAwait(false);
                ITransportStream stream =
                    await _connection.Transport.OpenStreamAsync(StreamDirection.Unidirectional, _connection.Ended).ConfigureAwait(false);
                List<OutboundMessage> batch = [];
                long bytes = 0;
                output.ResetWrittenCount();
                FrameWriter.WriteVarInt(output, (ulong)StreamType.Messages);
                // Everything that waits now and fits shares the stream, so that a loss delays at most this batch.
                while (_queue.TryDequeue(batch.Count == 0 ? int.MaxValue : WireLimits.Batch - output.WrittenCount, out OutboundMessage? message))
                {
                    // Its sender took it back.
                    if (message.Task.IsCompleted) continue;
                    FrameWriter.Write(output, FrameType.Message, message.Header, message.Payload.Span);
                    batch.Add(message);
                    bytes += message.Payload.Length;
                }
                if (batch.Count == 0)
                {
                    _batches.Release();
                    await stream.DisposeAsync().ConfigureAwait(false);
                    continue;
                }
                await SendBatchAsync(stream, output.WrittenMemory, batch, bytes).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is MeshException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection has ended; Stop settles what waits.
        }
        Stop();
    }

    private async Task SendBatchAsync(ITransportStream stream, ReadOnlyMemory<byte> frames, List<OutboundMessage> batch, long bytes)
    {
        try
        {
            await stream.WriteAsync(frames, endStream: true, _connection.Ended).ConfigureAwait(false);
        }
        catch (Exception e) when (e is MeshException or OperationCanceledException or ObjectDisposedException)
        {
            _batches.Release();
            Settle(batch, isAcknowledged: false);
            await stream.DisposeAsync().ConfigureAwait(false);
            return;
        }
        _connection.CountSent(batch.Count, bytes);
        if (!_inFlight.TryRun(static s => s.Sender.AwaitAcknowledgementAsync(s.Stream, s.Batch), (Sender: this, Stream: stream, Batch: batch)))
        {
            _batches.Release();
            Settle(batch, isAcknowledged: false);
            await stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task AwaitAcknowledgementAsync(ITransportStream stream, List<OutboundMessage> batch)
    {
        bool isAcknowledged = await IsAcknowledgedAsync(stream).ConfigureAwait(false);
        _batches.Release();
        Settle(batch, isAcknowledged);
        await stream.DisposeAsync().ConfigureAwait(false);
    }

    private async Task SendLargeAsync(OutboundMessage message)
    {
        ITransportStream? stream = null;
        try
        {
            stream = await _connection.Transport.OpenStreamAsync(StreamDirection.Unidirectional, _connection.Ended).ConfigureAwait(false);
            var head = new ArrayBufferWriter<byte>(256);
            FrameWriter.WriteVarInt(head, (ulong)StreamType.LargeMessage);
            FrameWriter.WriteHead(head, FrameType.Message, message.Header, message.Payload.Length);
            await stream.WriteAsync(head.WrittenMemory, endStream: false, _connection.Ended).ConfigureAwait(false);
            for (int at = 0; at < message.Payload.Length; at += LargePiece)
            {
                // Its sender took it back.
                if (message.Task.IsCompleted)
                {
                    stream.Reset((ulong)WireCode.Cancelled);
                    return;
                }
                int length = Math.Min(LargePiece, message.Payload.Length - at);
                bool isLast = at + length == message.Payload.Length;
                await stream.WriteAsync(message.Payload.Slice(at, length), isLast, _connection.Ended).ConfigureAwait(false);
            }
            _connection.CountSent(1, message.Payload.Length);
            Settle([message], await IsAcknowledgedAsync(stream).ConfigureAwait(false));
        }
        catch (MeshException e) when (e.RemoteCode is { } code && e.Error == MeshError.ClosedByPeer && stream is not null)
        {
            message.Complete(SendOutcome.Refused, ((WireCode)code).ToMeshError());
        }
        catch (Exception e) when (e is MeshException or OperationCanceledException or ObjectDisposedException)
        {
            if (stream is null) message.Complete(SendOutcome.NotSent, MeshError.ConnectionLost);
            else message.Complete(SendOutcome.Unknown, MeshError.ConnectionLost);
        }
        finally
        {
            _large.Release();
            if (stream is not null) await stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<bool> IsAcknowledgedAsync(ITransportStream stream)
    {
        try
        {
            await stream.WritesAcknowledged.WaitAsync(_connection.Ended).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is MeshException or OperationCanceledException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>Ends messages whose transport has spoken; one that waits for its outcome goes on waiting when it has arrived.</summary>
    private void Settle(List<OutboundMessage> messages, bool isAcknowledged)
    {
        foreach (OutboundMessage message in messages)
        {
            if (!isAcknowledged) message.Complete(SendOutcome.Unknown, MeshError.ConnectionLost);
            else if (!message.Header.WantsOutcome) message.Complete(SendOutcome.Acknowledged);
        }
    }
}
