using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace EventMesh.Host.Bench;

/// <summary>
/// Ours and the reference, each in a fresh process, in turn over several rounds: what else the machine does hits both, and the medians are
/// compared.
/// </summary>
internal sealed record TransportComparison(TransportBenchmarkResult Ours, TransportBenchmarkResult Reference, TransportBenchmarkResult Ratio, int Rounds)
{
    private const string ReferenceProject = "benchmarks/Reference";
    private const string ReferenceExecutable = "artifacts/bin/Mesh.Reference/release/EventMesh.Reference";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>Runs the rounds; each line of progress goes to <paramref name="progress"/>.</summary>
    public static async Task<TransportComparison> RunAsync(string? transport, int rounds, TextWriter progress, CancellationToken cancellationToken)
    {
        string reference = await FindReferenceAsync(progress, cancellationToken).ConfigureAwait(false);
        string self = Environment.ProcessPath ?? throw new MeshException(MeshError.Unknown, "The path of this program is not known.");
        string[] arguments = ["bench", "transport", "--output", "json", .. transport is null ? Array.Empty<string>() : ["--transport", transport]];
        var ours = new List<TransportBenchmarkResult>();
        var theirs = new List<TransportBenchmarkResult>();
        for (int round = 1; round <= rounds; round++)
        {
            // Who goes first changes, so that neither always meets a machine that the other has warmed.
            for (int turn = 0; turn < 2; turn++)
            {
                bool isOurs = (round + turn) % 2 == 0;
                TransportBenchmarkResult result = isOurs
                    ? await MeasureAsync(self, arguments, cancellationToken).ConfigureAwait(false)
                    : await MeasureAsync(reference, ["json"], cancellationToken).ConfigureAwait(false);
                (isOurs ? ours : theirs).Add(result);
                string line = $"round {round} {(isOurs ? "ours     " : "reference")} {JsonSerializer.Serialize(result, Json)}";
                await progress.WriteLineAsync(line.AsMemory(), cancellationToken).ConfigureAwait(false);
            }
        }
        TransportBenchmarkResult median = Median(ours);
        TransportBenchmarkResult referenceMedian = Median(theirs);
        return new TransportComparison(median, referenceMedian, Divide(median, referenceMedian), rounds);
    }

    /// <summary>A table for people.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{"medians of " + Rounds + " rounds",-32}{"ours",12}{"reference",12}{"ratio",8}");
        foreach ((string name, Func<TransportBenchmarkResult, double> value) in Figures)
            text.AppendLine(CultureInfo.InvariantCulture, $"{name,-32}{value(Ours),12:N1}{value(Reference),12:N1}{value(Ratio),8:N2}");
        return text.ToString();
    }

    private static IEnumerable<(string Name, Func<TransportBenchmarkResult, double> Value)> Figures { get; } =
    [
        ("handshakesPerSecond", static result => result.HandshakesPerSecond),
        ("handshakesPerSecondSequential", static result => result.HandshakesPerSecondSequential),
        ("bulkMegabytesPerSecond", static result => result.BulkMegabytesPerSecond),
        ("messagesPerSecond", static result => result.MessagesPerSecond),
        ("roundTripMicrosecondsP50", static result => result.RoundTripMicrosecondsP50),
        ("roundTripMicrosecondsP99", static result => result.RoundTripMicrosecondsP99),
        ("kibibytesPerConnection", static result => result.KibibytesPerConnection),
    ];

    private static TransportBenchmarkResult Median(List<TransportBenchmarkResult> results) => Combine(value =>
    {
        double[] sorted = [.. results.Select(value).Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    });

    private static TransportBenchmarkResult Divide(TransportBenchmarkResult left, TransportBenchmarkResult right) =>
        Combine(value => Math.Round(value(left) / value(right), 3));

    private static TransportBenchmarkResult Combine(Func<Func<TransportBenchmarkResult, double>, double> combine) => new()
    {
        HandshakesPerSecond = combine(static result => result.HandshakesPerSecond),
        HandshakesPerSecondSequential = combine(static result => result.HandshakesPerSecondSequential),
        BulkMegabytesPerSecond = combine(static result => result.BulkMegabytesPerSecond),
        MessagesPerSecond = combine(static result => result.MessagesPerSecond),
        RoundTripMicrosecondsP50 = combine(static result => result.RoundTripMicrosecondsP50),
        RoundTripMicrosecondsP99 = combine(static result => result.RoundTripMicrosecondsP99),
        KibibytesPerConnection = combine(static result => result.KibibytesPerConnection),
    };

    private static async Task<TransportBenchmarkResult> MeasureAsync(string program, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        string output = await RunAsync(program, arguments, workingDirectory: null, cancellationToken).ConfigureAwait(false);
        return JsonSerializer.Deserialize<TransportBenchmarkResult>(output, Json)
            ?? throw new MeshException(MeshError.Unknown, $"{Path.GetFileName(program)} printed no figures.");
    }

    private static async Task<string> FindReferenceAsync(TextWriter progress, CancellationToken cancellationToken)
    {
        string root = FindRepository() ?? throw new MeshException(
            MeshError.InvalidConfiguration, "The reference is part of the source repository; run this from a build of it.");
        string executable = Path.Combine(root, ReferenceExecutable);
        if (!File.Exists(executable))
        {
            await progress.WriteLineAsync($"Building {ReferenceProject} ...".AsMemory(), cancellationToken).ConfigureAwait(false);
            await RunAsync("dotnet", ["build", ReferenceProject, "-c", "Release", "-v", "q"], root, cancellationToken).ConfigureAwait(false);
        }
        return executable;
    }

    private static string? FindRepository()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "EventMesh.sln")))
                return folder.FullName;
        }
        return null;
    }

    private static async Task<string> RunAsync(string program, IEnumerable<string> arguments, string? workingDirectory, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            WorkingDirectory = workingDirectory ?? string.Empty,
        };
        // Both programs with the same garbage collector.
        start.Environment["DOTNET_gcConcurrent"] = "0";
        using Process process = Process.Start(start) ?? throw new MeshException(MeshError.Unknown, $"{program} can't be started.");
        try
        {
            string output = await process.StandardOutput.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            return process.ExitCode == 0 ? output : throw new MeshException(MeshError.Unknown, $"{program} failed with exit code {process.ExitCode}: {output}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }
}
