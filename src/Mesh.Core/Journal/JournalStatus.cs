namespace EventMesh.Journal;

/// <summary>How far the journal is.</summary>
/// <param name="State">Which way recorded events take to the store.</param>
/// <param name="Queued">Events in memory that neither the store nor the spool has taken; at most <see cref="EventJournal.QueueCapacity"/> and a batch.</param>
/// <param name="Spooled">Events in the spool that the store has not acknowledged.</param>
/// <param name="LastRecorded">The place of the last recorded event.</param>
/// <param name="LastDurable">The place up to which events are durable.</param>
/// <param name="LastCommitted">The place up to which the store has acknowledged.</param>
public sealed record JournalStatus(JournalState State, int Queued, long Spooled, long LastRecorded, long LastDurable, long LastCommitted);
