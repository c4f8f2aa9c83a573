namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>Counts of one endpoint, for tests, measurements and debug logs. Written by the loop thread unless said otherwise.</summary>
internal sealed class EndpointCounters
{
    private int _connections;

    /// <value>Datagrams received.</value>
    public long Received { get; set; }

    /// <value>Datagrams that belong to nothing or can't be read.</value>
    public long Dropped { get; set; }

    /// <value>Retry packets sent.</value>
    public long Retries { get; set; }

    /// <value>Tokens that were not ours, too old, or from another address.</value>
    public long TokensRejected { get; set; }

    /// <value>Stateless resets sent.</value>
    public long Resets { get; set; }

    /// <value>Version negotiation packets sent.</value>
    public long VersionNegotiations { get; set; }

    /// <value>Connections refused for want of room.</value>
    public long Refused { get; set; }

    /// <value>Datagrams sent.</value>
    public long Sent { get; set; }

    /// <value>System calls to send.</value>
    public long SendCalls { get; set; }

    /// <summary>Connections that have not ended; from any thread.</summary>
    public int Connections => Volatile.Read(ref _connections);

    public void ConnectionCreated() => Interlocked.Increment(ref _connections);

    public void ConnectionEnded() => Interlocked.Decrement(ref _connections);
}
