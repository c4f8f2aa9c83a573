using EventMesh.Events;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Node;
using EventMesh.Tests.Common.Journal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace EventMesh.Host.Tests.Events;

/// <summary>A reader that resumes after the last place that it has seen, across restarts of real journals over one store.</summary>
public sealed class EventFeedRestartTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private static readonly NodeId Node = new(Guid.Parse("0190a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b"));

    private readonly InMemoryEventStore _store = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("eventmesh-feed-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Nothing_is_missed_or_repeated_across_stops_crashes_and_outages()
    {
        using CancellationTokenSource limit = new(Limit);
        var seen = new List<EventView>();
        for (int run = 0; run < 6; run++)
        {
            bool isOrderly = run % 2 == 0;
            EventJournal journal = new(
                _store, new EventSpool(), TimeProvider.System,
                Options.Create(new MeshOptions { Journal = new JournalOptions { BatchDelay = TimeSpan.FromMilliseconds(1), SpoolAfter = TimeSpan.FromMilliseconds(5) } }),
                NullLogger<EventJournal>.Instance);
            await journal.OpenAsync(Node, _directory, state => new NodeStarted(Node, default, Guid.NewGuid(), PeerKind.Node, "test", "none"), limit.Token);
            // The reader of this run: it resumes after what the readers before it have seen.
            using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(limit.Token);
            Task reading = ReadAsync(journal, seen, stop.Token);
            RecordedEvent last = null!;
            for (int i = 0; i < 300; i++)
            {
                last = journal.Record(new NodeStopped($"{run} {i}"));
                // An outage in the middle: the events of that time are durable in the spool.
                if (i == 100 && run % 3 == 1) _store.IsAvailable = false;
                if (i == 200) _store.IsAvailable = true;
                if (i % 50 == 0) await journal.WhenDurableAsync(last, limit.Token);
            }
            if (isOrderly) await journal.StopAsync("end", limit.Token);
            await journal.DisposeAsync();
            // It ends with the journal.
            await reading.WaitAsync(limit.Token);
        }
        EventJournal after = new(
            _store, new EventSpool(), TimeProvider.System, Options.Create(new MeshOptions()), NullLogger<EventJournal>.Instance);
        await after.OpenAsync(Node, _directory, state => new NodeStarted(Node, default, Guid.NewGuid(), PeerKind.Node, "test", "none"), limit.Token);
        using (CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(limit.Token))
        {
            Task reading = ReadAsync(after, seen, stop.Token);
            await after.StopAsync("end", limit.Token);
            await reading.WaitAsync(limit.Token);
        }
        await after.DisposeAsync();

        IReadOnlyList<RecordedEvent> log = _store.Content(Node);
        seen.Select(view => view.Seq).ShouldBe(Enumerable.Range(1, seen.Count).Select(i => (long)i));
        seen.Select(view => view.Id).ShouldBe(log.Take(seen.Count).Select(recorded => recorded.Id));
        seen.Count.ShouldBeGreaterThan(1800 - 300);
    }

    private async Task ReadAsync(EventJournal journal, List<EventView> seen, CancellationToken cancellationToken)
    {
        EventFeed feed = new(_store, journal, new Status(), TimeProvider.System);
        await foreach (EventView view in feed.ReadAsync(seen.Count == 0 ? 0 : seen[^1].Seq, follow: true, cancellationToken)) seen.Add(view);
    }

    private sealed class Status : INodeStatus
    {
        public NodeId NodeId => Node;

        public bool IsRunning => true;

        public HealthView GetHealth() => throw new NotSupportedException();

        public NodeView GetView() => throw new NotSupportedException();
    }
}
