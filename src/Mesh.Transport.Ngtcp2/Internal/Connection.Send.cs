using EventMesh.Transport.Ngtcp2.Interop;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>Writing packets. Loop thread only.</summary>
internal sealed partial class Connection
{
    private const int MaxVectors = 4;

    // Streams take turns: each gives one packet's worth and goes to the end.
    private readonly Queue<QuicStream> _toSend = new();
    private readonly List<QuicStream> _blocked = [];
    private readonly List<QuicStream> _uncertain = [];

    /// <summary>
    /// Writes what there is, at most one burst; true when more is left, so that the loop comes back after the other connections.
    /// </summary>
    internal unsafe bool WritePackets(ulong now)
    {
        _owesEndOfHandshake = false;
        OpenWaitingStreams();
        ReturnCredits();
        long quantum = Handle.SendQuantum;
        long written = 0;
        bool more = false;
        ngtcp2_vec* vector = stackalloc ngtcp2_vec[MaxVectors];
        ngtcp2_path* path = Loop.Path;
        while (true)
        {
            nint length = WriteOne(path, vector, now);
            if (length == Native.NGTCP2_ERR_WRITE_MORE)
                continue; // the packet has room: the same place, with the next stream
            if (length < 0)
            {
                OnError((int)length);
                return false;
            }
            if (length == 0)
                break;
            Loop.Sender.Commit(path->remote, (int)length);
            written += length;
            if (written >= quantum)
            {
                more = true;
                break;
            }
        }
        if (written > 0)
        {
            Handle.UpdateTransmitTime(now);
            Interlocked.Add(ref _bytesSent, written);
        }
        more |= UnblockStreams();
        PublishStatistics();
        Loop.Timers.Set(this, Handle.Expiry);
        return more;
    }

    /// <summary>Has a stream take its turn at the next packets.</summary>
    internal void QueueToSend(QuicStream stream)
    {
        stream.IsQueuedToSend = true;
        _toSend.Enqueue(stream);
        Loop.MarkReady(this);
    }

    /// <summary>The peer has widened a stream's window.</summary>
    internal void OnStreamWindow(QuicStream stream)
    {
        if (!stream.IsQueuedToSend && !stream.IsBlocked && stream.Send is { HasWork: true })
            QueueToSend(stream);
    }

    /// <summary>Remembers a stream whose last acknowledgement only an empty flight proves.</summary>
    internal void OnUncertainAcknowledgement(QuicStream stream) => _uncertain.Add(stream);

    /// <summary>Calls ngtcp2 once, with the data of the next stream or without; errors of one stream are settled here.</summary>
    private unsafe nint WriteOne(ngtcp2_path* path, ngtcp2_vec* vector, ulong now)
    {
        while (true)
        {
            QuicStream? stream = NextToSend(vector, out SendBatch batch);
            uint flags = stream is null ? 0 : Native.NGTCP2_WRITE_STREAM_FLAG_MORE | (batch.Ends ? Native.NGTCP2_WRITE_STREAM_FLAG_FIN : 0);
            nint accepted = -1;
            nint result = Handle.WriteStream(path, Loop.Sender.Place, DatagramSender.MaxDatagram, &accepted, flags, stream?.Id ?? -1, vector, batch.Vectors, now);
            if (stream is null)
                return result;
            if (accepted >= 0)
            {
                bool more = stream.Send!.Advance(accepted, batch.Ends && accepted == batch.Bytes);
                if (!more)
                    Dequeue(stream);
                else if (_toSend.Count > 1)
                    _toSend.Enqueue(_toSend.Dequeue());
            }
            switch (result)
            {
                case Native.NGTCP2_ERR_STREAM_DATA_BLOCKED:
                    Dequeue(stream);
                    // The connection's window may be the one that is shut, and then no wider stream window follows.
                    if (Handle.MaxDataLeft == 0)
                        Block(stream);
                    continue;
                case Native.NGTCP2_ERR_STREAM_SHUT_WR or Native.NGTCP2_ERR_STREAM_NOT_FOUND:
                    Dequeue(stream);
                    stream.Send!.Fail(Failure.StoppedByPeer(0));
                    continue;
                default:
                    return result;
            }
        }
    }

    /// <summary>The stream whose turn it is; null when none can send.</summary>
    private unsafe QuicStream? NextToSend(ngtcp2_vec* vector, out SendBatch batch)
    {
        while (_toSend.TryPeek(out QuicStream? stream))
        {
            if (stream.IsClosed || !stream.Send!.TryGather(vector, MaxVectors, out batch))
                Dequeue(stream);
            else if (batch.IsOnlyEnd || Handle.MaxDataLeft > 0)
                return stream;
            else
                Block(Dequeue(stream));
        }
        batch = default;
        return null;
    }

    private QuicStream Dequeue(QuicStream stream)
    {
        _toSend.Dequeue();
        stream.IsQueuedToSend = false;
        return stream;
    }

    private void Block(QuicStream stream)
    {
        stream.IsBlocked = true;
        _blocked.Add(stream);
    }

    /// <summary>Lets blocked streams go on once the connection's window is open again.</summary>
    private bool UnblockStreams()
    {
        if (_blocked.Count == 0 || Handle.MaxDataLeft == 0)
            return false;
        foreach (QuicStream stream in _blocked)
        {
            stream.IsBlocked = false;
            if (!stream.IsClosed)
            {
                stream.IsQueuedToSend = true;
                _toSend.Enqueue(stream);
            }
        }
        _blocked.Clear();
        return _toSend.Count > 0;
    }

    private void PublishStatistics()
    {
        ngtcp2_conn_info info = Handle.GetInfo();
        Volatile.Write(ref _smoothedRoundTrip, (long)info.smoothed_rtt);
        Volatile.Write(ref _congestionWindow, (long)info.cwnd);
        if (_uncertain.Count == 0 || info.bytes_in_flight > 0)
            return;
        foreach (QuicStream stream in _uncertain)
            stream.Send!.OnNothingInFlight();
        _uncertain.Clear();
    }
}
