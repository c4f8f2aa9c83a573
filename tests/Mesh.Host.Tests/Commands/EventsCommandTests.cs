using System.Text.Json;
using EventMesh.Events;
using EventMesh.Host.Commands;
using EventMesh.Host.Errors;
using EventMesh.Host.Tests.Support;

namespace EventMesh.Host.Tests.Commands;

public sealed class EventsCommandTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Following_goes_on_when_the_node_comes_back()
    {
        ControlApp first = await ControlApp.StartAsync();
        string data = first.DataDirectory;
        first.Log.Record(new NodeStopped("1"));
        first.Log.Store();
        using LineOutput output = new();
        using StringWriter error = new();
        // There is no Ctrl-C in a process that others use: the command ends with a place that the log does not have.
#pragma warning disable CA2025 // The command has ended when the writers are disposed: it is awaited below.
        Task<int> following = MeshCommandLine.InvokeAsync(["events", "--follow", "--reconnect", "--output", "json", "--data", data], output, error);
#pragma warning restore CA2025
        await output.WhenAsync(1).WaitAsync(Limit);
        first.Log.Record(new NodeStopped("2"));
        await output.WhenAsync(2).WaitAsync(Limit);
        first.Log.Store();
        await first.StopAsync();

        ControlApp second = await ControlApp.StartAsync(data, first.Log);
        first.Log.Record(new NodeStopped("3"));
        first.Log.Store();
        await output.WhenAsync(3).WaitAsync(Limit);
        await second.StopAsync();
        await using ControlApp restored = await ControlApp.StartAsync(data);

        ((ExitCode)await following.WaitAsync(Limit)).ShouldBe(ExitCode.Usage);
        output.Lines.Select(line => JsonSerializer.Deserialize<JsonElement>(line).GetProperty("seq").GetInt64()).ShouldBe([1L, 2, 3]);
        error.ToString().ShouldContain("Waiting for the node, to go on after place 2.");
        error.ToString().ShouldContain("The log ends at place 0, before 3");
        await first.DisposeAsync();
        await second.DisposeAsync();
    }

    [Fact]
    public async Task Reconnecting_is_for_following()
    {
        CommandResult result = await CommandResult.RunAsync("events", "--reconnect");
        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldContain("--reconnect is for --follow.");
    }

    /// <summary>Tells when a line has been written.</summary>
    private sealed class LineOutput : StringWriter
    {
        private readonly Lock _mutex = new();
        private readonly List<string> _lines = [];
        private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IReadOnlyList<string> Lines
        {
            get
            {
                lock (_mutex) return [.. _lines];
            }
        }

        public override void WriteLine(string? value)
        {
            lock (_mutex)
            {
                _lines.Add(value ?? "");
                _changed.TrySetResult();
                _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        public async Task WhenAsync(int count)
        {
            while (true)
            {
                Task changed;
                lock (_mutex)
                {
                    if (_lines.Count >= count) return;
                    changed = _changed.Task;
                }
                await changed;
            }
        }
    }
}
