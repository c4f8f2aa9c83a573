using System.Collections.Concurrent;
using System.Text;
using EventMesh.Events;
using EventMesh.Plugins.Dispatch.Internal;
using EventMesh.Plugins.Loading.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Plugins.Tests;

public sealed class DispatchTests : IAsyncDisposable
{
    private readonly TestPlugins _plugins = new();

    public ValueTask DisposeAsync() => _plugins.DisposeAsync();

    [Fact]
    public async Task A_message_of_a_channel_that_nobody_handles_has_no_handler()
    {
        _plugins.Add("one", new Behaviour(), "chat");

        (await _plugins.SendAsync("other")).ShouldBe(MeshError.NoHandler);
        (await _plugins.SendAsync("chat")).ShouldBeNull();
    }

    [Fact]
    public async Task A_plugin_without_a_handler_of_messages_is_no_handler()
    {
        _plugins.Add("one", new Behaviour(), new HandlerSet().Scan(typeof(LeftHandler)), "*");

        (await _plugins.SendAsync()).ShouldBe(MeshError.NoHandler);
        (await Should.ThrowAsync<MeshException>(() => _plugins.RequestAsync())).Error.ShouldBe(MeshError.NoHandler);
    }

    [Fact]
    public async Task A_message_goes_to_every_plugin_of_its_channel()
    {
        ConcurrentBag<string> handled = [];
        foreach ((string name, string channel) in new[] { ("exact", "chat.room"), ("prefix", "chat.*"), ("all", "*"), ("other", "chat") })
        {
            _plugins.Add(
                name,
                new Behaviour
                {
                    OnMessage = (_, _) =>
                    {
                        handled.Add(name);
                        return Task.CompletedTask;
                    },
                },
                channel);
        }

        (await _plugins.SendAsync("chat.room")).ShouldBeNull();

        handled.Order().ShouldBe(["all", "exact", "prefix"]);
    }

    [Fact]
    public async Task A_request_goes_to_the_first_plugin_in_order_of_names_and_to_the_application_last()
    {
        _plugins.Add("app", Answering("app"));
        _plugins.Add("zoo", Answering("zoo"), "a");
        _plugins.Add("bar", Answering("bar"), "a");

        Encoding.UTF8.GetString((await _plugins.RequestAsync("a")).Span).ShouldBe("bar");
        Encoding.UTF8.GetString((await _plugins.RequestAsync("b")).Span).ShouldBe("app");

        static Behaviour Answering(string answer) =>
            new() { OnRequest = (_, _) => Task.FromResult<ReadOnlyMemory<byte>>(Encoding.UTF8.GetBytes(answer)) };
    }

    [Fact]
    public async Task Messages_and_notifications_of_a_plugin_are_handled_in_the_order_of_arrival()
    {
        List<string> handled = []; // Not synchronized: one worker handles one after another.
        var plugin = new Behaviour
        {
            OnMessage = async (message, _) =>
            {
                await Task.Yield();
                handled.Add(Encoding.UTF8.GetString(message.Payload.Span));
            },
            OnLeft = (_, _) =>
            {
                handled.Add("left");
                return Task.CompletedTask;
            },
        };
        _plugins.Add("one", plugin);

        List<Task<MeshError?>> sent = [.. Enumerable.Range(0, 100).Select(i => _plugins.SendAsync(text: $"{i}"))];
        _plugins.Dispatcher.Publish(TestPlugins.Left);
        sent.Add(_plugins.SendAsync(text: "last"));
        await Task.WhenAll(sent);

        handled.ShouldBe([.. Enumerable.Range(0, 100).Select(i => $"{i}"), "left", "last"]);
    }

    [Fact]
    public async Task Several_messages_are_handled_at_a_time_when_the_plugin_may()
    {
        _plugins.Options.Concurrency = 2;
        var both = new Barrier(2);
        _plugins.Add("one", new Behaviour
        {
            OnMessage = (_, _) => both.SignalAndWait(TimeSpan.FromSeconds(10), CancellationToken.None)
                ? Task.CompletedTask
                : throw new TimeoutException("alone"),
        });

        (await Task.WhenAll(_plugins.SendAsync(), _plugins.SendAsync())).ShouldAllBe(error => error == null);
    }

    [Fact]
    public async Task A_full_queue_refuses_messages_and_the_other_plugins_take_them()
    {
        _plugins.Options.QueueLength = 2;
        var running = new Signal();
        var goOn = new Signal();
        int others = 0;
        _plugins.Add("slow", Blocking(running, goOn));
        _plugins.Add("other", new Behaviour { OnMessage = (_, _) => Task.FromResult(Interlocked.Increment(ref others)) }, "both");

        Task<MeshError?> first = _plugins.SendAsync();
        await running.WaitAsync();
        Task<MeshError?>[] waiting = [_plugins.SendAsync(), _plugins.SendAsync()];
        Task<MeshError?> refused = _plugins.Dispatcher.DispatchAsync(TestNode.Message("any"), default);

        refused.IsCompleted.ShouldBeTrue("a full queue is an answer");
        (await refused).ShouldBe(MeshError.Busy);
        (await _plugins.SendAsync("both")).ShouldBe(MeshError.Busy);
        goOn.Set();
        (await Task.WhenAll([first, .. waiting])).ShouldAllBe(error => error == null);
        (await _plugins.SendAsync("both")).ShouldBeNull();
        others.ShouldBe(2);
    }

    [Fact]
    public async Task The_bytes_that_wait_are_bounded_and_a_larger_message_may_wait_alone()
    {
        _plugins.Options.QueueBytes = 10;
        var running = new Signal();
        var goOn = new Signal();
        _plugins.Add("slow", Blocking(running, goOn));

        Task<MeshError?> first = _plugins.SendAsync();
        await running.WaitAsync();
        Task<MeshError?> large = _plugins.SendAsync(text: new string('x', 1000));
        (await _plugins.SendAsync(text: "x")).ShouldBe(MeshError.Busy);
        goOn.Set();

        (await Task.WhenAll(first, large)).ShouldAllBe(error => error == null);
        (await _plugins.SendAsync(text: "x")).ShouldBeNull();
    }

    [Fact]
    public async Task A_full_queue_drops_the_oldest_notifications_and_counts_them()
    {
        using var metrics = new Metrics("dropping");
        _plugins.Options.QueueLength = 3;
        var running = new Signal();
        var goOn = new Signal();
        ConcurrentQueue<CloseReason> handled = [];
        Behaviour slow = Blocking(running, goOn);
        slow.OnLeft = (left, _) =>
        {
            handled.Enqueue(left.Reason);
            return Task.CompletedTask;
        };
        _plugins.Add("dropping", slow);
        CloseReason[] reasons = [CloseReason.Local, CloseReason.Remote, CloseReason.Idle, CloseReason.Lost, CloseReason.Crash];

        Task<MeshError?> first = _plugins.SendAsync();
        await running.WaitAsync();
        foreach (CloseReason reason in reasons)
            _plugins.Dispatcher.Publish(TestPlugins.Left with { Reason = reason });
        Task<MeshError?> message = _plugins.SendAsync();
        goOn.Set();
        await Task.WhenAll(first, message);

        (await message).ShouldBeNull("news does not make messages be refused");
        handled.ShouldBe(reasons[2..]);
        metrics.Sum("eventmesh.plugin.queue.dropped").ShouldBe(2);
    }

    [Fact]
    public async Task A_request_does_not_wait_behind_messages()
    {
        var running = new Signal();
        var goOn = new Signal();
        _plugins.Add("slow", Blocking(running, goOn));

        Task<MeshError?> message = _plugins.SendAsync();
        await running.WaitAsync();
        (await _plugins.RequestAsync()).ToArray().ShouldBe("hello"u8.ToArray());
        message.IsCompleted.ShouldBeFalse();

        goOn.Set();
        await message;
    }

    [Fact]
    public async Task Requests_over_the_limit_are_refused_until_one_has_ended()
    {
        _plugins.Options.MaxRunningRequests = 1;
        var running = new Signal();
        var goOn = new Signal();
        _plugins.Add("slow", new Behaviour
        {
            OnRequest = async (request, _) =>
            {
                running.Set();
                await goOn.WaitAsync();
                return request.Payload;
            },
        });

        Task<ReadOnlyMemory<byte>> first = _plugins.RequestAsync();
        await running.WaitAsync();
        (await Should.ThrowAsync<MeshException>(() => _plugins.RequestAsync())).Error.ShouldBe(MeshError.Busy);
        goOn.Set();
        await first;

        await _plugins.RequestAsync();
    }

    [Fact]
    public async Task A_request_that_is_taken_back_frees_the_caller_and_is_no_failure_of_the_plugin()
    {
        var running = new Signal();
        PluginRunner runner = _plugins.Add("slow", new Behaviour
        {
            OnRequest = async (_, token) =>
            {
                running.Set();
                await Task.Delay(Timeout.Infinite, token);
                return default;
            },
        });
        using var peer = new CancellationTokenSource();

        Task<ReadOnlyMemory<byte>> request = _plugins.RequestAsync(cancellationToken: peer.Token);
        await running.WaitAsync();
        await peer.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => request);
        await runner.StopAsync(CancellationToken.None); // Waits for the handler.
        runner.Failures.ShouldBe(0);
    }

    [Fact]
    public async Task Stopping_handles_what_waits()
    {
        _plugins.Options.StopTimeout = TimeSpan.FromSeconds(10);
        int handled = 0;
        PluginRunner runner = _plugins.Add("one", new Behaviour { OnMessage = (_, _) => Task.FromResult(Interlocked.Increment(ref handled)) });
        Task<MeshError?>[] sent = [.. Enumerable.Range(0, 50).Select(_ => _plugins.SendAsync())];

        await runner.StopAsync(CancellationToken.None);

        handled.ShouldBe(50);
        (await Task.WhenAll(sent)).ShouldAllBe(error => error == null);
        (await _plugins.SendAsync()).ShouldBe(MeshError.Busy);
    }

    [Fact]
    public async Task Stopping_gives_up_what_hangs_and_answers_what_waits()
    {
        var running = new Signal();
        var never = new Signal();
        PluginRunner runner = _plugins.Add("hanging", Blocking(running, never));
        Task<MeshError?> hanging = _plugins.SendAsync();
        await running.WaitAsync();
        Task<MeshError?> waiting = _plugins.SendAsync();

        await runner.StopAsync(CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(2));

        (await hanging).ShouldBe(MeshError.HandlerFailed);
        (await waiting).ShouldBe(MeshError.Busy);
        runner.Failures.ShouldBe(0, "the plugin was not too slow, the stop was too early");
        never.Set();
    }

    [Fact]
    public async Task Dispatching_never_waits_for_a_handler_even_one_that_blocks_before_its_first_await()
    {
        using var never = new ManualResetEventSlim();
        _plugins.Add("blocking", new Behaviour
        {
            OnMessage = (_, _) =>
            {
                never.Wait(CancellationToken.None);
                return Task.CompletedTask;
            },
            OnRequest = (request, _) =>
            {
                never.Wait(CancellationToken.None);
                return Task.FromResult(request.Payload);
            },
        });

        Task<MeshError?> message = _plugins.SendAsync();
        Task<ReadOnlyMemory<byte>> request = _plugins.RequestAsync();

        message.IsCompleted.ShouldBeFalse();
        request.IsCompleted.ShouldBeFalse();
        never.Set();
        await message;
        await request;
    }

    internal static Behaviour Blocking(Signal running, Signal goOn) => new()
    {
        OnMessage = (_, _) =>
        {
            running.Set();
            return goOn.WaitAsync();
        },
    };
}
