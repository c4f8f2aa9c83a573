using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.Transport;
using EventMesh.Transport.Ngtcp2;

namespace EventMesh.Host.Bench;

/// <summary>Measures what sessions make of the transport: joins, messages, round trips and memory of whole nodes over loopback.</summary>
internal static class PeersBenchmark
{
    private const int MessageBytes = 256;
    private const int MessagesUnderWay = 64;
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(1);

    /// <summary>The nodes' figures and the transport's, one after the other; the round trips sorted.</summary>
    private sealed record Round(double Messages, double TransportMessages, double[] Trips, double[] TransportTrips)
    {
        public double MessagesRatio => Messages / TransportMessages;

        public double RoundTripRatio => Trips.Median() / TransportTrips.Median();
    }

    /// <summary>Does all measurements once.</summary>
    public static async Task<PeersBenchmarkResult> RunAsync(PeersBenchmarkOptions options, TextWriter progress, CancellationToken cancellationToken)
    {
        // The joiners first, while the heaps are small and hold nothing to reuse.
        (double joins, double mebibytes, string store) = await MeasureJoinsAsync(options, progress, cancellationToken).ConfigureAwait(false);
        await progress.WriteLineAsync("Measuring the transport alone ...".AsMemory(), cancellationToken).ConfigureAwait(false);
        TransportBenchmark reference = await TransportBenchmark.StartAsync(
            new Ngtcp2TransportProvider().Create(),
            new TransportBenchmarkOptions
            {
                IdleConnections = 10,
                SequentialHandshakes = 10,
                ConcurrentHandshakes = 2 * options.Peers,
                BulkBytes = 1 << 24,
                Messages = options.Messages,
                RoundTrips = options.RoundTrips,
                Settling = TimeSpan.FromMilliseconds(100),
            },
            cancellationToken).ConfigureAwait(false);
        await using (reference.ConfigureAwait(false))
        {
            TransportBenchmarkResult transport = await reference.MeasureAsync(cancellationToken).ConfigureAwait(false);
            await progress.WriteLineAsync("Measuring messages and requests ...".AsMemory(), cancellationToken).ConfigureAwait(false);
            (Round[] rounds, double allocated) = await MeasureRoundsAsync(reference, options, progress, cancellationToken).ConfigureAwait(false);
            double[] trips = [.. rounds.SelectMany(round => round.Trips).Order()], transportTrips = [.. rounds.SelectMany(round => round.TransportTrips).Order()];
            return new PeersBenchmarkResult
            {
                JoinsPerSecond = joins,
                MessagesPerSecond = rounds.Select(round => round.Messages).Median(),
                MessagesRatio = Math.Round(rounds.Select(round => round.MessagesRatio).Median(), 3),
                RoundTripMicrosecondsP50 = trips.Median(),
                RoundTripMicrosecondsP99 = trips[(int)(trips.Length * 0.99)],
                RoundTripRatio = Math.Round(rounds.Select(round => round.RoundTripRatio).Median(), 3),
                MebibytesOfPeers = mebibytes,
                KibibytesPerPeer = mebibytes * 1024 / options.Peers,
                Peers = options.Peers,
                Transport = transport with
                {
                    MessagesPerSecond = rounds.Select(round => round.TransportMessages).Median(),
                    RoundTripMicrosecondsP50 = transportTrips.Median(),
                    RoundTripMicrosecondsP99 = transportTrips[(int)(transportTrips.Length * 0.99)],
                },
                BytesAllocatedPerMessage = allocated,
                Store = store,
                RaisedLimits = $"MaxPeers, MaxInboundPeers and MaxConnectionsPerPrivateSource {BenchmarkNode.RaisedLimit}; NewPeersPerMinute {BenchmarkNode.RaisedNewPeers}; TargetPeers 0",
            };
        }
    }

    /// <summary>Messages and requests between two nodes, each right after the transport's: a machine's minutes differ more than the two.</summary>
    private static async Task<(Round[] Rounds, double AllocatedPerMessage)> MeasureRoundsAsync(
        TransportBenchmark reference, PeersBenchmarkOptions options, TextWriter progress, CancellationToken cancellationToken)
    {
        BenchmarkNode sender = await BenchmarkNode.StartAsync(isStored: false, cancellationToken).ConfigureAwait(false);
        await using ConfiguredAsyncDisposable _ = sender.ConfigureAwait(false);
        BenchmarkNode receiver = await BenchmarkNode.StartAsync(isStored: false, cancellationToken).ConfigureAwait(false);
        await using ConfiguredAsyncDisposable __ = receiver.ConfigureAwait(false);
        ITransportConnection connection = await reference.ConnectAsync(cancellationToken).ConfigureAwait(false);
        await using ConfiguredAsyncDisposable ___ = connection.ConfigureAwait(false);
        PeerInfo peer = await sender.Mesh.ConnectAsync(receiver.Mesh.LocalEndPoint, cancellationToken: cancellationToken).ConfigureAwait(false);
        await MeasureMessagesAsync(sender, receiver, peer.Peer, options.Messages / 4, cancellationToken).ConfigureAwait(false);
        await MeasureRoundTripsAsync(sender, peer.Peer, Math.Max(100, options.RoundTrips / 10), cancellationToken).ConfigureAwait(false);
        var rounds = new Round[options.Rounds];
        long allocated = 0;
        for (int i = 0; i < rounds.Length; i++)
        {
            double transportMessages = await reference.MeasureMessagesAsync(connection, options.Messages, cancellationToken).ConfigureAwait(false);
            long before = GC.GetTotalAllocatedBytes(precise: true);
            double messages = await MeasureMessagesAsync(sender, receiver, peer.Peer, options.Messages, cancellationToken).ConfigureAwait(false);
            allocated += GC.GetTotalAllocatedBytes(precise: true) - before;
            double[] transportTrips = await TransportBenchmark.MeasureRoundTripsAsync(connection, options.RoundTrips, cancellationToken).ConfigureAwait(false);
            double[] trips = await MeasureRoundTripsAsync(sender, peer.Peer, options.RoundTrips, cancellationToken).ConfigureAwait(false);
            Round round = rounds[i] = new(messages, transportMessages, trips, transportTrips);
            await progress.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"round {i + 1}: {round.Messages:N0} messages/s of {round.TransportMessages:N0} ({round.MessagesRatio:N2}), round trip {trips.Median():N1} us of {transportTrips.Median():N1} ({round.RoundTripRatio:N2})")
                .AsMemory(), cancellationToken).ConfigureAwait(false);
        }
        return (rounds, (double)allocated / options.Messages / rounds.Length);
    }

    private static async Task<(double PerSecond, double Mebibytes, string Store)> MeasureJoinsAsync(
        PeersBenchmarkOptions options, TextWriter progress, CancellationToken cancellationToken)
    {
        BenchmarkNode listener = await BenchmarkNode.StartAsync(options.IsStored, cancellationToken).ConfigureAwait(false);
        await using (listener.ConfigureAwait(false))
        {
            await progress.WriteLineAsync($"Starting {options.Peers} joiners in a process of their own ...".AsMemory(), cancellationToken).ConfigureAwait(false);
            using Process joiners = StartJoiners(listener, options.Peers);
            try
            {
                await ExpectAsync(joiners, cancellationToken).ConfigureAwait(false);
                long before = await ResidentBytesAsync(cancellationToken).ConfigureAwait(false);
                await progress.WriteLineAsync("Joining ...".AsMemory(), cancellationToken).ConfigureAwait(false);
                await joiners.StandardInput.WriteLineAsync("go".AsMemory(), cancellationToken).ConfigureAwait(false);
                await joiners.StandardInput.FlushAsync(cancellationToken).ConfigureAwait(false);
                double seconds = double.Parse(await ExpectAsync(joiners, cancellationToken).ConfigureAwait(false), CultureInfo.InvariantCulture);
                await progress.WriteLineAsync("Joined.".AsMemory(), cancellationToken).ConfigureAwait(false);
                // A joiner knows of the pair a moment before the listener does.
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                limit.CancelAfter(StartLimit);
                while (listener.Mesh.Peers.Count < options.Peers) await Task.Delay(10, limit.Token).ConfigureAwait(false);
                long after = await ResidentBytesAsync(cancellationToken).ConfigureAwait(false);
                return (options.Peers / seconds, (after - before) / 1024.0 / 1024, options.IsStored ? "private PostgreSQL" : "none: events are folded and forgotten");
            }
            finally
            {
                joiners.StandardInput.Close();
                await joiners.WaitForExitAsync(CancellationToken.None).WaitAsync(StartLimit, CancellationToken.None)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (!joiners.HasExited) joiners.Kill();
            }
        }
    }

    private static Process StartJoiners(BenchmarkNode listener, int count)
    {
        var start = new ProcessStartInfo(
            Environment.ProcessPath!,
            ["bench", "peers", "--join", listener.Mesh.LocalEndPoint.ToString(), "--peers", count.ToString(CultureInfo.InvariantCulture)])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        return Process.Start(start) ?? throw new MeshException(MeshError.Unknown, "The joiners can't be started.");
    }

    private static async Task<string> ExpectAsync(Process joiners, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(StartLimit);
        return await joiners.StandardOutput.ReadLineAsync(limit.Token).ConfigureAwait(false)
            ?? throw new MeshException(MeshError.Unknown, "The joiners ended before their time.");
    }

    private static async Task<double> MeasureMessagesAsync(
        BenchmarkNode sender, BenchmarkNode receiver, PeerId peer, int total, CancellationToken cancellationToken)
    {
        long before = receiver.Dispatcher.Messages;
        var message = new OutgoingMessage("bench", new byte[MessageBytes]);
        int left = total;
        long start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, MessagesUnderWay).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                SendReceipt receipt = await sender.Mesh.SendAsync(peer, message, cancellationToken).ConfigureAwait(false);
                if (!receipt.IsSent) throw new MeshException(receipt.Error ?? MeshError.Unknown, $"A message ended as {receipt.Outcome}.");
            }
        }))).ConfigureAwait(false);
        while (receiver.Dispatcher.Messages - before < total) await Task.Delay(1, cancellationToken).ConfigureAwait(false);
        return total / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>The round trips in microseconds, sorted.</summary>
    private static async Task<double[]> MeasureRoundTripsAsync(BenchmarkNode sender, PeerId peer, int total, CancellationToken cancellationToken)
    {
        var trips = new double[total];
        var payload = new byte[MessageBytes];
        for (int i = 0; i < total; i++)
        {
            long start = Stopwatch.GetTimestamp();
            await sender.Mesh.RequestAsync(peer, "bench", payload, cancellationToken).ConfigureAwait(false);
            trips[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }
        Array.Sort(trips);
        return trips;
    }

    private static async Task<long> ResidentBytesAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(Settling, cancellationToken).ConfigureAwait(false);
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
