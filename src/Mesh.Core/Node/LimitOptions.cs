namespace EventMesh.Node;

/// <summary>Bounds of what peers can make this node hold: section <c>EventMesh:Limits</c>.</summary>
public sealed class LimitOptions
{
    /// <value>Joined peers. Defaults to 128. Each takes about 100 KiB idle and at most the connection window of 16 MiB unread.</value>
    public int MaxPeers { get; set; } = 128;

    /// <value>Joined peers that dialled us. Defaults to 64.</value>
    public int MaxInboundPeers { get; set; } = 64;

    /// <value>Connections of one globally routable source, /32 or /56; a pair counts once. Defaults to 8.</value>
    public int MaxConnectionsPerSource { get; set; } = 8;

    /// <value>Connections of one private or loopback source. Defaults to 128.</value>
    public int MaxConnectionsPerPrivateSource { get; set; } = 128;

    /// <value>The largest message that is taken, in bytes. Defaults to 16 MiB; 64 KiB to 1 GiB.</value>
    public int MaxMessageBytes { get; set; } = 16 * 1024 * 1024;

    /// <value>Messages that wait for one peer. Defaults to 1,024.</value>
    public int SendQueueMessages { get; set; } = 1024;

    /// <value>Bytes that wait for one peer. Defaults to 8 MiB; a single larger message may wait alone.</value>
    public int SendQueueBytes { get; set; } = 8 * 1024 * 1024;

    /// <value>Requests of one peer that run at a time; more are answered BUSY. Defaults to 128.</value>
    public int MaxRunningRequests { get; set; } = 128;

    /// <value>
    /// More joined peers than this are trimmed down to <see cref="LowWatermark"/>. Defaults to 0: three quarters of <see cref="MaxPeers"/>.
    /// </value>
    public int HighWatermark { get; set; }

    /// <value>How many joined peers trimming leaves. Defaults to 0: five eighths of <see cref="MaxPeers"/>.</value>
    public int LowWatermark { get; set; }

    /// <value>How long a new peer is safe from trimming. Defaults to 30 s; 0 to 1 h.</value>
    public TimeSpan TrimGrace { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The high watermark in effect.</summary>
    internal int High => HighWatermark > 0 ? HighWatermark : Math.Max(1, MaxPeers * 3 / 4);

    /// <summary>The low watermark in effect.</summary>
    internal int Low => Math.Min(High, LowWatermark > 0 ? LowWatermark : Math.Max(1, MaxPeers * 5 / 8));

    /// <value>New connections of one globally routable source, /32 or /56, in a second. Defaults to 2; 0.01 to 1,000,000.</value>
    public double ConnectionsPerSecondPerSource { get; set; } = 2;

    /// <value>New connections of one globally routable source at once. Defaults to 32; 1 to 1,000,000. Each above it costs the source points.</value>
    public int ConnectionBurstPerSource { get; set; } = 32;

    /// <value>New connections of one private or loopback source in a second. Defaults to 5,000; 0.01 to 1,000,000.</value>
    public double ConnectionsPerSecondPerPrivateSource { get; set; } = 5000;

    /// <value>New connections of one private or loopback source at once. Defaults to 10,000; 1 to 1,000,000.</value>
    public int ConnectionBurstPerPrivateSource { get; set; } = 10_000;

    /// <value>Messages and requests of one peer in a second; more wait unread. Defaults to 1,000,000, more than a connection carries; 1 to 1,000,000,000.</value>
    public int MessagesPerSecondPerPeer { get; set; } = 1_000_000;

    /// <value>Bytes of messages and requests of one peer in a second; more wait unread. Defaults to 2 GiB; 64 KiB to 1 TiB.</value>
    public long BytesPerSecondPerPeer { get; set; } = 2L * 1024 * 1024 * 1024;

    /// <value>Control frames of one peer in a second, without those that answer our own messages. Defaults to 100; 1 to 1,000,000. More close the connection.</value>
    public int ControlFramesPerSecondPerPeer { get; set; } = 100;

    /// <value>Control frames of one peer at once. Defaults to 1,000; 16 to 1,000,000.</value>
    public int ControlFrameBurstPerPeer { get; set; } = 1000;

    /// <value>The points at which a peer, and its source where that is globally routable, is blocked. Defaults to 100; 1 to 1,000,000. docs/operations.md has the points.</value>
    public int AbuseScore { get; set; } = 100;

    /// <value>The time in which half of the points fade. Defaults to 10 min; 1 s to 1 d.</value>
    public TimeSpan AbuseHalfLife { get; set; } = TimeSpan.FromMinutes(10);

    /// <value>How long such a block lasts; zero for none: offences are then only counted and logged. Defaults to 1 h; 0 to 365 d.</value>
    public TimeSpan AbuseBlock { get; set; } = TimeSpan.FromHours(1);
}
