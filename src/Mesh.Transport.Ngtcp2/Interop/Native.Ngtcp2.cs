using System.Runtime.InteropServices;

namespace EventMesh.Transport.Ngtcp2.Interop;

/// <summary>libngtcp2 and its GnuTLS glue. The short ones that never call back suppress the GC transition.</summary>
internal static unsafe partial class Native
{
    public const string Ngtcp2Library = "libngtcp2.so.16";
    public const string CryptoLibrary = "libngtcp2_crypto_gnutls.so.8";

    [LibraryImport(Ngtcp2Library)]
    public static partial ngtcp2_info* ngtcp2_version(int least_version);

    [LibraryImport(Ngtcp2Library)]
    public static partial byte* ngtcp2_strerror(int liberr);

    [LibraryImport(Ngtcp2Library)]
    public static partial void ngtcp2_settings_default_versioned(int settings_version, ngtcp2_settings* settings);

    [LibraryImport(Ngtcp2Library)]
    public static partial void ngtcp2_transport_params_default_versioned(int transport_params_version, ngtcp2_transport_params* parameters);

    [LibraryImport(Ngtcp2Library)]
    public static partial int ngtcp2_conn_client_new_versioned(
        nint* pconn, ngtcp2_cid* dcid, ngtcp2_cid* scid, ngtcp2_path* path, uint client_chosen_version,
        int callbacks_version, ngtcp2_callbacks* callbacks, int settings_version, ngtcp2_settings* settings,
        int transport_params_version, ngtcp2_transport_params* parameters, void* mem, void* user_data);

    [LibraryImport(Ngtcp2Library)]
    public static partial int ngtcp2_conn_server_new_versioned(
        nint* pconn, ngtcp2_cid* dcid, ngtcp2_cid* scid, ngtcp2_path* path, uint version,
        int callbacks_version, ngtcp2_callbacks* callbacks, int settings_version, ngtcp2_settings* settings,
        int transport_params_version, ngtcp2_transport_params* parameters, void* mem, void* user_data);

    [LibraryImport(Ngtcp2Library)]
    public static partial void ngtcp2_conn_del(nint conn);

    [LibraryImport(Ngtcp2Library)]
    public static partial int ngtcp2_conn_read_pkt_versioned(
        nint conn, ngtcp2_path* path, int pkt_info_version, ngtcp2_pkt_info* pi, byte* pkt, nuint pktlen, ulong ts);

    [LibraryImport(Ngtcp2Library)]
    public static partial nint ngtcp2_conn_writev_stream_versioned(
        nint conn, ngtcp2_path* path, int pkt_info_version, ngtcp2_pkt_info* pi, byte* dest, nuint destlen,
        nint* pdatalen, uint flags, long stream_id, ngtcp2_vec* datav, nuint datavcnt, ulong ts);

    [LibraryImport(Ngtcp2Library)]
    public static partial nint ngtcp2_conn_write_connection_close_versioned(
        nint conn, ngtcp2_path* path, int pkt_info_version, ngtcp2_pkt_info* pi, byte* dest, nuint destlen,
        ngtcp2_ccerr* ccerr, ulong ts);

    [LibraryImport(Ngtcp2Library)]
    public static partial int ngtcp2_conn_handle_expiry(nint conn, ulong ts);

    [LibraryImport(Ngtcp2Library), SuppressGCTransition]
    public static partial ulong ngtcp2_conn_get_expiry(nint conn);

    [LibraryImport(Ngtcp2Library), SuppressGCTransition]
    public static partial ulong ngtcp2_conn_get_pto(nint conn);

    [LibraryImport(Ngtcp2Library), SuppressGCTransition]
    public static partial ulong ngtcp2_conn_get_max_data_left(nint conn);

    [LibraryImport(Ngtcp2Library), SuppressGCTransition]
    public static partial nuint ngtcp2_conn_get_send_quantum(nint conn);

    [LibraryImport(Ngtcp2Library), SuppressGCTransition]
    public static partial void ngtcp2_conn_update_pkt_tx_time(nint conn, ulong ts);

    [LibraryImport(Ngtcp2Library), SuppressGCTransition]
    public static partial void ngtcp2_conn_extend_max_offset(nint conn, ulong datalen);

    [LibraryImport(Ngtcp2Library), SuppressGCTransition]
    public static partial void ngtcp2_conn_extend_max_streams_bidi(nint conn, nuint n);

    [LibraryImport(Ngtcp2Library), SuppressGCTransition]
    public static partial void ngtcp2_conn_extend_max_streams_uni(nint conn, nuint n);

    [LibraryImport(Ngtcp2Library)]
    public static partial int ngtcp2_conn_extend_max_stream_offset(nint conn, long stream_id, ulong datalen);

    [LibraryImport(Ngtcp2Library)]
    public static partial int ngtcp2_conn_open_bidi_stream(nint conn, long* pstream_id, void* stream_user_data);

    [LibraryImport(Ngtcp2Library)]
    public static partial int ngtcp2_conn_open_uni_stream(nint conn, long* pstream_id, void* stream_user_data);

    [LibraryImport(Ngtcp2Library)]
    public static partial int ngtcp2_conn_set_stream_user_data(nint conn, long stream_id, void* stream_user_data);

    [LibraryImport(Ngtcp2Library)]
    public static partial int ngtcp2_conn_shutdown_stream_write(nint conn, uint flags, long stream_id, ulong app_error_code);

    [LibraryImport(Ngtcp2Library)]
    public static partial int ngtcp2_conn_shutdown_stream_read(nint conn, uint flags, long stream_id, ulong app_error_code);

    [LibraryImport(Ngtcp2Library)]
    public static partial void ngtcp2_conn_set_tls_native_handle(nint conn, nint tls_native_handle);

    [LibraryImport(Ngtcp2Library)]
    public static partial void ngtcp2_conn_set_keep_alive_timeout(nint conn, ulong timeout);

    [LibraryImport(Ngtcp2Library)]
    public static partial byte ngtcp2_conn_get_tls_alert(nint conn);

    [LibraryImport(Ngtcp2Library)]
    public static partial ngtcp2_ccerr* ngtcp2_conn_get_ccerr(nint conn);

    [LibraryImport(Ngtcp2Library), SuppressGCTransition]
    public static partial ngtcp2_path* ngtcp2_conn_get_path(nint conn);

    [LibraryImport(Ngtcp2Library), SuppressGCTransition]
    public static partial void ngtcp2_conn_get_conn_info_versioned(nint conn, int conn_info_version, ngtcp2_conn_info* info);

    [LibraryImport(Ngtcp2Library)]
    public static partial void ngtcp2_ccerr_default(ngtcp2_ccerr* ccerr);

    [LibraryImport(Ngtcp2Library)]
    public static partial void ngtcp2_ccerr_set_liberr(ngtcp2_ccerr* ccerr, int liberr, byte* reason, nuint reasonlen);

    [LibraryImport(Ngtcp2Library)]
    public static partial void ngtcp2_ccerr_set_tls_alert(ngtcp2_ccerr* ccerr, byte tls_alert, byte* reason, nuint reasonlen);

    [LibraryImport(Ngtcp2Library)]
    public static partial void ngtcp2_ccerr_set_transport_error(ngtcp2_ccerr* ccerr, ulong error_code, byte* reason, nuint reasonlen);

    [LibraryImport(Ngtcp2Library)]
    public static partial void ngtcp2_ccerr_set_application_error(ngtcp2_ccerr* ccerr, ulong error_code, byte* reason, nuint reasonlen);

    [LibraryImport(Ngtcp2Library)]
    public static partial int ngtcp2_accept(ngtcp2_pkt_hd* dest, byte* pkt, nuint pktlen);

    [LibraryImport(Ngtcp2Library), SuppressGCTransition]
    public static partial int ngtcp2_pkt_decode_version_cid(ngtcp2_version_cid* dest, byte* data, nuint datalen, nuint short_dcidlen);

    [LibraryImport(Ngtcp2Library)]
    public static partial nint ngtcp2_pkt_write_version_negotiation(
        byte* dest, nuint destlen, byte unused_random, byte* dcid, nuint dcidlen, byte* scid, nuint scidlen, uint* sv, nuint nsv);

    [LibraryImport(Ngtcp2Library)]
    public static partial nint ngtcp2_pkt_write_stateless_reset(byte* dest, nuint destlen, byte* stateless_reset_token, byte* rand, nuint randlen);

    [LibraryImport(CryptoLibrary)]
    public static partial nint ngtcp2_crypto_generate_retry_token2(
        byte* token, byte* secret, nuint secretlen, uint version, byte* remote_addr, uint remote_addrlen,
        ngtcp2_cid* retry_scid, ngtcp2_cid* odcid, ulong ts);

    [LibraryImport(CryptoLibrary)]
    public static partial int ngtcp2_crypto_verify_retry_token2(
        ngtcp2_cid* odcid, byte* token, nuint tokenlen, byte* secret, nuint secretlen, uint version,
        byte* remote_addr, uint remote_addrlen, ngtcp2_cid* dcid, ulong timeout, ulong ts);

    [LibraryImport(CryptoLibrary)]
    public static partial nint ngtcp2_crypto_write_retry(
        byte* dest, nuint destlen, uint version, ngtcp2_cid* dcid, ngtcp2_cid* scid, ngtcp2_cid* odcid, byte* token, nuint tokenlen);

    [LibraryImport(CryptoLibrary)]
    public static partial nint ngtcp2_crypto_write_connection_close(
        byte* dest, nuint destlen, uint version, ngtcp2_cid* dcid, ngtcp2_cid* scid, ulong error_code, byte* reason, nuint reasonlen);

    [LibraryImport(CryptoLibrary)]
    public static partial int ngtcp2_crypto_generate_stateless_reset_token(byte* token, byte* secret, nuint secretlen, ngtcp2_cid* cid);

    [LibraryImport(CryptoLibrary)]
    public static partial int ngtcp2_crypto_gnutls_configure_server_session(nint session);

    [LibraryImport(CryptoLibrary)]
    public static partial int ngtcp2_crypto_gnutls_configure_client_session(nint session);

    /// <summary>The text that the library has for an error number.</summary>
    public static string DescribeNgtcp2Error(int error) => Marshal.PtrToStringUTF8((nint)ngtcp2_strerror(error)) ?? $"ngtcp2 error {error}";
}
