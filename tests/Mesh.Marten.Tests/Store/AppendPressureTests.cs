using EventMesh.Marten.Store.Internal;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Store;

public sealed class AppendPressureTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _clock = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Nobody_waits_without_pressure() => new AppendPressure(_clock).WhenEasedAsync(Limit, Cancellation).IsCompletedSuccessfully.ShouldBeTrue();

    [Fact]
    public async Task Who_waits_goes_on_when_it_eases()
    {
        var pressure = new AppendPressure(_clock);
        pressure.Rise();
        pressure.Rise();
        Task waiting = pressure.WhenEasedAsync(Limit, Cancellation);
        waiting.IsCompleted.ShouldBeFalse();
        pressure.IsHigh.ShouldBeTrue();

        pressure.Ease();
        pressure.IsHigh.ShouldBeFalse();

        await waiting.WaitAsync(TimeSpan.FromMinutes(2), Cancellation);
        pressure.WhenEasedAsync(Limit, Cancellation).IsCompletedSuccessfully.ShouldBeTrue();
    }

    [Fact]
    public async Task Who_waits_goes_on_after_a_while_however_great_it_is()
    {
        var pressure = new AppendPressure(_clock);
        pressure.Rise();
        Task waiting = pressure.WhenEasedAsync(Limit, Cancellation);

        _clock.Advance(Limit);

        await waiting.WaitAsync(TimeSpan.FromMinutes(2), Cancellation);
    }
}
