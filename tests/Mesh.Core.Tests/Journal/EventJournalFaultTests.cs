using CsCheck;
using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Projections;
using EventMesh.Tests.Common.Journal;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

/// <summary>Random events, decisions, faults and crashes: the log is a beginning of what each process recorded, with all that was durable, whatever happens between.</summary>
public sealed class EventJournalFaultTests
{
    private static readonly Gen<StoreFault[]> Faults =
        Gen.OneOf(Gen.Const(StoreFault.None), Gen.Const(StoreFault.None), Gen.Const(StoreFault.Unavailable), Gen.Const(StoreFault.CommitThenFail), Gen.Const(StoreFault.FailThenCommit)).Array[0, 12];

    private static readonly Gen<Life> Lives =
        from faults in Faults
        from lookups in Gen.OneOf(Gen.Const(StoreFault.None), Gen.Const(StoreFault.None), Gen.Const(StoreFault.Unavailable)).Array[0, 6]
        from bursts in Gen.Int[1, 40].Array[1, 8]
        from kinds in Gen.Int[0, int.MaxValue]
        from batch in Gen.OneOf(Gen.Const(1), Gen.Const(3), Gen.Const(16), Gen.Const(512))
        from limit in Gen.OneOf(Gen.Const(1L << 30), Gen.Const(1L << 30), Gen.Const(48L * 1024))
        from crash in Gen.Bool
        from wait in Gen.Bool
        select new Life(faults, lookups, bursts, kinds, batch, limit, crash, wait);

    [Fact]
    public async Task Whatever_the_store_does_the_log_is_what_was_recorded() =>
        await Lives.Array[1, 4].SampleAsync(CheckAsync, iter: 40, threads: 2);

    private static async Task CheckAsync(Life[] lives)
    {
        await using var run = new JournalRun();
        run.Options.BatchDelay = TimeSpan.Zero;
        run.Options.SpoolAfter = TimeSpan.FromMilliseconds(2);
        // What the log has to begin with, life by life, and how much of it was promised.
        var expected = new List<(int Epoch, IReadOnlyList<RecordedEvent> Recorded, int Durable)>();
        foreach (Life life in lives)
        {
            run.Options.BatchSize = life.BatchSize;
            run.Options.SpoolLimit = life.SpoolLimit;
            EventJournal journal = await run.OpenAsync();
            var faults = new Queue<StoreFault>(life.Faults);
            var lookups = new Queue<StoreFault>(life.Lookups);
            run.Store.WriteFaults = () => Next(faults);
            run.Store.ReadFaults = () => Next(lookups);
            List<RecordedEvent> recorded = await RecordAsync(journal, life);
            if (!life.Crashes)
                await journal.StopAsync("done", TestLimit.Token);
            await journal.DisposeAsync();
            int durable = recorded.TakeWhile(journal.IsDurable).Count();
            recorded.Skip(durable).ShouldAllBe(one => !journal.IsDurable(one));
            if (!life.Crashes)
                durable.ShouldBe(recorded.Count);
            expected.Add((journal.Epoch, recorded, durable));
            run.Store.IsAvailable = true;
        }

        EventJournal last = await run.OpenAsync();
        await last.StopAsync("end", TestLimit.Token);
        run.ShouldBeInOrder();
        foreach ((int epoch, IReadOnlyList<RecordedEvent> recorded, int durable) in expected)
        {
            // The journal's own events aside: its start, what it closes after a crash, its summaries, its stop.
            RecordedEvent[] logged = [.. run.Log.Where(one => one.Epoch == epoch && !IsOwn(one))];
            logged.Length.ShouldBeGreaterThanOrEqualTo(durable);
            logged.ShouldBe(recorded.Take(logged.Length));
        }
        // One fold of the log gives what the last process had in memory.
        MeshState folded = run.Log.Aggregate(MeshState.Empty, MeshState.Apply);
        StateText.Of(last.State).ShouldBe(StateText.Of(folded));
        folded.Connections.Open.ShouldBeEmpty();
        folded.Peers.Joined.ShouldBeEmpty();
    }

    private static bool IsOwn(RecordedEvent recorded) => recorded.Data is NodeStarted or NodeStopped or ConnectionsSummarised
        or ConnectionClosed { Reason: CloseReason.Crash } or PeerLeft { Reason: CloseReason.Crash };

    /// <summary>Records bursts of events of all kinds, alone and in decisions; returns those that have a place.</summary>
    private static async Task<List<RecordedEvent>> RecordAsync(EventJournal journal, Life life)
    {
        var random = new Random(life.Kinds);
        var recorded = new List<RecordedEvent>();
        var number = 0;
        foreach (int burst in life.Bursts)
        {
            for (var i = 0; i < burst; i++)
            {
                number++;
                int earlier = random.Next(1, number + 1);
                recorded.AddRange(random.Next(6) switch
                {
                    0 => [journal.Record(EventSamples.Opened(number))],
                    1 => [journal.Record(new ConnectionClosed(EventSamples.Opened(earlier).Connection, EventSamples.Peer(earlier), CloseReason.Lost, 1, 2, 3, 4, TimeSpan.Zero))],
                    2 => [journal.Record(new PluginUnloaded("one"))],
                    3 => [journal.Record(new PeerLeft(EventSamples.Peer(earlier), CloseReason.Lost))],
                    4 => journal.Decide(_ => [new PeerBlocked(EventSamples.Peer(earlier), "", null, "test"), new Unblocked(EventSamples.Peer(earlier), null, "", "test")]),
                    _ => journal.Decide(state => state.Connections.Open.Count % 2 == 0 ? [] : [new PluginLoaded("odd", "1"), EventSamples.Opened(number)]),
                });
            }
            recorded.RemoveAll(one => one.NodeSeq == 0);
            if (life.WaitsForBursts && recorded.Count > 0)
                await journal.WhenDurableAsync(recorded[^1], TestLimit.Token);
        }
        return recorded;
    }

    private static StoreFault Next(Queue<StoreFault> faults)
    {
        lock (faults)
            return faults.TryDequeue(out StoreFault fault) ? fault : StoreFault.None;
    }

    private sealed record Life(StoreFault[] Faults, StoreFault[] Lookups, int[] Bursts, int Kinds, int BatchSize, long SpoolLimit, bool Crashes, bool WaitsForBursts)
    {
        public override string ToString() =>
            $"faults [{string.Join(' ', Faults)}] lookups [{string.Join(' ', Lookups)}] bursts [{string.Join(' ', Bursts)}] kinds {Kinds} batch {BatchSize} limit {SpoolLimit}" +
            (Crashes ? " crashes" : " stops") + (WaitsForBursts ? " waits" : "");
    }
}
