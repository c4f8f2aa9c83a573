namespace EventMesh.Host.Endpoints;

/// <summary>Finds a joined peer by its identity or the beginning of it.</summary>
internal static class PeerSelector
{
    /// <summary>The shortest beginning that is taken: 4 characters, 20 bits.</summary>
    public const int MinLength = 4;

    /// <summary>The identity that <paramref name="text"/> means.</summary>
    /// <remarks>A full identity is taken as it is, joined or not: the send says what becomes of it.</remarks>
    /// <exception cref="MeshException">
    /// <see cref="MeshError.NotConnected"/>: no joined peer begins so. <see cref="MeshError.InvalidConfiguration"/>: several do, or it is too short.
    /// </exception>
    public static PeerId Select(string? text, IReadOnlyList<PeerInfo> joined) => Select(text, joined.Select(p => p.Peer), "joined peer", "mesh peers");

    /// <summary>The identity that <paramref name="text"/> means among some.</summary>
    /// <param name="text">The identity, or its beginning.</param>
    /// <param name="among">The identities in question.</param>
    /// <param name="what">What one of them is called.</param>
    /// <param name="command">The command that lists them.</param>
    /// <exception cref="MeshException">
    /// <see cref="MeshError.NotConnected"/>: none begins so. <see cref="MeshError.InvalidConfiguration"/>: several do, or it is too short.
    /// </exception>
    public static PeerId Select(string? text, IEnumerable<PeerId> among, string what, string command)
    {
        if (PeerId.TryParse(text, out PeerId peer)) return peer;
        if (text is null || text.Length < MinLength)
            throw new MeshException(MeshError.InvalidConfiguration, $"A peer is named by its identity or at least its first {MinLength} characters.");
        List<PeerId> found = [.. among.Where(p => p.ToString().StartsWith(text, StringComparison.OrdinalIgnoreCase))];
        return found.Count switch
        {
            1 => found[0],
            0 => throw new MeshException(MeshError.NotConnected, $"No {what}'s identity begins with '{text}'. `{command}` lists them."),
            _ => throw new MeshException(
                MeshError.InvalidConfiguration, $"The identity of more than one {what} begins with '{text}'. Give more of it; `{command}` lists them."),
        };
    }
}
