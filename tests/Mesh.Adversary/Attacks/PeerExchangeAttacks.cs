using System.Net;
using EventMesh.Adversary.Support;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Wire;
using EventMesh.Wire.Frames;
using Google.Protobuf;
using Shouldly;
using Xunit;

namespace EventMesh.Adversary.Attacks;

/// <summary>Lies about other peers.</summary>
public sealed class PeerExchangeAttacks
{
    [Theory, OverEachTransport]
    public async Task Peers_that_nobody_asked_for(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenPeer bystander = await run.StartPeerAsync();
        HandDrivenConnection attacker = await run.JoinAsync();
        await attacker.NextAsync(FrameType.PeersRequest, PeersRequest.Parser);
        await attacker.SendAsync(FrameType.Peers, new Peers());
        for (int i = 0; i < 100; i++) await attacker.SendAsync(FrameType.Peers, Naming(bystander.EndPoint, 32));

        await ControlStreamAttacks.IsAliveAsync(attacker);
        await run.EndAsync();
        run.Victim.Log.OfType<DialFailed>().ShouldBeEmpty();
    }

    [Theory, OverEachTransport]
    public async Task Ten_thousand_peers_in_one_answer(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        // Empty records are two bytes each: as many as a frame holds.
        await attacker.SendRawAsync(Raw.Frame((ulong)FrameType.Peers, Raw.Repeat([0x0a, 0], WireLimits.ControlFrame / 2)));

        (await attacker.ClosedWithAsync()).ShouldBe(WireCode.ProtocolViolation);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task Peers_that_nobody_may_dial(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenPeer bystander = await run.StartPeerAsync();
        HandDrivenConnection attacker = await run.JoinAsync();
        await attacker.NextAsync(FrameType.PeersRequest, PeersRequest.Parser);
        var told = new Peers();
        // The victim itself, and the attacker, who is joined already.
        told.Peers_.Add(Record(run.Victim.Id.ToByteArray(), run.Victim.EndPoint));
        foreach (string address in new[] { "0.0.0.0", "224.0.0.1", "239.255.255.255", "255.255.255.255", "::", "ff02::1", "::ffff:224.0.0.1" })
            told.Peers_.Add(Record(Guid.NewGuid().ToByteArray().Concat(new byte[16]).ToArray(), new IPEndPoint(IPAddress.Parse(address), 4433)));
        PeerRecord noPort = Record(new byte[32], new IPEndPoint(IPAddress.Loopback, 1));
        noPort.Endpoints[0].Port = 0;
        PeerRecord portTooLarge = noPort.Clone();
        portTooLarge.Endpoints[0].Port = 65_536;
        PeerRecord shortAddress = noPort.Clone();
        shortAddress.Endpoints[0] = new Endpoint { Address = ByteString.CopyFrom(127, 0, 1), Port = 4433 };
        PeerRecord manyEndpoints = Record(new byte[32], bystander.EndPoint);
        for (int i = 0; i < 4; i++) manyEndpoints.Endpoints.Add(manyEndpoints.Endpoints[0]);
        told.Peers_.AddRange([noPort, portTooLarge, shortAddress, manyEndpoints, Record(new byte[31], bystander.EndPoint), new PeerRecord()]);
        await attacker.SendAsync(FrameType.Peers, told);

        await ControlStreamAttacks.IsAliveAsync(attacker);
        run.Sessions.Sessions().Length.ShouldBe(1);
        await run.EndAsync();
        run.Victim.Log.OfType<DialFailed>().ShouldBeEmpty();
    }

    // Only the network in memory has addresses of the internet.
    [Theory, InlineData(OverEachTransportAttribute.InMemory)]
    public async Task Private_and_loopback_addresses_from_a_peer_of_the_internet(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport, o => o.Listen = "198.51.100.1:4433");
        HandDrivenPeer peer = await run.StartPeerAsync(address: "203.0.113.7");
        HandDrivenConnection attacker = await peer.DialAsync(run.Victim.EndPoint);
        await attacker.JoinAsync();
        await attacker.NextAsync(FrameType.PeersRequest, PeersRequest.Parser);
        var told = new Peers();
        foreach (string address in new[] { "127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.0.1", "100.64.0.1", "fe80::1", "fd00::1" })
            told.Peers_.Add(Record(PeerId.FromPublicKey([1]).ToByteArray(), new IPEndPoint(IPAddress.Parse(address), 4433)));
        await attacker.SendAsync(FrameType.Peers, told);

        await ControlStreamAttacks.IsAliveAsync(attacker);
        run.Sessions.Sessions().Length.ShouldBe(1);
        await run.EndAsync();
        run.Victim.Log.OfType<DialFailed>().ShouldBeEmpty();
    }

    [Theory, OverEachTransport]
    public async Task Peers_that_all_name_one_bystander(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenPeer bystander = await run.StartPeerAsync();
        HandDrivenConnection attacker = await run.JoinAsync();
        await attacker.NextAsync(FrameType.PeersRequest, PeersRequest.Parser);
        await attacker.SendAsync(FrameType.Peers, Naming(bystander.EndPoint, 32));

        await ControlStreamAttacks.IsAliveAsync(attacker);
        await run.WhenAsync(() => run.Sessions.Tasks.Running <= 1, "the dials have ended");
        await run.EndAsync(maxEvents: 32);
        // Eight dials at a time at most; none found the peer that was promised.
        run.Victim.Log.OfType<DialFailed>().ShouldAllBe(e => e.Error == MeshError.WrongPeer);
        run.Victim.Log.OfType<DialFailed>().Count().ShouldBeInRange(1, 8);
        run.Victim.Journal.State.Cache.Entries.ShouldBeEmpty();
    }

    private static Peers Naming(IPEndPoint endpoint, int count)
    {
        var peers = new Peers();
        for (int i = 0; i < count; i++) peers.Peers_.Add(Record(PeerId.FromPublicKey([(byte)i]).ToByteArray(), endpoint));
        return peers;
    }

    private static PeerRecord Record(byte[] peer, IPEndPoint endpoint)
    {
        var record = new PeerRecord { PeerId = ByteString.CopyFrom(peer) };
        record.Endpoints.Add(new Endpoint { Address = ByteString.CopyFrom(endpoint.Address.GetAddressBytes()), Port = (uint)endpoint.Port });
        return record;
    }
}
