using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Journal.Internal;
using EventMesh.Projections;
using EventMesh.Tests.Common.Journal;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

/// <summary>
/// SIGKILL between any two steps of the writer and of a start, also of a start after such a kill. One life after the other takes every way that events
/// can take; at each step an image of what is on disk is taken, and from each image a node starts.
/// </summary>
public sealed class EventJournalKilledTests : IAsyncDisposable
{
    private readonly Lock _mutex = new();
    private readonly JournalRun _run = new() { Options = { BatchSize = 4, BatchDelay = TimeSpan.Zero, SpoolAfter = TimeSpan.FromMilliseconds(5) } };
    private readonly List<CrashImage> _images = [];
    private readonly List<RecordedEvent> _recorded = [];
    private EventJournal? _current;
    private int _events;

    [Fact]
    public async Task Killed_at_any_step_a_node_loses_nothing_that_it_promised_and_repeats_nothing()
    {
        _run.OnStep = Capture;
        await LiveSpoolAndCrashAsync();
        await BringLeftoversAsync();
        await StartWithoutTheStoreBehindTheLogAsync();
        await MoveLeftoversAsync();
        await StartWithoutTheStoreAsync();
        _run.OnStep = null;
        _run.ShouldBeInOrder();
        _images.Select(image => image.Step).Distinct().ShouldBe(Enum.GetValues<JournalStep>(), ignoreOrder: true);

        // Many steps leave the disk as it was: of those the last, by when the most had been promised.
        CrashImage[] images = [.. _images.GroupBy(image => image.Content, StringComparer.Ordinal).Select(alike => alike.Last())];
        for (var i = 0; i < images.Length; i++)
        {
            await ReviveAsync(images[i], commitsLate: false, isKilledAgain: i % 9 == 0);
            if (images[i].InFlight.Count > 0)
                await ReviveAsync(images[i], commitsLate: true, isKilledAgain: i % 9 == 4);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _run.DisposeAsync();
        foreach (CrashImage image in _images)
            image.Dispose();
    }

    private string ReplicaPath => Path.Combine(_run.Directory, LocalReplica.FileName);

    private async Task LiveSpoolAndCrashAsync()
    {
        _current = await _run.OpenAsync();
        await RecordAsync(3);
        await RecordAsync(6);

        _run.Store.WriteFaults = () => StoreFault.Hang;
        await RecordAsync(3);
        await RecordAsync(9);
        _run.Store.WriteFaults = null;
        _run.Store.Release();
        await SettleAsync();
        foreach (StoreFault fault in (StoreFault[])[StoreFault.Unavailable, StoreFault.FailThenCommit, StoreFault.CommitThenFail])
        {
            var faults = new Queue<StoreFault>([fault, StoreFault.None]);
            _run.Store.WriteFaults = () => faults.TryDequeue(out StoreFault next) ? next : StoreFault.None;
            await RecordAsync(5);
            await SettleAsync();
        }
        _run.Store.IsAvailable = false;
        await RecordAsync(6);
        await CrashAsync();
    }

    private async Task BringLeftoversAsync()
    {
        _run.Store.IsAvailable = true;
        _current = await _run.OpenAsync();
        await RecordAsync(2);
        // As after loss of power: a later life finds the replica as it is now.
        foreach (string suffix in (string[])["", "-wal"])
            File.Copy(ReplicaPath + suffix, ReplicaPath + suffix + ".old");
        await RecordAsync(4);
        await _current.StopAsync("done", TestLimit.Token);
        await CrashAsync();
    }

    private async Task StartWithoutTheStoreBehindTheLogAsync()
    {
        File.Delete(ReplicaPath + "-wal");
        foreach (string suffix in (string[])["", "-wal"])
            File.Move(ReplicaPath + suffix + ".old", ReplicaPath + suffix, overwrite: true);
        EventJournal journal = await OpenWithoutStoreAsync();
        (await journal.Failed.WaitAsync(TestLimit.Token)).Error.ShouldBe(MeshError.ConcurrencyConflict);
        await CrashAsync();
    }

    private async Task MoveLeftoversAsync()
    {
        _current = await _run.OpenAsync();
        await RecordAsync(2);
        await _current.StopAsync("done", TestLimit.Token);
        await CrashAsync();
    }

    private async Task StartWithoutTheStoreAsync()
    {
        EventJournal journal = await OpenWithoutStoreAsync();
        await SettleAsync();
        await journal.StopAsync("done", TestLimit.Token);
        await CrashAsync();
    }

    /// <summary>A journal that starts without the store, records into the spool, and then sees the store again.</summary>
    private async Task<EventJournal> OpenWithoutStoreAsync()
    {
        var isBack = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _run.Store.IsAvailable = false;
        EventJournal journal = _run.Create();
        journal.TryOpenWithoutStore(
            _run.Node, _run.Directory, _ => EventSamples.Started, new MeshException(MeshError.StoreUnavailable, "away"), token => isBack.Task.WaitAsync(token))
            .ShouldBeTrue();
        _current = journal;
        await RecordAsync(5);
        _run.Store.IsAvailable = true;
        isBack.SetResult();
        return journal;
    }

    private async Task RecordAsync(int count)
    {
        RecordedEvent? last = null;
        for (var i = 0; i < count; i++)
        {
            lock (_mutex)
                _recorded.Add(last = _current!.Record(EventSamples.Opened(++_events)));
        }
        await _current!.WhenDurableAsync(last!, TestLimit.Token);
    }

    // The status tells of the writer's step before it has told the last test hook; a life's end waits for the writer.
    private async Task SettleAsync()
    {
        CancellationToken limit = TestLimit.Token;
        while (_current!.Status is { State: not JournalState.Live } or { Spooled: > 0 })
        {
            limit.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    // Everything that this life recorded is durable: nothing is lost by ending it.
    private async Task CrashAsync()
    {
        await _current!.DisposeAsync();
        _current = null;
    }

    private void Capture(JournalStep step)
    {
        lock (_mutex)
        {
            EventJournal? current = _current;
            _images.Add(CrashImage.Take(
                _run, step, _recorded.Where(one => current is null || one.Epoch < current.Epoch || current.IsDurable(one)).Select(one => one.Id).ToHashSet()));
        }
    }

    private async Task ReviveAsync(CrashImage image, bool commitsLate, bool isKilledAgain)
    {
        var again = new List<CrashImage>();
        try
        {
            await using JournalRun revived = image.Revive(commitsLate);
            if (isKilledAgain)
                revived.OnStep = step => again.Add(CrashImage.Take(revived, step, image.Promised));
            EventJournal journal = await revived.OpenAsync();
            journal.Record(new PluginUnloaded("the last"));
            await journal.StopAsync("done", TestLimit.Token);
            Check(revived, journal, image, commitsLate);
            foreach (CrashImage second in again)
            {
                await using JournalRun third = second.Revive(commitsLate: false);
                EventJournal last = await third.OpenAsync();
                await last.StopAsync("done", TestLimit.Token);
                Check(third, last, image, commitsLate, by: journal.Epoch);
            }
        }
        finally
        {
            again.ForEach(one => one.Dispose());
        }
    }

    private void Check(JournalRun revived, EventJournal journal, CrashImage image, bool commitsLate, int? by = null)
    {
        string context = $"{image.Step}, in flight {image.InFlight.Count}{(commitsLate ? " committed late" : "")}";
        revived.ShouldBeInOrder();
        // What the killed process left is the beginning of what it would have left.
        Guid[] left = [.. revived.Log.Where(one => one.Epoch < (by ?? journal.Epoch)).Select(one => one.Id)];
        left.ShouldBe(_run.Log.Take(left.Length).Select(one => one.Id), context);
        image.Promised.ShouldBeSubsetOf(left, context);
        MeshState folded = revived.Log.Aggregate(MeshState.Empty, MeshState.Apply);
        StateText.Of(journal.State).ShouldBe(StateText.Of(folded), context);
        folded.Connections.Open.ShouldBeEmpty(context);
    }
}
