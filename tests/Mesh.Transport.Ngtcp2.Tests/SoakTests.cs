using System.Runtime.InteropServices;
using EventMesh.Transport.Ngtcp2.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Transport.Ngtcp2.Tests;

/// <summary>Many connections and streams that end in every way at random moments; afterwards nothing is left.</summary>
public sealed class SoakTests : ProviderTests
{
    private const int Endpoints = 3;
    private const int Workers = 12;

    // What an allocator may keep of its own between two rounds of the same work.
    private const long AllowedGrowth = 8 * 1024 * 1024;

    [Fact]
    public async Task Random_resets_and_closes_leave_nothing_behind()
    {
        var endpoints = new List<ITransportEndpoint>();
        var acceptors = new List<Task>();
        for (int i = 0; i < Endpoints; i++)
        {
            ITransportEndpoint endpoint = await ServerAsync(o => o with { MaxInboundStreams = 32 });
            endpoints.Add(endpoint);
            acceptors.Add(AcceptAsync(endpoint));
        }

        // The first round fills pools and caches; a later one must not need more. A leak shows in every round, unlike what the runtime allocates for
        // itself beside one of them, such as for compiled code.
        await WorkAsync(endpoints, TimeSpan.FromSeconds(4), seed: 1);
        await UntilEmptyAsync(endpoints);
        long growth = long.MaxValue;
        for (int round = 2; round <= 4 && growth >= AllowedGrowth; round++)
        {
            long before = NativeHeap();
            long streams = await WorkAsync(endpoints, TimeSpan.FromSeconds(5), seed: round);
            await UntilEmptyAsync(endpoints);
            growth = NativeHeap() - before;
            streams.ShouldBeGreaterThan(100);
        }

        growth.ShouldBeLessThan(AllowedGrowth);
        foreach (ITransportEndpoint endpoint in endpoints)
            await Within(endpoint.DisposeAsync());
        await Within(Task.WhenAll(acceptors));
    }

    [Fact]
    public async Task Disposed_endpoint_gives_its_native_memory_back()
    {
        var growth = new List<long>();
        for (int round = 0; round < 6; round++)
        {
            long before = NativeHeap();
            ITransportEndpoint server = await ServerAsync();
            ITransportEndpoint client = await ClientAsync();
            for (int i = 0; i < 20; i++)
                await RoundTripOnceAsync(server, client);
            await Within(client.DisposeAsync());
            await Within(server.DisposeAsync());
            // The first ones fill pools and caches.
            if (round > 1)
                growth.Add(NativeHeap() - before);
        }

        // An endpoint holds above 2 MiB of buffers: one that leaked would show in every round, unlike compiled code.
        growth.Min().ShouldBeLessThan(1024 * 1024);
    }

    private async Task RoundTripOnceAsync(ITransportEndpoint server, ITransportEndpoint client)
    {
        EventMesh.Conformance.ConnectionPair pair = await ConnectAsync(server, client);
        await RoundTripAsync(pair.Client, pair.Server);
        await Within(pair.Client.DisposeAsync());
        await Within(pair.Server.DisposeAsync());
    }

    private async Task UntilEmptyAsync(List<ITransportEndpoint> endpoints)
    {
        foreach (EventLoop loop in endpoints.Select(LoopOf))
        {
            await Until(() => loop.Counters.Connections == 0, $"no connection is left ({loop.Counters.Connections})");
            await Until(() => loop.Streams.Count == 0, $"no stream is left ({loop.Streams.Count})");
            await Until(() => loop.Pool.Rented == 0, $"no buffer is in use ({loop.Pool.Rented})");
            await Until(() => loop.Routes.Count == 0 && loop.Timers.Count == 0, $"no route or timer is left ({loop.Routes.Count}, {loop.Timers.Count})");
            loop.Admission.Handshakes.ShouldBe(0);
            loop.Admission.Unvalidated.ShouldBe(0);
        }
    }

    private static async Task<long> WorkAsync(List<ITransportEndpoint> endpoints, TimeSpan time, int seed)
    {
        long start = TimeProvider.System.GetTimestamp();
        long[] streams = await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(async () =>
        {
            var random = new Random((seed * 1000) + worker);
            long count = 0;
            while (TimeProvider.System.GetElapsedTime(start) < time)
                count += await DialAsync(endpoints[random.Next(Endpoints)], endpoints[random.Next(Endpoints)], random).ConfigureAwait(false);
            return count;
        }))).ConfigureAwait(false);
        return streams.Sum();
    }

    private static async Task<int> DialAsync(ITransportEndpoint from, ITransportEndpoint to, Random random)
    {
        int streams = 0;
        try
        {
            using var cancel = new CancellationTokenSource();
            if (random.Next(10) == 0)
                cancel.CancelAfter(random.Next(3));
            ITransportConnection connection = await from.ConnectAsync(to.LocalEndPoint, cancel.Token).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                Task[] users = [.. Enumerable.Range(0, random.Next(1, 6)).Select(i => UseAsync(connection, new Random(random.Next())))];
                streams = users.Length;
                await Task.WhenAll(users).ConfigureAwait(false);
            }
        }
        catch (MeshException)
        {
        }
        catch (OperationCanceledException)
        {
        }
        return streams;
    }

    private static async Task UseAsync(ITransportConnection connection, Random random)
    {
        try
        {
            for (int i = random.Next(1, 10); i > 0; i--)
            {
                StreamDirection direction = random.Next(2) == 0 ? StreamDirection.Unidirectional : StreamDirection.Bidirectional;
                ITransportStream stream = await connection.OpenStreamAsync(direction, CancellationToken.None).ConfigureAwait(false);
                await using (stream.ConfigureAwait(false))
                {
                    int length = random.Next(random.Next(10) == 0 ? 300_000 : 3_000);
                    await stream.WriteAsync(new byte[length], endStream: random.Next(3) > 0, CancellationToken.None).ConfigureAwait(false);
                    switch (random.Next(10))
                    {
                        case 0:
                            stream.Reset(1);
                            break;
                        case 1 when stream.CanRead:
                            stream.StopSending(2);
                            break;
                        case 2:
                            await connection.CloseAsync(5).ConfigureAwait(false);
                            break;
                        case 3 when stream.CanRead:
                            await stream.ReadAsync(new byte[100], CancellationToken.None).ConfigureAwait(false);
                            break;
                    }
                }
            }
        }
        catch (MeshException)
        {
        }
    }

    private static async Task AcceptAsync(ITransportEndpoint endpoint)
    {
        var serving = new List<Task>();
        try
        {
            while (true)
                serving.Add(ServeAsync(await endpoint.AcceptAsync(CancellationToken.None).ConfigureAwait(false)));
        }
        catch (ObjectDisposedException)
        {
            await Task.WhenAll(serving).ConfigureAwait(false);
        }
    }

    private static async Task ServeAsync(ITransportConnection connection)
    {
        var serving = new List<Task>();
        try
        {
            while (true)
                serving.Add(ServeAsync(connection, await connection.AcceptStreamAsync(CancellationToken.None).ConfigureAwait(false)));
        }
        catch (MeshException)
        {
            await Task.WhenAll(serving).ConfigureAwait(false);
        }
    }

    private static async Task ServeAsync(ITransportConnection connection, ITransportStream stream)
    {
        var buffer = new byte[5000];
        try
        {
            await using (stream.ConfigureAwait(false))
            {
                int count;
                while ((count = await stream.ReadAsync(buffer, CancellationToken.None).ConfigureAwait(false)) > 0)
                {
                    int chance = Random.Shared.Next(200);
                    if (chance == 0)
                        stream.StopSending(9);
                    else if (chance == 1)
                        await connection.CloseAsync(3).ConfigureAwait(false);
                    else if (chance < 4)
                        return;
                    else if (stream.CanWrite)
                        await stream.WriteAsync(buffer.AsMemory(0, count), endStream: false, CancellationToken.None).ConfigureAwait(false);
                }
            }
        }
        catch (MeshException)
        {
        }
    }

    /// <summary>Bytes that native code has allocated and not freed.</summary>
    private static long NativeHeap()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        MallocInfo info = mallinfo2();
        return (long)(info.InUse + info.Mapped);
    }

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern MallocInfo mallinfo2();

    [StructLayout(LayoutKind.Sequential)]
    private struct MallocInfo
    {
        public nuint Arena, FreeChunks, FastChunks, MappedCount, Mapped, Unused, FastFree, InUse, Free, Top;
    }
}
