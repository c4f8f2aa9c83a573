namespace EventMesh.Transport.InMemory.Internal;

/// <summary>Streams: numbers, limits, the connection's window.</summary>
internal sealed partial class InMemoryConnection
{
    private readonly Dictionary<long, InMemoryStream> _streams = [];
    private readonly StreamCounts[] _counts = [new(), new()];
    private readonly Queue<InMemoryStream> _unaccepted = new();
    private readonly LinkedList<Waiter<ITransportStream>> _acceptors = new();
    private readonly Queue<InMemoryStream> _blocked = new();
    private long _sent;
    private long _sendLimit;
    private long _consumed;
    private long _advertised;

    /// <summary>Bytes that may be sent on all streams now.</summary>
    public long SendRoom => _sendLimit - _sent;

    public ValueTask<ITransportStream> OpenStreamAsync(StreamDirection direction, CancellationToken cancellationToken)
    {
        lock (Mutex)
        {
            if (Failure is { } failure)
                return ValueTask.FromException<ITransportStream>(failure.ToException());
            if (cancellationToken.IsCancellationRequested)
                return ValueTask.FromCanceled<ITransportStream>(cancellationToken);
            StreamCounts counts = _counts[(int)direction];
            if (counts.Openers.Count == 0 && counts.Opened < counts.OpenLimit)
                return ValueTask.FromResult<ITransportStream>(OpenNext(direction));
            var waiter = new Waiter<ITransportStream>(Scheduler);
            counts.Openers.AddLast(waiter);
            waiter.CancelledBy(CancelOpen, cancellationToken);
            return new ValueTask<ITransportStream>(waiter.Task);
        }
    }

    public ValueTask<ITransportStream> AcceptStreamAsync(CancellationToken cancellationToken)
    {
        lock (Mutex)
        {
            if (Failure is { } failure)
                return ValueTask.FromException<ITransportStream>(failure.ToException());
            if (cancellationToken.IsCancellationRequested)
                return ValueTask.FromCanceled<ITransportStream>(cancellationToken);
            if (_unaccepted.TryDequeue(out InMemoryStream? stream))
                return ValueTask.FromResult<ITransportStream>(stream);
            var waiter = new Waiter<ITransportStream>(Scheduler);
            _acceptors.AddLast(waiter);
            waiter.CancelledBy(CancelAccept, cancellationToken);
            return new ValueTask<ITransportStream>(waiter.Task);
        }
    }

    /// <summary>Counts bytes that a stream is about to send.</summary>
    public void CountStreamBytes(int count) => _sent += count;

    /// <summary>Lets a stream go on once the peer has widened the connection's window.</summary>
    public void WaitForWindow(InMemoryStream stream) => _blocked.Enqueue(stream);

    /// <summary>Gives read or dropped bytes back to the connection's window.</summary>
    public void Consume(long count)
    {
        _consumed += count;
        if (_consumed + Options.ConnectionWindow - _advertised >= Options.ConnectionWindow / 2)
        {
            _advertised = _consumed + Options.ConnectionWindow;
            Send(new Packet(this, PacketKind.MaxData) { Number = _advertised });
        }
    }

    /// <summary>Forgets a stream whose two sides have ended, and gives its credit back.</summary>
    public void Finish(InMemoryStream stream)
    {
        _streams.Remove(stream.Id);
        if (stream.IsLocal)
            return;
        StreamCounts counts = _counts[(int)stream.Direction];
        counts.InboundLimit++;
        Send(new Packet(this, PacketKind.MaxStreams) { Direction = stream.Direction, Number = counts.InboundLimit });
    }

    private void SetLimits()
    {
        _sendLimit = PeerOptions.ConnectionWindow;
        _advertised = Options.ConnectionWindow;
        foreach (StreamCounts counts in _counts)
        {
            counts.OpenLimit = PeerOptions.MaxInboundStreams;
            counts.InboundLimit = Options.MaxInboundStreams;
        }
    }

    private InMemoryStream OpenNext(StreamDirection direction)
    {
        long number = _counts[(int)direction].Opened++;
        long id = (number << 2) | (direction == StreamDirection.Unidirectional ? 2L : 0L) | (IsDialer ? 0L : 1L);
        return AddStream(id, direction, isLocal: true);
    }

    private InMemoryStream AddStream(long id, StreamDirection direction, bool isLocal)
    {
        var stream = new InMemoryStream(this, id, direction, isLocal, Options, PeerOptions.StreamWindow);
        _streams.Add(id, stream);
        return stream;
    }

    private void ProcessStreamPacket(Packet packet)
    {
        switch (packet.Kind)
        {
            case PacketKind.MaxData:
                _sendLimit = Math.Max(_sendLimit, packet.Number);
                for (int i = _blocked.Count; i > 0 && SendRoom > 0; i--)
                    _blocked.Dequeue().Resume();
                break;
            case PacketKind.MaxStreams:
                StreamCounts counts = _counts[(int)packet.Direction];
                counts.OpenLimit = Math.Max(counts.OpenLimit, packet.Number);
                while (counts.Openers.First is { } first && counts.Opened < counts.OpenLimit)
                {
                    counts.Openers.RemoveFirst();
                    first.Value.Succeed(OpenNext(packet.Direction));
                }
                break;
            default:
                FindStream(packet)?.Process(packet);
                break;
        }
    }

    private InMemoryStream? FindStream(Packet packet)
    {
        if (_streams.TryGetValue(packet.StreamId, out InMemoryStream? stream))
            return stream;
        bool isLocal = (packet.StreamId & 1) == (IsDialer ? 0 : 1);
        if (isLocal || !_counts[(int)packet.Direction].Seen.Add(packet.StreamId >> 2))
            return null;
        stream = AddStream(packet.StreamId, packet.Direction, isLocal: false);
        if (_acceptors.First is { } first)
        {
            _acceptors.RemoveFirst();
            first.Value.Succeed(stream);
        }
        else
        {
            _unaccepted.Enqueue(stream);
        }
        return stream;
    }

    private void EndStreams(Failure failure)
    {
        foreach (StreamCounts counts in _counts)
        {
            foreach (Waiter<ITransportStream> waiter in counts.Openers)
                waiter.Fail(failure.ToException());
            counts.Openers.Clear();
        }
        foreach (Waiter<ITransportStream> waiter in _acceptors)
            waiter.Fail(failure.ToException());
        _acceptors.Clear();
        _unaccepted.Clear();
        _blocked.Clear();
        foreach (InMemoryStream stream in _streams.Values)
            stream.OnConnectionEnded(failure);
        _streams.Clear();
    }

    private void CancelOpen(Waiter<ITransportStream> waiter)
    {
        lock (Mutex)
        {
            if (_counts[0].Openers.Remove(waiter) || _counts[1].Openers.Remove(waiter))
                waiter.Cancel();
        }
    }

    private void CancelAccept(Waiter<ITransportStream> waiter)
    {
        lock (Mutex)
        {
            if (_acceptors.Remove(waiter))
                waiter.Cancel();
        }
    }

    /// <summary>Counts of one direction.</summary>
    private sealed class StreamCounts
    {
        public LinkedList<Waiter<ITransportStream>> Openers { get; } = new();

        public StreamIdTracker Seen { get; } = new();

        public long Opened { get; set; }

        public long OpenLimit { get; set; }

        public long InboundLimit { get; set; }
    }
}
