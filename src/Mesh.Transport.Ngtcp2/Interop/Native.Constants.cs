namespace EventMesh.Transport.Ngtcp2.Interop;

/// <summary>Constants of the C headers, with their C names.</summary>
internal static partial class Native
{
    public const uint NGTCP2_PROTO_VER_V1 = 1;
    public const int NGTCP2_MAX_CIDLEN = 20;
    public const int NGTCP2_STATELESS_RESET_TOKENLEN = 16;
    public const int NGTCP2_MIN_STATELESS_RESET_RANDLEN = 5;
    public const int NGTCP2_CC_ALGO_CUBIC = 1;
    public const int NGTCP2_TOKEN_TYPE_RETRY = 1;
    public const byte NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY2 = 0xb7;
    public const int NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN2 = 128;

    // Versions of the structures that cross the boundary (ngtcp2 keeps their layout by version).
    public const int NGTCP2_SETTINGS_VERSION = 2;
    public const int NGTCP2_TRANSPORT_PARAMS_VERSION = 1;
    public const int NGTCP2_CALLBACKS_VERSION = 1;
    public const int NGTCP2_PKT_INFO_VERSION = 1;
    public const int NGTCP2_CONN_INFO_VERSION = 1;

    public const int NGTCP2_ERR_STREAM_ID_BLOCKED = -206;
    public const int NGTCP2_ERR_STREAM_DATA_BLOCKED = -208;
    public const int NGTCP2_ERR_CRYPTO = -213;
    public const int NGTCP2_ERR_STREAM_SHUT_WR = -219;
    public const int NGTCP2_ERR_STREAM_NOT_FOUND = -220;
    public const int NGTCP2_ERR_RECV_VERSION_NEGOTIATION = -222;
    public const int NGTCP2_ERR_CLOSING = -223;
    public const int NGTCP2_ERR_DRAINING = -224;
    public const int NGTCP2_ERR_WRITE_MORE = -230;
    public const int NGTCP2_ERR_RETRY = -231;
    public const int NGTCP2_ERR_DROP_CONN = -232;
    public const int NGTCP2_ERR_VERSION_NEGOTIATION = -235;
    public const int NGTCP2_ERR_HANDSHAKE_TIMEOUT = -236;
    public const int NGTCP2_ERR_IDLE_CLOSE = -238;
    public const int NGTCP2_ERR_CALLBACK_FAILURE = -502;

    public const uint NGTCP2_WRITE_STREAM_FLAG_MORE = 1;
    public const uint NGTCP2_WRITE_STREAM_FLAG_FIN = 2;
    public const uint NGTCP2_STREAM_DATA_FLAG_FIN = 1;
    public const uint NGTCP2_STREAM_CLOSE_FLAG_APP_ERROR_CODE_SET = 1;
    public const int NGTCP2_CONNECTION_ID_STATUS_TYPE_ACTIVATE = 0;

    public const int NGTCP2_CCERR_TYPE_TRANSPORT = 0;
    public const int NGTCP2_CCERR_TYPE_APPLICATION = 1;
    public const ulong NGTCP2_NO_ERROR = 0;
    public const ulong NGTCP2_INTERNAL_ERROR = 1;
    public const ulong NGTCP2_CONNECTION_REFUSED = 2;
    public const ulong NGTCP2_INVALID_TOKEN = 0xb;
    public const ulong NGTCP2_APPLICATION_ERROR = 0xc;
    public const ulong NGTCP2_CRYPTO_ERROR = 0x100;

    public const uint GNUTLS_SERVER = 1;
    public const uint GNUTLS_CLIENT = 1 << 1;
    public const uint GNUTLS_FORCE_CLIENT_CERT = 1 << 9;
    public const uint GNUTLS_KEY_SHARE_TOP = 1 << 11;
    public const uint GNUTLS_NO_TICKETS = 1 << 10;
    public const uint GNUTLS_NO_AUTO_SEND_TICKET = 1 << 21;
    public const uint GNUTLS_NO_END_OF_EARLY_DATA = 1 << 22;
    public const int GNUTLS_CRD_CERTIFICATE = 1;
    public const int GNUTLS_CERT_REQUIRE = 2;
    public const int GNUTLS_E_CERTIFICATE_ERROR = -43;
    public const int GNUTLS_ALPN_MANDATORY = 1;
    public const int GNUTLS_X509_FMT_DER = 0;
    public const int GNUTLS_X509_FMT_PEM = 1;
    public const uint GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH = 1;

    public const int AF_INET = 2;
    public const int AF_INET6 = 10;
    public const int SOCK_DGRAM = 2;
    public const int SOCK_NONBLOCK = 0x800;
    public const int SOCK_CLOEXEC = 0x80000;
    public const int SOL_SOCKET = 1;
    public const int SO_SNDBUF = 7;
    public const int SO_RCVBUF = 8;
    public const int IPPROTO_IP = 0;
    public const int IP_MTU_DISCOVER = 10;
    public const int IPPROTO_IPV6 = 41;
    public const int IPV6_MTU_DISCOVER = 23;
    public const int IPV6_V6ONLY = 26;
    public const int IP_PMTUDISC_PROBE = 3;
    public const int SOL_UDP = 17;
    public const int UDP_SEGMENT = 103;
    public const int UDP_GRO = 104;
    public const int MSG_DONTWAIT = 0x40;
    public const short POLLIN = 1;
    public const short POLLOUT = 4;
    public const int EFD_NONBLOCK = 0x800;
    public const int EFD_CLOEXEC = 0x80000;
    public const int CLOCK_MONOTONIC = 1;
    public const int PR_SET_TIMERSLACK = 29;

    public const int EINTR = 4;
    public const int EIO = 5;
    public const int EAGAIN = 11;
    public const int EACCES = 13;
    public const int EINVAL = 22;
    public const int EADDRINUSE = 98;
}
