using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.Sessions.Internal;
using EventMesh.Wire.Frames;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Sessions;

public sealed class SendQueueTests
{
    private ulong _last;

    [Fact]
    public async Task Of_thirteen_messages_eight_are_high_four_normal_and_one_low()
    {
        var queue = new SendQueue(100, 1_000_000);
        foreach (MessagePriority priority in new[] { MessagePriority.Low, MessagePriority.Normal, MessagePriority.High })
        {
            for (int i = 0; i < 20; i++) (await queue.EnqueueAsync(Message(priority), CancellationToken.None)).ShouldBeTrue();
        }

        List<OutboundMessage> left = [];
        while (queue.TryDequeue(int.MaxValue, out OutboundMessage? message)) left.Add(message);

        left.Count.ShouldBe(60);
        foreach (OutboundMessage[] round in left.Take(26).Chunk(13))
        {
            round.Count(m => m.Priority == MessagePriority.High).ShouldBe(8);
            round.Count(m => m.Priority == MessagePriority.Normal).ShouldBe(4);
            round.Count(m => m.Priority == MessagePriority.Low).ShouldBe(1);
        }
        foreach (IGrouping<MessagePriority, OutboundMessage> one in left.GroupBy(m => m.Priority))
            one.Select(m => m.Id.Sequence).ShouldBeInOrder();
    }

    [Fact]
    public async Task A_full_queue_lets_waiting_senders_in_by_their_priority_and_refuses_who_does_not_wait()
    {
        var queue = new SendQueue(1, 1_000_000);
        (await queue.EnqueueAsync(Message(MessagePriority.Normal), CancellationToken.None)).ShouldBeTrue();

        ValueTask<bool> low = queue.EnqueueAsync(Message(MessagePriority.Low), CancellationToken.None);
        ValueTask<bool> high = queue.EnqueueAsync(Message(MessagePriority.High), CancellationToken.None);
        bool refused = await queue.EnqueueAsync(Message(MessagePriority.High, failWhenFull: true), CancellationToken.None);
        queue.TryDequeue(int.MaxValue, out _).ShouldBeTrue();

        refused.ShouldBeFalse();
        (await high).ShouldBeTrue();
        low.IsCompleted.ShouldBeFalse();
        queue.TryDequeue(int.MaxValue, out OutboundMessage? next).ShouldBeTrue();
        next.Priority.ShouldBe(MessagePriority.High);
        (await low).ShouldBeTrue();
    }

    [Fact]
    public async Task A_sender_that_gives_up_makes_room_for_those_behind_it()
    {
        var queue = new SendQueue(10, 100);
        (await queue.EnqueueAsync(Message(MessagePriority.Normal, bytes: 60), CancellationToken.None)).ShouldBeTrue();
        using var cancellation = new CancellationTokenSource();

        ValueTask<bool> big = queue.EnqueueAsync(Message(MessagePriority.Normal, bytes: 90), cancellation.Token);
        ValueTask<bool> small = queue.EnqueueAsync(Message(MessagePriority.Normal, bytes: 10), CancellationToken.None);
        small.IsCompleted.ShouldBeFalse();
        await cancellation.CancelAsync();

        (await small).ShouldBeTrue();
        await Should.ThrowAsync<OperationCanceledException>(async () => await big);
    }

    private OutboundMessage Message(MessagePriority priority, int bytes = 1, bool failWhenFull = false) => new(
        new MessageId(new PeerId(new byte[32]), Guid.Empty, ++_last), new MessageHeader(),
        new OutgoingMessage("x", new byte[bytes]) { Priority = priority, FailWhenQueueFull = failWhenFull });
}
