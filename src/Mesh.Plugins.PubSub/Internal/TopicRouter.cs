using System.Collections.Concurrent;
using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.PubSub;

namespace EventMesh.Plugins.PubSub.Internal;

/// <summary>
/// Who subscribes to what, here and on the joined peers. Each node tells its peers all its topics when they change; a message goes directly to the
/// peers that asked for its topic and is not forwarded: one hop.
/// </summary>
internal sealed class TopicRouter(IMesh mesh, TimeProvider time) : IPubSubProvider
{
    private const int MaxSeen = 16_384;
    private static readonly TimeSpan AnnounceLimit = TimeSpan.FromSeconds(2);
    private readonly Lock _mutex = new();
    private readonly Dictionary<string, List<Subscription>> _local = [];

    // Bounded by the joined peers, each by TopicCodec.MaxTopics.
    private readonly Dictionary<PeerId, (long Version, HashSet<string> Topics)> _remote = [];

    // The last messages, so that one that is sent again is delivered once.
    private readonly HashSet<(PeerId From, Guid Id)> _seen = [];
    private readonly Queue<(PeerId From, Guid Id)> _seenInOrder = [];
    private long _version;

    public Task StartAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(mesh.Peers.Select(peer => AnnounceAsync(peer.Peer, answer: true, cancellationToken)));

    public async Task<IAsyncDisposable> SubscribeAsync(string topic, Action<TopicMessage> deliver, CancellationToken cancellationToken)
    {
        var subscription = new Subscription(this, topic, deliver);
        bool first;
        lock (_mutex)
        {
            first = !_local.TryGetValue(topic, out List<Subscription>? subscriptions);
            if (first && _local.Count == TopicCodec.MaxTopics)
                throw new MeshException(MeshError.QueueFull, $"A node subscribes to at most {TopicCodec.MaxTopics} topics. End a subscription first.");
            (subscriptions ?? (_local[topic] = [])).Add(subscription);
        }

        if (first)
            await AnnounceToAllAsync(cancellationToken).ConfigureAwait(false);
        return subscription;
    }

    public async Task<int> PublishAsync(string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        var id = Guid.CreateVersion7(time.GetUtcNow());
        Deliver(new TopicMessage(topic, id, mesh.LocalPeer, payload.ToArray()));
        PeerId[] peers;
        lock (_mutex)
            peers = [.. _remote.Where(peer => peer.Value.Topics.Contains(topic)).Select(peer => peer.Key)];
        if (peers.Length == 0)
            return 0;
        var message = new OutgoingMessage(TopicCodec.DataChannel, TopicCodec.EncodeMessage(id, topic, payload.Span));
        SendReceipt[] receipts = await Task.WhenAll(
            peers.Select(peer => mesh.SendAsync(peer, message, cancellationToken).AsTask())).ConfigureAwait(false);
        return receipts.Count(receipt => receipt.IsSent);
    }

    /// <summary>A peer told us all its topics. Messages overtake each other: an older one is not taken.</summary>
    public async Task ReceiveTopicsAsync(PeerId from, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        if (TopicCodec.DecodeTopics(payload.Span) is not { } announced || mesh.Peers.All(peer => peer.Peer != from))
            return;
        lock (_mutex)
        {
            if (!_remote.TryGetValue(from, out (long Version, HashSet<string> Topics) known) || known.Version < announced.Version)
                _remote[from] = (announced.Version, announced.Topics);
        }

        if (announced.Answer)
            await AnnounceAsync(from, answer: false, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A message of a peer for local subscribers.</summary>
    public void ReceiveMessage(PeerId from, ReadOnlyMemory<byte> payload)
    {
        if (TopicCodec.DecodeMessage(payload) is not { } message)
            return;
        lock (_mutex)
        {
            if (!_local.ContainsKey(message.Topic) || !_seen.Add((from, message.Id)))
                return;
            _seenInOrder.Enqueue((from, message.Id));
            if (_seenInOrder.Count > MaxSeen)
                _seen.Remove(_seenInOrder.Dequeue());
        }

        Deliver(new TopicMessage(message.Topic, message.Id, from, message.Payload));
    }

    /// <summary>A peer joined: it learns our topics, and tells us its own when it hears of us.</summary>
    public Task JoinedAsync(PeerId peer, CancellationToken cancellationToken) => AnnounceAsync(peer, answer: false, cancellationToken);

    /// <summary>A peer left: when it comes back it tells its topics anew.</summary>
    public void Left(PeerId peer)
    {
        lock (_mutex)
            _remote.Remove(peer);
    }

    private void Deliver(TopicMessage message)
    {
        Subscription[] subscriptions;
        lock (_mutex)
            subscriptions = _local.TryGetValue(message.Topic, out List<Subscription>? found) ? [.. found] : [];
        foreach (Subscription subscription in subscriptions)
            subscription.Deliver(message);
    }

    private Task AnnounceToAllAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(mesh.Peers.Select(peer => AnnounceAsync(peer.Peer, answer: false, cancellationToken)));

    private async Task AnnounceAsync(PeerId peer, bool answer, CancellationToken cancellationToken)
    {
        byte[] topics;
        lock (_mutex)
        {
            // Above what an earlier process of this node has used, without keeping it anywhere.
            _version = Math.Max(_version + 1, time.GetUtcNow().Ticks);
            topics = TopicCodec.EncodeTopics(_version, answer, _local.Keys);
        }

        // A peer that can't be reached now leaves, and hears of us when it joins again; one without the plugin refuses. A silent one must not
        // hold up what the others send.
        using var limit = new CancellationTokenSource(AnnounceLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await mesh.SendAsync(peer, new OutgoingMessage(TopicCodec.ControlChannel, topics), either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // It has left this node, or the peer does not read any more.
        }
    }

    private async Task UnsubscribeAsync(Subscription subscription)
    {
        lock (_mutex)
        {
            if (!_local.TryGetValue(subscription.Topic, out List<Subscription>? subscriptions) || !subscriptions.Remove(subscription)
                || subscriptions.Count > 0)
                return;
            _local.Remove(subscription.Topic);
        }

        await AnnounceToAllAsync(CancellationToken.None).ConfigureAwait(false);
    }

    private sealed class Subscription(TopicRouter router, string topic, Action<TopicMessage> deliver) : IAsyncDisposable
    {
        public string Topic { get; } = topic;

        public Action<TopicMessage> Deliver { get; } = deliver;

        public async ValueTask DisposeAsync() => await router.UnsubscribeAsync(this).ConfigureAwait(false);
    }
}
