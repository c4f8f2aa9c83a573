using System.CommandLine;
using System.Globalization;
using EventMesh.Host.Commands;
using EventMesh.Host.Errors;
using EventMesh.Transport;
using EventMesh.Transport.Ngtcp2;

namespace EventMesh.Host.Bench;

/// <summary><c>mesh bench outage</c>: what peers notice while a node's PostgreSQL is away, and whether the log has everything afterwards.</summary>
internal static class OutageBenchmarkCommand
{
    /// <summary>Makes the command <c>outage</c>, a child of <c>bench</c>.</summary>
    public static Command Create()
    {
        Option<long?> seconds = StrictOption.Number("--seconds", least: 1);
        seconds.Description = "How long PostgreSQL is away. Default: 60.";
        seconds.HelpName = "n";
        Option<long?> rate = StrictOption.Number("--rate", least: 1);
        rate.Description = "Events recorded in a second. Default: 2,000.";
        rate.HelpName = "n";
        var shutdown = new Option<bool>("--shutdown") { Description = "Shut PostgreSQL down and start it again, instead of stopping its processes." };
        var command = new Command("outage", "Take PostgreSQL away from a node under load: round trips with a peer meanwhile, and the drain of the spool.") { seconds, rate, shutdown };
        return command.Runs(async (context, cancellationToken) =>
        {
            TransportSupport support = new Ngtcp2TransportProvider().Probe();
            if (!support.IsSupported) throw new MeshException(MeshError.TransportUnavailable, $"{support.Detail} {support.Remedy}");
            var options = new OutageBenchmarkOptions { IsShutdown = context.Get(shutdown) };
            TimeSpan outage = TimeSpan.FromSeconds(Math.Min(context.Get(seconds) ?? (long)options.Outage.TotalSeconds, 86_400));
            options = options with
            {
                Outage = outage,
                Before = outage < options.Before ? outage : options.Before,
                Rate = (int)Math.Min(context.Get(rate) ?? options.Rate, 1_000_000),
            };
            OutageBenchmarkResult result = await new OutageBenchmark(options, context.Error).RunAsync(cancellationToken);
            if (context.IsJson)
                context.WriteJson(result);
            else
                await context.Out.WriteLineAsync(ToText(result));
            return ExitCode.Success;
        });
    }

    private static string ToText(OutageBenchmarkResult result) => string.Create(CultureInfo.InvariantCulture, $"""
        PostgreSQL {result.By} for {result.OutageSeconds:N0} s under {result.EventsPerSecond:N0} events/s
          256 B round trip, p99, before {result.RoundTripMicrosecondsP99Before,12:N0} us
          the same, PostgreSQL away     {result.RoundTripMicrosecondsP99During,12:N0} us, {result.Ratio:N2} times
          the same, draining            {result.RoundTripMicrosecondsP99Draining,12:N0} us
          spooled when it came back     {result.Spooled,12:N0} events
          until the spool was empty     {result.DrainSeconds,12:N1} s
          in the log at the end         {result.Events,12:N0} events, all
        """);
}
