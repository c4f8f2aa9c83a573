using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Notifications;
using EventMesh.Plugins.Dispatch.Internal;
using EventMesh.Plugins.Loading.Internal;
using EventMesh.Tests.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMesh.Plugins.Tests;

/// <summary>A dispatcher with plugins whose handlers are the test's.</summary>
internal sealed class TestPlugins : IAsyncDisposable
{
    private readonly List<ServiceProvider> _providers = [];
    private int _sent;

    /// <summary>Whom the node was told of.</summary>
    public HandlerFailures Failures { get; } = new();

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public PluginDispatcher Dispatcher { get; } = new();

    public FakeJournal Journal { get; } = new();

    public PluginOptions Options { get; } = new() { HandlerTimeout = TimeSpan.FromSeconds(20), StopTimeout = TimeSpan.FromMilliseconds(100) };

    public static Notifications.PeerLeft Left { get; } = new(
        default, CloseReason.Local,
        new RecordedEvent(Guid.Empty, 1, 1, DateTimeOffset.UnixEpoch, new Events.PeerLeft(default, CloseReason.Local), TraceParent: null), IsDurable: true);

    public PluginRunner Add(string name, Behaviour behaviour, params string[] channels) => Add(
        name, behaviour, new HandlerSet().Scan(typeof(MessageHandler), typeof(SecondMessageHandler), typeof(LeftHandler), typeof(SecondLeftHandler), typeof(RequestHandler)),
        channels);

    public PluginRunner Add(string name, Behaviour behaviour, HandlerSet handlers, params string[] channels)
    {
        IServiceCollection services = new ServiceCollection().AddSingleton(behaviour);
        handlers.AddTo(services);
        ServiceProvider provider = services.BuildServiceProvider();
        _providers.Add(provider);
        var runner = new PluginRunner(
            name, new ChannelPatterns(channels.Length == 0 ? ["*"] : channels), handlers, provider.GetRequiredService<IServiceScopeFactory>(),
            Options, Journal, Time, NullLogger.Instance, Failures);
        runner.Start();
        Dispatcher.Add(runner);
        return runner;
    }

    /// <summary>A message of one of three peers, each in its turn, so that no single one is to blame for a failure; or of one that the test names.</summary>
    public Task<MeshError?> SendAsync(string channel = "any", string text = "hello", PeerId? from = null) => Dispatcher
        .DispatchAsync(TestNode.Message(channel, text, from ?? PeerOf((byte)(Interlocked.Increment(ref _sent) % 3))), default).WaitAsync(TimeSpan.FromMinutes(2));

    public static PeerId PeerOf(byte number)
    {
        byte[] bytes = new byte[PeerId.Length];
        bytes[0] = number;
        return new PeerId(bytes);
    }

    public Task<ReadOnlyMemory<byte>> RequestAsync(string channel = "any", CancellationToken cancellationToken = default) =>
        Dispatcher.DispatchAsync(new RemoteRequest(default, channel, "hello"u8.ToArray()), default, cancellationToken)
            .WaitAsync(TimeSpan.FromMinutes(2), CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        foreach (PluginRunner runner in Dispatcher.Runners)
            await runner.StopAsync(CancellationToken.None);
        foreach (ServiceProvider provider in _providers)
            await provider.DisposeAsync();
    }
}
