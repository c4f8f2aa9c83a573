using EventMesh.Transport.Ngtcp2.Interop;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>The streams of a connection, and what the peer may send on them. Loop thread only, unless said otherwise.</summary>
internal sealed partial class Connection
{
    // What fits into one packet of an ordinary path.
    private const int MaxStopsPerPacket = 512;

    // Half a KiB each in ngtcp2.
    private const int MaxUnforgotten = 16_384;

    private readonly StreamOpener _unidirectional;
    private readonly StreamOpener _bidirectional;
    private readonly AcceptQueue<ITransportStream> _inbound = new(static stream => ((QuicStream)stream).OnAccepted());
    private readonly List<QuicStream> _streams = [];
    private readonly List<(long Stream, ulong Code)> _stops = [];
    private int _openSends;
    private int _unforgotten;

    // What goes back to the peer: added by readers on any thread, taken by the loop.
    private long _windowToReturn;
    private long _unidirectionalToReturn;
    private long _bidirectionalToReturn;

    // What the peer has used of what we granted.
    private long _windowUsed;
    private long _unidirectionalUsed;
    private long _bidirectionalUsed;

    /// <summary>Gives connection window back, from any thread: bytes were read or dropped.</summary>
    internal void ReturnWindow(long bytes)
    {
        if (bytes == 0)
            return;
        long pending = Interlocked.Add(ref _windowToReturn, bytes);
        long window = Settings.ConnectionWindow;
        if (IsWorthTelling(pending, Interlocked.Read(ref _windowUsed), window, window / 8))
            Post();
    }

    /// <summary>Gives a stream's credit back, from any thread.</summary>
    internal void ReturnStreamCredit(bool unidirectional)
    {
        long pending = Interlocked.Increment(ref unidirectional ? ref _unidirectionalToReturn : ref _bidirectionalToReturn);
        if (IsStreamCreditDue(pending, Interlocked.Read(ref unidirectional ? ref _unidirectionalUsed : ref _bidirectionalUsed)))
            Post();
    }

    internal void OnStreamLimit(bool unidirectional, ulong limit) =>
        (unidirectional ? _unidirectional : _bidirectional).OnLimit(limit);

    /// <summary>The peer has opened a stream; the application sees it with its first byte, end or reset.</summary>
    internal void OnPeerOpened(long id)
    {
        bool unidirectional = (id & 2) != 0;
        var stream = new QuicStream(this, unidirectional ? StreamDirection.Unidirectional : StreamDirection.Bidirectional, isLocal: false, id);
        stream.OnOpened(Loop.Streams.Add(stream));
        Handle.SetStreamSlot(id, stream.Slot);
        Add(stream);
        Interlocked.Increment(ref unidirectional ? ref _unidirectionalUsed : ref _bidirectionalUsed);
    }

    internal void OnStreamData(QuicStream stream, ReadOnlySpan<byte> data, bool end)
    {
        if (data.Length > 0)
            Interlocked.Add(ref _windowUsed, data.Length);
        stream.OnData(data, end);
        Offer(stream);
    }

    internal void OnStreamReset(QuicStream stream, ulong code)
    {
        bool isFirst = !stream.IsOffered && !stream.IsLocal;
        stream.OnReset(code);
        Offer(stream);
        // ngtcp2 1.11 never forgets a one-way stream whose reset comes before its first byte, and without that its credit would be lost: a
        // peer that takes back what it has just begun would run out of streams. What ngtcp2 keeps of them is bounded instead.
        if (!isFirst || !stream.IsUnidirectional || _unforgotten == MaxUnforgotten)
            return;
        _unforgotten++;
        Handle.SetStreamSlot(stream.Id, 0);
        OnStreamClosed(stream, code);
    }

    /// <summary>ngtcp2 has forgotten a stream.</summary>
    internal void OnStreamClosed(QuicStream stream, ulong? code)
    {
        stream.OnClosedByLibrary(code);
        Remove(stream);
        Loop.Streams.Remove(stream.Slot);
        // One that never came to the application can't get its credit back from there.
        if (!stream.IsOffered && !stream.IsLocal)
            stream.OnAccepted();
    }

    /// <summary>Notes a STOP_SENDING frame, from inside the decryption of its packet.</summary>
    internal void NoteStop(long stream, ulong code)
    {
        if (_stops.Count < MaxStopsPerPacket)
            _stops.Add((stream, code));
    }

    /// <summary>The peer stopped reading: ngtcp2 has accepted the packet that said so.</summary>
    private void ApplyStops()
    {
        if (_stops.Count == 0)
            return;
        foreach ((long id, ulong code) in _stops)
        {
            // A search, since it is rare and a table would cost every stream.
            if (_streams.Find(candidate => candidate.Id == id) is { Send: { } send })
                send.Fail(Failure.StoppedByPeer(code));
        }
        _stops.Clear();
    }

    private void OpenWaitingStreams()
    {
        if (_unidirectional.HasWork)
            OpenWaitingStreams(_unidirectional, unidirectional: true);
        if (_bidirectional.HasWork)
            OpenWaitingStreams(_bidirectional, unidirectional: false);
    }

    private void OpenWaitingStreams(StreamOpener opener, bool unidirectional)
    {
        while (opener.TakeNext() is { } stream)
        {
            int slot = Loop.Streams.Add(stream);
            int error = Handle.OpenStream(unidirectional, out long id, slot);
            stream.OnOpened(slot);
            Add(stream);
            if (error != 0 || id != stream.Id)
                throw new InvalidOperationException($"ngtcp2 numbers a stream {id} that we number {stream.Id}: {Native.DescribeNgtcp2Error(error)}.");
            stream.Synchronize(Handle);
        }
    }

    private void ReturnCredits()
    {
        if (Interlocked.Read(ref _windowToReturn) > 0)
        {
            long bytes = Interlocked.Exchange(ref _windowToReturn, 0);
            Interlocked.Add(ref _windowUsed, -bytes);
            Handle.ExtendConnectionWindow(bytes);
        }
        ReturnStreamCredits(ref _unidirectionalToReturn, ref _unidirectionalUsed, unidirectional: true);
        ReturnStreamCredits(ref _bidirectionalToReturn, ref _bidirectionalUsed, unidirectional: false);
    }

    private void ReturnStreamCredits(ref long toReturn, ref long used, bool unidirectional)
    {
        // ngtcp2 tells the peer of each stream at once, if it must in a packet of its own, which the peer acknowledges in another: for a request and its
        // response that would be four packets in place of two. Windows it gathers by itself.
        if (!IsStreamCreditDue(Interlocked.Read(ref toReturn), Interlocked.Read(ref used)))
            return;
        long count = Interlocked.Exchange(ref toReturn, 0);
        Interlocked.Add(ref used, -count);
        Handle.ExtendStreamLimit(unidirectional, count);
    }

    private void Offer(QuicStream stream)
    {
        if (stream.IsOffered || stream.IsLocal)
            return;
        stream.IsOffered = true;
        // The stream limit bounds the queue: credit goes back only for streams that were accepted.
        _inbound.TryAdd(stream, int.MaxValue);
    }

    private void Add(QuicStream stream)
    {
        stream.ListIndex = _streams.Count;
        _streams.Add(stream);
        if (stream.CanWrite)
            _openSends++;
    }

    private void Remove(QuicStream stream)
    {
        int index = stream.ListIndex;
        if (index < 0)
            return;
        stream.ListIndex = -1;
        QuicStream last = _streams[^1];
        _streams.RemoveAt(_streams.Count - 1);
        if (last != stream)
        {
            _streams[index] = last;
            last.ListIndex = index;
        }
        if (stream.CanWrite)
            _openSends--;
    }

    /// <summary>Fails every stream; deleting an <c>ngtcp2_conn</c> reports none of them as closed.</summary>
    private void EndStreams(Failure failure)
    {
        foreach (QuicStream stream in _streams)
        {
            stream.ListIndex = -1;
            stream.Fail(failure);
            Loop.Streams.Remove(stream.Slot);
        }
        _streams.Clear();
        _toSend.Clear();
        _blocked.Clear();
        _uncertain.Clear();
        _unidirectional.Fail(failure);
        _bidirectional.Fail(failure);
        // ngtcp2 may have forgotten some of these already: their unread data is freed here.
        foreach (ITransportStream stream in _inbound.End(failure.ToException))
            ((QuicStream)stream).Fail(failure);
    }

    private bool IsStreamCreditDue(long pending, long used) =>
        pending > 0 && IsWorthTelling(pending, used, Settings.MaxInboundStreams, Settings.MaxInboundStreams / 4);

    /// <summary>
    /// Whether the peer should hear of credit now. Usually it is told with the next packet; but when it has little left, it may
    /// be waiting for exactly this, and then no packet comes.
    /// </summary>
    private static bool IsWorthTelling(long pending, long used, long limit, long step) =>
        pending >= Math.Max(1, step) || limit - used <= limit / 4;
}
