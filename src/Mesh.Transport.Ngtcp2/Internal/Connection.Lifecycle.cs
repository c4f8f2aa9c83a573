using System.Net;
using EventMesh.Identity;
using EventMesh.Transport.Ngtcp2.Interop;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>From the first packet to the last: dialling, accepting, handshake, end. Loop thread only.</summary>
internal sealed partial class Connection
{
    // Our own ids are 8 bytes; the first one of a client, which the server replaces, is longer so that nobody guesses it.
    private const int FirstDestinationIdLength = 18;

    private readonly TaskCompletionSource<Connection>? _dialled;
    private ConnectionHandle? _handle;
    private TlsOutcome _tls;
    private bool _handshakeCompleted;
    private bool _announced;
    private bool _owesEndOfHandshake;
    private bool _wasReset;
    private Exception? _callbackFailure;
    private ulong _sourcePrefix;
    private bool _countsAsUnvalidated;

    /// <summary>What managed code saw of the TLS handshake, which ngtcp2's error number does not tell.</summary>
    private enum TlsOutcome
    {
        Pending,
        RefusedByUs,
        Accepted,
    }

    /// <summary>Completes a dial; only dialling connections have it.</summary>
    internal Task<Connection> Dialled => _dialled!.Task;

    internal ConnectionHandle Handle => _handle!;

    /// <value>Whether the loop has it in this pass's list of connections with something to send.</value>
    internal bool IsReady { get; set; }

    nint INativeConnectionOwner.ConnectionPointer => _handle?.Pointer ?? 0;

    /// <summary>Gives a dial up: its caller is told at once, the connection goes on the loop thread.</summary>
    internal void CancelDial(CancellationToken cancellationToken)
    {
        if (_dialled!.TrySetCanceled(cancellationToken))
            _ = CloseAsync(0);
    }

    /// <summary>Sends the first packet of a dial.</summary>
    internal unsafe void Dial()
    {
        if (Interlocked.Read(ref _closeCode) != NoCode)
            return; // cancelled before its turn: Run ends it
        if (Loop.HasEnded)
        {
            End(Failure.EndpointDisposed, new TransportCloseInfo(MeshError.Aborted, null, Failure.EndpointDisposed.Message));
            return;
        }
        ngtcp2_cid destination;
        ngtcp2_cid source;
        Loop.Random.Fill(&destination, FirstDestinationIdLength);
        Loop.Random.Fill(&source, ConnectionId.OwnLength);
        byte* address = stackalloc byte[NativeAddress.MaxLength];
        ngtcp2_path path = new() { local = Loop.LocalAddress };
        path.remote.addr = address;
        path.remote.addrlen = NativeAddress.Write(address, RemoteEndPoint);
        ngtcp2_settings settings;
        ngtcp2_transport_params parameters;
        Settings.Apply(&settings, &parameters, Loop.Now);
        ConnectionParameters arguments = new()
        {
            DestinationId = &destination,
            SourceId = &source,
            Path = &path,
            Version = Native.NGTCP2_PROTO_VER_V1,
            Callbacks = ConnectionCallbacks.Client,
            Settings = &settings,
            TransportParameters = &parameters,
        };
        _handle = ConnectionHandle.CreateClient(this, Loop.Tls, arguments, out int error);
        _remote = NativeAddress.Read(address);
        if (_handle is null)
        {
            Failure failure = new(MeshError.Unreachable, $"The dial of {RemoteEndPoint} could not start: {Native.DescribeNgtcp2Error(error)}.");
            End(failure, new TransportCloseInfo(failure.Error, null, failure.Message));
            return;
        }
        Loop.Routes.Add(new ConnectionId(source.data, source.datalen), this);
        Start();
        Loop.MarkReady(this);
    }

    /// <summary>Makes the accepting end of a client's first packet; false when ngtcp2 refuses it.</summary>
    /// <param name="header">The packet's header.</param>
    /// <param name="path">Where it came from.</param>
    /// <param name="originalDestination">The destination id of the client's very first packet.</param>
    /// <param name="retried">Whether a Retry has proven the client's address.</param>
    internal unsafe bool Accept(ngtcp2_pkt_hd* header, ngtcp2_path* path, ngtcp2_cid* originalDestination, bool retried)
    {
        ngtcp2_cid source;
        Loop.Random.Fill(&source, ConnectionId.OwnLength);
        ngtcp2_settings settings;
        ngtcp2_transport_params parameters;
        Settings.Apply(&settings, &parameters, Loop.Now);
        parameters.original_dcid = *originalDestination;
        parameters.original_dcid_present = 1;
        if (retried)
        {
            parameters.retry_scid = header->dcid;
            parameters.retry_scid_present = 1;
            settings.token = header->token;
            settings.tokenlen = header->tokenlen;
            settings.token_type = Native.NGTCP2_TOKEN_TYPE_RETRY;
        }
        if (Loop.WriteResetToken(parameters.stateless_reset_token, &source))
            parameters.stateless_reset_token_present = 1;
        ConnectionParameters arguments = new()
        {
            DestinationId = &header->scid,
            SourceId = &source,
            Path = path,
            Version = header->version,
            Callbacks = ConnectionCallbacks.Server,
            Settings = &settings,
            TransportParameters = &parameters,
        };
        _handle = ConnectionHandle.CreateServer(this, Loop.Tls, arguments, out _);
        if (_handle is null)
        {
            Loop.Counters.ConnectionEnded();
            return false;
        }
        _sourcePrefix = NativeAddress.SourcePrefix(path->remote.addr);
        _countsAsUnvalidated = !retried;
        Loop.Admission.OnHandshakeStarted(_sourcePrefix, _countsAsUnvalidated);
        Loop.Routes.Add(new ConnectionId(source.data, source.datalen), this);
        Loop.Routes.Add(new ConnectionId(header->dcid.data, header->dcid.datalen), this);
        Start();
        return true;
    }

    internal override unsafe void Receive(ngtcp2_path* path, byte* packet, int length, ulong now)
    {
        try
        {
            Read(path, packet, length, now);
        }
        catch (Exception e)
        {
            Break(e);
        }
    }

    private unsafe void Read(ngtcp2_path* path, byte* packet, int length, ulong now)
    {
        if (_handle is null)
            return;
        Interlocked.Add(ref _bytesReceived, length);
        ConnectionCallbacks.Receiving = _openSends > 0 ? this : null;
        int error = _handle.ReadPacket(path, packet, length, now);
        ConnectionCallbacks.Receiving = null;
        if (error != 0)
        {
            OnError(error);
            return;
        }
        ApplyStops();
        FollowPeer(&path->remote);
        if (_handshakeCompleted && !_announced)
            Announce();
        Loop.MarkReady(this);
    }

    internal override void OnTimer(ulong now)
    {
        if (_handle is null)
            return;
        int error = _handle.HandleExpiry(now);
        if (error != 0)
            OnError(error);
        else
            Loop.MarkReady(this);
    }

    /// <summary>Judges the peer's certificate, inside GnuTLS's handshake. An exception refuses.</summary>
    internal bool VerifyPeer(IReadOnlyList<ReadOnlyMemory<byte>> chain)
    {
        _tls = TlsOutcome.RefusedByUs;
        PeerId peer = PeerId.FromPublicKey(CertificateReader.PublicKeyInfo(chain[0].Span));
        if (!Settings.VerifyPeer(new PeerCertificate(peer, chain, RemoteEndPoint, IsDialer)))
            return false;
        _peerId = peer;
        _peerCertificates = chain;
        _tls = TlsOutcome.Accepted;
        return true;
    }

    /// <summary>ngtcp2 has finished the handshake; whether it counts is ours to say.</summary>
    internal int OnHandshakeCompleted()
    {
        // GnuTLS's "mandatory" does not cover a peer that names no protocol at all, nor may a handshake end without a certificate.
        if (!Handle.HasProtocol || _tls != TlsOutcome.Accepted)
            return Native.NGTCP2_ERR_CALLBACK_FAILURE;
        _handshakeCompleted = true;
        return 0;
    }

    /// <summary>The peer has lost the connection, by a restart for instance (RFC 9000 10.3); ngtcp2 reports it like a close.</summary>
    internal void OnStatelessReset() => _wasReset = true;

    internal void OnCallbackFailure(Exception exception) => _callbackFailure ??= exception;

    /// <summary>Ends an open connection with our application code.</summary>
    internal unsafe void CloseWithCode(ulong code)
    {
        // A server that lacks our end of the handshake can't read the code (RFC 9000 10.2.3), nor does it tell anyone of the connection.
        if (_owesEndOfHandshake)
            WritePackets(Loop.Now);
        if (_handle is null)
            return;
        ngtcp2_ccerr error;
        Native.ngtcp2_ccerr_default(&error);
        Native.ngtcp2_ccerr_set_application_error(&error, code, null, 0);
        string detail = $"Closed on this side with code {code}.";
        Close(&error, new Failure(MeshError.Aborted, detail), new TransportCloseInfo(MeshError.Aborted, code, detail));
    }

    /// <summary>Ends a connection whose handling has failed on our side, so that the others go on.</summary>
    internal unsafe void Break(Exception exception)
    {
        Loop.Log.CallbackFailed(exception);
        if (_handle is null)
            return;
        ngtcp2_ccerr error;
        Native.ngtcp2_ccerr_default(&error);
        Native.ngtcp2_ccerr_set_transport_error(&error, Native.NGTCP2_INTERNAL_ERROR, null, 0);
        const string Detail = "The connection failed on this side; the log says why.";
        Close(&error, new Failure(MeshError.ConnectionLost, Detail), new TransportCloseInfo(MeshError.ConnectionLost, null, Detail));
    }

    private void Start()
    {
        if (Settings.KeepAliveInterval > 0)
            Handle.SetKeepAlive(Settings.KeepAliveInterval);
    }

    /// <summary>Offers the connection to who accepts; refuses it when too many wait.</summary>
    internal unsafe void Offer()
    {
        if (Loop.Accepted.TryAdd(this, Settings.AcceptBacklog))
            return;
        Loop.Accepted.RemoveWhere(static connection => connection.Ended is not null);
        if (_handle is null || Loop.Accepted.TryAdd(this, Settings.AcceptBacklog))
            return;
        Loop.Counters.Refused++;
        ngtcp2_ccerr error;
        Native.ngtcp2_ccerr_default(&error);
        Native.ngtcp2_ccerr_set_transport_error(&error, Native.NGTCP2_CONNECTION_REFUSED, null, 0);
        const string Detail = "Refused: too many connections wait to be accepted.";
        Close(&error, new Failure(MeshError.Aborted, Detail), new TransportCloseInfo(MeshError.Aborted, null, Detail));
    }

    /// <summary>The handshake counts: the dialer goes on at once, who accepts after the packets that the peer waits for.</summary>
    private void Announce()
    {
        _announced = true;
        if (_dialled is not null)
        {
            _owesEndOfHandshake = true;
            _dialled.TrySetResult(this);
            return;
        }
        Loop.Admission.OnHandshakeEnded(_sourcePrefix, _countsAsUnvalidated);
        Loop.OfferLater(this);
    }

    private void OnError(int error)
    {
        if (_callbackFailure is not null)
            Loop.Log.CallbackFailed(_callbackFailure);
        CloseReason reason = CloseReason.FromLibrary(Handle, error, new HandshakeView(_announced, _tls == TlsOutcome.RefusedByUs, _wasReset, RemoteEndPoint));
        if (!reason.SendsClose)
        {
            ulong linger = reason.Drains ? 3 * Handle.ProbeTimeout : 0;
            Finish(reason.Failure, reason.Info, closePacket: null, linger);
            return;
        }
        unsafe
        {
            ngtcp2_ccerr close = reason.Close;
            Close(&close, reason.Failure, reason.Info);
        }
    }

    /// <summary>Sends CONNECTION_CLOSE and ends.</summary>
    private unsafe void Close(ngtcp2_ccerr* error, Failure failure, TransportCloseInfo info)
    {
        byte* packet = stackalloc byte[DatagramSender.MaxDatagram];
        ngtcp2_path* path = Loop.Path;
        nint length = Handle.WriteClose(path, packet, DatagramSender.MaxDatagram, error, Loop.Now);
        byte[]? copy = null;
        if (length > 0)
        {
            copy = new ReadOnlySpan<byte>(packet, (int)length).ToArray();
            Loop.Sender.SendNow(path->remote, copy);
        }
        Finish(failure, info, copy, 3 * Handle.ProbeTimeout);
    }

    /// <summary>Frees ngtcp2's half and leaves what answers late packets in its place.</summary>
    private void Finish(Failure failure, TransportCloseInfo info, byte[]? closePacket, ulong linger)
    {
        if (!_announced && !IsDialer)
            Loop.Admission.OnHandshakeEnded(_sourcePrefix, _countsAsUnvalidated);
        Loop.Timers.Remove(this);
        if (linger > 0)
            Loop.Linger(this, closePacket, linger);
        else
            Loop.Routes.Remove(this);
        End(failure, info);
    }

    /// <summary>Tells everybody who waits.</summary>
    private void End(Failure failure, TransportCloseInfo info)
    {
        Volatile.Write(ref _ended, failure);
        _handle?.Dispose();
        _handle = null;
        EndStreams(failure);
        _dialled?.TrySetException(failure.ToException());
        Loop.Counters.ConnectionEnded();
        _closed.TrySetResult(info);
    }

    /// <summary>Publishes the peer's address when it has changed (RFC 9000 9.3).</summary>
    private unsafe void FollowPeer(ngtcp2_addr* from)
    {
        if (!_announced)
            return;
        if (_remoteLength == from->addrlen && new ReadOnlySpan<byte>(from->addr, (int)from->addrlen).SequenceEqual(_remoteBytes[..(int)_remoteLength]))
            return;
        ngtcp2_addr current = Handle.Path->remote;
        bool first = _remoteLength == 0;
        _remoteLength = current.addrlen;
        new ReadOnlySpan<byte>(current.addr, (int)current.addrlen).CopyTo(_remoteBytes);
        if (!first)
            Volatile.Write(ref _remote, NativeAddress.Read(current.addr));
    }

    // The raw form of the peer's address, compared with each datagram's.
    private RemoteBytes _remoteBytes;
    private uint _remoteLength;

    [System.Runtime.CompilerServices.InlineArray(NativeAddress.MaxLength)]
    private struct RemoteBytes
    {
        private byte _first;
    }
}
