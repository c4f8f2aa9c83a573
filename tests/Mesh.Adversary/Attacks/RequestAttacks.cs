using EventMesh.Adversary.Support;
using EventMesh.Tests.Common.Nodes;
using EventMesh.Transport;
using EventMesh.Wire;
using EventMesh.Wire.Frames;
using Shouldly;
using Xunit;

namespace EventMesh.Adversary.Attacks;

/// <summary>Requests: too many, taken back at once, none at all.</summary>
public sealed class RequestAttacks
{
    [Theory, OverEachTransport]
    public async Task More_requests_than_may_run(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        var handlers = new HangingRequests(run.Victim.Dispatcher);
        HandDrivenConnection attacker = await run.JoinAsync();
        byte[] request = Messages.Request("hang", "payload"u8);
        List<ITransportStream> streams = [];
        for (int i = 0; i < 250; i++) streams.Add(await attacker.OpenAsync(StreamDirection.Bidirectional, request, end: true));
        int answered = 0;
        Task[] answers = [.. streams.Select(async stream =>
        {
            if (await ResponseCodeAsync(stream) is WireCode.Busy) Interlocked.Increment(ref answered);
        })];

        await run.WhenAsync(() => Volatile.Read(ref answered) == 250 - 128, "all above the limit are answered");
        handlers.Running.ShouldBe(128);
        await attacker.CloseAsync();
        await Task.WhenAll(answers);
        await run.WhenAsync(() => handlers.Running == 0, "the handlers are told");
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task Two_thousand_requests_that_are_taken_back_at_once(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        var handlers = new HangingRequests(run.Victim.Dispatcher);
        HandDrivenConnection attacker = await run.JoinAsync();
        byte[] request = Messages.Request("hang", "payload"u8);
        for (int i = 0; i < 2000; i++)
        {
            ITransportStream stream = await attacker.OpenAsync(StreamDirection.Bidirectional, request);
            stream.StopSending((ulong)WireCode.Cancelled);
            stream.Reset((ulong)WireCode.Cancelled);
            await stream.DisposeAsync();
        }

        await ControlStreamAttacks.IsAliveAsync(attacker);
        await run.WhenAsync(() => handlers.Running == 0, "the handlers are told");
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task A_response_where_none_is_expected(string transport) => await IsViolationAsync(
        transport, Messages.Stream(StreamType.Request, FrameType.Response, new ResponseHeader { Code = 0 }, "payload"u8));

    [Theory, OverEachTransport]
    public async Task A_request_stream_that_ends_without_a_request(string transport) =>
        await IsViolationAsync(transport, [(byte)StreamType.Request], end: true);

    [Theory, OverEachTransport]
    public async Task A_request_without_a_channel(string transport) => await IsViolationAsync(transport, Messages.Request("", "payload"u8));

    [Theory, OverEachTransport]
    public async Task A_request_that_claims_more_than_the_limit(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        ITransportStream stream = await attacker.OpenAsync(
            StreamDirection.Bidirectional, Messages.Promise(StreamType.Request, FrameType.Request, "c", 1024 * 1024 * 1024));

        await StreamAttacks.IsRefusedAsync(stream, WireCode.TooLarge);
        await ControlStreamAttacks.IsAliveAsync(attacker);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task Requests_whose_bodies_never_end(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        byte[] promise = Messages.Promise(StreamType.Request, FrameType.Request, "endless", 100 * 1024);
        for (int i = 0; i < 250; i++)
        {
            ITransportStream stream = await attacker.OpenAsync(StreamDirection.Bidirectional, promise);
            try
            {
                await HandDrivenConnection.WriteAsync(stream, new byte[50 * 1024]);
            }
            catch (MeshException e) when (e.RemoteCode == (ulong)WireCode.Busy)
            {
                // Above the limit.
            }
        }

        await ControlStreamAttacks.IsAliveAsync(attacker);
        await run.WhenHeldBelowAsync(48 * 1024 * 1024);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task A_requester_that_never_reads_the_response(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        run.Victim.Dispatcher.OnRequest = (_, _) => Task.FromResult<ReadOnlyMemory<byte>>(new byte[64 * 1024]);
        HandDrivenPeer peer = await run.StartPeerAsync(window: 4096);
        HandDrivenConnection attacker = await peer.DialAsync(run.Victim.EndPoint);
        await attacker.JoinAsync();
        byte[] request = Messages.Request("big", "payload"u8);
        for (int i = 0; i < 250; i++) await attacker.OpenAsync(StreamDirection.Bidirectional, request, end: true);

        await run.ExchangeAsync();
        await run.WhenHeldBelowAsync(64 * 1024 * 1024);
        await run.EndAsync(maxEvents: 40);
    }

    private static async Task<WireCode?> ResponseCodeAsync(ITransportStream stream)
    {
        using var reader = new FrameReader(stream);
        try
        {
            Frame? frame = await reader.ReadFrameAsync(64 * 1024, CancellationToken.None);
            return frame is { Type: FrameType.Response } response
                ? (WireCode)FrameWriter.Split(ResponseHeader.Parser, response.Body).Header.Code
                : null;
        }
        catch (MeshException)
        {
            return null;
        }
    }

    private static async Task IsViolationAsync(string transport, byte[] stream, bool end = false)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        await attacker.OpenAsync(StreamDirection.Bidirectional, stream, end);

        (await attacker.ClosedWithAsync()).ShouldBe(WireCode.ProtocolViolation);
        await run.EndAsync();
    }
}
