namespace EventMesh.Marten.Retention;

/// <summary>Where the events of a month are.</summary>
public enum SegmentStatus
{
    /// <summary>The month goes on, or has just ended: in the table of events.</summary>
    Open,

    /// <summary>The month is over: in the table of events, some perhaps already in blocks.</summary>
    Closed,

    /// <summary>In compressed blocks.</summary>
    Archived,

    /// <summary>Removed for good.</summary>
    Dropped,
}
