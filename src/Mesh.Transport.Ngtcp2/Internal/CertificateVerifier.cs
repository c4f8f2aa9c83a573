using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EventMesh.Transport.Ngtcp2.Interop;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>
/// What GnuTLS calls with the peer's certificates, on the loop thread, after it has verified the peer's signature over the
/// handshake: a forged certificate never comes here.
/// </summary>
internal static unsafe class CertificateVerifier
{
    /// <summary>The function for <c>gnutls_session_set_verify_function</c>.</summary>
    public static void* Function => (delegate* unmanaged[Cdecl]<nint, int>)&OnVerify;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnVerify(nint session)
    {
        try
        {
            var reference = (ngtcp2_crypto_conn_ref*)Native.gnutls_session_get_ptr(session);
            uint count;
            gnutls_datum_t* peers = Native.gnutls_certificate_get_peers(session, &count);
            if (peers == null || count == 0)
                return Native.GNUTLS_E_CERTIFICATE_ERROR;
            var chain = new ReadOnlyMemory<byte>[count];
            for (int i = 0; i < chain.Length; i++)
                chain[i] = new ReadOnlySpan<byte>(peers[i].data, (int)peers[i].size).ToArray();
            // An error makes GnuTLS send the alert bad_certificate.
            return ConnectionHandle.Owner<Connection>(reference->user_data).VerifyPeer(chain) ? 0 : Native.GNUTLS_E_CERTIFICATE_ERROR;
        }
        catch (Exception)
        {
            // A certificate that can't be read or a decision that failed is a refusal.
            return Native.GNUTLS_E_CERTIFICATE_ERROR;
        }
    }
}
