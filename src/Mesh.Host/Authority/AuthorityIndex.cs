using System.Text.Json.Serialization;

namespace EventMesh.Host.Authority;

/// <summary>What an authority remembers: <c>ca.json</c> in its folder.</summary>
/// <param name="Name">The authority's name.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="Issued">What it has issued, the oldest first.</param>
/// <param name="RevocationLists">How many revocation lists it has written; the number of the last one.</param>
internal sealed record AuthorityIndex(string Name, DateTimeOffset CreatedAt, IReadOnlyList<IssuedCertificate> Issued, int RevocationLists)
{
    /// <summary>The version of the file's shape.</summary>
    [JsonPropertyOrder(-1)]
    public int Version { get; init; } = 1;
}
