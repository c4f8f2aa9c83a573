using EventMesh.Wire;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Wire;

public sealed class ByteBudgetTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Who_asks_for_more_than_is_left_waits_until_it_is_given_back()
    {
        var budget = new ByteBudget(100);
        await budget.AcquireAsync(60, CancellationToken.None);
        Task second = budget.AcquireAsync(50, CancellationToken.None).AsTask();
        second.IsCompleted.ShouldBeFalse();

        budget.Release(60);

        await second.WaitAsync(Limit);
    }

    [Fact]
    public async Task A_small_one_does_not_overtake_a_large_one_that_waits()
    {
        var budget = new ByteBudget(100);
        await budget.AcquireAsync(60, CancellationToken.None);
        Task large = budget.AcquireAsync(100, CancellationToken.None).AsTask();
        Task small = budget.AcquireAsync(1, CancellationToken.None).AsTask();
        small.IsCompleted.ShouldBeFalse();

        budget.Release(60);
        await large.WaitAsync(Limit);
        small.IsCompleted.ShouldBeFalse();
        budget.Release(100);

        await small.WaitAsync(Limit);
    }

    [Fact]
    public async Task A_cancelled_wait_takes_nothing_and_holds_up_nobody()
    {
        var budget = new ByteBudget(100);
        await budget.AcquireAsync(60, CancellationToken.None);
        using var cancellation = new CancellationTokenSource();
        Task cancelled = budget.AcquireAsync(100, cancellation.Token).AsTask();
        Task next = budget.AcquireAsync(50, CancellationToken.None).AsTask();

        await cancellation.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => cancelled.WaitAsync(Limit));
        budget.Release(10);

        await next.WaitAsync(Limit);
        budget.Release(50 + 50);
        await budget.AcquireAsync(100, CancellationToken.None).AsTask().WaitAsync(Limit);
    }
}
