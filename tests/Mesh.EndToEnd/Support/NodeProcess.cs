using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace EventMesh.EndToEnd.Support;

/// <summary>A running node with a folder of its own. Its end by the test is orderly, and removes what it has left on disk.</summary>
internal sealed class NodeProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _error = new();
    private readonly Task _reading;

    private NodeProcess(Process process, string data)
    {
        _process = process;
        Data = data;
        _reading = ReadErrorAsync();
    }

    /// <summary>The data directory.</summary>
    public string Data { get; }

    /// <summary>What it printed when it ran.</summary>
    public JsonElement Summary { get; private set; }

    /// <summary>Its address.</summary>
    public string Listen => Summary.GetProperty("listen").GetString()!;

    /// <summary>Its identity.</summary>
    public string Peer => Summary.GetProperty("peer").GetString()!;

    /// <summary>What it logged.</summary>
    public string Log
    {
        get
        {
            lock (_error) return _error.ToString();
        }
    }

    /// <summary>Starts a node and waits until it runs.</summary>
    public static Task<NodeProcess> StartAsync(string data, params string[] arguments) =>
        StartAsync(data, "127.0.0.1:0", networkNamespace: null, environment: null, arguments);

    /// <summary>Starts a node at an address, perhaps in a network namespace, with more in its environment.</summary>
    public static async Task<NodeProcess> StartAsync(
        string data, string listen, string? networkNamespace, IReadOnlyDictionary<string, string>? environment, params string[] arguments)
    {
        Process process = MeshProgram.Start(
            ["run", "--data", data, "--listen", listen, "--output", "json", "--stop-with-parent", .. arguments], environment, networkNamespace);
        NodeProcess node = new(process, data);
        using CancellationTokenSource limit = new(MeshProgram.Limit);
        string? line = await process.StandardOutput.ReadLineAsync(limit.Token);
        if (line is null)
        {
            await process.WaitForExitAsync(limit.Token);
            await node._reading.WaitAsync(limit.Token);
            throw new InvalidOperationException($"The node ended with {process.ExitCode}: {node.Log}");
        }
        node.Summary = JsonSerializer.Deserialize<JsonElement>(line);
        return node;
    }

    /// <summary>Runs a command for this node.</summary>
    public Task<MeshProgram.Outcome> RunAsync(params string[] arguments) => MeshProgram.RunAsync([.. arguments, "--data", Data, "--output", "json"]);

    /// <summary>Waits until the log has an event, or so many of them, and returns the last.</summary>
    public async Task<JsonElement> WaitForEventAsync(string name, Func<JsonElement, bool>? condition = null, int count = 1)
    {
        using Process process = MeshProgram.Start(["events", "--follow", "--data", Data, "--output", "json"]);
        try
        {
            using CancellationTokenSource limit = new(MeshProgram.Limit);
            while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
            {
                JsonElement recorded = JsonSerializer.Deserialize<JsonElement>(line);
                if (recorded.GetProperty("event").GetString() == name && (condition is null || condition(recorded.GetProperty("data"))) && --count == 0)
                    return recorded;
            }
            throw new InvalidOperationException($"The log ended without {name}: {await process.StandardError.ReadToEndAsync(limit.Token)}");
        }
        finally
        {
            process.Kill();
        }
    }

    /// <summary>Sends a signal and waits for the end.</summary>
    public async Task<int> SignalAsync(string signal)
    {
        using Process kill = Process.Start("kill", ["-s", signal, $"{_process.Id}"]);
        await kill.WaitForExitAsync();
        return await WaitForExitAsync();
    }

    /// <summary>Sends SIGINT to the node and to all of its children that are in its process group, as a terminal does, and waits for the end.</summary>
    public async Task<int> InterruptAllAsync()
    {
        string group = ProcessGroup(_process.Id);
        string[] members =
        [
            .. Process.GetProcesses().Where(p => p.Id == _process.Id || (p.ProcessName == "postgres" && ProcessGroup(p.Id) == group)).Select(p => $"{p.Id}"),
        ];
        using Process kill = Process.Start("kill", ["-s", "INT", .. members]);
        await kill.WaitForExitAsync();
        return await WaitForExitAsync();
    }

    /// <summary>Closes standard input, as the end of the parent does, and waits for the end.</summary>
    public Task<int> EndParentAsync()
    {
        _process.StandardInput.Close();
        return WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
            await WaitForExitAsync();
        }
        _process.Dispose();
    }

    private static string ProcessGroup(int id)
    {
        try
        {
            // proc(5): after the name in parentheses come state, parent and group.
            string stat = File.ReadAllText($"/proc/{id}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[2];
        }
        catch (IOException)
        {
            return "";
        }
    }

    private async Task<int> WaitForExitAsync()
    {
        using CancellationTokenSource limit = new(MeshProgram.Limit);
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    private async Task ReadErrorAsync()
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            lock (_error) _error.AppendLine(line);
        }
    }
}
