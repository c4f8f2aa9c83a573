using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace EventMesh.Marten.Embedded.Internal;

/// <summary>The files of a private server: made once, its access rules at each start.</summary>
internal sealed class ClusterFiles(PrivatePostgresLocation location, PostgresBinaries binaries)
{
    /// <summary>The role that the node's and the server's user become; the owner of everything in the cluster.</summary>
    public const string Role = "eventmesh";

    /// <summary>Where the schemas of the mesh are, from initdb.</summary>
    public const string Database = "postgres";

    /// <summary>PostgreSQL's own; no port is open, it is part of the socket's name.</summary>
    public const int Port = 5432;

    /// <summary>The setting of <see cref="ServerCommand"/>'s first parameter.</summary>
    public const string WalCompression = "wal_compression";

    // Root never writes into a folder of the server's user, who could put a link there: only data and socket are his.
    private readonly UnixAccount? _account = location.User is null ? null : UnixAccount.Find(location.User);

    private string HbaFile => Path.Combine(location.Directory, "pg_hba.conf");

    private string IdentFile => Path.Combine(location.Directory, "pg_ident.conf");

    public bool IsCluster => File.Exists(Path.Combine(location.DataDirectory, "PG_VERSION"));

    /// <summary>Makes the folders around the cluster.</summary>
    public static void MakeFolders(PrivatePostgresLocation location)
    {
        UnixAccount? account = location.User is null ? null : UnixAccount.Find(location.User);
        if (account is null)
        {
            UnixFiles.MakePrivate(location.Directory, owner: null);
        }
        else
        {
            UnixFiles.MakeShared(Path.GetDirectoryName(location.Directory)!);
            UnixFiles.MakeShared(location.Directory);
            UnixFiles.MakeShared(Path.GetDirectoryName(location.SocketDirectory)!);
        }
        UnixFiles.MakePrivate(location.SocketDirectory, account);
    }

    /// <summary>Makes the cluster beside its place and moves it there, so that a start that was cut short leaves no half of one.</summary>
    public async Task InitializeAsync(CancellationToken cancellationToken)
    {
        string fresh = location.DataDirectory + ".new";
        if (Directory.Exists(fresh))
            Directory.Delete(fresh, recursive: true);
        UnixFiles.MakePrivate(fresh, _account);
        // Without --no-sync: the log promises that what it acknowledged survives the loss of power, so its cluster has to.
        ProcessStartInfo info = Command(
            binaries.Initdb, ["-D", fresh, "-U", Role, "--auth=peer", "-E", "UTF8", "--no-locale", "--no-instructions", "--wal-segsize=4"]);
        using Process process = Process.Start(info)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        Task<string> errors = process.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            await output.ConfigureAwait(false);
            if (process.ExitCode != 0)
                throw new MeshException(
                    MeshError.StoreUnavailable,
                    $"{binaries.Initdb} could not make a cluster in {fresh}: {(await errors.ConfigureAwait(false)).Trim()}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        Directory.Move(fresh, location.DataDirectory);
    }

    /// <summary>Only the node's user and the server's, both proven by the kernel, may connect.</summary>
    public void WriteAccessRules()
    {
        Write(HbaFile, "local all all peer map=eventmesh\n");
        string[] users = location.User is null ? [Environment.UserName] : [Environment.UserName, location.User];
        Write(IdentFile, string.Concat(users.Select(user => $"eventmesh \"{user}\" {Role}\n")));
    }

    /// <summary>The command that becomes the postmaster.</summary>
    /// <param name="walCompression">How images of pages in the log of the server are compressed.</param>
    /// <param name="endsWithParent">Whether the server ends when this process is killed.</param>
    public ProcessStartInfo ServerCommand(string walCompression, out bool endsWithParent)
    {
        string[] settings =
        [
            "listen_addresses=", "unix_socket_directories=" + location.SocketDirectory, "unix_socket_permissions=0700", $"port={location.Port}",
            "hba_file=" + HbaFile, "ident_file=" + IdentFile,
            // A small machine that does other work too; the log is appended to and read from its end.
            "max_connections=50", "shared_buffers=32MB", "max_wal_size=256MB", "min_wal_size=32MB", "autovacuum_max_workers=1",
            "max_parallel_workers_per_gather=0", "autovacuum_naptime=15s", "random_page_cost=1.1", "jit=off", $"{WalCompression}={walCompression}", "log_checkpoints=off", "logging_collector=off",
            "log_destination=stderr",
        ];
        string[] arguments = ["-D", location.DataDirectory, .. settings.SelectMany(setting => new[] { "-c", setting })];
        string? setpriv = FindSetpriv();
        endsWithParent = setpriv is not null;
        if (setpriv is null)
            return Command(binaries.Postgres, arguments);
        // The user is changed by setpriv itself: a change after the death signal was asked for clears it.
        string[] user = _account is null ? [] : ["--reuid", $"{_account.UserId}", "--regid", $"{_account.GroupId}", "--init-groups"];
        // A session of its own: Ctrl-C in a terminal goes to all processes of the foreground group, and the server must outlive the node's last events.
        // setsid becomes the server without a fork, since a child of ours leads no group.
        string[] session = File.Exists(Setsid) ? [Setsid] : [];
        ProcessStartInfo info = Command(setpriv, [.. user, "--pdeathsig", "INT", "--", .. session, binaries.Postgres, .. arguments]);
        if (location.User is not null)
            info.UserName = "";
        return info;
    }

    private const string Setsid = "/usr/bin/setsid";

    private static string? FindSetpriv()
    {
        string[] candidates = ["/usr/bin/setpriv", "/bin/setpriv"];
        // BusyBox has a setpriv too, without --pdeathsig.
        return Array.Find(candidates, path => File.Exists(path) && new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.Name is null or "setpriv");
    }

    /// <summary>A command of the server's user, at the server of these files where it connects to one.</summary>
    public ProcessStartInfo ClientCommand(string program, IEnumerable<string> arguments)
    {
        ProcessStartInfo info = Command(program, arguments);
        // What libpq would take from the environment is meant for other servers.
        foreach (string name in info.Environment.Keys.Where(name => name.StartsWith("PG", StringComparison.Ordinal)).ToList())
            info.Environment.Remove(name);
        info.Environment["PGHOST"] = location.SocketDirectory;
        info.Environment["PGPORT"] = location.Port.ToString(CultureInfo.InvariantCulture);
        info.Environment["PGUSER"] = Role;
        info.Environment["PGDATABASE"] = Database;
        return info;
    }

    private ProcessStartInfo Command(string program, IEnumerable<string> arguments)
    {
        var info = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = program == binaries.Initdb,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = "/",
        };
        info.Environment["LC_ALL"] = "C";
        if (location.User is not null)
            info.UserName = location.User;
        return info;
    }

    private static void Write(string path, string content)
    {
        File.WriteAllText(path, content, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        // Readable for the server's user whatever the umask says; it holds no secret.
        UnixFiles.SetMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
    }
}
