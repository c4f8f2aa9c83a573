using EventMesh.Host.Commands;

namespace EventMesh.Host.Tests.Commands;

public sealed class PastTimeTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 14, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("2026-11-22T13:00:00Z", "2026-11-22T13:00:00Z")]
    [InlineData("2026-11-22T13:00Z", "2026-11-22T13:00:00Z")]
    [InlineData("2026-11-22T15:00:00.25+02:00", "2026-11-22T13:00:00.25Z")]
    [InlineData("2026-11-22T08:30:00-05:00", "2026-11-22T13:30:00Z")]
    [InlineData("2026-11-22T14:00:00Z", "2026-11-22T14:00:00Z")]
    [InlineData("-2h", "2026-11-22T12:00:00Z")]
    [InlineData("-7d", "2026-11-15T14:00:00Z")]
    [InlineData("-90s", "2026-11-22T13:58:30Z")]
    [InlineData("-0m", "2026-11-22T14:00:00Z")]
    public void A_time_is_absolute_with_a_zone_or_relative(string text, string expected)
    {
        PastTime.TryParse(text, Now, out DateTimeOffset time, out _).ShouldBeTrue();
        time.ShouldBe(DateTimeOffset.Parse(expected, System.Globalization.CultureInfo.InvariantCulture));
        time.Offset.ShouldBe(TimeSpan.Zero);
    }

    [Theory]
    [InlineData("2026-11-22T13:00:00", "needs a zone")]
    [InlineData("2026-11-22T14:00:01Z", "in the future")]
    [InlineData("2026-11-22T15:00:00+00:30", "in the future")]
    [InlineData("2h", "takes a time")]
    [InlineData("-2", "takes a time")]
    [InlineData("-2w", "takes a time")]
    [InlineData("--2h", "takes a time")]
    [InlineData("-36501d", "takes a time")]
    [InlineData("-99999999999999999999d", "takes a time")]
    [InlineData("-", "takes a time")]
    [InlineData("", "takes a time")]
    [InlineData("yesterday", "takes a time")]
    [InlineData("2026-02-30T00:00:00Z", "takes a time")]
    public void What_is_wrong_is_said(string text, string expected)
    {
        PastTime.TryParse(text, Now, out _, out string error).ShouldBeFalse();
        error.ShouldContain(expected);
    }
}
