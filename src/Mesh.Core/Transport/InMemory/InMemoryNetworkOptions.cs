namespace EventMesh.Transport.InMemory;

/// <summary>The settings of an <see cref="InMemoryNetwork"/>.</summary>
public sealed record InMemoryNetworkOptions
{
    /// <value>
    /// Decides delay and loss of every packet. Each connection draws numbers of its own, so what one does never changes what
    /// happens to another. Defaults to 1.
    /// </value>
    public int Seed { get; init; } = 1;

    /// <value>
    /// The clock. With a <see cref="VirtualTimeProvider"/> everything happens on the thread that runs it; with any other one on the
    /// thread pool. Defaults to the system's.
    /// </value>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <value>The conditions between addresses for which none were set. Defaults to <see cref="LinkConditions.Perfect"/>.</value>
    public LinkConditions DefaultLink { get; init; } = LinkConditions.Perfect;

    /// <value>Called for each step of each packet, on the network's thread; it must be quick. Defaults to null.</value>
    public Action<PacketTrace>? Observer { get; init; }
}
