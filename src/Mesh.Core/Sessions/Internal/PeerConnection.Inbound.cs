using System.Diagnostics;
using System.Runtime.CompilerServices;
using EventMesh.Diagnostics;
using EventMesh.Messaging;
using EventMesh.Notifications;
using EventMesh.Transport;
using EventMesh.Wire;
using EventMesh.Wire.Frames;

namespace EventMesh.Sessions.Internal;

/// <summary>The streams that the peer opened.</summary>
internal sealed partial class PeerConnection
{
    private const int MaxLargeAtATime = 4;
    private const int MaxWaitingOutcomes = 16_384;

    // What the peer may have us collect in memory at a time: reading returns its credit, so that the QUIC windows do not bound it.
    private readonly SemaphoreSlim _largeInbound = new(MaxLargeAtATime, MaxLargeAtATime);
    private readonly ByteBudget _collecting = new(WireLimits.Collected);
    private int _hasControlStream;
    private int _runningRequests;
    private int _waitingOutcomes;

    private async Task HandleStreamAsync(ITransportStream stream)
    {
        await using ConfiguredAsyncDisposable _ = stream.ConfigureAwait(false);
        using var reader = new FrameReader(stream, budget: _collecting);
        try
        {
            ulong? type = await reader.ReadVarIntAsync(Ended).ConfigureAwait(false);
            switch ((StreamType?)type)
            {
                case StreamType.Control when stream.Direction == StreamDirection.Unidirectional:
                    if (Interlocked.Exchange(ref _hasControlStream, 1) != 0)
                        throw new MeshException(MeshError.ProtocolViolation, "A second control stream.");
                    await ReadControlAsync(reader).ConfigureAwait(false);
                    break;
                case StreamType.Messages when stream.Direction == StreamDirection.Unidirectional:
                    await ReadMessagesAsync(reader, WireLimits.LargeMessage).ConfigureAwait(false);
                    break;
                case StreamType.LargeMessage when stream.Direction == StreamDirection.Unidirectional:
                    await ReadLargeMessageAsync(reader).ConfigureAwait(false);
                    break;
                case StreamType.Request when stream.Direction == StreamDirection.Bidirectional:
                    await AnswerRequestAsync(stream, reader).ConfigureAwait(false);
                    break;
                case null:
                    break;
                default:
                    Log.UnknownStreamType(_session.Host.Logger, _session.Peer.ToShortString(), type!.Value);
                    if (stream.CanWrite) stream.Reset((ulong)WireCode.UnknownStreamType);
                    stream.StopSending((ulong)WireCode.UnknownStreamType);
                    break;
            }
        }
        catch (OperationCanceledException)
        {
            // The connection has ended.
        }
        catch (MeshException e) when (e.Error is MeshError.ProtocolViolation)
        {
            MeshMetrics.ProtocolViolations.Add(1);
            Log.ProtocolViolation(_session.Host.Logger, _session.Peer.ToShortString(), e.Message);
            await CloseAsync(WireCode.ProtocolViolation).ConfigureAwait(false);
        }
        catch (MeshException e) when (e.Error is MeshError.TooLarge)
        {
            MeshMetrics.ProtocolViolations.Add(1);
            Log.ProtocolViolation(_session.Host.Logger, _session.Peer.ToShortString(), e.Message);
            stream.StopSending((ulong)WireCode.TooLarge);
        }
        catch (Exception e) when (e is MeshException or ObjectDisposedException)
        {
            // The peer reset the stream or the connection ended: nobody waits for the rest.
        }
        catch (Exception e)
        {
            Log.StreamFailed(_session.Host.Logger, e, _session.Peer.ToShortString());
            await CloseAsync(WireCode.ProtocolViolation).ConfigureAwait(false);
        }
    }

    private async Task ReadControlAsync(FrameReader reader)
    {
        try
        {
            while (await reader.ReadFrameAsync(WireLimits.ControlFrame, Ended).ConfigureAwait(false) is { } frame)
                await _session.OnControlFrameAsync(this, frame).ConfigureAwait(false);
        }
        catch (MeshException e) when (e.Error != MeshError.ProtocolViolation && !Ended.IsCancellationRequested && !Transport.Closed.IsCompleted)
        {
            // A connection without the peer's control stream is deaf.
            throw new MeshException(MeshError.ProtocolViolation, $"The control stream can't be read: {e.Message}", e);
        }
        throw new MeshException(MeshError.ProtocolViolation, "The control stream was closed.");
    }

    private async Task ReadLargeMessageAsync(FrameReader reader)
    {
        await _joined.Task.WaitAsync(Ended).ConfigureAwait(false);
        await _largeInbound.WaitAsync(Ended).ConfigureAwait(false);
        try
        {
            await ReadMessagesAsync(reader, _session.Host.Options.Limits.MaxMessageBytes).ConfigureAwait(false);
        }
        finally
        {
            _largeInbound.Release();
        }
    }

    private async Task ReadMessagesAsync(FrameReader reader, int maxPayload)
    {
        // Until the pair stands messages stay unread: the stream limit bounds them.
        await _joined.Task.WaitAsync(Ended).ConfigureAwait(false);
        while (await reader.ReadFrameAsync(maxPayload + WireLimits.MessageHeader + VarInt.MaxLength, Ended).ConfigureAwait(false) is { } frame)
        {
            if (frame.Type != FrameType.Message)
            {
                if (frame.IsOptional) continue;
                throw new MeshException(MeshError.ProtocolViolation, $"A frame of type {(ulong)frame.Type} on a message stream.");
            }
            (MessageHeader header, ReadOnlyMemory<byte> payload) = FrameWriter.Split(MessageHeader.Parser, frame.Body);
            CheckChannel(header.Channel);
            Interlocked.Increment(ref _messagesReceived);
            Interlocked.Add(ref _bytesReceived, payload.Length);
            var message = new MessageReceived(
                new MessageId(_session.Peer, _session.RemoteInstance, header.Sequence), _session.Peer, header.Channel, payload.ToArray());
            Deliver(message, header);
        }
    }

    /// <summary>Hands a message over and reads on: the dispatcher's queues are bounded, the stream's credit goes back at once.</summary>
    private void Deliver(MessageReceived message, MessageHeader header)
    {
        MeshMetrics.MessagesConsumed.Add(1);
        Task<MeshError?> handled = _session.Host.Dispatcher.DispatchAsync(message, ParentOf(header));
        if (header.WantsOutcome)
        {
            _streams.TryRun(static async state =>
            {
                try
                {
                    MeshError? error = await state.Handled.WaitAsync(state.Connection.Ended).ConfigureAwait(false);
                    var outcome = new Outcome { Sequence = state.Sequence, Code = error is null ? 0 : (ulong)error.Value.ToWireCode() };
                    await state.Connection.SendOutcomeAsync(outcome).ConfigureAwait(false);
                }
                catch (Exception e) when (e is MeshException or OperationCanceledException or ObjectDisposedException)
                {
                    // The connection has ended: the sender's outcome is Unknown.
                }
            }, (Connection: this, Handled: handled, header.Sequence));
        }
        else if (handled.IsCompletedSuccessfully && ResultOf(handled) is { } error)
        {
            MeshMetrics.DeadLetters.Add(1, new KeyValuePair<string, object?>(MeshTelemetry.Attributes.ErrorType, error.ToString()));
        }
    }

    /// <summary>Sends an outcome; a peer that asks for outcomes but does not read them is closed.</summary>
    private async Task SendOutcomeAsync(Outcome outcome)
    {
        try
        {
            if (Interlocked.Increment(ref _waitingOutcomes) > MaxWaitingOutcomes) await CloseAsync(WireCode.ProtocolViolation).ConfigureAwait(false);
            else await SendControlAsync(FrameType.Outcome, outcome).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _waitingOutcomes);
        }
    }

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
        // The requester takes its request back by stopping the response's stream.
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Ended);
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
        catch (OperationCanceledException) when (!Ended.IsCancellationRequested)
        {
            return (WireCode.Cancelled, default);
        }
    }

    private async Task<(MessageHeader Header, byte[] Payload)> ReadRequestAsync(FrameReader reader)
    {
        bool isLarge = false;
        try
        {
            int maxFrame = _session.Host.Options.Limits.MaxMessageBytes + WireLimits.MessageHeader + VarInt.MaxLength;
            if (await reader.ReadFrameAsync(maxFrame, WaitForSlotAsync, Ended).ConfigureAwait(false) is not { Type: FrameType.Request } frame)
                throw new MeshException(MeshError.ProtocolViolation, "A request stream without a request.");
            (MessageHeader header, ReadOnlyMemory<byte> payload) = FrameWriter.Split(MessageHeader.Parser, frame.Body);
            CheckChannel(header.Channel);
            Interlocked.Add(ref _bytesReceived, payload.Length);
            return (header, payload.ToArray());
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

#pragma warning disable VSTHRD002 // The task has completed: nothing waits.
    private static MeshError? ResultOf(Task<MeshError?> completed) => completed.Result;
#pragma warning restore VSTHRD002

    private static void CheckChannel(string channel)
    {
        if (channel.Length == 0 || System.Text.Encoding.UTF8.GetByteCount(channel) > WireLimits.Channel)
            throw new MeshException(MeshError.ProtocolViolation, "A channel's name is empty or too long.");
    }

    private static ActivityContext ParentOf(MessageHeader header) =>
        header.Traceparent.Length > 0 && ActivityContext.TryParse(header.Traceparent, header.Tracestate, isRemote: true, out ActivityContext parent)
            ? parent
            : default;
}
