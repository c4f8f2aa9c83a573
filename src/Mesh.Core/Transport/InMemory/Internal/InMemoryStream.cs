namespace EventMesh.Transport.InMemory.Internal;

/// <summary>One end of a stream. All state is read and changed under the connection's lock.</summary>
internal sealed partial class InMemoryStream : ITransportStream
{
    private const ulong MaxCode = (1UL << 62) - 1;

    private readonly InMemoryConnection _connection;
    private bool _isFinished;

    public InMemoryStream(InMemoryConnection connection, long id, StreamDirection direction, bool isLocal, TransportEndpointOptions options, long sendLimit)
    {
        _connection = connection;
        Id = id;
        Direction = direction;
        IsLocal = isLocal;
        CanRead = !isLocal || direction == StreamDirection.Bidirectional;
        CanWrite = isLocal || direction == StreamDirection.Bidirectional;
        _sendBuffer = options.SendBuffer;
        _sendLimit = sendLimit;
        _window = options.StreamWindow;
        _advertised = options.StreamWindow;
    }

    public long Id { get; }

    public StreamDirection Direction { get; }

    public bool IsLocal { get; }

    public bool CanRead { get; }

    public bool CanWrite { get; }

    private Lock Mutex => _connection.Mutex;

    public ValueTask DisposeAsync()
    {
        lock (Mutex)
        {
            if (CanWrite && !_isEnded)
                AbortWrites(new Failure(MeshError.Aborted, null, "The stream was disposed."), 0);
            AbortReads("The stream was disposed.", 0);
        }
        return ValueTask.CompletedTask;
    }

    public void Process(Packet packet)
    {
        switch (packet.Kind)
        {
            case PacketKind.Data:
                OnData(packet);
                break;
            case PacketKind.Ack:
                OnAck(packet);
                break;
            case PacketKind.Reset:
                OnReset(packet);
                break;
            case PacketKind.StopSending:
                OnStopSending(packet);
                break;
            case PacketKind.MaxStreamData:
                _sendLimit = Math.Max(_sendLimit, packet.Number);
                Flush();
                break;
        }
        FinishWhenDone();
    }

    public void OnConnectionEnded(Failure failure)
    {
        _pendingRead?.Fail(failure.ToException());
        _pendingRead = null;
        _pendingWrite?.Fail(failure.ToException());
        _pendingWrite = null;
        if (!IsAcknowledged)
            _acknowledged?.Fail((_writeFailure ?? failure).ToException());
    }

    private void FinishWhenDone()
    {
        bool isDone = (!CanRead || IsReadDone) && (!CanWrite || IsAcknowledged || _writeFailure is not null);
        if (!isDone || _isFinished || _connection.HasEnded)
            return;
        _isFinished = true;
        _connection.Finish(this);
    }

    private void Send(PacketKind kind, long number = 0, ulong code = 0) =>
        _connection.Send(new Packet(_connection, kind) { StreamId = Id, Direction = Direction, Number = number, Code = code });
}
