using System.Net;
using EventMesh.Messaging;
using EventMesh.Notifications;
using EventMesh.Tests.Common.Nodes;
using Shouldly;
using Xunit;

namespace EventMesh.Conformance.Sessions;

/// <summary>Outcomes, deadlines, retries and requests.</summary>
public abstract class DeliveryConformanceTests : MessagingConformanceTests
{
    [Fact]
    public async Task A_message_is_handled_and_its_token_comes_back()
    {
        (TestNode a, TestNode b) = await PairAsync();
        var token = new object();

        SendReceipt receipt = await a.Mesh.SendAsync(b.Id, Text("x") with { Delivery = DeliveryMode.Handled, Token = token }).AsTask().WaitAsync(Limit);

        receipt.Outcome.ShouldBe(SendOutcome.Handled);
        receipt.Token.ShouldBeSameAs(token);
    }

    [Fact]
    public async Task A_message_that_is_not_handled_before_its_deadline_is_refused()
    {
        (TestNode a, TestNode b) = await PairAsync();
        b.Dispatcher.OnMessage = _ => new TaskCompletionSource<MeshError?>().Task;

        SendReceipt receipt = await a.Mesh.SendAsync(
            b.Id, Text("x") with { Delivery = DeliveryMode.Handled, Deadline = TimeSpan.FromMilliseconds(300), Token = 1 }).AsTask().WaitAsync(Limit);

        // On a machine that stands still the peer's verdict may come too late.
        receipt.Outcome.ShouldBeOneOf(SendOutcome.Refused, SendOutcome.Unknown, SendOutcome.NotSent);
        receipt.Error.ShouldBe(MeshError.DeadlineExceeded);
        receipt.Token.ShouldBe(1);
    }

    [Fact]
    public async Task A_message_that_does_not_leave_before_its_deadline_is_not_sent()
    {
        (TestNode a, TestNode b) = await PairAsync(o => o.Limits.SendQueueMessages = 1);
        var handler = new TaskCompletionSource<MeshError?>();
        b.Dispatcher.OnMessage = _ => handler.Task;
        Task<SendReceipt> first = a.Mesh.SendAsync(b.Id, Text("first") with { Delivery = DeliveryMode.Handled }).AsTask();
        await b.Dispatcher.WhenReceivedAsync(1, Limit);

        SendReceipt late = await a.Mesh.SendAsync(
            b.Id, Text("late") with { Delivery = DeliveryMode.Handled, Deadline = TimeSpan.FromMilliseconds(50) }).AsTask().WaitAsync(Limit);
        handler.SetResult(null);

        late.Outcome.ShouldBe(SendOutcome.NotSent);
        late.Error.ShouldBe(MeshError.DeadlineExceeded);
        (await first.WaitAsync(Limit)).Outcome.ShouldBe(SendOutcome.Handled);
        b.Dispatcher.Messages.Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_receiver_knows_the_deadline()
    {
        (TestNode a, TestNode b) = await PairAsync();

        await a.Mesh.SendAsync(b.Id, Text("timed") with { Deadline = TimeSpan.FromMinutes(10) });
        await a.Mesh.SendAsync(b.Id, Text("for ever"));
        await b.Dispatcher.WhenReceivedAsync(2, Limit);

        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        MessageReceived timed = b.Dispatcher.Messages.First().Message;
        timed.Deadline.ShouldNotBeNull().ShouldBeInRange(now, now + TimeSpan.FromMinutes(10));
        b.Dispatcher.Messages.Last().Message.Deadline.ShouldBeNull();
    }

    [Fact]
    public async Task A_message_sent_again_after_a_lost_connection_is_handled_once_and_its_outcome_told()
    {
        (TestNode a, TestNode b) = await PairAsync();
        var handler = new TaskCompletionSource<MeshError?>();
        b.Dispatcher.OnMessage = _ => handler.Task;
        Task<SendReceipt> sending = a.Mesh.SendAsync(b.Id, Text("x") with { Delivery = DeliveryMode.Handled, RetryFor = Limit }).AsTask();
        await b.Dispatcher.WhenReceivedAsync(1, Limit);

        await a.Mesh.DisconnectAsync(b.Id);
        await a.WhenLeftAsync(b.Id);
        await b.WhenLeftAsync(a.Id);
        await a.ConnectAsync(b);
        handler.SetResult(null);

        (await sending.WaitAsync(Limit)).Outcome.ShouldBe(SendOutcome.Handled);
        b.Dispatcher.Messages.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_message_is_sent_again_to_a_restarted_peer_with_the_same_identity()
    {
        TestNode a = await StartAsync();
        TestNode b = await StartAsync();
        await a.ConnectAsync(b);
        await b.WhenJoinedAsync(a);
        IPEndPoint address = b.EndPoint;
        b.Dispatcher.OnMessage = _ => new TaskCompletionSource<MeshError?>().Task;
        Task<SendReceipt> sending = a.Mesh.SendAsync(b.Id, Text("x") with { Delivery = DeliveryMode.Handled, RetryFor = Limit }).AsTask();
        await b.Dispatcher.WhenReceivedAsync(1, Limit);
        MessageId first = b.Dispatcher.Messages.Single().Message.Id;

        await b.Mesh.StopAsync(CancellationToken.None);
        await a.WhenLeftAsync(b.Id);
        TestNode again = await StartAsync(o => o.Listen = address.ToString(), restarted: b);
        await again.ConnectAsync(a);

        SendReceipt receipt = await sending.WaitAsync(Limit);
        receipt.Outcome.ShouldBe(SendOutcome.Handled);
        receipt.Id.ShouldBe(first);
        again.Dispatcher.Messages.ShouldHaveSingleItem().Message.Id.ShouldBe(first);
    }

    [Fact]
    public async Task A_retry_ends_with_its_time()
    {
        (TestNode a, TestNode b) = await PairAsync();
        await b.Mesh.StopAsync(CancellationToken.None);
        await a.WhenLeftAsync(b.Id);

        SendReceipt receipt = await a.Mesh.SendAsync(b.Id, Text("x") with { RetryFor = TimeSpan.FromMilliseconds(100) }).AsTask().WaitAsync(Limit);

        receipt.Outcome.ShouldBe(SendOutcome.NotSent);
        receipt.Error.ShouldBe(MeshError.NotConnected);
    }

    [Fact]
    public async Task A_request_that_runs_out_of_time_is_cancelled_on_the_other_side()
    {
        (TestNode a, TestNode b) = await PairAsync();
        var handler = new HangingRequests(b.Dispatcher);

        Task<ReadOnlyMemory<byte>> request = a.Mesh.RequestWithinAsync(b.Id, "slow", default, TimeSpan.FromSeconds(2));
        await Task.WhenAny(handler.Started, request).WaitAsync(Limit);

        (await Should.ThrowAsync<MeshException>(() => request.WaitAsync(Limit))).Error.ShouldBe(MeshError.Timeout);
        if (handler.Started.IsCompleted) await handler.Cancelled.WaitAsync(Limit);
    }

    [Fact]
    public async Task A_cancelled_request_reaches_the_other_side()
    {
        (TestNode a, TestNode b) = await PairAsync();
        var handler = new HangingRequests(b.Dispatcher);
        using var cancellation = new CancellationTokenSource();

        Task<ReadOnlyMemory<byte>> request = a.Mesh.RequestAsync(b.Id, "slow", default, cancellation.Token);
        await handler.Started.WaitAsync(Limit);
        await cancellation.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => request);
        await handler.Cancelled.WaitAsync(Limit);
        b.Dispatcher.OnRequest = (_, _) => Task.FromResult<ReadOnlyMemory<byte>>(new byte[] { 1 });
        (await a.Mesh.RequestWithinAsync(b.Id, "quick", default, Limit)).ToArray().ShouldBe([1]);
    }
}
