using System.Globalization;
using EventMesh.Projections;
using EventMesh.Transport.InMemory;
using Shouldly;
using Xunit;

namespace EventMesh.Simulation;

/// <summary>
/// Many whole nodes under churn, loss and partitions. The run is set by EVENTMESH_SIMULATION_SEED, which every run prints, and
/// EVENTMESH_SIMULATION_NODES (100; the long form has 1000) and EVENTMESH_SIMULATION_PARTITIONS (20,90: seconds each).
/// </summary>
public sealed class MembershipTests(ITestOutputHelper output)
{
    private const int Contacts = 3;

    [Fact]
    public void A_mesh_with_churn_and_loss_is_one_again_within_30_seconds_after_each_partition_heals()
    {
        int seed = Setting("EVENTMESH_SIMULATION_SEED", Random.Shared.Next(1, 1_000_000));
        int count = Setting("EVENTMESH_SIMULATION_NODES", 100);
        var link = new LinkConditions { Latency = TimeSpan.FromMilliseconds(20), Jitter = TimeSpan.FromMilliseconds(10), Loss = 0.02 };
        using var simulation = new Simulation(seed, link, output.WriteLine);
        simulation.Say($"EVENTMESH_SIMULATION_SEED={seed} EVENTMESH_SIMULATION_NODES={count}");
        Start(simulation, count);
        simulation.WhenOne(TimeSpan.FromSeconds(30)).ShouldNotBeNull("the mesh did not form");

        var churn = new Churn(simulation, perMinute: 0.1, Contacts);
        simulation.EachStep = churn.Step;
        simulation.Pass(TimeSpan.FromSeconds(30));
        simulation.Say($"{churn.Left} nodes have left and as many joined: {Describe(simulation)}");
        foreach (string seconds in (Environment.GetEnvironmentVariable("EVENTMESH_SIMULATION_PARTITIONS") ?? "20,90").Split(','))
            PartAndHeal(simulation, churn, TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)));

        churn.Left.ShouldBeGreaterThan(count / 20);
        churn.FullestCache.ShouldBeInRange(1, BootstrapCacheState.Capacity);
        simulation.Say($"{churn.Left} nodes have left and as many joined; the fullest cache had {churn.FullestCache} entries");
    }

    private static void Start(Simulation simulation, int count)
    {
        for (int i = 0; i < Contacts; i++) simulation.AddMachine();
        simulation.Contacts = [.. simulation.Nodes.Select(node => node.EndPoint.ToString())];
        simulation.Do(simulation.Nodes, node => node.StartAsync());
        while (simulation.Nodes.Count < count)
        {
            SimulatedNode[] next = [.. Enumerable.Range(0, Math.Min(50, count - simulation.Nodes.Count)).Select(_ => simulation.AddMachine())];
            simulation.Do(next, node => node.StartAsync());
            simulation.Pass(TimeSpan.FromSeconds(2));
        }
        simulation.Say($"started: {Describe(simulation)}");
    }

    private static void PartAndHeal(Simulation simulation, Churn churn, TimeSpan duration)
    {
        List<SimulatedNode> one = [], other = [];
        foreach (SimulatedNode node in simulation.Nodes) (simulation.Random.Next(2) == 0 ? one : other).Add(node);
        simulation.Partition(one, other);
        churn.OnNew = made =>
        {
            bool isOne = simulation.Random.Next(2) == 0;
            simulation.Partition([made], isOne ? other : one);
            (isOne ? one : other).Add(made);
        };
        simulation.Pass(duration);
        simulation.Say($"parted for {duration.TotalSeconds} s: {Describe(simulation)}");

        simulation.Network.HealAll();
        churn.OnNew = _ => { };

        TimeSpan? healed = simulation.WhenOne(TimeSpan.FromSeconds(30));
        simulation.Say($"one again after {healed?.TotalSeconds} s: {Describe(simulation)}");
        healed.ShouldNotBeNull("the mesh is not one again within 30 s");
    }

    private static string Describe(Simulation simulation)
    {
        int[] degrees = [.. simulation.Running.Select(node => node.Mesh!.Peers.Count)];
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{degrees.Length} nodes with {degrees.Min()} to {degrees.Max()} peers, {degrees.Average():F1} on average, in groups of {string.Join(", ", simulation.Components().Take(6))}");
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : otherwise;
}
