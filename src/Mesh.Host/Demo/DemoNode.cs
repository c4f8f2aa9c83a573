using System.Diagnostics;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using EventMesh.Node;
using EventMesh.Plugins;

namespace EventMesh.Host.Demo;

/// <summary>A node of the demo: a process <c>mesh run</c> of this same program, with a folder of its own.</summary>
internal sealed class DemoNode(string name, string folder, string pluginDirectory) : IAsyncDisposable
{
    // Starting makes a PostgreSQL cluster: seconds on a slow disk.
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(20);

    private readonly JsonSerializerOptions _indented = new() { WriteIndented = true };
    private Process? _process;
    private Task _log = Task.CompletedTask;
    private MeshProblem? _problem;

    /// <summary>Its name, for people.</summary>
    public string Name { get; } = name;

    /// <summary>Its data directory.</summary>
    public string DataDirectory { get; } = Path.Combine(folder, "data");

    /// <summary>Its log lines.</summary>
    public string LogFile { get; } = Path.Combine(folder, "node.log");

    /// <summary>Its configuration.</summary>
    public string ConfigurationFile { get; } = Path.Combine(folder, "appsettings.json");

    /// <summary>What it said of itself at its last start.</summary>
    public NodeView View { get; private set; } = null!;

    /// <summary>Its control client.</summary>
    public ControlClient Client { get; } = new(Path.Combine(folder, "data"));

    /// <summary>The identity of its process, for people.</summary>
    public int ProcessId => View.ProcessId;

    /// <summary>Writes the configuration: with these contacts, or with none.</summary>
    public void Configure(params string[] contacts)
    {
        JsonObject configuration = new()
        {
            [MeshOptions.SectionName] = new JsonObject
            {
                [nameof(MeshOptions.MeshName)] = "demo",
                [nameof(MeshOptions.Listen)] = "127.0.0.1:0",
                [nameof(MeshOptions.DataDirectory)] = DataDirectory,
                [nameof(MeshOptions.Contacts)] = new JsonArray([.. contacts.Select(c => JsonValue.Create(c))]),
                ["Plugins"] = new JsonObject { [nameof(PluginOptions.Directory)] = pluginDirectory },
            },
        };
        Directory.CreateDirectory(folder);
        File.WriteAllText(ConfigurationFile, configuration.ToJsonString(_indented));
    }

    /// <summary>Starts the process and waits until it says that it runs.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        ProcessStartInfo start = SelfProcess.Create("run", "--config", ConfigurationFile, "--output", "json", "--stop-with-parent");
        // The node stops when its standard input ends, and so with the demo, however that ends.
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.WorkingDirectory = folder;
        _problem = null;
        _process = Process.Start(start) ?? throw new InvalidOperationException("No process was started.");
        _log = CopyLogAsync(_process.StandardError);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(StartLimit);
        try
        {
            string? line = await _process.StandardOutput.ReadLineAsync(limit.Token);
            View = line is null ? throw await StartFailureAsync(limit.Token) : JsonSerializer.Deserialize<NodeView>(line, ControlJson.Options)!;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new MeshException(MeshError.Timeout, $"Node {Name} did not start within {StartLimit.TotalSeconds:F0} s. Its log is {LogFile}.");
        }
    }

    /// <summary>Ends the process as a power cut would: SIGKILL.</summary>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        _process!.Kill();
        await WhenExitedAsync(cancellationToken);
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint ListenEndPoint => IPEndPoint.Parse(View.Listen);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (_process is null) return;
        try
        {
            _process.StandardInput.Close();
            using CancellationTokenSource limit = new(StopLimit);
            await WhenExitedAsync(limit.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            _process.Kill();
        }
        _process.Dispose();
        _process = null;
    }

    private async Task WhenExitedAsync(CancellationToken cancellationToken)
    {
        await _process!.WaitForExitAsync(cancellationToken);
        // The private server of a killed node shares its stderr and may live a moment longer: its last lines are waited for, not for ever.
        await Task.WhenAny(_log, Task.Delay(TimeSpan.FromSeconds(1), cancellationToken));
    }

    private async Task<MeshException> StartFailureAsync(CancellationToken cancellationToken)
    {
        await WhenExitedAsync(cancellationToken);
        return _problem is { } problem
            ? new MeshException(problem.Error, $"Node {Name} did not start: {problem.Detail}")
            : new MeshException(MeshError.Unknown, $"Node {Name} ended with exit code {_process!.ExitCode} while starting. Its log is {LogFile}.");
    }

    private async Task CopyLogAsync(StreamReader error)
    {
        await using StreamWriter log = new(LogFile, append: true) { AutoFlush = true };
        while (await error.ReadLineAsync() is { } line)
        {
            await log.WriteLineAsync(line);
            if (line.StartsWith($"{{\"type\":\"{ErrorEntry.TypePrefix}", StringComparison.Ordinal))
                _problem = JsonSerializer.Deserialize<MeshProblem>(line, ControlJson.Options);
        }
    }
}
