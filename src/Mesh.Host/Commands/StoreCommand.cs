using System.CommandLine;
using EventMesh.Host.Errors;
using EventMesh.Host.Hosting;
using EventMesh.Journal;
using EventMesh.Marten.Store;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh store</c>: work on the store itself. No running node is needed, and only an upgrade of the private server wants it stopped.</summary>
internal static class StoreCommand
{
    private static readonly Argument<string> Target = new("file") { Description = "The backup, a new file." };
    private static readonly Argument<string> Origin = new("file") { Description = "The backup." };

    private static readonly Option<string?> OldBin = new("--old-bin")
    {
        Description = "The folder of the PostgreSQL programs that made the database. Default: they are looked for.",
        HelpName = "directory",
    };

    public static Command Create() => new("store", "Make, upgrade, check, back up and restore the store.")
    {
        new Command("migrate", "Make the schema, or upgrade an older one.").ForStore().Runs(MigrateAsync),
        new Command("check", "Compare the schema with what this program makes; the exit code tells too.").ForStore().Runs(CheckAsync),
        new Command("script", "Print the SQL that makes or upgrades the schema, for psql. It may run again.").ForStore().Runs(ScriptAsync),
        new Command("backup", "Write the logs of all nodes in the store to a file. They may go on running.") { Target }.ForStore().Runs(BackupAsync),
        new Command("restore", "Bring a backup into an empty store, and check each log from its beginning to its end.") { Origin }.ForStore().Runs(RestoreAsync),
        new Command("upgrade", "Bring the private server's database to the newest PostgreSQL of this machine. The node must be stopped.") { OldBin }.ForStore().Runs(UpgradeAsync),
    };

    /// <summary>Adds the options that name a store.</summary>
    private static Command ForStore(this Command command)
    {
        command.Options.Add(NodeOptions.Store);
        return command.ForRunningNode();
    }

    private static async Task<ExitCode> MigrateAsync(CommandContext context, CancellationToken token)
    {
        StoreAccess access = StoreAccess.Read(context);
        await using StoreAdministration store = await access.OpenAsync(token);
        int from = await store.MigrateAsync(token);
        int to = StoreAdministration.CurrentVersion;
        if (context.IsJson) context.WriteJson(new { access.Options.Schema, From = from, To = to });
        else await context.Out.WriteLineAsync(Describe(from, to));
        return ExitCode.Success;

        string Describe(int before, int after) => before == 0 ? $"Made the schema '{access.Options.Schema}' of version {after} in {access.Describe()}."
            : before == after ? $"The schema '{access.Options.Schema}' in {access.Describe()} has version {after}: nothing to do."
            : $"Upgraded the schema '{access.Options.Schema}' in {access.Describe()} from version {before} to {after}.";
    }

    private static async Task<ExitCode> CheckAsync(CommandContext context, CancellationToken token)
    {
        StoreAccess access = StoreAccess.Read(context);
        await using StoreAdministration store = await access.OpenAsync(token);
        StoreCheck check = await store.CheckAsync(token);
        if (context.IsJson) context.WriteJson(check);
        else await WriteAsync(context, access, check);
        return check.IsCurrent ? ExitCode.Success : ExitCode.Store;
    }

    private static async Task WriteAsync(CommandContext context, StoreAccess access, StoreCheck check)
    {
        await context.Out.WriteLineAsync($"The schema '{check.Schema}' in {access.Describe()} has version {check.Version}; this program needs {check.Expected}.");
        foreach (string difference in check.Differences) await context.Out.WriteLineAsync($"  {difference}");
        string advice = check.Version > check.Expected ? "A newer program made it: update this one."
            : check.Version < check.Expected ? "`mesh store migrate` upgrades it, `mesh store script` prints how."
            : check.Differences.Count > 0 ? "Somebody has changed it: the output of `mesh store script`, run with psql, makes again what is missing."
            : "All is there.";
        await context.Out.WriteLineAsync(advice);
    }

    private static async Task<ExitCode> ScriptAsync(CommandContext context, CancellationToken token)
    {
        StoreAccess access = StoreAccess.Read(context);
        string script = StoreAdministration.WriteScript(access.Options);
        if (context.IsJson) context.WriteJson(new { access.Options.Schema, Version = StoreAdministration.CurrentVersion, Script = script });
        else await context.Out.WriteAsync(script);
        return ExitCode.Success;
    }

    private static async Task<ExitCode> BackupAsync(CommandContext context, CancellationToken token)
    {
        StoreAccess access = StoreAccess.Read(context);
        string file = Path.GetFullPath(context.Get(Target)!);
        await using StoreAdministration store = await access.OpenAsync(token);
        long rows = await store.BackupAsync(file, token);
        long bytes = new FileInfo(file).Length;
        if (context.IsJson) context.WriteJson(new { File = file, Rows = rows, Bytes = bytes });
        else await context.Out.WriteLineAsync($"Wrote {rows} rows of {access.Describe()} to {file} ({bytes} bytes).");
        return ExitCode.Success;
    }

    private static async Task<ExitCode> RestoreAsync(CommandContext context, CancellationToken token)
    {
        StoreAccess access = StoreAccess.Read(context);
        await using StoreAdministration store = await access.OpenAsync(token);
        IReadOnlyList<LogPosition> logs = await store.RestoreAsync(Path.GetFullPath(context.Get(Origin)!), token);
        long events = logs.Sum(log => log.NodeSeq);
        if (context.IsJson) context.WriteJson(new { Nodes = logs.Count, Events = events });
        else await context.Out.WriteLineAsync($"Restored the logs of {logs.Count} nodes with {events} events into {access.Describe()}; each is whole. The projections follow at the next start.");
        return ExitCode.Success;
    }

    private static async Task<ExitCode> UpgradeAsync(CommandContext context, CancellationToken token)
    {
        StoreAccess access = StoreAccess.Read(context);
        StoreUpgrade upgrade = await access.UpgradeAsync(context.Get(OldBin), token);
        if (context.IsJson) context.WriteJson(upgrade);
        else await context.Out.WriteLineAsync(Describe(upgrade));
        return ExitCode.Success;
    }

    internal static string Describe(StoreUpgrade upgrade)
    {
        if (upgrade.Kept is null)
            return $"{upgrade.Directory} is of PostgreSQL {upgrade.To}, and no newer one is installed: nothing to do.";
        string proof = upgrade.Logs == 0 ? "" : $" The logs in it ({upgrade.Logs}, with {upgrade.Events} places) are those of the old one, link by link.";
        string findings = upgrade.Findings == 0 ? "" : $" {upgrade.Findings} things were wrong in them before, and still are: `mesh audit verify` tells.";
        return $"{upgrade.Directory} is of PostgreSQL {upgrade.To} now, not {upgrade.From}.{proof}{findings} The old one is kept as {upgrade.Kept}; remove it once the node has run.";
    }
}
