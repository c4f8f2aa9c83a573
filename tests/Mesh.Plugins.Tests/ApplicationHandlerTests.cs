using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace EventMesh.Plugins.Tests;

public sealed class ApplicationHandlerTests
{
    [Fact]
    public async Task Handlers_of_the_application_get_messages_of_all_channels_from_its_own_container()
    {
        int calls = 0;
        await using TestNode node = new();
        node.Services.AddSingleton(new Behaviour { OnMessage = (_, _) => Task.FromResult(++calls) });
        node.AddHandlersFrom<ApplicationHandlerTests>().AddHandlers(typeof(ApplicationHandlerTests).Assembly);
        await node.StartAsync();

        (await node.SendAsync("any")).ShouldBeNull();
        (await node.RequestAsync("whatever", "question")).ShouldBe("question");

        calls.ShouldBe(1, "an assembly named twice is scanned once");
        PluginStatus status = node.Host.Plugins.ShouldHaveSingleItem();
        (status.Name, status.Folder).ShouldBe(("app", null));
    }

    [Fact]
    public async Task A_request_that_a_plugin_takes_does_not_reach_the_application()
    {
        using var folders = new PluginFolders();
        folders.Add("RecordingPlugin");
        await using TestNode node = new(folders);
        node.Services.AddSingleton(new Behaviour());
        node.AddHandlersFrom<ApplicationHandlerTests>();
        await node.StartAsync();

        (await node.RequestAsync("record", "question")).ShouldBe("question!");
        (await node.RequestAsync("other", "question")).ShouldBe("question");
    }

    [Fact]
    public async Task A_node_without_plugins_and_handlers_starts_and_has_no_handler()
    {
        await using TestNode node = await new TestNode().StartAsync();

        (await node.SendAsync("any")).ShouldBe(MeshError.NoHandler);
    }
}
