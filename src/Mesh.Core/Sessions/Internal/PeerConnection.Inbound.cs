using System.Diagnostics;
using System.Runtime.CompilerServices;
using EventMesh.Diagnostics;
using EventMesh.Transport;
using EventMesh.Wire;
using EventMesh.Wire.Frames;

namespace EventMesh.Sessions.Internal;

/// <summary>The streams that the peer opened.</summary>
internal sealed partial class PeerConnection
{
    private readonly ByteBudget _collecting = new(WireLimits.Collected);
    private int _hasControlStream;

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
                    await ReadMessagesAsync(reader).ConfigureAwait(false);
                    break;
                case StreamType.LargeMessage when stream.Direction == StreamDirection.Unidirectional:
                    await ReadLargeMessageAsync(stream, reader).ConfigureAwait(false);
                    break;
                case StreamType.OrderedChannel when stream.Direction == StreamDirection.Unidirectional:
                    await ReadOrderedAsync(stream, reader).ConfigureAwait(false);
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
            _session.Host.Abuse.Report(_session.Peer, RemoteEndPoint.Address, Limits.Internal.Offence.TooLarge);
            stream.StopSending((ulong)WireCode.TooLarge);
        }
        catch (MeshException e) when (e.Error is MeshError.RateLimited)
        {
            Log.ProtocolViolation(_session.Host.Logger, _session.Peer.ToShortString(), e.Message);
            await CloseAsync(WireCode.RateLimited).ConfigureAwait(false);
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
        catch (MeshException e) when (e.Error is not (MeshError.ProtocolViolation or MeshError.RateLimited) && !Ended.IsCancellationRequested && !Transport.Closed.IsCompleted)
        {
            // A connection without the peer's control stream is deaf.
            throw new MeshException(MeshError.ProtocolViolation, $"The control stream can't be read: {e.Message}", e);
        }
        throw new MeshException(MeshError.ProtocolViolation, "The control stream was closed.");
    }

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
