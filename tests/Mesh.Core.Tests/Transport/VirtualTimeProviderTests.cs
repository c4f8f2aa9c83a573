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

    private ITimer Timer(Action action, int milliseconds) =>
        _clock.CreateTimer(_ => action(), null, TimeSpan.FromMilliseconds(milliseconds), Timeout.InfiniteTimeSpan);
}
