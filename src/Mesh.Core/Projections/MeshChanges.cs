using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Projections;

/// <summary>What changed between two times, and by each event. Pure.</summary>
public static class MeshChanges
{
    /// <value>The events that <see cref="Of"/> tells of.</value>
    public static IReadOnlyList<Type> EventTypes { get; } =
    [
        typeof(PeerJoined), typeof(PeerLeft), typeof(CacheEntryAdded), typeof(CacheEntryEvicted), typeof(PeerTrusted), typeof(PeerBlocked),
        typeof(PrefixBlocked), typeof(Unblocked), typeof(PeerPinned), typeof(PeerUnpinned), typeof(CertificateRevoked),
    ];

    /// <summary>The change that an event made; null for an event that makes none of them.</summary>
    public static MeshChange? Of(RecordedEvent recorded)
    {
        ArgumentNullException.ThrowIfNull(recorded);
        MeshChange? change = recorded.Data switch
        {
            PeerJoined e => About(MeshChangeKind.Joined, e.Peer, null, e.Agent),
            PeerLeft e => About(MeshChangeKind.Left, e.Peer, null, Name(e.Reason)),
            CacheEntryAdded e => About(MeshChangeKind.EnteredCache, e.Peer, null, null),
            CacheEntryEvicted e => About(MeshChangeKind.LeftCache, e.Peer, null, Name(e.Reason)),
            PeerTrusted e => About(MeshChangeKind.Trusted, e.Peer, e.By, e.Reason),
            PeerBlocked e => About(MeshChangeKind.Blocked, e.Peer, e.By, e.Reason),
            PrefixBlocked e => new(MeshChangeKind.Blocked, e.Prefix.ToString(), null, null, e.By, e.Reason),
            Unblocked { Peer: { } peer } e => About(MeshChangeKind.Unblocked, peer, e.By, e.Reason),
            Unblocked { Prefix: { } prefix } e => new(MeshChangeKind.Unblocked, prefix.ToString(), null, null, e.By, e.Reason),
            PeerPinned e => new(MeshChangeKind.Pinned, e.Contact, e.Peer, null, e.By, null),
            PeerUnpinned e => new(MeshChangeKind.Unpinned, e.Contact, e.Peer, null, e.By, e.Reason),
            CertificateRevoked { Key: { } key } e => About(MeshChangeKind.Revoked, key, e.By, e.Reason),
            CertificateRevoked { Fingerprint: { } fingerprint } e => new(MeshChangeKind.Revoked, fingerprint, null, null, e.By, e.Reason),
            _ => null,
        };
        return change is null ? null : change with { At = recorded.Time, Seq = recorded.NodeSeq };
    }

    /// <summary>
    /// The net difference between two states, by kind and subject: what came and went in between does not show. A peer that is joined at both times, though not
    /// all the time, does not differ; a contact bound to another peer was unpinned and pinned.
    /// </summary>
    /// <param name="before">The earlier state.</param>
    /// <param name="beforeAt">When it was; a block that had ended then is none.</param>
    /// <param name="after">The later state.</param>
    /// <param name="afterAt">When it was.</param>
    public static IReadOnlyList<MeshChange> Between(MeshState before, DateTimeOffset beforeAt, MeshState after, DateTimeOffset afterAt)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        List<MeshChange> changes = [];
        Compare(before.Peers.Joined, after.Peers.Joined, e => About(MeshChangeKind.Joined, e.Key, null, e.Value.Agent) with { At = e.Value.JoinedAt },
            e => About(MeshChangeKind.Left, e.Key, null, e.Value.Agent));
        Compare(before.Cache.Entries, after.Cache.Entries, e => About(MeshChangeKind.EnteredCache, e.Key, null, null) with { At = e.Value.AddedAt },
            e => About(MeshChangeKind.LeftCache, e.Key, null, null));
        Compare(before.Trust.Trusted, after.Trust.Trusted, e => About(MeshChangeKind.Trusted, e.Key, e.Value.By, e.Value.Reason) with { At = e.Value.At },
            e => About(MeshChangeKind.NotTrusted, e.Key, null, null));
        Compare(InForce(before.Trust.BlockedPeers, beforeAt), InForce(after.Trust.BlockedPeers, afterAt),
            e => About(MeshChangeKind.Blocked, e.Key, e.Value.By, e.Value.Reason) with { At = e.Value.At },
            e => About(MeshChangeKind.Unblocked, e.Key, null, null) with { At = Ended(e.Value, afterAt) });
        Compare(InForce(before.Trust.BlockedPrefixes, beforeAt), InForce(after.Trust.BlockedPrefixes, afterAt),
            e => new(MeshChangeKind.Blocked, e.Key.ToString(), null, e.Value.At, e.Value.By, e.Value.Reason),
            e => new(MeshChangeKind.Unblocked, e.Key.ToString(), null, Ended(e.Value, afterAt), null, null));
        Compare(Pins(before), Pins(after), e => new(MeshChangeKind.Pinned, e.Key.Contact, e.Key.Peer, e.Value.At, e.Value.By, null),
            e => new(MeshChangeKind.Unpinned, e.Key.Contact, e.Key.Peer, null, null, null));
        Compare(before.Trust.RevokedKeys, after.Trust.RevokedKeys, e => About(MeshChangeKind.Revoked, e.Key, e.Value.By, e.Value.Reason) with { At = e.Value.At }, null);
        Compare(before.Trust.RevokedCertificates, after.Trust.RevokedCertificates,
            e => new(MeshChangeKind.Revoked, e.Key, null, e.Value.At, e.Value.By, e.Value.Reason), null);
        return [.. changes.OrderBy(change => change.Kind).ThenBy(change => change.Subject, StringComparer.Ordinal)];

        void Compare<TKey, TValue>(
            IReadOnlyDictionary<TKey, TValue> earlier, IReadOnlyDictionary<TKey, TValue> later, Func<KeyValuePair<TKey, TValue>, MeshChange> came,
            Func<KeyValuePair<TKey, TValue>, MeshChange>? went)
            where TKey : notnull
        {
            changes.AddRange(later.Where(entry => !earlier.ContainsKey(entry.Key)).Select(came));
            if (went is not null)
                changes.AddRange(earlier.Where(entry => !later.ContainsKey(entry.Key)).Select(went));
        }
    }

    private static Dictionary<TKey, TrustBlock> InForce<TKey>(IReadOnlyDictionary<TKey, TrustBlock> blocks, DateTimeOffset at)
        where TKey : notnull => blocks.Where(entry => entry.Value.IsInForce(at)).ToDictionary();

    private static Dictionary<(string Contact, PeerId Peer), TrustPin> Pins(MeshState state) =>
        state.Trust.Pins.Values.ToDictionary(pin => (pin.Contact, pin.Peer));

    // When it came to its end by itself; of one that was lifted the later state does not tell.
    private static DateTimeOffset? Ended(TrustBlock block, DateTimeOffset at) => block.Until <= at ? block.Until : null;

    private static MeshChange About(MeshChangeKind kind, PeerId peer, string? by, string? detail) => new(kind, peer.ToString(), peer, null, by, detail);

    private static string Name<T>(T value)
        where T : struct, Enum => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(value.ToString());
}
