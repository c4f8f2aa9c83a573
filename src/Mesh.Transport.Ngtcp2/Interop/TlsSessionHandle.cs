using System.Runtime.InteropServices;

namespace EventMesh.Transport.Ngtcp2.Interop;

/// <summary>A GnuTLS session of one connection; it must outlive the connection's ngtcp2 object.</summary>
internal sealed unsafe class TlsSessionHandle : SafeHandle
{
    private readonly SafeHandle _credentials;

    private TlsSessionHandle(nint session, SafeHandle credentials)
        : base(0, ownsHandle: true)
    {
        // The session points into the credentials, which an endpoint's disposal must not free under it.
        _credentials = credentials;
        bool added = false;
        _credentials.DangerousAddRef(ref added);
        SetHandle(session);
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>The pointer for ngtcp2, which uses it until its connection is deleted.</summary>
    public nint Pointer => handle;

    /// <summary>Makes the session of a client or server.</summary>
    public static TlsSessionHandle Create(bool isServer, CredentialsHandle credentials, PriorityHandle priority, ReadOnlySpan<byte> protocol, ngtcp2_crypto_conn_ref* reference, void* verifyFunction)
    {
        // No tickets: a resumed session would skip the verification of the certificate. The client sends its
        // certificate whatever authorities the server names, because ours may be self-signed, and offers one key share,
        // since each peer knows its group: a second one costs a scalar multiplication in every dial.
        uint flags = Native.GNUTLS_NO_TICKETS | Native.GNUTLS_NO_END_OF_EARLY_DATA
            | (isServer ? Native.GNUTLS_SERVER | Native.GNUTLS_NO_AUTO_SEND_TICKET : Native.GNUTLS_CLIENT | Native.GNUTLS_FORCE_CLIENT_CERT | Native.GNUTLS_KEY_SHARE_TOP);
        nint session;
        Native.ThrowIfGnuTlsFailed(Native.gnutls_init(&session, flags), "starting a session");
        var created = new TlsSessionHandle(session, credentials);
        try
        {
            int configured = isServer
                ? Native.ngtcp2_crypto_gnutls_configure_server_session(session)
                : Native.ngtcp2_crypto_gnutls_configure_client_session(session);
            Native.ThrowIfGnuTlsFailed(configured, "configuring a QUIC session");
            Native.ThrowIfGnuTlsFailed(priority.Apply(session), "setting the priorities");
            Native.ThrowIfGnuTlsFailed(credentials.Attach(session), "setting the certificate");
            Native.gnutls_session_set_ptr(session, reference);
            if (!protocol.IsEmpty)
                SetProtocol(session, protocol);
            if (isServer)
            {
                Native.gnutls_certificate_server_set_request(session, Native.GNUTLS_CERT_REQUIRE);
                Native.gnutls_certificate_send_x509_rdn_sequence(session, 1);
            }
            Native.gnutls_session_set_verify_function(session, verifyFunction);
            return created;
        }
        catch
        {
            created.Dispose();
            throw;
        }
    }

    /// <summary>Whether both sides agreed on an application protocol.</summary>
    public bool HasProtocol
    {
        get
        {
            gnutls_datum_t selected;
            return Native.gnutls_alpn_get_selected_protocol(handle, &selected) == 0;
        }
    }

    protected override bool ReleaseHandle()
    {
        Native.gnutls_deinit(handle);
        _credentials.DangerousRelease();
        return true;
    }

    private static void SetProtocol(nint session, ReadOnlySpan<byte> protocol)
    {
        fixed (byte* name = protocol)
        {
            gnutls_datum_t datum = new() { data = name, size = (uint)protocol.Length };
            Native.ThrowIfGnuTlsFailed(Native.gnutls_alpn_set_protocols(session, &datum, 1, Native.GNUTLS_ALPN_MANDATORY), "setting the application protocol");
        }
    }
}
