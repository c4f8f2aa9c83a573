using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using EventMesh.Host.Endpoints;

namespace EventMesh.Host.Demo;

/// <summary>The story of the demo: three nodes join, exchange messages, one is killed and comes back from its cache.</summary>
internal sealed class DemoScenario : IAsyncDisposable
{
    /// <summary>Messages from each node to each other.</summary>
    public const int MessagesPerPair = 1_000;

    private const string Channel = "echo";
    private const string ReplyChannel = "echo.reply";
    private static readonly TimeSpan JoinLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ExchangeLimit = TimeSpan.FromSeconds(60);

    private readonly IDemoDisplay _display;
    private readonly DemoNode[] _nodes;
    private readonly NodeWatch?[] _watches;
    private readonly int[] _received;
    private readonly bool[] _killed;
    private readonly long _start = Stopwatch.GetTimestamp();

    public DemoScenario(DemoFolder folder, string pluginDirectory, IDemoDisplay display)
    {
        _display = display;
        _nodes = [.. new[] { "alpha", "beta", "gamma" }.Select(name => new DemoNode(name, folder.For(name), pluginDirectory))];
        _watches = new NodeWatch?[_nodes.Length];
        _received = new int[_nodes.Length];
        _killed = new bool[_nodes.Length];
    }

    /// <summary>The nodes.</summary>
    public IReadOnlyList<DemoNode> Nodes => _nodes;

    /// <summary>Where it shows how it goes.</summary>
    public IDemoDisplay Display => _display;

    /// <summary>The nodes for the display.</summary>
    public IReadOnlyList<DemoRow> Rows() =>
    [
        .. _nodes.Select((node, i) => new DemoRow(
            node.Name, _killed[i] ? "killed" : node.View?.ProcessId.ToString(CultureInfo.InvariantCulture) ?? "-", node.View?.Listen ?? "-",
            _watches[i]?.Peers ?? 0, Volatile.Read(ref _received[i]), _watches[i]?.LastEvent ?? "")),
    ];

    /// <summary>Runs it. The nodes stay up.</summary>
    /// <remarks>The task fails with <see cref="MeshException"/> when something is not as it has to be; the message says what.</remarks>
    public async Task<DemoResult> RunAsync(CancellationToken cancellationToken)
    {
        await JoinAsync(cancellationToken);
        ExchangeCheck check = await ExchangeAsync(cancellationToken);
        await RejoinAsync(cancellationToken);
        int events = 0;
        foreach (DemoNode node in _nodes)
        {
            await foreach (EventView _ in node.Client.GetEventsAsync(0, follow: false, cancellationToken)) events++;
        }
        double seconds = Math.Round(Stopwatch.GetElapsedTime(_start).TotalSeconds, 1);
        _display.Step($"Done: {events} events in the three logs.");
        NodeView view = _nodes[0].View;
        return new DemoResult(
            _nodes.Length, view.Transport, view.Store, Joined: true, check.Expected, check.Exchanged, RejoinedFromCache: true, events, seconds);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (NodeWatch? watch in _watches)
        {
            if (watch is not null) await watch.DisposeAsync();
        }
        await Task.WhenAll(_nodes.Select(node => node.DisposeAsync().AsTask()));
    }

    private async Task JoinAsync(CancellationToken cancellationToken)
    {
        _display.Step("Starting three nodes, each with a private PostgreSQL of its own.");
        _nodes[0].Configure();
        await StartAsync(0, cancellationToken);
        for (int i = 1; i < _nodes.Length; i++) _nodes[i].Configure(_nodes[0].View.Listen);
        await Task.WhenAll(Enumerable.Range(1, _nodes.Length - 1).Select(i => StartAsync(i, cancellationToken)));
        _display.Step($"They run; beta and gamma know only alpha's address. Transport {_nodes[0].View.Transport}, store {_nodes[0].View.Store}.");
        await WithLimitAsync(JoinLimit, "not every node joined each other", token => Task.WhenAll(
            _nodes.Select((node, i) => _watches[i]!.WaitUntilAsync(
                watch => _nodes.All(other => other == node || watch.IsJoined(other.View.Peer)), token))), cancellationToken);
        _display.Step("Each has joined each other: identities proven, connections in both directions.");
    }

    private async Task StartAsync(int index, CancellationToken cancellationToken)
    {
        await _nodes[index].StartAsync(cancellationToken);
        _killed[index] = false;
        _watches[index] = new NodeWatch(_nodes[index], _display.Changed);
        _display.Changed();
    }

    private async Task<ExchangeCheck> ExchangeAsync(CancellationToken cancellationToken)
    {
        ExchangeCheck check = new([.. _nodes.Select(n => n.View.Peer)], MessagesPerPair);
        using CancellationTokenSource watching = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var receivers = new Task[_nodes.Length];
        for (int i = 0; i < _nodes.Length; i++)
            receivers[i] = ReceiveAsync(i, check, await _nodes[i].Client.SubscribeAsync(Channel + "*", watching.Token));
        _display.Step($"Sending {check.Expected} messages, {MessagesPerPair} each way between all pairs; the echo plugin answers each.");
        try
        {
            await WithLimitAsync(ExchangeLimit, "not every message and reply arrived", async token =>
            {
                await Task.WhenAll(
                    from sender in _nodes
                    from receiver in _nodes
                    where sender != receiver
                    select SendAsync(sender, receiver, token));
                await (await Task.WhenAny([check.Complete, .. receivers])).WaitAsync(token);
                await check.Complete.WaitAsync(token);
            }, cancellationToken);
        }
        finally
        {
            await watching.CancelAsync();
            await Task.WhenAll(receivers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        if (check.Fault is { } fault) throw new MeshException(MeshError.ProtocolViolation, $"The exchange went wrong: {fault}.");
        _display.Step($"{check.Exchanged} messages arrived exactly once, and so did their replies.");
        return check;
    }

    private static async Task SendAsync(DemoNode sender, DemoNode receiver, CancellationToken cancellationToken)
    {
        // Handled, and no more at a time than the plugin's queue takes from all senders: a full queue would be answered BUSY.
        SendRequest[] messages =
        [
            .. Enumerable.Range(0, MessagesPerPair).Select(n => new SendRequest(
                receiver.View.Peer.ToString(), Channel, ExchangeCheck.Text(sender.View.Peer, receiver.View.Peer, n), Delivery: DeliveryMode.Handled)),
        ];
        SendBatchResponse response = await sender.Client.SendAsync(new SendBatchRequest(messages), cancellationToken);
        if (response.Receipts.FirstOrDefault(r => r.Outcome != SendOutcome.Handled) is { } receipt)
        {
            throw new MeshException(
                receipt.Error ?? MeshError.ConnectionLost,
                $"A message from {sender.Name} to {receiver.Name} ended as {receipt.Outcome} ({receipt.Error?.ToString() ?? "no error"}), not as Handled.");
        }
    }

    private async Task ReceiveAsync(int index, ExchangeCheck check, IAsyncEnumerable<MessageView> messages)
    {
        PeerId self = _nodes[index].View.Peer;
        await foreach (MessageView message in messages)
        {
            if (message.Channel == Channel) check.Arrived(message.From, self, message.Text);
            else if (message.Channel == ReplyChannel) check.Answered(message.From, self, message.Text);
            Interlocked.Increment(ref _received[index]);
            _display.Changed();
        }
    }

    private async Task RejoinAsync(CancellationToken cancellationToken)
    {
        const int Last = 2;
        DemoNode node = _nodes[Last];
        CacheEntryView[] cache = await node.Client.GetCacheAsync(cancellationToken);
        if (cache.Length == 0) throw new MeshException(MeshError.NotConnected, $"The bootstrap cache of {node.Name} is empty: it could not rejoin.");
        NodeView before = node.View;
        await _watches[Last]!.DisposeAsync();
        _watches[Last] = null;
        await node.KillAsync(cancellationToken);
        _killed[Last] = true;
        _display.Step($"{node.Name}, process {before.ProcessId}, was killed (SIGKILL). Its configuration now names no contact.");

        // Held while it restarts: so it gets another port, and those that still dial the old one find nobody.
        using Socket oldPort = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        oldPort.Bind(node.ListenEndPoint);
        node.Configure();
        await StartAsync(Last, cancellationToken);
        await WithLimitAsync(JoinLimit, $"{node.Name} did not rejoin", async token =>
        {
            await _watches[Last]!.WaitUntilAsync(
                watch => watch.BootstrapSource == "cache" && _nodes[..Last].All(other => watch.IsJoined(other.View.Peer)), token);
            foreach (NodeWatch? other in _watches[..Last])
                await other!.WaitUntilAsync(watch => watch.IsJoined(node.View.Peer, node.View.Instance), token);
        }, cancellationToken);
        if (node.View.Peer != before.Peer || node.View.Listen == before.Listen)
            throw new MeshException(MeshError.Unknown, $"{node.Name} came back as another peer or on the same port: the demo proves nothing.");
        _display.Step($"{node.Name} is back on {node.View.Listen} as process {node.View.ProcessId}, joined from its bootstrap cache alone.");
    }

    private static async Task WithLimitAsync(TimeSpan limit, string what, Func<CancellationToken, Task> action, CancellationToken cancellationToken)
    {
        using CancellationTokenSource source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        source.CancelAfter(limit);
        try
        {
            await action(source.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new MeshException(MeshError.Timeout, $"After {limit.TotalSeconds:F0} s {what}.");
        }
    }
}
