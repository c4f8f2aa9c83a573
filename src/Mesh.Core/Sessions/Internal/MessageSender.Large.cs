using System.Buffers;
using System.Collections.Concurrent;
using EventMesh.Messaging;
using EventMesh.Transport;
using EventMesh.Wire;

namespace EventMesh.Sessions.Internal;

/// <summary>Large messages: a stream each, as far as their receiver has granted.</summary>
internal sealed partial class MessageSender
{
    private const int LargePiece = 64 * 1024;

    private readonly ConcurrentDictionary<ulong, SendCredit> _credits = [];

    /// <summary>The peer has taken so much of a large message.</summary>
    public void OnCredit(ulong sequence, ulong granted)
    {
        if (_credits.TryGetValue(sequence, out SendCredit? credit)) credit.Grant(granted);
    }

    /// <summary>What a peer that stops a stream means by its code; null when the stream ended for another reason.</summary>
    public static MeshError? RefusalOf(MeshException exception) =>
        // Smaller codes are those of connections.
        exception is { Error: MeshError.ClosedByPeer, RemoteCode: >= (ulong)WireCode.ProtocolViolation and var code } ? ((WireCode)code).ToMeshError() : null;

    private async Task SendLargeAsync(OutboundMessage message)
    {
        ITransportStream? stream = null;
        try
        {
            stream = await _connection.Transport.OpenStreamAsync(StreamDirection.Unidirectional, _connection.Ended).ConfigureAwait(false);
            if (!message.TryLeave(_clock)) return;
            var credit = new SendCredit();
            _credits[message.Id.Sequence] = credit;
            // The peer may refuse the rest, or the sender give up, while we wait for credit.
            message.OnEnd(credit.End);
            _ = stream.WritesAcknowledged.ContinueWith(
                static (ended, state) =>
                {
                    _ = ended.Exception;
                    ((SendCredit)state!).End();
                }, credit, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            var head = new ArrayBufferWriter<byte>(256);
            FrameWriter.WriteVarInt(head, (ulong)StreamType.LargeMessage);
            FrameWriter.WriteHead(head, FrameType.Message, message.Header, message.Length);
            await stream.WriteAsync(head.WrittenMemory, endStream: message.Length == 0, _connection.Ended).ConfigureAwait(false);
            if (await SendContentAsync(stream, message, credit).ConfigureAwait(false))
            {
                _connection.CountSent(1, message.Length);
                await stream.WritesAcknowledged.WaitAsync(_connection.Ended).ConfigureAwait(false);
                if (!message.Header.WantsOutcome) message.Complete(SendOutcome.Acknowledged);
            }
        }
        catch (MeshException e) when (RefusalOf(e) is { } refusal)
        {
            message.Complete(SendOutcome.Refused, refusal);
        }
        catch (Exception e) when (e is MeshException or OperationCanceledException or ObjectDisposedException)
        {
            message.CompleteLost();
        }
        finally
        {
            _credits.TryRemove(message.Id.Sequence, out _);
            _large.Release();
            if (stream is not null) await stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Sends the content piece by piece; false when the message has ended meanwhile.</summary>
    private async Task<bool> SendContentAsync(ITransportStream stream, OutboundMessage message, SendCredit credit)
    {
        byte[]? buffer = message.Content is null ? null : ArrayPool<byte>.Shared.Rent(LargePiece);
        // After a write that was aborted the transport may still hold the memory.
        bool mayReturn = false;
        try
        {
            for (long at = 0; at < message.Length;)
            {
                int length = (int)Math.Min(LargePiece, message.Length - at);
                await credit.WaitAsync(at + length, _connection.Ended).ConfigureAwait(false);
                // Its sender took it back, or the peer's verdict came before its end.
                if (message.HasEnded)
                {
                    mayReturn = true;
                    stream.Reset((ulong)WireCode.Cancelled);
                    return false;
                }
                if (buffer is not null && await ReadPieceAsync(message.Content!, buffer.AsMemory(0, length)).ConfigureAwait(false) is { } failure)
                {
                    // The caller's own stream failed: that is for the caller, in its own words.
                    stream.Reset((ulong)WireCode.Cancelled);
                    message.Fail(failure);
                    mayReturn = true;
                    return false;
                }
                ReadOnlyMemory<byte> piece = buffer is null ? message.Payload.Slice((int)at, length) : buffer.AsMemory(0, length);
                at += length;
                await stream.WriteAsync(piece, endStream: at == message.Length, _connection.Ended).ConfigureAwait(false);
            }
            mayReturn = true;
            return true;
        }
        finally
        {
            if (buffer is not null && mayReturn) ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Fills a piece; what went wrong, or null.</summary>
    private static async ValueTask<Exception?> ReadPieceAsync(Stream content, Memory<byte> piece)
    {
        try
        {
            await content.ReadExactlyAsync(piece).ConfigureAwait(false);
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }
}
