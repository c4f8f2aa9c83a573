using System.Net;
using EventMesh.Transport;
using Shouldly;
using Xunit;

namespace EventMesh.Conformance;

/// <summary>Closing, disposing, time-outs, and figures.</summary>
public abstract class TransportLifetimeConformanceTests : TransportConformanceTests
{
    [Theory]
    [InlineData(true, 0UL)]
    [InlineData(false, 42UL)]
    [InlineData(true, (1UL << 62) - 1)]
    public async Task Both_sides_learn_the_code_of_a_close(bool dialerCloses, ulong code)
    {
        ConnectionPair pair = await ConnectAsync();
        (ITransportConnection closing, ITransportConnection other) = dialerCloses ? (pair.Client, pair.Server) : (pair.Server, pair.Client);

        await Within(closing.CloseAsync(code));

        TransportCloseInfo own = await Within(closing.Closed);
        own.Error.ShouldBe(MeshError.Aborted);
        own.ApplicationCode.ShouldBe(code);
        TransportCloseInfo theirs = await Within(other.Closed);
        theirs.Error.ShouldBe(MeshError.ClosedByPeer);
        theirs.ApplicationCode.ShouldBe(code);
    }

    [Fact]
    public async Task First_code_wins()
    {
        ConnectionPair pair = await ConnectAsync();

        await Within(Task.WhenAll(pair.Client.CloseAsync(3), pair.Client.CloseAsync(4)));
        await Within(pair.Client.CloseAsync(5));
        await Within(pair.Client.DisposeAsync());

        (await Within(pair.Client.Closed)).ApplicationCode.ShouldBe(3UL);
        (await Within(pair.Server.Closed)).ApplicationCode.ShouldBe(3UL);
        await Within(pair.Server.CloseAsync(6));
        (await Within(pair.Server.Closed)).ApplicationCode.ShouldBe(3UL);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Close_ends_everything_that_is_pending(bool byPeer)
    {
        ConnectionPair pair = await ConnectAsync(
            o => o with { MaxInboundStreams = 2, StreamWindow = 64 * 1024 }, o => o with { SendBuffer = 64 * 1024 });
        StreamPair reading = await OpenAsync(pair.Client, pair.Server, StreamDirection.Bidirectional);
        StreamPair writing = await OpenAsync(pair.Client, pair.Server, StreamDirection.Bidirectional);
        Task[] pending =
        [
            reading.Local.ReadAsync(new byte[1], CancellationToken.None).AsTask(),
            writing.Local.WriteAsync(Payload(32 * 1024 * 1024), endStream: true, CancellationToken.None).AsTask(),
            reading.Local.WritesAcknowledged,
            writing.Local.WritesAcknowledged,
            pair.Client.OpenStreamAsync(StreamDirection.Bidirectional, CancellationToken.None).AsTask(),
            pair.Client.AcceptStreamAsync(CancellationToken.None).AsTask(),
        ];
        pending.ShouldAllBe(task => !task.IsCompleted);

        await Within((byPeer ? pair.Server : pair.Client).CloseAsync(12));

        foreach (Task task in pending)
        {
            MeshException exception = await Fails(byPeer ? MeshError.ClosedByPeer : MeshError.Aborted, task);
            exception.RemoteCode.ShouldBe(byPeer ? 12UL : null);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Nothing_works_after_a_close(bool byPeer)
    {
        MeshError error = byPeer ? MeshError.ClosedByPeer : MeshError.Aborted;
        ConnectionPair pair = await ConnectAsync();
        StreamPair stream = await OpenAsync(pair.Client, pair.Server, StreamDirection.Bidirectional);

        await Within((byPeer ? pair.Server : pair.Client).CloseAsync(13));
        await Within(pair.Client.Closed);

        await Fails(error, pair.Client.OpenStreamAsync(StreamDirection.Unidirectional, CancellationToken.None));
        await Fails(error, pair.Client.AcceptStreamAsync(CancellationToken.None));
        await Fails(error, stream.Local.ReadAsync(new byte[1], CancellationToken.None));
        await Fails(error, stream.Local.WriteAsync(new byte[1], endStream: false, CancellationToken.None));
        await Fails(error, stream.Local.WritesAcknowledged);
        stream.Local.Reset(1);
        stream.Local.StopSending(1);
        await Within(stream.Local.DisposeAsync());
        pair.Client.GetStatistics().BytesSent.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Disposing_a_connection_aborts_it_with_code_zero()
    {
        ConnectionPair pair = await ConnectAsync();
        Task<ITransportStream> accept = pair.Client.AcceptStreamAsync(CancellationToken.None).AsTask();

        await Within(pair.Client.DisposeAsync());
        await Within(pair.Client.DisposeAsync());

        await Fails(MeshError.Aborted, accept);
        (await Within(pair.Client.Closed)).Error.ShouldBe(MeshError.Aborted);
        TransportCloseInfo theirs = await Within(pair.Server.Closed);
        theirs.Error.ShouldBe(MeshError.ClosedByPeer);
        theirs.ApplicationCode.ShouldBe(0UL);
        await Within(pair.Server.DisposeAsync());
    }

    [Fact]
    public async Task Closing_one_connection_leaves_the_others()
    {
        ITransportEndpoint server = await ServerAsync();
        ITransportEndpoint client = await ClientAsync();
        ConnectionPair closed = await ConnectAsync(server, client);
        ConnectionPair other = await ConnectAsync(server, client);

        await Within(closed.Client.CloseAsync(1));
        await Within(closed.Server.Closed);

        await RoundTripAsync(other.Client, other.Server);
        await RoundTripAsync(other.Server, other.Client);
    }

    [Fact]
    public async Task Closing_under_load_ends_every_operation()
    {
        ITransportEndpoint server = await ServerAsync();
        ITransportEndpoint client = await ClientAsync();
        for (int round = 0; round < 10; round++)
        {
            ConnectionPair pair = await ConnectAsync(server, client);
            Task serve = UntilMeshExceptionAsync(() => ServeAsync(pair.Server));
            Task[] loads = [.. Enumerable.Range(0, 8).Select(_ => UntilMeshExceptionAsync(() => AskAsync(pair.Client)))];
            await RoundTripBesideLoadAsync(pair);

            await Within((round % 2 == 0 ? pair.Client : pair.Server).CloseAsync(1));

            await Within(Task.WhenAll(loads));
            await Within(serve);
        }

        static async Task UntilMeshExceptionAsync(Func<Task> operation)
        {
            try
            {
                while (true)
                    await operation().ConfigureAwait(false);
            }
            catch (MeshException)
            {
            }
        }

        static async Task AskAsync(ITransportConnection connection)
        {
            ITransportStream stream = await connection.OpenStreamAsync(StreamDirection.Bidirectional, CancellationToken.None).ConfigureAwait(false);
            await stream.WriteAsync(new byte[2000], endStream: true, CancellationToken.None).ConfigureAwait(false);
            await ReadToEndAsync(stream).ConfigureAwait(false);
            await stream.DisposeAsync().ConfigureAwait(false);
        }

        static async Task ServeAsync(ITransportConnection connection)
        {
            ITransportStream stream = await connection.AcceptStreamAsync(CancellationToken.None).ConfigureAwait(false);
            byte[] question = await ReadToEndAsync(stream).ConfigureAwait(false);
            await stream.WriteAsync(question, endStream: true, CancellationToken.None).ConfigureAwait(false);
        }
    }

    [Fact]
    public async Task Silent_connection_times_out_on_both_sides()
    {
        ConnectionPair pair = await ConnectAsync(o => o with { IdleTimeout = TimeSpan.FromSeconds(20) }, o => o with { IdleTimeout = TimeSpan.FromSeconds(1) });
        Task<ITransportStream> accept = pair.Client.AcceptStreamAsync(CancellationToken.None).AsTask();

        TransportCloseInfo client = await Within(pair.Client.Closed);
        TransportCloseInfo server = await Within(pair.Server.Closed);

        client.Error.ShouldBe(MeshError.IdleTimeout);
        client.ApplicationCode.ShouldBeNull();
        server.Error.ShouldBe(MeshError.IdleTimeout);
        await Fails(MeshError.IdleTimeout, accept);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Keep_alive_of_one_side_keeps_a_silent_connection(bool dialerPings)
    {
        // Far apart, so that a machine that stands still for a second or two does not end the kept connection.
        TimeSpan idle = TimeSpan.FromSeconds(5);
        TimeSpan ping = TimeSpan.FromMilliseconds(250);
        ConnectionPair kept = await ConnectAsync(
            o => o with { IdleTimeout = idle, KeepAliveInterval = dialerPings ? TimeSpan.Zero : ping },
            o => o with { IdleTimeout = idle, KeepAliveInterval = dialerPings ? ping : TimeSpan.Zero });
        // The time-out of another connection tells when enough time has passed.
        ConnectionPair clock = await ConnectAsync(o => o with { IdleTimeout = idle + idle });

        await Within(clock.Client.Closed);

        kept.Client.Closed.IsCompleted.ShouldBeFalse();
        kept.Server.Closed.IsCompleted.ShouldBeFalse();
        await RoundTripAsync(kept.Client, kept.Server);
    }

    [Fact]
    public async Task Disposing_an_endpoint_closes_its_connections_and_frees_its_port()
    {
        ITransportEndpoint server = await ServerAsync();
        IPEndPoint address = server.LocalEndPoint;
        ITransportEndpoint client = await ClientAsync();
        ConnectionPair first = await ConnectAsync(server, client);
        ConnectionPair second = await ConnectAsync(server, client);
        Task<ITransportConnection> accept = server.AcceptAsync(CancellationToken.None);

        await Within(server.DisposeAsync());

        ITransportEndpoint again = await ServerAsync(o => o with { LocalEndPoint = address });
        await Should.ThrowAsync<ObjectDisposedException>(() => Within(accept));
        await Should.ThrowAsync<ObjectDisposedException>(() => Within(server.AcceptAsync(CancellationToken.None)));
        await Should.ThrowAsync<ObjectDisposedException>(() => Within(server.ConnectAsync(address, CancellationToken.None)));
        foreach (ConnectionPair pair in new[] { first, second })
        {
            (await Within(pair.Server.Closed)).Error.ShouldBe(MeshError.Aborted);
            TransportCloseInfo theirs = await Within(pair.Client.Closed);
            theirs.Error.ShouldBe(MeshError.ClosedByPeer);
            theirs.ApplicationCode.ShouldBe(0UL);
        }
        await Within(server.DisposeAsync());
        ConnectionPair pairAgain = await ConnectAsync(again, client);
        await RoundTripAsync(pairAgain.Client, pairAgain.Server);
    }

    [Fact]
    public async Task Disposing_a_dialling_endpoint_ends_its_dials_and_connections()
    {
        ITransportEndpoint silent = await ServerAsync(o => o with { Listen = false });
        ITransportEndpoint client = await ClientAsync();
        ConnectionPair pair = await ConnectAsync(await ServerAsync(), client);
        Task<ITransportConnection> dial = client.ConnectAsync(silent.LocalEndPoint, CancellationToken.None);

        await Within(client.DisposeAsync());

        await Should.ThrowAsync<Exception>(() => Within(dial));
        dial.Exception?.InnerException.ShouldNotBeOfType<TimeoutException>();
        (await Within(pair.Server.Closed)).Error.ShouldBe(MeshError.ClosedByPeer);
    }

    [Fact]
    public async Task Statistics_count_what_was_sent()
    {
        ConnectionPair pair = await ConnectAsync();
        StreamPair stream = await OpenAsync(pair.Client, pair.Server, StreamDirection.Unidirectional);
        TransportStatistics before = pair.Client.GetStatistics();
        byte[] sent = Payload(1_000_000);

        Task write = stream.Local.WriteAsync(sent, endStream: true, CancellationToken.None).AsTask();
        await Within(ReadToEndAsync(stream.Remote));
        await Within(write);
        await Within(stream.Local.WritesAcknowledged);

        TransportStatistics client = pair.Client.GetStatistics();
        TransportStatistics server = pair.Server.GetStatistics();
        if (Can(TransportCapabilities.PathStatistics))
        {
            (client.BytesSent - before.BytesSent).ShouldBeInRange(sent.Length, sent.Length * 2);
            server.BytesReceived.ShouldBeInRange(sent.Length, client.BytesSent);
            client.BytesReceived.ShouldBeInRange(1, sent.Length);
            client.SmoothedRoundTrip.ShouldBeInRange(TimeSpan.FromTicks(1), TimeSpan.FromSeconds(5));
        }
        else
        {
            client.BytesSent.ShouldBeGreaterThanOrEqualTo(before.BytesSent);
            client.SmoothedRoundTrip.ShouldBeGreaterThanOrEqualTo(TimeSpan.Zero);
        }
        client.CongestionWindow.ShouldBeGreaterThanOrEqualTo(0);
    }

    private async Task RoundTripBesideLoadAsync(ConnectionPair pair)
    {
        ITransportStream stream = await Within(pair.Client.OpenStreamAsync(StreamDirection.Bidirectional, CancellationToken.None));
        await Within(stream.WriteAsync(new byte[] { 1 }, endStream: true, CancellationToken.None));
        (await Within(ReadToEndAsync(stream))).ShouldBe([1]);
    }
}
