using System.Runtime.InteropServices;

namespace EventMesh.Transport.Ngtcp2.Interop;

/// <summary>GnuTLS certificate credentials; read-only once made, so one serves all sessions of an endpoint.</summary>
internal sealed unsafe class CredentialsHandle : SafeHandle
{
    public CredentialsHandle()
        : base(0, ownsHandle: true)
    {
        nint credentials;
        Native.ThrowIfGnuTlsFailed(Native.gnutls_certificate_allocate_credentials(&credentials), "allocating credentials");
        SetHandle(credentials);
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>Sets the certificate chain and its private key, both PEM.</summary>
    /// <param name="chain">The certificates, our own first.</param>
    /// <param name="key">The private key, PKCS#8.</param>
    /// <param name="matchKey">Whether GnuTLS checks that the key belongs to the certificate.</param>
    public void SetKeyPair(ReadOnlySpan<byte> chain, ReadOnlySpan<byte> key, bool matchKey)
    {
        if (!matchKey)
            Native.gnutls_certificate_set_flags(handle, Native.GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
        fixed (byte* chainData = chain, keyData = key)
        {
            gnutls_datum_t chainDatum = new() { data = chainData, size = (uint)chain.Length };
            gnutls_datum_t keyDatum = new() { data = keyData, size = (uint)key.Length };
            int result = Native.gnutls_certificate_set_x509_key_mem2(handle, &chainDatum, &keyDatum, Native.GNUTLS_X509_FMT_PEM, null, 0);
            Native.ThrowIfGnuTlsFailed(result, "loading the node's certificate");
        }
    }

    /// <summary>Attaches these credentials to a session, which does not own them.</summary>
    public int Attach(nint session) => Native.gnutls_credentials_set(session, Native.GNUTLS_CRD_CERTIFICATE, handle);

    protected override bool ReleaseHandle()
    {
        Native.gnutls_certificate_free_credentials(handle);
        return true;
    }
}
