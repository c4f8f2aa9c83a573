namespace EventMesh.Transport.InMemory;

/// <summary>How packets fare in one direction between two addresses of an <see cref="InMemoryNetwork"/>.</summary>
public sealed record LinkConditions
{
    /// <summary>No delay and no loss.</summary>
    public static LinkConditions Perfect { get; } = new();

    /// <value>The one-way delay of every packet. Defaults to zero.</value>
    public TimeSpan Latency { get; init; }

    /// <value>The largest random addition to <see cref="Latency"/>, evenly distributed. Defaults to zero.</value>
    public TimeSpan Jitter { get; init; }

    /// <value>
    /// The share of packets that are lost, 0 to 1. What a stream carries is sent again after a time-out of 1.5 round trips that
    /// doubles up to 1 s, so loss shows as delay. Defaults to 0.
    /// </value>
    public double Loss { get; init; }

    /// <value>The share of packets, 0 to 1, that take twice the time, so that later ones overtake them. Defaults to 0.</value>
    public double Reordering { get; init; }
}
