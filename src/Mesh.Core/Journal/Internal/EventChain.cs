using System.Globalization;
using System.Security.Cryptography;
using EventMesh.Identity;

namespace EventMesh.Journal.Internal;

/// <summary>
/// The chain over a node's log. The digest of an event is the SHA-256 of its stored version with its envelope in canonical form (RFC 8785); a link is
/// the SHA-256 of the link before and the digest. So the last link stands for the whole log: whoever changes, removes or inserts an event changes it. docs/audit.md has it for other tools.
/// </summary>
internal static class EventChain
{
    /// <summary>The bytes of a digest and of a link.</summary>
    public const int Size = SHA256.HashSizeInBytes;

    /// <summary>The link before the first.</summary>
    public static ReadOnlySpan<byte> Start => new byte[Size];

    /// <summary>The digest of an event.</summary>
    /// <param name="node">The log's tenant.</param>
    /// <param name="id">The event's identity.</param>
    /// <param name="epoch">The process that recorded it.</param>
    /// <param name="nodeSeq">Its place.</param>
    /// <param name="time">When it was recorded, in whole microseconds.</param>
    /// <param name="type">Its name on disk with its version.</param>
    /// <param name="dataJson">Its content, as recorded or as the store gives it back.</param>
    /// <param name="traceParent">The trace context it was recorded under, or null.</param>
    public static byte[] Digest(
        NodeId node, Guid id, int epoch, long nodeSeq, DateTimeOffset time, string type, ReadOnlySpan<byte> dataJson, string? traceParent)
    {
        CanonicalJson json = CanonicalJson.Current;
        json.Clear();
        json.AppendRaw("{\"data\":"u8);
        json.Append(dataJson);
        json.AppendRaw(",\"epoch\":"u8);
        json.Append(epoch);
        json.AppendRaw(",\"id\":\""u8);
        AppendGuid(json, id);
        json.AppendRaw("\",\"node\":\""u8);
        AppendGuid(json, node.Value);
        json.AppendRaw("\",\"seq\":"u8);
        json.Append(nodeSeq);
        json.AppendRaw(",\"time\":\""u8);
        AppendTime(json, time);
        if (traceParent is not null)
        {
            json.AppendRaw("\",\"trace\":"u8);
            json.Append(traceParent);
            json.AppendRaw(",\"type\":"u8);
        }
        else
        {
            json.AppendRaw("\",\"type\":"u8);
        }
        json.Append(type);
        json.AppendRaw("}"u8);
        return SHA256.HashData(json.Written);
    }

    /// <summary>The link of an event.</summary>
    /// <param name="previous">The link before.</param>
    /// <param name="digest">The event's digest.</param>
    public static byte[] Link(ReadOnlySpan<byte> previous, ReadOnlySpan<byte> digest)
    {
        Span<byte> both = stackalloc byte[2 * Size];
        previous.CopyTo(both);
        digest.CopyTo(both[Size..]);
        return SHA256.HashData(both);
    }

    private static void AppendGuid(CanonicalJson json, Guid value)
    {
        Span<byte> text = stackalloc byte[36];
        value.TryFormat(text, out int written);
        json.AppendRaw(text[..written]);
    }

    private static void AppendTime(CanonicalJson json, DateTimeOffset time)
    {
        // With seven digits of the second; the log has six, so the last is 0.
        Span<byte> text = stackalloc byte[32];
        time.UtcDateTime.TryFormat(text, out int written, "O", CultureInfo.InvariantCulture);
        text[written - 2] = (byte)'Z';
        json.AppendRaw(text[..(written - 1)]);
    }
}
