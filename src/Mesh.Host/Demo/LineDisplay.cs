using System.Diagnostics;
using System.Globalization;

namespace EventMesh.Host.Demo;

/// <summary>Steps as plain lines, for pipes and logs; none at all without a writer.</summary>
internal sealed class LineDisplay(TextWriter? output) : IDemoDisplay
{
    private readonly long _start = Stopwatch.GetTimestamp();

    public void Step(string text) =>
        output?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(_start).TotalSeconds,6:F1} s  {text}"));

    public void Changed()
    {
        // Lines tell of steps only.
    }

    public Task<T> RunAsync<T>(Func<IReadOnlyList<DemoRow>> rows, Func<Task<T>> demo) => demo();
}
