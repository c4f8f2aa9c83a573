using System.Net;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.Node;
using EventMesh.Sessions.Internal;
using EventMesh.Tests.Common.Nodes;
using EventMesh.Transport;
using EventMesh.Wire;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shouldly;

namespace EventMesh.Adversary.Support;

/// <summary>
/// One attack: a real node as its victim, honest peers that must be able to join and talk during it and after it, and what must hold when it is
/// over.
/// </summary>
internal sealed class AttackRun : IAsyncDisposable
{
    private readonly ITransportProvider _provider;
    private readonly LogLines _lines;
    private readonly List<HandDrivenPeer> _attackers = [];
    private int _eventsBefore;
    private long _heapBefore;

    private AttackRun(ITransportProvider provider, LogLines lines, SkippingClock clock, TestNode victim)
    {
        _provider = provider;
        _lines = lines;
        Clock = clock;
        Victim = victim;
    }

    /// <summary>How long anything may take that should happen: a machine that stands still for seconds is no failure.</summary>
    public static TimeSpan Limit { get; } = TimeSpan.FromSeconds(60);

    /// <summary>The victim's clock.</summary>
    public SkippingClock Clock { get; }

    public TestNode Victim { get; }

    public SessionTable Sessions => Victim.Mesh.Sessions!;

    public static async Task<AttackRun> StartAsync(string transport, Action<MeshOptions>? configure = null)
    {
        ITransportProvider provider = OverEachTransportAttribute.CreateProvider(transport);
        var lines = new LogLines();
        var clock = new SkippingClock();
        TestNode victim = await TestNode.StartAsync(
            provider,
            options =>
            {
                // Out of the way: what stands behind the rates must hold by itself. AbuseTests show the rates and the blocks.
                options.Limits.ControlFramesPerSecondPerPeer = options.Limits.ControlFrameBurstPerPeer = 1_000_000;
                options.Limits.AbuseBlock = TimeSpan.Zero;
                configure?.Invoke(options);
            },
            clock: clock, configureServices: services => services.AddSingleton<ILoggerFactory>(lines));
        var run = new AttackRun(provider, lines, clock, victim);
        // The code of joins and messages is compiled before the heap is measured.
        await run.ExchangeAsync();
        run._eventsBefore = run.Recorded;
        run._heapBefore = GC.GetTotalMemory(forceFullCollection: true);
        return run;
    }

    /// <summary>The events that the victim has recorded so far.</summary>
    public int Recorded => (int)Victim.Journal.Status.LastRecorded;

    public async Task<HandDrivenPeer> StartPeerAsync(int streams = 256, int window = 2 * 1024 * 1024, string address = "127.0.0.66")
    {
        HandDrivenPeer peer = await HandDrivenPeer.StartAsync(_provider, streams, window, address);
        _attackers.Add(peer);
        return peer;
    }

    /// <summary>A connection with nothing on it.</summary>
    public async Task<HandDrivenConnection> DialAsync(bool reads = true) => await (await StartPeerAsync()).DialAsync(Victim.EndPoint, reads);

    /// <summary>A connection that has joined as a client's does.</summary>
    public async Task<HandDrivenConnection> JoinAsync()
    {
        HandDrivenPeer peer = await StartPeerAsync();
        HandDrivenConnection connection = await peer.DialAsync(Victim.EndPoint);
        await connection.JoinAsync();
        await Victim.WhenAsync(node => node.Mesh.Peers.Any(info => info.Peer == peer.Id), "the attacker joined", Limit);
        return connection;
    }

    /// <summary>Waits until a condition holds that nothing signals.</summary>
    public Task WhenAsync(Func<bool> condition, string what) => Victim.WhenAsync(_ => condition(), what, Limit);

    /// <summary>Waits until nothing is left of a peer.</summary>
    public Task WhenGoneAsync(HandDrivenPeer peer, int input) =>
        WhenAsync(() => !Sessions.TryGet(peer.Id, out PeerSession? _), $"the peer of input {input} has gone");

    /// <summary>The handshake's time passes for the victim.</summary>
    public async Task PassHandshakeTimeAsync(int sessions)
    {
        await WhenAsync(() => Sessions.Sessions().Length >= sessions, "the victim has taken the connections in");
        Clock.Skip(TimeSpan.FromSeconds(11));
    }

    /// <summary>Lets the victim's time fly until a task has ended.</summary>
    public async Task SkipUntilAsync(Task task)
    {
        using var timer = new CancellationTokenSource(Limit);
        while (!task.IsCompleted)
        {
            timer.Token.ThrowIfCancellationRequested();
            Clock.Skip(TimeSpan.FromSeconds(11));
            await Task.WhenAny(task, Task.Delay(50, timer.Token));
        }
    }

    /// <summary>Live bytes on the heap beyond those before the attack; the attacker's own are among them.</summary>
    public long Held => GC.GetTotalMemory(forceFullCollection: true) - _heapBefore;

    /// <summary>Waits until no more is <see cref="Held"/>: what has ended lets go of its memory a moment after it shows that it has ended.</summary>
    public Task WhenHeldBelowAsync(long bytes) => WhenAsync(() => Held < bytes, $"less than {bytes} bytes are held");

    /// <summary>An honest peer joins, talks both ways and leaves again.</summary>
    /// <remarks>
    /// A new one each time, and a client: a node that lived on, or that stood in the victim's cache, would be dialled at times that no test knows.
    /// </remarks>
    public async Task ExchangeAsync()
    {
        await using TestNode honest = await TestNode.StartAsync(_provider, o => o.Kind = PeerKind.Client);
        await honest.ConnectAsync(Victim).WaitAsync(Limit);
        await Victim.WhenAsync(node => node.Mesh.Peers.Any(info => info.Peer == honest.Id), "the honest peer joined", Limit);
        foreach ((TestNode from, TestNode to) in new[] { (honest, Victim), (Victim, honest) })
        {
            string channel = $"honest-{Guid.NewGuid():N}";
            SendReceipt receipt = await from.Mesh.SendAsync(to.Id, new OutgoingMessage(channel, new byte[256])).AsTask().WaitAsync(Limit);
            receipt.IsSent.ShouldBeTrue($"{receipt.Outcome} {receipt.Error}");
            await to.WhenAsync(node => node.Dispatcher.Messages.Any(m => m.Message.Channel == channel), "an honest message arrives", Limit);
        }
        await honest.Mesh.DisconnectAsync(Victim.Id).WaitAsync(Limit);
        await WhenAsync(() => !Sessions.TryGet(honest.Id, out PeerSession? _), "the honest peer has left");
    }

    /// <summary>The attack is over: what must hold now.</summary>
    /// <param name="maxEvents">How many events it may have caused.</param>
    /// <param name="maxHeld">Live bytes that may be left.</param>
    /// <param name="maxShown">Lines that an operator may have been shown.</param>
    public async Task EndAsync(int maxEvents = 24, long maxHeld = 16 * 1024 * 1024, int maxShown = 40)
    {
        // During the attack, as far as its connections stand still.
        await ExchangeAsync();
        foreach (HandDrivenPeer attacker in _attackers) await attacker.DisposeAsync();
        _attackers.Clear();
        // Nothing is left of it: neither sessions nor the tasks of their connections.
        await WhenAsync(() => Sessions.Sessions().Length == 0, "no session is left");
        await WhenAsync(() => Sessions.Tasks.Running == 0, "no task of a connection is left");
        await ExchangeAsync();
        Victim.Mesh.State.ShouldBe(MeshNodeState.Running);
        Victim.Mesh.Failure.ShouldBeNull();
        // The log explains every connection: what was opened was closed.
        await WhenAsync(() => Victim.Journal.State.Connections.Open.Count == 0, "the log's connections are closed");
        await Victim.WhenAsync(node => node.Log.Count() >= Recorded, "the log is durable", Limit);
        Victim.Log.OfType<ConnectionClosed>().Select(e => e.Connection)
            .ShouldBe(Victim.Log.OfType<ConnectionOpened>().Select(e => e.Connection), ignoreOrder: true);
        Victim.Log.OfType<PeerLeft>().Count().ShouldBe(Victim.Log.OfType<PeerJoined>().Count());
        // Each of the two exchanges with honest peers is worth five.
        (Recorded - _eventsBefore).ShouldBeLessThanOrEqualTo(maxEvents + 10);
        await WhenHeldBelowAsync(maxHeld);
        _lines.Lines.Where(line => line.Level >= LogLevel.Error || line.Id.Id is 1012).ShouldBeEmpty();
        _lines.Shown.ShouldBeLessThanOrEqualTo(maxShown);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (HandDrivenPeer attacker in _attackers) await attacker.DisposeAsync();
        // A wedged node would not stop.
        await Victim.DisposeAsync().AsTask().WaitAsync(Limit);
    }
}
