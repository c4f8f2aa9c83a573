using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using EventMesh.EndToEnd.Support;

namespace EventMesh.EndToEnd;

/// <summary>
/// Nodes that are killed and started again at random. By custom 6 nodes for 20 seconds; <c>EVENTMESH_CHURN=20x180</c> in the environment takes 20 for three
/// minutes, <c>EVENTMESH_CHURN_SEED</c> repeats the choices of a run.
/// </summary>
[Collection(nameof(OneAtATime))]
public sealed class ChurnTests(ITestOutputHelper output) : IAsyncLifetime
{
    private static readonly TimeSpan SettleLimit = TimeSpan.FromMinutes(4);

    private readonly TestFolder _folder = new();
    private SharedPostgres? _postgres;

    public async ValueTask InitializeAsync()
    {
        await MeshProgram.RequireAsync();
        _postgres = await SharedPostgres.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_postgres is not null) await _postgres.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task After_random_kills_and_restarts_all_pairs_talk_and_every_log_explains_its_connections()
    {
        int[] size = [.. (Environment.GetEnvironmentVariable("EVENTMESH_CHURN") ?? "6x20").Split('x').Select(part => int.Parse(part, null))];
        int seed = int.TryParse(Environment.GetEnvironmentVariable("EVENTMESH_CHURN_SEED"), out int given) ? given : Random.Shared.Next();
        output.WriteLine($"{size[0]} nodes, {size[1]} s, seed {seed}");
        long began = Stopwatch.GetTimestamp();
        string Elapsed() => $"{Stopwatch.GetElapsedTime(began).TotalSeconds:F0} s";
        Member[] members = [.. Enumerable.Range(0, size[0]).Select(i => new Member(_folder[$"n{i}"]))];
        try
        {
            // The contacts first, one after another: the others need their addresses.
            foreach (Member contact in members[..3]) await StartAsync(contact, members, null);
            foreach (Member[] some in members[3..].Chunk(4)) await Task.WhenAll(some.Select(member => StartAsync(member, members, null)));

            output.WriteLine($"started after {Elapsed()}");
            // Several at a time, each with nodes of its own: a start takes seconds.
            int hands = (members.Length / 4) + 1;
            int kills = (await Task.WhenAll(Enumerable.Range(0, hands).Select(hand => ChurnAsync(
                [.. members.Where((_, i) => i % hands == hand)], members, new Random(seed + hand), TimeSpan.FromSeconds(size[1]))))).Sum();
            foreach (Member[] some in members.Where(m => m.Node is null).Chunk(4)) await Task.WhenAll(some.Select(member => StartAsync(member, members, null)));
            output.WriteLine($"{kills} kills; all run again after {Elapsed()}");

            await EventuallyAsync(() => AllPairsTalkAsync(members), seed);
            output.WriteLine($"all pairs talk after {Elapsed()}");
            await EventuallyAsync(() => AllLogsExplainAsync(members), seed);
            output.WriteLine($"all logs explain all connections after {Elapsed()}");
            await Task.WhenAll(members.Select(StopAsync));
        }
        finally
        {
            await Task.WhenAll(members.Select(KillAsync));
        }
    }

    private async Task<int> ChurnAsync(Member[] own, Member[] members, Random random, TimeSpan time)
    {
        using var end = new CancellationTokenSource(time);
        // As many as the machine starts in the time; a slow one has fewer kills, not a longer test.
        int kills = 0;
        while (!end.IsCancellationRequested)
        {
            Member member = own[random.Next(own.Length)];
            if (member.Node is null)
            {
                // Half of them come back somewhere else.
                bool isContact = Array.IndexOf(members, member) < 3;
                await StartAsync(member, members, isContact || random.Next(2) == 0 ? member.Listen : "127.0.0.1:0");
            }
            else if (own.Count(m => m.Node is null) <= own.Length / 3)
            {
                await KillAsync(member);
                kills++;
            }
        }
        return kills;
    }

    private async Task StartAsync(Member member, Member[] members, string? listen)
    {
        string[] contacts = [.. members[..3].Where(m => m != member).Select(m => m.Listen).OfType<string>().SelectMany(address => new[] { "--contact", address })];
        Dictionary<string, string> environment = new()
        {
            ["EventMesh__Store__ConnectionString"] = _postgres!.ConnectionString,
            ["EventMesh__Bootstrap__TargetPeers"] = $"{members.Length}",
            ["EventMesh__Transport__IdleTimeout"] = "00:00:10",
            ["EventMesh__Transport__KeepAliveInterval"] = "00:00:03",
        };
        member.Node = await NodeProcess.StartAsync(member.Data, listen ?? member.Listen ?? "127.0.0.1:0", networkNamespace: null, environment, contacts);
        member.Listen = member.Node.Listen;
        member.Peer = member.Node.Peer;
    }

    /// <summary>Sends from each node to each other one, and has those dial that are not joined.</summary>
    private static async Task<string?> AllPairsTalkAsync(Member[] members)
    {
        string? missing = null;
        foreach (Member from in members)
        {
            HashSet<string?> joined = [.. (await PeersAsync(from)).Select(p => p.GetProperty("peer").GetString())];
            foreach (Member to in members.Where(m => m != from && !joined.Contains(m.Peer)))
            {
                missing = $"{from.Peer![..8]} has not joined {to.Peer![..8]}";
                (await from.Http.PostAsJsonAsync("v1/peers", new { address = to.Listen, expected = to.Peer })).Dispose();
            }
            object[] messages = [.. members.Where(m => m != from).Select(to => new { to = to.Peer, channel = "x", text = "hello" })];
            using HttpResponseMessage response = await from.Http.PostAsJsonAsync("v1/messages", new { messages });
            string body = await response.Content.ReadAsStringAsync();
            if (!response.IsSuccessStatusCode || JsonSerializer.Deserialize<JsonElement>(body).GetProperty("receipts").EnumerateArray()
                .Any(receipt => receipt.GetProperty("outcome").GetString() != "acknowledged"))
                missing = $"{from.Peer![..8]} could not send to all: {body}";
        }
        return missing;
    }

    /// <summary>In each log: what was opened was closed once or is open still, and what is open is what the node and its peers have.</summary>
    private static async Task<string?> AllLogsExplainAsync(Member[] members)
    {
        Dictionary<(string From, string To), int> open = [];
        foreach (Member member in members)
        {
            Dictionary<string, string> live = [];
            HashSet<string> opened = [];
            foreach (JsonElement recorded in (await member.Node!.RunAsync("events")).Lines)
            {
                JsonElement data = recorded.GetProperty("data");
                string connection = data.TryGetProperty("connection", out JsonElement id) ? id.GetString()! : "";
                switch (recorded.GetProperty("event").GetString())
                {
                    case "connection.opened.v1":
                        opened.Add(connection).ShouldBeTrue("a connection is opened once");
                        live.Add(connection, data.GetProperty("peer").GetString()!);
                        break;
                    case "connection.closed.v1":
                        live.Remove(connection).ShouldBeTrue("a connection that was opened is closed once");
                        break;
                    default:
                        break;
                }
            }
            string[] joined = [.. (await PeersAsync(member)).Select(p => p.GetProperty("peer").GetString()!)];
            if (!live.Values.Distinct().Order().SequenceEqual(joined.Order()))
                return $"{member.Peer![..8]} has joined {joined.Length} peers and has connections with {live.Values.Distinct().Count()} in its log";
            foreach (IGrouping<string, string> each in live.Values.GroupBy(peer => peer)) open[(member.Peer!, each.Key)] = each.Count();
        }
        foreach (((string from, string to), int count) in open)
        {
            if (count > 2 || open.GetValueOrDefault((to, from)) != count)
                return $"{from[..8]} has {count} connections with {to[..8]}, which has {open.GetValueOrDefault((to, from))}";
        }
        return null;
    }

    private static async Task EventuallyAsync(Func<Task<string?>> problem, int seed)
    {
        using var limit = new CancellationTokenSource(SettleLimit);
        while (await problem() is { } what)
        {
            if (limit.IsCancellationRequested) Assert.Fail($"Seed {seed}: {what}");
        }
    }

    private static async Task<JsonElement[]> PeersAsync(Member member) => (await member.Http.GetFromJsonAsync<JsonElement[]>("v1/peers"))!;

    private static async Task StopAsync(Member member)
    {
        (await member.Node!.SignalAsync("TERM")).ShouldBe(0, member.Node.Log);
        await member.Node.DisposeAsync();
        member.Node = null;
    }

    private static async Task KillAsync(Member member)
    {
        if (member.Node is not { } node) return;
        member.Node = null;
        await node.SignalAsync("KILL");
        await node.DisposeAsync();
    }

    /// <summary>A node through all its lives.</summary>
    private sealed class Member(string data)
    {
        public string Data => data;

        public NodeProcess? Node { get; set; }

        public string? Listen { get; set; }

        public string? Peer { get; set; }

        /// <summary>Its control interface.</summary>
        public HttpClient Http { get; } = new(new SocketsHttpHandler
        {
            PooledConnectionLifetime = TimeSpan.Zero,
            ConnectCallback = async (_, token) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(data, "mesh.sock")), token);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        {
            BaseAddress = new Uri("http://mesh/"),
            Timeout = MeshProgram.Limit,
        };
    }
}
