using System.Buffers;
using System.Text;

namespace EventMesh.Journal.Internal;

/// <summary>The name of a property in canonical form without its quotes, in the order of RFC 8785: by UTF-16 code units, unescaped.</summary>
internal readonly ref struct CanonicalKey(ReadOnlySpan<byte> escaped)
{
    private static readonly SearchValues<byte> Escaped = SearchValues.Create(
        [.. Enumerable.Range(0, 32).Select(character => (byte)character), (byte)'"', (byte)'\\']);

    private readonly ReadOnlySpan<byte> _escaped = escaped;

    /// <summary>Where the first character is that must be escaped; -1 when there is none.</summary>
    public static int FirstEscaped(ReadOnlySpan<byte> utf8) => utf8.IndexOfAny(Escaped);

    public static int Compare(CanonicalKey left, CanonicalKey right) =>
        left._escaped.Contains((byte)'\\') || right._escaped.Contains((byte)'\\')
            ? Compare(Unescape(left._escaped), Unescape(right._escaped))
            : Compare(left._escaped, right._escaped);

    private static int Compare(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        int same = left.CommonPrefixLength(right);
        if (same == left.Length || same == right.Length)
            return left.Length.CompareTo(right.Length);
        byte a = left[same];
        byte b = right[same];
        // The bytes of UTF-8 are in the order of code points. That of UTF-16 differs in one thing: beyond U+FFFF there are surrogates (D800 to
        // DFFF), before U+E000 to U+FFFF, of which the first byte is EE or EF.
        if (a >= 0xF0 && b is 0xEE or 0xEF)
            return -1;
        if (b >= 0xF0 && a is 0xEE or 0xEF)
            return 1;
        return a.CompareTo(b);
    }

    // Rare: a name with a quote, a backslash or a control character.
    private static byte[] Unescape(ReadOnlySpan<byte> escaped)
    {
        var text = new byte[escaped.Length];
        int length = 0;
        for (int i = 0; i < escaped.Length; i++)
        {
            if (escaped[i] != (byte)'\\')
            {
                text[length++] = escaped[i];
                continue;
            }
            i++;
            if (escaped[i] == (byte)'u')
            {
                text[length++] = Convert.FromHexString(Encoding.ASCII.GetString(escaped.Slice(i + 3, 2)))[0];
                i += 4;
                continue;
            }
            text[length++] = "\b\t\n\f\r\"\\"u8["btnfr\"\\"u8.IndexOf(escaped[i])];
        }
        return text[..length];
    }
}
