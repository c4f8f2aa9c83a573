using System.CommandLine;
using System.Globalization;
using EventMesh.Host.Commands;
using EventMesh.Host.Errors;

namespace EventMesh.Host.Bench;

/// <summary><c>mesh bench history</c>: queries and the start over a long log.</summary>
internal static class HistoryBenchmarkCommand
{
    /// <summary>Makes the command <c>history</c>, a child of <c>bench</c>.</summary>
    public static Command Create()
    {
        Option<long?> events = StrictOption.Number("--events", least: 1000);
        events.Description = "Events of the log. Default: 2,000,000.";
        events.HelpName = "n";
        Option<long?> months = StrictOption.Number("--months", least: 1);
        months.Description = "Months over which they are spread, up to now. Default: 12.";
        months.HelpName = "n";
        var command = new Command("history", "Measure queries and the start over a long log, in a private PostgreSQL of its own.") { events, months };
        return command.Runs(async (context, cancellationToken) =>
        {
            HistoryBenchmarkResult result = await HistoryBenchmark.RunAsync(
                Math.Min(context.Get(events) ?? 2_000_000, 2_000_000_000), (int)Math.Min(context.Get(months) ?? 12, 1200), context.Error, cancellationToken);
            if (context.IsJson)
                context.WriteJson(result);
            else
                await context.Out.WriteLineAsync(ToText(result));
            return ExitCode.Success;
        });
    }

    private static string ToText(HistoryBenchmarkResult result) => string.Create(CultureInfo.InvariantCulture, $"""
        {result.Events:N0} events, {result.ArchivedEvents:N0} of them in blocks
          blocks                        {result.BlockBytesPerEvent,12:N0} bytes/event
          table of events               {result.HotBytesPerEvent,12:N0} bytes/event
          projections                   {result.ProjectionBytesPerEvent,12:N0} bytes/event
          written                       {result.GeneratedPerSecond,12:N0} events/s
          projected                     {result.ProjectedPerSecond,12:N0} events/s
          first start, all folded       {result.FirstStartMilliseconds,12:N0} ms
          start                         {result.StartMilliseconds,12:N0} ms
        {string.Join('\n', result.Queries.Select(query => string.Create(
            CultureInfo.InvariantCulture, $"  {query.Query,-30}{query.P50Milliseconds,10:N1} ms, p99 {query.P99Milliseconds:N1} ms")))}
        """);
}
