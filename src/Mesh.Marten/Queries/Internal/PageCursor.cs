using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace EventMesh.Marten.Queries.Internal;

/// <summary>
/// The place of a page in an answer: the place in the log that the answer stands on, and the last item before the page. Its text is opaque to callers and
/// bound to the query, so that a cursor of another query is refused instead of answered with a wrong page.
/// </summary>
/// <param name="Seq">The last place at the time that was asked for with the first page.</param>
/// <param name="FoldedSeq">The place in the log that all pages stand on.</param>
/// <param name="Key">The number by which the last item was sorted.</param>
/// <param name="Id">What tells items of one number apart; may be empty.</param>
internal readonly record struct PageCursor(long Seq, long FoldedSeq, long Key, string Id)
{
    private const int DigestLength = 6;

    /// <summary>The text of a cursor.</summary>
    /// <param name="query">Everything that the query is, but its time (the place stands for it), page and limit.</param>
    public string Write(string query) =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"1|{Digest(query)}|{Seq}|{FoldedSeq}|{Key}|{Id}")));

    /// <summary>Reads the text of a cursor; null for null.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.InvalidConfiguration"/>: it is none, or of another query.</exception>
    public static PageCursor? Read(string? text, string query)
    {
        if (text is null)
            return null;
        string[] parts = Decode(text).Split('|');
        if (parts.Length != 6 || parts[0] != "1" || !long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out long seq)
            || !long.TryParse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture, out long folded)
            || !long.TryParse(parts[4], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long key))
            throw new MeshException(MeshError.InvalidConfiguration, $"'{text}' is not a cursor: take it as the page before gave it.");
        return parts[1] == Digest(query)
            ? new(seq, folded, key, parts[5])
            : throw new MeshException(
                MeshError.InvalidConfiguration, "The cursor belongs to another query: go on with the same filters and order, or begin without a cursor.");
    }

    private static string Digest(string query) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(query)).AsSpan(0, DigestLength));

    private static string Decode(string text) =>
        text.Length <= 512 && Base64Url.IsValid(text) ? Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)) : "";
}
