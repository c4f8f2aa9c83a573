using System.Buffers.Binary;
using System.Text;

namespace EventMesh.Plugins.PubSub.Internal;

/// <summary>The two messages of the plugin. What a peer sends is hostile: every length is checked, and what does not fit is null.</summary>
internal static class TopicCodec
{
    public const string ControlChannel = "pubsub.control";
    public const string DataChannel = "pubsub";
    public const int MaxTopicBytes = 128;

    /// <summary>Topics that one peer may subscribe to.</summary>
    public const int MaxTopics = 1024;

    private const byte FlagAnswer = 1;
    private const int ControlHeader = 9;
    private const int DataHeader = 17;
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>All topics of a node: version (8 bytes, big-endian), flags (1), then for each its length (1) and name.</summary>
    public static byte[] EncodeTopics(long version, bool answer, IReadOnlyCollection<string> topics)
    {
        var bytes = new byte[ControlHeader + topics.Sum(topic => 1 + Utf8.GetByteCount(topic))];
        BinaryPrimitives.WriteInt64BigEndian(bytes, version);
        bytes[8] = answer ? FlagAnswer : (byte)0;
        int at = ControlHeader;
        foreach (string topic in topics)
            at += WriteTopic(bytes.AsSpan(at), topic);
        return bytes;
    }

    public static (long Version, bool Answer, HashSet<string> Topics)? DecodeTopics(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < ControlHeader)
            return null;
        HashSet<string> topics = [];
        ReadOnlySpan<byte> rest = bytes[ControlHeader..];
        while (!rest.IsEmpty)
        {
            if (ReadTopic(ref rest) is not { } topic || topics.Count == MaxTopics)
                return null;
            topics.Add(topic);
        }

        return (BinaryPrimitives.ReadInt64BigEndian(bytes), (bytes[8] & FlagAnswer) != 0, topics);
    }

    /// <summary>A published message: id (16 bytes, big-endian), topic length (1), topic, payload.</summary>
    public static byte[] EncodeMessage(Guid id, string topic, ReadOnlySpan<byte> payload)
    {
        var bytes = new byte[DataHeader + Utf8.GetByteCount(topic) + payload.Length];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        int length = WriteTopic(bytes.AsSpan(16), topic);
        payload.CopyTo(bytes.AsSpan(16 + length));
        return bytes;
    }

    public static (Guid Id, string Topic, ReadOnlyMemory<byte> Payload)? DecodeMessage(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length < DataHeader)
            return null;
        ReadOnlySpan<byte> rest = bytes.Span[16..];
        return ReadTopic(ref rest) is { } topic
            ? (new Guid(bytes.Span[..16], bigEndian: true), topic, bytes[^rest.Length..])
            : null;
    }

    private static int WriteTopic(Span<byte> bytes, string topic)
    {
        int length = Utf8.GetBytes(topic, bytes[1..]);
        bytes[0] = (byte)length;
        return 1 + length;
    }

    private static string? ReadTopic(ref ReadOnlySpan<byte> bytes)
    {
        int length = bytes[0];
        if (length is 0 or > MaxTopicBytes || bytes.Length < 1 + length)
            return null;
        try
        {
            string topic = Utf8.GetString(bytes.Slice(1, length));
            bytes = bytes[(1 + length)..];
            return topic;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
