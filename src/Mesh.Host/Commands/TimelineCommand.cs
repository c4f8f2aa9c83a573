using System.CommandLine;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using EventMesh.Host.Events;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh timeline</c>.</summary>
internal static class TimelineCommand
{
    private static readonly Argument<string> Peer = new("peer") { Description = "The peer's identity, or its beginning where only one peer that was ever met has it." };

    private static readonly Option<SortOrder?> Sort = CreateSort();

    public static Command Create() =>
        new Command("timeline", "Print every event of the log that concerns a peer.")
        {
            Peer, RangeOptions.From, RangeOptions.To, RangeOptions.Types, Sort, PageOptions.Limit, PageOptions.After, PageOptions.Node,
        }.ForRunningNode().Runs(async (context, token) =>
        {
            using ControlClient client = context.CreateClient();
            QueryText query = new QueryText().Add("from", context.Get(RangeOptions.From)).Add("to", context.Get(RangeOptions.To)).Add("sort", context.Get(Sort))
                .Add("limit", context.Get(PageOptions.Limit)).Add("after", context.Get(PageOptions.After)).Add("node", context.Get(PageOptions.Node));
            foreach (string type in context.Get(RangeOptions.Types) ?? []) query.Add("type", type);
            TimelineView page = await client.GetTimelineAsync(context.Get(Peer)!, query, token);
            if (context.IsJson)
            {
                context.WriteJson(page);
                return ExitCode.Success;
            }
            foreach (EventView recorded in page.Events) await context.Out.WriteLineAsync(EventLine.Format(recorded));
            await context.WriteFootAsync(page.AsOf, page.Next);
            return ExitCode.Success;
        });

    private static Option<SortOrder?> CreateSort()
    {
        Option<SortOrder?> option = StrictOption.OfOptional<SortOrder>("--sort");
        option.Description = "Which come first. Default: oldest.";
        return option;
    }
}
