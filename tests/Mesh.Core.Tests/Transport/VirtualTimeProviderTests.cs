using EventMesh.Transport.InMemory;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Transport;

public sealed class VirtualTimeProviderTests
{
    private readonly VirtualTimeProvider _clock = new();

    [Fact]
    public void Timers_fire_in_the_order_of_their_times_and_then_of_their_setting()
    {
        var fired = new List<string>();
        using ITimer late = Timer(() => fired.Add("late"), 20);
        using ITimer first = Timer(() => fired.Add("first"), 10);
        using ITimer second = Timer(() => fired.Add("second"), 10);

        _clock.Advance(TimeSpan.FromMilliseconds(9));
        fired.ShouldBeEmpty();
        _clock.Advance(TimeSpan.FromMilliseconds(11));

        fired.ShouldBe(["first", "second", "late"]);
        _clock.GetUtcNow().ShouldBe(new DateTimeOffset(2026, 1, 1, 0, 0, 0, 20, TimeSpan.Zero));
    }

    [Fact]
    public void Timer_that_is_changed_or_disposed_does_not_fire_as_before()
    {
        int fired = 0;
        using ITimer changed = Timer(() => fired++, 10);
        ITimer disposed = Timer(() => fired += 100, 10);

        changed.Change(TimeSpan.FromMilliseconds(30), Timeout.InfiniteTimeSpan);
        disposed.Dispose();
        _clock.Advance(TimeSpan.FromMilliseconds(29));
        fired.ShouldBe(0);
        _clock.Advance(TimeSpan.FromMilliseconds(1));

        fired.ShouldBe(1);
    }

    [Fact]
    public void Periodic_timer_fires_until_it_is_disposed()
    {
        int fired = 0;
        ITimer timer = _clock.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));

        _clock.Advance(TimeSpan.FromSeconds(10));
        timer.Dispose();
        _clock.Advance(TimeSpan.FromSeconds(10));

        fired.ShouldBe(5);
    }

    [Fact]
    public void Delays_of_a_day_pass_at_once()
    {
        Task work = WorkAsync();

        _clock.RunUntil(work, TimeSpan.FromDays(2)).ShouldBeTrue();

        _clock.Elapsed.ShouldBe(TimeSpan.FromHours(24));

        async Task WorkAsync()
        {
            for (int i = 0; i < 24; i++)
                await Task.Delay(TimeSpan.FromHours(1), _clock).ConfigureAwait(false);
        }
    }

    [Fact]
    public void Limit_ends_a_run_that_leads_nowhere()
    {
        _clock.RunUntil(new TaskCompletionSource().Task, TimeSpan.FromSeconds(3)).ShouldBeFalse();

        _clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(3));
        _clock.RunNext().ShouldBeFalse();
    }

    [Fact]
    public void Running_the_clock_from_within_is_refused()
    {
        Exception? caught = null;
        using ITimer timer = Timer(() => caught = Record.Exception(() => _clock.RunNext()), 1);

        _clock.Advance(TimeSpan.FromMilliseconds(1));

        caught.ShouldBeOfType<InvalidOperationException>();
    }

    [Fact]
    public void Work_on_the_thread_pool_is_waited_for_when_asked()
    {
        var clock = new VirtualTimeProvider { WaitForThreadPool = true };
        Task work = WorkAsync();

        clock.RunUntil(work, TimeSpan.FromSeconds(60)).ShouldBeTrue();

        clock.Elapsed.ShouldBeInRange(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(60));

        async Task WorkAsync()
        {
            for (int i = 0; i < 5; i++)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), clock).ConfigureAwait(false);
                await Task.Yield();
            }
        }
    }

    [Fact]
    public async Task Thread_of_the_pool_that_is_never_free_costs_one_wait_only()
    {
        var clock = new VirtualTimeProvider { WaitForThreadPool = true };
        using var end = new ManualResetEventSlim();
        using var began = new ManualResetEventSlim();
        Task occupant = Task.Run(() =>
        {
            began.Set();
            end.Wait();
        }, TestContext.Current.CancellationToken);
        began.Wait(TestContext.Current.CancellationToken);
        int fired = 0;
        await using ITimer timer = clock.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));

        // At 2 s a step it would take more than half an hour.
        await Task.Factory.StartNew(
            () => clock.Advance(TimeSpan.FromSeconds(1_000)), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
            .WaitAsync(TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);

        fired.ShouldBe(1_000);
        end.Set();
        await occupant;
    }

    private ITimer Timer(Action action, int milliseconds) =>
        _clock.CreateTimer(_ => action(), null, TimeSpan.FromMilliseconds(milliseconds), Timeout.InfiniteTimeSpan);
}
