using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Messaging;
using EventMesh.Node;
using EventMesh.Tests.Common.Journal;
using EventMesh.Tests.Common.Nodes;
using EventMesh.Transport;
using EventMesh.Transport.InMemory;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace EventMesh.Plugins.Tests;

/// <summary>Two whole nodes whose handlers, one at a time, wait for each other's.</summary>
public sealed class HandlerStormTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private readonly InMemoryTransportProvider _transport = new(new InMemoryNetwork());

    [Fact]
    public async Task A_storm_of_handlers_in_both_directions_with_full_queues_makes_progress()
    {
        await using Node a = await StartAsync("00:00:20");
        await using Node b = await StartAsync("00:00:20");
        await JoinAsync(a, b);
        const int hops = 3;
        foreach ((Node self, Node other) in new[] { (a, b), (b, a) })
        {
            self.Behaviour.OnMessage = async (message, token) =>
            {
                int left = message.Payload.Span[0];
                // With one handler at a time on either side, two that wait for each other end by the deadline.
                if (left > 0) await other.ReceiveFromAsync(self, left - 1, TimeSpan.FromMilliseconds(100), token);
            };
        }

        SendReceipt[] receipts = await Task.WhenAll(
            Enumerable.Range(0, 100).SelectMany(_ => new[] { b.ReceiveFromAsync(a, hops, Limit, default), a.ReceiveFromAsync(b, hops, Limit, default) }))
            .WaitAsync(Limit);

        receipts.ShouldAllBe(receipt => receipt.Outcome == SendOutcome.Handled || receipt.Error == MeshError.Busy || receipt.Error == MeshError.DeadlineExceeded);
        receipts.ShouldContain(receipt => receipt.Outcome == SendOutcome.Handled);
        receipts.ShouldContain(receipt => receipt.Error == MeshError.Busy, "the queues were full");
        foreach ((Node self, Node other) in new[] { (a, b), (b, a) })
        {
            self.Behaviour.OnMessage = (_, _) => Task.CompletedTask;
            // What is left of the storm may fill the queue for a moment longer.
            SendReceipt last;
            do last = await self.ReceiveFromAsync(other, 0, Limit, default).WaitAsync(Limit);
            while (last.Error == MeshError.Busy);
            last.Outcome.ShouldBe(SendOutcome.Handled);
            self.Store.Content(self.Mesh.NodeId).ShouldNotContain(recorded => recorded.Data is PluginQuarantined || recorded.Data is PluginFailed);
        }
    }

    [Fact]
    public async Task Two_handlers_that_wait_for_each_other_without_a_deadline_end_before_their_own_time()
    {
        await using Node a = await StartAsync("00:00:10");
        await using Node b = await StartAsync("00:00:10");
        await JoinAsync(a, b);
        var ends = new System.Collections.Concurrent.ConcurrentQueue<MeshError?>();
        // Each sends only when the other's handler runs too: now both wait for a handler that can't begin.
        using var both = new Barrier(2);
        foreach ((Node self, Node other) in new[] { (a, b), (b, a) })
        {
            self.Behaviour.OnMessage = async (message, token) =>
            {
                if (message.Payload.Span[0] == 0) return;
                both.SignalAndWait(Limit, token);
                ends.Enqueue((await other.ReceiveFromAsync(self, 0, deadline: null, token)).Error);
            };
        }

        SendReceipt[] receipts = await Task.WhenAll(b.ReceiveFromAsync(a, 1, Limit, default), a.ReceiveFromAsync(b, 1, Limit, default)).WaitAsync(Limit);

        receipts.ShouldAllBe(receipt => receipt.Outcome == SendOutcome.Handled);
        ends.ShouldContain(MeshError.DeadlineExceeded);
    }

    private async Task<Node> StartAsync(string handlerTimeout)
    {
        var behaviour = new Behaviour();
        var store = new InMemoryEventStore();
        string path = Directory.CreateTempSubdirectory("mesh-storm-").FullName;
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["EventMesh:Plugins:HandlerTimeout"] = handlerTimeout,
            ["EventMesh:Plugins:Concurrency"] = "1",
            ["EventMesh:Plugins:QueueLength"] = "4",
        }).Build());
        services.AddSingleton<ITransportProvider>(_transport);
        services.AddSingleton<IEventStore>(store);
        services.AddSingleton(behaviour);
        services.AddEventMesh(options =>
        {
            options.DataDirectory = path;
            options.Listen = "127.0.0.1:0";
        }).AddHandlersFrom<HandlerStormTests>();
        ServiceProvider provider = services.BuildServiceProvider();
        var node = new Node(provider, behaviour, store, path);
        await node.Mesh.StartAsync(CancellationToken.None);
        return node;
    }

    private static async Task JoinAsync(Node a, Node b)
    {
        await a.Mesh.ConnectAsync(b.Mesh.LocalEndPoint).WaitAsync(Limit);
        // The other side knows a moment later.
        while ((await b.Mesh.SendAsync(a.Mesh.LocalPeer, new OutgoingMessage("join", new byte[1]))).Error == MeshError.NotConnected) await Task.Yield();
    }

    private sealed class Node(ServiceProvider services, Behaviour behaviour, InMemoryEventStore store, string path) : IAsyncDisposable
    {
        public MeshNode Mesh { get; } = services.GetRequiredService<MeshNode>();

        public Behaviour Behaviour => behaviour;

        public InMemoryEventStore Store => store;

        public Task<SendReceipt> ReceiveFromAsync(Node sender, int hops, TimeSpan? deadline, CancellationToken cancellationToken) => sender.Mesh.SendAsync(
            Mesh.LocalPeer,
            new OutgoingMessage("storm", new[] { (byte)hops }) { Delivery = DeliveryMode.Handled, Deadline = deadline },
            cancellationToken).AsTask();

        public async ValueTask DisposeAsync()
        {
            await Mesh.StopAsync(CancellationToken.None);
            await services.DisposeAsync();
            Directory.Delete(path, recursive: true);
        }
    }
}
