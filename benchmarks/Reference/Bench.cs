using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Runtime;
namespace Ngq;
sealed class Counters { public long Bytes, Msgs; }
static class Bench {
    static readonly string[] A = ["mesh/1"];
    static Dictionary<string, string> opt = new();
    static bool B(string k, bool d) => opt.TryGetValue(k, out var v) ? v == "1" : d;
    internal static QuicEndpoint MakeEp(int port, Action<EndpointOptions>? f = null) {
        var o = new EndpointOptions { Tls = new TlsContext(TlsContext.SelfSigned("bench"), A), VerifyPeer = (_, der) => der.Length > 100, Bind = new(IPAddress.Loopback, port), Idle = TimeSpan.FromSeconds(120) };
        o.RequireRetry = B("retry", true); o.InlineContinuations = B("inline", false); o.Gso = B("gso", true); o.Gro = B("gro", true);
        if (opt.TryGetValue("cc", out var c)) o.Cc = int.Parse(c);
        if (opt.TryGetValue("sockbuf", out var sb)) o.SockBuf = int.Parse(sb);
        f?.Invoke(o); return new QuicEndpoint(o);
    }
    // ---------------- server behaviour ----------------
    internal static void Serve(QuicConn c) { var k = new Counters(); c.Tag = k; c.OnStream = s => { if (s.Conn.Ep.Opt.InlineContinuations) _ = HandleStream(s, k); else ThreadPool.UnsafeQueueUserWorkItem(static t => _ = HandleStream(t.s, t.k), (s, k), false); }; }
    static async Task HandleStream(QuicStream s, Counters k) {
        var buf = System.Buffers.ArrayPool<byte>.Shared.Rent(65536);
        try {
            int n = await s.ReadAsync(buf.AsMemory(0, s.Uni ? 65536 : 1)); if (n == 0) return;
            switch ((char)buf[0]) {
                case 'B': Interlocked.Add(ref k.Bytes, n); while ((n = await s.ReadAsync(buf)) > 0) Interlocked.Add(ref k.Bytes, n); break;
                case 'F': int t = n; while ((n = await s.ReadAsync(buf)) > 0) t += n; if (t == 256) Interlocked.Increment(ref k.Msgs); break;
                case 'M': { int have = n - 1; Buffer.BlockCopy(buf, 1, buf, 0, have);
                    while (true) { int p = 0; while (have - p >= 4) { int l = BinaryPrimitives.ReadInt32LittleEndian(buf.AsSpan(p)); if (have - p - 4 < l) break; p += 4 + l; Interlocked.Increment(ref k.Msgs); }
                        if (p > 0) { Buffer.BlockCopy(buf, p, buf, 0, have - p); have -= p; }
                        n = await s.ReadAsync(buf.AsMemory(have)); if (n == 0) break; have += n; } break; }
                case 'E': while (await s.ReadExactAsync(buf.AsMemory(0, 256))) await s.WriteAsync(buf.AsMemory(0, 256)); s.CompleteWrites(); break;
                case 'S': { var r = new byte[16]; BinaryPrimitives.WriteInt64LittleEndian(r, Interlocked.Read(ref k.Bytes)); BinaryPrimitives.WriteInt64LittleEndian(r.AsSpan(8), Interlocked.Read(ref k.Msgs)); await s.WriteAsync(r, true); while (await s.ReadAsync(buf) > 0) { } break; }
                case 'R': { var r = new byte[16]; BinaryPrimitives.WriteInt64LittleEndian(r, Environment.WorkingSet); BinaryPrimitives.WriteInt64LittleEndian(r.AsSpan(8), (long)Process.GetCurrentProcess().TotalProcessorTime.TotalMicroseconds); await s.WriteAsync(r, true); while (await s.ReadAsync(buf) > 0) { } break; }
            }
        } catch (IOException) { } finally { System.Buffers.ArrayPool<byte>.Shared.Return(buf); }
    }
    internal static async Task<(long, long)> Ask(QuicConn c, char what) { var s = await c.OpenAsync(false); await s.WriteAsync(new[] { (byte)what }, true); var r = new byte[16]; await s.ReadExactAsync(r); await s.ReadAsync(new byte[1]); return (BinaryPrimitives.ReadInt64LittleEndian(r), BinaryPrimitives.ReadInt64LittleEndian(r.AsSpan(8))); }

    internal static async Task<double> Handshakes(QuicEndpoint ep, IPEndPoint to, int total, int conc) {
        int left = total; var sw = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, conc).Select(_ => Task.Run(async () => { while (Interlocked.Decrement(ref left) >= 0) { var c = await ep.ConnectAsync(to); c.Close(0); } })));
        return total / sw.Elapsed.TotalSeconds;
    }
    internal static async Task<double> Bulk(QuicConn c, long total) {
        var (b0, _) = await Ask(c, 'S'); var blk = new byte[65536]; Array.Fill(blk, (byte)'B'); var s = await c.OpenAsync(true); var sw = Stopwatch.StartNew();
        for (long i = 0; i < total; i += blk.Length) await s.WriteAsync(blk);
        s.CompleteWrites(); while ((await Ask(c, 'S')).Item1 - b0 < total) await Task.Delay(1);
        return total / sw.Elapsed.TotalSeconds / 1e6;
    }
    internal static async Task<double> Fresh(QuicConn c, int total, int conc) {
        var (_, m0) = await Ask(c, 'S'); var msg = new byte[256]; msg[0] = (byte)'F'; int left = total; var sw = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, conc).Select(_ => Task.Run(async () => { while (Interlocked.Decrement(ref left) >= 0) { var s = await c.OpenAsync(true); await s.WriteAsync(msg, true); await s.Completion; } })));
        while ((await Ask(c, 'S')).Item2 - m0 < total) await Task.Delay(1);
        return total / sw.Elapsed.TotalSeconds;
    }
    internal static async Task<double> Long(QuicConn c, int total) {
        var (_, m0) = await Ask(c, 'S'); var msg = new byte[260]; BinaryPrimitives.WriteInt32LittleEndian(msg, 256); var s = await c.OpenAsync(true); await s.WriteAsync("M"u8.ToArray()); var sw = Stopwatch.StartNew();
        for (int i = 0; i < total; i++) await s.WriteAsync(msg);
        s.CompleteWrites(); while ((await Ask(c, 'S')).Item2 - m0 < total) await Task.Delay(1);
        return total / sw.Elapsed.TotalSeconds;
    }
    internal static async Task<(double, double)> Rtt(QuicConn c, int total, bool fresh) {
        var t = new double[total]; var buf = new byte[256]; var req = new byte[257]; req[0] = (byte)'E'; QuicStream? s = null;
        if (!fresh) { s = await c.OpenAsync(false); await s.WriteAsync("E"u8.ToArray()); }
        for (int i = 0; i < total; i++) { long t0 = Stopwatch.GetTimestamp();
            if (fresh) { var f = await c.OpenAsync(false); await f.WriteAsync(req, true); await f.ReadExactAsync(buf); await f.ReadAsync(buf); }
            else { await s!.WriteAsync(req.AsMemory(1)); await s.ReadExactAsync(buf); }
            t[i] = Stopwatch.GetElapsedTime(t0).TotalMicroseconds; }
        s?.CompleteWrites(); Array.Sort(t); return (t[total / 2], t[(int)(total * 0.99)]);
    }
    static (double busy, double idle) Stat() { var p = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries); double d(int i) => double.Parse(p[i]); return ((d(1) + d(2) + d(3) + d(6) + d(7) + d(8)) / 100, (d(4) + d(5)) / 100); }
    internal static long Rss() { GC.Collect(2, GCCollectionMode.Aggressive, true, true); GC.WaitForPendingFinalizers(); foreach (var l in File.ReadLines("/proc/self/status")) if (l.StartsWith("VmRSS")) return long.Parse(l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) * 1024; return 0; }
    static async Task RunClient(string which, IPEndPoint to, QuicEndpoint? serverEp) {
        using var ep = MakeEp(0); string mode = serverEp != null ? "1proc" : "2proc";
        bool W(char c) => which == "all" || which.Contains(c);
        void P(string s) => Console.WriteLine($"{mode} {s}");
        var me = Process.GetCurrentProcess();
        async Task T(string name, QuicConn c, Func<Task<string>> f) {
            long p0 = ep.PktOut, i0 = ep.PktIn, x0 = ep.TxCalls, r0 = ep.RxCalls, po0 = ep.Polls, w0 = ep.Wakes; var (_, sc0) = await Ask(c, 'R'); var g0 = GC.GetTotalAllocatedBytes(); int gc = GC.CollectionCount(0); me.Refresh(); var cpu0 = me.TotalProcessorTime; var st0 = Stat(); var sw = Stopwatch.StartNew(); string r = await f(); var el = sw.Elapsed.TotalSeconds; me.Refresh(); var cpu = (me.TotalProcessorTime - cpu0).TotalSeconds; var (_, sc1) = await Ask(c, 'R'); double other = (Stat().busy - st0.busy - cpu - (serverEp == null ? (sc1 - sc0) / 1e6 : 0)) / el;
            P($"{name}: {r}   [cpu client {cpu / el:f2}{(serverEp == null ? $" server {(sc1 - sc0) / 1e6 / el:f2}" : "")} cores other {other:f2}; client pkts out {ep.PktOut - p0} in {ep.PktIn - i0} sendmmsg {ep.TxCalls - x0} recvmmsg {ep.RxCalls - r0} polls {ep.Polls - po0} efd {ep.Wakes - w0}; alloc {(GC.GetTotalAllocatedBytes() - g0) >> 20} MiB gc0 {GC.CollectionCount(0) - gc}]");
        }
        await Handshakes(ep, to, 200, 4);
        if (W('a')) { P($"a handshakes/s sequential {await Handshakes(ep, to, 600, 1):f0}"); P($"a handshakes/s 16 concurrent {await Handshakes(ep, to, 1500, 16):f0}"); }
        var c = await ep.ConnectAsync(to);
        if (which.IndexOfAny("bcde".ToCharArray()) >= 0 || which == "all") { await Bulk(c, 64 << 20); await Fresh(c, 10000, 64); await Long(c, 100000); await Rtt(c, 2000, false); await Rtt(c, 2000, true); }
        for (int rep = 0; rep < int.Parse(opt.GetValueOrDefault("reps", "1")); rep++) {
        if (W('b')) await T("b bulk", c, async () => $"{await Bulk(c, 1L << 30):f0} MB/s");
        if (W('c')) await T("c fresh uni 64 in flight", c, async () => $"{await Fresh(c, 200000, 64):f0} msg/s");
        if (W('d')) await T("d one stream", c, async () => $"{await Long(c, 2000000):f0} msg/s");
        if (W('e')) { await T("e rtt one bidi", c, async () => { var (x, y) = await Rtt(c, 20000, false); return $"p50 {x:f0} us p99 {y:f0} us"; }); await T("e rtt fresh bidi", c, async () => { var (x, y) = await Rtt(c, 20000, true); return $"p50 {x:f0} us p99 {y:f0} us"; }); }
        }
        { var i = await c.InfoAsync(); P($"info srtt {i.smoothed_rtt / 1000} us minrtt {i.min_rtt / 1000} cwnd {i.cwnd} ssthresh {i.ssthresh}"); }
        if (W('f')) {
            var l = new List<QuicConn>(); for (int i = 0; i < 50; i++) l.Add(await ep.ConnectAsync(to)); await Task.Delay(1500);
            long r0 = Rss(), h0 = GC.GetTotalMemory(true); var (s0, _) = await Ask(c, 'R'); int n = 1000;
            for (int i = 0; i < n / 10; i++) l.AddRange(await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => ep.ConnectAsync(to))));
            await Task.Delay(2000); long r1 = Rss(), h1 = GC.GetTotalMemory(true); var (s1, _) = await Ask(c, 'R');
            P($"f idle memory: client process {(r1 - r0) / n / 1024.0:f1} KiB RSS per connection{(serverEp != null ? " (both ends in it)" : "")}, managed {(h1 - h0) / (double)n / 1024:f2} KiB{(serverEp == null ? $"; server process {(s1 - s0) / n / 1024.0:f1} KiB (without forced GC)" : "")}; conns {ep.ConnCount}");
        }
    }
    public static async Task<int> Main2(string[] a) {
        foreach (var x in a) if (x.Contains('=')) { var p = x.Split('=', 2); opt[p[0]] = p[1]; }
        switch (a[0]) {
            case "json": return await Json.Run();
            case "test": return await Tests.Run(a.Length > 1);
            case "server": { using var s = MakeEp(int.Parse(a[1]), o => o.OnAccept = Serve); Console.WriteLine("listening " + s.Local); await Task.Delay(-1); return 0; }
            case "forge": return await Soak.Forge();
            case "v6": return await Soak.V6();
            case "mem": return await Soak.Mem();
            case "mig": return await Soak.Migration();
            case "soak": return await Soak.Chaos(int.Parse(a[1]));
            case "iserver": return await Interop.Server(int.Parse(a[1]), a[2], B("reject", false), B("ccert", true));
            case "iclient": return await Interop.Client(int.Parse(a[1]), a[2], B("echo", true), B("reject", false));
            case "client": await RunClient(a[2], IPEndPoint.Parse(a[1]), null); return 0;
            case "bench": { using var s = MakeEp(0, o => o.OnAccept = Serve); await RunClient(a[1], s.Local, s); return 0; }
        }
        return 2;
    }
}
