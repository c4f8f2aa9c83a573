using System.Text;
using EventMesh.Events;
using EventMesh.Messaging;
using EventMesh.Tests.Common;
using Shouldly;
using Xunit;

namespace EventMesh.Plugins.Tests;

/// <summary>Plugin assemblies, loaded as an operator deploys them, between two nodes.</summary>
public sealed class RealPluginTests : IDisposable
{
    private readonly PluginFolders _folders = new();

    public void Dispose() => _folders.Dispose();

    [Fact]
    public async Task The_echo_plugin_greets_answers_and_writes_to_the_log()
    {
        _folders.Copy(PluginFolders.Echo, "EchoPlugin");
        await using TestNode node = await new TestNode(_folders).StartAsync();
        var other = new FakeMesh();

        FakeMesh.Join(node.Mesh, other);
        PluginEvent greeted = await node.Journal.WaitForAsync<PluginEvent>();
        SendReceipt receipt = await other.SendAsync(
            node.Mesh.LocalPeer, new OutgoingMessage("echo", "hello"u8.ToArray()) { Delivery = DeliveryMode.Handled }, TestContext.Current.CancellationToken);
        ReadOnlyMemory<byte> response = await other.RequestAsync(
            node.Mesh.LocalPeer, "echo", "question"u8.ToArray(), TestContext.Current.CancellationToken);

        receipt.Outcome.ShouldBe(SendOutcome.Handled);
        Encoding.UTF8.GetString(response.Span).ShouldBe("question");
        (greeted.Plugin, greeted.Name).ShouldBe(("echo", "greeted"));
        greeted.Data.GetProperty("peer").GetString().ShouldBe(other.LocalPeer.ToString());
        foreach ((string channel, string text) in new[] { ("greetings", "hello"), ("echo.reply", "hello") })
        {
            node.Mesh.Sent.TryRead(out (Identity.PeerId To, OutgoingMessage Message) sent).ShouldBeTrue();
            (sent.To, sent.Message.Channel, Encoding.UTF8.GetString(sent.Message.Payload.Span)).ShouldBe((other.LocalPeer, channel, text));
        }
    }

    [Fact]
    public async Task Throwing_and_hanging_plugins_disturb_neither_the_node_nor_a_good_plugin()
    {
        _folders.Add("ThrowingPlugin");
        _folders.Add("HangingPlugin");
        _folders.Add("RecordingPlugin");
        await using TestNode node = await new TestNode(
            _folders, ("HandlerTimeout", "00:00:00.050"), ("StopTimeout", "00:00:00.100"), ("QuarantineAfter", "3")).StartAsync();

        for (int i = 0; i < 10; i++)
        {
            node.Dispatcher.Publish(TestPlugins.Left);
            await node.SendAsync("record", $"{i}");
        }

        await node.Journal.WaitForAsync<PluginQuarantined>(quarantined => quarantined.Plugin == "throwing");
        await node.Journal.WaitForAsync<PluginQuarantined>(quarantined => quarantined.Plugin == "hanging");
        await node.Journal.WaitForAsync<PluginEvent>(seen => seen.Name == "seen" && seen.Data.GetProperty("text").GetString() == "9!");
        node.Journal.All<PluginEvent>().Count(seen => seen.Name == "seen").ShouldBe(10);
        (await node.SendAsync("record", "alone")).ShouldBeNull();
        node.Host.Plugins.Select(plugin => (plugin.Name, plugin.State)).ShouldBe(
            [("hanging", PluginState.Quarantined), ("recording", PluginState.Running), ("throwing", PluginState.Quarantined)]);
    }

    [Fact]
    public async Task A_hanging_plugin_does_not_keep_the_node_from_stopping()
    {
        _folders.Add("HangingPlugin");
        TestNode node = await new TestNode(_folders, ("StopTimeout", "00:00:00.050")).StartAsync();
        Task<MeshError?> hanging = node.SendAsync("any");

        await node.Host.StopAsync(CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);

        (await hanging).ShouldNotBeNull();
        node.Journal.All<PluginUnloaded>().ShouldHaveSingleItem();
    }
}
