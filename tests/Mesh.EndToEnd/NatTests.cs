using System.Text.Json;
using EventMesh.EndToEnd.Support;

namespace EventMesh.EndToEnd;

/// <summary>Real nodes in front of and behind a real NAT.</summary>
[Collection(nameof(OneAtATime))]
public sealed class NatTests : IAsyncLifetime
{
    private static readonly Dictionary<string, string> Quick = new()
    {
        // Who can't be reached is known sooner.
        ["EventMesh__Bootstrap__ReverseCheckTimeout"] = "00:00:04",
        ["EventMesh__Bootstrap__ReverseCheckInterval"] = "00:00:05",
    };

    private readonly TestFolder _folder = new();
    private NatNetwork? _network;

    public async ValueTask InitializeAsync()
    {
        await MeshProgram.RequireAsync();
        await NatNetwork.RequireAsync();
        _network = await NatNetwork.CreateAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_network is not null) await _network.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task The_reverse_check_fails_behind_a_NAT_and_passes_in_front_of_it()
    {
        await using NodeProcess front = await StartAsync("front", _network!.Front, "192.0.2.1:4433");
        await using NodeProcess open = await StartAsync("open", _network.Open, "0.0.0.0:4433", "--contact", "192.0.2.1:4433");
        await using NodeProcess behind = await StartAsync("behind", _network.Behind, "0.0.0.0:4433", "--contact", "192.0.2.1:4433");

        (await JoinOfAsync(front, open)).GetProperty("kind").GetString().ShouldBe("node");
        (await JoinOfAsync(front, behind)).GetProperty("kind").GetString().ShouldBe("client");

        await front.WaitForEventAsync("peer.reverse-connectivity-confirmed.v1", data => IsOf(data, open));
        JsonElement failed = (await front.WaitForEventAsync("peer.reverse-connectivity-failed.v1", data => IsOf(data, behind))).GetProperty("data");
        failed.GetProperty("endpoints")[0].GetString()!.ShouldStartWith("192.0.2.254:");
        await open.WaitForEventAsync("node.reachability-changed.v1", data => data.GetProperty("reachability").GetString() == "reachable");
        await behind.WaitForEventAsync("node.reachability-changed.v1", data => data.GetProperty("reachability").GetString() == "unreachable");
        await SendBothWaysAsync(front, behind);
        await SendBothWaysAsync(front, open);
        // It asks again and again, and stays what it is.
        await front.WaitForEventAsync("peer.reverse-connectivity-failed.v1", data => IsOf(data, behind), count: 2);
        (await EventsAsync(front)).ShouldNotContain(e => Name(e) == "peer.updated.v1");
        (await EventsAsync(front)).ShouldNotContain(e => Name(e) == "cache.entry-added.v1" && IsOf(e.GetProperty("data"), behind));
    }

    [Fact]
    public async Task A_session_outlives_a_new_address_of_the_NAT()
    {
        await using NodeProcess front = await StartAsync("front", _network!.Front, "192.0.2.1:4433");
        await using NodeProcess behind = await StartAsync("behind", _network.Behind, "0.0.0.0:4433", "--contact", "192.0.2.1:4433");
        await JoinOfAsync(front, behind);
        await SendBothWaysAsync(front, behind);

        await _network.MoveRouterAsync("192.0.2.254", "192.0.2.77");

        // The node behind speaks first: nothing finds its way in before the router has seen it.
        await SendAsync(behind, front);
        await SendAsync(front, behind);
        await WaitUntilAsync(async () => await RemoteOfAsync(front, behind) is { } remote && remote.StartsWith("192.0.2.77:", StringComparison.Ordinal));
        foreach (NodeProcess node in new[] { front, behind }) (await EventsAsync(node)).ShouldNotContain(e => Name(e) == "peer.left.v1");
    }

    [Fact]
    public async Task A_node_that_changes_its_address_is_checked_at_the_new_one_and_stays_joined()
    {
        await using NodeProcess front = await StartAsync("front", _network!.Front, "192.0.2.1:4433");
        await using NodeProcess open = await StartAsync("open", _network.Open, "0.0.0.0:4433", "--contact", "192.0.2.1:4433");
        (await JoinOfAsync(front, open)).GetProperty("kind").GetString().ShouldBe("node");
        await SendBothWaysAsync(front, open);

        await _network.MoveOpenAsync("192.0.2.2", "192.0.2.3");
        await SendAsync(open, front);

        JsonElement updated = (await front.WaitForEventAsync("peer.updated.v1", data => IsOf(data, open))).GetProperty("data");
        updated.GetProperty("kind").GetString().ShouldBe("node");
        updated.GetProperty("endpoints")[0].GetString().ShouldBe("192.0.2.3:4433");
        await SendBothWaysAsync(front, open);
        foreach (NodeProcess node in new[] { front, open }) (await EventsAsync(node)).ShouldNotContain(e => Name(e) == "peer.left.v1");
    }

    private Task<NodeProcess> StartAsync(string name, string networkNamespace, string listen, params string[] arguments) =>
        NodeProcess.StartAsync(_folder[name], listen, networkNamespace, Quick, arguments);

    private static async Task<JsonElement> JoinOfAsync(NodeProcess node, NodeProcess peer) =>
        (await node.WaitForEventAsync("peer.joined.v1", data => IsOf(data, peer))).GetProperty("data");

    private static async Task SendBothWaysAsync(NodeProcess one, NodeProcess other)
    {
        await SendAsync(one, other);
        await SendAsync(other, one);
    }

    private static async Task SendAsync(NodeProcess from, NodeProcess to)
    {
        MeshProgram.Outcome send = await from.RunAsync("send", to.Peer, "x", "hello");
        send.Code.ShouldBe(0, send.Error);
        send.Json.GetProperty("outcome").GetString().ShouldBe("acknowledged");
    }

    private static async Task<string?> RemoteOfAsync(NodeProcess node, NodeProcess peer) =>
        (await node.RunAsync("peers")).Json.GetProperty("peers").EnumerateArray()
            .FirstOrDefault(p => p.GetProperty("peer").GetString() == peer.Peer) is { ValueKind: JsonValueKind.Object } found
            ? found.GetProperty("remote").GetString()
            : null;

    private static async Task WaitUntilAsync(Func<Task<bool>> condition)
    {
        using CancellationTokenSource limit = new(MeshProgram.Limit);
        // Each look is a process of its own: it waits long enough.
        while (!await condition()) limit.Token.ThrowIfCancellationRequested();
    }

    private static async Task<IReadOnlyList<JsonElement>> EventsAsync(NodeProcess node) => (await node.RunAsync("events")).Lines;

    private static string? Name(JsonElement recorded) => recorded.GetProperty("event").GetString();

    private static bool IsOf(JsonElement data, NodeProcess peer) => data.GetProperty("peer").GetString() == peer.Peer;
}
