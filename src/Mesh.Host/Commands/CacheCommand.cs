using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using EventMesh.Bootstrap;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using Spectre.Console;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh cache</c> and its parts; alone it lists.</summary>
internal static class CacheCommand
{
    private static readonly Argument<string> Address = new("address") { Description = "address:port or name:port." };
    private static readonly Argument<string> Peer = new("peer") { Description = "The node's identity, or its beginning where only one cached node has it." };
    private static readonly Argument<string> From = new("file") { Description = "What `mesh cache export` wrote; - for standard input." };

    private static readonly Option<string?> Expect = new("--expect") { Description = "The full identity of the peer that has to be there.", HelpName = "peer" };
    private static readonly Option<string?> To = new("--file", "-f") { Description = "Where to write; standard output without it.", HelpName = "file" };

    public static Command Create()
    {
        Command command = new("cache", "The running node's bootstrap cache: lists it, or adds, removes, exports and imports nodes.");
        command.Subcommands.Add(new Command("list", "List the cache, the most recently connected first.").WithFleet().ForHistory().ForRunningNode().Runs(ListAsync));
        command.Subcommands.Add(new Command("add", "Dial an address; the node there enters the cache when it can be dialled.") { Address, Expect }.ForRunningNode().Runs(AddAsync));
        command.Subcommands.Add(new Command("remove", "Take a node out of the cache.") { Peer }.ForRunningNode().Runs(RemoveAsync));
        command.Subcommands.Add(new Command("export", "Write the cache for another node.") { To }.ForRunningNode().Runs(ExportAsync));
        command.Subcommands.Add(new Command("import", "Bring in nodes from an exported cache, as far as there is room.") { From }.ForRunningNode().Runs(ImportAsync));
        return command.WithFleet().ForHistory().ForRunningNode().Runs(ListAsync);
    }

    private static async Task<ExitCode> ListAsync(CommandContext context, CancellationToken token)
    {
        if (context.IsFleet()) return await FleetCommand.CacheAsync(context, token);
        using ControlClient client = context.CreateClient();
        HistoryView<CacheEntryView>? page = context.IsFromHistory() ? await client.GetCacheAsync(context.GetHistory(), token) : null;
        IReadOnlyList<CacheEntryView> entries = page?.Items ?? await client.GetCacheAsync(token);
        if (context.IsJson)
        {
            if (page is null) context.WriteJson(new { entries });
            else context.WriteJson(new { entries, page.AsOf, page.Next });
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
        if (page is not null) await context.WriteFootAsync(page.AsOf, page.Next);
        return ExitCode.Success;
    }

    private static async Task<ExitCode> AddAsync(CommandContext context, CancellationToken token)
    {
        PeerId? expected = ConnectCommand.ParseExpected(context.Get(Expect));
        using ControlClient client = context.CreateClient();
        CacheEntryView entry = await client.AddToCacheAsync(new ConnectRequest(context.Get(Address)!, expected), token);
        if (context.IsJson) context.WriteJson(entry);
        else await context.Out.WriteLineAsync($"Cached {entry.Peer} at {entry.Endpoints[0]}.");
        return ExitCode.Success;
    }

    private static async Task<ExitCode> RemoveAsync(CommandContext context, CancellationToken token)
    {
        using ControlClient client = context.CreateClient();
        CacheEntryView entry = await client.RemoveFromCacheAsync(context.Get(Peer)!, token);
        if (context.IsJson) context.WriteJson(entry);
        else await context.Out.WriteLineAsync($"Removed {entry.Peer}.");
        return ExitCode.Success;
    }

    private static async Task<ExitCode> ExportAsync(CommandContext context, CancellationToken token)
    {
        using ControlClient client = context.CreateClient();
        CacheFile file = await client.ExportCacheAsync(token);
        string? path = context.Get(To);
        if (path is null)
        {
            context.WriteJson(file);
            return ExitCode.Success;
        }
        await WriteAsync(path, JsonSerializer.SerializeToUtf8Bytes(file, ControlJson.Options), token);
        if (context.IsJson) context.WriteJson(new { file = path, entries = file.Entries.Count });
        else await context.Out.WriteLineAsync($"Wrote {file.Entries.Count} nodes to {path}.");
        return ExitCode.Success;
    }

    private static async Task<ExitCode> ImportAsync(CommandContext context, CancellationToken token)
    {
        CacheFile file = await ReadAsync(context.Get(From)!, token);
        using ControlClient client = context.CreateClient();
        CacheImport result = await client.ImportCacheAsync(file, token);
        if (context.IsJson) context.WriteJson(result);
        else await context.Out.WriteLineAsync($"Added {result.Added} nodes; {result.Known} were cached already, for {result.Refused} there was no place.");
        return ExitCode.Success;
    }

    private static async Task WriteAsync(string path, byte[] content, CancellationToken token)
    {
        try
        {
            await File.WriteAllBytesAsync(path, content, token);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(MeshError.InvalidConfiguration, $"'{path}' can't be written: {e.Message}", e);
        }
    }

    private static async Task<CacheFile> ReadAsync(string path, CancellationToken token)
    {
        try
        {
            await using Stream stream = path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
            CacheFile? file = await JsonSerializer.DeserializeAsync<CacheFile>(stream, ControlJson.Options, token);
            if (file is not null && file.ToRecords().Count >= 0) return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(MeshError.InvalidConfiguration, $"'{path}' can't be read: {e.Message}", e);
        }
        catch (JsonException e)
        {
            throw new MeshException(MeshError.InvalidConfiguration, $"'{path}' is no exported cache: {e.Message}", e);
        }
        throw new MeshException(MeshError.InvalidConfiguration, $"'{path}' is empty.");
    }
}
