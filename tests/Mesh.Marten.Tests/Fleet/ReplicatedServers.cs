using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using EventMesh.Marten.Embedded.Internal;
using EventMesh.Marten.Tests.Fixture;
using Npgsql;
using Xunit;

namespace EventMesh.Marten.Tests.Fleet;

/// <summary>A primary with a streaming replica, made as docs/fleet.md tells, on loopback.</summary>
internal sealed class ReplicatedServers : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("eventmesh-replica-").FullName;
    private readonly string _password = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
    private readonly string _bin;
    private readonly string? _user = Environment.IsPrivilegedProcess ? UnixAccount.ForServer().Name : null;
    private readonly Process?[] _servers = new Process?[2];

    private ReplicatedServers(string bin) => _bin = bin;

    public int[] Ports { get; } = [FreePort(), FreePort()];

    /// <summary>Both hosts.</summary>
    public string ConnectionString => $"Host=127.0.0.1:{Ports[0]},127.0.0.1:{Ports[1]};{Login}";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Login => $"Username=mesh;Password={_password};Database=postgres;Timeout=5";

    /// <summary>Makes and starts both; with <paramref name="isSynchronous"/> a commit waits for the replica.</summary>
    public static async Task<ReplicatedServers> StartAsync(bool isSynchronous)
    {
        string bin = "";
        try
        {
            bin = (await PostgresBinaries.FindAsync(null, "", Cancellation)).Folder;
        }
        catch (MeshException exception)
        {
            Prerequisites.Missing(exception.Message);
        }
        if (!File.Exists(Path.Combine(bin, "pg_basebackup")))
            Prerequisites.Missing($"{bin} has no pg_basebackup.");
        var servers = new ReplicatedServers(bin);
        try
        {
            await servers.MakeAsync(isSynchronous);
        }
        catch
        {
            await servers.DisposeAsync();
            throw;
        }
        return servers;
    }

    /// <summary>SIGKILL for the primary's postmaster: its backends end by themselves.</summary>
    public async Task KillPrimaryAsync()
    {
        _servers[0]!.Kill(entireProcessTree: true);
        await _servers[0]!.WaitForExitAsync(Cancellation);
    }

    public Task PromoteAsync() => ScalarAsync(1, "select pg_promote(wait => true)");

    /// <summary>Waits until the replica shows what the primary has committed by now; tables too come there later.</summary>
    public async Task WhenFollowedAsync()
    {
        string end = (string)(await ScalarAsync(0, "select pg_current_wal_lsn()::text"))!;
        await Eventually.IsTrueAsync(async _ => await ScalarAsync(1, $"select pg_last_wal_replay_lsn() >= '{end}'") is true);
    }

    /// <summary>From here the replica receives nothing.</summary>
    public async Task CutReplicaAsync()
    {
        await ScalarAsync(1, "alter system set primary_conninfo = ''");
        await ScalarAsync(1, "select pg_reload_conf()");
        await Eventually.IsTrueAsync(async _ => (long)(await ScalarAsync(0, "select count(*) from pg_stat_replication"))! == 0);
    }

    public async Task<object?> ScalarAsync(int server, string sql)
    {
        await using var connection = new NpgsqlConnection($"Host=127.0.0.1;Port={Ports[server]};{Login};Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Process? server in _servers)
        {
            if (server is null)
                continue;
            if (!server.HasExited)
            {
                server.Kill(entireProcessTree: true);
                await server.WaitForExitAsync(CancellationToken.None);
            }
            server.Dispose();
        }
        // Children of a killed server may still close files.
        await Eventually.IsTrueAsync(() =>
        {
            try
            {
                Directory.Delete(_folder, recursive: true);
                return true;
            }
            catch (DirectoryNotFoundException)
            {
                return true;
            }
            catch (IOException)
            {
                return false;
            }
        });
    }

    private async Task MakeAsync(bool isSynchronous)
    {
        string secret = Path.Combine(_folder, "password");
        await File.WriteAllTextAsync(secret, _password, Cancellation);
        if (_user is not null)
            await RunAsync("chown", ["-R", _user, _folder], asServer: false);
        string primary = Path.Combine(_folder, "primary");
        string replica = Path.Combine(_folder, "replica");
        await RunAsync("initdb", ["-D", primary, "-U", "mesh", "-A", "scram-sha-256", $"--pwfile={secret}", "--no-sync", "--locale=C", "-E", "UTF8"]);
        string[] settings = isSynchronous ? ["-c", "synchronous_standby_names=*"] : [];
        // The base backup itself must not wait for the replica that it makes.
        _servers[0] = await LaunchAsync(primary, 0, []);
        await RunAsync("pg_basebackup", ["-h", "127.0.0.1", "-p", Text(Ports[0]), "-U", "mesh", "-D", replica, "-R", "-X", "stream", "-c", "fast", "--no-sync"]);
        _servers[1] = await LaunchAsync(replica, 1, []);
        while ((long)(await ScalarAsync(0, "select count(*) from pg_stat_replication where state = 'streaming'"))! == 0)
            await Task.Delay(50, Cancellation);
        if (settings.Length > 0)
        {
            await ScalarAsync(0, "alter system set synchronous_standby_names = '*'");
            await ScalarAsync(0, "select pg_reload_conf()");
            while ((long)(await ScalarAsync(0, "select count(*) from pg_stat_replication where sync_state = 'sync'"))! == 0)
                await Task.Delay(50, Cancellation);
        }
    }

    private async Task<Process> LaunchAsync(string data, int number, string[] settings)
    {
        var info = Command(
            "postgres", ["-D", data, "-p", Text(Ports[number]), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off", .. settings], true);
        Process process = Process.Start(info)!;
        _ = process.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
        _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (true)
        {
            try
            {
                await ScalarAsync(number, "select 1");
                return process;
            }
            catch (NpgsqlException) when (!limit.IsCancellationRequested && !process.HasExited)
            {
                await Task.Delay(50, Cancellation);
            }
        }
    }

    private async Task RunAsync(string program, string[] arguments, bool asServer = true)
    {
        using Process process = Process.Start(Command(program, arguments, asServer))!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(Cancellation);
        string error = await process.StandardError.ReadToEndAsync(Cancellation);
        await output;
        await process.WaitForExitAsync(Cancellation);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program}: {error}");
    }

    private ProcessStartInfo Command(string program, string[] arguments, bool asServer)
    {
        var info = new ProcessStartInfo(asServer ? Path.Combine(_bin, program) : program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = "/",
        };
        if (asServer && _user is not null)
            info.UserName = _user;
        info.Environment["PGPASSWORD"] = _password;
        return info;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
