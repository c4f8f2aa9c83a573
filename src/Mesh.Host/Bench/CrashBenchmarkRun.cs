using System.Diagnostics;
using System.Globalization;
using EventMesh.Identity;

namespace EventMesh.Host.Bench;

/// <summary>One life of the node of <see cref="CrashBenchmark"/>: its process, and what it told.</summary>
internal sealed class CrashBenchmarkRun : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task _reading;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<CrashLogLine> _tail = [];
    private readonly List<CrashRecordLine> _recorded = [];
    private string? _finding;

    private CrashBenchmarkRun(Process process)
    {
        _process = process;
        _reading = ReadAsync();
    }

    /// <summary>The log after the place that the start was told of. Complete when it is ready.</summary>
    public IReadOnlyList<CrashLogLine> Tail => _tail;

    /// <summary>What it recorded. Complete when it is killed.</summary>
    public IReadOnlyList<CrashRecordLine> Recorded => _recorded;

    /// <summary>The last place that it told of as durable. Complete when it is killed.</summary>
    public long LastDurable { get; private set; }

    /// <summary>When it was killed.</summary>
    public long KilledAt { get; private set; }

    /// <summary>Starts the node.</summary>
    /// <param name="folder">Its data directory.</param>
    /// <param name="node">Its log.</param>
    /// <param name="after">It tells of the log after this place.</param>
    /// <param name="life">Which start this is, from 0: no two record the same connections.</param>
    /// <param name="isFull">Whether it also folds the whole log and rebuilds the projections.</param>
    public static CrashBenchmarkRun Start(string folder, NodeId node, long after, int life, bool isFull)
    {
        string[] arguments =
        [
            "bench", "crash", "--life", string.Create(CultureInfo.InvariantCulture, $"{life},{after},{(isFull ? 1 : 0)},{node}"), "--data", folder,
        ];
        var start = new ProcessStartInfo(Environment.ProcessPath!, arguments) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true };
        return new CrashBenchmarkRun(Process.Start(start) ?? throw new MeshException(MeshError.Unknown, "The node can't be started."));
    }

    /// <summary>Waits until it has told of the log, has compared its state with the projections and records.</summary>
    public async Task WhenReadyAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAny(_ready.Task, _reading).WaitAsync(cancellationToken);
        ThrowIfEnded();
    }

    /// <summary>SIGKILL; everything that it had told by then is read.</summary>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        KilledAt = Stopwatch.GetTimestamp();
        _process.Kill();
        await _process.WaitForExitAsync(cancellationToken);
        // The server may have inherited the pipe, so its end is not waited for without a limit.
        await _reading.WaitAsync(TimeSpan.FromMinutes(1), cancellationToken);
    }

    /// <summary>Fails when it has ended by itself.</summary>
    public void ThrowIfEnded()
    {
        if (_finding is not null)
            throw new MeshException(MeshError.Unknown, _finding);
        if (_reading.IsCompleted)
            throw new MeshException(MeshError.Unknown, "The node ended by itself.");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            string[] words = line.Split(' ');
            // A line that the kill has cut is no news.
            switch (words)
            {
                case ["l", var seq, var id, var end, "."]:
                    _tail.Add(new CrashLogLine(Number(seq), Guid.Parse(id), end == "1"));
                    break;
                case ["r", var seq, var id, var timestamp, "."]:
                    _recorded.Add(new CrashRecordLine(Number(seq), Guid.Parse(id), Number(timestamp)));
                    break;
                case ["d", var seq, "."]:
                    LastDurable = Number(seq);
                    break;
                case ["ready", "."]:
                    _ready.TrySetResult();
                    break;
                case ["finding", ..]:
                    _finding = line["finding ".Length..];
                    break;
            }
        }
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
