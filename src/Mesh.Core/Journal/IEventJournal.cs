using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Projections;

namespace EventMesh.Journal;

/// <summary>The only way to change the node's state: first an event, then everything else.</summary>
/// <remarks>All members may be called concurrently. <see cref="Record(IMeshEvent)"/> and <see cref="Decide"/> do no I/O and call no handler.</remarks>
public interface IEventJournal
{
    /// <summary>The state after the last recorded event: an immutable snapshot.</summary>
    MeshState State { get; }

    /// <summary>The epoch that this process has claimed.</summary>
    int Epoch { get; }

    /// <summary>The place of the last recorded event, durable or not; 0 before the first.</summary>
    long LastNodeSeq { get; }

    /// <summary>
    /// Gives an event its place, applies it to <see cref="State"/> and queues it for the store. While the spool is full, events of connections that
    /// change nothing in the log's state are only counted, and those of new peers beyond <see cref="Node.JournalOptions.NewPeersPerMinute"/> at any time: they come back with the
    /// place 0, change no state, and are never durable.
    /// </summary>
    RecordedEvent Record(IMeshEvent data);

    /// <summary>
    /// Decides on the current state and records what was decided, in one indivisible unit: no other event comes between.
    /// </summary>
    /// <param name="decision">A pure function of the state; it may return nothing.</param>
    /// <returns>What was recorded; without what was only counted, see <see cref="Record(IMeshEvent)"/>.</returns>
    IReadOnlyList<RecordedEvent> Decide(Func<MeshState, IEnumerable<IMeshEvent>> decision);

    /// <summary>Whether an event is durable: committed by the store or synced to the spool.</summary>
    bool IsDurable(RecordedEvent recorded);

    /// <summary>Waits until an event is durable.</summary>
    /// <remarks>The task fails with <see cref="MeshException"/>: <see cref="MeshError.EpochLost"/>, <see cref="MeshError.NodeStopped"/>;
    /// <see cref="MeshError.QueueFull"/> for an event that was only counted.</remarks>
    Task WhenDurableAsync(RecordedEvent recorded, CancellationToken cancellationToken);

    /// <summary>
    /// The recorded events from now on, in order, without a gap. A reader that falls more than 8,192 events behind gets
    /// <see cref="MeshException"/> with <see cref="MeshError.QueueFull"/>: it goes on from the store.
    /// </summary>
    IAsyncEnumerable<RecordedEvent> FollowAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Whether a peer may connect: false for one that the log does not know while so many of those are held back, 16,384, that no further one could be.
    /// </summary>
    bool HasRoomFor(PeerId peer);

    /// <summary>
    /// Waits while what a peer does is only counted, because more new peers came than the log takes in a minute. Until then nothing that names it should be decided without need:
    /// an event that names it brings it into the log at once. Completes also when the peer has gone.
    /// </summary>
    Task WhenKnownAsync(PeerId peer, CancellationToken cancellationToken);

    /// <summary>Completes, and never fails, when the journal can't go on: another process took the node's log over. The node has to stop.</summary>
    Task<MeshException> Failed { get; }
}
