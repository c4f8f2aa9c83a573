using System.Net;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Tests;
using EventMesh.Transport;
using EventMesh.Transport.InMemory;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Transport;

public sealed class InMemoryNetworkTests
{
    private static readonly X509Certificate2 Certificate = TestCertificates.Create();
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly VirtualTimeProvider _clock = new();
    private readonly List<PacketTrace> _trace = [];

    [Fact]
    public async Task Same_seed_gives_the_same_trace()
    {
        PacketTrace[] first = await PlayAsync(seed: 7);
        PacketTrace[] second = await PlayAsync(seed: 7);
        PacketTrace[] other = await PlayAsync(seed: 8);

        first.Length.ShouldBeGreaterThan(200);
        first.ShouldContain(packet => packet.Fate == PacketFate.Lost);
        second.SequenceEqual(first).ShouldBeTrue("a seed decides everything");
        other.SequenceEqual(first).ShouldBeFalse("another seed decides otherwise");
    }

    [Fact]
    public async Task Thirty_seconds_of_silence_take_no_real_time()
    {
        InMemoryNetwork network = Network(new LinkConditions { Latency = TimeSpan.FromMilliseconds(10) });
        (ITransportConnection dialed, ITransportConnection accepted) = await ConnectAsync(network, idle: TimeSpan.FromSeconds(30), keepAlive: TimeSpan.Zero);
        TimeSpan start = _clock.Elapsed;
        long real = TimeProvider.System.GetTimestamp();

        TransportCloseInfo info = await RunAsync(dialed.Closed);

        info.Error.ShouldBe(MeshError.IdleTimeout);
        (await RunAsync(accepted.Closed)).Error.ShouldBe(MeshError.IdleTimeout);
        (_clock.Elapsed - start).ShouldBeInRange(TimeSpan.FromSeconds(29.9), TimeSpan.FromSeconds(30.1));
        TimeProvider.System.GetElapsedTime(real).ShouldBeLessThan(TimeSpan.FromSeconds(25));
    }

    [Fact]
    public async Task Keep_alive_costs_two_packets_each_way_per_interval()
    {
        InMemoryNetwork network = Network(new LinkConditions { Latency = TimeSpan.FromMilliseconds(10) });
        (ITransportConnection dialed, _) = await ConnectAsync(network, idle: TimeSpan.FromSeconds(30), keepAlive: TimeSpan.FromSeconds(10));
        _trace.Clear();

        _clock.Advance(TimeSpan.FromHours(1));

        dialed.Closed.IsCompleted.ShouldBeFalse();
        _trace.Count(packet => packet is { Kind: "Ping", Fate: PacketFate.Sent }).ShouldBeInRange(360, 720);
    }

    [Fact]
    public async Task Handshake_takes_its_round_trips()
    {
        InMemoryNetwork network = Network(new LinkConditions { Latency = TimeSpan.FromMilliseconds(50) });

        await ConnectAsync(network, retry: RetryMode.Always);
        TimeSpan withRetry = _clock.Elapsed;
        await ConnectAsync(network, retry: RetryMode.Never);
        TimeSpan without = _clock.Elapsed - withRetry;

        // The listener has the dialer's certificate half a round trip after the dialer is connected.
        withRetry.ShouldBe(TimeSpan.FromMilliseconds(250));
        without.ShouldBe(TimeSpan.FromMilliseconds(150));
    }

    [Fact]
    public async Task Partition_that_heals_in_time_delays_and_one_that_stays_ends_the_connection()
    {
        InMemoryNetwork network = Network(new LinkConditions { Latency = TimeSpan.FromMilliseconds(10) });
        (ITransportConnection dialed, ITransportConnection accepted) = await ConnectAsync(network, idle: TimeSpan.FromSeconds(30), keepAlive: TimeSpan.FromSeconds(10));
        ITransportStream stream = await RunAsync(dialed.OpenStreamAsync(StreamDirection.Unidirectional, CancellationToken.None).AsTask());

        network.Partition(dialed.LocalEndPoint, dialed.RemoteEndPoint);
        await RunAsync(stream.WriteAsync(new byte[] { 1 }, endStream: true, CancellationToken.None).AsTask());
        _clock.Advance(TimeSpan.FromSeconds(20));
        stream.WritesAcknowledged.IsCompleted.ShouldBeFalse();
        network.Heal(dialed.LocalEndPoint, dialed.RemoteEndPoint);
        await RunAsync(stream.WritesAcknowledged);
        dialed.Closed.IsCompleted.ShouldBeFalse();

        network.Isolate(new IPEndPoint(accepted.LocalEndPoint.Address, 0));
        _clock.Advance(TimeSpan.FromSeconds(41));
        dialed.Closed.IsCompleted.ShouldBeTrue();
        (await RunAsync(dialed.Closed)).Error.ShouldBe(MeshError.IdleTimeout);
        (await RunAsync(accepted.Closed)).Error.ShouldBe(MeshError.IdleTimeout);
    }

    [Fact]
    public async Task Dial_over_a_partition_is_unreachable_after_the_handshake_time()
    {
        InMemoryNetwork network = Network(LinkConditions.Perfect);
        ITransportEndpoint server = await BindAsync(network, "10.0.0.1");
        ITransportEndpoint client = await BindAsync(network, "10.0.0.2");
        network.Partition(new IPEndPoint(IPAddress.Parse("10.0.0.1"), 0), new IPEndPoint(IPAddress.Parse("10.0.0.2"), 0));

        Task<ITransportConnection> dial = client.ConnectAsync(server.LocalEndPoint, CancellationToken.None);

        (await Should.ThrowAsync<MeshException>(() => RunAsync(dial))).Error.ShouldBe(MeshError.Unreachable);
        _clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(10));
        network.HealAll();
        Task<ITransportConnection> accept = server.AcceptAsync(CancellationToken.None);
        await RunAsync(client.ConnectAsync(server.LocalEndPoint, CancellationToken.None));
        await RunAsync(accept);
    }

    [Fact]
    public async Task Loss_delays_and_loses_nothing()
    {
        InMemoryNetwork network = Network(new LinkConditions { Latency = TimeSpan.FromMilliseconds(20), Loss = 0.3, Reordering = 0.2 });
        (ITransportConnection dialed, ITransportConnection accepted) = await ConnectAsync(network);
        var data = new byte[400_000];
        new Random(3).NextBytes(data);

        Task<byte[]> read = ReadOneAsync(accepted);
        ITransportStream stream = await RunAsync(dialed.OpenStreamAsync(StreamDirection.Unidirectional, CancellationToken.None).AsTask());
        for (int at = 0; at < data.Length; at += 4000)
            await RunAsync(stream.WriteAsync(data.AsMemory(at, 4000), endStream: at + 4000 == data.Length, CancellationToken.None).AsTask());

        (await RunAsync(read)).AsSpan().SequenceEqual(data).ShouldBeTrue();
        _trace.Count(packet => packet is { Kind: "Data", Fate: PacketFate.Lost }).ShouldBeInRange(10, 90);
    }

    [Fact]
    public async Task Link_of_an_address_holds_until_one_of_a_port_is_set()
    {
        InMemoryNetwork network = Network(LinkConditions.Perfect);
        ITransportEndpoint server = await BindAsync(network, "10.0.0.1");
        ITransportEndpoint client = await BindAsync(network, "10.0.0.2");
        network.SetLink(new IPEndPoint(IPAddress.Parse("10.0.0.1"), 0), new IPEndPoint(IPAddress.Parse("10.0.0.2"), 0),
            new LinkConditions { Latency = TimeSpan.FromSeconds(1) });

        (await DialAsync(server, client)).ShouldBe(TimeSpan.FromSeconds(4), "two round trips of two seconds");
        network.SetLink(server.LocalEndPoint, client.LocalEndPoint, new LinkConditions { Latency = TimeSpan.FromMilliseconds(1) });
        (await DialAsync(server, client)).ShouldBe(TimeSpan.FromMilliseconds(4));

        async Task<TimeSpan> DialAsync(ITransportEndpoint to, ITransportEndpoint from)
        {
            TimeSpan start = _clock.Elapsed;
            await RunAsync(from.ConnectAsync(to.LocalEndPoint, CancellationToken.None));
            return _clock.Elapsed - start;
        }
    }

    [Fact]
    public async Task Thousand_endpoints_in_a_ring_pass_a_message_round()
    {
        const int Count = 1000;
        InMemoryNetwork network = Network(new LinkConditions { Latency = TimeSpan.FromMilliseconds(5), Jitter = TimeSpan.FromMilliseconds(5) });
        ITransportEndpoint[] endpoints = await Task.WhenAll(Enumerable.Range(0, Count).Select(i => BindAsync(network, $"10.1.{i / 250}.{(i % 250) + 1}")));
        Task<ITransportConnection>[] accepts = [.. endpoints.Select(endpoint => endpoint.AcceptAsync(CancellationToken.None))];
        Task<ITransportConnection>[] dials =
            [.. endpoints.Select((endpoint, i) => endpoint.ConnectAsync(endpoints[(i + 1) % Count].LocalEndPoint, CancellationToken.None))];
        ITransportConnection[] dialed = await RunAsync(Task.WhenAll(dials));
        ITransportConnection[] accepted = await RunAsync(Task.WhenAll(accepts));
        Task[] relays = [.. Enumerable.Range(1, Count - 1).Select(i => RelayAsync(accepted[i], dialed[i]))];
        Task<byte[]> last = ReadOneAsync(accepted[0]);

        ITransportStream first = await RunAsync(dialed[0].OpenStreamAsync(StreamDirection.Unidirectional, CancellationToken.None).AsTask());
        await RunAsync(first.WriteAsync(new byte[] { 0 }, endStream: true, CancellationToken.None).AsTask());

        (await RunAsync(last)).ShouldBe([unchecked((byte)(Count - 1))]);
        await RunAsync(Task.WhenAll(relays));
        _clock.Elapsed.ShouldBeGreaterThan(TimeSpan.FromSeconds(5), "a thousand hops of at least 5 ms");

        static async Task RelayAsync(ITransportConnection from, ITransportConnection to)
        {
            byte[] message = await ReadOneAsync(from).ConfigureAwait(false);
            message[0]++;
            ITransportStream stream = await to.OpenStreamAsync(StreamDirection.Unidirectional, CancellationToken.None).ConfigureAwait(false);
            await stream.WriteAsync(message, endStream: true, CancellationToken.None).ConfigureAwait(false);
        }
    }

    [Fact]
    public async Task Endpoint_on_all_addresses_takes_what_no_other_takes()
    {
        InMemoryNetwork network = Network(LinkConditions.Perfect);
        ITransportEndpoint all = await BindAsync(network, "0.0.0.0", port: 5000);
        ITransportEndpoint one = await BindAsync(network, "10.0.0.1", port: 5000);
        ITransportEndpoint client = await BindAsync(network, "0.0.0.0");
        Task<ITransportConnection> acceptAll = all.AcceptAsync(CancellationToken.None);
        Task<ITransportConnection> acceptOne = one.AcceptAsync(CancellationToken.None);

        (await RunAsync(client.ConnectAsync(new IPEndPoint(IPAddress.Loopback, 5000), CancellationToken.None))).LocalEndPoint.Address.ShouldBe(IPAddress.Loopback);
        (await RunAsync(acceptAll)).LocalEndPoint.ShouldBe(new IPEndPoint(IPAddress.Loopback, 5000));
        acceptOne.IsCompleted.ShouldBeFalse();
        await RunAsync(client.ConnectAsync(one.LocalEndPoint, CancellationToken.None));
        (await RunAsync(acceptOne)).LocalEndPoint.ShouldBe(one.LocalEndPoint);
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void Share_outside_0_to_1_is_refused(double loss)
    {
        var network = new InMemoryNetwork();
        var any = new IPEndPoint(IPAddress.Loopback, 0);

        Should.Throw<ArgumentOutOfRangeException>(() => network.SetLink(any, any, new LinkConditions { Loss = loss }));
        Should.Throw<ArgumentOutOfRangeException>(() => network.SetLink(any, any, new LinkConditions { Reordering = loss }));
    }

    private static async Task<byte[]> ReadOneAsync(ITransportConnection connection)
    {
        ITransportStream stream = await connection.AcceptStreamAsync(CancellationToken.None).ConfigureAwait(false);
        using var all = new MemoryStream();
        var buffer = new byte[1000];
        int count;
        while ((count = await stream.ReadAsync(buffer, CancellationToken.None).ConfigureAwait(false)) > 0)
            all.Write(buffer, 0, count);
        return all.ToArray();
    }

    private async Task<PacketTrace[]> PlayAsync(int seed)
    {
        var clock = new VirtualTimeProvider();
        var trace = new List<PacketTrace>();
        var network = new InMemoryNetwork(new InMemoryNetworkOptions
        {
            Seed = seed,
            TimeProvider = clock,
            Observer = trace.Add,
            DefaultLink = new LinkConditions
            {
                Latency = TimeSpan.FromMilliseconds(10),
                Jitter = TimeSpan.FromMilliseconds(10),
                Loss = 0.1,
                Reordering = 0.1,
            },
        });
        ITransportEndpoint server = await BindAsync(network, "10.0.0.1");
        var tasks = new List<Task>();
        for (int i = 0; i < 5; i++)
        {
            ITransportEndpoint client = await BindAsync(network, $"10.0.0.{i + 2}");
            tasks.Add(SendAsync(client, server.LocalEndPoint));
            tasks.Add(ReceiveAsync(server));
        }
        clock.RunUntil(Task.WhenAll(tasks), Minute).ShouldBeTrue();
        return [.. trace];

        static async Task SendAsync(ITransportEndpoint client, IPEndPoint server)
        {
            ITransportConnection connection = await client.ConnectAsync(server, CancellationToken.None).ConfigureAwait(false);
            ITransportStream stream = await connection.OpenStreamAsync(StreamDirection.Unidirectional, CancellationToken.None).ConfigureAwait(false);
            for (int i = 0; i < 20; i++)
                await stream.WriteAsync(new byte[1000], endStream: i == 19, CancellationToken.None).ConfigureAwait(false);
            await stream.WritesAcknowledged.ConfigureAwait(false);
        }

        static async Task ReceiveAsync(ITransportEndpoint server)
        {
            ITransportConnection connection = await server.AcceptAsync(CancellationToken.None).ConfigureAwait(false);
            (await ReadOneAsync(connection).ConfigureAwait(false)).Length.ShouldBe(20_000);
        }
    }

    private InMemoryNetwork Network(LinkConditions link) =>
        new(new InMemoryNetworkOptions { Seed = 5, TimeProvider = _clock, DefaultLink = link, Observer = _trace.Add });

    private static Task<ITransportEndpoint> BindAsync(
        InMemoryNetwork network, string address, int port = 0, TimeSpan? idle = null, TimeSpan? keepAlive = null, RetryMode retry = RetryMode.Always) =>
        new InMemoryTransport(network).BindAsync(new TransportEndpointOptions
        {
            LocalEndPoint = new IPEndPoint(IPAddress.Parse(address), port),
            Certificate = Certificate,
            VerifyPeer = static _ => true,
            IdleTimeout = idle ?? TimeSpan.FromSeconds(30),
            KeepAliveInterval = keepAlive ?? TimeSpan.FromSeconds(10),
            Retry = retry,
        }, CancellationToken.None);

    private async Task<(ITransportConnection Dialed, ITransportConnection Accepted)> ConnectAsync(
        InMemoryNetwork network, TimeSpan? idle = null, TimeSpan? keepAlive = null, RetryMode retry = RetryMode.Always)
    {
        ITransportEndpoint server = await BindAsync(network, "10.0.0.1", 0, idle, keepAlive, retry);
        ITransportEndpoint client = await BindAsync(network, "10.0.0.2", 0, idle, keepAlive, retry);
        Task<ITransportConnection> accept = server.AcceptAsync(CancellationToken.None);
        ITransportConnection dialed = await RunAsync(client.ConnectAsync(server.LocalEndPoint, CancellationToken.None));
        return (dialed, await RunAsync(accept));
    }

    private async Task<T> RunAsync<T>(Task<T> task)
    {
        await RunAsync((Task)task);
        return await task;
    }

    private Task RunAsync(Task task)
    {
        _clock.RunUntil(task, Minute).ShouldBeTrue("nothing more happens within a minute");
        return task;
    }
}
