using System.Text.Json;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Store.Internal;
using Npgsql;
using NpgsqlTypes;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>
/// A projection with one entry for each peer and a row for each version of it, valid from the event that made it to the event that
/// changed it. What an event does is said by the pure fold; here is only what that means for rows.
/// </summary>
internal abstract class IntervalProjection<TEntry>(string name, string schema, NpgsqlDataSource? source, LogReader? reader, params Type[] eventTypes)
    : LogProjection(name, schema, source, reader, eventTypes)
    where TEntry : class
{
    /// <summary>SQL: the columns of an entry with their types, after the peer's.</summary>
    protected abstract IReadOnlyList<(string Name, string Type)> Columns { get; }

    /// <summary>The columns of a row, as they are written; a type without its constraint.</summary>
    private IReadOnlyList<(string Name, string Type)> RowColumns =>
    [
        ("node_id", "uuid"), ("peer", "text"), ("from_seq", "bigint"), ("to_seq", "bigint"), ("valid", "tstzrange"),
        .. Columns.Select(column => (column.Name, column.Type.Split(' ')[0])),
    ];

    /// <summary>The names of <see cref="Columns"/>, as they are selected.</summary>
    protected string ColumnNames => string.Join(", ", Columns.Select(column => column.Name));

    public override string CreateTable(int generation)
    {
        string table = Table(generation);
        string prefix = $"{Name}_{generation}";
        return
            $"""
            create table {table} (
                node_id uuid not null,
                peer text not null,
                {string.Join(",\n    ", Columns.Select(column => $"{column.Name} {column.Type}"))},
                valid tstzrange not null,
                from_seq bigint not null,
                to_seq bigint,
                primary key (node_id, peer, from_seq));
            create unique index {prefix}_current on {table} (node_id, peer) where to_seq is null;
            create index {prefix}_valid on {table} using gist (valid);

            """;
    }

    public override string CreateViews(int generation) =>
        $"""
        create or replace view {Schema}.{Name}_history as
            select node_id, peer, {ColumnNames}, valid, from_seq, to_seq from {Table(generation)};
        create or replace view {Schema}.{Name} as
            select node_id, peer, {ColumnNames}, lower(valid) as since, from_seq from {Table(generation)} where to_seq is null;

        """;

    /// <summary>The peer whose entry an event may change; null for none.</summary>
    protected abstract PeerId? PeerOf(IMeshEvent data);

    /// <summary>The peers of all entries, for the event that opens a month with them; null for any other.</summary>
    protected abstract IReadOnlyList<PeerId>? SnapshotOf(IMeshEvent data);

    /// <summary>The entry after an event, by the pure fold; null for none.</summary>
    protected abstract TEntry? Fold(PeerId peer, TEntry? before, RecordedEvent recorded);

    /// <summary>The values of <see cref="Columns"/>.</summary>
    protected abstract object?[] Write(TEntry entry);

    /// <summary>Reads <see cref="Columns"/>, of which the first is at <paramref name="ordinal"/>.</summary>
    protected abstract TEntry Read(PeerId peer, NpgsqlDataReader reader, int ordinal);

    /// <summary>The entries of a node now or as of a time.</summary>
    public async Task<List<TEntry>> QueryAsync(NpgsqlConnection connection, Guid node, DateTimeOffset? at, CancellationToken cancellationToken)
    {
        NpgsqlCommand command = at is { } time
            ? Sql.Command(connection, $"select peer, {ColumnNames} from {Schema}.{Name}_history where node_id = $1 and valid @> $2", node, time.ToUniversalTime())
            : Sql.Command(connection, $"select peer, {ColumnNames} from {Schema}.{Name} where node_id = $1", node);
        return await Sql.QueryAsync(command, row => Read(PeerId.Parse(row.GetString(0)), row, 1), cancellationToken).ConfigureAwait(false);
    }

    protected override async Task WriteAsync(
        NpgsqlConnection connection, int generation, Guid node, IReadOnlyList<RecordedEvent> page, CancellationToken cancellationToken)
    {
        string table = Table(generation);
        Dictionary<PeerId, Version> current = await LoadAsync(connection, table, node, page, cancellationToken).ConfigureAwait(false);
        List<(PeerId Peer, Version Version, RecordedEvent End)> ended = [];
        List<object?[]> rows = [];
        foreach (RecordedEvent recorded in page)
        {
            // A snapshot says what is so already, unless the month before it was dropped.
            if (SnapshotOf(recorded.Data) is { } peers)
            {
                foreach (PeerId each in peers.Union(current.Keys).ToList())
                    Step(each, recorded, isSnapshot: true);
            }
            else if (PeerOf(recorded.Data) is { } peer)
            {
                Step(peer, recorded, isSnapshot: false);
            }
        }
        // First, since only one version of a peer may be without an end.
        if (ended.Count > 0)
            await EndAsync(connection, table, node, ended, cancellationToken).ConfigureAwait(false);
        rows.AddRange(current.Where(entry => !entry.Value.IsStored).Select(entry => Row(node, entry.Key, entry.Value, end: null)));
        if (rows.Count > 0)
            await Sql.CopyAsync(connection, table, RowColumns, rows, cancellationToken).ConfigureAwait(false);

        void Step(PeerId peer, RecordedEvent recorded, bool isSnapshot)
        {
            current.TryGetValue(peer, out Version? version);
            TEntry? after = Fold(peer, version?.Entry, recorded);
            if (ReferenceEquals(after, version?.Entry) || (isSnapshot && AreEqual(after, version?.Entry)))
                return;
            // A version that begins and ends within the page is written whole.
            if (version is { IsStored: true })
                ended.Add((peer, version, recorded));
            else if (version is not null)
                rows.Add(Row(node, peer, version, recorded));
            if (after is null)
                current.Remove(peer);
            else
                current[peer] = new Version(after, recorded.Time, recorded.NodeSeq, IsStored: false);
        }
    }

    // Entries hold lists, which a record compares by reference.
    private static bool AreEqual(TEntry? one, TEntry? other) =>
        JsonSerializer.SerializeToUtf8Bytes(one, MeshJson.Options).AsSpan().SequenceEqual(JsonSerializer.SerializeToUtf8Bytes(other, MeshJson.Options));

    private async Task<Dictionary<PeerId, Version>> LoadAsync(
        NpgsqlConnection connection, string table, Guid node, IReadOnlyList<RecordedEvent> page, CancellationToken cancellationToken)
    {
        string select = $"select peer, lower(valid), from_seq, {ColumnNames} from {table} where node_id = $1 and to_seq is null";
        string[] peers = [.. page.Select(recorded => PeerOf(recorded.Data)).OfType<PeerId>().Distinct().Select(peer => peer.ToString())];
        NpgsqlCommand command = page.Any(recorded => SnapshotOf(recorded.Data) is not null)
            ? Sql.Command(connection, select, node)
            : Sql.Command(connection, $"{select} and peer = any($2)", node, peers);
        List<(PeerId Peer, Version Version)> rows = await Sql.QueryAsync(
            command,
            row =>
            {
                PeerId peer = PeerId.Parse(row.GetString(0));
                return (peer, new Version(Read(peer, row, 3), row.GetFieldValue<DateTimeOffset>(1), row.GetInt64(2), IsStored: true));
            },
            cancellationToken).ConfigureAwait(false);
        return rows.ToDictionary(row => row.Peer, row => row.Version);
    }

    private static Task<int> EndAsync(
        NpgsqlConnection connection, string table, Guid node, List<(PeerId Peer, Version Version, RecordedEvent End)> ended, CancellationToken cancellationToken) =>
        Sql.ExecuteAsync(
            connection,
            $"""
            update {table} as t set valid = tstzrange(lower(t.valid), e.at), to_seq = e.seq
            from unnest($2::text[], $3::bigint[], $4::timestamptz[], $5::bigint[]) as e (peer, from_seq, at, seq)
            where t.node_id = $1 and t.peer = e.peer and t.from_seq = e.from_seq
            """,
            cancellationToken,
            node, ended.Select(e => e.Peer.ToString()).ToArray(), ended.Select(e => e.Version.FromSeq).ToArray(),
            ended.Select(e => e.End.Time.ToUniversalTime()).ToArray(), ended.Select(e => e.End.NodeSeq).ToArray());

    private object?[] Row(Guid node, PeerId peer, Version version, RecordedEvent? end)
    {
        var valid = new NpgsqlRange<DateTimeOffset>(
            version.From.ToUniversalTime(), lowerBoundIsInclusive: true, lowerBoundInfinite: false,
            end?.Time.ToUniversalTime() ?? default, upperBoundIsInclusive: false, upperBoundInfinite: end is null);
        return [node, peer.ToString(), version.FromSeq, end?.NodeSeq, valid, .. Write(version.Entry)];
    }

    private sealed record Version(TEntry Entry, DateTimeOffset From, long FromSeq, bool IsStored);
}
