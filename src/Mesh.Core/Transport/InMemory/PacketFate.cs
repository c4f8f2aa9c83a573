namespace EventMesh.Transport.InMemory;

/// <summary>What became of one packet of an <see cref="InMemoryNetwork"/>.</summary>
public enum PacketFate
{
    /// <summary>It is under way and arrives unless a partition comes first.</summary>
    Sent,

    /// <summary>It was lost by chance.</summary>
    Lost,

    /// <summary>A partition swallowed it.</summary>
    Partitioned,

    /// <summary>It arrived.</summary>
    Arrived,

    /// <summary>Nobody was there to take it.</summary>
    Unanswered,
}
