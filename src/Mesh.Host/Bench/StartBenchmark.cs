using System.Diagnostics;
using System.Text;
using System.Text.Json;
using EventMesh.Host.Demo;

namespace EventMesh.Host.Bench;

/// <summary>Starts of <c>mesh run</c> as a process of its own, until its first peer has joined.</summary>
internal sealed class StartBenchmark : IAsyncDisposable
{
    // The event id of its line in the log.
    private const int PeerJoined = 1001;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("eventmesh-start-");
    private readonly DemoNode _contact;

    public StartBenchmark()
    {
        _contact = new DemoNode("contact", Path.Combine(_folder.FullName, "contact"), "");
    }

    /// <summary>The median over some starts of a node on a data directory that has been started before, milliseconds.</summary>
    public async Task<double> MeasureAsync(string dataDirectory, string? connectionString, int starts, CancellationToken cancellationToken)
    {
        if (!File.Exists(_contact.ConfigurationFile))
        {
            _contact.Configure();
            await _contact.StartAsync(cancellationToken);
        }
        // The first makes what a later one finds.
        await StartOnceAsync(dataDirectory, connectionString, cancellationToken);
        var times = new double[starts];
        for (int i = 0; i < starts; i++)
            times[i] = await StartOnceAsync(dataDirectory, connectionString, cancellationToken);
        Array.Sort(times);
        return times[starts / 2];
    }

    public async ValueTask DisposeAsync()
    {
        await _contact.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private async Task<double> StartOnceAsync(string dataDirectory, string? connectionString, CancellationToken cancellationToken)
    {
        List<string> arguments =
            ["run", "--data", dataDirectory, "--listen", "127.0.0.1:0", "--contact", _contact.View.Listen, "--output", "json", "--stop-with-parent"];
        if (connectionString is not null)
            arguments.AddRange(["--store", connectionString]);
        ProcessStartInfo start = SelfProcess.Create([.. arguments]);
        start.Environment["EventMesh__MeshName"] = "demo";
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        long started = Stopwatch.GetTimestamp();
        using Process process = Process.Start(start) ?? throw new InvalidOperationException("No process was started.");
        Task output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var log = new StringBuilder();
        try
        {
            // The log tells it: a question would compile the node's endpoints while the peer joins.
            while (await process.StandardError.ReadLineAsync(cancellationToken) is { } line)
            {
                if (IsPeerJoined(line))
                    return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
                log.AppendLine(line);
            }
            throw new MeshException(MeshError.Unknown, $"The node did not start: {log}");
        }
        finally
        {
            process.StandardInput.Close();
            await process.StandardError.ReadToEndAsync(CancellationToken.None);
            await output;
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static bool IsPeerJoined(string line)
    {
        if (!line.StartsWith('{'))
            return false;
        using JsonDocument entry = JsonDocument.Parse(line);
        return entry.RootElement.TryGetProperty("EventId", out JsonElement id) && id.GetInt32() == PeerJoined;
    }
}
