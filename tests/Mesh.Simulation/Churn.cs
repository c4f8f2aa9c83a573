using EventMesh.Projections;

namespace EventMesh.Simulation;

/// <summary>Lets a share of the nodes leave and as many join: half of the leaving ones die without a word, and half of the joining ones come back.</summary>
internal sealed class Churn(Simulation simulation, double perMinute, int permanent)
{
    private double _due;
    private TimeSpan _last = simulation.Clock.Elapsed;

    /// <summary>How many have left.</summary>
    public int Left { get; private set; }

    /// <summary>The fullest cache that any node ever had.</summary>
    public int FullestCache { get; private set; }

    /// <summary>Where machines are that are made during a partition.</summary>
    public Action<SimulatedNode> OnNew { get; set; } = _ => { };

    /// <summary>Does what is due since the last call, in groups, since each has a cost of its own.</summary>
    public void Step()
    {
        foreach (SimulatedNode node in simulation.Running) FullestCache = Math.Max(FullestCache, node.Cache.Entries.Count);
        SimulatedNode[] running = [.. simulation.Running];
        _due += (simulation.Clock.Elapsed - _last).TotalMinutes * perMinute * running.Length;
        _last = simulation.Clock.Elapsed;
        int group = Math.Max(1, running.Length / 100);
        if (_due < group) return;
        _due -= group;
        // The contacts stay: without them a newcomer knows nobody.
        SimulatedNode[] leaving = [.. Pick(running.Where(node => simulation.Nodes.IndexOf(node) >= permanent), group)];
        simulation.Do(leaving, node => simulation.Nodes.IndexOf(node) % 2 == 0 ? node.KillAsync() : node.StopAsync());
        Left += leaving.Length;
        SimulatedNode[] back = [.. Pick(simulation.Nodes.Where(node => !node.IsRunning).Except(leaving), group / 2)];
        List<SimulatedNode> joining = [.. back];
        while (joining.Count < group)
        {
            SimulatedNode made = simulation.AddMachine();
            OnNew(made);
            joining.Add(made);
        }
        simulation.Do(joining, node => node.StartAsync());
    }

    private SimulatedNode[] Pick(IEnumerable<SimulatedNode> from, int count)
    {
        SimulatedNode[] all = [.. from];
        simulation.Random.Shuffle(all);
        return all[..Math.Min(count, all.Length)];
    }
}
