using EventMesh.Transport.InMemory;
using Shouldly;
using Xunit;

namespace EventMesh.Simulation;

/// <summary>A clock that waits for the thread pool; here, where no other test uses it at the same time.</summary>
public sealed class ThreadPoolClockTests
{
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
    public async Task Thread_of_the_pool_that_was_busy_before_the_clock_is_not_waited_for()
    {
        using var end = new ManualResetEventSlim();
        using var began = new ManualResetEventSlim();
        Task occupant = Task.Run(() =>
        {
            began.Set();
            end.Wait();
        }, TestContext.Current.CancellationToken);
        began.Wait(TestContext.Current.CancellationToken);
        var clock = new VirtualTimeProvider { WaitForThreadPool = true };
        int fired = 0;
        await using ITimer timer = clock.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));

        // At 10 s a step it would take hours.
        await Task.Factory.StartNew(
            () => clock.Advance(TimeSpan.FromSeconds(1_000)), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
            .WaitAsync(TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);

        fired.ShouldBe(1_000);
        end.Set();
        await occupant;
    }
}
