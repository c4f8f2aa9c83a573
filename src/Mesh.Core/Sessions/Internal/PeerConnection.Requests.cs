using EventMesh.Notifications;
using EventMesh.Transport;
using EventMesh.Wire;
using EventMesh.Wire.Frames;

namespace EventMesh.Sessions.Internal;

/// <summary>The peer's requests.</summary>
internal sealed partial class PeerConnection
{
    private int _runningRequests;

    private async Task AnswerRequestAsync(ITransportStream stream, FrameReader reader)
    {
        await _joined.Task.WaitAsync(Ended).ConfigureAwait(false);
        // Counted before the body is read, so that bodies are bounded too.
        bool isBusy = Interlocked.Increment(ref _runningRequests) > _session.Host.Options.Limits.MaxRunningRequests;
        try
        {
            (WireCode code, ReadOnlyMemory<byte> response) = isBusy ? (WireCode.Busy, default) : await RunRequestAsync(stream, reader).ConfigureAwait(false);
            if (isBusy) stream.StopSending((ulong)WireCode.Busy);
            var output = new System.Buffers.ArrayBufferWriter<byte>(response.Length + 32);
            FrameWriter.Write(output, FrameType.Response, new ResponseHeader { Code = (ulong)code }, response.Span);
            await stream.WriteAsync(output.WrittenMemory, endStream: true, Ended).ConfigureAwait(false);
            Interlocked.Add(ref _bytesSent, response.Length);
        }
        finally
        {
            Interlocked.Decrement(ref _runningRequests);
        }
    }

    private async Task<(WireCode Code, ReadOnlyMemory<byte> Response)> RunRequestAsync(ITransportStream stream, FrameReader reader)
    {
        (MessageHeader header, byte[] payload) = await ReadRequestAsync(reader).ConfigureAwait(false);
        // The requester takes its request back by stopping the response's stream; the end of the connection shows there too.
        using var cancellation = new CancellationTokenSource();
        _ = stream.WritesAcknowledged.ContinueWith(
            static (_, state) => CancelQuietly((CancellationTokenSource)state!), cancellation,
            CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        try
        {
            var request = new RemoteRequest(_session.Peer, header.Channel, payload);
            return (WireCode.None, await _session.Host.Dispatcher.DispatchAsync(request, ParentOf(header), cancellation.Token)
                .WaitAsync(cancellation.Token).ConfigureAwait(false));
        }
        catch (MeshException e)
        {
            return (e.Error.ToWireCode(), default);
        }
        catch (OperationCanceledException)
        {
            return (WireCode.Cancelled, default);
        }
    }

    private async Task<(MessageHeader Header, byte[] Payload)> ReadRequestAsync(FrameReader reader)
    {
        bool isLarge = false;
        await _session.Intake.TakeMessageAsync(Ended).ConfigureAwait(false);
        try
        {
            int maxFrame = _session.Host.Options.Limits.MaxMessageBytes + WireLimits.MessageHeader + VarInt.MaxLength;
            if (await reader.ReadFrameAsync(maxFrame, WaitForSlotAsync, Ended).ConfigureAwait(false) is not { Type: FrameType.Request } frame)
                throw new MeshException(MeshError.ProtocolViolation, "A request stream without a request.");
            (MessageHeader header, ReadOnlyMemory<byte> body) = FrameWriter.Split(MessageHeader.Parser, frame.Body);
            CheckChannel(header.Channel);
            Interlocked.Add(ref _bytesReceived, body.Length);
            await _session.Intake.TakeBytesAsync(body.Length, Ended).ConfigureAwait(false);
            byte[] payload = body.ToArray();
            // Its end too, or the transport would have to stop a stream that has ended.
            if (await reader.ReadVarIntAsync(Ended).ConfigureAwait(false) is not null)
                throw new MeshException(MeshError.ProtocolViolation, "A request stream with more than a request.");
            return (header, payload);
        }
        finally
        {
            if (isLarge) _largeInbound.Release();
        }

        async Task WaitForSlotAsync()
        {
            await _largeInbound.WaitAsync(Ended).ConfigureAwait(false);
            isLarge = true;
        }
    }

    private static void CancelQuietly(CancellationTokenSource cancellation)
    {
        try
        {
            cancellation.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The request has been answered.
        }
    }
}
