using System.Buffers.Binary;
using System.Security.Cryptography;
using EventMesh.Events;
using EventMesh.Journal;

namespace EventMesh.Marten.Audit.Internal;

/// <summary>Checks that each erased event is vouched for by an erasure, and each erasure by the events that it erased.</summary>
internal sealed class ErasureWalk(EventRegistry registry, AuditFindings findings) : IDisposable
{
    private readonly string _erased = registry.Get(typeof(PeerErased)).WireName;
    private readonly SortedDictionary<long, (PeerErased Data, byte[] Digest)> _events = [];
    private readonly SortedDictionary<long, (IncrementalHash Hash, int Count)> _rows = [];

    /// <summary>The erasures that the log tells of.</summary>
    public IReadOnlyList<AuditErasure> All => [.. _events.Select(each => new AuditErasure(each.Key, each.Value.Data.Peer, each.Value.Data.Count))];

    /// <summary>Looks at a row; the digest that the chain has of it.</summary>
    /// <param name="row">The row.</param>
    /// <param name="digest">The digest of what is stored.</param>
    public byte[] Step(AuditRow row, byte[] digest)
    {
        if (row.Type == _erased)
            Read(row);
        foreach ((long by, byte[] left) in row.Erasures)
        {
            if (!_rows.TryGetValue(by, out (IncrementalHash Hash, int Count) sum))
                sum = (IncrementalHash.CreateHash(HashAlgorithmName.SHA256), 0);
            Append(sum.Hash, row.Place, left);
            _rows[by] = (sum.Hash, sum.Count + 1);
            if (by <= row.Place)
                findings.Add(AuditProblem.ForgedErasure, row.Place, $"the event says that it was erased by the event at place {by}, before it was there");
        }
        if (row.Was is null != (row.Erasures.Count == 0) || (row.Erasures.Count > 0 && !row.Erasures[^1].Digest.AsSpan().SequenceEqual(digest)))
            findings.Add(AuditProblem.ForgedErasure, row.Place, $"the content of '{row.Type}' {row.Id} is not what an erasure left of it");
        return row.Was ?? digest;
    }

    /// <summary>The end of the walk.</summary>
    /// <param name="lastPlace">The last place.</param>
    /// <param name="dropped">
    /// The months that are gone. An erasure before that vouches for events of theirs too: of those that are left it can only be said that they are not more.
    /// </param>
    public void End(long lastPlace, IReadOnlyList<DroppedMonth> dropped)
    {
        bool IsPart(long by, int count) => dropped.Any(month => month.Place > by && month.Data.FirstSeq < by) && count < _events[by].Data.Count;
        foreach ((long by, (IncrementalHash hash, int count)) in _rows)
        {
            // An erasure may run beside the audit: its event is behind the walk's end.
            if (by > lastPlace)
                continue;
            byte[] sum = hash.GetHashAndReset();
            if (!_events.TryGetValue(by, out (PeerErased Data, byte[] Digest) erasure))
                findings.Add(AuditProblem.ForgedErasure, by, $"{count} events say that they were erased by the event at this place, which is no erasure");
            else if (!IsPart(by, count) && (erasure.Data.Count != count || !erasure.Digest.AsSpan().SequenceEqual(sum)))
                findings.Add(
                    AuditProblem.ForgedErasure, by,
                    $"the erasure vouches for {erasure.Data.Count} events; {count} say that they were erased by it, and their content is not what it left or not all of it");
        }
        foreach ((long place, (PeerErased data, _)) in _events.Where(
            each => each.Value.Data.Count > 0 && !_rows.ContainsKey(each.Key) && !IsPart(each.Key, 0)))
            findings.Add(AuditProblem.ForgedErasure, place, $"the erasure vouches for {data.Count} events; none says that it was erased by it");
    }

    /// <summary>Adds an event to the digest of an erasure.</summary>
    public static void Append(IncrementalHash hash, long place, ReadOnlySpan<byte> digest)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, place);
        hash.AppendData(bytes);
        hash.AppendData(digest);
    }

    public void Dispose()
    {
        foreach ((IncrementalHash hash, _) in _rows.Values)
            hash.Dispose();
    }

    private void Read(AuditRow row)
    {
        try
        {
            var data = (PeerErased)MeshJson.Deserialize(registry.Get(row.Type), row.Data);
            _events[row.Place] = (data, data.Digest);
        }
        catch (MeshException)
        {
            findings.Add(AuditProblem.ForgedErasure, row.Place, "the erasure has not the form of one");
        }
    }
}
