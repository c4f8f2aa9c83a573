using System.Runtime.CompilerServices;
using EventMesh.Host.Endpoints;
using EventMesh.Journal;

namespace EventMesh.Host.Events;

/// <summary>
/// The node's log as one sequence without a gap or a repetition: what the store holds, then what the journal records, as soon as it is durable. So a reader that
/// resumes after the last place that it has seen goes on without either, also across a restart of the node and an outage of the store.
/// </summary>
internal sealed class EventFeed(IEventStore store, IEventJournal journal, INodeStatus node, TimeProvider time)
{
    // How often the store is asked again for events that were recorded before we followed and are not yet committed.
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>Reads the events after a place.</summary>
    /// <param name="after">The place; 0 for the beginning.</param>
    /// <param name="follow">Whether to go on with what is recorded from now on.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <param name="stream">The only stream to read; null for all.</param>
    public async IAsyncEnumerable<EventView> ReadAsync(
        long after, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken, StreamFamily? stream = null)
    {
        if (stream is { } only && follow)
        {
            // All are read, since the places of the others show that none is missing.
            await foreach (EventView view in ReadAsync(after, follow, cancellationToken))
            {
                if (view.Stream == only) yield return view;
            }
            yield break;
        }
        long last = after;
        if (!follow)
        {
            await foreach (RecordedEvent recorded in store.ReadAsync(
                node.NodeId, last, stream is { } family ? new HashSet<StreamFamily> { family } : null, cancellationToken))
            {
                yield return EventViews.From(recorded);
            }
            yield break;
        }
        // A place that was given out can only be beyond the end when the log is not the one that the reader knows.
        if (after > journal.LastNodeSeq)
        {
            throw new MeshException(
                MeshError.InvalidConfiguration,
                $"The log ends at place {journal.LastNodeSeq}, before {after}: it is another node's, or it was restored from an older copy. Begin again with an earlier place.");
        }
        while (true)
        {
            // Following begins before the history is read, so that nothing falls between the two.
            await using LiveEvents live = new(journal, cancellationToken);
            // What was recorded by now is not in the live part; it will be in the store, perhaps a moment later.
            long recordedUntil = journal.LastNodeSeq;
            TimeSpan pause = FirstPause;
            while (true)
            {
                await using IAsyncEnumerator<RecordedEvent> stored =
                    store.ReadAsync(node.NodeId, last, families: null, cancellationToken).GetAsyncEnumerator(cancellationToken);
                while (await MoveNextAsync(stored))
                {
                    last = stored.Current.NodeSeq;
                    yield return EventViews.From(stored.Current);
                }
                if (last >= recordedUntil || live.Continues(last)) break;
                await Task.Delay(pause, time, cancellationToken);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
            while (await live.MoveNextAsync())
            {
                // The store may have given it already.
                if (live.Current.NodeSeq <= last) continue;
                if (!await IsDurableAsync(live.Current, cancellationToken)) yield break;
                last = live.Current.NodeSeq;
                yield return EventViews.From(live.Current);
            }
            if (!live.FellBehind) yield break;
            // The store has what we missed.
        }
    }

    /// <summary>A store that is away is asked again: the reader waits, and goes on where it was.</summary>
    private static async Task<bool> MoveNextAsync(IAsyncEnumerator<RecordedEvent> stored)
    {
        try
        {
            return await stored.MoveNextAsync();
        }
        catch (MeshException e) when (e.Error == MeshError.StoreUnavailable)
        {
            return false;
        }
    }

    /// <summary>
    /// Waits until an event is durable; false when the node stops before. An event that a crash takes away leaves its place to another one: whoever had seen it
    /// and resumed after that place would miss the other.
    /// </summary>
    private async Task<bool> IsDurableAsync(RecordedEvent recorded, CancellationToken cancellationToken)
    {
        try
        {
            await journal.WhenDurableAsync(recorded, cancellationToken);
            return true;
        }
        catch (MeshException e) when (e.Error == MeshError.NodeStopped)
        {
            return false;
        }
    }
}
