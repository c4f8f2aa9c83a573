using EventMesh.Events;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Events;
using EventMesh.Identity;
using EventMesh.Tests.Common.Hosting;

namespace EventMesh.Host.Tests.Events;

public sealed class EventFeedTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private readonly FakeNodeLog _log = new();

    [Fact]
    public async Task Reading_ends_with_the_store()
    {
        Record(3);
        _log.Store();
        (await ReadAsync(after: 0, follow: false, count: 3)).ShouldBe([1L, 2, 3]);
    }

    [Fact]
    public async Task Reading_resumes_after_a_place()
    {
        Record(5);
        _log.Store();
        (await ReadAsync(after: 3, follow: false, count: 2)).ShouldBe([4L, 5]);
    }

    [Fact]
    public async Task Following_goes_on_from_history_to_live()
    {
        Record(2);
        _log.Store();
        Task<List<long>> reading = ReadAsync(after: 0, follow: true, count: 4);
        await _log.Followed.WaitAsync(Limit);
        Record(2);
        (await reading).ShouldBe([1L, 2, 3, 4]);
    }

    [Fact]
    public async Task An_event_that_is_both_stored_and_live_is_given_once()
    {
        Record(2);
        _log.Store();
        // Recorded after following began and committed before the history was read to its end.
        _log.OnRead = () =>
        {
            _log.OnRead = null;
            Record(1);
            _log.Store();
        };
        Task<List<long>> reading = ReadAsync(after: 0, follow: true, count: 4);
        await _log.Followed.WaitAsync(Limit);
        while (_log.LastNodeSeq < 3) await Task.Yield();
        Record(1);
        (await reading).ShouldBe([1L, 2, 3, 4]);
    }

    [Fact]
    public async Task An_event_recorded_before_following_and_stored_after_the_first_read_is_not_lost()
    {
        Record(4);
        _log.Store(2);
        int reads = 0;
        // Only the third read of the store sees the two that were on their way.
        _log.OnRead = () =>
        {
            if (++reads == 2) _log.Store();
        };
        Task<List<long>> reading = ReadAsync(after: 0, follow: true, count: 5);
        await _log.Followed.WaitAsync(Limit);
        Record(1);
        (await reading).ShouldBe([1L, 2, 3, 4, 5]);
        reads.ShouldBeGreaterThanOrEqualTo(3);
    }

    [Fact]
    public async Task A_reader_that_fell_behind_goes_on_from_the_store()
    {
        Record(1);
        _log.Store();
        Task<List<long>> reading = ReadAsync(after: 0, follow: true, count: 4);
        await _log.Followed.WaitAsync(Limit);
        _log.OverrunFollowers();
        Record(2);
        _log.Store();
        await _log.Followed.WaitAsync(Limit);
        Record(1);
        (await reading).ShouldBe([1L, 2, 3, 4]);
    }

    [Fact]
    public async Task Under_concurrent_recording_and_committing_nothing_is_lost_or_repeated()
    {
        const int Count = 5_000;
        Record(100);
        using CancellationTokenSource stop = new(Limit);
        Task recording = Task.Run(
            () =>
            {
                Random random = new(7);
                for (int i = 100; i < Count; i++)
                {
                    Record(1);
                    if (random.Next(20) == 0) _log.Store();
                }
                _log.Store();
            },
            stop.Token);
        (await ReadAsync(after: 0, follow: true, count: Count)).ShouldBe(Enumerable.Range(1, Count).Select(i => (long)i));
        await recording;
    }

    [Fact]
    public async Task An_event_is_given_when_it_is_durable_and_not_before()
    {
        Record(1);
        _log.Store();
        TaskCompletionSource durable = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _log.OnWhenDurable = _ =>
        {
            asked.TrySetResult();
            return durable.Task;
        };
        Task<List<long>> reading = ReadAsync(after: 0, follow: true, count: 2);
        await _log.Followed.WaitAsync(Limit);
        Record(1);
        await asked.Task.WaitAsync(Limit);
        reading.IsCompleted.ShouldBeFalse();
        durable.SetResult();
        (await reading).ShouldBe([1L, 2]);
    }

    [Fact]
    public async Task An_event_that_a_stop_takes_away_is_not_given()
    {
        Record(1);
        _log.Store();
        _log.OnWhenDurable = recorded => recorded.NodeSeq == 2
            ? Task.CompletedTask
            : Task.FromException(new MeshException(MeshError.NodeStopped, "stopped"));
        Task<List<long>> reading = ReadAsync(after: 0, follow: true, count: 3);
        await _log.Followed.WaitAsync(Limit);
        Record(2);
        (await reading).ShouldBe([1L, 2]);
    }

    [Fact]
    public async Task A_place_beyond_the_log_is_refused()
    {
        Record(2);
        _log.Store();
        (await Should.ThrowAsync<MeshException>(ReadAsync(after: 3, follow: true, count: 1))).Message.ShouldStartWith("The log ends at place 2, before 3");
    }

    [Fact]
    public async Task A_reader_can_stop_while_it_waits()
    {
        using CancellationTokenSource stop = new();
        Task<List<long>> reading = ReadAsync(after: 0, follow: true, count: 1, stop.Token);
        await _log.Followed.WaitAsync(Limit);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(reading.WaitAsync(Limit));
    }

    private void Record(int count)
    {
        for (int i = 0; i < count; i++) _log.Record(new NodeStopped("test"));
    }

    private async Task<List<long>> ReadAsync(long after, bool follow, int count, CancellationToken cancellationToken = default)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        EventFeed feed = new(_log, _log, new Status(), TimeProvider.System);
        List<long> places = [];
        if (count == 0) return places;
        await foreach (EventView recorded in feed.ReadAsync(after, follow, limit.Token))
        {
            places.Add(recorded.Seq);
            if (follow && places.Count == count) break;
        }
        return places;
    }

    private sealed class Status : INodeStatus
    {
        public NodeId NodeId => new(Guid.Empty);

        public bool IsRunning => true;

        public HealthView GetHealth() => throw new NotSupportedException();

        public NodeView GetView() => throw new NotSupportedException();
    }
}
