using System.Text.Json;
using EventMesh.EndToEnd.Support;

namespace EventMesh.EndToEnd;

/// <summary>What <c>Handled</c> promises, against a receiver that is killed.</summary>
[Collection(nameof(OneAtATime))]
public sealed class HandledDeliveryTests : IAsyncLifetime
{
    private readonly TestFolder _folder = new();

    public async ValueTask InitializeAsync() => await MeshProgram.RequireAsync();

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Nothing_that_was_handled_is_lost_when_the_receiver_is_killed()
    {
        // The plugin writes each message to the node's log and returns when that is durable.
        string data = _folder["receiver"];
        string plugins = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../test-plugins/RecordingPlugin"));
        string plugin = Path.Combine(_folder["plugins"], "RecordingPlugin");
        CopyFolder(plugins, plugin);
        HashSet<string> handled = [];
        // A killed peer is gone when its connection has been silent for so long; until then the sender waits.
        var environment = new Dictionary<string, string> { ["EventMesh__Transport__IdleTimeout"] = "00:00:08" };
        await using NodeProcess sender = await NodeProcess.StartAsync(_folder["sender"], "127.0.0.1:0", networkNamespace: null, environment);
        for (int round = 0; round < 2; round++)
        {
            await using NodeProcess receiver = await NodeProcess.StartAsync(data, "--contact", sender.Listen, "--plugins", _folder["plugins"]);
            await receiver.WaitForEventAsync("peer.joined.v1", joined => joined.GetProperty("peer").GetString() == sender.Peer);
            using var anyHandled = new SemaphoreSlim(0);
            using var stop = new CancellationTokenSource();
            int number = round * 1000;
            Task[] senders =
            [
                .. Enumerable.Range(0, 4).Select(async _ =>
                {
                    while (!stop.IsCancellationRequested)
                    {
                        string text = $"n{Interlocked.Increment(ref number)}";
                        MeshProgram.Outcome send = await sender.RunAsync("send", receiver.Peer, "record", text, "--handled");
                        if (send.Code != 0 || send.Json.GetProperty("outcome").GetString() != "handled") continue;
                        lock (handled) handled.Add($"{text}!");
                        anyHandled.Release();
                    }
                }),
            ];
            for (int i = 0; i < 8; i++) (await anyHandled.WaitAsync(MeshProgram.Limit)).ShouldBeTrue();
            (await receiver.SignalAsync("KILL")).ShouldNotBe(0);
            await stop.CancelAsync();
            await Task.WhenAll(senders).WaitAsync(MeshProgram.Limit);
        }

        await using NodeProcess again = await NodeProcess.StartAsync(data, "--mesh", "another");
        HashSet<string?> logged =
        [
            .. (await again.RunAsync("events")).Lines
                .Where(e => e.GetProperty("event").GetString() == "plugin.event.v1" && e.GetProperty("data").GetProperty("name").GetString() == "seen")
                .Select(e => e.GetProperty("data").GetProperty("data").GetProperty("text").GetString()),
        ];
        handled.Count.ShouldBeGreaterThanOrEqualTo(16);
        handled.ShouldBeSubsetOf(logged.OfType<string>());
    }

    private static void CopyFolder(string from, string to)
    {
        if (!Directory.Exists(from)) Assert.Skip($"The plugin is not built: {from} is missing.");
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
