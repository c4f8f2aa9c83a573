using System.Diagnostics;
using System.Globalization;

namespace EventMesh.Marten.Embedded.Internal;

/// <summary>The server programs of one PostgreSQL version.</summary>
internal sealed record PostgresBinaries(string Folder, int Major)
{
    private const string Debian = "/usr/lib/postgresql";

    public string Initdb => Path.Combine(Folder, "initdb");

    public string Postgres => Path.Combine(Folder, "postgres");

    /// <summary>The programs for a new cluster, or for an existing one those of its version.</summary>
    public static async Task<PostgresBinaries> FindAsync(string? folder, string dataDirectory, CancellationToken cancellationToken)
    {
        int? wanted = ReadVersion(dataDirectory);
        var found = new List<PostgresBinaries>();
        foreach (string candidate in Candidates(folder))
        {
            if (!File.Exists(Path.Combine(candidate, "initdb")) || !File.Exists(Path.Combine(candidate, "postgres")))
                continue;
            var binaries = new PostgresBinaries(candidate, await AskVersionAsync(candidate, cancellationToken).ConfigureAwait(false));
            if (wanted is null || binaries.Major == wanted)
                return binaries;
            found.Add(binaries);
        }
        if (found.Count == 0)
            throw new MeshException(
                MeshError.StoreUnavailable,
                folder is null
                    ? $"No PostgreSQL server is on this machine (looked in {Debian}/*/bin and the search path). Install the package 'postgresql', or set EventMesh:Store:ConnectionString to a server."
                    : $"{folder} (EventMesh:Store:PostgresBin) holds no PostgreSQL server: initdb and postgres are missing. Install the package 'postgresql'.");
        throw new MeshException(
            MeshError.StoreIncompatible,
            $"{dataDirectory} was made by PostgreSQL {wanted}; here is {string.Join(" and ", found.Select(binaries => $"{binaries.Major} ({binaries.Folder})"))}. Install the package 'postgresql-{wanted}'. To go on with another version, bring the log over with `mesh store backup` and `mesh store restore` (docs/store.md).");
    }

    private static int? ReadVersion(string dataDirectory)
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
