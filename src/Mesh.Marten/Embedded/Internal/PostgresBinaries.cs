using System.Diagnostics;
using System.Globalization;

namespace EventMesh.Marten.Embedded.Internal;

/// <summary>The server programs of one PostgreSQL version.</summary>
internal sealed record PostgresBinaries(string Folder, int Major)
{
    private const string Debian = "/usr/lib/postgresql";

    public string Initdb => Path.Combine(Folder, "initdb");

    public string Postgres => Path.Combine(Folder, "postgres");

    /// <summary>Writes a database as SQL; of Debian's package <c>postgresql-client-N</c>, as the next two.</summary>
    public string Dump => Path.Combine(Folder, "pg_dump");

    /// <summary>Writes what belongs to no database.</summary>
    public string DumpAll => Path.Combine(Folder, "pg_dumpall");

    /// <summary>Reads SQL.</summary>
    public string Psql => Path.Combine(Folder, "psql");

    /// <summary>The programs for a new cluster, or for an existing one those of its version.</summary>
    public static async Task<PostgresBinaries> FindAsync(string? folder, string dataDirectory, CancellationToken cancellationToken)
    {
        int? wanted = ReadVersion(dataDirectory);
        var found = new List<PostgresBinaries>();
        foreach (string candidate in Candidates(folder))
        {
            if (await LookAsync(candidate, cancellationToken).ConfigureAwait(false) is not { } binaries)
                continue;
            if (wanted is null || binaries.Major == wanted)
                return binaries;
            found.Add(binaries);
        }
        if (found.Count == 0)
            throw Missing(folder);
        throw new MeshException(
            MeshError.StoreIncompatible,
            $"{dataDirectory} was made by PostgreSQL {wanted}; here is {Describe(found)}. Install the package 'postgresql-{wanted}' again: beside a newer version it also lets `mesh store upgrade` bring the log over to that (docs/store.md).");
    }

    /// <summary>All server programs on this machine, each version once, the folders that are given before others.</summary>
    public static async Task<IReadOnlyList<PostgresBinaries>> FindAllAsync(IEnumerable<string?> folders, CancellationToken cancellationToken)
    {
        var found = new List<PostgresBinaries>();
        foreach (string candidate in folders.Where(folder => !string.IsNullOrWhiteSpace(folder)).Concat(Candidates(folder: null)).OfType<string>().Distinct(StringComparer.Ordinal))
        {
            if (await LookAsync(candidate, cancellationToken).ConfigureAwait(false) is { } binaries && found.TrueForAll(other => other.Major != binaries.Major))
                found.Add(binaries);
        }
        return found;
    }

    /// <summary>The server programs in a folder; null where there are none.</summary>
    public static async Task<PostgresBinaries?> LookAsync(string folder, CancellationToken cancellationToken) =>
        File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "postgres"))
            ? new PostgresBinaries(folder, await AskVersionAsync(folder, cancellationToken).ConfigureAwait(false))
            : null;

    /// <summary>What a folder, or the machine, without server programs is refused with.</summary>
    public static MeshException Missing(string? folder) => new(
        MeshError.StoreUnavailable,
        folder is null
            ? $"No PostgreSQL server is on this machine (looked in {Debian}/*/bin and the search path). Install the package 'postgresql', or set EventMesh:Store:ConnectionString to a server."
            : $"{folder} (EventMesh:Store:PostgresBin) holds no PostgreSQL server: initdb and postgres are missing. Install the package 'postgresql'.");

    /// <summary>For people.</summary>
    public static string Describe(IEnumerable<PostgresBinaries> found) =>
        string.Join(" and ", found.Select(binaries => $"{binaries.Major} ({binaries.Folder})"));

    /// <summary>The major version that made a cluster; null where there is none.</summary>
    public static int? ReadVersion(string dataDirectory)
    {
        string file = Path.Combine(dataDirectory, "PG_VERSION");
        return File.Exists(file) && int.TryParse(File.ReadAllText(file).Trim(), CultureInfo.InvariantCulture, out int major) ? major : null;
    }

    private static IEnumerable<string> Candidates(string? folder)
    {
        if (!string.IsNullOrWhiteSpace(folder))
            return [folder];
        IEnumerable<string> debian = Directory.Exists(Debian)
            ? Directory.GetDirectories(Debian)
                .OrderByDescending(path => int.TryParse(Path.GetFileName(path), CultureInfo.InvariantCulture, out int major) ? major : 0)
                .Select(path => Path.Combine(path, "bin"))
            : [];
        string[] path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return debian.Concat(path);
    }

    private static async Task<int> AskVersionAsync(string folder, CancellationToken cancellationToken)
    {
        var info = new ProcessStartInfo(Path.Combine(folder, "postgres"), ["--version"]) { RedirectStandardOutput = true, UseShellExecute = false };
        using Process process = Process.Start(info)!;
        // "postgres (PostgreSQL) 15.14 (Debian ...)"
        string text = await process.StandardOutput.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
        await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        string digits = new([.. text.SkipWhile(c => !char.IsAsciiDigit(c)).TakeWhile(char.IsAsciiDigit)]);
        return int.TryParse(digits, CultureInfo.InvariantCulture, out int major)
            ? major
            : throw new MeshException(MeshError.StoreUnavailable, $"{folder}/postgres does not tell its version: '{text.Trim()}'.");
    }
}
