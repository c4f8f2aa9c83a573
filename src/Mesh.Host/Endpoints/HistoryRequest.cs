using EventMesh.Marten.Queries;

namespace EventMesh.Host.Endpoints;

/// <summary>The query part of a request for history.</summary>
/// <param name="At">As of when; null for now.</param>
/// <param name="Peer">The beginning of the peer's identity.</param>
/// <param name="Sort">Which come first; the newest by default.</param>
/// <param name="After">The cursor of the page.</param>
/// <param name="Limit">Items in a page, 100 by default.</param>
/// <param name="Node">Whose history; the running node's by default.</param>
internal sealed record HistoryRequest(DateTimeOffset? At, string? Peer, SortOrder? Sort, string? After, int? Limit, string? Node)
{
    private const int MaxPeerLength = 52;

    /// <summary>The filter, when all of it is in range.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.InvalidConfiguration"/>: some of it is not.</exception>
    public HistoryFilter ToFilter(TimeProvider time)
    {
        if (At > time.GetUtcNow()) throw new MeshException(MeshError.InvalidConfiguration, "'at' is in the future.");
        if (Limit is < 1 or > 1000) throw new MeshException(MeshError.InvalidConfiguration, "'limit' is 1 to 1000 items in a page.");
        string? peer = Peer?.ToLowerInvariant();
        if (peer is not null && (peer.Length is 0 or > MaxPeerLength || peer.Any(c => c is not (>= 'a' and <= 'z' or >= '2' and <= '7'))))
            throw new MeshException(MeshError.InvalidConfiguration, $"'{Peer}' is not the beginning of an identity (a-z and 2-7, at most {MaxPeerLength} characters).");
        return new HistoryFilter { At = At, PeerPrefix = peer, OldestFirst = Sort == SortOrder.Oldest, After = After, Limit = Limit ?? 100 };
    }
}
