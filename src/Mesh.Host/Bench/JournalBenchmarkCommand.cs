using System.CommandLine;
using System.Globalization;
using EventMesh.Host.Commands;
using EventMesh.Host.Errors;

namespace EventMesh.Host.Bench;

/// <summary><c>mesh bench journal</c>: the figures of the event log on this machine.</summary>
internal static class JournalBenchmarkCommand
{
    /// <summary>Makes the command <c>journal</c>, a child of <c>bench</c>.</summary>
    public static Command Create()
    {
        Option<long?> events = StrictOption.Number("--events", least: 10_000);
        events.Description = "Events to record. Default: 200,000.";
        events.HelpName = "n";
        Option<long?> longLog = StrictOption.Number("--long-log", least: 0);
        longLog.Description = "Events of the log with which a start is measured once more; 0 for none. Default: 1,000,000.";
        longLog.HelpName = "n";
        var command = new Command("journal", "Measure the event log on this machine, over a private PostgreSQL of its own.") { events, longLog };
        return command.Runs(async (context, cancellationToken) =>
        {
            var options = new JournalBenchmarkOptions();
            options = options with
            {
                Events = (int)Math.Min(context.Get(events) ?? options.Events, 10_000_000),
                LongLog = (int)Math.Min(context.Get(longLog) ?? options.LongLog, 100_000_000),
            };
            JournalBenchmarkResult result = await JournalBenchmark.RunAsync(options, context.Error, cancellationToken);
            if (context.IsJson)
                context.WriteJson(result);
            else
                await context.Out.WriteLineAsync(ToText(result));
            return ExitCode.Success;
        });
    }

    private static string ToText(JournalBenchmarkResult result) => string.Create(CultureInfo.InvariantCulture, $"""
        private PostgreSQL, synchronous_commit on
          events recorded and committed {result.EventsPerSecond,12:N0} /s
          raw INSERT of the same rows   {result.RawInsertRowsPerSecond,12:N0} /s
          ratio                         {result.RatioToRawInsert,12:N2}
          folded by all projections     {result.FoldedEventsPerSecond,12:N0} /s
          Record, p99                   {result.RecordMicrosecondsP99,12:N1} us
          visible in projection, median {result.VisibleMillisecondsP50,12:N1} ms
          rebuild, slowest projection   {result.RebuildEventsPerSecond,12:N0} events/s
          the same, whole log           {result.RebuildLogEventsPerSecond,12:N0} events/s
          spool, synced                 {result.SpoolEventsPerSecond,12:N0} events/s
          log on disk                   {result.BytesPerEvent,12:N0} bytes/event
          start to first peer           {result.StartMilliseconds,12:N0} ms
          the same, long log            {result.StartLongLogMilliseconds,12:N0} ms
          private server                {result.PrivateServerMilliseconds,12:N0} ms
          the same, new directory       {result.PrivateServerNewMilliseconds,12:N0} ms
        """);
}
