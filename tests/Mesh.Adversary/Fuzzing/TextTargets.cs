using System.Globalization;
using System.Net;
using System.Text;
using EventMesh.Identity;
using EventMesh.Node;
using EventMesh.Plugins.PubSub.Internal;

namespace EventMesh.Adversary.Fuzzing;

/// <summary>Identities, contacts, and the topics of the plugin.</summary>
internal static class TextTargets
{
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("peerid", [Encoding.UTF8.GetBytes(PeerId.FromPublicKey([1]).ToString()), Encoding.UTF8.GetBytes(PeerId.FromPublicKey([2]).ToString())], DecodePeerId),
        new("contact", [.. new[] { "127.0.0.1:4433", "[2001:db8::1]:65535", "mesh.example.org:1", "localhost:4433" }.Select(Encoding.UTF8.GetBytes)], DecodeContact),
        new(
            "topics", [TopicCodec.EncodeTopics(7, true, ["orders", "prices"]), TopicCodec.EncodeTopics(long.MaxValue, false, [])], DecodeTopics,
            BytesPerByte: 120),
        new("topicmessage", [TopicCodec.EncodeMessage(Guid.Empty, "orders", "payload"u8), TopicCodec.EncodeMessage(Guid.Empty, "o", [])], DecodeTopicMessage),
    ];

    private static bool DecodePeerId(ReadOnlyMemory<byte> input)
    {
        string text = Encoding.Latin1.GetString(input.Span);
        bool isOne = PeerId.TryParse(text, out PeerId id);
        if (isOne)
        {
            // One identity has one text, but for the case of its letters.
            FuzzTargets.Require(string.Equals(id.ToString(), text, StringComparison.OrdinalIgnoreCase), "Two texts name one identity.");
            FuzzTargets.Require(PeerId.Parse(text) == id && new PeerId(id.ToByteArray()) == id, "It is another when read again.");
            return true;
        }
        try
        {
            _ = PeerId.Parse(text);
            throw new InvalidOperationException("Parse takes what TryParse refuses.");
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static bool DecodeContact(ReadOnlyMemory<byte> input)
    {
        string text = Encoding.UTF8.GetString(input.Span);
        if (!ContactAddress.TryParse(text, out string? host, out int port)) return false;
        FuzzTargets.Require(port is > 0 and <= IPEndPoint.MaxPort && host.Length > 0, "A contact that nobody can dial.");
        string again = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]:{port}" : string.Create(CultureInfo.InvariantCulture, $"{host}:{port}");
        FuzzTargets.Require(
            ContactAddress.TryParse(again, out string? sameHost, out int samePort) && sameHost == host && samePort == port,
            "It is another when written and read again.");
        return true;
    }

    private static bool DecodeTopics(ReadOnlyMemory<byte> input)
    {
        if (TopicCodec.DecodeTopics(input.Span) is not { } topics) return false;
        FuzzTargets.Require(topics.Topics.Count <= TopicCodec.MaxTopics, "Too many topics.");
        FuzzTargets.Require(topics.Topics.All(topic => Encoding.UTF8.GetByteCount(topic) is > 0 and <= TopicCodec.MaxTopicBytes), "A topic of no use.");
        byte[] written = TopicCodec.EncodeTopics(topics.Version, topics.Answer, topics.Topics);
        FuzzTargets.Require(
            TopicCodec.DecodeTopics(written) is { } again && again.Version == topics.Version && again.Answer == topics.Answer
                && again.Topics.SetEquals(topics.Topics),
            "They are others when written and read again.");
        return true;
    }

    private static bool DecodeTopicMessage(ReadOnlyMemory<byte> input)
    {
        if (TopicCodec.DecodeMessage(input) is not { } message) return false;
        byte[] written = TopicCodec.EncodeMessage(message.Id, message.Topic, message.Payload.Span);
        FuzzTargets.Require(input.Span.SequenceEqual(written), "It is another when written again.");
        return true;
    }
}
