using EventMesh.Adversary.Support;
using EventMesh.Messaging;
using EventMesh.Transport;
using EventMesh.Wire;
using EventMesh.Wire.Frames;
using Google.Protobuf;
using Shouldly;
using Xunit;

namespace EventMesh.Adversary.Attacks;

/// <summary>Messages: malformed, endless, unread.</summary>
public sealed class MessageAttacks
{
    [Theory, OverEachTransport]
    public async Task A_flood_of_messages_before_the_acceptance(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.DialAsync();
        byte[] message = Messages.Stream("early", new byte[200 * 1024]);
        Task flood = QuietlyAsync(async () =>
        {
            // More streams than the limit grants: the rest waits at the attacker.
            for (int i = 0; i < 400; i++) await attacker.OpenAsync(StreamDirection.Unidirectional, message, end: true);
        });
        await run.ExchangeAsync();
        await run.WhenHeldBelowAsync(128 * 1024 * 1024);
        await run.SkipUntilAsync(attacker.Transport.Closed);

        (await attacker.ClosedWithAsync()).ShouldBe(WireCode.HandshakeTimeout);
        await flood;
        run.Victim.Dispatcher.Messages.ShouldNotContain(m => m.Message.Channel == "early");
        await run.EndAsync(maxEvents: 16);
    }

    [Theory, OverEachTransport]
    public async Task A_channel_of_129_bytes(string transport) =>
        await IsViolationAsync(transport, Messages.Stream(new string('c', 129), "payload"u8));

    [Theory, OverEachTransport]
    public async Task A_channel_of_129_bytes_in_43_characters(string transport) =>
        await IsViolationAsync(transport, Messages.Stream(new string('\u20ac', 43), "payload"u8));

    [Theory, OverEachTransport]
    public async Task An_empty_channel(string transport) => await IsViolationAsync(transport, Messages.Stream("", "payload"u8));

    [Theory, OverEachTransport]
    public async Task A_channel_that_is_not_UTF_8(string transport)
    {
        // Field 2 (channel): three bytes that no text has.
        byte[] header = [8, 1, 0x12, 3, 0xff, 0xfe, 0xc0];
        await IsViolationAsync(transport, [(byte)StreamType.Messages, .. Raw.Frame((ulong)FrameType.Message, [(byte)header.Length, .. header])]);
    }

    [Theory, OverEachTransport]
    public async Task A_header_above_its_limit(string transport)
    {
        MessageHeader header = Messages.Header("c");
        header.Tracestate = new string('t', 1100);
        await IsViolationAsync(transport, Messages.Stream(StreamType.Messages, FrameType.Message, header, "payload"u8));
    }

    [Theory, OverEachTransport]
    public async Task A_header_longer_than_its_frame(string transport) =>
        await IsViolationAsync(transport, [(byte)StreamType.Messages, .. Raw.Frame((ulong)FrameType.Message, [60, 8, 1])]);

    [Theory, OverEachTransport]
    public async Task A_message_stream_with_a_control_frame(string transport) =>
        await IsViolationAsync(transport, [(byte)StreamType.Messages, .. Raw.Frame((ulong)FrameType.Ping, [8, 1])]);

    [Theory, OverEachTransport]
    public async Task A_message_stream_that_ends_within_a_message(string transport) =>
        await IsViolationAsync(transport, Messages.Promise(StreamType.Messages, FrameType.Message, "c", 100), end: true);

    [Theory, OverEachTransport]
    public async Task A_trace_parent_that_is_none(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        MessageHeader header = Messages.Header("trace");
        header.Traceparent = "00-zz-\0-\uffff";
        header.Tracestate = new string('=', 500);
        await attacker.OpenAsync(
            StreamDirection.Unidirectional, Messages.Stream(StreamType.Messages, FrameType.Message, header, "payload"u8), end: true);

        await run.Victim.WhenAsync(node => node.Dispatcher.Messages.Any(m => m.Message.Channel == "trace"), "the message arrives", AttackRun.Limit);
        await ControlStreamAttacks.IsAliveAsync(attacker);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task A_message_above_256_KiB_on_a_shared_stream(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        ITransportStream stream = await attacker.OpenAsync(
            StreamDirection.Unidirectional, Messages.Promise(StreamType.Messages, FrameType.Message, "c", 300 * 1024));

        await StreamAttacks.IsRefusedAsync(stream, WireCode.TooLarge);
        await ControlStreamAttacks.IsAliveAsync(attacker);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task A_message_that_claims_more_than_the_limit(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        ITransportStream stream = await attacker.OpenAsync(
            StreamDirection.Unidirectional, Messages.Promise(StreamType.LargeMessage, FrameType.Message, "c", 1024 * 1024 * 1024));

        await StreamAttacks.IsRefusedAsync(stream, WireCode.TooLarge);
        await ControlStreamAttacks.IsAliveAsync(attacker);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task A_message_that_claims_a_GiB_and_sends_little(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport, o => o.Limits.MaxMessageBytes = 1024 * 1024 * 1024);
        HandDrivenConnection attacker = await run.JoinAsync();
        for (int i = 0; i < 32; i++)
        {
            ITransportStream stream = await attacker.OpenAsync(
                StreamDirection.Unidirectional, Messages.Promise(StreamType.LargeMessage, FrameType.Message, "c", 1024 * 1024 * 1000));
            await HandDrivenConnection.WriteAsync(stream, new byte[10_000]);
        }

        await ControlStreamAttacks.IsAliveAsync(attacker);
        await run.WhenHeldBelowAsync(16 * 1024 * 1024);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task Large_messages_that_never_end(string transport)
    {
        const int Size = 1024 * 1024;
        await using AttackRun run = await AttackRun.StartAsync(transport, o => o.Limits.MaxMessageBytes = Size);
        HandDrivenConnection attacker = await run.JoinAsync();
        Task flood = QuietlyAsync(async () =>
        {
            for (int i = 0; i < 24; i++)
            {
                ITransportStream stream = await attacker.OpenAsync(
                    StreamDirection.Unidirectional, Messages.Promise(StreamType.LargeMessage, FrameType.Message, "endless", Size));
                await HandDrivenConnection.WriteAsync(stream, new byte[Size - 1]);
            }
        });
        await run.ExchangeAsync();
        // The rest waits unread within the connection's window, and the attacker's control frames behind it: that is its own affair.
        await run.WhenHeldBelowAsync(96 * 1024 * 1024);
        run.Victim.Dispatcher.Messages.ShouldNotContain(m => m.Message.Channel == "endless");
        await attacker.CloseAsync();
        await flood;
        await run.EndAsync(maxEvents: 40);
    }

    // In memory the attacker's own buffers would be counted with the victim's.
    [Theory, InlineData(OverEachTransportAttribute.Ngtcp2)]
    public async Task Messages_on_all_streams_that_stop_before_their_end(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        byte[] all = new byte[250 * 1024];
        Task flood = QuietlyAsync(async () =>
        {
            for (int i = 0; i < 255; i++)
            {
                ITransportStream stream = await attacker.OpenAsync(
                    StreamDirection.Unidirectional, Messages.Promise(StreamType.Messages, FrameType.Message, "short", 256 * 1024));
                await HandDrivenConnection.WriteAsync(stream, all);
            }
        });
        await flood;
        await run.ExchangeAsync();

        // 16 MiB are collected, in buffers of up to twice their size; the rest waits unread within the window.
        await run.WhenHeldBelowAsync(48 * 1024 * 1024);
        run.Victim.Dispatcher.Messages.ShouldNotContain(m => m.Message.Channel == "short");
        await run.EndAsync(maxHeld: 64 * 1024 * 1024, maxEvents: 40);
    }

    [Theory, OverEachTransport]
    public async Task A_thousand_messages_that_want_an_outcome_from_handlers_that_hang(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        var never = new TaskCompletionSource<MeshError?>();
        run.Victim.Dispatcher.OnMessage = message => message.Channel == "hang" ? never.Task : Task.FromResult<MeshError?>(null);
        HandDrivenConnection attacker = await run.JoinAsync();
        byte[] message = Messages.Stream("hang", "payload"u8, wantsOutcome: true);
        for (int i = 0; i < 1000; i++)
        {
            await using ITransportStream stream = await attacker.OpenAsync(StreamDirection.Unidirectional, message, end: true);
        }

        await ControlStreamAttacks.IsAliveAsync(attacker);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task A_peer_that_stops_reading_its_message_streams(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenPeer peer = await run.StartPeerAsync(window: 4096);
        HandDrivenConnection deaf = await peer.DialAsync(run.Victim.EndPoint, reads: false);
        await deaf.SendAsync(FrameType.Hello, deaf.Hello());
        await deaf.SendAsync(FrameType.HelloAck, new HelloAck());
        await run.WhenAsync(() => run.Victim.Mesh.Peers.Count == 1, "the attacker joined");
        List<Task<SendReceipt>> sends = [];
        for (int i = 0; i < 3000; i++)
        {
            sends.Add(run.Victim.Mesh.SendAsync(
                peer.Id, new OutgoingMessage("down", new byte[8 * 1024]) { FailWhenQueueFull = true }).AsTask());
        }

        // What waits for it is bounded, and it holds up nobody else.
        await run.WhenAsync(() => sends.Any(send => send.IsCompletedSuccessfully), "the queue is full");
        await run.ExchangeAsync();
        await run.WhenHeldBelowAsync(48 * 1024 * 1024);
        await deaf.CloseAsync();
        SendReceipt[] receipts = await Task.WhenAll(sends).WaitAsync(AttackRun.Limit);
        receipts.Select(receipt => receipt.Error).ShouldContain(MeshError.QueueFull);
        receipts.ShouldNotContain(receipt => receipt.Outcome == SendOutcome.Handled);
        await run.EndAsync(maxEvents: 40);
    }

    private static async Task QuietlyAsync(Func<Task> attack)
    {
        try
        {
            await attack();
        }
        catch (Exception e) when (e is MeshException or TimeoutException)
        {
            // The victim had enough.
        }
    }

    private static async Task IsViolationAsync(string transport, byte[] stream, bool end = false)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        await attacker.OpenAsync(StreamDirection.Unidirectional, stream, end);

        (await attacker.ClosedWithAsync()).ShouldBe(WireCode.ProtocolViolation);
        run.Victim.Dispatcher.Messages.ShouldAllBe(m => m.Message.Channel.StartsWith("honest-", StringComparison.Ordinal));
        await run.EndAsync();
    }
}
