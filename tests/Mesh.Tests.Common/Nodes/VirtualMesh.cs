using System.Net;
using EventMesh.Node;
using EventMesh.Tests.Common.Journal;
using EventMesh.Transport.InMemory;
using Microsoft.Extensions.DependencyInjection;

namespace EventMesh.Tests.Common.Nodes;

/// <summary>Whole nodes on a network and a clock of this process: hours pass in seconds.</summary>
public sealed class VirtualMesh : IAsyncDisposable
{
    private readonly List<TestNode> _nodes = [];

    public VirtualMesh()
    {
        Clock = new VirtualTimeProvider { WaitForThreadPool = true };
        Network = new InMemoryNetwork(new InMemoryNetworkOptions
        {
            TimeProvider = Clock,
            DefaultLink = new LinkConditions { Latency = TimeSpan.FromMilliseconds(5) },
        });
        Provider = new InMemoryTransportProvider(Network);
    }

    public VirtualTimeProvider Clock { get; }

    public InMemoryNetwork Network { get; }

    public InMemoryTransportProvider Provider { get; }

    /// <summary>Starts a node at an address of its own.</summary>
    public async Task<TestNode> StartAsync(
        string address, Action<MeshOptions>? configure = null, InMemoryEventStore? store = null, string? directory = null,
        Action<IServiceCollection>? services = null)
    {
        TestNode node = await RunAsync(TestNode.StartAsync(
            Provider,
            options =>
            {
                options.Listen = $"{address}:0";
                configure?.Invoke(options);
            },
            store, directory, Clock, configureServices: services));
        _nodes.Add(node);
        return node;
    }

    /// <summary>Lets nothing from the address of <paramref name="from"/> reach that of <paramref name="to"/> but what its listening socket sends.</summary>
    public void CloseToOthers(TestNode from, IPAddress to)
    {
        var any = new IPEndPoint(to, 0);
        Network.SetOneWayLink(from.EndPoint, any, new LinkConditions { Latency = TimeSpan.FromMilliseconds(5) });
        Network.SetOneWayLink(new IPEndPoint(from.EndPoint.Address, 0), any, new LinkConditions { Loss = 1 });
    }

    /// <summary>Ends <see cref="CloseToOthers"/>.</summary>
    public void OpenToOthers(TestNode from, IPAddress to) => Network.SetOneWayLink(new IPEndPoint(from.EndPoint.Address, 0), new IPEndPoint(to, 0), null);

    /// <summary>Runs the clock until a task has ended.</summary>
    public async Task<T> RunAsync<T>(Task<T> task, TimeSpan? limit = null)
    {
        await UntilAsync(() => task.IsCompleted, "the task has ended", limit);
        return await task;
    }

    /// <summary>Runs the clock until a task has ended.</summary>
    public async Task RunAsync(Task task, TimeSpan? limit = null)
    {
        await UntilAsync(() => task.IsCompleted, "the task has ended", limit);
        await task;
    }

    /// <summary>Runs the clock until something holds, by custom for at most a minute of it.</summary>
    public async Task UntilAsync(Func<bool> condition, string what, TimeSpan? limit = null)
    {
        bool holds = await OnThreadAsync(() => Clock.RunUntil(condition, limit ?? TimeSpan.FromMinutes(1)));
        if (!holds) throw new TimeoutException($"Not in time: {what}. {string.Join("; ", _nodes.Select(Describe))}");
    }

    /// <summary>Lets time pass.</summary>
    public Task AdvanceAsync(TimeSpan time) => OnThreadAsync(() =>
    {
        Clock.Advance(time);
        return true;
    });

    public async ValueTask DisposeAsync()
    {
        foreach (TestNode node in _nodes) await RunAsync(node.DisposeAsync().AsTask());
    }

    private static string Describe(TestNode node) =>
        node.Mesh.State == MeshNodeState.Running ? $"{node.EndPoint}: {string.Join(", ", node.Log.Select(e => e.GetType().Name))}" : $"{node.Mesh.State}";

    // A thread of its own: the clock waits until the thread pool is quiet, and would wait for itself there.
    private static Task<bool> OnThreadAsync(Func<bool> run) =>
        Task.Factory.StartNew(run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
