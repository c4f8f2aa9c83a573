using System.Text;
using EventMesh.Messaging;
using EventMesh.Node;
using EventMesh.Tests.Common.Nodes;
using EventMesh.Transport;
using Xunit;

namespace EventMesh.Conformance.Sessions;

/// <summary>What the suites of messages between whole nodes share; each is derived once for every transport.</summary>
public abstract class MessagingConformanceTests : IAsyncLifetime
{
    private readonly List<TestNode> _nodes = [];
    private ITransportProvider? _provider;

    /// <summary>How long anything may take before it counts as hanging.</summary>
    protected static TimeSpan Limit { get; } = TimeSpan.FromSeconds(60);

    /// <summary>Makes the provider, once a test; skips the test where it can't work.</summary>
    protected abstract ITransportProvider CreateProvider();

    public ValueTask InitializeAsync()
    {
        _provider = CreateProvider();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (TestNode node in _nodes) await node.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected async Task<TestNode> StartAsync(Action<MeshOptions>? configure = null, TestNode? restarted = null)
    {
        TestNode node = await TestNode.StartAsync(_provider!, configure, restarted?.Store, restarted?.Directory);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Two joined nodes.</summary>
    protected async Task<(TestNode A, TestNode B)> PairAsync(Action<MeshOptions>? configure = null)
    {
        TestNode a = await StartAsync(configure);
        TestNode b = await StartAsync(configure);
        await a.ConnectAsync(b);
        await b.WhenJoinedAsync(a);
        return (a, b);
    }

    protected static OutgoingMessage Text(string text, string channel = "chat") => new(channel, Encoding.UTF8.GetBytes(text));

    protected static OutgoingMessage Number(int number, string channel) => new(channel, BitConverter.GetBytes(number));
}
