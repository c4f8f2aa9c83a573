using System.Globalization;
namespace Ngq;
/// <summary>The work of TransportBenchmark, in its order and amounts, on the prototype's own API.</summary>
static class Json {
    public static async Task<int> Run() {
        using var server = Bench.MakeEp(0, o => o.OnAccept = Bench.Serve); using var client = Bench.MakeEp(0); var to = server.Local;
        // memory first, while the heaps are small
        var held = new List<QuicConn>(); for (int i = 0; i < 50; i++) held.Add(await client.ConnectAsync(to));
        await Task.Delay(1000); long before = Bench.Rss(); const int n = 1000;
        for (int i = 0; i < n / 10; i++) held.AddRange(await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => client.ConnectAsync(to))));
        await Task.Delay(1000); double kib = (Bench.Rss() - before) / (double)n / 1024;
        foreach (var h in held) h.Close(0); held.Clear(); await Task.Delay(1000);
        await Bench.Handshakes(client, to, 1500, 4);
        double one = await Bench.Handshakes(client, to, 2000, 1), many = await Bench.Handshakes(client, to, 6000, 16);
        var c = await client.ConnectAsync(to);
        await Bench.Bulk(c, 64 << 20); await Bench.Fresh(c, 100000, 64); await Bench.Rtt(c, 2000, false);
        double bulk = await Bench.Bulk(c, 1L << 30), msgs = await Bench.Fresh(c, 400000, 64); var (p50, p99) = await Bench.Rtt(c, 20000, false);
        c.Close(0);
        string F(double d) => d.ToString("0.0", CultureInfo.InvariantCulture);
        Console.WriteLine($$"""{"handshakesPerSecond":{{F(many)}},"handshakesPerSecondSequential":{{F(one)}},"bulkMegabytesPerSecond":{{F(bulk)}},"messagesPerSecond":{{F(msgs)}},"roundTripMicrosecondsP50":{{F(p50)}},"roundTripMicrosecondsP99":{{F(p99)}},"kibibytesPerConnection":{{F(kib)}}}""");
        return 0;
    }
}
