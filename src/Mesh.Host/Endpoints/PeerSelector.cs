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
    public static PeerId Select(string? text, IReadOnlyList<PeerInfo> joined)
    {
        if (PeerId.TryParse(text, out PeerId peer)) return peer;
        if (text is null || text.Length < MinLength)
            throw new MeshException(MeshError.InvalidConfiguration, $"A peer is named by its identity or at least its first {MinLength} characters.");
        return Only(text, [.. joined.Select(p => p.Peer).Where(p => p.ToString().StartsWith(text, StringComparison.OrdinalIgnoreCase))], "joined");
    }

    /// <summary>The identity that <paramref name="text"/> means among all that the node knows, joined or not.</summary>
    /// <exception cref="MeshException">As the other overload.</exception>
    public static PeerId Select(string? text, IEnumerable<PeerId> known)
    {
        if (PeerId.TryParse(text, out PeerId peer)) return peer;
        if (text is null || text.Length < MinLength)
            throw new MeshException(MeshError.InvalidConfiguration, $"A peer is named by its identity or at least its first {MinLength} characters.");
        return Only(text, [.. known.Distinct().Where(p => p.ToString().StartsWith(text, StringComparison.OrdinalIgnoreCase))], "known");
    }

    private static PeerId Only(string text, List<PeerId> found, string among) => found.Count switch
    {
        1 => found[0],
        0 => throw new MeshException(MeshError.NotConnected, $"No {among} peer's identity begins with '{text}'. `mesh peers` lists them."),
        _ => throw new MeshException(
            MeshError.InvalidConfiguration, $"{found.Count} {among} peers' identities begin with '{text}'. Give more of it; `mesh peers` lists them."),
    };
}
