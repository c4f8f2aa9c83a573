using EventMesh.Transport.Ngtcp2.Interop;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>A stream: what the application sees, and the loop thread's bookkeeping of it.</summary>
internal sealed class QuicStream : ITransportStream, ILoopWork
{
    private readonly SendSide? _send;
    private readonly ReceiveSide? _receive;
    private int _posted;
    private int _through;

    /// <summary>Who is through with a stream that the peer opened; its credit goes back after all three.</summary>
    [Flags]
    private enum Through
    {
        None = 0,
        Accepted = 1,
        Closed = 2,
        Read = 4,
        All = Accepted | Closed | Read,
    }

    public QuicStream(Connection connection, StreamDirection direction, bool isLocal, long id)
    {
        Connection = connection;
        Direction = direction;
        IsLocal = isLocal;
        Id = id;
        EndpointSettings settings = connection.Settings;
        if (isLocal || direction == StreamDirection.Bidirectional)
            _send = new SendSide(this, connection.Pool, settings.SendBuffer);
        if (!isLocal || direction == StreamDirection.Bidirectional)
            _receive = new ReceiveSide(this, connection.Pool, settings.StreamWindow);
    }

    public long Id { get; }

    public StreamDirection Direction { get; }

    public bool CanRead => _receive is not null;

    public bool CanWrite => _send is not null;

    public Task WritesAcknowledged
    {
        get
        {
            SendSide send = RequireSend();
            PostIfUnopened();
            return send.AcknowledgedTask;
        }
    }

    internal Connection Connection { get; }

    /// <summary>Guards both sides.</summary>
    internal Lock Mutex { get; } = new();

    internal SendSide? Send => _send;

    /// <summary>Whether this side opened it.</summary>
    internal bool IsLocal { get; }

    internal bool IsUnidirectional => Direction == StreamDirection.Unidirectional;

    // ---- the loop thread's fields ----

    /// <value>The number by which ngtcp2's callbacks name this stream; zero when it has none.</value>
    internal int Slot { get; set; }

    /// <value>The place in the connection's list; -1 outside.</value>
    internal int ListIndex { get; set; } = -1;

    /// <value>Whether it waits for its turn to send.</value>
    internal bool IsQueuedToSend { get; set; }

    /// <value>Whether it waits for the connection's window.</value>
    internal bool IsBlocked { get; set; }

    /// <value>Whether the application can accept it.</value>
    internal bool IsOffered { get; set; }

    /// <value>Whether ngtcp2 has forgotten it.</value>
    internal bool IsClosed { get; private set; }

    public ValueTask WriteAsync(ReadOnlyMemory<byte> data, bool endStream, CancellationToken cancellationToken)
    {
        SendSide send = RequireSend();
        if (Connection.Ended is { } failure)
            send.Fail(failure);
        return send.WriteAsync(data, endStream, cancellationToken);
    }

    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ReceiveSide receive = _receive ?? throw new InvalidOperationException("This side of the stream can't be read.");
        if (Connection.Ended is { } failure)
            receive.Fail(failure);
        return receive.ReadAsync(buffer, cancellationToken);
    }

    public void Reset(ulong code)
    {
        Connection.ThrowIfInvalidCode(code);
        RequireSend().Reset(code);
    }

    public void StopSending(ulong code)
    {
        Connection.ThrowIfInvalidCode(code);
        (_receive ?? throw new InvalidOperationException("This side of the stream can't be read.")).Stop(code);
    }

    public ValueTask DisposeAsync()
    {
        _send?.Abandon();
        _receive?.Stop(0);
        return default;
    }

    /// <summary>Asks the loop to look at this stream.</summary>
    internal void Post()
    {
        if (Interlocked.Exchange(ref _posted, 1) == 0)
            Connection.Loop.Post(this);
    }

    /// <summary>Has the loop open the stream, so that it learns of the connection's end.</summary>
    internal void PostIfUnopened()
    {
        if (Slot == 0)
            Post();
    }

    void ILoopWork.Run()
    {
        Volatile.Write(ref _posted, 0);
        if (Connection.Ended is { } failure)
            Fail(failure); // opened by the application while the connection ended
        else if (Slot == 0)
            Connection.Loop.MarkReady(Connection); // which opens those before it too
        else if (!IsClosed)
            Synchronize(Connection.Handle);
    }

    /// <summary>Tells ngtcp2 what the application has done since.</summary>
    internal void Synchronize(ConnectionHandle handle)
    {
        bool framesQueued = false;
        if (_receive is not null)
        {
            (long window, ulong? stop) = _receive.TakeFeedback();
            if (window > 0)
                handle.ExtendStreamWindow(Id, window);
            if (stop is { } stopCode)
                handle.ShutdownStreamRead(Id, stopCode);
            framesQueued = window > 0 || stop is not null;
        }
        if (_send is not null)
        {
            bool hasWork = _send.TakeFeedback(out ulong? reset);
            if (reset is { } resetCode)
            {
                handle.ShutdownStreamWrite(Id, resetCode);
                framesQueued = true;
            }
            if (hasWork && !IsQueuedToSend && !IsBlocked)
                Connection.QueueToSend(this);
        }
        // ngtcp2 only queues such frames: somebody has to write a packet.
        if (framesQueued)
            Connection.Loop.MarkReady(Connection);
    }

    internal void OnOpened(int slot) => Slot = slot;

    /// <summary>The application has it now; only from here on can its credit go back.</summary>
    internal void OnAccepted() => Note(Through.Accepted);

    /// <summary>The application has read the end, or can't read any more.</summary>
    internal void OnReadFinished() => Note(Through.Read);

    internal void OnData(ReadOnlySpan<byte> data, bool end)
    {
        int direct = _receive!.OnData(data, end);
        if (direct > 0)
            Connection.Handle.ExtendStreamWindow(Id, direct);
    }

    internal void OnReset(ulong code) => _receive?.OnReset(code);

    internal void OnClosedByLibrary(ulong? code)
    {
        _send?.OnClosed(code);
        _receive?.OnReset(code ?? 0);
        IsClosed = true;
        Note(Through.Closed);
    }

    internal void Fail(Failure failure)
    {
        IsClosed = true;
        _send?.Fail(failure);
        _send?.Release();
        _receive?.Fail(failure);
    }

    /// <summary>Returns the stream's credit once it was accepted, both sides have ended for ngtcp2 and the application is through with it.</summary>
    private void Note(Through part)
    {
        if (IsLocal)
            return;
        var before = (Through)Interlocked.Or(ref _through, (int)part);
        if (before != Through.All && (before | part) == Through.All)
            Connection.ReturnStreamCredit(IsUnidirectional);
    }

    private SendSide RequireSend() => _send ?? throw new InvalidOperationException("This side of the stream can't be written.");
}
