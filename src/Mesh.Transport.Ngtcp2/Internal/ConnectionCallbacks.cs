using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using EventMesh.Transport.Ngtcp2.Interop;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>
/// The tables of functions that ngtcp2 calls, on the loop thread, from inside our calls to it. They catch everything, because no
/// exception may cross native frames, and they only take notes and move bytes: the application's code never runs here.
/// </summary>
internal static unsafe class ConnectionCallbacks
{
    private static readonly nint CryptoLibrary = NativeLibrary.Load(Native.CryptoLibrary);
    private static readonly delegate* unmanaged[Cdecl]<byte*, void*, void*, byte*, nuint, byte*, nuint, byte*, nuint, int> NativeDecrypt =
        (delegate* unmanaged[Cdecl]<byte*, void*, void*, byte*, nuint, byte*, nuint, byte*, nuint, int>)Export("ngtcp2_crypto_decrypt_cb");

    // The decryption callback does not say for whom; the loop thread notes it before each packet that matters.
    [ThreadStatic]
    private static Connection? _receiving;

    /// <summary>The callbacks of a dialling connection; the table lives as long as the process.</summary>
    public static ngtcp2_callbacks* Client { get; } = Create(isServer: false);

    /// <summary>The callbacks of an accepting connection; the table lives as long as the process.</summary>
    public static ngtcp2_callbacks* Server { get; } = Create(isServer: true);

    /// <value>The connection whose packet is being read, when it has streams that the peer may stop.</value>
    public static Connection? Receiving
    {
        get => _receiving;
        set => _receiving = value;
    }

    private static ngtcp2_callbacks* Create(bool isServer)
    {
        var table = (ngtcp2_callbacks*)NativeMemory.AllocZeroed((nuint)sizeof(ngtcp2_callbacks));
        if (isServer)
        {
            table->recv_client_initial = Export("ngtcp2_crypto_recv_client_initial_cb");
        }
        else
        {
            table->client_initial = Export("ngtcp2_crypto_client_initial_cb");
            table->recv_retry = Export("ngtcp2_crypto_recv_retry_cb");
        }
        table->recv_crypto_data = Export("ngtcp2_crypto_recv_crypto_data_cb");
        table->encrypt = Export("ngtcp2_crypto_encrypt_cb");
        table->decrypt = (delegate* unmanaged[Cdecl]<byte*, void*, void*, byte*, nuint, byte*, nuint, byte*, nuint, int>)&OnDecrypt;
        table->hp_mask = Export("ngtcp2_crypto_hp_mask_cb");
        table->update_key = Export("ngtcp2_crypto_update_key_cb");
        table->delete_crypto_aead_ctx = Export("ngtcp2_crypto_delete_crypto_aead_ctx_cb");
        table->delete_crypto_cipher_ctx = Export("ngtcp2_crypto_delete_crypto_cipher_ctx_cb");
        table->get_path_challenge_data = Export("ngtcp2_crypto_get_path_challenge_data_cb");
        table->version_negotiation = Export("ngtcp2_crypto_version_negotiation_cb");
        table->rand = (delegate* unmanaged[Cdecl]<byte*, nuint, void*, void>)&OnRandom;
        table->get_new_connection_id = (delegate* unmanaged[Cdecl]<nint, ngtcp2_cid*, byte*, nuint, void*, int>)&OnNewConnectionId;
        table->remove_connection_id = (delegate* unmanaged[Cdecl]<nint, ngtcp2_cid*, void*, int>)&OnRemoveConnectionId;
        table->dcid_status = (delegate* unmanaged[Cdecl]<nint, int, ulong, ngtcp2_cid*, byte*, void*, int>)&OnDestinationIdStatus;
        table->handshake_completed = (delegate* unmanaged[Cdecl]<nint, void*, int>)&OnHandshakeCompleted;
        table->recv_stateless_reset = (delegate* unmanaged[Cdecl]<nint, void*, void*, int>)&OnStatelessReset;
        table->stream_open = (delegate* unmanaged[Cdecl]<nint, long, void*, int>)&OnStreamOpen;
        table->recv_stream_data = (delegate* unmanaged[Cdecl]<nint, uint, long, ulong, byte*, nuint, void*, void*, int>)&OnStreamData;
        table->acked_stream_data_offset = (delegate* unmanaged[Cdecl]<nint, long, ulong, ulong, void*, void*, int>)&OnAcknowledged;
        table->stream_reset = (delegate* unmanaged[Cdecl]<nint, long, ulong, ulong, void*, void*, int>)&OnStreamReset;
        table->stream_close = (delegate* unmanaged[Cdecl]<nint, uint, long, ulong, void*, void*, int>)&OnStreamClose;
        table->extend_max_stream_data = (delegate* unmanaged[Cdecl]<nint, long, ulong, void*, void*, int>)&OnStreamWindow;
        table->extend_max_local_streams_bidi = (delegate* unmanaged[Cdecl]<nint, ulong, void*, int>)&OnBidirectionalLimit;
        table->extend_max_local_streams_uni = (delegate* unmanaged[Cdecl]<nint, ulong, void*, int>)&OnUnidirectionalLimit;
        return table;
    }

    private static void* Export(string name) => (void*)NativeLibrary.GetExport(CryptoLibrary, name);

    private static Connection Owner(void* userData) => ConnectionHandle.Owner<Connection>(userData);

    private static int Failed(void* userData, Exception exception)
    {
        Owner(userData).OnCallbackFailure(exception);
        return Native.NGTCP2_ERR_CALLBACK_FAILURE;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnRandom(byte* destination, nuint length, void* context) =>
        RandomNumberGenerator.Fill(new Span<byte>(destination, (int)length));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnDecrypt(byte* destination, void* aead, void* context, byte* ciphertext, nuint length, byte* nonce, nuint nonceLength, byte* data, nuint dataLength)
    {
        int result = NativeDecrypt(destination, aead, context, ciphertext, length, nonce, nonceLength, data, dataLength);
        if (result == 0 && _receiving is { } connection && length > AeadTagLength)
            StopSendingScanner.Scan(new ReadOnlySpan<byte>(destination, (int)length - AeadTagLength), connection, static (to, stream, code) => to.NoteStop(stream, code));
        return result;
    }

    // All ciphers of QUIC v1 have it (RFC 9001 5.3).
    private const int AeadTagLength = 16;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnNewConnectionId(nint connection, ngtcp2_cid* id, byte* token, nuint length, void* userData)
    {
        try
        {
            Connection owner = Owner(userData);
            owner.Loop.Random.Fill(id, (int)length);
            if (!owner.Loop.WriteResetToken(token, id))
                return Native.NGTCP2_ERR_CALLBACK_FAILURE;
            owner.Loop.Routes.Add(new ConnectionId(id->data, length), owner);
            return 0;
        }
        catch (Exception e)
        {
            return Failed(userData, e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnRemoveConnectionId(nint connection, ngtcp2_cid* id, void* userData)
    {
        try
        {
            Connection owner = Owner(userData);
            owner.Loop.Routes.Remove(new ConnectionId(id->data, id->datalen), owner);
            return 0;
        }
        catch (Exception e)
        {
            return Failed(userData, e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnDestinationIdStatus(nint connection, int status, ulong sequence, ngtcp2_cid* id, byte* token, void* userData)
    {
        try
        {
            if (token == null)
                return 0;
            Connection owner = Owner(userData);
            var key = new ConnectionId(token, Native.NGTCP2_STATELESS_RESET_TOKENLEN);
            if (status == Native.NGTCP2_CONNECTION_ID_STATUS_TYPE_ACTIVATE)
                owner.Loop.Routes.AddResetToken(key, owner);
            else
                owner.Loop.Routes.RemoveResetToken(key, owner);
            return 0;
        }
        catch (Exception e)
        {
            return Failed(userData, e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnHandshakeCompleted(nint connection, void* userData)
    {
        try
        {
            return Owner(userData).OnHandshakeCompleted();
        }
        catch (Exception e)
        {
            return Failed(userData, e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnStatelessReset(nint connection, void* reset, void* userData)
    {
        Owner(userData).OnStatelessReset();
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnStreamOpen(nint connection, long id, void* userData)
    {
        try
        {
            Owner(userData).OnPeerOpened(id);
            return 0;
        }
        catch (Exception e)
        {
            return Failed(userData, e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnStreamData(nint connection, uint flags, long id, ulong offset, byte* data, nuint length, void* userData, void* streamData)
    {
        try
        {
            Connection owner = Owner(userData);
            if (owner.Loop.Streams.Find(streamData) is { } stream)
                owner.OnStreamData(stream, new ReadOnlySpan<byte>(data, (int)length), (flags & Native.NGTCP2_STREAM_DATA_FLAG_FIN) != 0);
            return 0;
        }
        catch (Exception e)
        {
            return Failed(userData, e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnAcknowledged(nint connection, long id, ulong offset, ulong length, void* userData, void* streamData)
    {
        try
        {
            Connection owner = Owner(userData);
            if (owner.Loop.Streams.Find(streamData) is { Send: { } send } stream && send.OnAcknowledged((long)offset, (long)length))
                owner.OnUncertainAcknowledgement(stream);
            return 0;
        }
        catch (Exception e)
        {
            return Failed(userData, e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnStreamReset(nint connection, long id, ulong finalSize, ulong code, void* userData, void* streamData)
    {
        try
        {
            Connection owner = Owner(userData);
            if (owner.Loop.Streams.Find(streamData) is { } stream)
                owner.OnStreamReset(stream, code);
            return 0;
        }
        catch (Exception e)
        {
            return Failed(userData, e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnStreamClose(nint connection, uint flags, long id, ulong code, void* userData, void* streamData)
    {
        try
        {
            Connection owner = Owner(userData);
            if (owner.Loop.Streams.Find(streamData) is { } stream)
                owner.OnStreamClosed(stream, (flags & Native.NGTCP2_STREAM_CLOSE_FLAG_APP_ERROR_CODE_SET) != 0 ? code : null);
            return 0;
        }
        catch (Exception e)
        {
            return Failed(userData, e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnStreamWindow(nint connection, long id, ulong maxData, void* userData, void* streamData)
    {
        try
        {
            Connection owner = Owner(userData);
            if (owner.Loop.Streams.Find(streamData) is { } stream)
                owner.OnStreamWindow(stream);
            return 0;
        }
        catch (Exception e)
        {
            return Failed(userData, e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnBidirectionalLimit(nint connection, ulong limit, void* userData) => OnLimit(unidirectional: false, limit, userData);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnUnidirectionalLimit(nint connection, ulong limit, void* userData) => OnLimit(unidirectional: true, limit, userData);

    private static int OnLimit(bool unidirectional, ulong limit, void* userData)
    {
        try
        {
            Owner(userData).OnStreamLimit(unidirectional, limit);
            return 0;
        }
        catch (Exception e)
        {
            return Failed(userData, e);
        }
    }
}
