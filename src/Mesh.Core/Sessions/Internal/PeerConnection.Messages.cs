using System.Diagnostics;
using EventMesh.Diagnostics;
using EventMesh.Messaging;
using EventMesh.Notifications;
using EventMesh.Transport;
using EventMesh.Wire;
using EventMesh.Wire.Frames;

namespace EventMesh.Sessions.Internal;

/// <summary>The peer's messages: small ones, the ordered channels and the large ones.</summary>
internal sealed partial class PeerConnection
{
    private const int MaxLargeAtATime = 4;
    private const int MaxWaitingOutcomes = 16_384;

    // How many messages of an ordered channel are read before their sender hears of it, if more are there already.
    private const int MaxUnacknowledged = 256;
    private const int FirstPiece = 256 * 1024;

    private static readonly TimeSpan LongestDeadline = TimeSpan.FromDays(30);

    // What the peer may have us collect in memory at a time: reading returns its credit, so that the QUIC windows do not bound it.
    private readonly SemaphoreSlim _largeInbound = new(MaxLargeAtATime, MaxLargeAtATime);
    private int _orderedInbound;
    private int _waitingOutcomes;

    private async Task ReadMessagesAsync(FrameReader reader)
    {
        // Until the pair stands messages stay unread: the stream limit bounds them.
        await _joined.Task.WaitAsync(Ended).ConfigureAwait(false);
        for (bool isFirst = true; await ReadSmallAsync(reader, isFirst).ConfigureAwait(false) is { } frame; isFirst = false)
        {
            if (TakeApart(frame, channel: null) is { } message) Deliver(message.Message, message.Header);
        }
    }

    private async Task ReadOrderedAsync(ITransportStream stream, FrameReader reader)
    {
        await _joined.Task.WaitAsync(Ended).ConfigureAwait(false);
        try
        {
            // Twice the limit: a channel that gives way to another may still be on its way out.
            if (Interlocked.Increment(ref _orderedInbound) > 2 * WireLimits.OrderedChannels)
            {
                stream.StopSending((ulong)WireCode.Busy);
                return;
            }
            if (await reader.ReadFrameAsync(WireLimits.ControlFrame, Ended).ConfigureAwait(false) is not { Type: FrameType.ChannelHeader } first)
                throw new MeshException(MeshError.ProtocolViolation, "An ordered channel's stream without its header.");
            ChannelHeader channel = FrameWriter.Parse(ChannelHeader.Parser, first.Body);
            CheckChannel(channel.Channel);
            ulong received = 0, told = 0;
            while (await ReadSmallAsync(reader, isFirst: false).ConfigureAwait(false) is { } frame)
            {
                if (TakeApart(frame, channel.Channel) is not { } message) continue;
                Deliver(message.Message, message.Header);
                received++;
                if (!reader.IsDrained && received - told < MaxUnacknowledged) continue;
                told = received;
                await SendControlAsync(FrameType.ChannelAck, new ChannelAck { Number = channel.Number, Received = received }).ConfigureAwait(false);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _orderedInbound);
        }
    }

    /// <summary>Reads a frame when its turn has come, as far as the peer's rate is limited.</summary>
    private async ValueTask<Frame?> ReadSmallAsync(FrameReader reader, bool isFirst)
    {
        Limits.Internal.IntakeRate intake = _session.Intake;
        // The turn of a stream's first one is waited for before its bytes are in memory.
        if (isFirst) await intake.TakeMessageAsync(Ended).ConfigureAwait(false);
        if (await reader.ReadFrameAsync(WireLimits.LargeMessage + WireLimits.MessageHeader + VarInt.MaxLength, Ended).ConfigureAwait(false) is not { } frame)
            return null;
        if (!isFirst) await intake.TakeMessageAsync(Ended).ConfigureAwait(false);
        await intake.TakeBytesAsync(frame.Body.Length, Ended).ConfigureAwait(false);
        return frame;
    }

    /// <summary>Makes a message of a frame; null for a frame that is skipped.</summary>
    private (MessageReceived Message, MessageHeader Header)? TakeApart(Frame frame, string? channel)
    {
        if (frame.Type != FrameType.Message)
        {
            if (frame.IsOptional) return null;
            throw new MeshException(MeshError.ProtocolViolation, $"A frame of type {(ulong)frame.Type} on a message stream.");
        }
        (MessageHeader header, ReadOnlyMemory<byte> payload) = FrameWriter.Split(MessageHeader.Parser, frame.Body);
        if (channel is null) CheckChannel(header.Channel);
        else if (header.Channel.Length > 0) throw new MeshException(MeshError.ProtocolViolation, "A channel's name on an ordered channel's message.");
        Count(payload.Length);
        return (MakeMessage(header, channel ?? header.Channel, payload.ToArray()), header);
    }

    private async Task ReadLargeMessageAsync(ITransportStream stream, FrameReader reader)
    {
        await _joined.Task.WaitAsync(Ended).ConfigureAwait(false);
        await _session.Intake.TakeMessageAsync(Ended).ConfigureAwait(false);
        (FrameType type, MessageHeader header, long length) = await reader.ReadHeadAsync(MessageHeader.Parser, Ended).ConfigureAwait(false);
        if (type != FrameType.Message) throw new MeshException(MeshError.ProtocolViolation, $"A frame of type {(ulong)type} on a large message's stream.");
        CheckChannel(header.Channel);
        bool isStreamed = _session.Host.Dispatcher.TakesLargeMessages(header.Channel);
        long limit = isStreamed ? WireLimits.StreamedMessage : _session.Host.Options.Limits.MaxMessageBytes;
        if (length > limit) throw new MeshException(MeshError.TooLarge, $"A message of {length} bytes is above the limit of {limit} bytes.");
        // Those that wait here have sent 1 MiB at most, which stays with the transport.
        await _largeInbound.WaitAsync(Ended).ConfigureAwait(false);
        try
        {
            var content = new InboundContent(
                reader, length,
                taken => SendControlAsync(FrameType.Credit, new Credit { Sequence = header.Sequence, Granted = (ulong)taken }), Ended);
            await using (content.ConfigureAwait(false))
            {
                if (isStreamed) await HandOverAsync(stream, content, header).ConfigureAwait(false);
                else Deliver(MakeMessage(header, header.Channel, await CollectAsync(content).ConfigureAwait(false)), header);
            }
            Count(length);
            // Afterwards: it delays what follows, not what is here.
            await _session.Intake.TakeBytesAsync((int)length, Ended).ConfigureAwait(false);
        }
        catch (IOException e) when (e.InnerException is { } cause)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(cause);
        }
        finally
        {
            _largeInbound.Release();
        }
    }

    /// <summary>Has a large message handled while it arrives. A handler that leaves some of it unread has failed.</summary>
    private async Task HandOverAsync(ITransportStream stream, InboundContent content, MessageHeader header)
    {
        MeshMetrics.MessagesConsumed.Add(1);
        var message = new LargeMessage(IdOf(header), _session.Peer, header.Channel, content.Length, content);
        MeshError? error;
        try
        {
            error = await _session.Host.Dispatcher.DispatchAsync(message, ParentOf(header), Ended)
                .WaitAsync(LimitOf(header), _session.Host.Clock, Ended).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            error = MeshError.DeadlineExceeded;
        }
        if (error is null && !content.IsAtEnd) error = MeshError.HandlerFailed;
        WireCode code = error?.ToWireCode() ?? WireCode.None;
        if (error is not null)
        {
            if (!content.IsAtEnd) stream.StopSending((ulong)code);
            if (!header.WantsOutcome) CountDeadLetter(error.Value);
        }
        if (header.WantsOutcome) await SendOutcomeAsync(new Outcome { Sequence = header.Sequence, Code = (ulong)code }).ConfigureAwait(false);
    }

    /// <summary>Collects a message whole. What is allocated grows with what has arrived, not with what the peer announced.</summary>
    private static async Task<byte[]> CollectAsync(InboundContent content)
    {
        var payload = new byte[Math.Min(content.Length, FirstPiece)];
        for (int at = 0; !content.IsAtEnd;)
        {
            if (at == payload.Length) Array.Resize(ref payload, (int)Math.Min(content.Length, 2L * payload.Length));
            at += await content.ReadAsync(payload.AsMemory(at)).ConfigureAwait(false);
        }
        return payload;
    }

    /// <summary>Hands a message over and reads on: the dispatcher's queues are bounded, the stream's credit goes back at once.</summary>
    private void Deliver(MessageReceived message, MessageHeader header)
    {
        MeshMetrics.MessagesConsumed.Add(1);
        Dispatch.IMessageDispatcher dispatcher = _session.Host.Dispatcher;
        bool isRepeated = false;
        Task<MeshError?> handled = header.Repeatable
            ? _session.Seen.HandleOnce(message.Id, () => dispatcher.DispatchAsync(message, ParentOf(header)), out isRepeated)
            : dispatcher.DispatchAsync(message, ParentOf(header));
        if (header.WantsOutcome)
        {
            _streams.TryRun(static state => state.Connection.AnswerAsync(state.Handled, state.Header), (Connection: this, Handled: handled, Header: header));
        }
        else if (!isRepeated && handled.IsCompletedSuccessfully && ResultOf(handled) is { } error)
        {
            CountDeadLetter(error);
        }
    }

    /// <summary>Tells the sender how its message ended, at its deadline at the latest.</summary>
    private async Task AnswerAsync(Task<MeshError?> handled, MessageHeader header)
    {
        try
        {
            MeshError? error;
            try
            {
                error = await handled.WaitAsync(LimitOf(header), _session.Host.Clock, Ended).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                error = MeshError.DeadlineExceeded;
            }
            var outcome = new Outcome { Sequence = header.Sequence, Code = error is null ? 0 : (ulong)error.Value.ToWireCode() };
            await SendOutcomeAsync(outcome).ConfigureAwait(false);
        }
        catch (Exception e) when (e is MeshException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection has ended: the sender's outcome is Unknown.
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

    private MessageReceived MakeMessage(MessageHeader header, string channel, ReadOnlyMemory<byte> payload) =>
        new(IdOf(header), _session.Peer, channel, payload)
        {
            Deadline = header.RemainingMs > 0 ? _session.Host.Clock.GetUtcNow() + RemainingOf(header) : null,
        };

    private MessageId IdOf(MessageHeader header) => new(_session.Peer, _session.RemoteInstance, header.Sequence);

    private void Count(long bytes)
    {
        Interlocked.Increment(ref _messagesReceived);
        Interlocked.Add(ref _bytesReceived, bytes);
    }

    private static TimeSpan LimitOf(MessageHeader header) => header.RemainingMs > 0 ? RemainingOf(header) : Timeout.InfiniteTimeSpan;

    private static TimeSpan RemainingOf(MessageHeader header) =>
        header.RemainingMs < LongestDeadline.TotalMilliseconds ? TimeSpan.FromMilliseconds(header.RemainingMs) : LongestDeadline;

    private static void CountDeadLetter(MeshError error) =>
        MeshMetrics.DeadLetters.Add(1, new KeyValuePair<string, object?>(MeshTelemetry.Attributes.ErrorType, error.ToString()));

#pragma warning disable VSTHRD002 // The task has completed: nothing waits.
    private static MeshError? ResultOf(Task<MeshError?> completed) => completed.Result;
#pragma warning restore VSTHRD002
}
