using System.Diagnostics;

namespace EventMesh.EndToEnd.Support;

/// <summary>One PostgreSQL for many nodes, from the binaries on this machine: on a Unix socket in a temporary folder, gone with the test.</summary>
internal sealed class SharedPostgres : IAsyncDisposable
{
    private readonly string _folder;
    private readonly Process _server;

    private SharedPostgres(string folder, Process server)
    {
        _folder = folder;
        _server = server;
    }

    /// <summary>Where nodes find it; each takes few of its connections.</summary>
    public string ConnectionString => $"Host={_folder};Username=postgres;Database=postgres;Maximum Pool Size=6";

    public static async Task<SharedPostgres> StartAsync()
    {
        string? programs = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").Select(version => Path.Combine(version, "bin")).Where(bin => File.Exists(Path.Combine(bin, "initdb")))
                .OrderByDescending(bin => bin, StringComparer.Ordinal).FirstOrDefault()
            : null;
        if (programs is null) Assert.Skip("There are no PostgreSQL programs in /usr/lib/postgresql.");
        string folder = Directory.CreateTempSubdirectory("mesh-e2e-pg-").FullName;
        try
        {
            string data = Path.Combine(folder, "data");
            if (Environment.UserName == "root") await RunAsync("chown", "postgres", folder);
            await RunAsync([.. AsServer(Path.Combine(programs!, "initdb")), "--no-sync", "-A", "trust", "-U", "postgres", "-D", data]);
            Process server = Start(
            [
                .. AsServer(Path.Combine(programs!, "postgres")), "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "max_connections=300",
                "-c", "fsync=off", "-c", "logging_collector=on",
            ]);
            string[] ready = [Path.Combine(programs!, "pg_isready"), "-q", "-h", folder, "-t", "60"];
            using CancellationTokenSource limit = new(MeshProgram.Limit);
            while (await TryAsync(ready) is not null)
            {
                if (server.HasExited) throw new InvalidOperationException("PostgreSQL did not start.");
                limit.Token.ThrowIfCancellationRequested();
            }
            return new SharedPostgres(folder, server);
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        // SIGINT is its fast shutdown, which ends its children too.
        await RunAsync("kill", "-s", "INT", $"{_server.Id}");
        await _server.WaitForExitAsync();
        _server.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    // PostgreSQL refuses to run as root. setpriv becomes the program, so the process that we started is the server, and ends with us.
    private static string[] AsServer(string program) => Environment.UserName == "root"
        ? ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", program]
        : [program];

    private static Process Start(string[] command) => Process.Start(new ProcessStartInfo(command[0], command[1..])
    {
        UseShellExecute = false,
        RedirectStandardError = true,
        RedirectStandardOutput = true,
        WorkingDirectory = "/",
    })!;

    private static async Task RunAsync(params string[] command)
    {
        if (await TryAsync(command) is { } error) throw new InvalidOperationException($"{string.Join(' ', command)}: {error}");
    }

    private static async Task<string?> TryAsync(string[] command)
    {
        using Process process = Start(command);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string error = await process.StandardError.ReadToEndAsync();
        await output;
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? null : $"{error.Trim()} (exit code {process.ExitCode})";
    }
}
