using EventMesh.Events;

namespace EventMesh.Journal;

/// <summary>How far the journal is.</summary>
/// <param name="State">Which way recorded events take to the store.</param>
/// <param name="Queued">Events in memory that neither the store nor the spool has taken; at most <see cref="EventJournal.QueueCapacity"/> and two batches.</param>
/// <param name="Spooled">Events in the spool that the store has not acknowledged.</param>
/// <param name="LastRecorded">The place of the last recorded event.</param>
/// <param name="LastDurable">The place up to which events are durable.</param>
/// <param name="LastCommitted">The place up to which the store has acknowledged.</param>
public sealed record JournalStatus(JournalState State, int Queued, long Spooled, long LastRecorded, long LastDurable, long LastCommitted)
{
    /// <summary>Since when events take the way by the spool; null when they go straight to the store.</summary>
    public DateTimeOffset? SpoolingSince { get; init; }

    /// <summary>Why they take it; null when they go straight to the store.</summary>
    public SpoolingCause? Cause { get; init; }

    /// <summary>The bytes that the spool took on disk when the writer last looked; 0 before it has been used.</summary>
    public long SpoolBytes { get; init; }

    /// <summary>The bytes from which events of connections are summarised.</summary>
    public long SpoolLimit { get; init; }

    /// <summary>Whether events of connections are counted instead of recorded one by one, because the spool is full or its disk refuses.</summary>
    public bool IsSummarising { get; init; }

    /// <summary>How many new peers are joined or connected that the log does not have yet: more came than <see cref="Node.JournalOptions.NewPeersPerMinute"/>.</summary>
    public int HeldBackPeers { get; init; }

    /// <summary>
    /// Whether the spool took nothing when it was needed last: its disk is full or fails, or its reserve is used up. While the store does not acknowledge either, events wait in memory
    /// only, and are not durable.
    /// </summary>
    public bool IsSpoolRefusing { get; init; }
}
