using EventMesh.Messaging;
using EventMesh.Tests.Common.Nodes;
using Shouldly;
using Xunit;

namespace EventMesh.Conformance.Sessions;

/// <summary>Ordered channels.</summary>
public abstract class OrderedChannelConformanceTests : MessagingConformanceTests
{
    [Fact]
    public async Task Messages_of_a_channel_arrive_once_and_in_the_order_of_their_sends()
    {
        (TestNode a, TestNode b) = await PairAsync();
        const int count = 3_000;

        List<Task<SendReceipt>> sends = [];
        for (int i = 0; i < count; i++)
        {
            foreach (string channel in new[] { "left", "right" })
                sends.Add(a.Mesh.SendAsync(b.Id, Number(i, channel) with { IsOrdered = true, Delivery = (DeliveryMode)(i % 2) }).AsTask());
            sends.Add(a.Mesh.SendAsync(b.Id, Number(i, "loose")).AsTask());
        }

        SendReceipt[] receipts = await Task.WhenAll(sends).WaitAsync(Limit);
        receipts.ShouldAllBe(receipt => receipt.IsSent);
        await b.Dispatcher.WhenReceivedAsync(3 * count, Limit);
        foreach (string channel in new[] { "left", "right" })
        {
            b.Dispatcher.Messages.Where(m => m.Message.Channel == channel).Select(m => BitConverter.ToInt32(m.Message.Payload.Span))
                .ShouldBe(Enumerable.Range(0, count));
        }
        b.Dispatcher.Messages.Count.ShouldBe(3 * count);
    }

    [Fact]
    public async Task Channels_at_rest_give_way_and_only_channels_under_way_count()
    {
        (TestNode a, TestNode b) = await PairAsync();

        for (int i = 0; i < 40; i++)
            (await a.Mesh.SendAsync(b.Id, Number(i, $"c{i}") with { IsOrdered = true }).AsTask().WaitAsync(Limit)).Outcome.ShouldBe(SendOutcome.Acknowledged);
        var handler = new TaskCompletionSource<MeshError?>();
        b.Dispatcher.OnMessage = _ => handler.Task;
        Task<SendReceipt>[] busy =
        [
            .. Enumerable.Range(0, 16).Select(i =>
                a.Mesh.SendAsync(b.Id, Number(i, $"busy{i}") with { IsOrdered = true, Delivery = DeliveryMode.Handled }).AsTask()),
        ];
        SendReceipt refused = await a.Mesh.SendAsync(b.Id, Number(0, "one more") with { IsOrdered = true }).AsTask().WaitAsync(Limit);
        handler.SetResult(null);

        refused.Outcome.ShouldBe(SendOutcome.NotSent);
        refused.Error.ShouldBe(MeshError.QueueFull);
        (await Task.WhenAll(busy).WaitAsync(Limit)).ShouldAllBe(receipt => receipt.Outcome == SendOutcome.Handled);
        b.Dispatcher.Messages.Count.ShouldBe(40 + 16);
    }

    [Fact]
    public async Task A_channel_begins_anew_after_a_lost_connection()
    {
        (TestNode a, TestNode b) = await PairAsync();
        (await a.Mesh.SendAsync(b.Id, Number(1, "log") with { IsOrdered = true }).AsTask().WaitAsync(Limit)).IsSent.ShouldBeTrue();
        b.Dispatcher.OnMessage = _ => new TaskCompletionSource<MeshError?>().Task;
        Task<SendReceipt> lost = a.Mesh.SendAsync(b.Id, Number(2, "log") with { IsOrdered = true, Delivery = DeliveryMode.Handled }).AsTask();
        await b.Dispatcher.WhenReceivedAsync(2, Limit);

        await b.Mesh.DisconnectAsync(a.Id);
        await a.WhenLeftAsync(b.Id);
        (await lost.WaitAsync(Limit)).Outcome.ShouldBe(SendOutcome.Unknown);
        await a.ConnectAsync(b);

        (await a.Mesh.SendAsync(b.Id, Number(3, "log") with { IsOrdered = true }).AsTask().WaitAsync(Limit)).IsSent.ShouldBeTrue();
        b.Dispatcher.Messages.Select(m => BitConverter.ToInt32(m.Message.Payload.Span)).ShouldBe([1, 2, 3]);
    }
}
