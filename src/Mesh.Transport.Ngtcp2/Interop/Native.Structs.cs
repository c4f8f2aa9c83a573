using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

// C names, C order: tests/Mesh.Transport.Ngtcp2.Tests/Layout compares every size and offset with the headers.
#pragma warning disable CS0649 // assigned by native code
#pragma warning disable CS8981 // lower-case type names
#pragma warning disable CA1707, IDE1006, MA0008, CA1823, CS0169
[assembly: SuppressMessage("Style", "IDE1006", Scope = "namespaceanddescendants", Target = "~N:EventMesh.Transport.Ngtcp2.Interop", Justification = "C names.")]

namespace EventMesh.Transport.Ngtcp2.Interop;

internal unsafe struct ngtcp2_cid
{
    public nuint datalen;
    public fixed byte data[20];
}

internal unsafe struct ngtcp2_vec
{
    public byte* @base;
    public nuint len;
}

[StructLayout(LayoutKind.Explicit, Size = 8)]
internal struct ngtcp2_pkt_info
{
    [FieldOffset(0)]
    public byte ecn;
}

internal unsafe struct ngtcp2_pkt_hd
{
    public ngtcp2_cid dcid;
    public ngtcp2_cid scid;
    public long pkt_num;
    public byte* token;
    public nuint tokenlen;
    public nuint pkt_numlen;
    public nuint len;
    public uint version;
    public byte type;
    public byte flags;
}

internal unsafe struct ngtcp2_preferred_addr
{
    public ngtcp2_cid cid;
    public fixed uint ipv4[4];
    public fixed uint ipv6[7];
    public byte ipv4_present;
    public byte ipv6_present;
    public fixed byte stateless_reset_token[16];
}

internal unsafe struct ngtcp2_version_info
{
    public uint chosen_version;
    public byte* available_versions;
    public nuint available_versionslen;
}

internal unsafe struct ngtcp2_transport_params
{
    public ngtcp2_preferred_addr preferred_addr;
    public ngtcp2_cid original_dcid;
    public ngtcp2_cid initial_scid;
    public ngtcp2_cid retry_scid;
    public ulong initial_max_stream_data_bidi_local;
    public ulong initial_max_stream_data_bidi_remote;
    public ulong initial_max_stream_data_uni;
    public ulong initial_max_data;
    public ulong initial_max_streams_bidi;
    public ulong initial_max_streams_uni;
    public ulong max_idle_timeout;
    public ulong max_udp_payload_size;
    public ulong active_connection_id_limit;
    public ulong ack_delay_exponent;
    public ulong max_ack_delay;
    public ulong max_datagram_frame_size;
    public byte stateless_reset_token_present;
    public byte disable_active_migration;
    public byte original_dcid_present;
    public byte initial_scid_present;
    public byte retry_scid_present;
    public byte preferred_addr_present;
    public fixed byte stateless_reset_token[16];
    public byte grease_quic_bit;
    public ngtcp2_version_info version_info;
    public byte version_info_present;
}

internal unsafe struct ngtcp2_settings
{
    public void* qlog_write;
    public int cc_algo;
    public ulong initial_ts;
    public ulong initial_rtt;
    public void* log_printf;
    public nuint max_tx_udp_payload_size;
    public byte* token;
    public nuint tokenlen;
    public int token_type;
    public void* rand_ctx;
    public ulong max_window;
    public ulong max_stream_window;
    public nuint ack_thresh;
    public byte no_tx_udp_payload_size_shaping;
    public ulong handshake_timeout;
    public uint* preferred_versions;
    public nuint preferred_versionslen;
    public uint* available_versions;
    public nuint available_versionslen;
    public uint original_version;
    public byte no_pmtud;
    public uint initial_pkt_num;
    public ushort* pmtud_probes;
    public nuint pmtud_probeslen;
}

internal unsafe struct ngtcp2_addr
{
    public byte* addr;
    public uint addrlen;
}

internal unsafe struct ngtcp2_path
{
    public ngtcp2_addr local;
    public ngtcp2_addr remote;
    public void* user_data;
}

internal unsafe struct ngtcp2_path_storage
{
    public ngtcp2_path path;
    public fixed uint local_addrbuf[7];
    public fixed uint remote_addrbuf[7];
}

internal unsafe struct ngtcp2_version_cid
{
    public uint version;
    public byte* dcid;
    public nuint dcidlen;
    public byte* scid;
    public nuint scidlen;
}

internal unsafe struct ngtcp2_ccerr
{
    public int type;
    public ulong error_code;
    public ulong frame_type;
    public byte* reason;
    public nuint reasonlen;
}

internal struct ngtcp2_conn_info
{
    public ulong latest_rtt;
    public ulong min_rtt;
    public ulong smoothed_rtt;
    public ulong rttvar;
    public ulong cwnd;
    public ulong ssthresh;
    public ulong bytes_in_flight;
}

internal unsafe struct ngtcp2_info
{
    public int age;
    public int version_num;
    public byte* version_str;
}

internal unsafe struct ngtcp2_crypto_conn_ref
{
    public void* get_conn;
    public void* user_data;
}

internal unsafe struct ngtcp2_callbacks
{
    public void* client_initial;
    public void* recv_client_initial;
    public void* recv_crypto_data;
    public void* handshake_completed;
    public void* recv_version_negotiation;
    public void* encrypt;
    public void* decrypt;
    public void* hp_mask;
    public void* recv_stream_data;
    public void* acked_stream_data_offset;
    public void* stream_open;
    public void* stream_close;
    public void* recv_stateless_reset;
    public void* recv_retry;
    public void* extend_max_local_streams_bidi;
    public void* extend_max_local_streams_uni;
    public void* rand;
    public void* get_new_connection_id;
    public void* remove_connection_id;
    public void* update_key;
    public void* path_validation;
    public void* select_preferred_addr;
    public void* stream_reset;
    public void* extend_max_remote_streams_bidi;
    public void* extend_max_remote_streams_uni;
    public void* extend_max_stream_data;
    public void* dcid_status;
    public void* handshake_confirmed;
    public void* recv_new_token;
    public void* delete_crypto_aead_ctx;
    public void* delete_crypto_cipher_ctx;
    public void* recv_datagram;
    public void* ack_datagram;
    public void* lost_datagram;
    public void* get_path_challenge_data;
    public void* stream_stop_sending;
    public void* version_negotiation;
    public void* recv_rx_key;
    public void* recv_tx_key;
    public void* tls_early_data_rejected;
}

internal unsafe struct gnutls_datum_t
{
    public byte* data;
    public uint size;
}

internal unsafe struct iovec
{
    public byte* iov_base;
    public nuint iov_len;
}

internal unsafe struct msghdr
{
    public byte* msg_name;
    public uint msg_namelen;
    public iovec* msg_iov;
    public nuint msg_iovlen;
    public byte* msg_control;
    public nuint msg_controllen;
    public int msg_flags;
}

internal struct mmsghdr
{
    public msghdr msg_hdr;
    public uint msg_len;
}

internal struct pollfd
{
    public int fd;
    public short events;
    public short revents;
}

internal struct timespec
{
    public long tv_sec;
    public long tv_nsec;
}
