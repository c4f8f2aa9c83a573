using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal.Internal;
using EventMesh.Projections;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

public sealed class ConnectionSummaryTests
{
    private readonly ConnectionCounts _counts = new();
    private readonly ConnectionSummary _summary;

    public ConnectionSummaryTests() => _summary = new ConnectionSummary(_counts);

    [Fact]
    public void What_the_log_knows_to_stand_is_recorded_when_it_ends()
    {
        MeshState state = Fold(EventSamples.Opened(1), EventSamples.Joined(1));
        _summary.TryCount(state, Closed(1)).ShouldBeFalse();
        _summary.TryCount(state, new PeerUpdated(EventSamples.Peer(1), PeerKind.Client, [])).ShouldBeFalse();
        _summary.TryCount(state, new PeerLeft(EventSamples.Peer(1), CloseReason.Idle)).ShouldBeFalse();
        _counts.Take(default).ShouldBeNull();
    }

    [Fact]
    public void What_comes_and_goes_is_counted_by_reason()
    {
        for (var i = 1; i <= 5; i++)
        {
            Count(EventSamples.Opened(i));
            Count(EventSamples.Joined(i));
            Count(Closed(i, i == 1 ? CloseReason.Lost : CloseReason.Idle));
            Count(new PeerLeft(EventSamples.Peer(i), CloseReason.Lost));
        }
        Count(new InboundRefused("192.0.2.7/32", MeshError.TooManyConnections, 17));
        ConnectionsSummarised counts = _counts.Take(DateTimeOffset.UnixEpoch)!;
        (counts.Opened, counts.Joined, counts.Refused, counts.BytesSent, counts.MessagesReceived).ShouldBe((5, 5, 17, 5, 20));
        counts.Closed.ShouldBe([new CloseCount(CloseReason.Idle, 4), new CloseCount(CloseReason.Lost, 1)]);
        counts.Left.ShouldBe([new CloseCount(CloseReason.Lost, 5)]);
        _summary.StandingCount.ShouldBe(0);
        _counts.Take(default).ShouldBeNull();
    }

    [Fact]
    public void What_still_stands_is_given_back_as_it_is_by_then()
    {
        Count(EventSamples.Opened(1));
        Count(EventSamples.Joined(1));
        Count(new PeerUpdated(EventSamples.Peer(1), PeerKind.Client, []));
        IReadOnlyList<IMeshEvent> standing = _summary.TakeStanding();
        standing[0].ShouldBe(EventSamples.Opened(1));
        var joined = standing[1].ShouldBeOfType<PeerJoined>();
        (joined.Peer, joined.Kind, joined.Endpoints.Count).ShouldBe((EventSamples.Peer(1), PeerKind.Client, 0));
        _summary.TakeStanding().ShouldBeEmpty();
    }

    [Fact]
    public void More_than_can_be_kept_is_recorded()
    {
        for (var i = 0; i < ConnectionSummary.MaxStanding; i++)
            Count(EventSamples.Opened(i));
        _summary.TryCount(MeshState.Empty, EventSamples.Opened(ConnectionSummary.MaxStanding)).ShouldBeFalse();
        Count(Closed(0));
        Count(EventSamples.Opened(ConnectionSummary.MaxStanding));
    }

    [Fact]
    public void A_failed_dial_that_the_cache_counts_is_recorded()
    {
        var failed = new DialFailed(EventSamples.EndPoint4, EventSamples.Peer(1), MeshError.Unreachable, "");
        Count(failed);
        MeshState cached = Fold(new CacheEntryAdded(EventSamples.Peer(1), [EventSamples.EndPoint4], [], ConnectionDirection.Outbound));
        _summary.TryCount(cached, failed).ShouldBeFalse();
        _summary.TryCount(cached, failed with { Error = MeshError.Busy }).ShouldBeTrue();
    }

    /// <summary>Whatever may be counted changes no state, whatever the state: so the fold of the log is the state in memory.</summary>
    [Fact]
    public void Only_events_of_connections_are_counted()
    {
        foreach (IMeshEvent data in EventSamples.All)
        {
            bool isCounted = new ConnectionSummary(new ConnectionCounts()).TryCount(MeshState.Empty, data);
            isCounted.ShouldBe(
                data is ConnectionOpened or ConnectionClosed or PeerJoined or PeerUpdated or PeerLeft or PeerDiscovered or DialFailed or InboundRefused
                    or ReverseConnectivityConfirmed or ReverseConnectivityFailed,
                data.ToString());
        }
    }

    private static ConnectionClosed Closed(int number, CloseReason reason = CloseReason.Idle) =>
        new(EventSamples.Opened(number).Connection, EventSamples.Peer(number), reason, 1, 2, 3, 4, TimeSpan.Zero);

    private static MeshState Fold(params IMeshEvent[] events) =>
        events.Aggregate(MeshState.Empty, (state, data) => MeshState.Apply(state, new RecordedEvent(Guid.NewGuid(), 1, 1, DateTimeOffset.UnixEpoch, data, null)));

    private void Count(IMeshEvent data) => _summary.TryCount(MeshState.Empty, data).ShouldBeTrue(data.ToString());
}
