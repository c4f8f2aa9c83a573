using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using EventMesh.Diagnostics;
using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.Tests.Common.Nodes;
using Shouldly;
using Xunit;
using Notifications = EventMesh.Notifications;

namespace EventMesh.Core.Tests.Nodes;

/// <summary>Messages and their outcomes.</summary>
public sealed partial class MeshNodeTests
{
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

        await Task.WhenAll(SendAll(a, b), SendAll(b, a)).WaitAsync(TimeSpan.FromMinutes(2));
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
        (await sending.WaitAsync(TimeSpan.FromMinutes(2))).IsSent.ShouldBeTrue();
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

        (await handled.WaitAsync(TimeSpan.FromMinutes(2))).Outcome.ShouldBe(SendOutcome.Handled);
        refused.Outcome.ShouldBe(SendOutcome.Refused);
        refused.Error.ShouldBe(MeshError.NoHandler);
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

        await a.Mesh.StopAsync(CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(2));
        await b.WhenLeftAsync(a.Id);

        (await sending.WaitAsync(TimeSpan.FromMinutes(2))).Outcome.ShouldBe(SendOutcome.Unknown);
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
        (await first.WaitAsync(TimeSpan.FromMinutes(2))).Outcome.ShouldBe(SendOutcome.Handled);
        (await waiting.WaitAsync(TimeSpan.FromMinutes(2))).Outcome.ShouldBe(SendOutcome.Handled);
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

        await Task.WhenAll(Enumerable.Range(0, 50).SelectMany(_ => new[] { Start(a, b), Start(b, a) })).WaitAsync(TimeSpan.FromMinutes(2));
        await a.Dispatcher.WhenReceivedAsync(50 * (depth + 1), TimeSpan.FromSeconds(60));
        await b.Dispatcher.WhenReceivedAsync(50 * (depth + 1), TimeSpan.FromSeconds(60));

        static async Task Start(TestNode from, TestNode to) =>
            (await from.Mesh.SendAsync(to.Id, new OutgoingMessage("ping", BitConverter.GetBytes(depth)))).IsSent.ShouldBeTrue();
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
}
