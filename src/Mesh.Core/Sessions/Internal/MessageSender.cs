using System.Collections.Concurrent;
using EventMesh.Messaging;
using EventMesh.Transport;
using EventMesh.Wire;

namespace EventMesh.Sessions.Internal;

/// <summary>
/// Sends one peer's messages on the connection of this side: small ones share a stream when several wait, each large one and each ordered
/// channel has a stream of its own.
/// </summary>
internal sealed partial class MessageSender
{
    private const int MaxLargeAtATime = 4;
    private const int MaxBatchesInFlight = 64;

    // Gathering begins with so many under way at the earliest, and with so many where the round trip is not known.
    private const int FewBatches = 2;
    private const int SomeBatches = 8;

    // How long a message waits for others on the way of a batch, about.
    private static readonly TimeSpan GatherTime = TimeSpan.FromMilliseconds(0.25);

    private readonly PeerConnection _connection;
    private readonly TimeProvider _clock;
    private readonly SendQueue _queue;
    private readonly SemaphoreSlim _handled;

    // A write ends when the transport has buffered it: what is buffered must be bounded too.
    private readonly SemaphoreSlim _batches = new(MaxBatchesInFlight, MaxBatchesInFlight);
    private readonly SemaphoreSlim _large = new(MaxLargeAtATime, MaxLargeAtATime);
    private readonly ConcurrentDictionary<ulong, OutboundMessage> _awaitingOutcome = [];
    private readonly TaskTracker _inFlight = new();
    private readonly Task _loop;
    private volatile bool _isStopped;

    public MessageSender(PeerConnection connection, int maxMessages, int maxBytes, TimeProvider clock)
    {
        _connection = connection;
        _clock = clock;
        _channelMessages = Math.Max(1, maxMessages / OrderedShare);
        _channelBytes = Math.Max(WireLimits.LargeMessage, maxBytes / OrderedShare);
        _queue = new SendQueue(maxMessages, maxBytes);
        _handled = new SemaphoreSlim(maxMessages, maxMessages);
        _loop = RunAsync();
    }

    /// <summary>Sends; the message's task says how it ended.</summary>
    /// <returns>Why it was not taken, or null.</returns>
    public ValueTask<MeshError?> SendAsync(OutboundMessage message, CancellationToken cancellationToken)
    {
        if (_isStopped) return new(MeshError.NotConnected);
        if (message.IsLarge || message.IsOrdered || message.Header.WantsOutcome) return SendCoreAsync(message, cancellationToken);
        // The common case takes no state machine.
        ValueTask<bool> queued = _queue.EnqueueAsync(message, cancellationToken);
        return queued.IsCompletedSuccessfully ? new(RefusalOf(queued.Result)) : FinishAsync(queued);
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
        foreach (OutboundMessage message in _queue.Close()) message.CompleteLost();
        StopOrdered();
        foreach (OutboundMessage message in _awaitingOutcome.Values) message.CompleteLost();
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

    private async ValueTask<MeshError?> FinishAsync(ValueTask<bool> queued) => RefusalOf(await queued.ConfigureAwait(false));

    private MeshError? RefusalOf(bool isQueued)
    {
        if (isQueued) return null;
        return _isStopped ? MeshError.NotConnected : MeshError.QueueFull;
    }

    private async ValueTask<MeshError?> SendCoreAsync(OutboundMessage message, CancellationToken cancellationToken)
    {
        bool isLarge = message.IsLarge;
        if (isLarge && !await EnterAsync(_large, message.FailWhenFull, cancellationToken).ConfigureAwait(false)) return MeshError.QueueFull;
        bool isUnderWay = false;
        try
        {
            if (message.IsOrdered) return await SendOrderedAsync(message, cancellationToken).ConfigureAwait(false);
            if (message.Header.WantsOutcome && !await AwaitOutcomeAsync(message, cancellationToken).ConfigureAwait(false)) return MeshError.QueueFull;
            if (!isLarge) return await FinishAsync(_queue.EnqueueAsync(message, cancellationToken)).ConfigureAwait(false);
            isUnderWay = !_isStopped && _inFlight.TryRun(static s => s.Sender.SendLargeAsync(s.Message), (Sender: this, Message: message));
            return isUnderWay ? null : MeshError.NotConnected;
        }
        finally
        {
            if (isLarge && !isUnderWay) _large.Release();
        }
    }

    private static async ValueTask<bool> EnterAsync(SemaphoreSlim slots, bool failWhenFull, CancellationToken cancellationToken)
    {
        if (slots.Wait(0, CancellationToken.None)) return true;
        if (failWhenFull) return false;
        await slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Remembers a message until its end, however it ends, so that the peer's verdict finds it.</summary>
    private async ValueTask<bool> AwaitOutcomeAsync(OutboundMessage message, CancellationToken cancellationToken)
    {
        if (!await EnterAsync(_handled, message.FailWhenFull, cancellationToken).ConfigureAwait(false)) return false;
        AwaitOutcome(message);
        message.OnEnd(() => _handled.Release());
        return true;
    }

    private void AwaitOutcome(OutboundMessage message)
    {
        _awaitingOutcome[message.Id.Sequence] = message;
        message.OnEnd(() => _awaitingOutcome.TryRemove(message.Id.Sequence, out _));
        if (_isStopped) message.CompleteLost();
    }

    private async Task RunAsync()
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var output = new PooledBufferWriter();
        try
        {
            Func<bool> shouldGather = ShouldGather;
            while (await _queue.WaitAsync(shouldGather, _connection.Ended).ConfigureAwait(false))
            {
                if (!_batches.Wait(0, CancellationToken.None)) await _batches.WaitAsync(_connection.Ended).ConfigureAwait(false);
                ITransportStream stream =
                    await _connection.Transport.OpenStreamAsync(StreamDirection.Unidirectional, _connection.Ended).ConfigureAwait(false);
                List<OutboundMessage> batch = [];
                long bytes = 0;
                FrameWriter.WriteVarInt(output, (ulong)StreamType.Messages);
                // Everything that waits now and fits shares the stream, so that a loss delays at most this batch.
                while (_queue.TryDequeue(batch.Count == 0 ? int.MaxValue : WireLimits.Batch - output.WrittenCount, out OutboundMessage? message))
                {
                    if (!message.TryLeave(_clock)) continue;
                    FrameWriter.Write(output, FrameType.Message, message.Header, message.Payload.Span);
                    batch.Add(message);
                    bytes += message.Payload.Length;
                }
                if (batch.Count == 0)
                {
                    _batches.Release();
                    output.Release();
                    await stream.DisposeAsync().ConfigureAwait(false);
                    continue;
                }
                // After a write that was aborted the transport may still hold the memory.
                if (await SendBatchAsync(stream, output.WrittenMemory, batch, bytes).ConfigureAwait(false)) output.Release();
                else output.Abandon();
            }
        }
        catch (Exception e) when (e is MeshException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection has ended; Stop settles what waits.
        }
        Stop();
    }

    /// <summary>
    /// Whether a message waits for others, until they are a batch or one under way has arrived: a stream costs more than the messages on it. The
    /// acknowledgements of n batches come one after another, so that it waits an n-th of the round trip, which must not be long.
    /// </summary>
    private bool ShouldGather()
    {
        int underWay = MaxBatchesInFlight - _batches.CurrentCount;
        if (underWay < FewBatches) return false;
        TimeSpan roundTrip = _connection.Transport.GetStatistics().SmoothedRoundTrip;
        return roundTrip > TimeSpan.Zero ? roundTrip <= GatherTime * underWay : underWay >= SomeBatches;
    }

    private async Task<bool> SendBatchAsync(ITransportStream stream, ReadOnlyMemory<byte> frames, List<OutboundMessage> batch, long bytes)
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
            return false;
        }
        _connection.CountSent(batch.Count, bytes);
        if (!_inFlight.TryBegin(static s => s.Sender.AwaitAcknowledgementAsync(s.Stream, s.Batch), (Sender: this, Stream: stream, Batch: batch)))
        {
            _batches.Release();
            Settle(batch, isAcknowledged: false);
            await stream.DisposeAsync().ConfigureAwait(false);
        }
        return true;
    }

    private async Task AwaitAcknowledgementAsync(ITransportStream stream, List<OutboundMessage> batch)
    {
        bool isAcknowledged = await IsAcknowledgedAsync(stream).ConfigureAwait(false);
        _batches.Release();
        _queue.LookAgain();
        Settle(batch, isAcknowledged);
        await stream.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<bool> IsAcknowledgedAsync(ITransportStream stream)
    {
        try
        {
            // It fails with the connection, and needs no token.
            await stream.WritesAcknowledged.ConfigureAwait(false);
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
