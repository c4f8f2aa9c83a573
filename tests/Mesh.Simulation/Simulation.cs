using System.Diagnostics;
using System.Globalization;
using System.Net;
using EventMesh.Identity;
using EventMesh.Node;
using EventMesh.Transport.InMemory;

namespace EventMesh.Simulation;

/// <summary>Many whole nodes on one simulated network and one virtual clock, with all chance from one seed.</summary>
internal sealed class Simulation : IDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(0.5);

    private readonly string _directory = Directory.CreateTempSubdirectory("eventmesh-simulation-").FullName;
    private readonly Stopwatch _real = Stopwatch.StartNew();
    private readonly Action<string> _say;
    private int _machines;

    public Simulation(int seed, LinkConditions link, Action<string> say)
    {
        Seed = seed;
        Random = new Random(seed);
        _say = say;
        Clock = new VirtualTimeProvider { WaitForThreadPool = true };
        Network = new InMemoryNetwork(new InMemoryNetworkOptions { Seed = seed, TimeProvider = Clock, DefaultLink = link });
    }

    /// <summary>How long a new node has to join.</summary>
    public TimeSpan Settling { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Called for each half virtual second that passes.</summary>
    public Action EachStep { get; set; } = () => { };

    public int Seed { get; }

    public Random Random { get; }

    public VirtualTimeProvider Clock { get; }

    public InMemoryNetwork Network { get; }

    /// <summary>The machines, running or not.</summary>
    public List<SimulatedNode> Nodes { get; } = [];

    public IEnumerable<SimulatedNode> Running => Nodes.Where(node => node.IsRunning);

    /// <summary>What all nodes have for contacts.</summary>
    public IReadOnlyList<string> Contacts { get; set; } = [];

    public void Say(string what) => _say(string.Create(
        CultureInfo.InvariantCulture,
        $"[{Clock.Elapsed.TotalSeconds,7:F1} s virtual, {_real.Elapsed.TotalSeconds,6:F1} s real, {Environment.WorkingSet / 1048576} MiB] {what}"));

    /// <summary>Makes a machine with an address of its own; four share a /24.</summary>
    public SimulatedNode AddMachine(Action<MeshOptions>? configure = null)
    {
        int number = _machines++;
        int network = number / 4;
        var endpoint = new IPEndPoint(new IPAddress([(byte)(20 + (network >> 16)), (byte)(network >> 8), (byte)network, (byte)(1 + (number % 4))]), 4433);
        var node = new SimulatedNode(Network, Clock, endpoint, Path.Combine(_directory, $"{number}"), options =>
        {
            options.Contacts = [.. Contacts];
            configure?.Invoke(options);
        });
        Nodes.Add(node);
        return node;
    }

    /// <summary>Starts or stops machines all at once and runs the clock until that is done.</summary>
    public void Do(IEnumerable<SimulatedNode> nodes, Func<SimulatedNode, Task> action)
    {
        Task all = Task.WhenAll(nodes.Select(node => Task.Run(() => action(node))));
        if (!Clock.RunUntil(all, TimeSpan.FromMinutes(1))) throw new TimeoutException("Nodes did not start or stop within a virtual minute.");
        if (all.Exception is { } failure) throw failure;
    }

    /// <summary>Cuts the machines of two groups off from each other, packets under way too.</summary>
    public void Partition(IReadOnlyList<SimulatedNode> one, IReadOnlyList<SimulatedNode> other)
    {
        foreach (SimulatedNode a in one)
        {
            foreach (SimulatedNode b in other) Network.Partition(new IPEndPoint(a.EndPoint.Address, 0), new IPEndPoint(b.EndPoint.Address, 0));
        }
    }

    /// <summary>The sizes of the groups of running nodes that are connected, the largest first; without those that started just now.</summary>
    public IReadOnlyList<int> Components()
    {
        SimulatedNode[] running = [.. Running.Where(node => Clock.GetUtcNow() - node.StartedAt >= Settling)];
        Dictionary<PeerId, int> index = [];
        for (int i = 0; i < running.Length; i++) index[running[i].Id] = i;
        int[] parent = [.. Enumerable.Range(0, running.Length)];
        for (int i = 0; i < running.Length; i++)
        {
            foreach (Messaging.PeerInfo peer in running[i].Mesh!.Peers)
            {
                // An edge counts when both ends know of it.
                if (index.TryGetValue(peer.Peer, out int j) && running[j].Mesh!.Peers.Any(back => back.Peer == running[i].Id)) parent[Root(i)] = Root(j);
            }
        }
        return [.. Enumerable.Range(0, running.Length).GroupBy(Root).Select(group => group.Count()).OrderDescending()];

        int Root(int i)
        {
            while (parent[i] != i) i = parent[i] = parent[parent[i]];
            return i;
        }
    }

    /// <summary>Runs the clock until all running nodes are one component, looking each half second; the virtual time it took, or null.</summary>
    public TimeSpan? WhenOne(TimeSpan limit)
    {
        TimeSpan start = Clock.Elapsed;
        while (Components().Count != 1)
        {
            if (Clock.Elapsed - start >= limit) return null;
            Pass(Step);
        }
        return Clock.Elapsed - start;
    }

    /// <summary>Lets time pass.</summary>
    public void Pass(TimeSpan time)
    {
        TimeSpan end = Clock.Elapsed + time;
        while (Clock.Elapsed < end)
        {
            EachStep();
            // Starts and stops have taken some of it.
            TimeSpan left = end - Clock.Elapsed;
            if (left > TimeSpan.Zero) Clock.Advance(left < Step ? left : Step);
        }
    }

    public void Dispose()
    {
        Do(Running.ToArray(), node => node.StopAsync());
        Directory.Delete(_directory, recursive: true);
    }
}
