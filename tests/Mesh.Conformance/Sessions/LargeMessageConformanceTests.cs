using EventMesh.Messaging;
using EventMesh.Tests.Common.Nodes;
using Shouldly;
using Xunit;

namespace EventMesh.Conformance.Sessions;

/// <summary>Large and streamed messages and their credit.</summary>
public abstract class LargeMessageConformanceTests : MessagingConformanceTests
{
    private const int MiB = 1024 * 1024;

    [Fact]
    public async Task A_streamed_message_goes_from_stream_to_stream_above_the_buffered_limit()
    {
        (TestNode a, TestNode b) = await PairAsync(o => o.Limits.MaxMessageBytes = MiB);
        long right = -1;
        b.Dispatcher.OnLarge = async (message, token) =>
        {
            message.Length.ShouldBe(24 * MiB);
            right = await PatternStream.CompareAsync(message.Content, token);
            return null;
        };

        SendReceipt receipt = await a.Mesh.SendAsync(
            b.Id, Streamed(new PatternStream(24 * MiB)) with { Delivery = DeliveryMode.Handled, Token = "t" }).AsTask().WaitAsync(Limit);

        receipt.Outcome.ShouldBe(SendOutcome.Handled);
        receipt.Token.ShouldBe("t");
        right.ShouldBe(24 * MiB);
    }

    [Fact]
    public async Task A_streamed_message_comes_whole_to_who_takes_no_streams_and_an_empty_one_too()
    {
        (TestNode a, TestNode b) = await PairAsync();

        foreach (int length in new[] { 3 * MiB + 5, 100, 0 })
            (await a.Mesh.SendAsync(b.Id, Streamed(new PatternStream(length))).AsTask().WaitAsync(Limit)).Outcome.ShouldBe(SendOutcome.Acknowledged);
        await b.Dispatcher.WhenReceivedAsync(3, Limit);

        foreach ((Notifications.MessageReceived message, _) in b.Dispatcher.Messages)
            (await PatternStream.CompareAsync(new MemoryStream(message.Payload.ToArray()), default)).ShouldBe(message.Payload.Length);
        b.Dispatcher.Messages.Select(m => m.Message.Payload.Length).ShouldBe([3 * MiB + 5, 100, 0], ignoreOrder: true);
    }

    [Fact]
    public async Task A_streamed_message_above_the_limit_is_refused_by_who_takes_no_streams()
    {
        (TestNode a, TestNode b) = await PairAsync(o => o.Limits.MaxMessageBytes = MiB);

        SendReceipt receipt = await a.Mesh.SendAsync(b.Id, Streamed(new PatternStream(20 * MiB))).AsTask().WaitAsync(Limit);

        receipt.Outcome.ShouldBe(SendOutcome.Refused);
        receipt.Error.ShouldBe(MeshError.TooLarge);
        (await a.Mesh.SendAsync(b.Id, Text("next")).AsTask().WaitAsync(Limit)).IsSent.ShouldBeTrue();
    }

    [Fact]
    public async Task A_reader_that_does_not_read_stops_the_sender_after_one_mebibyte_and_nobody_else()
    {
        (TestNode a, TestNode b) = await PairAsync();
        var started = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        b.Dispatcher.OnLarge = async (message, token) =>
        {
            started.TrySetResult();
            await release.Task.WaitAsync(token);
            return await PatternStream.CompareAsync(message.Content, token) == message.Length ? null : MeshError.HandlerFailed;
        };
        var content = new PatternStream(8 * MiB);

        Task<SendReceipt> sending = a.Mesh.SendAsync(b.Id, Streamed(content) with { Delivery = DeliveryMode.Handled }).AsTask();
        await started.Task.WaitAsync(Limit);
        for (int i = 0; i < 200; i++) (await a.Mesh.SendAsync(b.Id, Text("small")).AsTask().WaitAsync(Limit)).IsSent.ShouldBeTrue();
        long ahead = content.Position;
        release.SetResult();

        ahead.ShouldBeLessThanOrEqualTo(MiB);
        (await sending.WaitAsync(Limit)).Outcome.ShouldBe(SendOutcome.Handled);
    }

    [Fact]
    public async Task Four_arrive_at_a_time_while_the_others_wait_and_small_ones_flow()
    {
        (TestNode a, TestNode b) = await PairAsync();
        var release = new TaskCompletionSource();
        int running = 0, most = 0;
        using var four = new SemaphoreSlim(0);
        b.Dispatcher.OnLarge = async (message, token) =>
        {
            int now = Interlocked.Increment(ref running);
            most = Math.Max(most, now);
            four.Release();
            await release.Task.WaitAsync(token);
            long right = await PatternStream.CompareAsync(message.Content, token);
            Interlocked.Decrement(ref running);
            return right == message.Length ? null : MeshError.HandlerFailed;
        };

        Task<SendReceipt>[] sends =
            [.. Enumerable.Range(0, 7).Select(_ => a.Mesh.SendAsync(b.Id, Streamed(new PatternStream(2 * MiB)) with { Delivery = DeliveryMode.Handled }).AsTask())];
        for (int i = 0; i < 4; i++) (await four.WaitAsync(Limit)).ShouldBeTrue();
        SendReceipt refused = await a.Mesh.SendAsync(b.Id, Streamed(new PatternStream(MiB)) with { FailWhenQueueFull = true }).AsTask().WaitAsync(Limit);
        for (int i = 0; i < 50; i++) (await a.Mesh.SendAsync(b.Id, Text("small")).AsTask().WaitAsync(Limit)).IsSent.ShouldBeTrue();
        release.SetResult();

        refused.Error.ShouldBe(MeshError.QueueFull);
        (await Task.WhenAll(sends).WaitAsync(Limit)).ShouldAllBe(receipt => receipt.Outcome == SendOutcome.Handled);
        most.ShouldBe(4);
    }

    [Fact]
    public async Task A_handler_that_leaves_some_of_it_unread_has_failed()
    {
        (TestNode a, TestNode b) = await PairAsync();
        b.Dispatcher.OnLarge = async (message, token) =>
        {
            await message.Content.ReadExactlyAsync(new byte[1000], token);
            return null;
        };

        SendReceipt receipt = await a.Mesh.SendAsync(b.Id, Streamed(new PatternStream(8 * MiB))).AsTask().WaitAsync(Limit);

        receipt.Outcome.ShouldBe(SendOutcome.Refused);
        receipt.Error.ShouldBe(MeshError.HandlerFailed);
    }

    [Fact]
    public async Task A_sender_whose_content_fails_hears_of_it_and_the_reader_too()
    {
        (TestNode a, TestNode b) = await PairAsync();
        var read = new TaskCompletionSource<Exception?>();
        b.Dispatcher.OnLarge = async (message, token) =>
        {
            read.SetResult(await Record.ExceptionAsync(() => PatternStream.CompareAsync(message.Content, token)));
            return null;
        };

        InvalidOperationException failure = await Should.ThrowAsync<InvalidOperationException>(
            () => a.Mesh.SendAsync(b.Id, Streamed(new PatternStream(8 * MiB) { FailAt = 3 * MiB })).AsTask().WaitAsync(Limit));

        failure.Message.ShouldBe("The content fails.");
        (await read.Task.WaitAsync(Limit)).ShouldBeOfType<IOException>();
    }

    [Fact]
    public async Task A_cancelled_large_message_ends_at_its_reader()
    {
        (TestNode a, TestNode b) = await PairAsync();
        var begun = new TaskCompletionSource();
        var read = new TaskCompletionSource<Exception?>();
        b.Dispatcher.OnLarge = async (message, token) =>
        {
            await message.Content.ReadExactlyAsync(new byte[1000], token);
            begun.SetResult();
            read.SetResult(await Record.ExceptionAsync(() => message.Content.CopyToAsync(Stream.Null, token)));
            return null;
        };
        using var cancellation = new CancellationTokenSource();

        Task<SendReceipt> sending = a.Mesh.SendAsync(b.Id, Streamed(new PatternStream(1024L * MiB)), cancellation.Token).AsTask();
        await begun.Task.WaitAsync(Limit);
        await cancellation.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => sending);
        (await read.Task.WaitAsync(Limit)).ShouldBeOfType<IOException>();
        (await a.Mesh.SendAsync(b.Id, Text("next")).AsTask().WaitAsync(Limit)).IsSent.ShouldBeTrue();
    }

    protected static OutgoingMessage Streamed(Stream content, string channel = "files") =>
        new(channel, default) { Content = content, ContentLength = content.Length };
}
