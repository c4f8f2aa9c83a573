using System.Net;
using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Store;
using EventMesh.Marten.Tests.Fixture;
using EventMesh.Projections;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Queries;

/// <summary>The difference between two times is that of the folds of the log up to them.</summary>
public sealed class DifferenceTests(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly NodeId _node = new(Guid.NewGuid());
    private readonly string _schema = postgres.NewSchema();
    private MartenEventStore _store = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _store = await postgres.OpenStoreAsync(_schema);

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task Between_any_two_places_the_difference_is_that_of_the_folds()
    {
        var log = new LogScript(_store, _node);
        Guid connection = Guid.NewGuid();
        await log.AppendAsync(
        [
            new ConnectionOpened(connection, Peer(1), new IPEndPoint(1, 1), ConnectionDirection.Inbound), Joined(1), new CacheEntryAdded(Peer(1), [], [], ConnectionDirection.Inbound),
            new PeerPinned("a:1", Peer(1), PinOrigin.ByHand, "me"), new PeerTrusted(Peer(2), "", "me"), Joined(2),
            new PeerBlocked(Peer(2), "", EventStoreSamples.Start.AddMilliseconds(11), "limits"),
            new PeerLeft(Peer(2), CloseReason.Blocked), new PrefixBlocked(IPNetwork.Parse("192.0.2.0/24"), "x", null, "me"), new NodeStopped("pad"), new NodeStopped("pad"),
            new ConnectionClosed(connection, Peer(1), CloseReason.Lost, 1, 2, 3, 4, TimeSpan.Zero), new PeerLeft(Peer(1), CloseReason.Lost),
            new CacheEntryEvicted(Peer(1), EvictionReason.Failures), new PeerUnpinned("a:1", Peer(1), "", "me"), new CertificateRevoked(Peer(1), null, "", "me"), Joined(2),
        ]);
        await log.FoldedAsync();
        List<MeshState> states = [MeshState.Empty];
        foreach (RecordedEvent recorded in log.Events) states.Add(MeshState.Apply(states[^1], recorded));
        DateTimeOffset TimeOf(int place) => place == 0 ? log.Events[0].Time.AddSeconds(-1) : log.Events[place - 1].Time;

        for (int from = 0; from < states.Count; from += 2)
        {
            for (int to = from; to < states.Count; to++)
            {
                MeshDifference difference = await _store.Queries.GetDifferenceAsync(_node, TimeOf(from), TimeOf(to), Cancellation);
                difference.Changes.ShouldBe(MeshChanges.Between(states[from], TimeOf(from), states[to], TimeOf(to)), $"from {from} to {to}");
                RecordedEvent[] range = [.. log.Events.Where(recorded => recorded.NodeSeq > from && recorded.NodeSeq <= to)];
                (difference.From.FoldedSeq, difference.To.FoldedSeq).ShouldBe((from, to));
                difference.ConnectionsOpened.ShouldBe(range.Count(recorded => recorded.Data is ConnectionOpened));
                difference.ConnectionsClosed.ShouldBe(range.Count(recorded => recorded.Data is ConnectionClosed));
            }
        }
        (await ChangesAsync(TimeOf(2), TimeOf(15))).ShouldBe(
            log.Events.Where(recorded => recorded.NodeSeq is > 2 and <= 15).Select(MeshChanges.Of).OfType<MeshChange>());
        await Should.ThrowAsync<ArgumentException>(() => _store.Queries.GetDifferenceAsync(_node, TimeOf(2), TimeOf(1), Cancellation));
    }

    private static PeerId Peer(int number) => EventStoreSamples.Peer(number);

    private static PeerJoined Joined(int peer) => new(Peer(peer), Guid.Empty, PeerKind.Node, [], "agent");

    private async Task<List<MeshChange>> ChangesAsync(DateTimeOffset from, DateTimeOffset to)
    {
        var changes = new List<MeshChange>();
        string? after = null;
        do
        {
            HistoryPage<MeshChange> page = await _store.Queries.GetChangesAsync(
                _node, new ChangeFilter { From = from, To = to, After = after, Limit = 2 }, Cancellation);
            changes.AddRange(page.Items);
            after = page.Next;
        }
        while (after is not null);
        return changes;
    }
}
