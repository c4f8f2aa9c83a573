using System.Runtime.CompilerServices;
using EventMesh.Host.Endpoints;
using EventMesh.Journal;

namespace EventMesh.Host.Events;

/// <summary>The node's log as one sequence without a gap or a repetition: what the store holds, then what the journal records.</summary>
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
        while (true)
        {
            // Following begins before the history is read, so that nothing falls between the two.
            await using LiveEvents live = new(journal, cancellationToken);
            // What was recorded by now is not in the live part; it will be in the store, perhaps a moment later.
            long recordedUntil = journal.LastNodeSeq;
            TimeSpan pause = FirstPause;
            while (true)
            {
                await foreach (RecordedEvent recorded in store.ReadAsync(node.NodeId, last, families: null, cancellationToken))
                {
                    last = recorded.NodeSeq;
                    yield return EventViews.From(recorded);
                }
                if (last >= recordedUntil || live.Continues(last)) break;
                await Task.Delay(pause, time, cancellationToken);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
            while (await live.MoveNextAsync())
            {
                // The store may have given it already.
                if (live.Current.NodeSeq <= last) continue;
                last = live.Current.NodeSeq;
                yield return EventViews.From(live.Current);
            }
            if (!live.FellBehind) yield break;
            // The store has what we missed.
        }
    }
}
