using System.Net;
using System.Text;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.Node;
using EventMesh.Projections;
using EventMesh.Tests.Common.Journal;
using EventMesh.Tests.Common.Nodes;
using EventMesh.Transport.InMemory;
using EventMesh.Trust;
using Shouldly;
using Xunit;
using TrustChanged = EventMesh.Notifications.TrustChanged;

namespace EventMesh.Core.Tests.Nodes;

/// <summary>The trust ledger of whole nodes.</summary>
public sealed class TrustTests
{
    private const string Contact = "10.0.0.1:4433";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly InMemoryTransportProvider _transport = new(new InMemoryNetwork());

    [Fact]
    public async Task A_block_closes_the_live_connections_and_refuses_new_ones_in_both_directions()
    {
        await using TestNode a = await StartAsync();
        await using TestNode b = await StartAsync();
        await a.ConnectAsync(b);
        await b.WhenJoinedAsync(a);

        IReadOnlyList<RecordedEvent> decided = await a.Mesh.Trust.BlockAsync(b.Id, "it floods", by: "root").WaitAsync(Limit, Token);

        decided.ShouldAllBe(recorded => a.Journal.IsDurable(recorded));
        await a.WhenLeftAsync(b.Id);
        await b.WhenLeftAsync(a.Id);
        a.Journal.State.Cache.Entries.ShouldBeEmpty();
        await a.WhenAsync(n => n.Log.OfType<PeerLeft>().Any(), "the end is durable");
        a.Log.OfType<ConnectionClosed>().Select(e => e.Reason).ShouldAllBe(reason => reason == CloseReason.Blocked);
        a.Log.OfType<CacheEntryEvicted>().ShouldHaveSingleItem().Reason.ShouldBe(EvictionReason.Blocked);
        (await Refused(b.ConnectAsync(a))).Error.ShouldBe(MeshError.Blocked);
        MeshException ours = await Refused(a.Mesh.ConnectAsync(b.EndPoint, b.Id, Token));
        ours.Error.ShouldBe(MeshError.Blocked);
        ours.Message.ShouldContain("it floods", Case.Sensitive, "the operator learns the reason");
        (await Refused(a.ConnectAsync(b))).Error.ShouldBe(MeshError.Blocked, "also when who is there was not known before");
        a.Dispatcher.Notifications.OfType<TrustChanged>().ShouldHaveSingleItem().Cause.Data.ShouldBeOfType<PeerBlocked>();
    }

    [Fact]
    public async Task A_blocked_prefix_is_refused_before_the_handshake_and_its_live_connections_close()
    {
        await using TestNode a = await StartAsync(o => o.Listen = "192.0.2.1:4433");
        await using TestNode near = await StartAsync(o => o.Listen = "192.0.2.129:4433");
        await using TestNode far = await StartAsync(o => o.Listen = "198.51.100.1:4433");
        await near.ConnectAsync(a);
        await far.ConnectAsync(a);
        await a.WhenJoinedAsync(near, far);

        await a.Mesh.Trust.BlockPrefixAsync(IPNetwork.Parse("192.0.2.128/25"), "a bad neighbourhood").WaitAsync(Limit, Token);

        await a.WhenLeftAsync(near.Id);
        await near.WhenLeftAsync(a.Id);
        (await Refused(near.ConnectAsync(a))).Error.ShouldBe(MeshError.ClosedByPeer, "no handshake, no code of ours");
        (await Refused(a.ConnectAsync(near))).Error.ShouldBe(MeshError.Blocked);
        a.Mesh.Peers.ShouldHaveSingleItem().Peer.ShouldBe(far.Id);
        a.Journal.State.Cache.Entries.Keys.ShouldBe([far.Id]);
        (await far.Mesh.SendAsync(a.Id, new OutgoingMessage("chat", Encoding.UTF8.GetBytes("still here")), Token)).IsSent.ShouldBeTrue();
    }

    [Fact]
    public async Task A_timed_block_ends_by_itself()
    {
        var clock = new ShiftedClock();
        await using TestNode a = await TestNode.StartAsync(_transport, clock: clock);
        await using TestNode b = await StartAsync();
        await a.Mesh.Trust.BlockAsync(b.Id, "for an hour", clock.GetUtcNow().AddHours(1)).WaitAsync(Limit, Token);
        await a.Mesh.Trust.BlockPrefixAsync(IPNetwork.Parse("127.0.0.0/8"), "for an hour", clock.GetUtcNow().AddHours(1)).WaitAsync(Limit, Token);
        (await Refused(b.ConnectAsync(a))).Error.ShouldBe(MeshError.ClosedByPeer);
        clock.Shift(TimeSpan.FromMinutes(59));
        (await Refused(b.ConnectAsync(a))).Error.ShouldBe(MeshError.ClosedByPeer);

        clock.Shift(TimeSpan.FromMinutes(1));

        await b.ConnectAsync(a);
        await a.WhenJoinedAsync(b);
        a.Mesh.Trust.IsBlocked(b.Id).ShouldBeFalse();
    }

    [Fact]
    public async Task A_command_that_opens_is_in_force_only_when_it_is_durable()
    {
        await using TestNode b = await StartAsync();
        await using TestNode a = await StartAsync(o => o.Journal.SpoolAfter = TimeSpan.FromMinutes(1));
        await a.Mesh.Trust.BlockAsync(b.Id, "a mistake").WaitAsync(Limit, Token);
        Hold(a);

        Task<IReadOnlyList<RecordedEvent>> unblocking = a.Mesh.Trust.UnblockAsync(b.Id, "it was a mistake", "root", Token);
        Task<IReadOnlyList<RecordedEvent>> again = a.Mesh.Trust.UnblockAsync(b.Id, "it was a mistake", "root", Token);
        Task<IReadOnlyList<RecordedEvent>> trusting = a.Mesh.Trust.TrustAsync(EventMeshPeer(7), "ours", "root", Token);

        a.Journal.State.Trust.BlockedPeers.ShouldBeEmpty("it is decided");
        a.Mesh.Trust.IsBlocked(b.Id).ShouldBeTrue("but not in force");
        a.Mesh.Trust.IsTrusted(EventMeshPeer(7)).ShouldBeFalse();
        (await Refused(b.ConnectAsync(a))).Error.ShouldBe(MeshError.Blocked);
        unblocking.IsCompleted.ShouldBeFalse();
        again.IsCompleted.ShouldBeFalse("what is so already may not be durable yet");

        Release(a);
        (await unblocking.WaitAsync(Limit, Token)).ShouldHaveSingleItem().Data.ShouldBeOfType<Unblocked>();
        (await again.WaitAsync(Limit, Token)).ShouldBeEmpty();
        await trusting.WaitAsync(Limit, Token);
        a.Mesh.Trust.IsTrusted(EventMeshPeer(7)).ShouldBeTrue();
        await b.ConnectAsync(a);
    }

    [Fact]
    public async Task A_command_that_protects_is_in_force_before_it_is_durable()
    {
        await using TestNode b = await StartAsync();
        await using TestNode a = await StartAsync(o => o.Journal.SpoolAfter = TimeSpan.FromMinutes(1));
        await b.ConnectAsync(a);
        await a.WhenJoinedAsync(b);
        Hold(a);

        Task<IReadOnlyList<RecordedEvent>> blocking = a.Mesh.Trust.BlockAsync(b.Id, "now", cancellationToken: Token);

        await b.WhenLeftAsync(a.Id);
        (await Refused(b.ConnectAsync(a))).Error.ShouldBe(MeshError.Blocked);
        blocking.IsCompleted.ShouldBeFalse();
        Release(a);
        await blocking.WaitAsync(Limit, Token);
    }

    [Fact]
    public async Task A_contact_is_pinned_on_first_use_and_another_peer_there_is_refused_until_it_is_pinned_by_hand()
    {
        (TestNode first, TestNode node) = await PinnedAsync();
        await using TestNode a = node;
        TrustPin pin = a.Journal.State.Trust.Pins[Contact];
        (pin.Peer, pin.Origin).ShouldBe((first.Id, PinOrigin.FirstUse));
        await first.DisposeAsync();

        await using TestNode second = await StartAsync(o => o.Listen = Contact);
        await a.WhenAsync(n => n.Log.OfType<PinMismatch>().Any(), "the mismatch is recorded");
        a.Log.OfType<PinMismatch>().ShouldHaveSingleItem().ShouldBe(new PinMismatch(Contact, pin.Peer, second.Id, second.EndPoint));
        await a.WhenAsync(n => n.Log.OfType<DialFailed>().Count(e => e.Error == MeshError.WrongPeer) >= 3, "dialled again");
        a.Log.OfType<PinMismatch>().ShouldHaveSingleItem("once for each peer in a row");
        a.Mesh.Peers.ShouldBeEmpty();
        (await Refused(a.ConnectAsync(second))).Error.ShouldBe(MeshError.WrongPeer);

        await a.Mesh.Trust.PinAsync(Contact, second.Id, "root", Token).WaitAsync(Limit, Token);

        await a.WhenJoinedAsync(second);
    }

    [Fact]
    public async Task A_pin_taken_back_holds_until_that_is_durable_and_then_the_next_peer_there_is_pinned()
    {
        (TestNode first, TestNode node) = await PinnedAsync();
        await using TestNode a = node;
        await first.DisposeAsync();
        await using TestNode second = await StartAsync(o => o.Listen = Contact);
        await a.WhenAsync(n => n.Log.OfType<PinMismatch>().Any(), "the mismatch is recorded");
        Hold(a);

        Task<IReadOnlyList<RecordedEvent>> unpinning = a.Mesh.Trust.UnpinAsync(Contact, "it was made anew", "root", Token);

        (await Refused(a.ConnectAsync(second))).Error.ShouldBe(MeshError.WrongPeer, "not durable yet");
        unpinning.IsCompleted.ShouldBeFalse();
        Release(a);
        (await unpinning.WaitAsync(Limit, Token)).Select(e => e.Data).ShouldBe([new PeerUnpinned(Contact, first.Id, "it was made anew", "root")]);
        await a.WhenJoinedAsync(second);
        await a.WhenAsync(n => n.Journal.State.Trust.Pins.Count > 0, "pinned again");
        TrustPin pin = a.Journal.State.Trust.Pins[Contact];
        (pin.Peer, pin.Origin).ShouldBe((second.Id, PinOrigin.FirstUse));
    }

    [Fact]
    public async Task Without_first_use_pins_a_contact_may_be_another_peer_each_time()
    {
        TestNode first = await StartAsync(o => o.Listen = Contact);
        await using TestNode a = await StartAsync(o =>
        {
            o.Contacts = [Contact];
            o.Listen = "10.0.0.2:4433";
            o.Trust.PinContacts = false;
            o.Bootstrap.RetryDelay = o.Bootstrap.MaxRetryDelay = TimeSpan.FromMilliseconds(50);
        });
        await a.WhenJoinedAsync(first);
        await first.DisposeAsync();

        await using TestNode second = await StartAsync(o => o.Listen = Contact);

        await a.WhenJoinedAsync(second);
        a.Journal.State.Trust.Pins.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_revoked_key_and_a_revoked_certificate_are_refused_and_a_restart_remembers()
    {
        TestNode a = await StartAsync();
        await using TestNode b = await StartAsync();
        await using TestNode c = await StartAsync();
        await b.ConnectAsync(a);
        await c.ConnectAsync(a);
        await a.WhenJoinedAsync(b, c);
        string fingerprint = CertificateFingerprint.Of(a.Journal.State.Cache.Entries[c.Id].Certificate);

        await a.Mesh.Trust.RevokeAsync(b.Id, "the key was lost").WaitAsync(Limit, Token);
        await a.Mesh.Trust.RevokeCertificateAsync(fingerprint.ToUpperInvariant(), "issued in error").WaitAsync(Limit, Token);

        await b.WhenLeftAsync(a.Id);
        await c.WhenLeftAsync(a.Id);
        await a.Mesh.StopAsync(CancellationToken.None);
        await using TestNode again = await TestNode.StartAsync(_transport, store: a.Store, directory: a.Directory);
        (await Refused(b.ConnectAsync(again))).Error.ShouldBe(MeshError.Blocked);
        (await Refused(c.ConnectAsync(again))).Error.ShouldBe(MeshError.Blocked);
        again.Journal.State.Trust.RevokedKeys.Keys.ShouldBe([b.Id]);
        await again.DisposeAsync();
        await a.DisposeAsync();
    }

    [Fact]
    public async Task Commands_that_make_no_sense_are_refused_with_the_reason()
    {
        await using TestNode a = await StartAsync();
        ITrust trust = a.Mesh.Trust;

        (await Refused(() => trust.BlockAsync(a.Id, ""))).Message.ShouldContain("the node itself");
        (await Refused(() => trust.BlockAsync(EventMeshPeer(1), "", DateTimeOffset.UnixEpoch))).Message.ShouldContain("future");
        (await Refused(() => trust.BlockAsync(EventMeshPeer(1), new string('x', 257)))).Message.ShouldContain("256");
        (await Refused(() => trust.BlockAsync(EventMeshPeer(1), "", by: TrustAuthor.Limits))).Message.ShouldContain("who decides");
        (await Refused(() => trust.PinAsync("nowhere", EventMeshPeer(1)))).Message.ShouldContain("host:port");
        (await Refused(() => trust.UnpinAsync("nowhere", ""))).Message.ShouldContain("host:port");
        (await trust.UnpinAsync("node.example:4433", "")).ShouldBeEmpty();
        (await Refused(() => trust.RevokeCertificateAsync("abc", ""))).Message.ShouldContain("fingerprint");
        await trust.BlockAsync(EventMeshPeer(1), "").WaitAsync(Limit, Token);
        (await Refused(() => trust.TrustAsync(EventMeshPeer(1), ""))).Error.ShouldBe(MeshError.Blocked);
        a.Log.OfType<PeerTrusted>().ShouldBeEmpty();
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A node at the contact, and one that has pinned it there on first use.</summary>
    private async Task<(TestNode AtContact, TestNode Node)> PinnedAsync()
    {
        TestNode first = await StartAsync(o => o.Listen = Contact);
        TestNode node = await StartAsync(o =>
        {
            o.Contacts = [Contact];
            o.Listen = "10.0.0.2:4433";
            // So that a test can hold the store back.
            o.Journal.SpoolAfter = TimeSpan.FromMinutes(1);
            o.Bootstrap.RetryDelay = o.Bootstrap.MaxRetryDelay = TimeSpan.FromMilliseconds(50);
        });
        await node.WhenJoinedAsync(first);
        await node.WhenAsync(n => n.Journal.State.Trust.Pins.Count > 0, "pinned");
        return (first, node);
    }

    private Task<TestNode> StartAsync(Action<MeshOptions>? configure = null) => TestNode.StartAsync(_transport, configure);

    private static PeerId EventMeshPeer(int number) => Journal.EventSamples.Peer(number);

    private static Task<MeshException> Refused(Task task) => Should.ThrowAsync<MeshException>(() => task.WaitAsync(Limit, Token));

    // Also what is thrown before there is a task.
    private static async Task<MeshException> Refused(Func<Task> command)
    {
        try
        {
            await command().WaitAsync(Limit, Token);
        }
        catch (MeshException e)
        {
            return e;
        }
        throw new ShouldAssertException("It was not refused.");
    }

    /// <summary>The store takes nothing, and the spool waits: nothing becomes durable.</summary>
    private static void Hold(TestNode node) => node.Store.WriteFaults = () => StoreFault.Hang;

    private static void Release(TestNode node)
    {
        node.Store.WriteFaults = null;
        node.Store.Release();
    }
}
