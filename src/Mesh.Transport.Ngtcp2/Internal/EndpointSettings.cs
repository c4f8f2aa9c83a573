using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using EventMesh.Transport.Ngtcp2.Interop;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>An endpoint's options as the loop needs them: checked, copied, in ngtcp2's units.</summary>
internal sealed class EndpointSettings
{
    // RFC 9000 8.1: a server may send three times what it has received, and a client's first datagram is 1,200 bytes.
    private const int UnvalidatedFlightBytes = 3 * 1200;

    // The handshake flight beside the certificate: ServerHello, EncryptedExtensions, CertificateRequest, CertificateVerify (RSA),
    // Finished and the packets' headers.
    private const int FlightOverheadBytes = 1000;

    public EndpointSettings(TransportEndpointOptions options, TlsIdentity identity, EndpointTuning tuning)
    {
        VerifyPeer = options.VerifyPeer;
        Listen = options.Listen;
        AdmitSource = options.AdmitSource;
        Protocol = tuning.OmitProtocol ? default : Encoding.ASCII.GetBytes(options.ApplicationProtocol);
        IdleTimeout = Nanoseconds(options.IdleTimeout);
        KeepAliveInterval = Nanoseconds(options.KeepAliveInterval);
        HandshakeTimeout = Nanoseconds(options.HandshakeTimeout);
        MaxInboundStreams = options.MaxInboundStreams;
        StreamWindow = options.StreamWindow;
        ConnectionWindow = options.ConnectionWindow;
        SendBuffer = options.SendBuffer;
        AcceptBacklog = options.AcceptBacklog;
        bool flightTooLong = identity.ChainBytes + FlightOverheadBytes > UnvalidatedFlightBytes;
        Retry = options.Retry == RetryMode.Auto && flightTooLong ? RetryMode.Always : options.Retry;
        StatelessResetKey = options.StatelessResetKey?.ToArray() ?? System.Security.Cryptography.RandomNumberGenerator.GetBytes(StatelessResetKeyLength);
        Tuning = tuning;
    }

    public const int StatelessResetKeyLength = 32;

    public Func<PeerCertificate, bool> VerifyPeer { get; }

    public bool Listen { get; }

    public Func<System.Net.IPAddress, bool>? AdmitSource { get; }

    public ReadOnlyMemory<byte> Protocol { get; }

    /// <value>Nanoseconds.</value>
    public ulong IdleTimeout { get; }

    /// <value>Nanoseconds; zero for never.</value>
    public ulong KeepAliveInterval { get; }

    /// <value>Nanoseconds.</value>
    public ulong HandshakeTimeout { get; }

    public int MaxInboundStreams { get; }

    /// <value>Bytes.</value>
    public int StreamWindow { get; }

    /// <value>Bytes.</value>
    public int ConnectionWindow { get; }

    /// <value>Bytes.</value>
    public int SendBuffer { get; }

    public int AcceptBacklog { get; }

    public RetryMode Retry { get; }

    public byte[] StatelessResetKey { get; }

    public EndpointTuning Tuning { get; }

    /// <summary>Reports what the contract of the options forbids.</summary>
    public static void Check(TransportEndpointOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(options.LocalEndPoint, nameof(options));
        ArgumentNullException.ThrowIfNull(options.Certificate, nameof(options));
        ArgumentNullException.ThrowIfNull(options.VerifyPeer, nameof(options));
        ArgumentException.ThrowIfNullOrEmpty(options.ApplicationProtocol, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.ApplicationProtocol.Length, 255, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.IdleTimeout, TimeSpan.FromSeconds(1), nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.IdleTimeout, TimeSpan.FromMinutes(10), nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.KeepAliveInterval, TimeSpan.Zero, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.HandshakeTimeout, TimeSpan.Zero, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxInboundStreams, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.StreamWindow, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.ConnectionWindow, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.SendBuffer, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.AcceptBacklog, 1, nameof(options));
        if (options.StatelessResetKey is { } key)
            ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, StatelessResetKeyLength, nameof(options));
    }

    /// <summary>Fills in what both ends of a connection say and do.</summary>
    public unsafe void Apply(ngtcp2_settings* settings, ngtcp2_transport_params* parameters, ulong now)
    {
        Native.ngtcp2_settings_default_versioned(Native.NGTCP2_SETTINGS_VERSION, settings);
        settings->initial_ts = now;
        settings->cc_algo = Native.NGTCP2_CC_ALGO_CUBIC;
        settings->handshake_timeout = HandshakeTimeout;
        // The automatic tuning of receive windows must not go beyond what the options allow a peer to make us hold.
        settings->max_window = (ulong)ConnectionWindow;
        settings->max_stream_window = (ulong)StreamWindow;
        // The span is of the assembly's data, which does not move.
        settings->pmtud_probes = (ushort*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(PathMtuProbes));
        settings->pmtud_probeslen = (nuint)PathMtuProbes.Length;

        Native.ngtcp2_transport_params_default_versioned(Native.NGTCP2_TRANSPORT_PARAMS_VERSION, parameters);
        parameters->initial_max_stream_data_bidi_local = (ulong)StreamWindow;
        parameters->initial_max_stream_data_bidi_remote = (ulong)StreamWindow;
        parameters->initial_max_stream_data_uni = (ulong)StreamWindow;
        parameters->initial_max_data = (ulong)ConnectionWindow;
        parameters->initial_max_streams_bidi = (ulong)MaxInboundStreams;
        parameters->initial_max_streams_uni = (ulong)MaxInboundStreams;
        parameters->max_idle_timeout = IdleTimeout;
        parameters->active_connection_id_limit = 4;
        parameters->grease_quic_bit = 1;
    }

    // UDP payloads of links with an MTU of 1500 (IPv6), 1492 (PPPoE), 1454, 1390 and 1280 bytes (RFC 9000 14.3). The largest first: most paths take it, and
    // what is smaller is not probed then. In ngtcp2's own order each connection probes twice.
    private static ReadOnlySpan<ushort> PathMtuProbes => [1452, 1444, 1406, 1342, 1232];

    private static ulong Nanoseconds(TimeSpan time) => (ulong)time.Ticks * TimeSpan.NanosecondsPerTick;
}
