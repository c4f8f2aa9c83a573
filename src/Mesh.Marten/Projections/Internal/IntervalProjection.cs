using EventMesh.Events;
using EventMesh.Identity;
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
        NpgsqlBatch batch = connection.CreateBatch();
        await using (batch.ConfigureAwait(false))
        {
            foreach (RecordedEvent recorded in page)
            {
                if (PeerOf(recorded.Data) is not { } peer)
                    continue;
                current.TryGetValue(peer, out Version? version);
                TEntry? after = Fold(peer, version?.Entry, recorded);
                if (ReferenceEquals(after, version?.Entry))
                    continue;
                if (version is not null)
                    End(batch, table, node, peer, version, recorded);
                if (after is null)
                    current.Remove(peer);
                else
                    current[peer] = new Version(after, recorded.Time, recorded.NodeSeq, IsStored: false);
            }
            foreach ((PeerId peer, Version version) in current)
            {
                if (!version.IsStored)
                    Insert(batch, table, node, peer, version, end: null);
            }
            if (batch.BatchCommands.Count > 0)
                await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<Dictionary<PeerId, Version>> LoadAsync(
        NpgsqlConnection connection, string table, Guid node, IReadOnlyList<RecordedEvent> page, CancellationToken cancellationToken)
    {
        string[] peers = [.. page.Select(recorded => PeerOf(recorded.Data)).OfType<PeerId>().Distinct().Select(peer => peer.ToString())];
        NpgsqlCommand command = Sql.Command(
            connection, $"select peer, lower(valid), from_seq, {ColumnNames} from {table} where node_id = $1 and peer = any($2) and to_seq is null", node, peers);
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

    private void End(NpgsqlBatch batch, string table, Guid node, PeerId peer, Version version, RecordedEvent end)
    {
        if (version.IsStored)
            batch.BatchCommands.Add(Sql.BatchCommand(
                $"update {table} set valid = tstzrange(lower(valid), $4), to_seq = $5 where node_id = $1 and peer = $2 and from_seq = $3",
                node, peer.ToString(), version.FromSeq, end.Time.ToUniversalTime(), end.NodeSeq));
        else
            Insert(batch, table, node, peer, version, end);
    }

    private void Insert(NpgsqlBatch batch, string table, Guid node, PeerId peer, Version version, RecordedEvent? end)
    {
        var valid = new NpgsqlRange<DateTimeOffset>(
            version.From.ToUniversalTime(), lowerBoundIsInclusive: true, lowerBoundInfinite: false,
            end?.Time.ToUniversalTime() ?? default, upperBoundIsInclusive: false, upperBoundInfinite: end is null);
        object?[] values = [node, peer.ToString(), version.FromSeq, end?.NodeSeq, valid, .. Write(version.Entry)];
        string parameters = string.Join(", ", Enumerable.Range(1, values.Length).Select(i => $"${i}"));
        batch.BatchCommands.Add(Sql.BatchCommand(
            $"insert into {table} (node_id, peer, from_seq, to_seq, valid, {ColumnNames}) values ({parameters})", values));
    }

    private sealed record Version(TEntry Entry, DateTimeOffset From, long FromSeq, bool IsStored);
}
