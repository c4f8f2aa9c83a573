using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using System.Text.Json;
using EventMesh.Events;
using EventMesh.Plugins.Internal;
using EventMesh.Plugins.Loading.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Plugins.Tests;

public sealed class LoadingTests : IDisposable
{
    private readonly PluginFolders _folders = new();

    public void Dispose() => _folders.Dispose();

    [Fact]
    public async Task A_plugin_is_loaded_with_its_settings_its_libraries_and_the_hosts_services()
    {
        _folders.Add("RecordingPlugin");
        await using TestNode node = await new TestNode(_folders, ("Settings:recording:Greeting", "good day")).StartAsync();

        (await node.SendAsync("record", "abc")).ShouldBeNull();

        PluginEvent seen = node.Journal.All<PluginEvent>().ShouldHaveSingleItem();
        (seen.Plugin, seen.Name).ShouldBe(("recording", "seen"));
        seen.Data.GetProperty("text").GetString().ShouldBe("abc!");
        seen.Data.GetProperty("greeting").GetString().ShouldBe("good day");
        seen.Data.GetProperty("node").GetString().ShouldBe(node.Mesh.LocalPeer.ToString());
        (await node.RequestAsync("notes.today", "abc")).ShouldBe("abc!");
        node.Journal.All<PluginLoaded>().ShouldBe([new PluginLoaded("recording", "0.1.0")]);
        PluginStatus status = node.Host.Plugins.ShouldHaveSingleItem();
        (status.Name, status.State, status.Failures).ShouldBe(("recording", PluginState.Running, 0));
        node.Logs.Entries.ShouldContain(entry => entry.Id.Id == (int)LogEvent.HandlerNeverCalled && entry.Text.Contains("OwnNotification"));
    }

    [Fact]
    public async Task Stopping_unloads_and_says_so()
    {
        _folders.Add("RecordingPlugin");
        await using TestNode node = await new TestNode(_folders).StartAsync();
        await node.Host.StopAsync(CancellationToken.None);

        node.Journal.All<PluginUnloaded>().ShouldBe([new PluginUnloaded("recording")]);
        node.Host.Plugins.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("BrokenPlugin", "InvalidOperationException: broken on purpose")]
    [InlineData("MisconfiguredPlugin", "the setting Key is missing", "EventMesh:Plugins:Settings:misconfigured")]
    [InlineData("TwoPlugins", "several plugins (First, Second)", "folder of its own")]
    [InlineData("InvalidNamePlugin", "its name is 'Not a name'", "a-z, 0-9 and hyphen")]
    public async Task An_unusable_plugin_keeps_the_node_from_starting(string asset, params string[] message)
    {
        string folder = _folders.Add(asset);

        await ShouldRefuseAsync(folder, message);
    }

    [Fact]
    public async Task A_plugin_that_hangs_while_it_is_loaded_does_not_keep_the_node_in_limbo()
    {
        string folder = _folders.Add("MisconfiguredPlugin");
        await using var node = new TestNode(_folders, ("Settings:misconfigured:Key", "hang"), ("LoadTimeout", "00:00:00.500"));

        MeshException failure = await Should.ThrowAsync<MeshException>(node.StartAsync);

        failure.Message.ShouldBe($"The plugin in '{folder}' can't be used: it was not loaded within 0.5 s. Correct what its constructor or Configure waits for.");
    }

    [Fact]
    public Task An_empty_folder_is_no_plugin() => ShouldRefuseAsync(_folders.AddEmpty("empty"), "it holds no dll", "remove the folder");

    [Theory]
    [InlineData("garbage.dll")]
    [InlineData("other.dll")]
    public async Task A_file_that_is_no_assembly_is_no_plugin(string file)
    {
        string folder = _folders.AddEmpty("garbage");
        await File.WriteAllTextAsync(Path.Combine(folder, file), "This is not an assembly.", TestContext.Current.CancellationToken);

        await ShouldRefuseAsync(folder, $"'{file}' is not a .NET assembly", "Build the plugin again");
    }

    [Fact]
    public async Task An_assembly_that_is_cut_off_is_no_plugin()
    {
        string folder = _folders.Add("RecordingPlugin");
        string file = Path.Combine(folder, "RecordingPlugin.dll");
        byte[] bytes = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(file, bytes[..(bytes.Length / 2)], TestContext.Current.CancellationToken);

        await ShouldRefuseAsync(folder, "Build the plugin again");
    }

    [Theory]
    [InlineData("library")]
    [InlineData("PrivateLibrary")]
    public async Task An_assembly_without_a_plugin_is_no_plugin(string name)
    {
        string folder = _folders.AddEmpty(name);
        File.Copy(Path.Combine(PluginFolders.Asset("RecordingPlugin"), "PrivateLibrary.dll"), Path.Combine(folder, "PrivateLibrary.dll"));

        await ShouldRefuseAsync(folder, nameof(IMeshPlugin), "Add a public class");
    }

    [Fact]
    public async Task Two_assemblies_that_may_be_the_plugin_are_ambiguous_unless_the_folder_is_named_like_one()
    {
        string folder = _folders.Add("RecordingPlugin", "both");
        _folders.Add("ThrowingPlugin", "both");
        await ShouldRefuseAsync(folder, "(RecordingPlugin.dll, ThrowingPlugin.dll)", "Name the folder like the plugin's assembly");

        Directory.Move(folder, Path.Combine(_folders.Root, "ThrowingPlugin"));
        await using TestNode node = await new TestNode(_folders).StartAsync();
        node.Host.Plugins.ShouldHaveSingleItem().Name.ShouldBe("throwing");
    }

    [Theory]
    [InlineData(2, 0, "compiled for plugin API 2, and this host has 1")]
    [InlineData(0, 9, "compiled for plugin API 0, and this host has 1")]
    [InlineData(1, 7, "compiled for plugin API 1.7, and this host has 1.0")]
    public async Task A_plugin_for_another_api_is_refused_before_its_code_is_loaded(ushort major, ushort minor, string cause)
    {
        string folder = _folders.Add("BrokenPlugin"); // Its constructor would throw.
        SetContractVersion(Path.Combine(folder, "BrokenPlugin.dll"), major, minor);

        await ShouldRefuseAsync(folder, cause);
    }

    [Fact]
    public void The_version_of_the_contract_assembly_is_the_version_of_the_plugin_api() =>
        typeof(IMeshPlugin).Assembly.GetName().Version!.Major.ShouldBe(PluginApi.Version);

    [Fact]
    public async Task Two_plugins_of_one_name_are_refused()
    {
        _folders.Add("RecordingPlugin", "a");
        string second = _folders.Add("RecordingPlugin", "b");

        await ShouldRefuseAsync(second, "another plugin is named 'recording' too", "rename one");
    }

    [Fact]
    public async Task All_unusable_plugins_are_named_at_once()
    {
        string broken = _folders.Add("BrokenPlugin");
        string empty = _folders.AddEmpty("empty");
        await using var node = new TestNode(_folders);

        MeshException failure = await Should.ThrowAsync<MeshException>(node.StartAsync);

        failure.Message.ShouldContain(broken);
        failure.Message.ShouldContain(empty);
        node.Journal.All<PluginFailed>().Select(failed => failed.Plugin).ShouldBe(["BrokenPlugin", "empty"]);
    }

    [Fact]
    public async Task A_node_may_start_without_the_plugins_that_fail()
    {
        _folders.Add("BrokenPlugin");
        _folders.Add("RecordingPlugin");
        await using TestNode node = await new TestNode(_folders, ("FailOnError", "false")).StartAsync();

        node.Host.Plugins.ShouldHaveSingleItem().Name.ShouldBe("recording");
        node.Journal.All<PluginFailed>().ShouldHaveSingleItem();
        (await node.SendAsync("record")).ShouldBeNull();
    }

    [Fact]
    public async Task A_missing_plugin_directory_keeps_the_node_from_starting()
    {
        await using var node = new TestNode(settings: ("Directory", Path.Combine(_folders.Root, "nowhere")));

        MeshException failure = await Should.ThrowAsync<MeshException>(node.StartAsync);

        failure.Error.ShouldBe(MeshError.PluginUnusable);
        failure.Message.ShouldContain("nowhere' does not exist");
        failure.Message.ShouldContain("EventMesh:Plugins:Directory");
    }

    [Fact]
    public async Task Wrong_settings_are_all_named_at_once()
    {
        await using var node = new TestNode(settings: [("QueueLength", "0"), ("QuarantineAfter", "-1")]);

        MeshException failure = await Should.ThrowAsync<MeshException>(node.StartAsync);

        failure.Error.ShouldBe(MeshError.InvalidConfiguration);
        failure.Message.ShouldContain("EventMesh:Plugins:QueueLength is 0");
        failure.Message.ShouldContain("EventMesh:Plugins:QuarantineAfter is -1");
    }

    [Fact]
    public async Task A_setting_that_is_no_number_is_named()
    {
        await using var node = new TestNode(settings: ("QueueLength", "many"));

        MeshException failure = await Should.ThrowAsync<MeshException>(node.StartAsync);

        failure.Error.ShouldBe(MeshError.InvalidConfiguration);
        failure.Message.ShouldContain("QueueLength");
    }

    [Fact]
    public async Task A_stopped_plugin_leaves_the_process()
    {
        WeakReference context = await UseAndStopAsync();

        await ShouldBeCollectedAsync(context);
    }

    [Fact]
    public async Task A_reloaded_plugin_leaves_the_process_and_its_successor_works()
    {
        _folders.Add("RecordingPlugin", "reloaded");
        await using TestNode node = await new TestNode(_folders, ("Settings:recording:Greeting", "again")).StartAsync();
        (await node.SendAsync("record")).ShouldBeNull();
        WeakReference old = ContextOf("reloaded");

        (await node.Host.ReloadAsync("recording", TestContext.Current.CancellationToken)).Name.ShouldBe("recording");
        (await node.SendAsync("record")).ShouldBeNull();

        await ShouldBeCollectedAsync(old);
        node.Journal.Events.Select(recorded => recorded.Data.GetType().Name)
            .ShouldBe(["PluginLoaded", "PluginEvent", "PluginUnloaded", "PluginLoaded", "PluginEvent"]);
    }

    [Fact]
    public async Task Reloading_ends_a_quarantine()
    {
        _folders.Add("ThrowingPlugin");
        await using TestNode node = await new TestNode(_folders, ("QuarantineAfter", "1")).StartAsync();
        for (int i = 0; i < 3; i++)
            (await node.SendAsync("any")).ShouldBe(MeshError.HandlerFailed);
        node.Host.Plugins.ShouldHaveSingleItem().State.ShouldBe(PluginState.Quarantined);

        PluginStatus status = await node.Host.ReloadAsync("throwing", TestContext.Current.CancellationToken);

        (status.State, status.Failures).ShouldBe((PluginState.Running, 0));
        (await node.SendAsync("any")).ShouldBe(MeshError.HandlerFailed);
    }

    [Fact]
    public async Task A_failed_reload_leaves_the_plugin_out_until_it_is_reloaded_again()
    {
        string folder = _folders.Add("RecordingPlugin");
        await using TestNode node = await new TestNode(_folders).StartAsync();
        string file = Path.Combine(folder, "RecordingPlugin.dll");
        byte[] good = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(file, "broken", TestContext.Current.CancellationToken); // While it is loaded.
        (await node.SendAsync("record")).ShouldBeNull();

        (await Should.ThrowAsync<MeshException>(() => node.Host.ReloadAsync("recording"))).Error.ShouldBe(MeshError.PluginUnusable);
        (await node.SendAsync("record")).ShouldBe(MeshError.NoHandler);

        await File.WriteAllBytesAsync(file, good, TestContext.Current.CancellationToken);
        await node.Host.ReloadAsync("recording", TestContext.Current.CancellationToken);
        (await node.SendAsync("record")).ShouldBeNull();
    }

    [Fact]
    public async Task Only_a_known_plugin_of_a_running_node_can_be_reloaded()
    {
        await using TestNode node = await new TestNode().StartAsync();
        (await Should.ThrowAsync<MeshException>(() => node.Host.ReloadAsync("unknown"))).Error.ShouldBe(MeshError.PluginUnusable);

        await node.Host.StopAsync(CancellationToken.None);
        (await Should.ThrowAsync<MeshException>(() => node.Host.ReloadAsync("unknown"))).Error.ShouldBe(MeshError.NodeStopped);
    }

    [Fact]
    public void A_plugin_does_not_get_the_hosts_private_libraries()
    {
        string folder = _folders.Add("RecordingPlugin");
        var context = new PluginLoadContext("private", Path.Combine(folder, "RecordingPlugin.dll"));
        try
        {
            Should.Throw<FileLoadException>(() => context.LoadFromAssemblyName(new("Shouldly"))).ToString().ShouldContain("lacks 'Shouldly.dll'");
            context.LoadFromAssemblyName(new("EventMesh.Abstractions")).ShouldBeSameAs(typeof(IMeshPlugin).Assembly);
            AssemblyLoadContext.GetLoadContext(context.LoadFromAssemblyName(new("PrivateLibrary"))).ShouldBeSameAs(context);
        }
        finally
        {
            context.Unload();
        }
    }

    private static void SetContractVersion(string file, ushort major, ushort minor)
    {
        byte[] bytes = File.ReadAllBytes(file);
        using var image = new PEReader(new MemoryStream(bytes));
        MetadataReader metadata = image.GetMetadataReader();
        AssemblyReferenceHandle contract = metadata.AssemblyReferences
            .Single(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name) == "EventMesh.Abstractions");
        // A row of the table AssemblyRef begins with the version: four little-endian 16 bit numbers (ECMA-335 II.22.5).
        int row = image.PEHeaders.MetadataStartOffset + metadata.GetTableMetadataOffset(TableIndex.AssemblyRef)
            + ((MetadataTokens.GetRowNumber(contract) - 1) * metadata.GetTableRowSize(TableIndex.AssemblyRef));
        BitConverter.TryWriteBytes(bytes.AsSpan(row), major);
        BitConverter.TryWriteBytes(bytes.AsSpan(row + 2), minor);
        File.WriteAllBytes(file, bytes);
    }

    private static WeakReference ContextOf(string folder) => new(AssemblyLoadContext.All.Single(context => context.Name == folder));

    private static async Task ShouldBeCollectedAsync(WeakReference context)
    {
        // Off the stack of whoever completed the unloading: its frames still hold the plugin.
        await Task.Yield();

        // Collecting a load context takes several rounds: its parts keep each other alive through finalizers.
        for (int i = 0; context.IsAlive && i < 100; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        context.IsAlive.ShouldBeFalse();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task<WeakReference> UseAndStopAsync()
    {
        _folders.Add("RecordingPlugin", "stopped");
        await using TestNode node = await new TestNode(_folders).StartAsync();
        (await node.SendAsync("record")).ShouldBeNull();
        await node.RequestAsync("record");
        node.Dispatcher.Publish(TestPlugins.Left);
        await node.Journal.WaitForAsync<PluginEvent>(recorded => recorded is { Name: "left", Data.ValueKind: JsonValueKind.String });
        return ContextOf("stopped");
    }

    private async Task ShouldRefuseAsync(string folder, params string[] message)
    {
        await using var node = new TestNode(_folders);

        MeshException failure = await Should.ThrowAsync<MeshException>(node.StartAsync);

        failure.Error.ShouldBe(MeshError.PluginUnusable);
        failure.Message.ShouldContain($"The plugin in '{folder}' can't be used: ");
        foreach (string part in message)
            failure.Message.ShouldContain(part);
        failure.Message.ShouldNotContain("   at ");
        node.Host.Plugins.ShouldBeEmpty();
        PluginFailed failed = node.Journal.All<PluginFailed>().ShouldHaveSingleItem();
        (failed.Plugin, failed.Notification, failed.Error).ShouldBe((Path.GetFileName(folder), null, failure.Message));
    }
}
