using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text;
using EventMesh.Diagnostics;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.Tests.Common.Nodes;
using EventMesh.Transport.InMemory;
using Shouldly;
using Xunit;
using Notifications = EventMesh.Notifications;

namespace EventMesh.Core.Tests.Nodes;

public sealed class MeshNodeTests
{
    private readonly InMemoryTransportProvider _transport = new(new InMemoryNetwork());

    [Fact]
    public async Task A_pair_of_nodes_stands_with_a_connection_each_way_and_both_know_that_they_can_be_dialled()
    {
        await using TestNode a = await StartAsync();
        await using TestNode b = await StartAsync();

        PeerInfo peer = await a.ConnectAsync(b);
        await b.WhenJoinedAsync(a);

        peer.Peer.ShouldBe(b.Id);
        peer.Kind.ShouldBe(PeerKind.Node);
        foreach (TestNode node in new[] { a, b })
        {
            await node.WhenAsync(n => n.Log.OfType<PeerJoined>().Any(), "the join is durable");
            node.Log.OfType<ConnectionOpened>().Select(e => e.Direction)
                .ShouldBe([ConnectionDirection.Outbound, ConnectionDirection.Inbound], ignoreOrder: true);
            node.Journal.State.Cache.Entries.Keys.ShouldBe([node == a ? b.Id : a.Id]);
        }
        a.Log.OfType<ReachabilityChanged>().ShouldHaveSingleItem().Reachability.ShouldBe(Reachability.Reachable);
        b.Log.OfType<ReverseConnectivityConfirmed>().ShouldHaveSingleItem().Endpoint.ShouldBe(a.EndPoint);
    }

    [Fact]
    public async Task A_client_is_joined_on_its_one_connection_and_never_cached()
    {
        await using TestNode node = await StartAsync();
        await using TestNode client = await StartAsync(o => o.Kind = PeerKind.Client);

        await client.ConnectAsync(node);
        await node.WhenJoinedAsync(client);

        node.Mesh.Peers.ShouldHaveSingleItem().Kind.ShouldBe(PeerKind.Client);
        node.Journal.State.Cache.Entries.ShouldBeEmpty();
        node.Journal.State.Connections.Open.Count.ShouldBe(1);
        client.Journal.State.Cache.Entries.Keys.ShouldBe([node.Id]);
        (await node.Mesh.SendAsync(client.Id, Text("down"))).IsSent.ShouldBeTrue();
        (await client.Mesh.SendAsync(node.Id, Text("up"))).IsSent.ShouldBeTrue();
    }

    [Fact]
    public async Task Three_nodes_that_know_one_contact_come_to_know_each_other()
    {
        await using TestNode contact = await StartAsync();
        await using TestNode a = await StartAsync(o => o.Contacts = [contact.EndPoint.ToString()]);
        await using TestNode b = await StartAsync(o => o.Contacts = [contact.EndPoint.ToString()]);

        await a.WhenJoinedAsync(contact, b);
        await b.WhenJoinedAsync(contact, a);

        a.Journal.State.Cache.Entries.Keys.ShouldBe([b.Id], "a contact is never cached");
        await a.WhenAsync(n => n.Log.OfType<BootstrapSucceeded>().Any(), "bootstrap is recorded");
        a.Log.OfType<BootstrapSucceeded>().ShouldHaveSingleItem().Source.ShouldBe(BootstrapSource.Contact);
    }

    [Fact]
    public async Task A_restarted_node_rejoins_from_its_cache_without_contacts()
    {
        await using TestNode contact = await StartAsync();
        await using TestNode a = await StartAsync(o => o.Contacts = [contact.EndPoint.ToString()]);
        TestNode b = await StartAsync(o => o.Contacts = [contact.EndPoint.ToString()]);
        await b.WhenJoinedAsync(contact, a);
        PeerId before = b.Id;
        await b.Mesh.StopAsync(CancellationToken.None);

        await using TestNode again = await TestNode.StartAsync(_transport, store: b.Store, directory: b.Directory);
        await again.WhenJoinedAsync(a, contact);

        again.Id.ShouldBe(before);
        await again.WhenAsync(n => n.Log.OfType<BootstrapSucceeded>().Count() == 2, "the second bootstrap is durable");
        again.Log.OfType<BootstrapSucceeded>().Last().Source.ShouldBe(BootstrapSource.Cache);
        again.Log.OfType<CacheEntryConfirmed>().ShouldContain(e => e.Peer == a.Id && e.By == null);
        await b.DisposeAsync();
    }

    [Fact]
    public async Task A_message_is_acknowledged_with_its_token_and_arrives_once()
    {
        (TestNode a, TestNode b) = await PairAsync();
        await using TestNode _ = a, __ = b;
        var token = new object();

        SendReceipt receipt = await a.Mesh.SendAsync(b.Id, Text("hello") with { Token = token });
        await b.Dispatcher.WhenReceivedAsync(1, TimeSpan.FromSeconds(10));

        receipt.Outcome.ShouldBe(SendOutcome.Acknowledged);
        receipt.Token.ShouldBeSameAs(token);
        Notifications.MessageReceived message = b.Dispatcher.Messages.ShouldHaveSingleItem().Message;
        message.Id.ShouldBe(receipt.Id);
        message.From.ShouldBe(a.Id);
        message.Channel.ShouldBe("chat");
        Encoding.UTF8.GetString(message.Payload.Span).ShouldBe("hello");
    }

    [Fact]
    public async Task Thousands_of_messages_in_both_directions_arrive_exactly_once()
    {
        (TestNode a, TestNode b) = await PairAsync();
        await using TestNode _ = a, __ = b;
        const int count = 5_000;

        async Task SendAll(TestNode from, TestNode to)
        {
            IEnumerable<Task<SendReceipt>> sends = Enumerable.Range(0, count)
                .Select(i => from.Mesh.SendAsync(to.Id, new OutgoingMessage("n", BitConverter.GetBytes(i))).AsTask());
            (await Task.WhenAll(sends)).ShouldAllBe(receipt => receipt.Outcome == SendOutcome.Acknowledged);
        }

        await Task.WhenAll(SendAll(a, b), SendAll(b, a)).WaitAsync(TimeSpan.FromSeconds(60));
        foreach (TestNode node in new[] { a, b })
        {
            await node.Dispatcher.WhenReceivedAsync(count, TimeSpan.FromSeconds(20));
            node.Dispatcher.Messages.Select(m => BitConverter.ToInt32(m.Message.Payload.Span)).Order().ShouldBe(Enumerable.Range(0, count));
        }
    }

    [Fact]
    public async Task A_large_message_arrives_whole_and_small_ones_do_not_wait_for_it()
    {
        (TestNode a, TestNode b) = await PairAsync();
        await using TestNode _ = a, __ = b;
        var large = new byte[5_000_000];
        Random.Shared.NextBytes(large);

        Task<SendReceipt> sending = a.Mesh.SendAsync(b.Id, new OutgoingMessage("large", large)).AsTask();
        SendReceipt small = await a.Mesh.SendAsync(b.Id, Text("small"));

        small.IsSent.ShouldBeTrue();
        (await sending.WaitAsync(TimeSpan.FromSeconds(30))).IsSent.ShouldBeTrue();
        await b.Dispatcher.WhenReceivedAsync(2, TimeSpan.FromSeconds(20));
        b.Dispatcher.Messages.Single(m => m.Message.Channel == "large").Message.Payload.Span.SequenceEqual(large).ShouldBeTrue();
    }

    [Fact]
    public async Task A_message_above_the_peers_limit_is_not_sent()
    {
        await using TestNode a = await StartAsync();
        await using TestNode b = await StartAsync(o => o.Limits.MaxMessageBytes = 64 * 1024);
        await a.ConnectAsync(b);

        SendReceipt receipt = await a.Mesh.SendAsync(b.Id, new OutgoingMessage("large", new byte[65 * 1024]));

        receipt.Outcome.ShouldBe(SendOutcome.NotSent);
        receipt.Error.ShouldBe(MeshError.TooLarge);
    }

    [Fact]
    public async Task A_send_to_a_stranger_is_not_sent()
    {
        await using TestNode a = await StartAsync();

        SendReceipt receipt = await a.Mesh.SendAsync(new PeerId(new byte[32]), Text("x") with { Token = 7 });

        receipt.Outcome.ShouldBe(SendOutcome.NotSent);
        receipt.Error.ShouldBe(MeshError.NotConnected);
        receipt.Token.ShouldBe(7);
    }

    [Fact]
    public async Task The_outcome_handled_waits_for_the_handlers_and_tells_their_refusal()
    {
        (TestNode a, TestNode b) = await PairAsync();
        await using TestNode _ = a, __ = b;
        var handler = new TaskCompletionSource<MeshError?>();
        b.Dispatcher.OnMessage = message => message.Channel == "slow" ? handler.Task : Task.FromResult<MeshError?>(MeshError.NoHandler);

        Task<SendReceipt> handled = a.Mesh.SendAsync(b.Id, new OutgoingMessage("slow", default) { Delivery = DeliveryMode.Handled }).AsTask();
        SendReceipt refused = await a.Mesh.SendAsync(b.Id, Text("x") with { Delivery = DeliveryMode.Handled });
        handled.IsCompleted.ShouldBeFalse();
        handler.SetResult(null);

        (await handled.WaitAsync(TimeSpan.FromSeconds(10))).Outcome.ShouldBe(SendOutcome.Handled);
        refused.Outcome.ShouldBe(SendOutcome.Refused);
        refused.Error.ShouldBe(MeshError.NoHandler);
    }

    [Fact]
    public async Task A_request_is_answered()
    {
        (TestNode a, TestNode b) = await PairAsync();
        await using TestNode _ = a, __ = b;
        b.Dispatcher.OnRequest = (request, _) => Task.FromResult<ReadOnlyMemory<byte>>(request.Payload.ToArray().Reverse().ToArray());

        ReadOnlyMemory<byte> response = await a.Mesh.RequestAsync(b.Id, "echo", new byte[] { 1, 2, 3 }).WaitAsync(TimeSpan.FromSeconds(10));

        response.ToArray().ShouldBe([3, 2, 1]);
    }

    [Fact]
    public async Task A_request_that_nobody_handles_fails_with_the_reason()
    {
        (TestNode a, TestNode b) = await PairAsync();
        await using TestNode _ = a, __ = b;
        b.Dispatcher.OnRequest = (_, _) => Task.FromException<ReadOnlyMemory<byte>>(new MeshException(MeshError.NoHandler, "nobody"));

        MeshException error = await Should.ThrowAsync<MeshException>(() => a.Mesh.RequestAsync(b.Id, "x", default));

        error.Error.ShouldBe(MeshError.NoHandler);
    }

    [Fact]
    public async Task A_cancelled_request_is_cancelled_on_the_other_side()
    {
        (TestNode a, TestNode b) = await PairAsync();
        await using TestNode _ = a, __ = b;
        var started = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        b.Dispatcher.OnRequest = async (_, token) =>
        {
            started.SetResult();
            await Task.Delay(Timeout.Infinite, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancelled.SetResult();
            throw new MeshException(MeshError.HandlerFailed, "cancelled");
        };
        using var cancellation = new CancellationTokenSource();

        Task<ReadOnlyMemory<byte>> request = a.Mesh.RequestAsync(b.Id, "x", default, cancellation.Token);
        await started.Task.WaitAsync(TimeSpan.FromSeconds(10));
        await cancellation.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => request);
        await cancelled.Task.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Requests_beyond_the_limit_are_answered_busy()
    {
        await using TestNode a = await StartAsync();
        await using TestNode b = await StartAsync(o => o.Limits.MaxRunningRequests = 1);
        await a.ConnectAsync(b);
        await b.WhenJoinedAsync(a);
        var started = new TaskCompletionSource();
        var release = new TaskCompletionSource<ReadOnlyMemory<byte>>();
        b.Dispatcher.OnRequest = (_, _) =>
        {
            started.TrySetResult();
            return release.Task;
        };

        Task<ReadOnlyMemory<byte>> first = a.Mesh.RequestAsync(b.Id, "x", default);
        await started.Task.WaitAsync(TimeSpan.FromSeconds(10));
        MeshException error = await Should.ThrowAsync<MeshException>(() => a.Mesh.RequestAsync(b.Id, "x", default));
        release.SetResult(new byte[] { 1 });

        error.Error.ShouldBe(MeshError.Busy);
        (await first).Length.ShouldBe(1);
    }

    [Fact]
    public async Task Cancelled_requests_give_their_places_back()
    {
        await using TestNode a = await StartAsync();
        const int limit = 2;
        await using TestNode b = await StartAsync(o => o.Limits.MaxRunningRequests = limit);
        await a.ConnectAsync(b);
        await b.WhenJoinedAsync(a);
        for (int i = 0; i < 3 * limit; i++)
        {
            var started = new TaskCompletionSource();
            b.Dispatcher.OnRequest = async (_, token) =>
            {
                started.TrySetResult();
                await Task.Delay(Timeout.Infinite, token);
                return default;
            };
            using var cancellation = new CancellationTokenSource();
            Task<ReadOnlyMemory<byte>> request = a.Mesh.RequestAsync(b.Id, "x", default, cancellation.Token);
            using var timer = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            // A place comes back a moment after its cancellation: until then the answer is Busy.
            while (await Task.WhenAny(started.Task, request).WaitAsync(timer.Token) == request)
            {
                (await Should.ThrowAsync<MeshException>(() => request)).Error.ShouldBe(MeshError.Busy);
                request = a.Mesh.RequestAsync(b.Id, "x", default, cancellation.Token);
            }
            await cancellation.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(() => request);
        }
        b.Dispatcher.OnRequest = (request, _) => Task.FromResult(request.Payload);

        MeshException? busy;
        using var last = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        do
        {
            busy = null;
            try
            {
                (await a.Mesh.RequestAsync(b.Id, "x", new byte[] { 5 }, last.Token)).ToArray().ShouldBe([5]);
            }
            catch (MeshException e) when (e.Error == MeshError.Busy)
            {
                busy = e;
            }
        }
        while (busy is not null);
    }

    [Fact]
    public async Task A_peer_leaves_at_once_though_its_messages_are_still_handled()
    {
        (TestNode a, TestNode b) = await PairAsync();
        await using TestNode _ = a, __ = b;
        var never = new TaskCompletionSource<MeshError?>();
        b.Dispatcher.OnMessage = _ => never.Task;
        Task<SendReceipt> sending = a.Mesh.SendAsync(b.Id, Text("x") with { Delivery = DeliveryMode.Handled }).AsTask();
        await b.Dispatcher.WhenReceivedAsync(1, TimeSpan.FromSeconds(10));

        await a.Mesh.StopAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(10));
        await b.WhenLeftAsync(a.Id);

        (await sending.WaitAsync(TimeSpan.FromSeconds(10))).Outcome.ShouldBe(SendOutcome.Unknown);
    }

    [Fact]
    public async Task Sends_beyond_the_queue_wait_or_fail_as_they_ask_and_leave_nothing_behind()
    {
        await using TestNode a = await StartAsync(o => o.Limits.SendQueueMessages = 1);
        await using TestNode b = await StartAsync();
        await a.ConnectAsync(b);
        await b.WhenJoinedAsync(a);
        var handler = new TaskCompletionSource<MeshError?>();
        b.Dispatcher.OnMessage = _ => handler.Task;
        OutgoingMessage message = Text("x") with { Delivery = DeliveryMode.Handled };

        Task<SendReceipt> first = a.Mesh.SendAsync(b.Id, message).AsTask();
        await b.Dispatcher.WhenReceivedAsync(1, TimeSpan.FromSeconds(10));
        SendReceipt refused = await a.Mesh.SendAsync(b.Id, message with { FailWhenQueueFull = true });
        using var cancellation = new CancellationTokenSource();
        Task<SendReceipt> cancelled = a.Mesh.SendAsync(b.Id, message, cancellation.Token).AsTask();
        Task<SendReceipt> waiting = a.Mesh.SendAsync(b.Id, message).AsTask();
        await cancellation.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => cancelled);
        handler.SetResult(null);

        refused.Outcome.ShouldBe(SendOutcome.NotSent);
        refused.Error.ShouldBe(MeshError.QueueFull);
        (await first.WaitAsync(TimeSpan.FromSeconds(10))).Outcome.ShouldBe(SendOutcome.Handled);
        (await waiting.WaitAsync(TimeSpan.FromSeconds(10))).Outcome.ShouldBe(SendOutcome.Handled);
        b.Dispatcher.Messages.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Handlers_that_send_to_each_other_do_not_deadlock()
    {
        (TestNode a, TestNode b) = await PairAsync();
        await using TestNode _ = a, __ = b;
        const int depth = 200;
        foreach ((TestNode self, TestNode other) in new[] { (a, b), (b, a) })
        {
            self.Dispatcher.OnMessage = async message =>
            {
                int left = BitConverter.ToInt32(message.Payload.Span);
                if (left > 0) (await self.Mesh.SendAsync(other.Id, new OutgoingMessage("ping", BitConverter.GetBytes(left - 1)))).IsSent.ShouldBeTrue();
                return null;
            };
        }

        await Task.WhenAll(Enumerable.Range(0, 50).SelectMany(_ => new[] { Start(a, b), Start(b, a) })).WaitAsync(TimeSpan.FromSeconds(60));
        await a.Dispatcher.WhenReceivedAsync(50 * (depth + 1), TimeSpan.FromSeconds(60));
        await b.Dispatcher.WhenReceivedAsync(50 * (depth + 1), TimeSpan.FromSeconds(60));

        static async Task Start(TestNode from, TestNode to) =>
            (await from.Mesh.SendAsync(to.Id, new OutgoingMessage("ping", BitConverter.GetBytes(depth)))).IsSent.ShouldBeTrue();
    }

    [Fact]
    public async Task A_node_of_another_mesh_is_refused()
    {
        await using TestNode a = await StartAsync(o => o.MeshName = "staging");
        await using TestNode b = await StartAsync(o => o.MeshName = "production");

        MeshException error = await Should.ThrowAsync<MeshException>(() => a.ConnectAsync(b));

        error.Error.ShouldBe(MeshError.WrongMesh);
        b.Mesh.Peers.ShouldBeEmpty();
        a.Journal.State.Cache.Entries.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_node_that_dials_itself_is_told_so()
    {
        await using TestNode a = await StartAsync();

        (await Should.ThrowAsync<MeshException>(() => a.ConnectAsync(a))).Error.ShouldBe(MeshError.ConnectionToSelf);
    }

    [Fact]
    public async Task A_dial_that_expects_another_peer_fails()
    {
        await using TestNode a = await StartAsync();
        await using TestNode b = await StartAsync();

        MeshException error = await Should.ThrowAsync<MeshException>(() => a.Mesh.ConnectAsync(b.EndPoint, new PeerId(new byte[32])));

        error.Error.ShouldBe(MeshError.WrongPeer);
    }

    [Fact]
    public async Task A_second_connect_returns_the_joined_peer()
    {
        (TestNode a, TestNode b) = await PairAsync();
        await using TestNode _ = a, __ = b;

        (await a.ConnectAsync(b)).Peer.ShouldBe(b.Id);
        (await b.ConnectAsync(a)).Peer.ShouldBe(a.Id);

        a.Journal.State.Connections.Open.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Crossing_dials_end_in_one_pair()
    {
        for (int round = 0; round < 10; round++)
        {
            await using TestNode a = await StartAsync();
            await using TestNode b = await StartAsync();

            PeerInfo[] peers = await Task.WhenAll(a.ConnectAsync(b), b.ConnectAsync(a));

            peers.Select(p => p.Peer).ShouldBe([b.Id, a.Id]);
            await a.WhenAsync(n => n.Journal.State.Connections.Open.Count == 2, "one connection each way");
            await b.WhenAsync(n => n.Journal.State.Connections.Open.Count == 2, "one connection each way");
            (await a.Mesh.SendAsync(b.Id, Text("x"))).IsSent.ShouldBeTrue();
            (await b.Mesh.SendAsync(a.Id, Text("x"))).IsSent.ShouldBeTrue();
        }
    }

    [Fact]
    public async Task Disconnecting_tells_the_peer_and_both_logs_explain_it()
    {
        (TestNode a, TestNode b) = await PairAsync();
        await using TestNode _ = a, __ = b;

        await a.Mesh.DisconnectAsync(b.Id);
        await b.WhenLeftAsync(a.Id);
        await b.WhenAsync(n => n.Log.OfType<PeerLeft>().Any(), "durable");
        await a.WhenAsync(n => n.Log.OfType<PeerLeft>().Any(), "durable");

        a.Mesh.Peers.ShouldBeEmpty();
        a.Log.OfType<PeerLeft>().First().Reason.ShouldBe(CloseReason.Local);
        a.Log.OfType<ConnectionClosed>().Count().ShouldBe(2);
        b.Log.OfType<ConnectionClosed>().Count().ShouldBe(2);
    }

    [Fact]
    public async Task A_node_that_stops_tells_its_peers_and_leaves_nothing_open_in_its_log()
    {
        (TestNode a, TestNode b) = await PairAsync();
        await using TestNode _ = a, __ = b;

        await a.Mesh.StopAsync(CancellationToken.None);
        await b.WhenLeftAsync(a.Id);
        await b.WhenAsync(n => n.Log.OfType<PeerLeft>().Any(), "the departure is durable");

        b.Journal.State.Connections.Open.ShouldBeEmpty();
        IMeshEvent[] log = [.. a.Log];
        log[^1].ShouldBeOfType<NodeStopped>();
        log.OfType<ConnectionOpened>().Select(e => e.Connection).Order()
            .ShouldBe(log.OfType<ConnectionClosed>().Select(e => e.Connection).Order());
        b.Log.OfType<PeerLeft>().ShouldHaveSingleItem().Reason.ShouldBe(CloseReason.PeerShutdown);
    }

    [Fact]
    public async Task An_unreachable_contact_is_reported_and_tried_again_until_it_answers()
    {
        IPEndPoint address;
        await using (TestNode gone = await StartAsync()) address = gone.EndPoint;
        await using TestNode a = await StartAsync(o =>
        {
            o.Contacts = [address.ToString()];
            o.Transport.HandshakeTimeout = TimeSpan.FromMilliseconds(200);
            o.Bootstrap.RetryDelay = TimeSpan.FromMilliseconds(50);
        });
        await a.WhenAsync(n => n.Log.OfType<BootstrapFailed>().Any(), "the failure is reported");

        await using TestNode b = await StartAsync(o => o.Listen = address.ToString());
        await a.WhenJoinedAsync(b);

        a.Log.OfType<DialFailed>().First().Error.ShouldBe(MeshError.Unreachable);
    }

    [Fact]
    public async Task Of_several_contacts_the_first_that_answers_wins()
    {
        await using TestNode one = await StartAsync();
        await using TestNode two = await StartAsync();
        IPEndPoint dead;
        await using (TestNode gone = await StartAsync()) dead = gone.EndPoint;

        await using TestNode a = await StartAsync(o =>
        {
            o.Contacts = [dead.ToString(), one.EndPoint.ToString(), two.EndPoint.ToString()];
            o.Bootstrap.TargetPeers = 1;
            o.Bootstrap.Stagger = TimeSpan.FromMilliseconds(500);
        });
        await a.WhenAsync(n => n.Log.OfType<BootstrapSucceeded>().Any(), "joined");

        a.Log.OfType<BootstrapSucceeded>().ShouldHaveSingleItem().Peer.ShouldBe(one.Id);
        a.Mesh.Peers.Select(p => p.Peer).ShouldBe([one.Id]);
    }

    [Fact]
    public async Task The_observed_endpoint_is_what_the_peer_saw()
    {
        (TestNode a, TestNode b) = await PairAsync();
        await using TestNode _ = a, __ = b;

        await a.WhenAsync(n => n.Mesh.ObservedEndPoint is not null, "observed");

        a.Mesh.ObservedEndPoint.ShouldBe(a.EndPoint);
    }

    [Fact]
    public async Task A_send_and_its_arrival_are_one_trace()
    {
        (TestNode a, TestNode b) = await PairAsync();
        await using TestNode _ = a, __ = b;
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == MeshTelemetry.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ConcurrentQueue<Activity> stopped = [];
        listener.ActivityStopped = stopped.Enqueue;
        ActivitySource.AddActivityListener(listener);
        using var caller = new Activity("caller").Start();

        await a.Mesh.SendAsync(b.Id, Text("traced"));
        await b.Dispatcher.WhenReceivedAsync(1, TimeSpan.FromSeconds(10));

        ActivityContext parent = b.Dispatcher.Messages.ShouldHaveSingleItem().Parent;
        parent.TraceId.ShouldBe(caller.TraceId);
        Activity publish = stopped.Single(activity => activity.OperationName == "publish chat" && activity.TraceId == caller.TraceId);
        parent.SpanId.ShouldBe(publish.SpanId);
        publish.Kind.ShouldBe(ActivityKind.Producer);
        publish.GetTagItem(MeshTelemetry.Attributes.Destination).ShouldBe("chat");
    }

    [Fact]
    public async Task A_data_directory_serves_one_node_at_a_time()
    {
        await using TestNode a = await StartAsync();

        MeshException error = await Should.ThrowAsync<MeshException>(() => TestNode.StartAsync(_transport, directory: a.Directory));

        error.Error.ShouldBe(MeshError.DataDirectoryLocked);
    }

    [Fact]
    public async Task A_taken_port_fails_the_start_and_leaves_nothing_behind()
    {
        await using TestNode a = await StartAsync();
        string directory = Directory.CreateTempSubdirectory("eventmesh-test-").FullName;

        MeshException error = await Should.ThrowAsync<MeshException>(
            () => TestNode.StartAsync(_transport, o => o.Listen = a.EndPoint.ToString(), directory: directory));
        await using TestNode afterwards = await TestNode.StartAsync(_transport, directory: directory);

        error.Error.ShouldBe(MeshError.AddressInUse);
        await afterwards.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    private Task<TestNode> StartAsync(Action<EventMesh.Node.MeshOptions>? configure = null) => TestNode.StartAsync(_transport, configure);

    private async Task<(TestNode A, TestNode B)> PairAsync()
    {
        TestNode a = await StartAsync();
        TestNode b = await StartAsync();
        await a.ConnectAsync(b);
        await b.WhenJoinedAsync(a);
        return (a, b);
    }

    private static OutgoingMessage Text(string text) => new("chat", Encoding.UTF8.GetBytes(text));
}
