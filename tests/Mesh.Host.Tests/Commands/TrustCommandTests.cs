using System.Text.Json;
using EventMesh.Events;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using EventMesh.Host.Tests.Support;
using EventMesh.Identity;
using EventMesh.Projections;
using EventMesh.Tests.Common.Hosting;

namespace EventMesh.Host.Tests.Commands;

/// <summary><c>mesh trust</c> through the control socket.</summary>
public sealed class TrustCommandTests : IAsyncLifetime
{
    private static readonly PeerId Peer = FakeMesh.PeerOf(7);

    private ControlApp _app = null!;

    public async ValueTask InitializeAsync() => _app = await ControlApp.StartAsync();

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task A_peer_is_blocked_listed_and_unblocked()
    {
        CommandResult blocked = await RunAsync("block", Peer.ToString(), "--reason", "it floods", "--for", "2h");

        (blocked.Code, blocked.Output.Trim()).ShouldBe((ExitCode.Success, $"Blocked {Peer}."));
        TrustBlock recorded = _app.Log.State.Trust.BlockedPeers[Peer];
        recorded.Reason.ShouldBe("it floods");
        recorded.By.ShouldBe(Environment.UserName);
        TimeSpan left = recorded.Until!.Value - DateTimeOffset.UtcNow;
        left.ShouldBeInRange(TimeSpan.FromMinutes(110), TimeSpan.FromHours(2));
        string list = (await RunAsync("list")).Output;
        list.ShouldContain(Peer.ToString());
        list.ShouldContain("it floods");
        (await RunAsync("unblock", Peer.ToString()[..8])).Output.Trim().ShouldBe($"Unblocked {Peer}.", "the ledger knows whom the beginning means");
        (await RunAsync("unblock", Peer.ToString())).Output.ShouldContain("is not blocked");
    }

    [Fact]
    public async Task A_range_of_addresses_is_blocked_for_ever_or_until_a_time()
    {
        (await RunAsync("block", "192.0.2.77/24")).Output.Trim().ShouldBe("Blocked 192.0.2.0/24.");
        (await RunAsync("block", "2001:db8::1", "--until", "2100-01-31T12:00:00+02:00")).Output.Trim().ShouldBe("Blocked 2001:db8::1/128.");

        JsonElement view = JsonSerializer.Deserialize<JsonElement>((await RunAsync("list", "--output", "json")).Output);
        JsonElement[] prefixes = [.. view.GetProperty("blockedPrefixes").EnumerateArray()];
        prefixes.Select(p => p.GetProperty("prefix").GetString()).ShouldBe(["192.0.2.0/24", "2001:db8::1/128"]);
        prefixes[0].GetProperty("until").ValueKind.ShouldBe(JsonValueKind.Null);
        prefixes[1].GetProperty("until").GetDateTimeOffset().ShouldBe(new DateTimeOffset(2100, 1, 31, 10, 0, 0, TimeSpan.Zero));
        (await RunAsync("unblock", "192.0.2.0/24")).Output.Trim().ShouldBe("Unblocked 192.0.2.0/24.");
    }

    [Fact]
    public async Task Pins_trust_and_revocations_go_into_the_ledger_and_the_log_tells_of_them()
    {
        _app.Mesh.Peers = [FakeMesh.InfoOf(7)];
        string fingerprint = new('a', 64);
        (await RunAsync("pin", "Node.Example:4433", Peer.ToString()[..6])).Output.Trim().ShouldBe("Pinned node.example:4433.");
        (await RunAsync("trust", Peer.ToString()[..6], "-r", "ours")).Output.Trim().ShouldBe($"Trusted {Peer}.");
        (await RunAsync("trust", Peer.ToString())).Output.ShouldContain("already");
        (await RunAsync("revoke", fingerprint.ToUpperInvariant())).Output.Trim().ShouldBe($"Revoked {fingerprint}.");
        CommandResult revoked = await RunAsync("revoke", FakeMesh.PeerOf(9).ToString(), "--output", "json");

        JsonElement change = JsonSerializer.Deserialize<JsonElement>(revoked.Output);
        change.GetProperty("events")[0].GetProperty("event").GetString().ShouldBe("trust.certificate-revoked.v1");
        _app.Log.Record(new NodeStopped("not about trust"));
        _app.Log.Store();
        string[] log = (await RunAsync("log")).Output.Trim().Split('\n');
        log.Length.ShouldBe(4);
        log.ShouldAllBe(line => line.Contains("trust.", StringComparison.Ordinal));
        log[0].ShouldContain($"by={Environment.UserName}");
    }

    [Fact]
    public async Task A_pin_is_taken_back_once_and_the_log_tells_why()
    {
        await RunAsync("pin", "node.example:4433", Peer.ToString());

        CommandResult unpinned = await RunAsync("unpin", "Node.Example:4433", "--reason", "it was made anew");

        (unpinned.Code, unpinned.Output.Trim()).ShouldBe((ExitCode.Success, "Unpinned node.example:4433."));
        _app.Log.State.Trust.Pins.ShouldBeEmpty();
        (await RunAsync("unpin", "node.example:4433")).Output.ShouldContain("is not pinned");
        JsonElement change = JsonSerializer.Deserialize<JsonElement>((await RunAsync("unpin", "node.example:4433", "--output", "json")).Output);
        change.GetProperty("events").GetArrayLength().ShouldBe(0);
        _app.Log.Store();
        string[] log = (await RunAsync("log")).Output.Trim().Split('\n');
        log.Length.ShouldBe(2);
        log[1].ShouldContain("trust.peer-unpinned");
        log[1].ShouldContain("it was made anew");
        log[1].ShouldContain($"by={Environment.UserName}");
    }

    [Fact]
    public async Task A_blocked_peer_that_is_to_be_trusted_is_refused_with_the_reason()
    {
        await RunAsync("block", Peer.ToString(), "--reason", "it floods");
        CommandResult result = await RunAsync("trust", Peer.ToString());
        result.Code.ShouldBe(ExitCode.PeerUnreachable);
        result.Error.ShouldContain("it floods");
    }

    [Theory]
    [InlineData("block")]
    [InlineData("block", "192.0.2.0/33")]
    [InlineData("block", "192.0.2.0/24", "--for", "2 weeks")]
    [InlineData("block", "192.0.2.0/24", "--for", "0s")]
    [InlineData("block", "192.0.2.0/24", "--until", "2027-01-31T12:00:00")]
    [InlineData("block", "192.0.2.0/24", "--for", "1h", "--until", "2027-01-31T12:00:00Z")]
    [InlineData("pin", "node.example:4433")]
    [InlineData("unblock", "abc")]
    [InlineData("unpin")]
    [InlineData("unpin", "nowhere")]
    public async Task A_wrong_command_is_one_message_and_exit_code_2(params string[] args)
    {
        CommandResult result = await RunAsync(args);
        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldStartWith("mesh: ");
        result.Error.Trim().ShouldNotContain("\n");
        _app.Log.State.Trust.BlockedPrefixes.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_unknown_beginning_of_an_identity_is_said_to_be_unknown()
    {
        CommandResult result = await RunAsync("block", "abcdefgh");
        result.Code.ShouldBe(ExitCode.NotDelivered);
        result.Error.ShouldContain("No known peer");
    }

    [Fact]
    public async Task The_log_of_one_stream_is_followed_without_the_others()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        using ControlClient client = new(_app.DataDirectory);
        await using IAsyncEnumerator<EventView> events =
            client.GetEventsAsync(0, follow: true, limit.Token, StreamFamily.Trust).GetAsyncEnumerator(limit.Token);
        ValueTask<bool> first = events.MoveNextAsync();
        await _app.Log.Followed.WaitAsync(limit.Token);
        _app.Log.Record(new NodeStopped("not about trust"));
        _app.Log.Record(new PeerTrusted(Peer, "", "root"));

        (await first.AsTask().WaitAsync(limit.Token)).ShouldBeTrue();
        events.Current.Event.ShouldBe("trust.peer-trusted.v1");
    }

    private Task<CommandResult> RunAsync(params string[] args) => CommandResult.RunAsync(["trust", .. args, "--data", _app.DataDirectory]);
}
