using System.CommandLine;
using System.Text.Json;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using EventMesh.Journal;
using EventMesh.Marten.Audit;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh audit</c>: proof that the running node's log is as it was recorded.</summary>
internal static class AuditCommand
{
    private static readonly Option<string?> Head = new("--head") { Description = "A head that `mesh audit head` wrote earlier, which the log has to extend.", HelpName = "file" };
    private static readonly Option<string?> To = new("--file", "-f") { Description = "Where to write; standard output without it.", HelpName = "file" };

    public static Command Create()
    {
        Command command = new("audit", "The chain over the running node's log: proves that nothing in it was changed, removed or inserted.");
        command.Subcommands.Add(new Command("verify", "Walk the log and say what is wrong with it; exit code 12 when something is.") { Head }.ForRunningNode().Runs(VerifyAsync));
        command.Subcommands.Add(new Command("head", "Sign the end of the log with the node's key, for a copy that is kept elsewhere.") { To }.ForRunningNode().Runs(HeadAsync));
        return command;
    }

    private static async Task<ExitCode> HeadAsync(CommandContext context, CancellationToken token)
    {
        using ControlClient client = context.CreateClient();
        SignedHead head = await client.GetHeadAsync(token);
        string? path = context.Get(To);
        if (path is not null)
        {
            try
            {
                await File.WriteAllBytesAsync(path, JsonSerializer.SerializeToUtf8Bytes(head, ControlJson.Options), token);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new MeshException(MeshError.InvalidConfiguration, $"'{path}' can't be written: {e.Message}", e);
            }
        }
        if (context.IsJson || path is null) context.WriteJson(head);
        else await context.Out.WriteLineAsync($"Wrote the signed head at place {head.Place} to {path}.");
        return ExitCode.Success;
    }

    private static async Task<ExitCode> VerifyAsync(CommandContext context, CancellationToken token)
    {
        SignedHead? head = context.Get(Head) is { } path ? await ReadAsync(path, token) : null;
        using ControlClient client = context.CreateClient();
        AuditReport report = await client.VerifyAsync(new AuditRequest(head), token);
        if (context.IsJson) context.WriteJson(report);
        else await WriteAsync(report, head, context.Out);
        return report.IsGood ? ExitCode.Success : ExitCode.AuditFailed;
    }

    private static async Task WriteAsync(AuditReport report, SignedHead? head, TextWriter output)
    {
        foreach (AuditFinding finding in report.Findings)
            await output.WriteLineAsync($"{JsonNamingPolicy.KebabCaseLower.ConvertName(finding.Problem.ToString())} {(finding.Place is { } place ? $"at {place}" : "in the store")}: {finding.Detail}");
        if (report.FindingCount > report.Findings.Count)
            await output.WriteLineAsync($"... and {report.FindingCount - report.Findings.Count} more.");
        foreach (AuditErasure erasure in report.Erasures)
            await output.WriteLineAsync($"{erasure.Events} events were erased of the addresses of peer {erasure.Peer.ToShortString()}, as the event at {erasure.Place} tells.");
        foreach (AuditDroppedMonth month in report.Dropped)
            await output.WriteLineAsync($"{month.Count} events of {month.Month} from place {month.FirstSeq} to {month.LastSeq} were removed, as the event at {month.Place} tells.");
        string chain = report.ChainedFrom is { } from ? $"chained from place {from}, {report.Seals} seals, sealed through place {report.SealedThrough}" : "without a chain yet";
        await output.WriteLineAsync($"The log of {report.LastPlace} events ({chain}) {(report.IsGood ? "is as it was recorded" : $"is wrong in {report.FindingCount} ways")}.");
        if (report.IsGood && head is not null)
            await output.WriteLineAsync($"It extends the head at place {head.Place}.");
        await output.WriteLineAsync(
            report.Projections.Count > 0
                ? $"Compared with the log: {string.Join(", ", report.Projections)}."
                : "No projection was compared: the role of the database may not make the tables for it.");
        if (report.Dropped.Count > 0)
            await output.WriteLineAsync("Projections that hold what was removed were not compared.");
    }

    private static async Task<SignedHead> ReadAsync(string path, CancellationToken token)
    {
        try
        {
            await using Stream stream = path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
            if (await JsonSerializer.DeserializeAsync<SignedHead>(stream, ControlJson.Options, token) is { Hash: not null, PublicKey: not null, Signature: not null } head) return head;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(MeshError.InvalidConfiguration, $"'{path}' can't be read: {e.Message}", e);
        }
        catch (JsonException e)
        {
            throw new MeshException(MeshError.InvalidConfiguration, $"'{path}' is no exported head: {e.Message}", e);
        }
        throw new MeshException(MeshError.InvalidConfiguration, $"'{path}' is no exported head.");
    }
}
