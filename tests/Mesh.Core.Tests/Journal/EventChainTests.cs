using System.Security.Cryptography;
using System.Text;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Journal.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

public sealed class EventChainTests
{
    private static readonly NodeId Node = NodeId.Parse("0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0");
    private static readonly Guid Id = Guid.Parse("01936b2a-0000-7000-8000-00000000000a");
    private static readonly DateTimeOffset Time = new DateTimeOffset(2026, 11, 23, 2, 3, 4, TimeSpan.FromHours(1)).AddMicroseconds(5);

    // The text is what docs/audit.md promises to auditors: it never changes.
    [Theory]
    [InlineData(null, "")]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "\"trace\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\",")]
    public void The_digest_is_that_of_the_canonical_envelope(string? trace, string member)
    {
        string envelope =
            "{\"data\":{\"a\":\"<\",\"b\":[1,0.5]},\"epoch\":3,\"id\":\"01936b2a-0000-7000-8000-00000000000a\",\"node\":\"0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0\"," +
            $"\"seq\":42,\"time\":\"2026-11-23T01:03:04.000005Z\",{member}\"type\":\"plugin.event.v1\"}}";

        byte[] digest = EventChain.Digest(Node, Id, 3, 42, Time, "plugin.event.v1", """{"b":[1.0,5e-1],"a":"\u003C"}"""u8, trace);

        digest.ShouldBe(SHA256.HashData(Encoding.UTF8.GetBytes(envelope)));
    }

    [Fact]
    public void A_link_is_the_hash_of_the_link_before_and_the_digest()
    {
        byte[] digest = SHA256.HashData("event"u8);

        EventChain.Start.ToArray().ShouldBe(new byte[32]);
        EventChain.Link(EventChain.Start, digest).ShouldBe(SHA256.HashData([.. new byte[32], .. digest]));
    }

    [Fact]
    public void Whatever_of_an_event_changes_its_digest_changes()
    {
        byte[] Digest(Guid? id = null, int epoch = 1, long seq = 1, int microseconds = 0, string type = "t.v1", string data = "{}", string? trace = null) =>
            EventChain.Digest(Node, id ?? Id, epoch, seq, Time.AddMicroseconds(microseconds), type, Encoding.UTF8.GetBytes(data), trace);

        byte[][] all =
        [
            Digest(), Digest(Guid.Empty), Digest(epoch: 2), Digest(seq: 2), Digest(microseconds: 1), Digest(type: "t.v2"), Digest(data: """{"a":1}"""),
            Digest(trace: ""), EventChain.Digest(new NodeId(Guid.Empty), Id, 1, 1, Time, "t.v1", "{}"u8, null),
        ];

        all.Select(Convert.ToHexString).ShouldBeUnique();
    }

    // It runs on every append.
    [Fact]
    public void A_digest_and_a_link_make_hardly_a_byte_of_garbage()
    {
        byte[] data = MeshJson.Serialize(EventSamples.All.OfType<PeerJoined>().First());
        byte[] link = [.. EventChain.Start];
        long bytes = 0;
        // Only the last round counts: until then code is compiled and pools are filled.
        for (int round = 0; round < 20; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 1000; i++)
                link = EventChain.Link(link, EventChain.Digest(Node, Id, 1, i, Time, "peer.joined.v1", data, null));
            bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / 1000;
        }

        bytes.ShouldBeLessThan(256);
    }
}
