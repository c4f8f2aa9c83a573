using System.Diagnostics;
using System.Globalization;
using EventMesh.Host.Commands;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace EventMesh.Host.Demo;

/// <summary>The nodes in a table that is drawn anew as they change, and the steps below it.</summary>
internal sealed class LiveDisplay(IAnsiConsole console) : IDemoDisplay
{
    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(100);

    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly Lock _mutex = new();
    private readonly List<string> _steps = [];
    private volatile bool _isChanged = true;

    public void Step(string text)
    {
        lock (_mutex) _steps.Add(string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(_start).TotalSeconds,6:F1} s  {text}"));
        _isChanged = true;
    }

    public void Changed() => _isChanged = true;

    public async Task<T> RunAsync<T>(Func<IReadOnlyList<DemoRow>> rows, Func<Task<T>> demo)
    {
        Task<T> running = demo();
        await console.Live(Draw(rows())).AutoClear(false).StartAsync(async live =>
        {
            using PeriodicTimer timer = new(Frame);
            while (!running.IsCompleted)
            {
                if (_isChanged)
                {
                    _isChanged = false;
                    live.UpdateTarget(Draw(rows()));
                }
                await timer.WaitForNextTickAsync();
            }
            live.UpdateTarget(Draw(rows()));
        });
        return await running;
    }

    private Rows Draw(IReadOnlyList<DemoRow> rows)
    {
        Table table = new Table().RoundedBorder().AddColumns("node", "process", "listens on", "peers", "received");
        table.AddColumn(new TableColumn("last event").NoWrap());
        foreach (DemoRow row in rows)
        {
            int width = Math.Max(20, console.Profile.Width - 68);
            string last = row.LastEvent.Length > width ? row.LastEvent[..width] : row.LastEvent;
            table.AddTextRow(
                row.Name, row.Process, row.Listen, row.Peers.ToString(CultureInfo.InvariantCulture), row.Received.ToString(CultureInfo.InvariantCulture), last);
        }
        List<IRenderable> parts = [table];
        lock (_mutex) parts.AddRange(_steps.Select(s => new Text(s)));
        return new Rows(parts);
    }
}
