using System.CommandLine;
using System.Globalization;
using System.Net;
using EventMesh.Host.Commands;
using EventMesh.Host.Errors;
using EventMesh.Transport;
using EventMesh.Transport.Ngtcp2;

namespace EventMesh.Host.Bench;

/// <summary><c>mesh bench peers</c>: the figures of whole nodes on this machine, beside the transport's own.</summary>
internal static class PeersBenchmarkCommand
{
    /// <summary>Makes the command <c>peers</c>, a child of <c>bench</c>.</summary>
    public static Command Create()
    {
        Option<long?> peers = StrictOption.Number("--peers", least: 1);
        peers.Description = $"Peers that join, at most {BenchmarkNode.RaisedLimit}. Default: 1000.";
        peers.HelpName = "n";
        Option<long?> messages = StrictOption.Number("--messages", least: 1000);
        messages.Description = "Messages to send. Default: 400000.";
        messages.HelpName = "n";
        var forget = new Option<bool>("--no-store") { Description = "Keep no events: without a private PostgreSQL." };
        // The benchmark's own other process.
        var join = new Option<string?>("--join") { Hidden = true };
        var command = new Command("peers", "Measure joins, messages, round trips and memory of whole nodes on this machine, over loopback.")
        {
            peers, messages, forget, join,
        };
        return command.Runs(async (context, cancellationToken) =>
        {
            TransportSupport support = new Ngtcp2TransportProvider().Probe();
            if (!support.IsSupported) throw new MeshException(MeshError.TransportUnavailable, $"{support.Detail} {support.Remedy}");
            int count = (int)Math.Min(context.Get(peers) ?? 1000, BenchmarkNode.RaisedLimit);
            if (context.Get(join) is { } listener)
            {
                await PeersBenchmarkJoiners.RunAsync(IPEndPoint.Parse(listener), count, Console.In, context.Out, cancellationToken);
                return ExitCode.Success;
            }
            int total = (int)Math.Min(context.Get(messages) ?? 400_000, int.MaxValue);
            PeersBenchmarkResult result = await PeersBenchmark.RunAsync(
                new PeersBenchmarkOptions { Peers = count, Messages = total, RoundTrips = Math.Max(1000, total / 20), IsStored = !context.Get(forget) },
                context.Error, cancellationToken);
            if (context.IsJson)
                context.WriteJson(result);
            else
                await context.Out.WriteLineAsync(ToText(result));
            return ExitCode.Success;
        });
    }

    private static string ToText(PeersBenchmarkResult result) => string.Create(CultureInfo.InvariantCulture, $"""
        ngtcp2, loopback, store of the listener: {result.Store}
        raised: {result.RaisedLimits}
                                                   nodes      transport alone   ratio
          joins, 16 at once             {result.JoinsPerSecond,12:N0} /s   {result.Transport.HandshakesPerSecond,12:N0} /s   {result.JoinsRatio,6:N2} (two handshakes a join)
          256 B messages, 64 under way  {result.MessagesPerSecond,12:N0} /s   {result.Transport.MessagesPerSecond,12:N0} /s   {result.MessagesRatio,6:N2}
          256 B round trip, median      {result.RoundTripMicrosecondsP50,12:N0} us   {result.Transport.RoundTripMicrosecondsP50,12:N0} us   {result.RoundTripRatio,6:N2}
          256 B round trip, p99         {result.RoundTripMicrosecondsP99,12:N0} us   {result.Transport.RoundTripMicrosecondsP99,12:N0} us
          memory of {result.Peers} peers{"",10} {result.MebibytesOfPeers,12:N0} MiB, {result.KibibytesPerPeer:N0} KiB a peer
          allocated per message         {result.BytesAllocatedPerMessage,12:N0} B, both ends
        """);
}
