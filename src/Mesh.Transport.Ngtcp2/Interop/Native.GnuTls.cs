using System.Runtime.InteropServices;

namespace EventMesh.Transport.Ngtcp2.Interop;

/// <summary>libgnutls.</summary>
internal static unsafe partial class Native
{
    public const string GnuTlsLibrary = "libgnutls.so.30";

    [LibraryImport(GnuTlsLibrary)]
    public static partial byte* gnutls_check_version(byte* req_version);

    [LibraryImport(GnuTlsLibrary)]
    public static partial int gnutls_certificate_allocate_credentials(nint* credentials);

    [LibraryImport(GnuTlsLibrary)]
    public static partial void gnutls_certificate_free_credentials(nint credentials);

    [LibraryImport(GnuTlsLibrary)]
    public static partial int gnutls_certificate_set_x509_key_mem2(
        nint credentials, gnutls_datum_t* cert, gnutls_datum_t* key, int type, byte* pass, uint flags);

    [LibraryImport(GnuTlsLibrary)]
    public static partial void gnutls_certificate_set_flags(nint credentials, uint flags);

    [LibraryImport(GnuTlsLibrary)]
    public static partial int gnutls_init(nint* session, uint flags);

    [LibraryImport(GnuTlsLibrary)]
    public static partial void gnutls_deinit(nint session);

    [LibraryImport(GnuTlsLibrary)]
    public static partial int gnutls_priority_init(nint* priority_cache, byte* priorities, byte** err_pos);

    [LibraryImport(GnuTlsLibrary)]
    public static partial void gnutls_priority_deinit(nint priority_cache);

    [LibraryImport(GnuTlsLibrary)]
    public static partial int gnutls_priority_set(nint session, nint priority);

    [LibraryImport(GnuTlsLibrary)]
    public static partial int gnutls_credentials_set(nint session, int type, nint credentials);

    [LibraryImport(GnuTlsLibrary)]
    public static partial void gnutls_session_set_ptr(nint session, void* pointer);

    [LibraryImport(GnuTlsLibrary)]
    public static partial void* gnutls_session_get_ptr(nint session);

    [LibraryImport(GnuTlsLibrary)]
    public static partial int gnutls_alpn_set_protocols(nint session, gnutls_datum_t* protocols, uint protocols_size, uint flags);

    [LibraryImport(GnuTlsLibrary)]
    public static partial int gnutls_alpn_get_selected_protocol(nint session, gnutls_datum_t* protocol);

    [LibraryImport(GnuTlsLibrary)]
    public static partial void gnutls_certificate_server_set_request(nint session, int req);

    [LibraryImport(GnuTlsLibrary)]
    public static partial void gnutls_certificate_send_x509_rdn_sequence(nint session, int status);

    [LibraryImport(GnuTlsLibrary)]
    public static partial void gnutls_session_set_verify_function(nint session, void* func);

    [LibraryImport(GnuTlsLibrary)]
    public static partial gnutls_datum_t* gnutls_certificate_get_peers(nint session, uint* list_size);

    [LibraryImport(GnuTlsLibrary)]
    public static partial byte* gnutls_strerror(int error);

    [LibraryImport(GnuTlsLibrary)]
    public static partial byte* gnutls_alert_get_name(int alert);

    /// <summary>Throws when a call failed that only a broken installation or a bad certificate makes fail.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.TransportUnavailable"/>.</exception>
    public static void ThrowIfGnuTlsFailed(int result, string what)
    {
        if (result < 0)
            throw new MeshException(MeshError.TransportUnavailable, $"GnuTLS: {what} failed: {Marshal.PtrToStringUTF8((nint)gnutls_strerror(result))}");
    }

    /// <summary>The name of a TLS alert for people, with its number (RFC 8446 6).</summary>
    public static string DescribeAlert(int alert) => $"{Marshal.PtrToStringUTF8((nint)gnutls_alert_get_name(alert)) ?? "unknown"} ({alert})";
}
