using System.Collections.Concurrent;
using System.Net;
using System.Runtime.InteropServices;
using EventMesh.Transport.Ngtcp2.Interop;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>
/// The thread of one endpoint: it alone touches the socket and every <c>ngtcp2_conn</c>. A pass runs what the application
/// posted, then due timers, then one burst of each connection that has something to send, then receives.
/// </summary>
internal sealed unsafe class EventLoop : IAsyncDisposable
{
    private const int MaxWorkPerPass = 4096;
    private const ulong NanosecondsPerSecond = 1_000_000_000;

    // How long the thread looks for what comes next before it sleeps, if the last wait was as short: to be woken takes longer than a peer near by takes to
    // answer, above all where an idle processor is one of a virtual machine. A quiet endpoint does not look at all.
    private const ulong LookTime = 50_000;

    private readonly UdpSocket _socket;
    private readonly DatagramReceiver _receiver;
    private readonly WakeUp _wakeUp = new();
    private readonly byte* _localAddress;
    private readonly ngtcp2_path_storage* _path;
    private readonly Thread _thread;
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _afterEnd = new();

    // Bounded without a bound of its own: each stream and connection is in it at most once, each dial once.
    private readonly ConcurrentQueue<ILoopWork> _work = new();
    private List<Connection> _ready = [];
    private List<Connection> _writing = [];
    private readonly Queue<Connection> _toOffer = new();
    private volatile bool _stopping;
    private volatile bool _ended;
    private int _sleeping;
    private int _threadId;
    private bool _wasShort;

    public EventLoop(UdpSocket socket, EndpointSettings settings, TlsParameters tls, NgtcpLog log)
    {
        _socket = socket;
        Settings = settings;
        Tls = tls;
        Log = log;
        Now = Native.MonotonicNanoseconds();
        Admission = new Admission(settings.Retry, settings.AcceptBacklog);
        Sender = new DatagramSender(socket, Counters, settings.Tuning);
        Router = new PacketRouter(this);
        _receiver = new DatagramReceiver(socket);
        _localAddress = (byte*)NativeMemory.AllocZeroed(NativeAddress.MaxLength);
        socket.RawAddress.CopyTo(new Span<byte>(_localAddress, NativeAddress.MaxLength));
        _path = (ngtcp2_path_storage*)NativeMemory.AllocZeroed((nuint)sizeof(ngtcp2_path_storage));
        _path->path.local.addr = (byte*)_path->local_addrbuf;
        _path->path.remote.addr = (byte*)_path->remote_addrbuf;
        _thread = new Thread(Run) { IsBackground = true, Name = $"quic {socket.LocalEndPoint}" };
    }

    public EndpointSettings Settings { get; }

    public TlsParameters Tls { get; }

    public NgtcpLog Log { get; }

    public NativeBufferPool Pool { get; } = new();

    public EndpointCounters Counters { get; } = new();

    public IPEndPoint LocalEndPoint => _socket.LocalEndPoint;

    /// <value>Connections that wait to be accepted.</value>
    public AcceptQueue<Connection> Accepted { get; } = new();

    // ---- the loop thread's ----

    public Admission Admission { get; }

    public DatagramSender Sender { get; }

    public PacketRouter Router { get; }

    public RouteTable Routes { get; } = new();

    public TimerHeap Timers { get; } = new();

    public StreamTable Streams { get; } = new();

    public RandomSource Random { get; } = new();

    /// <value>The clock of this pass, nanoseconds: ngtcp2 aborts the process when its time goes backwards.</value>
    public ulong Now { get; private set; }

    /// <value>Whether nothing runs any more.</value>
    public bool HasEnded => _ended;

    public ngtcp2_addr LocalAddress => new() { addr = _localAddress, addrlen = (uint)_socket.RawAddress.Length };

    /// <value>Where ngtcp2 says which way a packet goes.</value>
    public ngtcp2_path* Path => &_path->path;

    public void Start() => _thread.Start();

    /// <summary>Ends the loop and tells the peers; completes when the thread has ended and the port is free.</summary>
    public ValueTask DisposeAsync()
    {
        if (!_stopping)
        {
            _stopping = true;
            _wakeUp.Signal();
        }
        return new ValueTask(_stopped.Task);
    }

    /// <summary>Has the loop thread run something, soon. From any thread.</summary>
    public void Post(ILoopWork work)
    {
        _work.Enqueue(work);
        if (_ended)
            RunWorkAfterEnd();
        else if (Environment.CurrentManagedThreadId != _threadId && Interlocked.Exchange(ref _sleeping, 0) == 1)
            _wakeUp.Signal();
    }

    /// <summary>Reads the clock.</summary>
    public ulong ReadClock() => Now = Native.MonotonicNanoseconds();

    /// <summary>Has a connection write packets in this pass or the next.</summary>
    public void MarkReady(Connection connection)
    {
        if (connection.IsReady)
            return;
        connection.IsReady = true;
        _ready.Add(connection);
    }

    /// <summary>Has a connection offered to who accepts, after the next packets are sent: waking another thread must not hold them up.</summary>
    public void OfferLater(Connection connection) => _toOffer.Enqueue(connection);

    /// <summary>Leaves something in a connection's place that answers its late packets for a while.</summary>
    /// <param name="connection">The connection that has ended.</param>
    /// <param name="closePacket">Our CONNECTION_CLOSE; null when the peer closed.</param>
    /// <param name="nanoseconds">How long.</param>
    public void Linger(Connection connection, byte[]? closePacket, ulong nanoseconds)
    {
        var rest = new LingeringConnection(this, closePacket);
        Routes.Replace(connection, rest);
        Timers.Set(rest, Now + nanoseconds);
    }

    /// <summary>Writes the token with which a restarted process resets a connection of this id.</summary>
    public bool WriteResetToken(byte* token, ngtcp2_cid* id)
    {
        fixed (byte* key = Settings.StatelessResetKey)
            return Native.ngtcp2_crypto_generate_stateless_reset_token(token, key, EndpointSettings.StatelessResetKeyLength, id) == 0;
    }

    private void Run()
    {
        _threadId = Environment.CurrentManagedThreadId;
        // Its sleep ends when a timer is due, not up to 50 us later.
        _ = Native.prctl(Native.PR_SET_TIMERSLACK, 1, 0, 0, 0);
        try
        {
            while (!_stopping)
                RunPass();
        }
        catch (Exception e)
        {
            Log.LoopFailed(e);
        }
        finally
        {
            End();
        }
    }

    private void RunPass()
    {
        ReadClock();
        // A close and the packets that follow it leave together, and wake the peer once.
        Sender.BeginBatch();
        RunWork(MaxWorkPerPass);
        ReadClock();
        RunTimers();
        bool more = WriteReady();
        Sender.EndBatch();
        if (_toOffer.Count > 0)
            OfferAccepted(_toOffer.Count);
        if (more || _ready.Count > 0 || Wait())
            _receiver.Receive(this);
    }

    private void RunWork(int limit)
    {
        for (int i = 0; i < limit && _work.TryDequeue(out ILoopWork? work); i++)
        {
            try
            {
                work.Run();
            }
            catch (Exception e)
            {
                Log.CallbackFailed(e);
            }
        }
    }

    private void RunTimers()
    {
        while (Timers.TakeDue(Now) is { } due)
        {
            try
            {
                due.OnTimer(Now);
            }
            catch (Exception e) when (due is Connection connection)
            {
                connection.Break(e);
            }
        }
    }

    private void OfferAccepted(int count)
    {
        // What came right behind a handshake is read first: then who accepts need not be woken again for it.
        _receiver.Receive(this);
        for (int i = 0; i < count; i++)
        {
            Connection connection = _toOffer.Dequeue();
            try
            {
                connection.Offer();
            }
            catch (Exception e)
            {
                connection.Break(e);
            }
        }
    }

    /// <summary>Lets each ready connection write one burst; true when one has more.</summary>
    private bool WriteReady()
    {
        if (_ready.Count == 0)
            return false;
        (_writing, _ready) = (_ready, _writing);
        bool more = false;
        foreach (Connection connection in _writing)
        {
            connection.IsReady = false;
            if (connection.Ended is not null)
                continue;
            try
            {
                if (connection.WritePackets(Now))
                {
                    MarkReady(connection);
                    more = true;
                }
            }
            catch (Exception e)
            {
                connection.Break(e);
            }
        }
        _writing.Clear();
        return more;
    }

    /// <summary>Waits for a datagram, posted work or the next timer; true when the socket has something.</summary>
    private bool Wait()
    {
        ulong begun = ReadClock();
        if (!_wasShort || !Look(begun, out bool hasDatagrams))
            hasDatagrams = Sleep();
        _wasShort = ReadClock() - begun < LookTime;
        return hasDatagrams;
    }

    /// <summary>Looks for something to do, and lets other threads run meanwhile; whether there is something.</summary>
    /// <remarks>
    /// Timers wait for its end, which is finer than the millisecond of RFC 9002 6.1.2: ngtcp2 acknowledges after an eighth of the round trip, and an
    /// acknowledgement that waits a little longer leaves with the answer.
    /// </remarks>
    private bool Look(ulong begun, out bool hasDatagrams)
    {
        do
        {
            hasDatagrams = HasDatagrams();
            if (hasDatagrams || !_work.IsEmpty || _stopping)
                return true;
            Thread.Yield();
        }
        while (ReadClock() - begun < LookTime);
        return false;
    }

    private bool HasDatagrams()
    {
        var descriptor = new pollfd { fd = _socket.Descriptor, events = Native.POLLIN };
        timespec atOnce = default;
        return Native.ppoll(&descriptor, 1, &atOnce, null) > 0;
    }

    private bool Sleep()
    {
        pollfd* descriptors = stackalloc pollfd[2];
        descriptors[0] = new pollfd { fd = _socket.Descriptor, events = Native.POLLIN };
        descriptors[1] = new pollfd { fd = _wakeUp.Descriptor, events = Native.POLLIN };
        timespec limit = default;
        timespec* timeout = null;
        if (Timers.Earliest != ulong.MaxValue)
        {
            ulong left = Timers.Earliest > Now ? Timers.Earliest - Now : 0;
            limit = new timespec { tv_sec = (long)(left / NanosecondsPerSecond), tv_nsec = (long)(left % NanosecondsPerSecond) };
            timeout = &limit;
        }
        // Announced before the queue is looked at once more: whoever posts from here on sees it and signals.
        Interlocked.Exchange(ref _sleeping, 1);
        if (!_work.IsEmpty || _stopping)
        {
            limit = default;
            timeout = &limit;
        }
        int count = Native.ppoll(descriptors, 2, timeout, null);
        Volatile.Write(ref _sleeping, 0);
        if (count <= 0)
            return false;
        if (descriptors[1].revents != 0)
            _wakeUp.Clear();
        return descriptors[0].revents != 0;
    }

    /// <summary>Tells the peers, frees everything native, and leaves the queue to those who still post.</summary>
    private void End()
    {
        _ = Accepted.End(static () => new ObjectDisposedException(nameof(ITransportEndpoint), "The endpoint was disposed."));
        ReadClock();
        RunWork(int.MaxValue);
        foreach (Connection connection in Routes.Connections.ToArray())
            connection.CloseWithCode(0);
        Sender.Flush();
        _ended = true;
        RunWorkAfterEnd();
        _socket.Dispose();
        _wakeUp.Dispose();
        _receiver.Dispose();
        Sender.Dispose();
        NativeMemory.Free(_localAddress);
        NativeMemory.Free(_path);
        Tls.Dispose();
        Pool.Dispose();
        _stopped.TrySetResult();
    }

    /// <summary>What is posted after the end finds ended connections and runs on the poster's thread.</summary>
    private void RunWorkAfterEnd()
    {
        Interlocked.MemoryBarrier();
        lock (_afterEnd)
            RunWork(int.MaxValue);
    }
}
