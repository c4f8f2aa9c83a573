using System.CommandLine;
using System.Globalization;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using EventMesh.Marten.Retention;
using Spectre.Console;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh segments</c> and its parts; alone it lists.</summary>
internal static class SegmentsCommand
{
    private static readonly Option<bool> Yes = new("--yes") { Description = "Really remove them; without it only says what would go." };

    public static Command Create()
    {
        Option<long?> olderThan = StrictOption.Number("--older-than", least: 0);
        olderThan.Description = "How many days ago a month must have ended. Default: as configured.";
        olderThan.HelpName = "days";
        Command command = new("segments", "The months of the running node's log: lists them, or compresses and removes old ones.");
        command.Subcommands.Add(new Command("list", "List the months.").ForRunningNode().Runs(ListAsync));
        command.Subcommands.Add(new Command("archive", "Compress closed months now.") { olderThan }.ForRunningNode().Runs(async (context, token) =>
        {
            using ControlClient client = context.CreateClient();
            return await WriteAsync(context, await client.ArchiveSegmentsAsync(new SegmentsRequest(Days(context.Get(olderThan))), token), "Compressed");
        }));
        command.Subcommands.Add(new Command("drop", "Remove compressed months of connections and refusals for good.") { olderThan, Yes }.ForRunningNode().Runs(
            async (context, token) =>
            {
                using ControlClient client = context.CreateClient();
                SegmentsChange change = await client.DropSegmentsAsync(new SegmentsRequest(Days(context.Get(olderThan)), context.Get(Yes)), token);
                ExitCode code = await WriteAsync(context, change, change.IsDone ? "Removed" : "Would remove");
                if (!context.IsJson && !change.IsDone && change.Segments.Count > 0)
                    await context.Out.WriteLineAsync("Nothing was removed. --yes removes them for good; projections that are rebuilt after that lack them.");
                return code;
            }));
        return command.ForRunningNode().Runs(ListAsync);
    }

    private static TimeSpan? Days(long? days) => days is { } count ? TimeSpan.FromDays(Math.Min(count, 1_000_000)) : null;

    private static async Task<ExitCode> ListAsync(CommandContext context, CancellationToken token)
    {
        using ControlClient client = context.CreateClient();
        SegmentInfo[] segments = await client.GetSegmentsAsync(token);
        if (context.IsJson) context.WriteJson(new { segments });
        else Write(context, segments);
        return ExitCode.Success;
    }

    private static async Task<ExitCode> WriteAsync(CommandContext context, SegmentsChange change, string verb)
    {
        if (context.IsJson)
        {
            context.WriteJson(change);
            return ExitCode.Success;
        }
        await context.Out.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"{verb} {change.Segments.Count} months, {change.Segments.Sum(segment => segment.Count):N0} events."));
        if (change.Segments.Count > 0) Write(context, change.Segments);
        return ExitCode.Success;
    }

    private static void Write(CommandContext context, IReadOnlyList<SegmentInfo> segments)
    {
        Table table = TextTable.Create("stream", "state", "events", "places", "bytes in blocks", "head");
        foreach (SegmentInfo segment in segments)
        {
            table.AddTextRow(
                $"{TextTable.Name(segment.Family)}/{segment.Month}", TextTable.Name(segment.Status), segment.Count.ToString(CultureInfo.InvariantCulture),
                string.Create(CultureInfo.InvariantCulture, $"{segment.FirstSeq} to {segment.LastSeq}"),
                segment.BlockBytes == 0 ? "" : segment.BlockBytes.ToString(CultureInfo.InvariantCulture), segment.Head ?? "");
        }
        context.Console.Write(table);
    }
}
