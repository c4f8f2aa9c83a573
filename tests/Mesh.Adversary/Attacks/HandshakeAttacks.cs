using System.Text;
using EventMesh.Adversary.Support;
using EventMesh.Wire;
using EventMesh.Wire.Frames;
using Google.Protobuf;
using Shouldly;
using Xunit;

namespace EventMesh.Adversary.Attacks;

/// <summary>Wrong Hellos and verdicts.</summary>
public sealed class HandshakeAttacks
{
    [Theory, OverEachTransport]
    public async Task No_hello_at_all(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection silent = await run.DialAsync();
        await run.PassHandshakeTimeAsync(sessions: 1);

        (await silent.ClosedWithAsync()).ShouldBe(WireCode.HandshakeTimeout);
        await run.EndAsync(maxEvents: 0);
    }

    [Theory, OverEachTransport]
    public async Task A_hello_without_a_verdict_on_the_answer(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection half = await run.DialAsync();
        await half.SendAsync(FrameType.Hello, half.Hello());
        await half.NextAsync(FrameType.HelloAck, HelloAck.Parser);
        await run.PassHandshakeTimeAsync(sessions: 1);

        (await half.ClosedWithAsync()).ShouldBe(WireCode.HandshakeTimeout);
        await run.EndAsync(maxEvents: 0);
    }

    [Theory, OverEachTransport]
    public async Task Hello_twice(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.DialAsync();
        await attacker.SendAsync(FrameType.Hello, attacker.Hello());
        await attacker.SendAsync(FrameType.Hello, attacker.Hello());

        (await attacker.ClosedWithAsync()).ShouldBe(WireCode.ProtocolViolation);
        await run.EndAsync(maxEvents: 0);
    }

    [Theory, OverEachTransport]
    public async Task Hello_again_after_messages(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        await attacker.OpenAsync(EventMesh.Transport.StreamDirection.Unidirectional, Messages.Stream("once", "payload"u8), end: true);
        await run.Victim.WhenAsync(node => node.Dispatcher.Messages.Any(m => m.Message.Channel == "once"), "the message arrives", AttackRun.Limit);
        await attacker.SendAsync(FrameType.Hello, attacker.Hello(Kind.Node));

        (await attacker.ClosedWithAsync()).ShouldBe(WireCode.ProtocolViolation);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task An_accepting_verdict_before_the_hello(string transport) =>
        await IsViolationAsync(transport, attacker => attacker.SendAsync(FrameType.HelloAck, new HelloAck()));

    [Theory, OverEachTransport]
    public async Task A_verdict_with_a_code_beyond_all_codes(string transport) =>
        await IsViolationAsync(transport, attacker => attacker.SendAsync(FrameType.HelloAck, new HelloAck { Code = ulong.MaxValue }));

    [Theory, OverEachTransport]
    public async Task An_accepting_verdict_twice(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        await attacker.SendAsync(FrameType.HelloAck, new HelloAck());

        (await attacker.ClosedWithAsync()).ShouldBe(WireCode.ProtocolViolation);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task A_refusal_after_both_have_accepted(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.JoinAsync();
        // Were it taken for a verdict, the log would say that this node shut down.
        await attacker.SendAsync(FrameType.HelloAck, new HelloAck { Code = (ulong)WireCode.Shutdown });

        (await attacker.ClosedWithAsync()).ShouldBe(WireCode.ProtocolViolation);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task The_name_of_another_mesh(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.DialAsync();
        Hello hello = attacker.Hello(Kind.Node);
        hello.Mesh = "staging";
        await attacker.SendAsync(FrameType.Hello, hello);

        (await attacker.ClosedWithAsync()).ShouldBe(WireCode.WrongMesh);
        await run.EndAsync(maxEvents: 0);
    }

    [Theory, OverEachTransport]
    public async Task A_mesh_name_of_66_bytes_in_22_characters(string transport) =>
        await IsViolationAsync(transport, hello => hello.Mesh = new string('\u20ac', 22));

    [Theory, OverEachTransport]
    public async Task An_agent_of_65_bytes(string transport) => await IsViolationAsync(transport, hello => hello.Agent = new string('a', 65));

    [Theory, OverEachTransport]
    public async Task An_agent_that_writes_to_the_operators_terminal(string transport) =>
        await IsViolationAsync(transport, hello => hello.Agent = "\u001b[2Jfine\n2026 Peer joined");

    [Theory, OverEachTransport]
    public async Task A_dns_name_of_254_bytes(string transport) => await IsViolationAsync(transport, hello => hello.DnsName = new string('d', 254));

    [Theory, OverEachTransport]
    public async Task A_kind_that_does_not_exist(string transport) => await IsViolationAsync(transport, hello => hello.Kind = (Kind)77);

    [Theory, OverEachTransport]
    public async Task A_hello_with_1000_listen_endpoints(string transport) => await IsViolationAsync(transport, hello =>
    {
        for (int i = 0; i < 1000; i++) hello.Listen.Add(new Endpoint { Address = ByteString.CopyFrom(10, 0, 0, 1), Port = (uint)i });
    });

    [Theory, OverEachTransport]
    public async Task An_empty_instance_id(string transport) => await IsViolationAsync(transport, hello => hello.Instance = ByteString.Empty);

    [Theory, OverEachTransport]
    public async Task An_instance_id_of_17_bytes(string transport) =>
        await IsViolationAsync(transport, hello => hello.Instance = ByteString.CopyFrom(new byte[17]));

    [Theory, OverEachTransport]
    public async Task A_link_id_of_4_bytes(string transport) =>
        await IsViolationAsync(transport, hello => hello.LinkId = ByteString.CopyFrom(new byte[4]));

    [Theory, OverEachTransport]
    public async Task A_hello_that_is_no_protobuf(string transport) =>
        await IsViolationAsync(transport, attacker => attacker.SendRawAsync(Raw.Frame((ulong)FrameType.Hello, [0xff, 0xff, 0xff, 0x07, 0x99])));

    [Theory, OverEachTransport]
    public async Task A_hello_of_70_KiB(string transport) =>
        await IsViolationAsync(transport, attacker => attacker.SendRawAsync(Raw.Frame((ulong)FrameType.Hello, new byte[70 * 1024])));

    [Theory, OverEachTransport]
    public async Task A_hello_stuffed_with_unknown_fields_is_not_kept(string transport)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        long held = run.Held;
        const int Connections = 16;
        for (int i = 0; i < Connections; i++)
        {
            HandDrivenConnection attacker = await run.DialAsync();
            Hello hello = attacker.Hello();
            // Five thousand fields of three bytes: kept as objects they would take a hundred times their length.
            byte[] stuffed = [.. hello.ToByteArray(), .. Enumerable.Range(2048, 3900).SelectMany(field => Raw.ProtobufField(field))];
            stuffed.Length.ShouldBeLessThan(WireLimits.ControlFrame);
            await attacker.SendRawAsync(Raw.Frame((ulong)FrameType.Hello, stuffed));
            (await attacker.NextAsync(FrameType.HelloAck, HelloAck.Parser)).Code.ShouldBe(0UL);
        }

        ((run.Held - held) / Connections).ShouldBeLessThan(256 * 1024);
        await run.EndAsync();
    }

    [Theory, OverEachTransport]
    public async Task Another_frame_before_the_hello(string transport) =>
        await IsViolationAsync(transport, attacker => attacker.SendAsync(FrameType.PeersRequest, new PeersRequest { Max = 32 }));

    [Theory, OverEachTransport]
    public async Task Another_frame_before_the_verdict(string transport) => await IsViolationAsync(transport, async attacker =>
    {
        await attacker.SendAsync(FrameType.Hello, attacker.Hello());
        await attacker.SendAsync(FrameType.Ping, new Ping { Nonce = 1 });
    });

    private static Task IsViolationAsync(string transport, Action<Hello> spoil) => IsViolationAsync(transport, attacker =>
    {
        Hello hello = attacker.Hello();
        spoil(hello);
        return attacker.SendAsync(FrameType.Hello, hello);
    });

    private static async Task IsViolationAsync(string transport, Func<HandDrivenConnection, Task> attack)
    {
        await using AttackRun run = await AttackRun.StartAsync(transport);
        HandDrivenConnection attacker = await run.DialAsync();
        await attack(attacker);

        (await attacker.ClosedWithAsync()).ShouldBe(WireCode.ProtocolViolation);
        await run.EndAsync(maxEvents: 0);
    }
}
