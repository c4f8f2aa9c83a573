using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using EventMesh.Host.Events;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh export</c>.</summary>
internal static class ExportCommand
{
    private static readonly Option<long?> AfterPlace = Place("--after-place", 0, "Begin after this place of the log.");

    private static readonly Option<long?> ThroughPlace = Place("--through-place", 1, "End with this place of the log.");

    private static readonly Option<ExportFormat> Format = CreateFormat();

    private static readonly Option<string?> To = new("--out") { Description = "Where to write; standard output without it.", HelpName = "file" };

    public static Command Create() =>
        new Command("export", "Write a range of the log, or all of it, for programs or for another store.")
        {
            RangeOptions.From, RangeOptions.To, AfterPlace, ThroughPlace, RangeOptions.Types, Format, To, PageOptions.Node,
        }.ForRunningNode().Runs(async (context, token) =>
        {
            string? path = context.Get(To);
            if (path is null)
            {
                await using Stream output = Console.OpenStandardOutput();
                await CopyAsync(context, bytes => WriteAsync(context, output, bytes, token), token);
                return ExitCode.Success;
            }
            long exported = await WriteFileAsync(context, Path.GetFullPath(path), token);
            if (context.IsJson) context.WriteJson(new { file = path, events = exported });
            else await context.Out.WriteLineAsync($"Wrote {exported} events to {path}.");
            return ExitCode.Success;
        });

    /// <summary>Beside the file, which is there with all of it or not at all.</summary>
    private static async Task<long> WriteFileAsync(CommandContext context, string path, CancellationToken token)
    {
        string part = $"{path}.{Environment.ProcessId}.part";
        try
        {
            long exported;
            await using (FileStream file = new(part, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16, FileOptions.Asynchronous))
            {
                exported = await CopyAsync(context, bytes => file.WriteAsync(bytes, token), token);
                await file.FlushAsync(token);
                file.Flush(flushToDisk: true);
            }
            File.Move(part, path, overwrite: true);
            return exported;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(MeshError.InvalidConfiguration, $"'{path}' can't be written: {e.Message}", e);
        }
        finally
        {
            if (File.Exists(part)) File.Delete(part);
        }
    }

    private static async Task<long> CopyAsync(CommandContext context, Func<ReadOnlyMemory<byte>, ValueTask> write, CancellationToken token)
    {
        using ControlClient client = context.CreateClient();
        QueryText query = new QueryText().Add("from", context.Get(RangeOptions.From)).Add("to", context.Get(RangeOptions.To))
            .Add("after", context.Get(AfterPlace)).Add("through", context.Get(ThroughPlace)).Add("node", context.Get(PageOptions.Node));
        foreach (string type in context.Get(RangeOptions.Types) ?? []) query.Add("type", type);
        bool isCloud = context.Get(Format) == ExportFormat.CloudEvents;
        ExportHeader? header = null;
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await foreach (JsonElement line in client.ExportAsync(query, token))
        {
            if (line.TryGetProperty("exported", out JsonElement exported))
            {
                if (isCloud && header is not null)
                {
                    ExportClosing end = new(header.After, header.Through, exported.GetInt64(), header.Types, Convert.ToHexStringLower(hash.GetHashAndReset()));
                    await WriteLineAsync(CloudEvents.WriteEnd(header, end));
                }
                return exported.GetInt64();
            }
            bool isHeader = header is null;
            header ??= line.Deserialize<ExportHeader>(ControlJson.Options)!;
            if (isHeader && isCloud) continue;
            await WriteLineAsync(isCloud
                ? CloudEvents.Write(line.Deserialize<EventView>(ControlJson.Options)!, header.Node)
                : Encoding.UTF8.GetBytes(line.GetRawText()));
        }
        throw new MeshException(MeshError.NodeStopped, "The node stopped before the export was complete.");

        async ValueTask WriteLineAsync(byte[] text)
        {
            hash.AppendData(text);
            hash.AppendData("\n"u8);
            await write(text);
            await write("\n"u8.ToArray());
        }
    }

    private static async ValueTask WriteAsync(CommandContext context, Stream output, ReadOnlyMemory<byte> bytes, CancellationToken token)
    {
        // Tests read what the command prints through its writer.
        if (context.Out == Console.Out) await output.WriteAsync(bytes, token);
        else await context.Out.WriteAsync(Encoding.UTF8.GetString(bytes.Span).AsMemory(), token);
    }

    private static Option<long?> Place(string name, long least, string description)
    {
        Option<long?> option = StrictOption.Number(name, least);
        option.Description = description;
        option.HelpName = "seq";
        return option;
    }

    private static Option<ExportFormat> CreateFormat()
    {
        Option<ExportFormat> option = StrictOption.Of<ExportFormat>("--format");
        option.Description = "jsonl (default): what `mesh import` reads. cloudevents: CloudEvents 1.0, which it reads too.";
        return option;
    }
}
