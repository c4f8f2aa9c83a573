using System.Collections.Immutable;
using System.Net;
using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Projections;

/// <summary>One node in the bootstrap cache.</summary>
/// <param name="Peer">The node.</param>
/// <param name="Endpoints">Where it can be dialled, the proven one first.</param>
/// <param name="Certificate">Its certificate, DER.</param>
/// <param name="Origin">Who dialled whom first.</param>
/// <param name="AddedAt">When it entered.</param>
/// <param name="LastConnectedAt">When it was last connected; the cache is ordered by it.</param>
/// <param name="IsConfirmed">Whether somebody else, or we after a silence, have reached it too.</param>
/// <param name="Failures">Failed dials in a row.</param>
public sealed record BootstrapCacheEntry(
    PeerId Peer, IReadOnlyList<IPEndPoint> Endpoints, byte[] Certificate, ConnectionDirection Origin, DateTimeOffset AddedAt,
    DateTimeOffset LastConnectedAt, bool IsConfirmed, int Failures)
{
    /// <summary>When the last of the <see cref="Failures"/> was; null when there is none.</summary>
    public DateTimeOffset? LastFailedAt { get; init; }
}

/// <summary>The bootstrap cache: a fold of <c>cache</c> events, and of failed dials and joins for the count of failures.</summary>
/// <param name="Entries">The entries by node.</param>
public sealed record BootstrapCacheState(ImmutableDictionary<PeerId, BootstrapCacheEntry> Entries)
{
    /// <summary>How many nodes the cache holds at most: 200.</summary>
    public const int Capacity = 200;

    /// <summary>An empty cache.</summary>
    public static BootstrapCacheState Empty { get; } = new(ImmutableDictionary<PeerId, BootstrapCacheEntry>.Empty);

    /// <summary>The entries, the most recently connected first.</summary>
    public IEnumerable<BootstrapCacheEntry> NewestFirst()
    {
        BootstrapCacheEntry[] entries = [.. Entries.Values];
        Array.Sort(entries, static (one, other) =>
            other.LastConnectedAt.CompareTo(one.LastConnectedAt) is not 0 and var later ? later : one.Peer.CompareTo(other.Peer));
        return entries;
    }

    /// <summary>
    /// Whether a failed dial says that the node is not where it was. A node that is full, or a failure on our own side, says nothing against it.
    /// </summary>
    /// <param name="error">Why the dial failed.</param>
    public static bool CountsAgainst(MeshError error) => error is MeshError.Unreachable or MeshError.Timeout or MeshError.IdleTimeout
        or MeshError.ConnectionLost or MeshError.ClosedByPeer or MeshError.CertificateRefused or MeshError.WrongPeer or MeshError.WrongMesh
        or MeshError.ProtocolMismatch or MeshError.ProtocolViolation;

    /// <summary>The cache after one more event. Pure.</summary>
    public static BootstrapCacheState Apply(BootstrapCacheState state, RecordedEvent recorded)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(recorded);
        switch (recorded.Data)
        {
            case CacheEntryAdded e:
                return new(state.Entries.SetItem(e.Peer, new(
                    e.Peer, e.Endpoints, e.Certificate, e.Origin, recorded.Time, recorded.Time, IsConfirmed: false, Failures: 0)));
            case CacheEntryRefreshed e when state.Entries.TryGetValue(e.Peer, out BootstrapCacheEntry? entry):
                return new(state.Entries.SetItem(e.Peer, entry with
                {
                    Endpoints = e.Endpoints,
                    Certificate = e.Certificate,
                    LastConnectedAt = recorded.Time,
                    Failures = 0,
                    LastFailedAt = null,
                }));
            case CacheEntryConfirmed e when state.Entries.TryGetValue(e.Peer, out BootstrapCacheEntry? entry):
                return new(state.Entries.SetItem(e.Peer, entry with { IsConfirmed = true, Failures = 0, LastFailedAt = null }));
            case CacheEntryEvicted e:
                return new(state.Entries.Remove(e.Peer));
            case CacheSegmentOpened e:
                return new(e.Entries.ToImmutableDictionary(entry => entry.Peer, FromSegment));
            case DialFailed { Expected: { } peer } e when CountsAgainst(e.Error) && state.Entries.TryGetValue(peer, out BootstrapCacheEntry? entry):
                return new(state.Entries.SetItem(peer, entry with { Failures = entry.Failures + 1, LastFailedAt = recorded.Time }));
            default:
                return state;
        }
    }

    private static BootstrapCacheEntry FromSegment(SegmentCacheEntry entry) => new(
        entry.Peer, entry.Endpoints, entry.Certificate, entry.Origin, entry.AddedAt, entry.LastConnectedAt, entry.IsConfirmed, entry.Failures)
    {
        LastFailedAt = entry.LastFailedAt,
    };
}
