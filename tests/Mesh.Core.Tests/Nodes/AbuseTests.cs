using System.Buffers;
using System.Diagnostics;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Dispatch;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.Node;
using EventMesh.Tests.Common.Nodes;
using EventMesh.Transport;
using EventMesh.Transport.InMemory;
using EventMesh.Wire;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Nodes;

/// <summary>What a node does about peers that break the rules, seen from the wire.</summary>
public sealed class AbuseTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly InMemoryNetwork _network = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Protocol_violations_end_in_a_timed_block_of_the_source_before_the_handshake()
    {
        await using TestNode node = await StartAsync();
        // Five in a row, or a few more when the machine stands still meanwhile and points fade.
        for (int i = 0; i < 20 && node.Journal.State.Trust.BlockedPrefixes.IsEmpty; i++)
        {
            // A new key each time: where nobody vouches for keys they are free.
            await using ITransportEndpoint attacker = await AttackerAsync();
            (await AttackAsync(attacker, node, Garbage())).ShouldBeOneOf((ulong)WireCode.ProtocolViolation, (ulong)WireCode.Blocked);
        }
        await node.WhenAsync(n => n.Log.OfType<PrefixBlocked>().Any(), "blocked");

        PrefixBlocked block = node.Log.OfType<PrefixBlocked>().ShouldHaveSingleItem();
        (block.Prefix.ToString(), block.By).ShouldBe(("198.51.100.7/32", TrustAuthor.Limits));
        block.Until.ShouldNotBeNull();
        await using ITransportEndpoint again = await AttackerAsync();
        MeshException refusal = await Should.ThrowAsync<MeshException>(() => again.ConnectAsync(node.EndPoint, Token).WaitAsync(Limit, Token));
        refusal.Error.ShouldBe(MeshError.ClosedByPeer, "no handshake");
        await using ITransportEndpoint neighbour = await AttackerAsync("198.51.100.8:4000");
        await using ITransportConnection connection = await neighbour.ConnectAsync(node.EndPoint, Token).WaitAsync(Limit, Token);
    }

    [Fact]
    public async Task A_trusted_peer_behind_an_address_that_limits_have_blocked_comes_in_and_a_stranger_there_does_not()
    {
        await using TestNode node = await StartAsync();
        await using TestNode friend = await TestNode.StartAsync(new InMemoryTransportProvider(_network), o => o.Listen = "198.51.100.7:4433");
        for (int i = 0; i < 20 && node.Journal.State.Trust.BlockedPrefixes.IsEmpty; i++)
        {
            await using ITransportEndpoint attacker = await AttackerAsync();
            await AttackAsync(attacker, node, Garbage());
        }
        await Should.ThrowAsync<MeshException>(() => friend.ConnectAsync(node));

        await node.Mesh.Trust.TrustAsync(friend.Id, "ours", cancellationToken: Token);

        await friend.ConnectAsync(node);
        await node.WhenJoinedAsync(friend);
        await using ITransportEndpoint again = await AttackerAsync();
        (await AttackAsync(again, node, Garbage())).ShouldBe((ulong)WireCode.Blocked, "after the handshake");
    }

    [Fact]
    public async Task A_flood_of_control_frames_closes_the_connection_with_its_own_code()
    {
        await using TestNode node = await StartAsync();
        await using ITransportEndpoint attacker = await AttackerAsync();

        (await AttackAsync(attacker, node, Flood(2000))).ShouldBe((ulong)WireCode.RateLimited);
    }

    [Fact]
    public async Task A_connection_without_a_hello_is_closed_in_time()
    {
        await using TestNode node = await StartAsync(o => o.Transport.HandshakeTimeout = TimeSpan.FromMilliseconds(200));
        await using ITransportEndpoint attacker = await AttackerAsync();
        await using ITransportConnection connection = await attacker.ConnectAsync(node.EndPoint, Token).WaitAsync(Limit, Token);

        (await connection.Closed.WaitAsync(Limit, Token)).ApplicationCode.ShouldBe((ulong)WireCode.HandshakeTimeout);
    }

    [Fact]
    public async Task A_control_frame_above_its_limit_closes_the_connection_before_it_is_read()
    {
        await using TestNode node = await StartAsync();
        await using ITransportEndpoint attacker = await AttackerAsync();
        var bytes = new ArrayBufferWriter<byte>();
        FrameWriter.WriteVarInt(bytes, (ulong)StreamType.Control);
        FrameWriter.WriteVarInt(bytes, (ulong)FrameType.Hello);
        FrameWriter.WriteVarInt(bytes, 1UL << 40);

        (await AttackAsync(attacker, node, bytes.WrittenMemory)).ShouldBe((ulong)WireCode.ProtocolViolation);
    }

    [Fact]
    public async Task A_source_that_connects_too_often_is_refused_with_a_code_and_ends_blocked()
    {
        await using TestNode node = await StartAsync(o =>
        {
            o.Limits.ConnectionBurstPerSource = 3;
            o.Limits.ConnectionsPerSecondPerSource = 0.01;
        });
        await using ITransportEndpoint attacker = await AttackerAsync();
        List<ulong?> codes = [];
        // What is closed before the node has accepted it is not counted: these stay open.
        for (int i = 0; i < 3; i++) await attacker.ConnectAsync(node.EndPoint, Token).WaitAsync(Limit, Token);
        for (int i = 0; i < 60 && node.Journal.State.Trust.BlockedPrefixes.IsEmpty; i++)
        {
            await using ITransportConnection connection = await attacker.ConnectAsync(node.EndPoint, Token).WaitAsync(Limit, Token);
            codes.Add((await connection.Closed.WaitAsync(Limit, Token)).ApplicationCode);
        }

        codes.ShouldAllBe(code => code == (ulong)WireCode.RateLimited);
        await node.WhenAsync(n => n.Log.OfType<PrefixBlocked>().Any(), "blocked");
        node.Log.OfType<InboundRefused>().ShouldBeEmpty("refusals are summed up by the minute");
    }

    [Fact]
    public async Task Failures_of_handlers_count_against_the_peer_whose_messages_they_were()
    {
        await using TestNode node = await StartAsync();
        await using TestNode peer = await StartAsync(o => o.Listen = "198.51.100.7:4433");
        await peer.ConnectAsync(node);
        await node.WhenJoinedAsync(peer);
        IHandlerFailures failures = node.Mesh;

        for (int i = 0; i < 100; i++) failures.Report(peer.Id);

        await peer.WhenLeftAsync(node.Id);
        node.Journal.State.Trust.BlockedPeers.Keys.ShouldBe([peer.Id]);
        Should.NotThrow(() => failures.Report(peer.Id));
    }

    [Fact]
    public async Task Messages_above_the_rate_of_their_peer_wait_and_none_is_lost()
    {
        await using TestNode node = await StartAsync(o => o.Limits.MessagesPerSecondPerPeer = 20);
        await using TestNode peer = await StartAsync(o => o.Listen = "198.51.100.7:4433");
        await peer.ConnectAsync(node);
        await node.WhenJoinedAsync(peer);
        long started = Stopwatch.GetTimestamp();

        for (int i = 0; i < 35; i++) (await peer.Mesh.SendAsync(node.Id, new OutgoingMessage("chat", new byte[] { 1 }), Token)).IsSent.ShouldBeTrue();
        await node.Dispatcher.WhenReceivedAsync(35, Limit);

        node.Dispatcher.Messages.Count.ShouldBe(35);
        // The burst of 20 at once, the other 15 at 20 a second.
        Stopwatch.GetElapsedTime(started).ShouldBeGreaterThan(TimeSpan.FromMilliseconds(500));
    }

    private Task<TestNode> StartAsync(Action<MeshOptions>? configure = null) => TestNode.StartAsync(new InMemoryTransportProvider(_network), o =>
    {
        o.Listen = "192.0.2.1:4433";
        configure?.Invoke(o);
    });

    private async Task<ITransportEndpoint> AttackerAsync(string address = "198.51.100.7:4000")
    {
        X509Certificate2 certificate = EventMesh.Tests.TestCertificates.Create("attacker");
        return await new InMemoryTransport(_network).BindAsync(
            new TransportEndpointOptions { LocalEndPoint = IPEndPoint.Parse(address), Certificate = certificate, VerifyPeer = _ => true, Listen = false }, Token);
    }

    /// <summary>Sends bytes on a new stream of a new connection and says with which code the node closes it.</summary>
    private static async Task<ulong?> AttackAsync(ITransportEndpoint attacker, TestNode node, ReadOnlyMemory<byte> bytes)
    {
        await using ITransportConnection connection = await attacker.ConnectAsync(node.EndPoint, Token).WaitAsync(Limit, Token);
        await using ITransportStream stream = await connection.OpenStreamAsync(StreamDirection.Unidirectional, Token);
        try
        {
            await stream.WriteAsync(bytes, endStream: false, Token).AsTask().WaitAsync(Limit, Token);
        }
        catch (MeshException)
        {
            // The node was faster.
        }
        return (await connection.Closed.WaitAsync(Limit, Token)).ApplicationCode;
    }

    private static ReadOnlyMemory<byte> Garbage()
    {
        var bytes = new ArrayBufferWriter<byte>();
        FrameWriter.WriteVarInt(bytes, (ulong)StreamType.Control);
        FrameWriter.WriteVarInt(bytes, (ulong)FrameType.Hello);
        FrameWriter.WriteVarInt(bytes, 3);
        bytes.Write<byte>([0xff, 0xff, 0xff]);
        return bytes.WrittenMemory;
    }

    /// <summary>Well-formed frames of a type that nobody knows and everybody may skip.</summary>
    private static ReadOnlyMemory<byte> Flood(int count)
    {
        var bytes = new ArrayBufferWriter<byte>();
        FrameWriter.WriteVarInt(bytes, (ulong)StreamType.Control);
        for (int i = 0; i < count; i++)
        {
            FrameWriter.WriteVarInt(bytes, 32);
            FrameWriter.WriteVarInt(bytes, 0);
        }
        return bytes.WrittenMemory;
    }
}
