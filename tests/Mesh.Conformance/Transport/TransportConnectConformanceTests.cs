using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Identity;
using EventMesh.Tests.Common.Trust;
using EventMesh.Transport;
using Shouldly;
using Xunit;

namespace EventMesh.Conformance;

/// <summary>Binding, dialling, accepting, and mutual authentication.</summary>
public abstract partial class TransportConnectConformanceTests : TransportConformanceTests
{
    [Fact]
    public async Task Each_side_knows_the_other_by_its_key_and_certificate()
    {
        ConnectionPair pair = await ConnectAsync();

        pair.Client.PeerId.ShouldBe(PeerId.FromCertificate(ServerCertificate));
        pair.Client.PeerCertificate.ToArray().ShouldBe(ServerCertificate.RawData);
        pair.Client.IsDialer.ShouldBeTrue();
        pair.Server.PeerId.ShouldBe(PeerId.FromCertificate(ClientCertificate));
        pair.Server.PeerCertificate.ToArray().ShouldBe(ClientCertificate.RawData);
        pair.Server.IsDialer.ShouldBeFalse();
        pair.Server.RemoteEndPoint.ShouldBe(pair.Client.LocalEndPoint);
        pair.Client.RemoteEndPoint.ShouldBe(pair.Server.LocalEndPoint);
        pair.Client.Closed.IsCompleted.ShouldBeFalse();
        pair.Server.Closed.IsCompleted.ShouldBeFalse();
        await RoundTripAsync(pair.Client, pair.Server);
        await RoundTripAsync(pair.Server, pair.Client);
    }

    [Fact]
    public async Task Authorities_are_sent_along_in_both_directions()
    {
        using TestAuthority root = TestAuthority.Root();
        using TestAuthority intermediate = root.Intermediate();
        using X509Certificate2 own = intermediate.Issue();
        TransportEndpointOptions Chained(TransportEndpointOptions options) => options with { Certificate = own, Intermediates = [intermediate.Certificate] };

        ConnectionPair pair = await ConnectAsync(Chained, Chained);

        foreach (ITransportConnection side in new[] { pair.Client, pair.Server })
        {
            side.PeerCertificate.ToArray().ShouldBe(own.RawData);
            side.PeerCertificateChain.Select(certificate => Convert.ToHexString(certificate.Span))
                .ShouldBe([Convert.ToHexString(own.RawData), Convert.ToHexString(intermediate.Certificate.RawData)]);
        }
    }

    [Fact]
    public async Task Verification_gets_the_key_the_chain_and_the_role()
    {
        var seen = new ConcurrentDictionary<bool, PeerCertificate>();
        bool Verify(PeerCertificate peer) => seen.TryAdd(peer.IsDialer, peer);

        ConnectionPair pair = await ConnectAsync(o => o with { VerifyPeer = Verify }, o => o with { VerifyPeer = Verify });

        seen[true].PeerId.ShouldBe(PeerId.FromCertificate(ServerCertificate));
        seen[true].Chain[0].ToArray().ShouldBe(ServerCertificate.RawData);
        seen[true].Remote.ShouldBe(pair.Client.RemoteEndPoint);
        seen[false].PeerId.ShouldBe(PeerId.FromCertificate(ClientCertificate));
        seen[false].Chain[0].ToArray().ShouldBe(ClientCertificate.RawData);
        seen[false].Remote.ShouldBe(pair.Server.RemoteEndPoint);
    }

    [Theory]
    [InlineData(RetryMode.Always)]
    [InlineData(RetryMode.Auto)]
    [InlineData(RetryMode.Never)]
    public async Task Connects_in_each_retry_mode(RetryMode retry)
    {
        ConnectionPair pair = await ConnectAsync(o => o with { Retry = retry });

        await RoundTripAsync(pair.Client, pair.Server);
    }

    [Fact]
    public async Task Dial_to_nobody_is_unreachable()
    {
        ITransportEndpoint gone = await ServerAsync();
        IPEndPoint address = gone.LocalEndPoint;
        await Within(gone.DisposeAsync());
        ITransportEndpoint client = await ClientAsync(o => o with { HandshakeTimeout = TimeSpan.FromSeconds(1) });

        MeshException exception = await Fails(MeshError.Unreachable, client.ConnectAsync(address, CancellationToken.None));

        exception.IsTransient.ShouldBeTrue();
    }

    [Fact]
    public async Task Endpoint_that_does_not_listen_is_unreachable_and_accepts_nothing()
    {
        ITransportEndpoint silent = await ServerAsync(o => o with { Listen = false });
        ITransportEndpoint client = await ClientAsync(o => o with { HandshakeTimeout = TimeSpan.FromSeconds(1) });

        await Should.ThrowAsync<InvalidOperationException>(async () => await silent.AcceptAsync(CancellationToken.None));
        await Fails(MeshError.Unreachable, client.ConnectAsync(silent.LocalEndPoint, CancellationToken.None));
    }

    [Fact]
    public async Task Endpoint_that_does_not_listen_dials()
    {
        ITransportEndpoint client = await ClientAsync(o => o with { Listen = false });
        ITransportEndpoint server = await ServerAsync();

        ConnectionPair first = await ConnectAsync(server, client);
        ConnectionPair second = await ConnectAsync(server, client);

        await RoundTripAsync(first.Client, first.Server);
        await RoundTripAsync(second.Server, second.Client);
    }

    [Fact]
    public async Task Cancelling_a_dial_ends_that_dial_only()
    {
        ITransportEndpoint silent = await ServerAsync(o => o with { Listen = false });
        ITransportEndpoint client = await ClientAsync();
        using var cancel = new CancellationTokenSource();
        Task<ITransportConnection> dial = client.ConnectAsync(silent.LocalEndPoint, cancel.Token);

        await cancel.CancelAsync();

        await IsCancelled(dial);
        ConnectionPair pair = await ConnectAsync(await ServerAsync(), client);
        await RoundTripAsync(pair.Client, pair.Server);
    }

    [Fact]
    public async Task Cancelled_token_starts_nothing()
    {
        ITransportEndpoint server = await ServerAsync();
        ITransportEndpoint client = await ClientAsync();
        var cancelled = new CancellationToken(canceled: true);

        await IsCancelled(client.ConnectAsync(server.LocalEndPoint, cancelled));
        await IsCancelled(server.AcceptAsync(cancelled));

        await ConnectAsync(server, client);
    }

    [Fact]
    public async Task Cancelling_an_accept_loses_no_connection()
    {
        ITransportEndpoint server = await ServerAsync();
        using var cancel = new CancellationTokenSource();
        Task<ITransportConnection> accept = server.AcceptAsync(cancel.Token);

        await cancel.CancelAsync();

        await IsCancelled(accept);
        ConnectionPair pair = await ConnectAsync(server, await ClientAsync());
        await RoundTripAsync(pair.Client, pair.Server);
    }

    [Fact]
    public async Task Connection_waits_until_it_is_accepted()
    {
        ITransportEndpoint server = await ServerAsync();
        ITransportEndpoint client = await ClientAsync();
        ITransportConnection dialed = Own(await Within(client.ConnectAsync(server.LocalEndPoint, CancellationToken.None)));

        ITransportConnection accepted = Own(await Within(server.AcceptAsync(CancellationToken.None)));

        await RoundTripAsync(dialed, accepted);
    }

    [Fact]
    public async Task Dials_leave_from_the_listening_port_where_the_provider_says_so()
    {
        ITransportEndpoint first = await ServerAsync();
        ITransportEndpoint second = await ClientAsync(o => o with { Listen = true });

        ConnectionPair there = await ConnectAsync(first, second);
        ConnectionPair back = await ConnectAsync(second, first);

        bool isSamePort = there.Server.RemoteEndPoint.Port == second.LocalEndPoint.Port;
        isSamePort.ShouldBe(Can(TransportCapabilities.DialFromListeningPort));
        await RoundTripAsync(there.Client, there.Server);
        await RoundTripAsync(back.Client, back.Server);
    }

    [Fact]
    public async Task Dialling_oneself_connects_or_fails_and_harms_nothing()
    {
        ITransportEndpoint server = await ServerAsync(o => o with { HandshakeTimeout = TimeSpan.FromSeconds(2) });
        Task<ITransportConnection> dial = server.ConnectAsync(server.LocalEndPoint, CancellationToken.None);

        try
        {
            ITransportConnection dialed = Own(await Within(dial));
            ITransportConnection accepted = Own(await Within(server.AcceptAsync(CancellationToken.None)));
            accepted.PeerId.ShouldBe(PeerId.FromCertificate(ServerCertificate));
            await RoundTripAsync(dialed, accepted);
        }
        catch (MeshException)
        {
            dial.IsFaulted.ShouldBeTrue();
        }

        await ConnectAsync(server, await ClientAsync());
    }

    [Fact]
    public async Task Address_in_use_is_reported()
    {
        ITransportEndpoint server = await ServerAsync();

        await Fails(MeshError.AddressInUse, Transport.BindAsync(Options(ClientCertificate) with { LocalEndPoint = server.LocalEndPoint }, CancellationToken.None));

        await ConnectAsync(server, await ClientAsync());
    }

    [Fact]
    public async Task Foreign_address_is_not_available() =>
        await Fails(MeshError.AddressNotAvailable,
            Transport.BindAsync(Options(ClientCertificate) with { LocalEndPoint = new IPEndPoint(UnavailableAddress, 0) }, CancellationToken.None));

    [Fact]
    public async Task Mapped_address_is_the_IPv4_address()
    {
        ITransportEndpoint server = await ServerAsync();
        ITransportEndpoint client = await ClientAsync();
        Task<ITransportConnection> accept = server.AcceptAsync(CancellationToken.None);

        var mapped = new IPEndPoint(server.LocalEndPoint.Address.MapToIPv6(), server.LocalEndPoint.Port);
        ITransportConnection dialed = Own(await Within(client.ConnectAsync(mapped, CancellationToken.None)));
        ITransportConnection accepted = Own(await Within(accept));

        dialed.RemoteEndPoint.ShouldBe(server.LocalEndPoint);
        await RoundTripAsync(dialed, accepted);
    }

    [Fact]
    public async Task Connects_over_IPv6()
    {
        if (!Socket.OSSupportsIPv6)
            Assert.Skip("This machine has no IPv6.");
        var local = new IPEndPoint(IPAddress.IPv6Loopback, 0);

        ConnectionPair pair = await ConnectAsync(o => o with { LocalEndPoint = local }, o => o with { LocalEndPoint = local });

        pair.Server.RemoteEndPoint.AddressFamily.ShouldBe(AddressFamily.InterNetworkV6);
        await RoundTripAsync(pair.Client, pair.Server);
    }

    [Fact]
    public async Task Many_connections_at_once()
    {
        const int Count = 40;
        ITransportEndpoint server = await ServerAsync();
        ITransportEndpoint client = await ClientAsync();

        Task<ITransportConnection>[] accepts = [.. Enumerable.Range(0, Count).Select(_ => server.AcceptAsync(CancellationToken.None))];
        Task<ITransportConnection>[] dials = [.. Enumerable.Range(0, Count).Select(_ => client.ConnectAsync(server.LocalEndPoint, CancellationToken.None))];
        ITransportConnection[] dialed = await Within(Task.WhenAll(dials));
        ITransportConnection[] accepted = await Within(Task.WhenAll(accepts));
        foreach (ITransportConnection connection in dialed.Concat(accepted))
            Own(connection);

        byte[][] answers = await Within(Task.WhenAll(dialed.Select((connection, i) => AskAsync(connection, (byte)i))
            .Zip(accepted.Select(EchoAsync), async (ask, echo) => { await echo; return await ask; })));

        answers.Select(answer => answer.ShouldHaveSingleItem()).ShouldBe(Enumerable.Range(0, Count).Select(i => (byte)i));

        static async Task<byte[]> AskAsync(ITransportConnection connection, byte question)
        {
            ITransportStream stream = await connection.OpenStreamAsync(StreamDirection.Bidirectional, CancellationToken.None).ConfigureAwait(false);
            await stream.WriteAsync(new[] { question }, endStream: true, CancellationToken.None).ConfigureAwait(false);
            return await ReadToEndAsync(stream).ConfigureAwait(false);
        }

        static async Task EchoAsync(ITransportConnection connection)
        {
            ITransportStream stream = await connection.AcceptStreamAsync(CancellationToken.None).ConfigureAwait(false);
            await stream.WriteAsync(await ReadToEndAsync(stream).ConfigureAwait(false), endStream: true, CancellationToken.None).ConfigureAwait(false);
        }
    }
}
