using System.CommandLine;
using System.Globalization;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using EventMesh.Projections;
using Spectre.Console;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh diff</c>.</summary>
internal static class DiffCommand
{
    private static readonly Option<DateTimeOffset?> From = CreateFrom();

    private static readonly Option<DateTimeOffset?> To = PastTime.Option("--to", "The later time; now without it.");

    private static readonly Option<bool> All = new("--all") { Description = "Each change between the two times, in pages, instead of the net difference." };

    public static Command Create() =>
        new Command("diff", "Tell what differs between two times: who joined, left, was trusted, blocked, unblocked, pinned, entered or left the cache.")
        {
            From, To, All, PageOptions.Limit, PageOptions.After, PageOptions.Node,
        }.ForRunningNode().Runs((context, token) => context.Get(All) ? ListAsync(context, token) : CompareAsync(context, token));

    private static async Task<ExitCode> CompareAsync(CommandContext context, CancellationToken token)
    {
        if (context.Get(PageOptions.Limit) is not null || context.Get(PageOptions.After) is not null)
            throw new MeshException(MeshError.InvalidConfiguration, "--limit and --after are for --all: a net difference has one page.");
        using ControlClient client = context.CreateClient();
        DifferenceView difference = await client.GetDifferenceAsync(Range(context), token);
        if (context.IsJson)
        {
            context.WriteJson(difference);
            return ExitCode.Success;
        }
        Write(context, difference.Changes, "");
        await context.Out.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"{difference.ConnectionsOpened} connections were opened, {difference.ConnectionsClosed} closed."));
        await context.WriteFootAsync(difference.From, null);
        await context.WriteFootAsync(difference.To, null);
        return ExitCode.Success;
    }

    private static async Task<ExitCode> ListAsync(CommandContext context, CancellationToken token)
    {
        using ControlClient client = context.CreateClient();
        QueryText query = Range(context).Add("limit", context.Get(PageOptions.Limit)).Add("after", context.Get(PageOptions.After));
        HistoryView<MeshChange> page = await client.GetChangesAsync(query, token);
        if (context.IsJson)
        {
            context.WriteJson(new { changes = page.Items, page.AsOf, page.Next });
            return ExitCode.Success;
        }
        Write(context, page.Items, "place");
        await context.WriteFootAsync(page.AsOf, page.Next);
        return ExitCode.Success;
    }

    private static void Write(CommandContext context, IReadOnlyList<MeshChange> changes, string place)
    {
        Table table = TextTable.Create("change", "of", "when", "by", "detail", place).HideHeaders();
        foreach (MeshChange change in changes)
        {
            string who = change.Peer is not { } peer ? change.Subject
                : change.Subject == peer.ToString() ? peer.ToShortString() : $"{change.Subject} to {peer.ToShortString()}";
            table.AddTextRow(
                TextTable.Name(change.Kind), who, change.At is { } at ? TextTable.Time(at) : "", change.By ?? "", change.Detail ?? "",
                change.Seq?.ToString(CultureInfo.InvariantCulture) ?? "");
        }
        if (changes.Count > 0) context.Console.Write(table);
    }

    private static QueryText Range(CommandContext context) => new QueryText().Add("from", context.Get(From)).Add("to", context.Get(To)).Add("node", context.Get(PageOptions.Node));

    private static Option<DateTimeOffset?> CreateFrom()
    {
        Option<DateTimeOffset?> option = PastTime.Option("--from", "The earlier time.");
        option.Required = true;
        return option;
    }
}
