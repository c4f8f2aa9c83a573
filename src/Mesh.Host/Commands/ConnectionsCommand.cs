using System.CommandLine;
using System.Globalization;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using Spectre.Console;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh connections</c>.</summary>
internal static class ConnectionsCommand
{
    private static readonly Option<DateTimeOffset?> OpenAt = PastTime.Option("--open-at", "Only connections that stood at a time.");

    private static readonly Option<CloseReason?> Reason = Described(
        StrictOption.OfOptional<CloseReason>("--reason"), "Only connections that ended for this reason.");

    private static readonly Option<ConnectionDirection?> Direction = Described(
        StrictOption.OfOptional<ConnectionDirection>("--direction"), "Only connections that we (outbound) or the peer (inbound) dialled.");

    public static Command Create() =>
        new Command("connections", "List the connections of the running node, those that stand and those that stood.")
        {
            PageOptions.Peer, OpenAt, Reason, Direction, PageOptions.Sort, PageOptions.Limit, PageOptions.After, PageOptions.Node,
        }.ForRunningNode().Runs(ListAsync);

    private static async Task<ExitCode> ListAsync(CommandContext context, CancellationToken token)
    {
        using ControlClient client = context.CreateClient();
        QueryText query = context.GetHistory().Add("reason", context.Get(Reason)).Add("direction", context.Get(Direction)).Add("at", context.Get(OpenAt));
        HistoryView<ConnectionView> page = await client.GetConnectionsAsync(query, token);
        if (context.IsJson)
        {
            context.WriteJson(new { connections = page.Items, page.AsOf, page.Next });
            return ExitCode.Success;
        }
        Table table = TextTable.Create("place", "peer", "dialled by", "remote", "opened", "stood", "ended", "sent", "received");
        foreach (ConnectionView connection in page.Items)
        {
            table.AddTextRow(
                connection.OpenedSeq.ToString(CultureInfo.InvariantCulture), connection.Peer.ToShortString(),
                connection.Direction == ConnectionDirection.Outbound ? "us" : "the peer", connection.Remote, TextTable.Time(connection.OpenedAt),
                connection.Duration is { } stood ? $"{stood:d\\.hh\\:mm\\:ss}" : "", connection.Reason is { } reason ? TextTable.Name(reason) : "stands",
                Traffic(connection.MessagesSent, connection.BytesSent), Traffic(connection.MessagesReceived, connection.BytesReceived));
        }
        context.Console.Write(table);
        await context.WriteFootAsync(page.AsOf, page.Next);
        return ExitCode.Success;
    }

    private static string Traffic(long? messages, long? bytes) =>
        messages is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{messages} messages, {bytes} bytes");

    private static Option<T> Described<T>(Option<T> option, string description)
    {
        option.Description = description;
        return option;
    }
}
