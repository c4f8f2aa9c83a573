using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Journal.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

public sealed class LostTailTests
{
    private static readonly MeshException Conflict = new(MeshError.ConcurrencyConflict, "x");
    private readonly NodeId _node = new(Guid.NewGuid());

    [Fact]
    public void A_log_that_ends_before_what_was_acknowledged_has_lost_the_difference()
    {
        MeshException failure = Find(logEnd: 90, firstPlace: 101).ShouldNotBeNull();

        failure.Error.ShouldBe(MeshError.EpochLost);
        failure.Message.ShouldContain("lost 10 events");
        failure.InnerException.ShouldBe(Conflict);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(150)]
    public void A_log_that_has_all_that_was_acknowledged_has_lost_nothing(long logEnd) => Find(logEnd, firstPlace: 101).ShouldBeNull();

    private MeshException? Find(long logEnd, long firstPlace)
    {
        var first = new RecordedEvent(Guid.NewGuid(), 1, firstPlace, DateTimeOffset.UnixEpoch, new NodeStopped(""), null);
        return LostTail.Find(_node, new LogPosition(1, logEnd, DateTimeOffset.UnixEpoch), [first], Conflict);
    }
}
