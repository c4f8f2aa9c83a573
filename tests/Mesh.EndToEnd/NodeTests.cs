using System.Text.Json;
using EventMesh.EndToEnd.Support;

namespace EventMesh.EndToEnd;

[Collection(nameof(OneAtATime))]
public sealed class NodeTests : IAsyncLifetime
{
    private readonly TestFolder _folder = new();

    public async ValueTask InitializeAsync() => await MeshProgram.RequireAsync();

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Two_nodes_meet_and_every_command_works()
    {
        await using NodeProcess alpha = await NodeProcess.StartAsync(_folder["alpha"], "--plugins", MeshProgram.Plugins);
        await using NodeProcess beta = await NodeProcess.StartAsync(_folder["beta"], "--contact", alpha.Listen);
        await beta.WaitForEventAsync("peer.joined.v1");
        await beta.WaitForEventAsync("node.bootstrap-succeeded.v1", data => data.GetProperty("source").GetString() == "contact");

        JsonElement peer = (await beta.RunAsync("peers")).Json.GetProperty("peers").EnumerateArray().ShouldHaveSingleItem();
        peer.GetProperty("peer").GetString().ShouldBe(alpha.Peer);

        MeshProgram.Outcome send = await beta.RunAsync("send", alpha.Peer[..8], "echo", "hello", "--handled");
        send.Code.ShouldBe(0, send.Error);
        send.Json.GetProperty("outcome").GetString().ShouldBe("handled");

        MeshProgram.Outcome request = await beta.RunAsync("send", alpha.Peer, "echo", "question", "--request");
        request.Json.GetProperty("text").GetString().ShouldBe("question");

        MeshProgram.Outcome nobody = await beta.RunAsync("send", alpha.Peer, "nobody", "question", "--request");
        nobody.Code.ShouldBe(9);

        // Only a cached node whose reverse connection is proven: alpha knows beta so, as a contact of beta is never cached.
        await alpha.WaitForEventAsync("cache.entry-added.v1");
        JsonElement entry = (await alpha.RunAsync("cache")).Json.GetProperty("entries").EnumerateArray().ShouldHaveSingleItem();
        entry.GetProperty("peer").GetString().ShouldBe(beta.Peer);

        IReadOnlyList<JsonElement> events = (await beta.RunAsync("events")).Lines;
        events.Select(e => e.GetProperty("seq").GetInt64()).ShouldBe(Enumerable.Range(1, events.Count).Select(i => (long)i));
        events[0].GetProperty("event").GetString().ShouldBe("node.started.v1");
        (await beta.RunAsync("events", "--after", "3")).Lines[0].GetProperty("seq").GetInt64().ShouldBe(4);

        (await alpha.RunAsync("disconnect", beta.Peer[..6])).Code.ShouldBe(0);
        await alpha.WaitForEventAsync("peer.left.v1");
        MeshProgram.Outcome connect = await alpha.RunAsync("connect", beta.Listen, "--expect", beta.Peer);
        connect.Code.ShouldBe(0, connect.Error);
        (await alpha.RunAsync("connect", alpha.Listen)).Code.ShouldBe(10);
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task A_signal_stops_in_order(string signal)
    {
        string data = _folder["node"];
        await using (NodeProcess node = await NodeProcess.StartAsync(data))
        {
            (await node.SignalAsync(signal)).ShouldBe(0, node.Log);
            node.Log.ShouldNotContain("did not stop in order");
            _folder.Servers().ShouldBeEmpty();
            File.Exists(Path.Combine(data, "mesh.sock")).ShouldBeFalse();
        }
        await using NodeProcess again = await NodeProcess.StartAsync(data);
        (await again.RunAsync("events")).Lines.Select(e => e.GetProperty("event").GetString()).ShouldContain("node.stopped.v1");
    }

    [Fact]
    public async Task Control_C_in_a_terminal_does_not_take_the_store_from_the_node()
    {
        // A terminal sends SIGINT to every process of the foreground group, the private server's included if it were one of them.
        await using NodeProcess node = await NodeProcess.StartAsync(_folder["node"]);
        (await node.InterruptAllAsync()).ShouldBe(0, node.Log);
        node.Log.ShouldNotContain("spool until");
        node.Log.ShouldNotContain("ended by itself");
    }

    [Fact]
    public async Task A_node_ends_in_order_with_its_parent()
    {
        await using NodeProcess node = await NodeProcess.StartAsync(_folder["node"]);
        (await node.EndParentAsync()).ShouldBe(0, node.Log);
        _folder.Servers().ShouldBeEmpty();
    }

    [Fact]
    public async Task After_a_kill_and_a_restart_no_connection_is_open_in_the_log()
    {
        await using NodeProcess alpha = await NodeProcess.StartAsync(_folder["alpha"]);
        string data = _folder["beta"];
        await using (NodeProcess beta = await NodeProcess.StartAsync(data, "--contact", alpha.Listen))
        {
            await beta.WaitForEventAsync("peer.joined.v1");
            (await beta.SignalAsync("KILL")).ShouldNotBe(0);
        }
        // Alone: what is open after the restart can only be what the crash left.
        await using NodeProcess again = await NodeProcess.StartAsync(data, "--mesh", "another");
        IReadOnlyList<JsonElement> events = (await again.RunAsync("events")).Lines;
        HashSet<string?> open = [];
        foreach (JsonElement recorded in events)
        {
            string? connection = recorded.GetProperty("data").TryGetProperty("connection", out JsonElement id) ? id.GetString() : null;
            if (recorded.GetProperty("event").GetString() == "connection.opened.v1") open.Add(connection);
            if (recorded.GetProperty("event").GetString() == "connection.closed.v1") open.Remove(connection);
        }
        open.ShouldBeEmpty();
        events.Count(e => e.GetProperty("event").GetString() == "connection.closed.v1" && e.GetProperty("data").GetProperty("reason").GetString() == "crash")
            .ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Doctor_names_what_a_node_would_use()
    {
        MeshProgram.Outcome doctor = await MeshProgram.RunAsync("doctor", "--data", _folder["none"], "--listen", "127.0.0.1:0", "--output", "json");
        doctor.Code.ShouldBe(0);
        doctor.Json.GetProperty("canStart").GetBoolean().ShouldBeTrue();
        doctor.Json.GetProperty("store").GetString().ShouldBe("postgresql");
        Directory.Exists(_folder["none"]).ShouldBeFalse();
    }

    [Fact]
    public async Task Received_messages_can_be_watched()
    {
        await using NodeProcess alpha = await NodeProcess.StartAsync(_folder["alpha"]);
        await using NodeProcess beta = await NodeProcess.StartAsync(_folder["beta"], "--contact", alpha.Listen);
        await beta.WaitForEventAsync("peer.joined.v1");
        Task<MeshProgram.Outcome> receiving = alpha.RunAsync("receive", "--channel", "news", "--count", "1");
        // Without a watcher the channel has no handler; with one the send is handled.
        MeshProgram.Outcome send;
        do
        {
            send = await beta.RunAsync("send", alpha.Peer, "news", "hello", "--handled");
        }
        while (send.Code == 9 && !receiving.IsCompleted);
        send.Code.ShouldBe(0, send.Error);
        (await receiving).Json.GetProperty("text").GetString().ShouldBe("hello");
    }
}
