using System.CommandLine;
using EventMesh.Host.Endpoints;

namespace EventMesh.Host.Commands;

/// <summary>The options of commands that answer from history in pages.</summary>
internal static class PageOptions
{
    /// <summary><c>--as-of</c>.</summary>
    public static readonly Option<DateTimeOffset?> AsOf = PastTime.Option("--as-of", "What was so at a time, from the stored history.");

    /// <summary><c>--node</c>.</summary>
    public static readonly Option<string?> Node = new("--node")
    {
        Description = "Of another node whose log is in the same store, such as an imported one: its id.",
        HelpName = "id",
    };

    /// <summary><c>--peer</c>.</summary>
    public static readonly Option<string?> Peer = new("--peer") { Description = "Only peers whose identity begins so.", HelpName = "peer" };

    /// <summary><c>--after</c>.</summary>
    public static readonly Option<string?> After = new("--after")
    {
        Description = "The next page: the cursor that the page before ended with, with the same filters and order.",
        HelpName = "cursor",
    };

    /// <summary><c>--limit</c>.</summary>
    public static readonly Option<long?> Limit = CreateLimit();

    /// <summary><c>--sort</c>.</summary>
    public static readonly Option<SortOrder> Sort = CreateSort();

    /// <summary>A command that answers from memory, or from history with one of these options.</summary>
    public static Command ForHistory(this Command command)
    {
        foreach (Option option in (Option[])[AsOf, Peer, Sort, Limit, After, Node]) command.Options.Add(option);
        return command;
    }

    /// <summary>Whether the answer comes from history: memory knows only now, and does not cut it into pages.</summary>
    public static bool IsFromHistory(this CommandContext context) =>
        ((Option[])[AsOf, Peer, Sort, Limit, After, Node]).Any(option => context.Parse.GetResult(option) is { Implicit: false });

    /// <summary>What the options say, for the node.</summary>
    public static QueryText GetHistory(this CommandContext context) => new QueryText()
        .Add("at", context.Get(AsOf)).Add("peer", context.Get(Peer)).Add("sort", context.Get(Sort)).Add("limit", context.Get(Limit))
        .Add("after", context.Get(After)).Add("node", context.Get(Node));

    /// <summary>Says on stderr what an answer stands on, and how the next page is had.</summary>
    public static async Task WriteFootAsync(this CommandContext context, AsOfView asOf, string? next)
    {
        string place = asOf.Time is { } time ? $"place {asOf.Seq} of the log ({TextTable.Time(time)})" : "the beginning of the log";
        await context.Error.WriteLineAsync(asOf.IsComplete
            ? $"As of {place}."
            : $"As of {place}. The projection lags: the log has {asOf.RequestedSeq - asOf.Seq} more events up to that time.");
        if (asOf.NotStored > 0)
            await context.Error.WriteLineAsync($"{asOf.NotStored} recorded events are on their way to the store and not in the answer.");
        if (next is not null) await context.Error.WriteLineAsync($"There is more: --after {next}");
    }

    private static Option<long?> CreateLimit()
    {
        Option<long?> option = StrictOption.Number("--limit", 1, 1000);
        option.Description = "Items in a page, 1 to 1000. Default: 100.";
        option.HelpName = "number";
        return option;
    }

    private static Option<SortOrder> CreateSort()
    {
        Option<SortOrder> option = StrictOption.Of<SortOrder>("--sort");
        option.Description = "Which come first. Default: newest.";
        return option;
    }
}
