using System.Text.Json;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using Shouldly;
using Xunit;

namespace EventMesh.Conformance;

/// <summary>What every <see cref="IEventStore"/> has to do. A provider derives from it and says how its store is made.</summary>
public abstract class EventStoreConformanceTests : IAsyncLifetime
{
    private IEventStore? _store;

    /// <summary>A new node in each test, so that tests don't meet in a store that they share.</summary>
    protected NodeId Node { get; } = new(Guid.NewGuid());

    protected IEventStore Store => _store!;

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Makes an open store.</summary>
    protected abstract Task<IEventStore> CreateStoreAsync();

    public async ValueTask InitializeAsync() => _store = await CreateStoreAsync();

    public async ValueTask DisposeAsync()
    {
        if (_store is not null)
            await _store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_new_log_ends_at_zero()
    {
        LogPosition position = await Store.GetPositionAsync(Node, Cancellation);

        position.ShouldBe(new LogPosition(0, 0, DateTimeOffset.MinValue));
        (await ReadAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Events_come_back_in_order_of_place_across_families_and_months()
    {
        RecordedEvent[] batch = await ClaimAndAppendAsync(EventStoreSamples.EveryType(Node));

        List<RecordedEvent> read = await ReadAsync();

        read.Select(recorded => recorded.NodeSeq).ShouldBe(Enumerable.Range(1, batch.Length + 1).Select(i => (long)i));
        read.Skip(1).Select(recorded => recorded.Id).ShouldBe(batch.Select(recorded => recorded.Id));
        LogPosition end = await Store.GetPositionAsync(Node, Cancellation);
        end.ShouldBe(new LogPosition(1, batch.Length + 1, batch[^1].Time));
    }

    [Fact]
    public async Task Every_type_of_event_comes_back_with_all_its_values()
    {
        EventStoreSamples.EveryType(Node).Select(data => data.GetType()).Distinct()
            .ShouldBe(EventRegistry.Default.All.Select(descriptor => descriptor.Type), ignoreOrder: true, "each event needs a sample");
        RecordedEvent[] batch = await ClaimAndAppendAsync(EventStoreSamples.EveryType(Node));

        List<RecordedEvent> read = await ReadAsync();

        foreach ((RecordedEvent written, RecordedEvent found) in batch.Zip(read.Skip(1)))
        {
            (found with { Data = written.Data }).ShouldBe(written);
            found.Data.GetType().ShouldBe(written.Data.GetType());
            JsonElement.DeepEquals(Json(found.Data), Json(written.Data)).ShouldBeTrue($"{Json(found.Data)} is not {Json(written.Data)}");
        }
    }

    [Fact]
    public async Task Reading_starts_after_a_place_and_keeps_to_families()
    {
        RecordedEvent[] batch = await ClaimAndAppendAsync(EventStoreSamples.EveryType(Node));

        List<RecordedEvent> read = await ReadAsync(3, new HashSet<StreamFamily> { StreamFamily.Cache, StreamFamily.Trust });

        read.Count.ShouldBe(EventStoreSamples.EveryType(Node)
            .Count(data => EventRegistry.Default.Get(data.GetType()).Family is StreamFamily.Cache or StreamFamily.Trust));
        read.Select(recorded => recorded.Id).ShouldBe(batch.Where(recorded => recorded.NodeSeq > 3
            && EventRegistry.Default.Get(recorded.Data.GetType()).Family is (StreamFamily.Cache or StreamFamily.Trust)).Select(recorded => recorded.Id));
        read.ShouldAllBe(recorded => recorded.NodeSeq > 3);
        read.Select(recorded => recorded.NodeSeq).ShouldBeInOrder();
        read.Select(recorded => EventRegistry.Default.Get(recorded.Data.GetType()).Family).Distinct()
            .ShouldBe([StreamFamily.Cache, StreamFamily.Trust], ignoreOrder: true);
    }

    [Fact]
    public async Task A_log_of_many_pages_is_read_whole_and_in_order()
    {
        await ClaimAndAppendAsync([]);
        long next = 2;
        for (int i = 0; i < 3; i++)
        {
            RecordedEvent[] batch = EventStoreSamples.Record(1, next, Enumerable.Repeat(new NodeStopped("x"), 1500));
            await Store.AppendAsync(Node, batch, Cancellation);
            next += batch.Length;
        }

        List<RecordedEvent> read = await ReadAsync(1000);

        read.Select(recorded => recorded.NodeSeq).ShouldBe(Enumerable.Range(1001, 3501).Select(i => (long)i));
    }

    [Fact]
    public async Task A_read_ends_where_the_log_ended_when_it_began()
    {
        await ClaimAndAppendAsync(Enumerable.Repeat(new NodeStopped("x"), 1200));
        var read = new List<RecordedEvent>();
        await foreach (RecordedEvent recorded in Store.ReadAsync(Node, 0, null, Cancellation))
        {
            if (read.Count == 0)
                await Store.AppendAsync(Node, EventStoreSamples.Record(1, 1202, Enumerable.Repeat(new NodeStopped("y"), 800)), Cancellation);
            read.Add(recorded);
        }

        read.Count.ShouldBe(1201);
        (await ReadAsync()).Count.ShouldBe(2001);
    }

    [Fact]
    public async Task Of_many_claims_of_one_epoch_one_wins()
    {
        Task[] claims = [.. Enumerable.Range(0, 8).Select(_ => Store.ClaimEpochAsync(Node, EventStoreSamples.Record(1, 1, EventStoreSamples.Started(Node))[0], Cancellation))];

        var errors = new List<MeshError>();
        foreach (Task claim in claims)
        {
            if (await Record.ExceptionAsync(() => claim) is { } exception)
                errors.Add(exception.ShouldBeOfType<MeshException>().Error);
        }

        errors.Count.ShouldBe(7);
        errors.ShouldAllBe(error => error == MeshError.EpochLost);
        (await ReadAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_epoch_that_does_not_follow_the_last_is_refused()
    {
        (await FailAsync(Store.ClaimEpochAsync(Node, EventStoreSamples.Record(2, 1, EventStoreSamples.Started(Node))[0], Cancellation)))
            .ShouldBe(MeshError.EpochLost);
        await ClaimAndAppendAsync([]);

        (await FailAsync(Store.ClaimEpochAsync(Node, EventStoreSamples.Record(1, 2, EventStoreSamples.Started(Node))[0], Cancellation)))
            .ShouldBe(MeshError.EpochLost);
        (await FailAsync(Store.ClaimEpochAsync(Node, EventStoreSamples.Record(3, 2, EventStoreSamples.Started(Node))[0], Cancellation)))
            .ShouldBe(MeshError.EpochLost);
        (await ReadAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Who_lost_the_epoch_appends_nothing_more()
    {
        await ClaimAndAppendAsync([new NodeStopped("first")]);
        await Store.ClaimEpochAsync(Node, EventStoreSamples.Record(2, 3, EventStoreSamples.Started(Node))[0], Cancellation);

        (await FailAsync(Store.AppendAsync(Node, EventStoreSamples.Record(1, 4, new NodeStopped("late")), Cancellation))).ShouldBe(MeshError.EpochLost);
        await Store.AppendAsync(Node, EventStoreSamples.Record(2, 4, new NodeStopped("second")), Cancellation);

        (await ReadAsync()).Select(recorded => recorded.Epoch).ShouldBe([1, 1, 2, 2]);
        (await Store.GetPositionAsync(Node, Cancellation)).Epoch.ShouldBe(2);
    }

    [Fact]
    public async Task Nobody_appends_before_a_claim()
    {
        (await FailAsync(Store.AppendAsync(Node, EventStoreSamples.Record(1, 1, new NodeStopped("x")), Cancellation))).ShouldBe(MeshError.EpochLost);
        (await ReadAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_same_batch_is_refused_the_second_time()
    {
        RecordedEvent[] batch = await ClaimAndAppendAsync([new NodeStopped("a"), new PluginUnloaded("b")]);

        (await FailAsync(Store.AppendAsync(Node, batch, Cancellation))).ShouldBe(MeshError.ConcurrencyConflict);

        (await ReadAsync()).Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_batch_with_one_event_that_is_there_leaves_nothing()
    {
        RecordedEvent[] first = await ClaimAndAppendAsync([new NodeStopped("a")]);
        RecordedEvent[] second = EventStoreSamples.Record(1, 3, new PluginUnloaded("b"), new NodeStopped("c"), new PluginUnloaded("d"));
        second[1] = second[1] with { Id = first[0].Id };

        (await FailAsync(Store.AppendAsync(Node, second, Cancellation))).ShouldBe(MeshError.ConcurrencyConflict);

        (await ReadAsync()).Count.ShouldBe(2);
        (await Store.GetPositionAsync(Node, Cancellation)).NodeSeq.ShouldBe(2);
        second[1] = second[1] with { Id = Guid.CreateVersion7() };
        await Store.AppendAsync(Node, second, Cancellation);
        (await ReadAsync()).Count.ShouldBe(5);
    }

    [Fact]
    public async Task Find_tells_which_events_are_there()
    {
        RecordedEvent[] batch = await ClaimAndAppendAsync([new NodeStopped("a"), new PluginUnloaded("b")]);
        var missing = Guid.CreateVersion7();

        IReadOnlySet<Guid> found = await Store.FindAsync(Node, [batch[1].Id, missing], Cancellation);

        found.ShouldBe([batch[1].Id]);
        (await Store.FindAsync(Node, [], Cancellation)).ShouldBeEmpty();
        (await Store.FindAsync(new NodeId(Guid.NewGuid()), [batch[0].Id], Cancellation)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Two_nodes_in_one_store_do_not_see_each_other()
    {
        var other = new NodeId(Guid.NewGuid());
        Task[] writers = [.. new[] { Node, other }.Select(node => Task.Run(async () =>
        {
            await Store.ClaimEpochAsync(node, EventStoreSamples.Record(1, 1, EventStoreSamples.Started(node))[0], Cancellation);
            for (int i = 0; i < 20; i++)
                await Store.AppendAsync(node, EventStoreSamples.Record(1, 2 + (i * 10), Enumerable.Repeat(new NodeStopped(node.ToString()), 10)), Cancellation);
        }))];
        await Task.WhenAll(writers);

        foreach (NodeId node in new[] { Node, other })
        {
            List<RecordedEvent> read = await ReadAsync(node: node);
            read.Select(recorded => recorded.NodeSeq).ShouldBe(Enumerable.Range(1, 201).Select(i => (long)i));
            read.Select(recorded => recorded.Data).OfType<NodeStopped>().ShouldAllBe(data => data.Reason == node.ToString());
        }
    }

    [Fact]
    public async Task A_reader_sees_whole_batches_while_a_writer_appends()
    {
        await ClaimAndAppendAsync([]);
        Task writer = Task.Run(async () =>
        {
            for (int i = 0; i < 30; i++)
                await Store.AppendAsync(Node, EventStoreSamples.Record(1, 2 + (i * 7), Enumerable.Repeat(new NodeStopped("x"), 7)), Cancellation);
        });

        int count;
        do
        {
            List<RecordedEvent> read = await ReadAsync();
            count = read.Count;
            read.Select(recorded => recorded.NodeSeq).ShouldBe(Enumerable.Range(1, count).Select(i => (long)i));
            ((count - 1) % 7).ShouldBe(0);
        }
        while (!writer.IsCompleted);
        await writer;

        (await ReadAsync()).Count.ShouldBe(211);
    }

    [Fact]
    public async Task A_big_batch_of_all_families_is_appended_whole()
    {
        IReadOnlyList<IMeshEvent> each = EventStoreSamples.EveryType(Node);
        IMeshEvent[] many = [.. Enumerable.Range(0, 4096).Select(i => each[i % each.Count])];

        RecordedEvent[] batch = await ClaimAndAppendAsync(many);

        List<RecordedEvent> read = await ReadAsync();
        read.Skip(1).Select(recorded => (recorded.Id, recorded.Time)).ShouldBe(batch.Select(recorded => (recorded.Id, recorded.Time)));
    }

    [Fact]
    public async Task A_peers_text_with_a_zero_character_does_not_block_the_log()
    {
        await ClaimAndAppendAsync([new PeerJoined(EventStoreSamples.Peer(1), Guid.NewGuid(), PeerKind.Client, [], "bad\0agent \\u0000 \ud800"), new NodeStopped("after")]);

        List<RecordedEvent> read = await ReadAsync();

        read.Count.ShouldBe(3);
        read[1].Data.ShouldBeOfType<PeerJoined>().Agent.ShouldStartWith("bad");
    }

    protected async Task<RecordedEvent[]> ClaimAndAppendAsync(IEnumerable<IMeshEvent> events)
    {
        await Store.ClaimEpochAsync(Node, EventStoreSamples.Record(1, 1, EventStoreSamples.Started(Node))[0], Cancellation);
        RecordedEvent[] batch = EventStoreSamples.Record(1, 2, events);
        if (batch.Length > 0)
            await Store.AppendAsync(Node, batch, Cancellation);
        return batch;
    }

    protected async Task<List<RecordedEvent>> ReadAsync(long after = 0, IReadOnlySet<StreamFamily>? families = null, NodeId? node = null)
    {
        var read = new List<RecordedEvent>();
        await foreach (RecordedEvent recorded in Store.ReadAsync(node ?? Node, after, families, Cancellation))
            read.Add(recorded);
        return read;
    }

    protected static async Task<MeshError> FailAsync(Task task) => (await Should.ThrowAsync<MeshException>(() => task)).Error;

    private static JsonElement Json(IMeshEvent data) => JsonDocument.Parse(MeshJson.Serialize(data)).RootElement;
}
