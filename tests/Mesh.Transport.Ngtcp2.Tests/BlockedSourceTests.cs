using System.Net;
using EventMesh.Tests.Common.Nodes;
using EventMesh.Transport.Ngtcp2.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Transport.Ngtcp2.Tests;

/// <summary>A blocked prefix on real sockets: the addresses of 127.0.0.0/8 are all this machine's.</summary>
public sealed class BlockedSourceTests : ProviderTests
{
    [Fact]
    public async Task Blocked_prefix_gets_neither_a_retry_nor_a_handshake_and_other_addresses_connect()
    {
        ITransportEndpoint server = Own(await Within(Transport.BindAsync(
            Options(ServerCertificate) with { AdmitSource = source => !source.Equals(IPAddress.Parse("127.0.0.2")) }, CancellationToken.None)));
        ITransportEndpoint blocked = Own(await Within(Transport.BindAsync(
            Options(ClientCertificate) with { LocalEndPoint = new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0), Listen = false }, CancellationToken.None)));
        ITransportEndpoint other = Own(await Within(Transport.BindAsync(
            Options(ClientCertificate) with { LocalEndPoint = new IPEndPoint(IPAddress.Parse("127.0.0.3"), 0), Listen = false }, CancellationToken.None)));
        Task<ITransportConnection> accept = server.AcceptAsync(CancellationToken.None);
        EventLoop loop = LoopOf(server);

        await Fails(MeshError.ClosedByPeer, blocked.ConnectAsync(server.LocalEndPoint, CancellationToken.None));

        (loop.Counters.Retries, loop.Admission.Handshakes).ShouldBe((0L, 0));
        loop.Counters.Refused.ShouldBeGreaterThan(0);
        Own(await Within(other.ConnectAsync(server.LocalEndPoint, CancellationToken.None)));
        ITransportConnection accepted = Own(await Within(accept));
        accepted.RemoteEndPoint.Address.ShouldBe(IPAddress.Parse("127.0.0.3"));
        loop.Counters.Retries.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Node_blocks_a_prefix_and_its_live_connections_end_and_its_dials_fail_until_it_is_unblocked()
    {
        await using TestNode a = await TestNode.StartAsync(new Ngtcp2TransportProvider(), o => o.Listen = "127.0.0.1:0");
        await using TestNode b = await TestNode.StartAsync(new Ngtcp2TransportProvider(), o => o.Listen = "127.0.0.2:0");
        await b.ConnectAsync(a);
        await a.WhenJoinedAsync(b);
        IPNetwork prefix = IPNetwork.Parse("127.0.0.2/32");

        await Within(a.Mesh.Trust.BlockPrefixAsync(prefix, "a bad neighbourhood"));

        await a.WhenLeftAsync(b.Id);
        await b.WhenLeftAsync(a.Id);
        await Fails(MeshError.ClosedByPeer, b.ConnectAsync(a));
        await Fails(MeshError.Blocked, a.ConnectAsync(b));
        await Within(a.Mesh.Trust.UnblockPrefixAsync(prefix, "a mistake"));
        await Within(b.ConnectAsync(a));
        await a.WhenJoinedAsync(b);
    }
}
