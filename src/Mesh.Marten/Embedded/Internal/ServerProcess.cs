using System.Diagnostics;
using System.Globalization;

namespace EventMesh.Marten.Embedded.Internal;

/// <summary>One run of the postmaster, from start to exit.</summary>
internal sealed class ServerProcess : IDisposable
{
    private readonly TaskCompletionSource<int> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Process> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ServerLog _log;
    private Process? _process;

    private ServerProcess(ServerLog log) => _log = log;

    /// <summary>Completes with the exit code, and never fails.</summary>
    public Task<int> Exited => _exited.Task;

    public int Id => _process!.Id;

    public static async Task<ServerProcess> StartAsync(ProcessStartInfo info, ServerLog log)
    {
        var server = new ServerProcess(log);
        // The signal at a parent's death (prctl PR_SET_PDEATHSIG) follows the thread that forked, not the process: a pool thread that
        // goes away would take the server with it. This one lives as long as the server.
        var thread = new Thread(() => server.Run(info)) { IsBackground = true, Name = "eventmesh-postgres" };
        thread.Start();
        server._process = await server._started.Task.ConfigureAwait(false);
        return server;
    }

    /// <summary>Ends the server as fast as is clean: its clients are disconnected, what is committed is written.</summary>
    public async Task StopAsync()
    {
        if (!Exited.IsCompleted)
            UnixFiles.Interrupt(Id);
        await Exited.ConfigureAwait(false);
    }

    /// <summary>Whether the postmaster says in its pid file that it takes connections.</summary>
    public bool IsReady(string dataDirectory) =>
        PostmasterFile.Read(dataDirectory) is { IsReady: true } file && file.ProcessId == Id;

    public void Dispose() => _process?.Dispose();

    private void Run(ProcessStartInfo info)
    {
        try
        {
            Process process = Process.Start(info)!;
            process.ErrorDataReceived += (_, e) =>
            {
                if (e.Data is not null)
                    _log.Add(e.Data);
            };
            process.BeginErrorReadLine();
            _started.SetResult(process);
            process.WaitForExit();
            _exited.SetResult(process.ExitCode);
        }
        catch (Exception exception)
        {
            _started.TrySetException(exception);
            _exited.TrySetResult(-1);
        }
    }
}

/// <summary>What a postmaster writes about itself into its data directory.</summary>
internal sealed record PostmasterFile(int ProcessId, bool IsReady)
{
    public static string PathIn(string dataDirectory) => Path.Combine(dataDirectory, "postmaster.pid");

    public static PostmasterFile? Read(string dataDirectory)
    {
        try
        {
            string[] lines = File.ReadAllLines(PathIn(dataDirectory));
            // Line 1 is the process, line 8 its state.
            return lines.Length > 0 && int.TryParse(lines[0], CultureInfo.InvariantCulture, out int id)
                ? new PostmasterFile(id, lines.Length > 7 && lines[7].Trim() == "ready")
                : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Whether the process still runs and is a server of this data directory, not a later process with the same number.</summary>
    public bool IsRunning(string dataDirectory)
    {
        try
        {
            string[] arguments = File.ReadAllText($"/proc/{ProcessId}/cmdline").Split('\0');
            return arguments.Contains(dataDirectory);
        }
        catch (DirectoryNotFoundException)
        {
            // No /proc on this system: then the signal 0 tells at least whether the process is there.
            return !Directory.Exists("/proc/self") && NativeMethods.Kill(ProcessId, 0) == 0;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
