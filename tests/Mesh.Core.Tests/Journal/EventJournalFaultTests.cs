using CsCheck;
using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Tests.Common.Journal;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

/// <summary>Random faults, bursts and crashes: the store holds every durable event once, in order, whatever happens between.</summary>
public sealed class EventJournalFaultTests
{
    private static readonly Gen<StoreFault[]> Faults =
        Gen.OneOf(Gen.Const(StoreFault.None), Gen.Const(StoreFault.None), Gen.Const(StoreFault.Unavailable), Gen.Const(StoreFault.CommitThenFail), Gen.Const(StoreFault.FailThenCommit)).Array[0, 12];

    private static readonly Gen<Life> Lives =
        from faults in Faults
        from lookups in Gen.OneOf(Gen.Const(StoreFault.None), Gen.Const(StoreFault.None), Gen.Const(StoreFault.Unavailable)).Array[0, 6]
        from bursts in Gen.Int[1, 40].Array[1, 8]
        from batch in Gen.OneOf(Gen.Const(1), Gen.Const(3), Gen.Const(16), Gen.Const(512))
        from crash in Gen.Bool
        from wait in Gen.Bool
        select new Life(faults, lookups, bursts, batch, crash, wait);

    [Fact]
    public async Task Whatever_the_store_does_each_durable_event_is_there_once_and_in_order() =>
        await Lives.Array[1, 4].SampleAsync(CheckAsync, iter: 40, threads: 2);

    private static async Task CheckAsync(Life[] lives)
    {
        await using var run = new JournalRun();
        run.Options.BatchDelay = TimeSpan.Zero;
        run.Options.SpoolAfter = TimeSpan.FromMilliseconds(2);
        var promised = new List<RecordedEvent>();
        foreach (Life life in lives)
        {
            run.Options.BatchSize = life.BatchSize;
            EventJournal journal = await run.OpenAsync();
            var faults = new Queue<StoreFault>(life.Faults);
            var lookups = new Queue<StoreFault>(life.Lookups);
            run.Store.WriteFaults = () => Next(faults);
            run.Store.ReadFaults = () => Next(lookups);
            var recorded = new List<RecordedEvent>();
            foreach (int burst in life.Bursts)
            {
                for (var i = 0; i < burst; i++)
                    recorded.Add(journal.Record(EventSamples.Opened(recorded.Count)));
                if (life.WaitsForBursts)
                    await journal.WhenDurableAsync(recorded[^1], TestLimit.Token);
            }
            if (!life.Crashes)
                await journal.StopAsync("done", TestLimit.Token);
            await journal.DisposeAsync();
            promised.AddRange(recorded.Where(journal.IsDurable));
            if (!life.Crashes)
                recorded.ShouldAllBe(one => journal.IsDurable(one));
            run.Store.IsAvailable = true;
        }

        await (await run.OpenAsync()).StopAsync("end", TestLimit.Token);
        run.ShouldBeInOrder();
        var places = run.Log.ToDictionary(one => one.Id);
        foreach (RecordedEvent one in promised)
            places.ShouldContainKey(one.Id);
        promised.ShouldAllBe(one => places[one.Id].NodeSeq == one.NodeSeq && places[one.Id].Epoch == one.Epoch && places[one.Id].Time == one.Time);
        // One fold of the log gives what the last process had in memory.
        run.Log[^1].Data.ShouldBe(new NodeStopped("end"));
    }

    private static StoreFault Next(Queue<StoreFault> faults)
    {
        lock (faults)
            return faults.TryDequeue(out StoreFault fault) ? fault : StoreFault.None;
    }

    private sealed record Life(StoreFault[] Faults, StoreFault[] Lookups, int[] Bursts, int BatchSize, bool Crashes, bool WaitsForBursts)
    {
        public override string ToString() =>
            $"faults [{string.Join(' ', Faults)}] lookups [{string.Join(' ', Lookups)}] bursts [{string.Join(' ', Bursts)}] batch {BatchSize}" +
            (Crashes ? " crashes" : " stops") + (WaitsForBursts ? " waits" : "");
    }
}
