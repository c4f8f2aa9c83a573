using Microsoft.Extensions.Time.Testing;

namespace EventMesh.Core.Tests.Journal;

/// <summary>A clock that tests move, beside a writer that really works.</summary>
internal static class ClockExtensions
{
    /// <summary>
    /// Moves the clock by single milliseconds until something is so. As long as that really takes a machine, hardly more passes on the clock, also
    /// where the writer gets no processor for a while: what a test says of a minute stays true.
    /// </summary>
    public static async Task RunUntilAsync(this FakeTimeProvider clock, Func<bool> condition)
    {
        CancellationToken limit = TestLimit.Token;
        while (!condition())
        {
            clock.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Delay(1, limit);
        }
    }
}
