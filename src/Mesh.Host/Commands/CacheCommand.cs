using System.CommandLine;
using System.Globalization;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using Spectre.Console;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh cache</c>.</summary>
internal static class CacheCommand
{
    public static Command Create() =>
        new Command("cache", "List the running node's bootstrap cache, the most recently connected first.").ForRunningNode().Runs(async (context, token) =>
        {
            using ControlClient client = context.CreateClient();
            CacheEntryView[] entries = await client.GetCacheAsync(token);
            if (context.IsJson)
            {
                context.WriteJson(new { entries });
                return ExitCode.Success;
            }
            Table table = TextTable.Create("peer", "endpoints", "first dialled by", "state", "failures", "last connected");
            foreach (CacheEntryView entry in entries)
            {
                table.AddTextRow(
                    entry.Peer.ToShortString(), string.Join(' ', entry.Endpoints), entry.Origin == ConnectionDirection.Outbound ? "us" : "the peer",
                    entry.IsConfirmed ? "confirmed" : "probed", entry.Failures.ToString(CultureInfo.InvariantCulture), TextTable.Time(entry.LastConnectedAt));
            }
            context.Console.Write(table);
            return ExitCode.Success;
        });
}
