using EventMesh.Plugins.Dispatch.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Plugins.Tests;

public sealed class ChannelPatternTests
{
    [Theory]
    [InlineData("chat", "chat", true)]
    [InlineData("chat", "chat.room", false)]
    [InlineData("chat", "Chat", false)]
    [InlineData("chat.*", "chat.room", true)]
    [InlineData("chat.*", "chat.", true)]
    [InlineData("chat.*", "chat", false)]
    [InlineData("*", "anything", true)]
    public void A_pattern_is_a_name_or_a_prefix_with_a_star(string pattern, string channel, bool matches) =>
        new ChannelPatterns([pattern]).TryMatch(channel, out _).ShouldBe(matches);

    [Fact]
    public void The_closest_pattern_is_the_one_that_telemetry_shows()
    {
        var patterns = new ChannelPatterns(["*", "chat.*", "chat.room"]);

        Match("chat.room").ShouldBe("chat.room");
        Match("chat.hall").ShouldBe("chat.*");
        Match("other").ShouldBe("*");

        string Match(string channel)
        {
            patterns.TryMatch(channel, out string pattern).ShouldBeTrue();
            return pattern;
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("a*b")]
    [InlineData("**")]
    [InlineData(null)]
    public void A_wrong_pattern_is_refused(string? pattern) => Should.Throw<ArgumentException>(() => new ChannelPatterns([pattern!]));
}
