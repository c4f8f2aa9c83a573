using System.Text;
using System.Threading.Channels;
using EventMesh.Events;
using EventMesh.Messaging;
using EventMesh.Plugins.PubSub.Internal;
using EventMesh.PubSub;
using EventMesh.Tests.Common;
using Shouldly;
using Xunit;

namespace EventMesh.Plugins.Tests;

/// <summary>Topics between nodes, each with the plugin loaded from its folder.</summary>
public sealed class PubSubTests : IAsyncDisposable
{
    private readonly PluginFolders _folders = new();
    private readonly List<TestNode> _nodes = [];
    private readonly Channel<TopicMessage> _received = Channel.CreateBounded<TopicMessage>(100);

    public async ValueTask DisposeAsync()
    {
        foreach (TestNode node in _nodes)
            await node.DisposeAsync();
        _folders.Dispose();
    }

    [Fact]
    public async Task A_message_reaches_subscribers_on_the_node_itself_and_on_joined_peers()
    {
        (TestNode here, TestNode there) = await StartPairAsync();
        FakeMesh.Join(here.Mesh, there.Mesh);
        await SubscribeAsync(there, "news");
        await SubscribeAsync(here, "news");

        await PublishUntilAsync(here, "news", peers: 1);

        TopicMessage[] received = [await ReceiveAsync(), await ReceiveAsync()];
        received.ShouldAllBe(message => message.Topic == "news" && message.From == here.Mesh.LocalPeer);
        received.Select(Text).ShouldAllBe(text => text == "hello");
    }

    [Fact]
    public async Task A_peer_that_joins_later_learns_of_the_subscriptions()
    {
        (TestNode here, TestNode there) = await StartPairAsync();
        await SubscribeAsync(there, "news");
        FakeMesh.Join(here.Mesh, there.Mesh);

        await PublishUntilAsync(here, "news", peers: 1);

        (await ReceiveAsync()).Topic.ShouldBe("news");
        (await here.Topics.PublishAsync("other", "hello"u8.ToArray(), TestContext.Current.CancellationToken)).ShouldBe(0);
    }

    [Fact]
    public async Task Who_unsubscribes_or_leaves_is_sent_nothing_more()
    {
        (TestNode here, TestNode there) = await StartPairAsync();
        FakeMesh.Join(here.Mesh, there.Mesh);
        IAsyncDisposable one = await SubscribeAsync(there, "one");
        await SubscribeAsync(there, "two");
        await PublishUntilAsync(here, "one", peers: 1);
        await PublishUntilAsync(here, "two", peers: 1);

        await one.DisposeAsync();
        await PublishUntilAsync(here, "one", peers: 0);
        FakeMesh.Part(here.Mesh, there.Mesh);
        await PublishUntilAsync(here, "two", peers: 0);
    }

    [Fact]
    public async Task Subscriptions_survive_a_reload_of_the_plugin()
    {
        (TestNode here, TestNode there) = await StartPairAsync();
        FakeMesh.Join(here.Mesh, there.Mesh);
        await SubscribeAsync(there, "news");
        await PublishUntilAsync(here, "news", peers: 1);
        await ReceiveAsync();

        await there.Host.ReloadAsync("pubsub", TestContext.Current.CancellationToken);
        await here.Host.ReloadAsync("pubsub", TestContext.Current.CancellationToken); // It has forgotten who subscribes, and asks.
        await PublishUntilAsync(here, "news", peers: 1);

        (await ReceiveAsync()).Topic.ShouldBe("news");
    }

    [Fact]
    public async Task Without_a_provider_a_publish_says_so()
    {
        TestNode node = await StartAsync(withTopics: false);

        MeshException failure = await Should.ThrowAsync<MeshException>(() => node.Topics.PublishAsync("news", default));

        failure.Error.ShouldBe(MeshError.NoHandler);
        failure.Message.ShouldContain("EventMesh.Plugins.PubSub");
    }

    [Theory]
    [InlineData("")]
    [InlineData("ééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé")]
    public async Task A_topic_has_1_to_128_bytes(string topic)
    {
        TestNode node = await StartAsync();

        await Should.ThrowAsync<ArgumentException>(() => node.Topics.PublishAsync(topic, default));
        await Should.ThrowAsync<ArgumentException>(() => node.Topics.SubscribeAsync(topic, (_, _) => Task.CompletedTask));
    }

    [Fact]
    public async Task A_subscriber_that_throws_is_the_one_that_fails()
    {
        TestNode node = await StartAsync();
        await node.Topics.SubscribeAsync("news", (_, _) => throw new InvalidOperationException("on purpose"), TestContext.Current.CancellationToken);

        await node.Topics.PublishAsync("news", default, TestContext.Current.CancellationToken);

        PluginFailed failed = await node.Journal.WaitForAsync<PluginFailed>();
        (failed.Plugin, failed.Notification).ShouldBe(("app", "TopicMessage"));
        node.Host.Plugins.ShouldHaveSingleItem().Failures.ShouldBe(0);
    }

    [Fact]
    public async Task What_a_hostile_or_repeating_peer_sends_is_ignored()
    {
        TestNode node = await StartAsync();
        var peer = new FakeMesh();
        FakeMesh.Join(node.Mesh, peer);
        await SubscribeAsync(node, "news");
        byte[] message = TopicCodec.EncodeMessage(Guid.CreateVersion7(), "news", "once"u8);
        byte[] last = TopicCodec.EncodeMessage(Guid.CreateVersion7(), "news", "last"u8);

        foreach (byte[] payload in new[] { [], new byte[5], new byte[17], [.. new byte[16], 200, 1], message[..18], message, message, last })
        {
            foreach (string channel in new[] { "pubsub.control", "pubsub" })
            {
                SendReceipt receipt = await peer.SendAsync(
                    node.Mesh.LocalPeer, new OutgoingMessage(channel, payload) { Delivery = DeliveryMode.Handled }, TestContext.Current.CancellationToken);
                receipt.Outcome.ShouldBe(SendOutcome.Handled);
            }
        }

        Text(await ReceiveAsync()).ShouldBe("once");
        Text(await ReceiveAsync()).ShouldBe("last");
        node.Host.Plugins.ShouldHaveSingleItem().Failures.ShouldBe(0);
    }

    [Fact]
    public void The_topics_of_a_peer_are_bounded_and_older_news_is_told_apart()
    {
        string[] topics = [.. Enumerable.Range(0, TopicCodec.MaxTopics).Select(i => $"topic-{i}")];

        (long version, bool answer, HashSet<string> decoded) = TopicCodec.DecodeTopics(TopicCodec.EncodeTopics(7, answer: true, topics)).ShouldNotBeNull();

        (version, answer).ShouldBe((7, true));
        decoded.ShouldBe(topics, ignoreOrder: true);
        TopicCodec.DecodeTopics(TopicCodec.EncodeTopics(7, answer: true, [.. topics, "one more"])).ShouldBeNull();
    }

    private async Task<TestNode> StartAsync(bool withTopics = true)
    {
        if (withTopics)
            _folders.Copy(PluginFolders.PubSub, "EventMesh.Plugins.PubSub");
        TestNode node = new(_folders);
        _nodes.Add(node);
        return await node.StartAsync();
    }

    private async Task<(TestNode Here, TestNode There)> StartPairAsync() => (await StartAsync(), await StartAsync());

    private Task<IAsyncDisposable> SubscribeAsync(TestNode node, string topic) => node.Topics.SubscribeAsync(
        topic, async (message, token) => await _received.Writer.WriteAsync(message, token), TestContext.Current.CancellationToken);

    private Task<TopicMessage> ReceiveAsync() => _received.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromMinutes(2));

    private static string Text(TopicMessage message) => Encoding.UTF8.GetString(message.Payload.Span);

    // Peers learn of a subscription a moment later; until then a publish reaches the wrong number of them.
    private static async Task PublishUntilAsync(TestNode node, string topic, int peers)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (await node.Topics.PublishAsync(topic, "hello"u8.ToArray(), limit.Token) != peers)
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
