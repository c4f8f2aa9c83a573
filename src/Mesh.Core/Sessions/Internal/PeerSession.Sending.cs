using System.Buffers;
using System.Diagnostics;
using EventMesh.Diagnostics;
using EventMesh.Events;
using EventMesh.Messaging;
using EventMesh.Transport;
using EventMesh.Wire;
using EventMesh.Wire.Frames;

namespace EventMesh.Sessions.Internal;

/// <summary>Messages and requests to the peer.</summary>
internal sealed partial class PeerSession
{
    private static readonly TimeSpan LeaveLimit = TimeSpan.FromSeconds(1);

    // What the peer's verdict may take on its way after a deadline.
    private static readonly TimeSpan DeadlineGrace = TimeSpan.FromSeconds(1);

    // The header has room for 1 KiB in all.
    private const int MaxTraceState = 512;

    // One for each connection that we send or have sent on, so that a change of connection loses nothing.
    private readonly List<Outbound> _outbounds = [];

    private volatile Outbound? _outbound;

    /// <summary>The connection that we send on and what the peer takes, while it is joined.</summary>
    private sealed record Outbound(PeerConnection Connection, MessageSender Sender, ulong MaxMessage);

    /// <summary>Sends a message once.</summary>
    /// <param name="message">The message.</param>
    /// <param name="id">Its identity.</param>
    /// <param name="limit">Its deadline, from now; null for none.</param>
    /// <param name="cancellationToken">Takes it back, as far as it has not left.</param>
    public async ValueTask<SendReceipt> SendAsync(OutgoingMessage message, MessageId id, TimeSpan? limit, CancellationToken cancellationToken)
    {
        if (_outbound is not { } outbound) return new SendReceipt(id, SendOutcome.NotSent, MeshError.NotConnected, message.Token);
        // A handler of the peer may take a streamed message above its limit: the peer says so itself.
        if (message.Content is null && (ulong)message.Payload.Length > outbound.MaxMessage)
            return new SendReceipt(id, SendOutcome.NotSent, MeshError.TooLarge, message.Token);
        using Activity? activity = StartSend(message.Channel, id);
        long started = Host.Clock.GetTimestamp();
        var queued = new OutboundMessage(id, MakeHeader(message, id, activity), message)
        {
            Expires = limit is { } lifetime ? started + (long)(lifetime.TotalSeconds * Host.Clock.TimestampFrequency) : null,
        };
        SendReceipt receipt;
        try
        {
            if (limit is not null)
            {
                receipt = await SendWithinAsync(outbound, queued, limit.Value, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                MeshError? refusal = await outbound.Sender.SendAsync(queued, cancellationToken).ConfigureAwait(false);
                if (refusal is not null) queued.Complete(SendOutcome.NotSent, refusal);
                receipt = await queued.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            queued.Cancel(cancellationToken);
            activity?.SetTag(MeshTelemetry.Attributes.ErrorType, "cancelled");
            throw;
        }
        Observe(activity, started, receipt);
        return receipt;
    }

    private async Task<SendReceipt> SendWithinAsync(Outbound outbound, OutboundMessage queued, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(limit, Host.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            MeshError? refusal = await outbound.Sender.SendAsync(queued, either.Token).ConfigureAwait(false);
            if (refusal is not null) queued.Complete(SendOutcome.NotSent, refusal);
            return await queued.Task.WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            if (queued.TryTakeBack()) queued.Complete(SendOutcome.NotSent, MeshError.DeadlineExceeded);
        }
        try
        {
            // It has left: the peer's own verdict is under way, unless the connection is silent.
            return await queued.Task.WaitAsync(DeadlineGrace, Host.Clock, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            queued.Complete(SendOutcome.Unknown, MeshError.DeadlineExceeded);
            return await queued.Task.ConfigureAwait(false);
        }
    }

    public async Task<ReadOnlyMemory<byte>> RequestAsync(string channel, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        if (_outbound is not { } outbound) throw NotConnected();
        if ((ulong)payload.Length > outbound.MaxMessage)
            throw new MeshException(MeshError.TooLarge, $"The request has {payload.Length} bytes; the peer takes {outbound.MaxMessage}.");
        var id = new MessageId(Host.LocalPeer, Host.Instance, Host.NextSequence());
        using Activity? activity = StartSend(channel, id);
        PeerConnection connection = outbound.Connection;
        ITransportStream? stream = null;
        try
        {
            // The end of the connection ends each of these by itself.
            stream = await connection.Transport.OpenStreamAsync(StreamDirection.Bidirectional, cancellationToken).ConfigureAwait(false);
            var output = new ArrayBufferWriter<byte>(payload.Length + 256);
            FrameWriter.WriteVarInt(output, (ulong)StreamType.Request);
            FrameWriter.Write(output, FrameType.Request, MakeHeader(new OutgoingMessage(channel, payload), id, activity), payload.Span);
            await stream.WriteAsync(output.WrittenMemory, endStream: true, cancellationToken).ConfigureAwait(false);
            connection.CountSent(0, payload.Length);
            using var reader = new FrameReader(stream);
            int maxFrame = Host.Options.Limits.MaxMessageBytes + WireLimits.MessageHeader + VarInt.MaxLength;
            if (await reader.ReadFrameAsync(maxFrame, cancellationToken).ConfigureAwait(false) is not { Type: FrameType.Response } frame)
                throw new MeshException(MeshError.ProtocolViolation, "The peer ended the request's stream without a response.");
            (ResponseHeader header, ReadOnlyMemory<byte> response) = FrameWriter.Split(ResponseHeader.Parser, frame.Body);
            if (header.Code == 0)
            {
                byte[] content = response.ToArray();
                // The end of the stream too, which came with it: else it would be stopped needlessly.
                if (await reader.ReadVarIntAsync(cancellationToken).ConfigureAwait(false) is not null)
                    throw new MeshException(MeshError.ProtocolViolation, "The peer's response is followed by something else.");
                return content;
            }
            MeshError error = ((WireCode)header.Code).ToMeshError();
            throw new MeshException(error, $"Peer {Peer.ToShortString()} did not answer the request on '{channel}': {error}.") { RemoteCode = header.Code };
        }
        catch (OperationCanceledException)
        {
            stream?.StopSending((ulong)WireCode.Cancelled);
            stream?.Reset((ulong)WireCode.Cancelled);
            throw;
        }
        catch (MeshException e) when (MessageSender.RefusalOf(e) is { } refusal)
        {
            activity?.SetStatus(ActivityStatusCode.Error);
            throw new MeshException(refusal, $"Peer {Peer.ToShortString()} refused the request on '{channel}': {refusal}.", e) { RemoteCode = e.RemoteCode };
        }
        catch (Exception e) when (
            e is ObjectDisposedException
                or MeshException { Error: MeshError.ClosedByPeer or MeshError.IdleTimeout or MeshError.ConnectionLost }
                or MeshException { Error: MeshError.Aborted, RemoteCode: null })
        {
            activity?.SetStatus(ActivityStatusCode.Error);
            throw new MeshException(MeshError.ConnectionLost, $"The connection with peer {Peer.ToShortString()} was lost during the request.", e);
        }
        catch (MeshException e)
        {
            activity?.SetStatus(ActivityStatusCode.Error);
            activity?.SetTag(MeshTelemetry.Attributes.ErrorType, e.Error.ToString());
            throw;
        }
        finally
        {
            if (stream is not null) await stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Says goodbye, lets what was sent arrive for at most a second, and closes.</summary>
    public async Task LeaveAsync(CloseReason reason, WireCode code)
    {
        Outbound[] all = Outbounds();
        if (_outbound is { } outbound)
        {
            try
            {
                await outbound.Connection.SendControlAsync(FrameType.Goodbye, new Goodbye { Code = (ulong)code })
                    .WaitAsync(LeaveLimit, Host.Clock).ConfigureAwait(false);
            }
            catch (Exception e) when (e is MeshException or OperationCanceledException or ObjectDisposedException or TimeoutException)
            {
                // The connection has ended, or the peer does not read.
            }
            await Task.WhenAll(all.Select(each => each.Sender.DrainAsync(LeaveLimit, Host.Clock))).ConfigureAwait(false);
        }
        await EndAsync(reason, code).ConfigureAwait(false);
    }

    public MeshException NotConnected() => new(
        MeshError.NotConnected, $"Peer {Peer.ToShortString()} is not joined. Connect to it first, or wait until it has joined.");

    /// <summary>New messages leave on this connection; what waits for another one that lives on still leaves on that.</summary>
    private void StartSending(PeerConnection connection, ulong maxMessage)
    {
        LimitsOf(out int messages, out int bytes);
        lock (_mutex)
        {
            Outbound? outbound = _outbounds.Find(each => each.Connection == connection);
            if (outbound is null) _outbounds.Add(outbound = new Outbound(connection, new MessageSender(connection, messages, bytes, Host.Clock), maxMessage));
            _outbound = outbound;
        }
    }

    /// <summary>What sends on a connection: the peer answers where a message came from, also when new ones leave elsewhere by now.</summary>
    private MessageSender? SenderOn(PeerConnection connection)
    {
        if (_outbound is { } current && current.Connection == connection) return current.Sender;
        lock (_mutex) return _outbounds.Find(each => each.Connection == connection)?.Sender;
    }

    private Outbound[] Outbounds()
    {
        lock (_mutex) return [.. _outbounds];
    }

    private void LimitsOf(out int messages, out int bytes)
    {
        messages = Host.Options.Limits.SendQueueMessages;
        bytes = Host.Options.Limits.SendQueueBytes;
    }

    private void StopSending()
    {
        Outbound[] all;
        lock (_mutex)
        {
            all = [.. _outbounds];
            _outbounds.Clear();
            _outbound = null;
        }
        foreach (Outbound outbound in all) outbound.Sender.Stop();
    }

    /// <summary>The connection has ended: what was sent on it and not answered is unknown.</summary>
    private void StopSendingOn(PeerConnection connection)
    {
        Outbound? outbound;
        lock (_mutex)
        {
            outbound = _outbounds.Find(each => each.Connection == connection);
            if (outbound is not null) _outbounds.Remove(outbound);
        }
        outbound?.Sender.Stop();
    }

    private void OnOutcome(Outcome outcome)
    {
        // It comes by the connection that brought the message, which need not be the one that we send on now.
        foreach (Outbound outbound in Outbounds()) outbound.Sender.OnOutcome(outcome.Sequence, (WireCode)outcome.Code);
    }

    private static MessageHeader MakeHeader(OutgoingMessage message, MessageId id, Activity? activity) => new()
    {
        Sequence = id.Sequence,
        // An ordered channel's stream names it once.
        Channel = message.IsOrdered ? "" : message.Channel,
        Repeatable = message.RetryFor is not null,
        // Without a listener of ours the caller's trace still goes along.
        Traceparent = TraceParentOf(activity ?? Activity.Current),
        Tracestate = TraceStateOf(activity ?? Activity.Current),
        WantsOutcome = message.Delivery == DeliveryMode.Handled,
    };

    private static string TraceParentOf(Activity? activity) =>
        activity is { IdFormat: ActivityIdFormat.W3C, Id: { } id } ? id : "";

    private static string TraceStateOf(Activity? activity) =>
        activity?.TraceStateString is { } state && System.Text.Encoding.UTF8.GetByteCount(state) <= MaxTraceState ? state : "";

    private Activity? StartSend(string channel, MessageId id)
    {
        if (!MeshTelemetry.Source.HasListeners()) return null;
        Activity? activity = MeshTelemetry.Source.StartActivity($"publish {channel}", ActivityKind.Producer);
        if (activity is not { IsAllDataRequested: true }) return activity;
        activity.SetTag(MeshTelemetry.Attributes.MessagingSystem, "eventmesh");
        activity.SetTag(MeshTelemetry.Attributes.OperationName, "publish");
        activity.SetTag(MeshTelemetry.Attributes.OperationType, "send");
        activity.SetTag(MeshTelemetry.Attributes.Destination, channel);
        activity.SetTag(MeshTelemetry.Attributes.MessageId, id.ToString());
        activity.SetTag(MeshTelemetry.Attributes.NetworkTransport, "quic");
        activity.SetTag(MeshTelemetry.Attributes.Peer, Peer.ToShortString());
        return activity;
    }

    private void Observe(Activity? activity, long started, SendReceipt receipt)
    {
        MeshMetrics.MessagesSent.Add(1);
        MeshMetrics.OperationDuration.Record(Host.Clock.GetElapsedTime(started).TotalSeconds);
        if (receipt.IsSent || activity is null) return;
        activity.SetStatus(ActivityStatusCode.Error);
        activity.SetTag(MeshTelemetry.Attributes.ErrorType, (receipt.Error?.ToString() ?? receipt.Outcome.ToString()));
    }
}
