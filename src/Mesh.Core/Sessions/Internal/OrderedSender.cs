using System.Buffers;
using EventMesh.Messaging;
using EventMesh.Transport;
using EventMesh.Wire;
using EventMesh.Wire.Frames;

namespace EventMesh.Sessions.Internal;

/// <summary>Sends the messages of one ordered channel on one stream that lives as long as the channel is used.</summary>
/// <remarks>
/// The transport acknowledges a stream only with its end, so the receiver tells how many messages it has read. An acknowledged message of an
/// ordered channel has thus arrived in order at the peer's dispatcher.
/// </remarks>
internal sealed class OrderedSender(PeerConnection connection, string name, ulong number, int maxMessages, int maxBytes, TimeProvider clock)
{
    // Written and not yet read by the peer, or not yet handled where that is waited for; the stream's window bounds the bytes of the former.
    private const int MaxUnread = 1024;

    private readonly SendQueue _queue = new(maxMessages, maxBytes);
    private readonly SemaphoreSlim _unreadSlots = new(MaxUnread, MaxUnread);
    private readonly Lock _mutex = new();
    private readonly Queue<OutboundMessage> _unread = [];
    private ulong _read;
    private int _underWay;
    private volatile bool _hasFailed;
    private volatile bool _isStopped;

    public string Name => name;

    public ulong Number => number;

    /// <summary>Whether the peer takes no more of it.</summary>
    public bool HasFailed => _hasFailed;

    /// <summary>Whether no message of it is under way.</summary>
    public bool IsIdle
    {
        get { lock (_mutex) return Volatile.Read(ref _underWay) == 0 && _unread.Count == 0; }
    }

    /// <summary>Counts a message until its end.</summary>
    public void Begin(OutboundMessage message)
    {
        Interlocked.Increment(ref _underWay);
        message.OnEnd(() => Interlocked.Decrement(ref _underWay));
    }

    public ValueTask<bool> EnqueueAsync(OutboundMessage message, CancellationToken cancellationToken) => _queue.EnqueueAsync(message, cancellationToken);

    /// <summary>Ends an idle channel's stream.</summary>
    public void End() => _queue.Close();

    /// <summary>The connection is given up.</summary>
    public void Stop()
    {
        _isStopped = true;
        foreach (OutboundMessage message in _queue.Close()) message.CompleteLost();
    }

    /// <summary>The peer has read so many.</summary>
    public void OnAcknowledged(ulong received)
    {
        lock (_mutex)
        {
            if (received > _read + (ulong)_unread.Count)
                throw new MeshException(MeshError.ProtocolViolation, "An acknowledgement of messages that were not sent.");
            for (; _read < received; _read++)
            {
                OutboundMessage message = _unread.Dequeue();
                if (message.Header.WantsOutcome) continue;
                _unreadSlots.Release();
                message.Complete(SendOutcome.Acknowledged);
            }
        }
    }

    public async Task RunAsync()
    {
        ITransportStream? stream = null;
        MeshError error = MeshError.ConnectionLost;
        try
        {
            var output = new ArrayBufferWriter<byte>(4096);
            stream = await connection.Transport.OpenStreamAsync(StreamDirection.Unidirectional, connection.Ended).ConfigureAwait(false);
            FrameWriter.WriteVarInt(output, (ulong)StreamType.OrderedChannel);
            FrameWriter.Write(output, FrameType.ChannelHeader, new ChannelHeader { Channel = name, Number = number });
            while (await _queue.WaitAsync(shouldGather: null, connection.Ended).ConfigureAwait(false))
            {
                (int count, long bytes) = await TakeAsync(output).ConfigureAwait(false);
                if (count > 0)
                {
                    await stream.WriteAsync(output.WrittenMemory, endStream: false, connection.Ended).ConfigureAwait(false);
                    connection.CountSent(count, bytes);
                    output.ResetWrittenCount();
                }
            }
            await stream.WriteAsync(output.WrittenMemory, endStream: true, connection.Ended).ConfigureAwait(false);
            await stream.WritesAcknowledged.WaitAsync(connection.Ended).ConfigureAwait(false);
            // All has arrived, though its reading is not told yet.
            lock (_mutex) OnAcknowledged(_read + (ulong)_unread.Count);
        }
        catch (MeshException e) when (MessageSender.RefusalOf(e) is { } refusal)
        {
            error = refusal;
        }
        catch (Exception e) when (e is MeshException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection has ended.
        }
        finally
        {
            _hasFailed = true;
            Settle(error);
            if (stream is not null) await stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask<(int Count, long Bytes)> TakeAsync(ArrayBufferWriter<byte> output)
    {
        int count = 0;
        long bytes = 0;
        while (true)
        {
            if (!_unreadSlots.Wait(0, CancellationToken.None))
            {
                // What was taken goes first: the peer acknowledges only what it has.
                if (count > 0) break;
                await _unreadSlots.WaitAsync(connection.Ended).ConfigureAwait(false);
            }
            bool isTaken = _queue.TryDequeue(count == 0 ? int.MaxValue : WireLimits.Batch - output.WrittenCount, out OutboundMessage? message);
            if (!isTaken || !message!.TryLeave(clock))
            {
                _unreadSlots.Release();
                if (isTaken) continue;
                break;
            }
            // One that waits for its handlers keeps its slot until they have returned: they are bounded too.
            if (message.Header.WantsOutcome) message.OnEnd(() => _unreadSlots.Release());
            FrameWriter.Write(output, FrameType.Message, message.Header, message.Payload.Span);
            lock (_mutex) _unread.Enqueue(message);
            count++;
            bytes += message.Payload.Length;
        }
        return (count, bytes);
    }

    private void Settle(MeshError error)
    {
        foreach (OutboundMessage message in _queue.Close()) Complete(message);
        lock (_mutex)
        {
            while (_unread.TryDequeue(out OutboundMessage? message)) Complete(message);
            _read = ulong.MaxValue;
        }

        void Complete(OutboundMessage message)
        {
            if (error == MeshError.ConnectionLost || _isStopped) message.CompleteLost();
            else message.Complete(SendOutcome.Refused, error);
        }
    }
}
