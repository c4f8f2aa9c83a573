using System.CommandLine;
using System.Globalization;
using EventMesh.Host.Commands;
using EventMesh.Host.Errors;

namespace EventMesh.Host.Bench;

/// <summary><c>mesh bench crash</c>: kills node and database under load and proves that nothing acknowledged is lost.</summary>
internal static class CrashBenchmarkCommand
{
    /// <summary>Makes the command <c>crash</c>, a child of <c>bench</c>.</summary>
    public static Command Create()
    {
        Option<long?> points = StrictOption.Number("--points", least: 1);
        points.Description = "How often something is killed. Default: 200.";
        points.HelpName = "n";
        Option<long?> seed = StrictOption.Number("--seed", least: 0);
        seed.Description = "Which kinds and times. Default: 20261123.";
        seed.HelpName = "n";
        // The process that is killed.
        var life = new Option<string?>("--life") { Hidden = true };
        var data = new Option<string?>("--data") { Hidden = true };
        var command = new Command("crash", "Kill a journal, its private PostgreSQL or both at random points under load, and compare what was acknowledged with the log and the projections.")
        {
            points, seed, life, data,
        };
        return command.Runs(async (context, cancellationToken) =>
        {
            if (context.Get(life) is { } lived && context.Get(data) is { } folder)
            {
                await new CrashBenchmarkNode(folder, lived, context.Out).RunAsync(Console.In, cancellationToken);
                return ExitCode.Success;
            }
            var options = new CrashBenchmarkOptions();
            options = options with
            {
                Points = (int)Math.Min(context.Get(points) ?? options.Points, 100_000),
                Seed = (int)Math.Min(context.Get(seed) ?? options.Seed, int.MaxValue),
            };
            CrashBenchmarkResult result = await CrashBenchmark.RunAsync(options, context.Error, cancellationToken);
            if (context.IsJson)
                context.WriteJson(result);
            else
                await context.Out.WriteLineAsync(ToText(result));
            return ExitCode.Success;
        });
    }

    private static string ToText(CrashBenchmarkResult result) => string.Create(CultureInfo.InvariantCulture, $"""
        seed {result.Seed}: {result.Points} points; killed the node {result.NodeKilled}, the server {result.ServerKilled}, both {result.BothKilled} times
          acknowledged, all in the log  {result.Acknowledged,12:N0} events
          log at the end                {result.Events,12:N0} events, without a gap or a repetition
          closed as crash               {result.ClosedAsCrash,12:N0} events
          lost, acknowledged by nothing {result.UnacknowledgedLost,12:N0} events at {result.PointsWithLoss} points
          the oldest of them, median    {result.OldestLostMillisecondsP50,12:N1} ms before the kill
          the oldest of them, worst     {result.OldestLostMillisecondsMax,12:N1} ms before the kill
          rebuilds that gave the same   {result.Rebuilds,12:N0}
          took                          {result.Seconds,12:N0} s
        """);
}
