using System.Diagnostics;
using EventMesh.Identity;
using EventMesh.Marten.Embedded.Internal;
using Microsoft.Extensions.Logging;

namespace EventMesh.Marten.Embedded;

/// <summary>
/// A PostgreSQL server of one node, made from the server programs on this machine. It listens on a Unix socket only, in a folder
/// that only its user can enter, and lets in only the node's user and its own (peer authentication). It ends with the process that started it,
/// also when that is killed, and is started again when it ends by itself.
/// </summary>
public sealed class PrivatePostgres : IAsyncDisposable
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan SocketInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstRestartDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestRestartDelay = TimeSpan.FromSeconds(30);

    private const string OwnWalCompression = "on";

    // Crash recovery replays at most max_wal_size, which takes seconds; a checkpoint of a predecessor on a slow disk the same.
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);

    private readonly Lock _mutex = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly FileStream? _lock;
    private readonly PostgresBinaries _binaries;
    private readonly ServerLog _serverLog;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    // The server's own method takes 5 % of an append; but not every server is built with this one.
    private string _walCompression = "lz4";
    private ServerProcess? _server;
    private Task _supervision = Task.CompletedTask;
    private Task? _disposeTask;

    private PrivatePostgres(PrivatePostgresLocation location, PostgresBinaries binaries, FileStream? fileLock, TimeProvider time, ILogger logger)
    {
        Location = location;
        _binaries = binaries;
        _lock = fileLock;
        _serverLog = new ServerLog(location.LogFile);
        _time = time;
        _logger = logger;
    }

    /// <summary>Where its files are.</summary>
    public PrivatePostgresLocation Location { get; }

    /// <summary>The Npgsql connection string, without a secret: the kernel tells the server who connects.</summary>
    public string ConnectionString => Location.ConnectionString;

    /// <summary>The major version of the server.</summary>
    public int Major => _binaries.Major;

    /// <summary>The process of the server as it runs now.</summary>
    public int ProcessId
    {
        get
        {
            lock (_mutex)
                return _server!.Id;
        }
    }

    /// <summary>Where the server of a node with a data directory keeps its files: the same at every start.</summary>
    /// <remarks>
    /// As root, whose folders are closed to other users, in <c>/var/lib/eventmesh</c> and <c>/run/eventmesh</c>; else in the data directory, with
    /// the socket in <c>XDG_RUNTIME_DIR</c> or the temp folder where its path would exceed 107 bytes.
    /// </remarks>
    public static PrivatePostgresLocation Locate(NodeId node, string dataDirectory) => Locations.Locate(node, dataDirectory);

    /// <summary>The server programs that a start would use, for people: <c>PostgreSQL 15 in /usr/lib/postgresql/15/bin</c>. Starts no server.</summary>
    /// <param name="node">The node; null when it has not run yet, and so has no cluster whose version must fit.</param>
    /// <param name="dataDirectory">The node's data directory.</param>
    /// <param name="postgresBin">The folder of the server programs; null to look for them.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <remarks>
    /// The task fails with <see cref="MeshException"/>: <see cref="MeshError.StoreUnavailable"/> or <see cref="MeshError.StoreIncompatible"/>, as
    /// <see cref="StartAsync"/> would.
    /// </remarks>
    public static async Task<string> FindServerAsync(
        NodeId? node, string dataDirectory, string? postgresBin, CancellationToken cancellationToken = default)
    {
        string cluster = node is { } known ? Locate(known, dataDirectory).DataDirectory : dataDirectory;
        PostgresBinaries binaries = await PostgresBinaries.FindAsync(postgresBin, cluster, cancellationToken).ConfigureAwait(false);
        return $"PostgreSQL {binaries.Major} in {binaries.Folder}";
    }

    /// <summary>Makes the cluster if it is missing, starts the server and waits until it takes connections.</summary>
    /// <param name="node">The node.</param>
    /// <param name="dataDirectory">The node's data directory.</param>
    /// <param name="postgresBin">The folder of the server programs; null to look for them.</param>
    /// <param name="timeProvider">The clock of waits and restarts.</param>
    /// <param name="loggerFactory">The log.</param>
    /// <param name="cancellationToken">Ends the attempt and what it started.</param>
    /// <remarks>
    /// The task fails with <see cref="MeshException"/>: <see cref="MeshError.StoreUnavailable"/> (no server programs, or the server did not start: the
    /// message has its last lines), <see cref="MeshError.StoreIncompatible"/> (a cluster of another major version),
    /// <see cref="MeshError.DataDirectoryLocked"/> (another process runs the server).
    /// </remarks>
    public static async Task<PrivatePostgres> StartAsync(
        NodeId node, string dataDirectory, string? postgresBin, TimeProvider timeProvider, ILoggerFactory loggerFactory,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(loggerFactory);
        if (OperatingSystem.IsWindows())
            throw new MeshException(MeshError.StoreUnavailable, "A private PostgreSQL needs a Unix system. Set EventMesh:Store:ConnectionString.");
        PrivatePostgresLocation location = Locate(node, dataDirectory);
        // Before the cluster is looked at: an upgrade that was cut short may have it elsewhere.
        await ClusterSwitch.SettleAsync(location, timeProvider, cancellationToken).ConfigureAwait(false);
        PostgresBinaries binaries = await PostgresBinaries.FindAsync(postgresBin, location.DataDirectory, cancellationToken).ConfigureAwait(false);
        FileStream fileLock;
        try
        {
            ClusterFiles.MakeFolders(location);
            fileLock = TakeLock(location);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(MeshError.StoreUnavailable, $"The folders of the private PostgreSQL can't be made: {exception.Message}", exception);
        }
        return await RunAsync(location, binaries, fileLock, timeProvider, loggerFactory, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Starts a server on files of one's own choice, whose folders are there.</summary>
    /// <param name="location">The files.</param>
    /// <param name="binaries">The server programs.</param>
    /// <param name="fileLock">The lock of the files, which the server releases at its end; null when the caller holds it beyond that.</param>
    /// <param name="timeProvider">The clock.</param>
    /// <param name="loggerFactory">The log.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    internal static async Task<PrivatePostgres> RunAsync(
        PrivatePostgresLocation location, PostgresBinaries binaries, FileStream? fileLock, TimeProvider timeProvider, ILoggerFactory loggerFactory,
        CancellationToken cancellationToken)
    {
        var postgres = new PrivatePostgres(location, binaries, fileLock, timeProvider, loggerFactory.CreateLogger("EventMesh.Store"));
        try
        {
            await postgres.StartFirstAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await postgres.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        return postgres;
    }

    /// <summary>Removes what a private server left on disk, the log included; ends the server of a killed process first.</summary>
    /// <remarks>Does nothing where there is nothing. The task fails with <see cref="MeshError.DataDirectoryLocked"/> while a process runs the server.</remarks>
    public static async Task RemoveAsync(NodeId node, string dataDirectory, CancellationToken cancellationToken = default)
    {
        PrivatePostgresLocation location = Locate(node, dataDirectory);
        if (Directory.Exists(location.Directory))
        {
            FileStream fileLock = TakeLock(location);
            await using (fileLock.ConfigureAwait(false))
            {
                await AwaitPredecessorAsync(location, TimeProvider.System, logger: null, cancellationToken).ConfigureAwait(false);
                Directory.Delete(location.Directory, recursive: true);
            }
        }
        if (Directory.Exists(location.SocketDirectory))
            Directory.Delete(location.SocketDirectory, recursive: true);
    }

    /// <summary>Stops the server: its clients are disconnected, what is committed is on disk.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_mutex)
            _disposeTask ??= DisposeCoreAsync();
        await _disposeTask.ConfigureAwait(false);
    }

    private async Task DisposeCoreAsync()
    {
        await Task.Yield();
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _supervision.ConfigureAwait(false);
        if (_server is not null)
        {
            await _server.StopAsync().ConfigureAwait(false);
            _server.Dispose();
        }
        _serverLog.Dispose();
        if (_lock is not null)
            await _lock.DisposeAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    internal static FileStream TakeLock(PrivatePostgresLocation location)
    {
        try
        {
            return new FileStream(location.LockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception) when (exception is not FileNotFoundException and not DirectoryNotFoundException)
        {
            throw new MeshException(
                MeshError.DataDirectoryLocked, $"Another process runs the private PostgreSQL in {location.Directory}: end it first.", exception);
        }
    }

    private async Task StartFirstAsync(CancellationToken cancellationToken)
    {
        var files = new ClusterFiles(Location, _binaries);
        await AwaitPredecessorAsync(Location, _time, _logger, cancellationToken).ConfigureAwait(false);
        if (!files.IsCluster)
        {
            long start = _time.GetTimestamp();
            await files.InitializeAsync(cancellationToken).ConfigureAwait(false);
            TimeSpan elapsed = _time.GetElapsedTime(start);
            Log.PrivateServerCreated(_logger, Major, Location.Directory, elapsed);
        }
        files.WriteAccessRules();
        await StartServerAsync(cancellationToken).ConfigureAwait(false);
        _supervision = SuperviseAsync(_stopping.Token);
    }

    /// <summary>A killed node's server needs a moment to end; one that did not learn of it is told.</summary>
    internal static async Task AwaitPredecessorAsync(PrivatePostgresLocation location, TimeProvider time, ILogger? logger, CancellationToken cancellationToken)
    {
        if (PostmasterFile.Read(location.DataDirectory) is not { } file)
            return;
        if (file.IsRunning(location.DataDirectory))
        {
            // We hold the lock, so nobody else wants it.
            UnixFiles.Interrupt(file.ProcessId);
            if (logger is not null)
                Log.PrivateServerPredecessor(logger, file.ProcessId, location.Directory);
            long start = time.GetTimestamp();
            while (file.IsRunning(location.DataDirectory))
            {
                if (time.GetElapsedTime(start) > StartLimit)
                    throw new MeshException(
                        MeshError.StoreUnavailable,
                        $"The PostgreSQL of an earlier run, process {file.ProcessId}, still runs in {location.DataDirectory} and does not end. End it by hand.");
                await Task.Delay(PollInterval, time, cancellationToken).ConfigureAwait(false);
            }
        }
        // PostgreSQL itself refuses to start when another process of its user has got the number of the one in a stale file, or nobody has
        // noted the end of that one yet. There is a file with it beside the socket too.
        File.Delete(PostmasterFile.PathIn(location.DataDirectory));
        File.Delete(location.SocketFile + ".lock");
    }

    private async Task StartServerAsync(CancellationToken cancellationToken)
    {
        long start = _time.GetTimestamp();
        while (true)
        {
            ServerProcess server = await LaunchAsync().ConfigureAwait(false);
            while (!server.Exited.IsCompleted && !server.IsReady(Location.DataDirectory))
            {
                if (_time.GetElapsedTime(start) > StartLimit)
                    throw Failure($"takes no connections after {StartLimit.TotalSeconds:F0} s");
                await Task.Delay(PollInterval, _time, cancellationToken).ConfigureAwait(false);
            }
            if (!server.Exited.IsCompleted)
            {
                TimeSpan elapsed = _time.GetElapsedTime(start);
                Log.PrivateServerStarted(_logger, Major, Location.Directory, server.Id, elapsed);
                return;
            }
            if (_walCompression != OwnWalCompression && _serverLog.LastLines().Any(line => line.Contains(ClusterFiles.WalCompression, StringComparison.Ordinal)))
            {
                _walCompression = OwnWalCompression;
                continue;
            }
            // Backends of a killed postmaster hold its shared memory for a moment; anything else does not pass by waiting.
            if (_time.GetElapsedTime(start) > StartLimit || !_serverLog.LastLines().Any(line => line.Contains("still in use", StringComparison.Ordinal)))
                throw Failure($"ended with code {await server.Exited.ConfigureAwait(false)}");
            await Task.Delay(FirstRestartDelay, _time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<ServerProcess> LaunchAsync()
    {
        ProcessStartInfo info = new ClusterFiles(Location, _binaries).ServerCommand(_walCompression, out bool endsWithParent);
        if (!endsWithParent)
            Log.PrivateServerMayOutlive(_logger);
        _serverLog.Forget();
        ServerProcess server;
        try
        {
            server = await ServerProcess.StartAsync(info, _serverLog).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is System.ComponentModel.Win32Exception or IOException)
        {
            throw new MeshException(MeshError.StoreUnavailable, $"{info.FileName} can't be started: {exception.Message}", exception);
        }
        ServerProcess? previous;
        lock (_mutex)
        {
            previous = _server;
            _server = server;
        }
        previous?.Dispose();
        return server;
    }

    /// <summary>
    /// Waits for the server's end. A server whose socket somebody removed (a cleaner of the temp folder) takes no new connections for ever and does not make it again: it is
    /// ended in order, to be started anew.
    /// </summary>
    private async Task<int> WatchAsync(ServerProcess server, CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.WhenAny(server.Exited, Task.Delay(SocketInterval, _time, cancellationToken)).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            if (server.Exited.IsCompleted)
                return await server.Exited.ConfigureAwait(false);
            if (File.Exists(Location.SocketFile))
                continue;
            Log.SocketLost(_logger, Location.SocketFile);
            try
            {
                // The folder may have gone with it.
                ClusterFiles.MakeFolders(Location);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or MeshException)
            {
                Log.PrivateServerRestartFailed(_logger, exception, Location.Directory, LongestRestartDelay.TotalSeconds);
            }
            await server.StopAsync().ConfigureAwait(false);
        }
    }

    private async Task SuperviseAsync(CancellationToken cancellationToken)
    {
        TimeSpan delay = FirstRestartDelay;
        try
        {
            while (true)
            {
                long start = _time.GetTimestamp();
                int code = await WatchAsync(_server!, cancellationToken).ConfigureAwait(false);
                if (_time.GetElapsedTime(start) > LongestRestartDelay)
                    delay = FirstRestartDelay;
                Log.PrivateServerDied(_logger, Location.Directory, code, _serverLog.LastLine);
                await Task.Delay(delay, _time, cancellationToken).ConfigureAwait(false);
                try
                {
                    delay = delay * 2 < LongestRestartDelay ? delay * 2 : LongestRestartDelay;
                    await StartServerAsync(cancellationToken).ConfigureAwait(false);
                }
                catch (MeshException exception)
                {
                    Log.PrivateServerRestartFailed(_logger, exception, Location.Directory, delay.TotalSeconds);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // DisposeAsync stops the server.
        }
    }

    private MeshException Failure(string what)
    {
        string last = string.Join("\n  ", _serverLog.LastLines().TakeLast(5));
        return new(MeshError.StoreUnavailable, $"The private PostgreSQL in {Location.Directory} {what}. Its last lines, more in {Location.LogFile}:\n  {last}");
    }
}
