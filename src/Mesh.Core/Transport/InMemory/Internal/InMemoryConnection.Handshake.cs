namespace EventMesh.Transport.InMemory.Internal;

/// <summary>
/// The handshake takes the round trips of the real one: Initial and Retry, then Initial, the server's flight and the client's.
/// As in TLS 1.3 the dialer is connected before the listener has judged its certificate.
/// </summary>
internal sealed partial class InMemoryConnection
{
    private readonly List<Packet> _early = [];
    private Waiter<ITransportConnection>? _connecting;
    private bool _isHandshaking = true;

    public Task<ITransportConnection> DialAsync(CancellationToken cancellationToken)
    {
        lock (Mutex)
        {
            var waiter = new Waiter<ITransportConnection>(Scheduler);
            _connecting = waiter;
            waiter.CancelledBy(CancelDial, cancellationToken);
            if (HasEnded)
                return waiter.Task;
            ScheduleHandshakeLimit();
            Send(new Packet(this, PacketKind.Initial));
            return waiter.Task;
        }
    }

    /// <summary>The listener's part of the dialer's first packet.</summary>
    public void OnInitial(Packet packet)
    {
        // The callback runs without our lock: it is the caller's code.
        bool isAdmitted = IsSourceAdmitted();
        lock (Mutex)
        {
            if (HasEnded || packet.Sender.HasEnded)
                return;
            CountReceived(packet);
            if (!isAdmitted)
            {
                Refuse(new TransportCloseInfo(MeshError.ClosedByPeer, null, "The listener does not admit the address (CONNECTION_REFUSED)."));
                return;
            }
            bool isValidated = packet.Code != 0;
            if (!isValidated)
                ScheduleHandshakeLimit();
            if (Options.Retry == RetryMode.Always && !isValidated)
                Send(new Packet(this, PacketKind.Retry));
            else if (PeerOptions.ApplicationProtocol != Options.ApplicationProtocol)
                Refuse(new TransportCloseInfo(MeshError.ProtocolMismatch, null, "The peer does not speak our application protocol (TLS alert no_application_protocol)."));
            else
                Send(new Packet(this, PacketKind.ServerHandshake));
        }
    }

    private void OnRetry()
    {
        lock (Mutex)
        {
            if (!HasEnded)
                Send(new Packet(this, PacketKind.Initial) { Code = 1 });
        }
    }

    private void OnServerHandshake(Packet packet)
    {
        // The callback runs without our lock: it is the caller's code.
        bool isAccepted = IsPeerAccepted();
        lock (Mutex)
        {
            if (HasEnded)
                return;
            CountReceived(packet);
            if (!isAccepted)
            {
                Refuse(new TransportCloseInfo(MeshError.CertificateRefused, null, "The dialer refused the listener's certificate."));
                return;
            }
            Open();
            Send(new Packet(this, PacketKind.ClientHandshake));
            _connecting?.Succeed(this);
            _connecting = null;
        }
    }

    private void OnClientHandshake(Packet packet)
    {
        bool isAccepted = IsPeerAccepted();
        lock (Mutex)
        {
            if (HasEnded)
                return;
            CountReceived(packet);
            if (!isAccepted)
            {
                Refuse(new TransportCloseInfo(MeshError.CertificateRefused, null, "The listener refused the dialer's certificate."));
                return;
            }
            Open();
            if (!Endpoint.Offer(this))
            {
                Refuse(new TransportCloseInfo(MeshError.ClosedByPeer, null, "The listener's backlog is full (CONNECTION_REFUSED)."));
                return;
            }
            foreach (Packet early in _early)
                Process(early);
            _early.Clear();
        }
    }

    private bool IsPeerAccepted()
    {
        try
        {
            return Options.VerifyPeer(new PeerCertificate(PeerId, Peer!.Endpoint.Chain, RemoteEndPoint, IsDialer));
        }
        catch (Exception)
        {
            // A decision that could not be made is a refusal.
            return false;
        }
    }

    private bool IsSourceAdmitted()
    {
        try
        {
            return Options.AdmitSource?.Invoke(RemoteEndPoint.Address) ?? true;
        }
        catch (Exception)
        {
            // A decision that could not be made is a refusal.
            return false;
        }
    }

    private void Refuse(TransportCloseInfo reason) => End(reason, reason);

    private void Open()
    {
        _isHandshaking = false;
        SetLimits();
        StartTimers();
    }

    private void CancelDial(Waiter<ITransportConnection> waiter)
    {
        lock (Mutex)
        {
            if (_connecting != waiter)
                return;
            _connecting = null;
            waiter.Cancel();
            Close(0);
        }
    }

    private void ScheduleHandshakeLimit() =>
        Scheduler.Schedule(new HandshakeLimit(this), Scheduler.Now + Options.HandshakeTimeout.Ticks);

    private void OnHandshakeLimit()
    {
        lock (Mutex)
        {
            if (_isHandshaking)
            {
                End(new TransportCloseInfo(MeshError.Unreachable, null, $"{RemoteEndPoint} did not answer within {Options.HandshakeTimeout.TotalSeconds:0.###} s."),
                    forPeer: null);
            }
        }
    }

    private sealed class HandshakeLimit(InMemoryConnection connection) : IScheduledWork
    {
        public void Run() => connection.OnHandshakeLimit();
    }
}
