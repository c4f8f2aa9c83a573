using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Plugins.Dispatch.Internal;
using EventMesh.Tests.Common;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace EventMesh.Plugins.Tests;

public sealed class FailureTests : IAsyncDisposable
{
    private readonly TestPlugins _plugins = new();

    public ValueTask DisposeAsync() => _plugins.DisposeAsync();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_handler_that_throws_fails_the_message_and_the_plugins_other_handlers_still_run(bool atOnce)
    {
        int other = 0;
        _plugins.Add("throwing", new Behaviour
        {
            OnMessage = async (_, _) =>
            {
                if (!atOnce)
                    await Task.Yield();
                throw new InvalidOperationException("on purpose");
            },
            OnMessageToo = (_, _) => Task.FromResult(Interlocked.Increment(ref other)),
        });

        (await _plugins.SendAsync()).ShouldBe(MeshError.HandlerFailed);

        other.ShouldBe(1);
        PluginFailed failed = _plugins.Journal.All<PluginFailed>().ShouldHaveSingleItem();
        failed.Plugin.ShouldBe("throwing");
        failed.Notification.ShouldBe("MessageReceived");
        failed.Error.ShouldBe("InvalidOperationException: on purpose");
    }

    [Fact]
    public async Task A_handler_that_throws_before_it_returns_a_task_does_not_stop_the_others()
    {
        int other = 0;
        _plugins.Add("throwing", new Behaviour
        {
            OnMessage = (_, _) => throw new InvalidOperationException("at once"),
            OnMessageToo = (_, _) => Task.FromResult(Interlocked.Increment(ref other)),
        });

        (await _plugins.SendAsync()).ShouldBe(MeshError.HandlerFailed);
        other.ShouldBe(1);
    }

    [Fact]
    public async Task A_handler_that_returns_no_task_fails()
    {
        // A plugin in old C# or another language may do so.
#pragma warning disable MA0022, VSTHRD114
        _plugins.Add("null", new Behaviour { OnMessage = (_, _) => null! });
#pragma warning restore MA0022, VSTHRD114

        (await _plugins.SendAsync()).ShouldBe(MeshError.HandlerFailed);
    }

    [Fact]
    public async Task A_failing_plugin_does_not_keep_others_from_a_message()
    {
        int other = 0;
        _plugins.Add("a-throwing", new Behaviour { OnMessage = (_, _) => throw new InvalidOperationException("on purpose") });
        _plugins.Add("b-good", new Behaviour { OnMessage = (_, _) => Task.FromResult(Interlocked.Increment(ref other)) });

        (await _plugins.SendAsync()).ShouldBe(MeshError.HandlerFailed);
        other.ShouldBe(1);
    }

    [Fact]
    public async Task A_failed_message_is_not_handled_again()
    {
        int calls = 0;
        _plugins.Add("throwing", new Behaviour
        {
            OnMessage = (_, _) =>
            {
                calls++;
                throw new InvalidOperationException("on purpose");
            },
        });

        await _plugins.SendAsync();
        await _plugins.Dispatcher.Runners[0].StopAsync(CancellationToken.None);

        calls.ShouldBe(1);
    }

    [Fact]
    public async Task A_failed_notification_is_tried_once_more_by_the_handlers_that_failed()
    {
        int failing = 0;
        int good = 0;
        PluginRunner runner = _plugins.Add("flaky", new Behaviour
        {
            OnLeft = (_, _) => Task.FromResult(Interlocked.Increment(ref good)),
            OnLeftToo = (_, _) => Interlocked.Increment(ref failing) == 1 ? throw new InvalidOperationException("first time") : Task.CompletedTask,
        });

        _plugins.Dispatcher.Publish(TestPlugins.Left);
        await _plugins.SendAsync(); // Behind the notification.

        failing.ShouldBe(2);
        good.ShouldBe(1);
        runner.Failures.ShouldBe(0);
        _plugins.Journal.Events.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_notification_that_fails_twice_is_one_failure()
    {
        int calls = 0;
        PluginRunner runner = _plugins.Add("throwing", new Behaviour
        {
            OnLeft = async (_, _) =>
            {
                calls++;
                await Task.Yield();
                throw new InvalidOperationException($"time {calls}");
            },
        });

        _plugins.Dispatcher.Publish(TestPlugins.Left);
        await _plugins.SendAsync();

        calls.ShouldBe(2);
        runner.Failures.ShouldBe(1);
        _plugins.Journal.All<PluginFailed>().ShouldHaveSingleItem().Error.ShouldBe("InvalidOperationException: time 2");
    }

    [Fact]
    public async Task A_hanging_handler_is_cancelled_and_left_behind_and_the_next_message_is_handled()
    {
        _plugins.Options.HandlerTimeout = TimeSpan.FromMilliseconds(50);
        using var never = new ManualResetEventSlim();
        var cancelled = new Signal();
        bool hang = true;
        _plugins.Add("hanging", new Behaviour
        {
            OnMessage = (_, token) =>
            {
                if (!hang)
                    return Task.CompletedTask;
                token.Register(cancelled.Set);
                never.Wait(CancellationToken.None);
                return Task.CompletedTask;
            },
        });

        (await _plugins.SendAsync()).ShouldBe(MeshError.HandlerFailed);
        hang = false;
        (await _plugins.SendAsync()).ShouldBeNull();

        await cancelled.WaitAsync();
        _plugins.Journal.All<PluginFailed>().ShouldHaveSingleItem().Error.ShouldContain("0.05 s");
        never.Set();
    }

    [Fact]
    public async Task A_hanging_request_fails_in_time()
    {
        _plugins.Options.HandlerTimeout = TimeSpan.FromMilliseconds(50);
        _plugins.Add("hanging", new Behaviour { OnRequest = (_, _) => new TaskCompletionSource<ReadOnlyMemory<byte>>().Task });

        (await Should.ThrowAsync<MeshException>(() => _plugins.RequestAsync())).Error.ShouldBe(MeshError.HandlerFailed);
    }

    [Fact]
    public async Task A_request_whose_handler_throws_is_answered_with_handler_failed_and_not_with_the_exception()
    {
        _plugins.Add("throwing", new Behaviour { OnRequest = (_, _) => throw new InvalidOperationException("a secret") });

        MeshException failure = await Should.ThrowAsync<MeshException>(() => _plugins.RequestAsync());

        failure.Error.ShouldBe(MeshError.HandlerFailed);
        failure.ToString().ShouldNotContain("secret");
    }

    [Fact]
    public async Task Failures_in_a_row_quarantine_a_plugin_and_answer_what_waits()
    {
        using var metrics = new Metrics("quarantined");
        var goOn = new Signal();
        PluginRunner runner = _plugins.Add("quarantined", new Behaviour
        {
            OnMessage = async (_, _) =>
            {
                await goOn.WaitAsync();
                throw new InvalidOperationException("on purpose");
            },
        });
        Task<MeshError?>[] sent = [.. Enumerable.Range(0, 20).Select(_ => _plugins.SendAsync())];
        goOn.Set();

        (await Task.WhenAll(sent)).ShouldAllBe(error => error == MeshError.HandlerFailed);

        runner.IsQuarantined.ShouldBeTrue();
        runner.Failures.ShouldBe(5, "the others were not tried");
        _plugins.Journal.All<PluginQuarantined>().ShouldBe([new PluginQuarantined("quarantined", 5)]);
        (await _plugins.SendAsync()).ShouldBe(MeshError.NoHandler);
        (await Should.ThrowAsync<MeshException>(() => _plugins.RequestAsync())).Error.ShouldBe(MeshError.NoHandler);
        metrics.Sum("eventmesh.plugin.failures").ShouldBe(5);
        metrics.Sum("eventmesh.plugin.quarantined").ShouldBe(1);
    }

    [Fact]
    public async Task One_peer_at_whose_messages_a_plugin_fails_is_muted_and_the_plugin_stays_for_the_others()
    {
        PeerId hostile = TestPlugins.PeerOf(66);
        PluginRunner runner = _plugins.Add("choosy", new Behaviour
        {
            OnMessage = (message, _) => message.From == hostile ? throw new InvalidOperationException("on purpose") : Task.CompletedTask,
            OnRequest = (_, _) => throw new InvalidOperationException("on purpose"),
        });

        for (int i = 0; i < 5; i++)
        {
            (await _plugins.SendAsync(from: hostile)).ShouldBe(MeshError.HandlerFailed);
            (await _plugins.SendAsync()).ShouldBeNull();
        }

        for (int i = 0; i < 20; i++)
            (await _plugins.SendAsync(from: hostile)).ShouldBe(MeshError.Busy);
        (await _plugins.SendAsync()).ShouldBeNull();
        runner.IsQuarantined.ShouldBeFalse();
        runner.Failures.ShouldBe(5, "what a muted peer sends is not tried");
        _plugins.Failures.Peers.ShouldBe(Enumerable.Repeat(hostile, 5), "the node counts it against the peer");
        _plugins.Journal.All<PluginQuarantined>().ShouldBeEmpty();
    }

    [Fact]
    public async Task Failures_of_one_peer_alone_never_quarantine_not_even_when_nobody_else_sends()
    {
        PluginRunner runner = _plugins.Add("failing", new Behaviour { OnMessage = (_, _) => throw new InvalidOperationException("on purpose") });

        for (int i = 0; i < 50; i++)
            await _plugins.SendAsync(from: TestPlugins.PeerOf(1));
        runner.IsQuarantined.ShouldBeFalse();
        for (int i = 0; i < 5; i++)
            await _plugins.SendAsync(from: TestPlugins.PeerOf(2));
        runner.IsQuarantined.ShouldBeFalse();
        await _plugins.SendAsync(from: TestPlugins.PeerOf(3));

        runner.IsQuarantined.ShouldBeTrue("three peers are several");
    }

    [Fact]
    public async Task Failures_at_the_nodes_own_notifications_quarantine()
    {
        _plugins.Options.QuarantineAfter = 2;
        PluginRunner runner = _plugins.Add("failing", new Behaviour { OnLeft = (_, _) => throw new InvalidOperationException("on purpose") });

        _plugins.Dispatcher.Publish(TestPlugins.Left);
        _plugins.Dispatcher.Publish(TestPlugins.Left);
        await _plugins.Journal.WaitForAsync<PluginQuarantined>(_ => true);

        runner.IsQuarantined.ShouldBeTrue();
        _plugins.Failures.Peers.ShouldBeEmpty();
    }

    [Fact]
    public void A_peer_is_muted_for_ten_minutes_and_the_table_of_peers_is_bounded()
    {
        var time = new FakeTimeProvider();
        var peers = new PeerFailures(2, time);
        PeerId peer = TestPlugins.PeerOf(1);
        peers.Failed(peer, overdue: 0).ShouldBeFalse();
        peers.Succeeded(peer);
        peers.Failed(peer, overdue: 0).ShouldBeFalse("a success ends the row");
        peers.Failed(peer, overdue: 0).ShouldBeTrue();
        peers.Failed(peer, overdue: 0).ShouldBeFalse("muted once");
        peers.Succeeded(peer);
        peers.IsMuted(peer).ShouldBeTrue("what was under way does not end it");
        time.Advance(PeerFailures.MuteTime);
        peers.IsMuted(peer).ShouldBeFalse();

        peers.Failed(peer, overdue: 2).ShouldBeTrue("handlers that hang count");
        for (int i = 0; i < 3000; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            byte[] bytes = new byte[PeerId.Length];
            BitConverter.TryWriteBytes(bytes, i + 1000);
            peers.Failed(new PeerId(bytes), overdue: 0);
        }
        peers.Count.ShouldBe(PeerFailures.Capacity);
    }

    [Fact]
    public async Task A_success_in_between_ends_the_row()
    {
        int calls = 0;
        PluginRunner runner = _plugins.Add("sometimes", new Behaviour
        {
            OnMessage = (_, _) => ++calls % 5 == 0 ? Task.CompletedTask : throw new InvalidOperationException("often"),
        });

        for (int i = 0; i < 20; i++)
            await _plugins.SendAsync();

        runner.Failures.ShouldBe(16);
        runner.IsQuarantined.ShouldBeFalse();
    }

    [Fact]
    public async Task Handlers_that_still_run_past_their_limit_quarantine_even_with_successes_in_between()
    {
        _plugins.Options.HandlerTimeout = TimeSpan.FromMilliseconds(20);
        _plugins.Options.QuarantineAfter = 3;
        var never = new Signal();
        int calls = 0;
        PluginRunner runner = _plugins.Add("leaking", new Behaviour { OnMessage = (_, _) => ++calls % 2 == 0 ? Task.CompletedTask : never.WaitAsync() });

        for (int i = 0; i < 5; i++)
            await _plugins.SendAsync();

        runner.IsQuarantined.ShouldBeTrue();
        never.Set();
    }

    [Fact]
    public async Task A_log_that_takes_nothing_more_does_not_stop_the_workers()
    {
        _plugins.Options.QuarantineAfter = 100;
        _plugins.Journal.Refusal = new MeshException(MeshError.NodeStopped, "closed");
        _plugins.Add("throwing", new Behaviour { OnMessage = (_, _) => throw new InvalidOperationException("on purpose") });

        (await _plugins.SendAsync()).ShouldBe(MeshError.HandlerFailed);
        (await _plugins.SendAsync()).ShouldBe(MeshError.HandlerFailed);
    }

    [Fact]
    public void The_log_hears_of_failures_once_in_ten_seconds_with_the_number_of_the_others()
    {
        var time = new FakeTimeProvider();
        var journal = new FakeJournal(time);
        var monitor = new FailureMonitor("plugin", quarantineAfter: 100, journal, time, NullLogger.Instance);

        for (int i = 0; i < 4; i++)
            monitor.Failed("MessageReceived", null, MeshError.HandlerFailed, new InvalidOperationException($"{i}"));
        time.Advance(TimeSpan.FromSeconds(10));
        monitor.Failed("MessageReceived", null, MeshError.HandlerFailed, new InvalidOperationException("last"));

        journal.All<PluginFailed>().Select(failed => failed.Error)
            .ShouldBe(["InvalidOperationException: 0", "InvalidOperationException: last (and 3 failures since the last event)"]);
        monitor.Total.ShouldBe(5);
    }

    [Fact]
    public void A_long_text_of_an_exception_is_cut()
    {
        var journal = new FakeJournal();
        var monitor = new FailureMonitor("plugin", quarantineAfter: 100, journal, TimeProvider.System, NullLogger.Instance);

        monitor.Failed("MessageReceived", null, MeshError.HandlerFailed, new InvalidOperationException(new string('x', 100_000) + "\nsecond line"));

        journal.All<PluginFailed>()[0].Error.Length.ShouldBeLessThan(600);
    }
}
