using System.Diagnostics;
using System.Globalization;
using EventMesh.Conformance.Sessions;
using EventMesh.Messaging;
using EventMesh.Tests.Common.Nodes;
using Shouldly;
using Xunit;

namespace EventMesh.Transport.Ngtcp2.Tests;

/// <summary>Runs when nothing else does: it measures the whole process.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>What a message of 1 GiB costs its two ends, and the small messages on the same link.</summary>
[Collection(nameof(Alone))]
public sealed class GibibyteTests(ITestOutputHelper output) : MessagingConformanceTests
{
    private const long GiB = 1L << 30;
    private const double MiB = 1024 * 1024;

    // Both ends are in this process: 32 MiB each.
    private const double Bound = 64;

    [Fact]
    public async Task A_gibibyte_takes_no_more_than_32_mebibytes_at_either_end()
    {
        (TestNode a, TestNode b) = await PairAsync();
        long right = 0;
        b.Dispatcher.OnLarge = async (message, token) =>
        {
            right = await PatternStream.CompareAsync(message.Content, token);
            return null;
        };
        // Code, pools and windows come to their size before anything is measured.
        (await SendAsync(a, b, 64 * 1024 * 1024)).Outcome.ShouldBe(SendOutcome.Handled);
        List<double> alone = await PingAsync(a, b, () => false, 500);
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        double before = ResidentMebibytes(), most = before;

        long started = Stopwatch.GetTimestamp();
        Task<SendReceipt> sending = SendAsync(a, b, GiB);
        using var timer = new Timer(_ => most = Math.Max(most, ResidentMebibytes()), null, 0, 20);
        List<double> beside = await PingAsync(a, b, () => !sending.IsCompleted, 100_000);
        SendReceipt receipt = await sending;
        TimeSpan took = Stopwatch.GetElapsedTime(started);

        receipt.Outcome.ShouldBe(SendOutcome.Handled);
        right.ShouldBe(GiB);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"1 GiB in {took.TotalSeconds:N1} s; both ends grew by {most - before:N1} MiB; 1 KiB messages acknowledged, p99: "
            + $"{Percentile(alone):N1} ms alone, {Percentile(beside):N1} ms beside ({beside.Count} messages)."));
        (most - before).ShouldBeLessThan(Bound);
        beside.Count.ShouldBeGreaterThan(0);
    }

    private static Task<SendReceipt> SendAsync(TestNode a, TestNode b, long length) => a.Mesh.SendAsync(
        b.Id,
        new OutgoingMessage("files", default)
        {
            Content = new PatternStream(length),
            ContentLength = length,
            Delivery = DeliveryMode.Handled,
            Deadline = TimeSpan.FromMinutes(10),
        }).AsTask();

    private static async Task<List<double>> PingAsync(TestNode a, TestNode b, Func<bool> goOn, int count)
    {
        List<double> times = [];
        var payload = new byte[1024];
        do
        {
            long start = Stopwatch.GetTimestamp();
            (await a.Mesh.SendAsync(b.Id, new OutgoingMessage("ping", payload))).IsSent.ShouldBeTrue();
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            // The received ones are no part of what is measured.
            b.Dispatcher.Messages.Clear();
        }
        while (times.Count < count && (goOn() || count < 1000));
        return times;
    }

    private static double Percentile(List<double> times)
    {
        times.Sort();
        return times[(int)(times.Count * 0.99)];
    }

    private static double ResidentMebibytes()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64 / MiB;
    }

    protected override ITransportProvider CreateProvider() => SupportedProvider.Create();
}
