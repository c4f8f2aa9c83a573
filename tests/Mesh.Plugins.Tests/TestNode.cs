using System.Collections.Concurrent;
using System.Text;
using EventMesh.Dispatch;
using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.Node;
using EventMesh.Notifications;
using EventMesh.PubSub;
using EventMesh.Tests.Common;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace EventMesh.Plugins.Tests;

/// <summary>A plugin host around a fake node, composed as an application composes it.</summary>
internal sealed class TestNode : IMeshBuilder, IAsyncDisposable
{
    private static long _sequence;
    private int _sent;
    private ServiceProvider? _provider;

    public TestNode(PluginFolders? folders = null, params (string Key, string Value)[] settings)
    {
        Dictionary<string, string?> values = new() { ["EventMesh:Plugins:HandlerTimeout"] = "00:00:20" };
        if (folders is not null)
            values["EventMesh:Plugins:Directory"] = folders.Root;
        foreach ((string key, string value) in settings)
            values[$"EventMesh:Plugins:{key}"] = value;
        Services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(values).Build());
        Services.AddSingleton<ILoggerFactory>(Logs);
        this.AddPlugins();
    }

    public IServiceCollection Services { get; } = new ServiceCollection();

    public CapturingLoggers Logs { get; } = new();

    public FakeMesh Mesh { get; } = new();

    public FakeJournal Journal => Mesh.Journal;

    public PluginHost Host => Provider.GetRequiredService<PluginHost>();

    public IMessageDispatcher Dispatcher => Provider.GetRequiredService<IMessageDispatcher>();

    public IPubSub Topics => Provider.GetRequiredService<IPubSub>();

    private ServiceProvider Provider => _provider ??= Services.BuildServiceProvider();

    public static MessageReceived Message(string channel, string text = "hello", PeerId from = default) =>
        new(new MessageId(from, Guid.Empty, (ulong)Interlocked.Increment(ref _sequence)), from, channel, Encoding.UTF8.GetBytes(text));

    public async Task<TestNode> StartAsync()
    {
        await Host.StartAsync(Mesh, Journal, TestContext.Current.CancellationToken);
        Mesh.Dispatcher = Dispatcher;
        return this;
    }

    /// <summary>A message of one of three peers, each in its turn, so that no single one is to blame for a failure.</summary>
    public Task<MeshError?> SendAsync(string channel, string text = "hello") =>
        Dispatcher.DispatchAsync(Message(channel, text, TestPlugins.PeerOf((byte)(Interlocked.Increment(ref _sent) % 3))), default).WaitAsync(TimeSpan.FromMinutes(2));

    public async Task<string> RequestAsync(string channel, string text = "hello") =>
        Encoding.UTF8.GetString((await Dispatcher
            .DispatchAsync(new RemoteRequest(default, channel, Encoding.UTF8.GetBytes(text)), default, CancellationToken.None)
            .WaitAsync(TimeSpan.FromMinutes(2))).Span);

    public async ValueTask DisposeAsync()
    {
        if (_provider is null)
            return;
        await Host.StopAsync(CancellationToken.None);
        await _provider.DisposeAsync();
    }

    internal sealed class CapturingLoggers : ILoggerFactory, ILogger
    {
        public ConcurrentQueue<(LogLevel Level, EventId Id, string Text)> Entries { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Entries.Enqueue((logLevel, eventId, formatter(state, exception)));

        public void Dispose()
        {
        }
    }
}
