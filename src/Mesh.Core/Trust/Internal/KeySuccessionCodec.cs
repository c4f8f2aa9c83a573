using System.Security.Cryptography;
using EventMesh.Wire;
using Google.Protobuf;
using Frames = EventMesh.Wire.Frames;

namespace EventMesh.Trust.Internal;

/// <summary>Statements of key succession on the wire and in the data directory.</summary>
internal static class KeySuccessionCodec
{
    private const string Label = "EVENTMESH KEY SUCCESSION";

    public static Frames.KeySuccession ToFrame(KeySuccession statement) => new()
    {
        Predecessor = ByteString.CopyFrom(statement.PredecessorKey),
        Successor = ByteString.CopyFrom(statement.SuccessorKey),
        Sequence = (ulong)statement.Sequence,
        Time = statement.SignedAt.ToUnixTimeMilliseconds(),
        PredecessorSignature = ByteString.CopyFrom(statement.PredecessorSignature),
        SuccessorSignature = ByteString.CopyFrom(statement.SuccessorSignature),
    };

    /// <summary>Reads one; null when it is malformed. Its signatures are not checked.</summary>
    public static KeySuccession? FromFrame(Frames.KeySuccession frame)
    {
        if (frame.Predecessor.Length is 0 or > WireLimits.PublicKey || frame.Successor.Length is 0 or > WireLimits.PublicKey
            || frame.PredecessorSignature.Length is 0 or > WireLimits.Signature || frame.SuccessorSignature.Length is 0 or > WireLimits.Signature
            || frame.Sequence is 0 or > long.MaxValue || frame.Time < 0 || frame.Time > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())
        {
            return null;
        }
        return new KeySuccession(
            frame.Predecessor.Span, frame.Successor.Span, (long)frame.Sequence, DateTimeOffset.FromUnixTimeMilliseconds(frame.Time),
            frame.PredecessorSignature.Span, frame.SuccessorSignature.Span);
    }

    public static string ToPem(IEnumerable<KeySuccession> statements) =>
        string.Concat(statements.Select(statement => PemEncoding.WriteString(Label, ToFrame(statement).ToByteArray()) + "\n"));

    /// <summary>Reads the statements of a file.</summary>
    /// <exception cref="FormatException">One is malformed.</exception>
    public static IReadOnlyList<KeySuccession> FromPem(string text)
    {
        List<KeySuccession> statements = [];
        ReadOnlySpan<char> rest = text;
        while (PemEncoding.TryFind(rest, out PemFields fields))
        {
            if (rest[fields.Label] is Label)
            {
                try
                {
                    statements.Add(FromFrame(Frames.KeySuccession.Parser.ParseFrom(Convert.FromBase64String(rest[fields.Base64Data].ToString())))
                        ?? throw new FormatException("A statement of key succession has a field of the wrong size."));
                }
                catch (InvalidProtocolBufferException e)
                {
                    throw new FormatException($"A statement of key succession is malformed: {e.Message}", e);
                }
            }
            rest = rest[fields.Location.End..];
        }
        return statements;
    }
}
