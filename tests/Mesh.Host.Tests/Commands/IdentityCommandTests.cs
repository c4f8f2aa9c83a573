using System.Text.Json;
using EventMesh.Events;
using EventMesh.Host.Errors;
using EventMesh.Host.Tests.Support;
using EventMesh.Identity;
using EventMesh.Node;

namespace EventMesh.Host.Tests.Commands;

/// <summary><c>mesh identity</c>, on a data directory and on a running node.</summary>
public sealed class IdentityCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mesh-identity-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_request_makes_the_key_and_show_tells_of_it()
    {
        (await CommandResult.RunAsync("identity", "show", "--data", _folder)).Code.ShouldBe(ExitCode.DataDirectory, "there is none yet");

        (await RunAsync("request")).Output.ShouldStartWith("-----BEGIN CERTIFICATE REQUEST-----");
        JsonElement shown = await ShowAsync();

        shown.GetProperty("keyAlgorithm").GetString().ShouldBe("ecdsa-p256");
        shown.GetProperty("rotations").GetArrayLength().ShouldBe(0);
        (await RunAsync("show")).Output.ShouldContain("self-signed");
    }

    [Fact]
    public async Task A_rotation_changes_the_peer_and_is_shown()
    {
        await RunAsync("request");
        string before = (await ShowAsync()).GetProperty("peer").GetString()!;

        await RunAsync("rotate");
        JsonElement after = await ShowAsync();

        after.GetProperty("peer").GetString().ShouldNotBe(before);
        after.GetProperty("rotations").EnumerateArray().Single().GetProperty("predecessor").GetString().ShouldBe(before);
        (await RunAsync("show")).Output.ShouldContain("rotation 1");
    }

    [Fact]
    public async Task Under_a_running_node_nothing_is_changed()
    {
        await RunAsync("request");
        using DataDirectory held = DataDirectory.Open(_folder);

        CommandResult rotate = await CommandResult.RunAsync("identity", "rotate", "--data", _folder);

        rotate.Code.ShouldBe(ExitCode.DataDirectory);
        rotate.Error.ShouldContain("Stop it");
        await RunAsync("show");
    }

    [Fact]
    public async Task Disputes_are_listed_and_decided_on_the_running_node()
    {
        PeerId a = Peer(1), b = Peer(2), c = Peer(3);
        await using ControlApp app = await ControlApp.StartAsync();
        app.Log.Record(new KeySucceeded(a, b, 1, DateTimeOffset.UnixEpoch));
        app.Log.Record(new SuccessionDisputed(a, b, c));

        string listed = (await CommandResult.RunAsync("identity", "resolve", "--data", app.DataDirectory)).Output;
        CommandResult wrong = await CommandResult.RunAsync("identity", "resolve", a.ToString(), Peer(9).ToString(), "--data", app.DataDirectory);
        CommandResult decided = await CommandResult.RunAsync("identity", "resolve", a.ToString(), c.ToString(), "--data", app.DataDirectory);

        listed.ShouldContain(b.ToString());
        listed.ShouldContain(c.ToString());
        wrong.Code.ShouldBe(ExitCode.Usage);
        decided.Code.ShouldBe(ExitCode.Success, decided.Error);
        app.Log.State.Keys.AreSame(a, c).ShouldBeTrue();
        app.Log.State.Keys.IsRejected(b).ShouldBeTrue();
        (await CommandResult.RunAsync("identity", "resolve", "--data", app.DataDirectory)).Output.ShouldContain("No key is disputed");
        (await CommandResult.RunAsync("identity", "resolve", a.ToString(), "none", "--data", app.DataDirectory)).Code.ShouldBe(ExitCode.Success, "a decision can be taken anew");
        app.Log.State.Keys.IsRejected(c).ShouldBeTrue();
    }

    private static PeerId Peer(int number)
    {
        byte[] bytes = new byte[PeerId.Length];
        // In the first characters of the text form too.
        bytes[0] = (byte)(number << 4);
        return new PeerId(bytes);
    }

    private async Task<CommandResult> RunAsync(params string[] arguments)
    {
        CommandResult result = await CommandResult.RunAsync(["identity", .. arguments, "--data", _folder]);
        result.Code.ShouldBe(ExitCode.Success, result.Error);
        return result;
    }

    private async Task<JsonElement> ShowAsync() => JsonDocument.Parse((await RunAsync("show", "-o", "json")).Output).RootElement;
}
