using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EventMesh.Transport.Ngtcp2.Interop;

/// <summary>
/// An <c>ngtcp2_conn</c> with its TLS session and the native block through which callbacks find the managed owner.
/// Only the loop thread uses it, and never disposes it inside a callback of the same connection.
/// </summary>
internal sealed unsafe class ConnectionHandle : SafeHandle
{
    // Native memory, because GnuTLS keeps its address for as long as the session lives.
    private readonly ngtcp2_crypto_conn_ref* _reference;
    private readonly TlsSessionHandle _session;
    private GCHandle _owner;

    private ConnectionHandle(object owner, bool isServer, CredentialsHandle credentials, PriorityHandle priority, ReadOnlySpan<byte> protocol, void* verifyFunction)
        : base(0, ownsHandle: true)
    {
        _owner = GCHandle.Alloc(owner);
        _reference = (ngtcp2_crypto_conn_ref*)NativeMemory.AllocZeroed((nuint)sizeof(ngtcp2_crypto_conn_ref));
        _reference->get_conn = (delegate* unmanaged[Cdecl]<ngtcp2_crypto_conn_ref*, nint>)&GetConnection;
        _reference->user_data = (void*)GCHandle.ToIntPtr(_owner);
        try
        {
            _session = TlsSessionHandle.Create(isServer, credentials, priority, protocol, _reference, verifyFunction);
        }
        catch
        {
            ReleaseReference();
            throw;
        }
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>Whether the handshake agreed on an application protocol.</summary>
    public bool HasProtocol => _session.HasProtocol;

    /// <summary>The nanosecond at which <see cref="HandleExpiry"/> is due.</summary>
    public ulong Expiry => Native.ngtcp2_conn_get_expiry(handle);

    /// <summary>The probe timeout, nanoseconds (RFC 9002 6.2).</summary>
    public ulong ProbeTimeout => Native.ngtcp2_conn_get_pto(handle);

    /// <summary>What the peer's connection window still takes, bytes.</summary>
    public ulong MaxDataLeft => Native.ngtcp2_conn_get_max_data_left(handle);

    /// <summary>How much may be sent in one go, bytes.</summary>
    public long SendQuantum => (long)Native.ngtcp2_conn_get_send_quantum(handle);

    /// <summary>The TLS alert that ended the handshake on our side.</summary>
    public byte TlsAlert => Native.ngtcp2_conn_get_tls_alert(handle);

    /// <summary>The peer's CONNECTION_CLOSE, once read.</summary>
    public ngtcp2_ccerr* PeerClose => Native.ngtcp2_conn_get_ccerr(handle);

    /// <summary>The current path.</summary>
    public ngtcp2_path* Path => Native.ngtcp2_conn_get_path(handle);

    /// <summary>The managed owner behind the user data of a callback.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Owner<T>(void* userData)
        where T : class => Unsafe.As<T>(GCHandle.FromIntPtr((nint)userData).Target!);

    /// <summary>Makes the dialling end; null with the library's error when it refuses.</summary>
    public static ConnectionHandle? CreateClient(object owner, TlsParameters tls, in ConnectionParameters parameters, out int error) =>
        Create(owner, isServer: false, tls, parameters, out error);

    /// <summary>Makes the accepting end; null with the library's error when it refuses.</summary>
    public static ConnectionHandle? CreateServer(object owner, TlsParameters tls, in ConnectionParameters parameters, out int error) =>
        Create(owner, isServer: true, tls, parameters, out error);

    public void SetKeepAlive(ulong nanoseconds) => Native.ngtcp2_conn_set_keep_alive_timeout(handle, nanoseconds);

    public int ReadPacket(ngtcp2_path* path, byte* packet, int length, ulong now)
    {
        ngtcp2_pkt_info info = default;
        return Native.ngtcp2_conn_read_pkt_versioned(handle, path, Native.NGTCP2_PKT_INFO_VERSION, &info, packet, (nuint)length, now);
    }

    public nint WriteStream(ngtcp2_path* path, byte* destination, int capacity, nint* accepted, uint flags, long streamId, ngtcp2_vec* vector, int count, ulong now)
    {
        ngtcp2_pkt_info info;
        return Native.ngtcp2_conn_writev_stream_versioned(
            handle, path, Native.NGTCP2_PKT_INFO_VERSION, &info, destination, (nuint)capacity, accepted, flags, streamId, vector, (nuint)count, now);
    }

    public nint WriteClose(ngtcp2_path* path, byte* destination, int capacity, ngtcp2_ccerr* error, ulong now)
    {
        ngtcp2_pkt_info info;
        return Native.ngtcp2_conn_write_connection_close_versioned(
            handle, path, Native.NGTCP2_PKT_INFO_VERSION, &info, destination, (nuint)capacity, error, now);
    }

    public int HandleExpiry(ulong now) => Native.ngtcp2_conn_handle_expiry(handle, now);

    public void UpdateTransmitTime(ulong now) => Native.ngtcp2_conn_update_pkt_tx_time(handle, now);

    public int OpenStream(bool unidirectional, out long id, int slot)
    {
        long value = -1;
        int result = unidirectional
            ? Native.ngtcp2_conn_open_uni_stream(handle, &value, (void*)slot)
            : Native.ngtcp2_conn_open_bidi_stream(handle, &value, (void*)slot);
        id = value;
        return result;
    }

    public void SetStreamSlot(long id, int slot) => _ = Native.ngtcp2_conn_set_stream_user_data(handle, id, (void*)slot);

    public void ShutdownStreamWrite(long id, ulong code) => _ = Native.ngtcp2_conn_shutdown_stream_write(handle, 0, id, code);

    public void ShutdownStreamRead(long id, ulong code) => _ = Native.ngtcp2_conn_shutdown_stream_read(handle, 0, id, code);

    public void ExtendStreamWindow(long id, long bytes) => _ = Native.ngtcp2_conn_extend_max_stream_offset(handle, id, (ulong)bytes);

    public void ExtendConnectionWindow(long bytes) => Native.ngtcp2_conn_extend_max_offset(handle, (ulong)bytes);

    public void ExtendStreamLimit(bool unidirectional, long count)
    {
        if (unidirectional)
            Native.ngtcp2_conn_extend_max_streams_uni(handle, (nuint)count);
        else
            Native.ngtcp2_conn_extend_max_streams_bidi(handle, (nuint)count);
    }

    public ngtcp2_conn_info GetInfo()
    {
        ngtcp2_conn_info info;
        Native.ngtcp2_conn_get_conn_info_versioned(handle, Native.NGTCP2_CONN_INFO_VERSION, &info);
        return info;
    }

    protected override bool ReleaseHandle()
    {
        // ngtcp2 uses the TLS session until the end, so it goes first.
        Native.ngtcp2_conn_del(handle);
        ReleaseReference();
        return true;
    }

    private static ConnectionHandle? Create(object owner, bool isServer, TlsParameters tls, in ConnectionParameters parameters, out int error)
    {
        var created = new ConnectionHandle(owner, isServer, tls.Credentials, tls.Priority, tls.Protocol.Span, tls.VerifyFunction);
        nint connection = 0;
        void* userData = created._reference->user_data;
        error = isServer
            ? Native.ngtcp2_conn_server_new_versioned(
                &connection, parameters.DestinationId, parameters.SourceId, parameters.Path, parameters.Version,
                Native.NGTCP2_CALLBACKS_VERSION, parameters.Callbacks, Native.NGTCP2_SETTINGS_VERSION, parameters.Settings,
                Native.NGTCP2_TRANSPORT_PARAMS_VERSION, parameters.TransportParameters, null, userData)
            : Native.ngtcp2_conn_client_new_versioned(
                &connection, parameters.DestinationId, parameters.SourceId, parameters.Path, parameters.Version,
                Native.NGTCP2_CALLBACKS_VERSION, parameters.Callbacks, Native.NGTCP2_SETTINGS_VERSION, parameters.Settings,
                Native.NGTCP2_TRANSPORT_PARAMS_VERSION, parameters.TransportParameters, null, userData);
        if (error != 0)
        {
            created.ReleaseReference();
            created.SetHandleAsInvalid();
            return null;
        }
        created.SetHandle(connection);
        Native.ngtcp2_conn_set_tls_native_handle(connection, created._session.Pointer);
        return created;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint GetConnection(ngtcp2_crypto_conn_ref* reference) => Owner<INativeConnectionOwner>(reference->user_data).ConnectionPointer;

    /// <summary>For the callback above only: GnuTLS asks for the connection while it computes.</summary>
    internal nint Pointer => handle;

    private void ReleaseReference()
    {
        _session?.Dispose();
        NativeMemory.Free(_reference);
        _owner.Free();
    }
}
