using EventMesh.Dispatch;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Messages;
using EventMesh.Messaging;
using EventMesh.Notifications;
using EventMesh.Tests.Common.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace EventMesh.Host.Tests.Messages;

public sealed class MessageTapTests
{
    private readonly FakeDispatcher _plugins = new();
    private readonly MessageTap _tap;

    public MessageTapTests() => _tap = new MessageTap(_plugins, TimeProvider.System);

    [Fact]
    public async Task Without_a_watcher_the_plugins_answer()
    {
        _plugins.Answer = MeshError.NoHandler;
        (await _tap.DispatchAsync(Message("c"), default)).ShouldBe(MeshError.NoHandler);
        _plugins.Messages.ShouldBe(1);
    }

    [Theory]
    [InlineData(MeshError.NoHandler, null)]
    [InlineData(MeshError.Busy, MeshError.Busy)]
    [InlineData(null, null)]
    public async Task A_watcher_counts_as_a_handler_and_hides_no_other_answer(MeshError? answer, MeshError? expected)
    {
        _plugins.Answer = answer;
        using MessageSubscription subscription = _tap.Subscribe("c");
        (await _tap.DispatchAsync(Message("c"), default)).ShouldBe(expected);
        _plugins.Messages.ShouldBe(1);
    }

    [Fact]
    public async Task A_watcher_of_another_channel_is_no_handler()
    {
        _plugins.Answer = MeshError.NoHandler;
        using MessageSubscription subscription = _tap.Subscribe("d");
        (await _tap.DispatchAsync(Message("c"), default)).ShouldBe(MeshError.NoHandler);
    }

    [Fact]
    public async Task A_watcher_that_is_too_slow_is_told_and_gets_all_until_then()
    {
        using MessageSubscription subscription = _tap.Subscribe("*");
        for (int i = 0; i <= MessageSubscription.MaxMessages; i++) await _tap.DispatchAsync(Message("c"), default);
        int count = 0;
        MeshException exception = await Should.ThrowAsync<MeshException>(async () =>
        {
            await foreach (MessageView _ in subscription.ReadAllAsync(CancellationToken.None)) count++;
        });
        exception.Error.ShouldBe(MeshError.QueueFull);
        count.ShouldBe(MessageSubscription.MaxMessages);
    }

    [Fact]
    public void Watchers_are_bounded_and_make_room_when_they_go()
    {
        List<MessageSubscription> all = [.. Enumerable.Range(0, MessageTap.MaxSubscriptions).Select(_ => _tap.Subscribe("*"))];
        Should.Throw<MeshException>(() => _tap.Subscribe("*")).Error.ShouldBe(MeshError.Busy);
        all[0].Dispose();
        using MessageSubscription next = _tap.Subscribe("*");
        all.ForEach(s => s.Dispose());
    }

    [Fact]
    public async Task It_stands_before_the_dispatcher_that_was_registered()
    {
        ServiceCollection services = new();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<IMessageDispatcher, FakeDispatcher>();
        services.AddMessageTap();
        await using ServiceProvider provider = services.BuildServiceProvider();
        IMessageDispatcher dispatcher = provider.GetRequiredService<IMessageDispatcher>();
        dispatcher.ShouldBeOfType<MessageTap>();
        (await dispatcher.DispatchAsync(Message("c"), default)).ShouldBeNull();
    }

    private static MessageReceived Message(string channel) =>
        new(new MessageId(FakeMesh.PeerOf(9), Guid.Empty, 1), FakeMesh.PeerOf(9), channel, "payload"u8.ToArray());
}
