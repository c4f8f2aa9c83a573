using System.CommandLine;
using System.Globalization;
using EventMesh.Host.Commands;
using EventMesh.Host.Errors;
using EventMesh.Transport;
using EventMesh.Transport.Ngtcp2;
using EventMesh.Transport.Quic;

namespace EventMesh.Host.Bench;

/// <summary><c>mesh bench transport</c>: the figures of a transport on this machine, alone or in turn with the reference.</summary>
internal static class TransportBenchmarkCommand
{
    /// <summary>Makes the command <c>transport</c>, a child of <c>bench</c>.</summary>
    public static Command Create() => Create([new Ngtcp2TransportProvider(), new QuicTransportProvider()]);

    /// <summary>Makes the command for the given providers; the first that works is the default.</summary>
    public static Command Create(IReadOnlyList<ITransportProvider> providers)
    {
        var transport = new Option<string?>("--transport") { Description = "The transport; by default the first that works here.", HelpName = "name" };
        var reference = new Option<bool>("--reference") { Description = "Run the reference prototype in turn and print the ratios." };
        Option<long?> rounds = StrictOption.Number("--rounds", least: 1);
        rounds.Description = "Rounds with the reference; medians are printed. Default: 5.";
        rounds.HelpName = "n";
        var command = new Command("transport", "Measure the QUIC transport on this machine, over loopback.") { transport, reference, rounds };
        return command.Runs(async (context, cancellationToken) =>
        {
            string? name = context.Get(transport);
            if (context.Get(reference))
            {
                TransportComparison comparison = await TransportComparison.RunAsync(
                    name, (int)Math.Min(context.Get(rounds) ?? 5, int.MaxValue), context.Error, cancellationToken);
                if (context.IsJson)
                    context.WriteJson(comparison);
                else
                    await context.Out.WriteLineAsync(comparison.ToText());
                return ExitCode.Success;
            }
            ITransport chosen = Choose(providers, name);
            TransportBenchmarkResult result = await TransportBenchmark.RunAsync(chosen, TransportBenchmarkOptions.Default, cancellationToken);
            if (context.IsJson)
                context.WriteJson(result);
            else
                await context.Out.WriteLineAsync(ToText(chosen.Name, result));
            return ExitCode.Success;
        });
    }

    private static ITransport Choose(IReadOnlyList<ITransportProvider> providers, string? name)
    {
        var reasons = new List<string>();
        foreach (ITransportProvider provider in providers.OrderBy(static provider => provider.Order))
        {
            if (name is not null && provider.Name != name)
                continue;
            TransportSupport support = provider.Probe();
            if (support.IsSupported)
                return provider.Create();
            reasons.Add($"{provider.Name}: {support.Detail} {support.Remedy}");
        }
        throw new MeshException(
            MeshError.TransportUnavailable,
            reasons.Count > 0 ? string.Join(Environment.NewLine, reasons) : $"There is no transport named '{name}'.");
    }

    private static string ToText(string name, TransportBenchmarkResult result) => string.Create(CultureInfo.InvariantCulture, $"""
        {name}, both ends in this process, loopback, mutual certificates, Retry
          handshakes, 16 at once        {result.HandshakesPerSecond,12:N0} /s
          handshakes, one by one        {result.HandshakesPerSecondSequential,12:N0} /s
          bulk, one stream              {result.BulkMegabytesPerSecond,12:N0} MB/s
          256 B messages, 64 under way  {result.MessagesPerSecond,12:N0} /s
          256 B round trip, median      {result.RoundTripMicrosecondsP50,12:N0} us
          256 B round trip, p99         {result.RoundTripMicrosecondsP99,12:N0} us
          memory per connection pair    {result.KibibytesPerConnection,12:N0} KiB
        """);
}
