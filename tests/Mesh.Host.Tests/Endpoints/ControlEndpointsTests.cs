using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using EventMesh.Events;
using EventMesh.Host.Control;
using EventMesh.Host.Doctor;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using EventMesh.Host.Tests.Support;
using EventMesh.Journal;
using EventMesh.Messaging;
using EventMesh.Node;
using EventMesh.Notifications;
using EventMesh.Tests.Common.Hosting;
using Microsoft.Extensions.Options;

namespace EventMesh.Host.Tests.Endpoints;

public sealed class ControlEndpointsTests : IAsyncLifetime
{
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(30));
    private ControlApp _app = null!;

    private CancellationToken Token => _limit.Token;

    public async ValueTask InitializeAsync() => _app = await ControlApp.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _limit.Dispose();
    }

    [Fact]
    public async Task The_node_tells_of_itself() => (await _app.Client.GetNodeAsync(Token)).Peer.ShouldBe(_app.Mesh.LocalPeer);

    [Theory]
    [InlineData("health/live")]
    [InlineData("health/ready")]
    public async Task Health_is_answered(string path)
    {
        using HttpClient http = CreateHttpClient();
        (await http.GetAsync(new Uri(path, UriKind.Relative), Token)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Health_is_degraded_while_the_journal_spools()
    {
        (await _app.Client.GetHealthAsync(Token)).Status.ShouldBe(HealthStatus.Healthy);
        DateTimeOffset since = new(2026, 11, 1, 2, 3, 4, TimeSpan.Zero);
        _app.Journal = new JournalStatus(JournalState.Spooling, 3, 1000, 2003, 2000, 1000)
        {
            SpoolingSince = since,
            Cause = SpoolingCause.Unavailable,
            SpoolBytes = 512_000,
            SpoolLimit = 1_000_000,
        };
        HealthView health = await _app.Client.GetHealthAsync(Token);
        (health.Status, health.IsReady).ShouldBe((HealthStatus.Degraded, true));
        health.Journal.ShouldBe(
            new JournalView(JournalState.Spooling, since, SpoolingCause.Unavailable, 3, 1000, 512_000, 1_000_000, false, false, 0, 2003, 2000, 1000));

        _app.Journal = new JournalStatus(JournalState.Failed, 0, 0, 1, 1, 1);
        using HttpClient http = CreateHttpClient();
        (await http.GetAsync(new Uri("health", UriKind.Relative), Token)).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task The_doctor_tells_of_the_journal_of_a_running_node()
    {
        DoctorReport nobody = await new MeshDoctor([new JournalProbe(Options.Create(new MeshOptions { DataDirectory = Path.Combine(_app.DataDirectory, "none") }))])
            .ExamineAsync(Token);
        nobody.Checks.ShouldBeEmpty();
        MeshDoctor doctor = new([new JournalProbe(Options.Create(new MeshOptions { DataDirectory = _app.DataDirectory }))]);
        _app.Journal = new JournalStatus(JournalState.Live, 0, 0, 1, 1, 1);
        (await doctor.ExamineAsync(Token)).Checks.Single().Status.ShouldBe(DoctorStatus.Ok);
        _app.Journal = _app.Journal with { HeldBackPeers = 17 };
        DoctorCheck heldBack = (await doctor.ExamineAsync(Token)).Checks.Single();
        (heldBack.Status, heldBack.Detail.Contains("17 new peers", StringComparison.Ordinal)).ShouldBe((DoctorStatus.Note, true));
        heldBack.Remedy.ShouldNotBeNull().ShouldContain("Journal:NewPeersPerMinute");
        _app.Journal = new JournalStatus(JournalState.Spooling, 3, 1000, 2003, 2000, 1000) { SpoolingSince = DateTimeOffset.UnixEpoch, SpoolBytes = 7, SpoolLimit = 6, IsSummarising = true };
        DoctorReport full = await doctor.ExamineAsync(Token);
        full.CanStart.ShouldBeTrue();
        DoctorCheck check = full.Checks.Single();
        check.Status.ShouldBe(DoctorStatus.Note);
        check.Detail.ShouldBe("spooling since 1970-01-01 00:00:00Z, 1000 events wait in the spool, 7 of 6 bytes: the spool is full, connections are only counted");
        check.Remedy.ShouldNotBeNull().ShouldContain("Journal:SpoolLimit");
        _app.Journal = _app.Journal with { IsSpoolRefusing = true };
        DoctorCheck refusing = (await doctor.ExamineAsync(Token)).Checks.Single();
        refusing.Detail.ShouldContain("3 events wait in memory");
        refusing.Remedy.ShouldNotBeNull().ShouldContain("disk of the data directory");
    }

    [Fact]
    public async Task Peers_are_listed()
    {
        _app.Mesh.Peers = [FakeMesh.InfoOf(1), FakeMesh.InfoOf(2)];
        PeerView[] peers = await _app.Client.GetPeersAsync(Token);
        peers.Select(p => p.Peer).ShouldBe([FakeMesh.PeerOf(1), FakeMesh.PeerOf(2)]);
        peers[0].Endpoints.ShouldBe(["127.0.0.1:4001"]);
    }

    [Fact]
    public async Task A_failure_of_the_mesh_arrives_as_what_it_is()
    {
        MeshException exception = await Should.ThrowAsync<MeshException>(_app.Client.ConnectAsync(new ConnectRequest("127.0.0.1:9"), Token));
        exception.Error.ShouldBe(MeshError.Unreachable);
        exception.Message.ShouldBe("Nobody answered.");
    }

    [Fact]
    public async Task A_failure_is_a_problem_document()
    {
        using HttpClient http = CreateHttpClient();
        HttpResponseMessage response = await http.DeleteAsync(new Uri("v1/peers/abcdefgh", UriKind.Relative), Token);
        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        MeshProblem? problem = await response.Content.ReadFromJsonAsync<MeshProblem>(ControlJson.Options, Token);
        problem!.Type.ShouldBe("urn:eventmesh:error:not-connected");
        problem.Status.ShouldBe(404);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{\"messages\": 1}")]
    [InlineData("{\"messages\": []}")]
    [InlineData("{\"messages\": [{\"to\": \"abcd\", \"channel\": \"c\", \"text\": \"t\", \"payload\": \"AA==\"}]}")]
    [InlineData("{\"messages\": [{\"to\": \"ab\", \"channel\": \"c\", \"text\": \"t\"}]}")]
    [InlineData("{\"inFlight\": 0, \"messages\": [{\"to\": \"abcd\", \"channel\": \"c\", \"text\": \"t\"}]}")]
    public async Task A_malformed_request_is_the_callers_fault(string body)
    {
        using HttpClient http = CreateHttpClient();
        using StringContent content = new(body, Encoding.UTF8, "application/json");
        HttpResponseMessage response = await http.PostAsync(new Uri("v1/messages", UriKind.Relative), content, Token);
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        MeshProblem? problem = await response.Content.ReadFromJsonAsync<MeshProblem>(ControlJson.Options, Token);
        problem!.Error.ShouldBe(MeshError.InvalidConfiguration);
        _app.Mesh.Sent.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:0")]
    [InlineData("localhost")]
    [InlineData("localhost:70000")]
    [InlineData("")]
    public async Task An_address_without_a_port_is_refused(string address) =>
        (await Should.ThrowAsync<MeshException>(_app.Client.ConnectAsync(new ConnectRequest(address), Token))).Error.ShouldBe(MeshError.InvalidConfiguration);

    [Fact]
    public async Task A_peer_is_found_by_the_beginning_of_its_identity()
    {
        _app.Mesh.Peers = [FakeMesh.InfoOf(1), FakeMesh.InfoOf(200)];
        PeerView gone = await _app.Client.DisconnectAsync(FakeMesh.PeerOf(200).ToShortString(), Token);
        gone.Peer.ShouldBe(FakeMesh.PeerOf(200));
        _app.Mesh.Disconnected.ShouldHaveSingleItem().ShouldBe(FakeMesh.PeerOf(200));
    }

    [Fact]
    public async Task A_batch_answers_in_the_order_of_its_messages_and_keeps_to_its_limit()
    {
        _app.Mesh.Peers = [FakeMesh.InfoOf(1)];
        using SemaphoreSlim gate = new(0);
        _app.Mesh.OnSend = async message =>
        {
            await gate.WaitAsync(Token);
            return message.Token is "3" ? (SendOutcome.Refused, MeshError.Busy) : (SendOutcome.Handled, (MeshError?)null);
        };
        SendRequest[] messages =
            [.. Enumerable.Range(0, 20).Select(i => new SendRequest(FakeMesh.PeerOf(1).ToShortString(), "c", $"{i}", Token: $"{i}", Delivery: DeliveryMode.Handled))];
        Task<SendBatchResponse> sending = _app.Client.SendAsync(new SendBatchRequest(messages, InFlight: 4), Token);
        gate.Release(20);
        SendBatchResponse response = await sending;
        response.Receipts.Select(r => r.Token).ShouldBe(messages.Select(m => m.Token));
        response.Receipts[3].Outcome.ShouldBe(SendOutcome.Refused);
        response.Receipts[3].Error.ShouldBe(MeshError.Busy);
        _app.Mesh.MostInFlight.ShouldBeLessThanOrEqualTo(4);
        _app.Mesh.Sent.Count.ShouldBe(20);
    }

    [Fact]
    public async Task A_request_returns_its_response()
    {
        RequestResponse response = await _app.Client.RequestAsync(new RequestRequest(FakeMesh.PeerOf(1).ToString(), "c", "question"), Token);
        response.Text.ShouldBe("c:question");
        (await Should.ThrowAsync<MeshException>(_app.Client.RequestAsync(new RequestRequest(FakeMesh.PeerOf(1).ToString(), "nobody", "q"), Token)))
            .Error.ShouldBe(MeshError.NoHandler);
    }

    [Fact]
    public async Task A_subscription_misses_nothing_from_its_answer_on()
    {
        IAsyncEnumerable<MessageView> messages = await _app.Client.SubscribeAsync("echo*", Token);
        byte[] binary = [0xff, 0xfe];
        await _app.Tap.DispatchAsync(Message("echo", "one"u8.ToArray()), default);
        await _app.Tap.DispatchAsync(Message("other", "two"u8.ToArray()), default);
        await _app.Tap.DispatchAsync(Message("echo.reply", binary), default);
        List<MessageView> received = [];
        await foreach (MessageView message in messages)
        {
            received.Add(message);
            if (received.Count == 2) break;
        }
        received.Select(m => m.Channel).ShouldBe(["echo", "echo.reply"]);
        received[0].Text.ShouldBe("one");
        received[1].Text.ShouldBeNull();
        received[1].Payload.ShouldBe(binary);
    }

    [Fact]
    public async Task Events_are_lines_that_resume()
    {
        for (int i = 0; i < 3; i++) _app.Log.Record(new NodeStopped($"{i}"));
        _app.Log.Store();
        List<EventView> events = [];
        await foreach (EventView recorded in _app.Client.GetEventsAsync(1, follow: true, Token))
        {
            events.Add(recorded);
            if (events.Count == 2) _app.Log.Record(new NodeStopped("3"));
            if (events.Count == 3) break;
        }
        events.Select(e => e.Seq).ShouldBe([2L, 3, 4]);
        events[0].Event.ShouldBe("node.stopped.v1");
        events[2].Data.GetProperty("reason").GetString().ShouldBe("3");
    }

    [Fact]
    public async Task Events_are_server_sent_events_for_who_wants_them()
    {
        for (int i = 0; i < 3; i++) _app.Log.Record(new NodeStopped($"{i}"));
        _app.Log.Store();
        using HttpClient http = CreateHttpClient();
        using HttpRequestMessage request = new(HttpMethod.Get, "v1/events");
        request.Headers.Accept.ParseAdd("text/event-stream");
        request.Headers.Add("Last-Event-ID", "2");
        HttpResponseMessage response = await http.SendAsync(request, Token);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        string body = await response.Content.ReadAsStringAsync(Token);
        body.ShouldStartWith("event: event\nid: 3\ndata: {\"seq\":3,");
        body.ShouldEndWith("\n\n");
    }

    [Fact]
    public async Task Followers_end_when_the_node_stops()
    {
        IAsyncEnumerable<EventView> events = _app.Client.GetEventsAsync(0, follow: true, Token);
        Task<int> reading = Task.Run(async () => await events.CountAsync(Token), Token);
        await _app.Log.Followed.WaitAsync(Token);
        await using (await ControlApp.StartAsync())
        {
            // Another node's end is none of ours.
        }
        reading.IsCompleted.ShouldBeFalse();
        await _app.StopAsync();
        (await reading.WaitAsync(Token)).ShouldBe(0);
    }

    [Fact]
    public async Task Without_a_node_the_client_says_how_to_start_one()
    {
        using ControlClient client = new("/tmp/mesh-nobody-here");
        MeshException exception = await Should.ThrowAsync<MeshException>(client.GetNodeAsync(Token));
        exception.Error.ShouldBe(MeshError.NodeStopped);
        exception.Message.ShouldBe("No node is running on data directory /tmp/mesh-nobody-here: start one with `mesh run --data /tmp/mesh-nobody-here`.");
    }

    private static MessageReceived Message(string channel, byte[] payload) =>
        new(new MessageId(FakeMesh.PeerOf(9), Guid.Empty, 1), FakeMesh.PeerOf(9), channel, payload);

    private HttpClient CreateHttpClient()
    {
        SocketsHttpHandler handler = new()
        {
            ConnectCallback = async (_, token) =>
            {
                Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(ControlSocket.GetPath(_app.DataDirectory)), token);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        return new HttpClient(handler) { BaseAddress = new Uri("http://mesh/") };
    }
}
