using EventMesh.Journal.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

public sealed class EventIdentifierTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, 123, TimeSpan.Zero);

    [Fact]
    public void It_is_a_UUID_of_version_7_with_the_time_of_the_event()
    {
        var id = EventIdentifier.New(Noon);

        id.Version.ShouldBe(7);
        (id.Variant & 0b1100).ShouldBe(0b1000);
        Convert.ToInt64(id.ToString("N")[..12], 16).ShouldBe(Noon.ToUnixTimeMilliseconds());
        EventIdentifier.New(Noon).ShouldNotBe(id, "two logs may have events of the same time");
    }

    [Fact]
    public void Later_events_have_greater_ids_as_PostgreSQL_compares_them()
    {
        DateTimeOffset time = Noon;
        string last = "";
        for (int i = 0; i < 3_000; i++)
        {
            string id = EventIdentifier.New(time).ToString("N");
            string.CompareOrdinal(id, last).ShouldBeGreaterThan(0);
            last = id;
            time = EventTime.Next(time, time);
        }
    }
}
