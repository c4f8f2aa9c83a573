using EventMesh.Limits.Internal;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Limits;

public sealed class MinuteBudgetTests
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void No_minute_has_more_than_the_budget_wherever_it_begins()
    {
        var budget = new MinuteBudget(10, _clock);
        List<TimeSpan> taken = [];
        // Twice a second for ten minutes.
        for (int i = 0; i < 1200; i++)
        {
            if (budget.TryTake()) taken.Add(_clock.GetUtcNow().TimeOfDay);
            _clock.Advance(TimeSpan.FromMilliseconds(500));
        }
        taken.Count.ShouldBe(100);
        for (int i = 0; i + 10 < taken.Count; i++) (taken[i + 10] - taken[i]).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void Places_that_nobody_took_are_not_saved_up()
    {
        var budget = new MinuteBudget(3, _clock);
        _clock.Advance(TimeSpan.FromHours(1));
        Enumerable.Range(0, 10).Count(_ => budget.TryTake()).ShouldBe(3);
    }
}
