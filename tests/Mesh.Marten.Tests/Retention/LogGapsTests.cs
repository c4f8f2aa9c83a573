using EventMesh.Marten.Internal;
using EventMesh.Marten.Store.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Retention;

public sealed class LogGapsTests
{
    private static readonly (long First, long Last)[] Dropped = [(10, 20), (21, 30), (40, 50)];

    [Theory]
    [InlineData(9, 21, null)]
    [InlineData(9, 31, null)]
    [InlineData(12, 14, null)]
    [InlineData(8, 21, 9L)]
    [InlineData(9, 32, 31L)]
    [InlineData(29, 41, 31L)]
    [InlineData(50, 52, 51L)]
    [InlineData(39, 51, null)]
    public void Only_places_within_dropped_months_may_be_missing(long before, long after, long? missing) =>
        LogGaps.FirstUnexplained(before, after, Dropped).ShouldBe(missing);

    [Theory]
    [InlineData(0, 9, 0)]
    [InlineData(0, 100, 3 + 10 + 5)]
    [InlineData(9, 20, 3)]
    [InlineData(18, 20, 2)]
    [InlineData(20, 45, 10 + 5)]
    [InlineData(47, 60, 3)]
    [InlineData(50, 60, 0)]
    public void No_more_places_may_be_missing_than_the_dropped_months_had_events(long after, long upTo, long most) =>
        LogGaps.MostExplained(after, upTo, [(10, 20, 3), (21, 30, 10), (40, 50, 5)]).ShouldBe(most);

    [Theory]
    [InlineData(60.0, null, true)]
    [InlineData(null, null, true)]
    [InlineData(60.0, 61.0, true)]
    [InlineData(60.0, 60.0, false)]
    [InlineData(null, 90.0, false)]
    [InlineData(0.5, null, false)]
    public void Connections_are_dropped_after_they_are_compressed(double? compress, double? drop, bool isValid) =>
        new MeshRetentionOptionsValidator().Validate(null, new MeshRetentionOptions
        {
            CompressAfter = compress is { } c ? TimeSpan.FromDays(c) : null,
            DropConnectionsAfter = drop is { } d ? TimeSpan.FromDays(d) : null,
        }).Succeeded.ShouldBe(isValid);
}
