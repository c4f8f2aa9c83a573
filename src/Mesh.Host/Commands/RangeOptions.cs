using System.CommandLine;

namespace EventMesh.Host.Commands;

/// <summary>The options that choose a range of the log.</summary>
internal static class RangeOptions
{
    /// <summary><c>--from</c>.</summary>
    public static readonly Option<DateTimeOffset?> From = PastTime.Option("--from", "From when on.");

    /// <summary><c>--to</c>.</summary>
    public static readonly Option<DateTimeOffset?> To = PastTime.Option("--to", "Until when, that time included.");

    /// <summary><c>--type</c>.</summary>
    public static readonly Option<string[]> Types = new("--type")
    {
        Description = "Only these events: a name such as peer.joined, or the beginning of names such as 'trust.*'; repeatable.",
        HelpName = "event",
    };
}
