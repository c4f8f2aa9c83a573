using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Tests.Common.Nodes;
using EventMesh.Tests.Common.Trust;
using EventMesh.Transport.InMemory;
using EventMesh.Trust;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Nodes;

/// <summary>Nodes that change their keys, as other nodes see it.</summary>
public sealed class KeyRotationTests
{
    private readonly InMemoryTransportProvider _transport = new(new InMemoryNetwork());

    [Fact]
    public async Task A_node_that_rotated_its_key_is_the_same_peer_to_those_who_knew_it()
    {
        await using TestNode witness = await TestNode.StartAsync(_transport);
        TestNode node = await TestNode.StartAsync(_transport);
        PeerId before = node.Id;
        await node.ConnectAsync(witness);
        await witness.WhenJoinedAsync(node);
        await node.Mesh.StopAsync(CancellationToken.None);
        NodeIdentity.Rotate(node.Directory, TimeProvider.System).Dispose();
        NodeIdentity.Rotate(node.Directory, TimeProvider.System).Dispose();

        await using TestNode rotated = await TestNode.StartAsync(_transport, store: node.Store, directory: node.Directory);
        await rotated.WhenJoinedAsync(witness);
        await witness.WhenAsync(n => n.Log.OfType<KeySucceeded>().Count() == 2, "both changes are in the log");

        rotated.Id.ShouldNotBe(before);
        rotated.Mesh.NodeId.ShouldBe(node.Mesh.NodeId, "the log goes on");
        witness.Journal.State.Keys.AreSame(before, rotated.Id).ShouldBeTrue();
        witness.Journal.State.Keys.ChainOf(rotated.Id).Count.ShouldBe(3);
        await rotated.WhenAsync(n => n.Log.OfType<IdentityRotated>().Count() == 2, "the node's own log tells of it");
        rotated.Log.OfType<IdentityRotated>().Select(e => e.Sequence).ShouldBe([1, 2]);
        rotated.Log.OfType<IdentityCreated>().ShouldHaveSingleItem("a rotated identity is not a new one").Peer.ShouldBe(before);
        await node.DisposeAsync();
    }

    [Fact]
    public async Task A_stolen_key_that_rotates_too_makes_both_refused_until_the_operator_decides()
    {
        var log = new CapturedLog();
        var clock = new JumpingClock();
        await using TestNode witness = await TestNode.StartAsync(_transport, log: log, clock: clock);
        TestNode node = await TestNode.StartAsync(_transport);
        PeerId before = node.Id;
        await node.ConnectAsync(witness);
        await node.Mesh.StopAsync(CancellationToken.None);
        string stolen = Directory.CreateTempSubdirectory("eventmesh-test-").FullName;
        foreach (string file in new[] { "identity.key", "node-id" }) File.Copy(Path.Combine(node.Directory, file), Path.Combine(stolen, file));
        NodeIdentity.Rotate(node.Directory, TimeProvider.System).Dispose();
        NodeIdentity.Rotate(stolen, TimeProvider.System).Dispose();

        await using TestNode rightful = await TestNode.StartAsync(_transport, store: node.Store, directory: node.Directory);
        await rightful.WhenJoinedAsync(witness);
        await witness.WhenAsync(n => n.Journal.State.Keys.AreSame(before, rightful.Id), "the first change is known");
        await using TestNode thief = await TestNode.StartAsync(_transport, directory: stolen);
        MeshException refused = await Should.ThrowAsync<MeshException>(() => thief.ConnectAsync(witness));
        refused.Error.ShouldBe(MeshError.SuccessionConflict);
        await witness.WhenLeftAsync(rightful.Id);
        await rightful.WhenLeftAsync(witness.Id);
        (await Should.ThrowAsync<MeshException>(() => rightful.ConnectAsync(witness))).Error.ShouldBe(MeshError.SuccessionConflict);
        await witness.WhenAsync(n => n.Log.OfType<SuccessionDisputed>().Any(), "the dispute is durable");
        witness.Log.OfType<SuccessionDisputed>().ShouldBe([new SuccessionDisputed(before, rightful.Id, thief.Id)]);
        log.Warnings.ShouldContain(line => line.Contains("mesh identity resolve", StringComparison.Ordinal));

        witness.Journal.Record(new SuccessionDecided(before, rightful.Id, "test"));
        await rightful.ConnectAsync(witness);
        (await Should.ThrowAsync<MeshException>(() => thief.ConnectAsync(witness))).Error.ShouldBe(MeshError.SuccessionConflict);

        witness.Journal.Record(new SuccessionDecided(before, null, "test"));
        clock.Jump(TimeSpan.FromSeconds(1));
        await witness.WhenLeftAsync(rightful.Id);

        Directory.Delete(stolen, recursive: true);
        await node.DisposeAsync();
    }

    [Fact]
    public async Task The_key_that_was_replaced_no_longer_gets_in()
    {
        await using TestNode witness = await TestNode.StartAsync(_transport);
        TestNode node = await TestNode.StartAsync(_transport);
        await node.ConnectAsync(witness);
        await node.Mesh.StopAsync(CancellationToken.None);
        string copy = Directory.CreateTempSubdirectory("eventmesh-test-").FullName;
        foreach (string file in new[] { "identity.key", "node-id" }) File.Copy(Path.Combine(node.Directory, file), Path.Combine(copy, file));
        NodeIdentity.Rotate(node.Directory, TimeProvider.System).Dispose();
        await using TestNode rotated = await TestNode.StartAsync(_transport, store: node.Store, directory: node.Directory);
        await rotated.WhenJoinedAsync(witness);
        await witness.WhenAsync(n => n.Journal.State.Keys.Successors.Count == 1, "the change is known");

        await using TestNode old = await TestNode.StartAsync(_transport, directory: copy);
        MeshException refused = await Should.ThrowAsync<MeshException>(() => old.ConnectAsync(witness));
        refused.Error.ShouldBe(MeshError.CertificateRefused);
        (await Should.ThrowAsync<MeshException>(() => witness.ConnectAsync(old))).Message.ShouldContain("has replaced this key");

        Directory.Delete(copy, recursive: true);
        await node.DisposeAsync();
    }

    [Fact]
    public async Task A_dial_that_expects_the_old_key_finds_the_new_one_once_the_change_is_known()
    {
        await using TestNode witness = await TestNode.StartAsync(_transport);
        TestNode node = await TestNode.StartAsync(_transport);
        PeerId before = node.Id;
        await node.ConnectAsync(witness);
        await node.Mesh.StopAsync(CancellationToken.None);
        NodeIdentity.Rotate(node.Directory, TimeProvider.System).Dispose();
        await using TestNode rotated = await TestNode.StartAsync(_transport, store: node.Store, directory: node.Directory);
        await rotated.WhenJoinedAsync(witness);
        await witness.WhenAsync(n => n.Journal.State.Keys.AreSame(before, rotated.Id), "the change is known");
        await witness.Mesh.DisconnectAsync(rotated.Id, TestContext.Current.CancellationToken);
        await rotated.WhenLeftAsync(witness.Id);

        (await witness.Mesh.ConnectAsync(rotated.EndPoint, expected: before)).Peer.ShouldBe(rotated.Id);
        await node.DisposeAsync();
    }
}
