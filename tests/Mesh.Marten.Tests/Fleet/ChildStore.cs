using System.Diagnostics;
using System.Globalization;
using EventMesh.Identity;
using EventMesh.Marten.Store;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace EventMesh.Marten.Tests.Fleet;

/// <summary>A process with an open store, which can be killed and frozen: this test program, started again with another entry.</summary>
internal sealed class ChildStore : IDisposable
{
    private const string Marker = "--run-store";
    private readonly Process _process;

    private ChildStore(Process process) => _process = process;

    public int Id => _process.Id;

    public static async Task<ChildStore> StartAsync(string connectionString, string schema, CancellationToken cancellationToken)
    {
        var info = new ProcessStartInfo(Environment.ProcessPath!, [Marker, connectionString, schema]) { RedirectStandardOutput = true, UseShellExecute = false };
        Process process = Process.Start(info)!;
        if (await process.StandardOutput.ReadLineAsync(cancellationToken) != "open")
            throw new InvalidOperationException("The child's store did not open.");
        return new ChildStore(process);
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        _process.Kill();
        await _process.WaitForExitAsync(cancellationToken);
    }

    /// <summary>SIGSTOP.</summary>
    public Task FreezeAsync(CancellationToken cancellationToken) => SignalAsync("STOP", cancellationToken);

    /// <summary>SIGCONT.</summary>
    public Task WakeAsync(CancellationToken cancellationToken) => SignalAsync("CONT", cancellationToken);

    public static bool IsChild(string[] arguments) => arguments is [Marker, _, _];

    public static async Task<int> RunAsync(string[] arguments)
    {
        var options = new MeshStoreOptions { ConnectionString = arguments[1], Schema = arguments[2] };
        await using var store = new MartenEventStore(Options.Create(options), TimeProvider.System, NullLoggerFactory.Instance);
        await store.OpenAsync(new NodeId(Guid.NewGuid()), "", CancellationToken.None);
        await Console.Out.WriteLineAsync("open");
        await Task.Delay(Timeout.Infinite);
        return 0;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

    private async Task SignalAsync(string signal, CancellationToken cancellationToken)
    {
        using Process kill = Process.Start("/bin/sh", ["-c", string.Create(CultureInfo.InvariantCulture, $"kill -{signal} {Id}")])!;
        await kill.WaitForExitAsync(cancellationToken);
    }
}
