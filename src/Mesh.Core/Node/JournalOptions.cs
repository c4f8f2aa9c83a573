namespace EventMesh.Node;

/// <summary>The event journal: section <c>EventMesh:Journal</c>.</summary>
public sealed class JournalOptions
{
    /// <value>Events in one transaction at most. Defaults to 512.</value>
    public int BatchSize { get; set; } = 512;

    /// <value>The least time between two batches that are not full: an event that comes alone is written at once, those that follow it are gathered. Defaults to 10 ms.</value>
    public TimeSpan BatchDelay { get; set; } = TimeSpan.FromMilliseconds(10);

    /// <value>
    /// How long a batch may go unacknowledged by the store before it is spooled to disk. An event that waited behind another batch waits at most <see cref="BatchDelay"/>
    /// longer than that in all. Defaults to 30 ms.
    /// </value>
    public TimeSpan SpoolAfter { get; set; } = TimeSpan.FromMilliseconds(30);

    /// <value>
    /// The spool's size, in bytes, from which events of connections are summarised; a sixteenth more is kept for all others, and 65,536 more events wait in
    /// memory for the store before the node stops. Space is free again from half of it on. Defaults to 1 GiB, some 2 million events; at least 1 MiB.
    /// </value>
    public long SpoolLimit { get; set; } = 1024L * 1024 * 1024;

    /// <value>
    /// How many new peers, whose keys the log does not know, are recorded one by one in any minute, from 1 to 1,000,000. Of further ones the log has counts until it is their turn; they
    /// are peers like others all the same, and enter the bootstrap cache when they are recorded. As many in a minute are dialled because other peers told of them. Each new peer is
    /// 5 to 8 events, 5 KiB to 8 KiB in the store. Defaults to 60.
    /// </value>
    public int NewPeersPerMinute { get; set; } = 60;

    /// <value>
    /// How often the node's key vouches for the log while the log moves, from 1 second to 30 days; at the stop it does so once more. What is newer than the
    /// last seal is protected by the chain alone. Defaults to 1 hour.
    /// </value>
    public TimeSpan SealInterval { get; set; } = TimeSpan.FromHours(1);
}
