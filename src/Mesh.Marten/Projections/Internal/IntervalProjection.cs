using System.Text.Json;
using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Marten.Store.Internal;
using Npgsql;
using NpgsqlTypes;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>
/// A projection with one entry for each key and a row for each version of it, valid from the event that made it to the event that
/// changed it. What an event does is said by the pure fold; here is only what that means for rows.
/// </summary>
internal abstract class IntervalProjection<TKey, TEntry>(string name, string schema, NpgsqlDataSource? source, LogReader? reader, params Type[] eventTypes)
    : LogProjection(name, schema, source, reader, eventTypes)
    where TKey : notnull
    where TEntry : class
{
    /// <summary>SQL: the columns of an entry with their types.</summary>
    protected abstract IReadOnlyList<(string Name, string Type)> Columns { get; }

    /// <summary>The column with <see cref="KeyText"/>: one of <see cref="Columns"/>, or one beside them that the views don't show.</summary>
    protected virtual string KeyColumn => "entry_key";

    /// <summary>Columns that say how a version ended, all of them texts; null while it has not.</summary>
    protected virtual IReadOnlyList<string> EndColumns => [];

    /// <summary>The columns of a row, as they are written; a type without its constraint.</summary>
    private IReadOnlyList<(string Name, string Type)> RowColumns =>
    [
        ("node_id", "uuid"), .. KeyColumns, ("from_seq", "bigint"), ("to_seq", "bigint"), ("valid", "tstzrange"),
        .. EndColumns.Select(column => (column, "text")), .. Columns.Select(column => (column.Name, column.Type.Split(' ')[0])),
    ];

    /// <summary>The names of <see cref="Columns"/>, as they are selected.</summary>
    protected string ColumnNames => string.Join(", ", Columns.Select(column => column.Name));

    private (string Name, string Type)[] KeyColumns => HasOwnKeyColumn ? [(KeyColumn, "text")] : [];

    private bool HasOwnKeyColumn => Columns.All(column => column.Name != KeyColumn);

    /// <summary>The view of all versions.</summary>
    protected virtual string HistoryView => $"{Name}_history";

    /// <summary>The view of what there is now.</summary>
    protected virtual string PresentView => Name;

    /// <summary>Columns that no query filters by: the statistics of a wide one are dear.</summary>
    protected virtual IReadOnlyList<string> WithoutStatistics => [];

    /// <summary>
    /// Whether the index on intervals has the present versions too. Leaving them out halves what keeping it costs, which is most of what a version costs. The views must
    /// then show <see cref="Versions"/>; few versions are not worth that.
    /// </summary>
    protected virtual bool IndexesPresent => false;

    public override string CreateTable(int generation)
    {
        string table = Table(generation);
        IEnumerable<string> columns =
        [
            .. KeyColumns.Select(column => $"{column.Name} text not null"), .. Columns.Select(column => $"{column.Name} {column.Type}"),
            .. EndColumns.Select(column => $"{column} text"),
        ];
        return
            $"""
            create table {table} (
                node_id uuid not null,
                {string.Join(",\n    ", columns)},
                valid tstzrange not null,
                from_seq bigint not null,
                to_seq bigint);
            create unique index {Name}_{generation}_current on {table} (node_id, {KeyColumn}) where to_seq is null;
            {string.Concat(WithoutStatistics.Select(column => $"alter table {table} alter {column} set statistics 0;\n"))}
            """;
    }

    public override string CreateIndexes(int generation) =>
        $"""
        alter table {Table(generation)} drop constraint if exists {Name}_{generation}_pkey,
            add constraint {Name}_{generation}_pkey primary key (node_id, {KeyColumn}, from_seq);

        """ + CreateIntervalIndex($"{generation}");

    public override string CreateIntervalIndex(string generation) =>
        IntervalIndex.Create(Schema, $"{Name}_{generation}", "lower(valid)", "upper(valid)", IndexesPresent ? null : "to_seq is not null");

    public override string CreateViews(int generation) =>
        $"""
        create or replace view {Schema}.{HistoryView} as
            select node_id, {ColumnNames}, valid, from_seq, to_seq from {Versions(generation)};
        create or replace view {Schema}.{PresentView} as
            select node_id, {ColumnNames}, lower(valid) as since, from_seq from {Table(generation)} where to_seq is null;

        """;

    /// <summary>SQL: the table for a view of all versions, in the two parts that have an index each.</summary>
    protected string Versions(int generation) =>
        $"(select * from {Table(generation)} where to_seq is null union all select * from {Table(generation)} where to_seq is not null) t";

    /// <summary>The keys whose entries an event may change.</summary>
    protected abstract IEnumerable<TKey> KeysOf(IMeshEvent data);

    /// <summary>A key as text, another one for each.</summary>
    protected abstract string KeyText(TKey key);

    /// <summary>The key of an entry.</summary>
    protected abstract TKey KeyOf(TEntry entry);

    /// <summary>The keys of all entries, for the event that opens a month with them; null for any other.</summary>
    protected virtual IReadOnlyList<TKey>? SnapshotOf(IMeshEvent data) => null;

    /// <summary>The entry after an event, by the pure fold: the same object when it does not change, null for none.</summary>
    protected abstract TEntry? Fold(TKey key, TEntry? before, RecordedEvent recorded);

    /// <summary>The values of <see cref="Columns"/>.</summary>
    protected abstract object?[] Write(TEntry entry);

    /// <summary>The values of <see cref="EndColumns"/>.</summary>
    protected virtual string?[] WriteEnd(TEntry entry, RecordedEvent end) => [];

    /// <summary>Reads <see cref="Columns"/>, of which the first is at <paramref name="ordinal"/>.</summary>
    protected abstract TEntry Read(NpgsqlDataReader reader, int ordinal);

    /// <summary>When an entry ends without an event; null for never.</summary>
    protected virtual DateTimeOffset? EndsAt(TEntry entry) => null;

    /// <summary>Whether an entry is over with the event that made it.</summary>
    protected virtual bool IsMomentary(TEntry entry) => false;

    /// <summary>The entries of a node now or as of a time.</summary>
    public async Task<List<TEntry>> QueryAsync(NpgsqlConnection connection, Guid node, DateTimeOffset? at, CancellationToken cancellationToken)
    {
        NpgsqlCommand command = at is { } time
            ? Sql.Command(connection, $"select {ColumnNames} from {Schema}.{HistoryView} where node_id = $1 and {Schema}.holds_at(valid, $2)", node, time.ToUniversalTime())
            : Sql.Command(connection, $"select {ColumnNames} from {Schema}.{PresentView} where node_id = $1", node);
        return await Sql.QueryAsync(command, row => Read(row, 0), cancellationToken).ConfigureAwait(false);
    }

    public override LogFold BeginFold(int generation, Guid node) => new VersionFold(this, Table(generation), node);

    // Entries hold lists, which a record compares by reference.
    private static bool AreEqual(TEntry? one, TEntry? other) =>
        JsonSerializer.SerializeToUtf8Bytes(one, MeshJson.Options).AsSpan().SequenceEqual(JsonSerializer.SerializeToUtf8Bytes(other, MeshJson.Options));

    private async Task<Dictionary<TKey, Version>> LoadAsync(
        NpgsqlConnection connection, string table, Guid node, IReadOnlyList<RecordedEvent>? page, CancellationToken cancellationToken)
    {
        string select = $"select from_seq, {ColumnNames} from {table} where node_id = $1 and to_seq is null";
        NpgsqlCommand command = page?.All(recorded => SnapshotOf(recorded.Data) is null) is true
            ? await Sql.PrepareAsync(
                connection, $"{select} and {KeyColumn} = any($2)", cancellationToken,
                node, page.SelectMany(recorded => KeysOf(recorded.Data)).Distinct().Select(KeyText).ToArray()).ConfigureAwait(false)
            : Sql.Command(connection, select, node);
        List<Version> versions = await Sql.QueryAsync(
            command, row => new Version(Read(row, 1), From: default, row.GetInt64(0), IsStored: true), cancellationToken).ConfigureAwait(false);
        return versions.ToDictionary(version => KeyOf(version.Entry));
    }

    private Task<int> EndAsync(
        NpgsqlConnection connection, string table, Guid node, List<(Version Version, RecordedEvent End)> ended, CancellationToken cancellationToken)
    {
        string?[][] ends = [.. ended.Select(e => WriteEnd(e.Version.Entry, e.End))];
        // What ends by itself has its end in the interval already; an entry that was over before it began has none.
        string text =
            $"""
            update {table} as t set to_seq = e.seq,
                valid = case when isempty(t.valid) then t.valid else tstzrange(lower(t.valid), least(e.at, upper(t.valid))) end
                {string.Concat(EndColumns.Select(column => $", {column} = e.{column}"))}
            from unnest($2::text[], $3::bigint[], $4::timestamptz[], $5::bigint[]{string.Concat(EndColumns.Select((_, i) => $", ${i + 6}::text[]"))})
                as e (key, from_seq, at, seq{string.Concat(EndColumns.Select(column => $", {column}"))})
            where t.node_id = $1 and t.{KeyColumn} = e.key and t.from_seq = e.from_seq and t.to_seq is null
            """;
        return Sql.ExecutePreparedAsync(
            connection, text, cancellationToken,
            [
                node, ended.Select(e => KeyText(KeyOf(e.Version.Entry))).ToArray(), ended.Select(e => e.Version.FromSeq).ToArray(),
                ended.Select(e => e.End.Time.ToUniversalTime()).ToArray(), ended.Select(e => e.End.NodeSeq).ToArray(),
                .. EndColumns.Select((_, i) => (object)ends.Select(end => end[i]).ToArray()),
            ]);
    }

    private object?[] Row(Guid node, Version version, RecordedEvent? end)
    {
        DateTimeOffset from = version.From.ToUniversalTime();
        DateTimeOffset? to = end?.Time.ToUniversalTime();
        if (EndsAt(version.Entry)?.ToUniversalTime() is { } endsAt && (to is null || endsAt < to))
            to = endsAt;
        NpgsqlRange<DateTimeOffset> valid = to <= from
            ? NpgsqlRange<DateTimeOffset>.Empty
            : new(from, lowerBoundIsInclusive: true, lowerBoundInfinite: false, to ?? default, upperBoundIsInclusive: false, upperBoundInfinite: to is null);
        return
        [
            node, .. HasOwnKeyColumn ? [KeyText(KeyOf(version.Entry))] : Array.Empty<object>(), version.FromSeq, end?.NodeSeq, valid,
            .. end is null ? new string?[EndColumns.Count] : WriteEnd(version.Entry, end), .. Write(version.Entry),
        ];
    }

    private sealed record Version(TEntry Entry, DateTimeOffset From, long FromSeq, bool IsStored);

    private sealed class VersionFold(IntervalProjection<TKey, TEntry> projection, string table, Guid node) : LogFold
    {
        private Dictionary<TKey, Version> _current = [];

        public override async Task LoadAsync(NpgsqlConnection connection, IReadOnlyList<RecordedEvent>? page, CancellationToken cancellationToken) =>
            _current = await projection.LoadAsync(connection, table, node, page, cancellationToken).ConfigureAwait(false);

        public override Func<NpgsqlConnection, CancellationToken, Task> Fold(IReadOnlyList<RecordedEvent> page)
        {
            List<(Version Version, RecordedEvent End)> ended = [];
            // Of references only: a list of more than 85,000 bytes is collected with the oldest generation.
            List<(Version Version, RecordedEvent? End)> rows = [];
            foreach (RecordedEvent recorded in page)
            {
                // A snapshot says what is so already, unless the month before it was dropped.
                if (projection.SnapshotOf(recorded.Data) is { } keys)
                {
                    foreach (TKey key in keys.Union(_current.Keys).ToList())
                        Step(key, recorded, isSnapshot: true);
                }
                else
                {
                    foreach (TKey key in projection.KeysOf(recorded.Data))
                        Step(key, recorded, isSnapshot: false);
                }
            }
            foreach ((TKey key, Version version) in _current.Where(entry => !entry.Value.IsStored).ToList())
            {
                rows.Add((version, null));
                _current[key] = version with { IsStored = true };
            }
            return async (connection, cancellationToken) =>
            {
                // First, since only one version of a key may be without an end.
                if (ended.Count > 0)
                    await projection.EndAsync(connection, table, node, ended, cancellationToken).ConfigureAwait(false);
                await Sql.AddAsync(
                    connection, table, projection.RowColumns, rows, row => projection.Row(node, row.Version, row.End), cancellationToken)
                    .ConfigureAwait(false);
            };

            void Step(TKey key, RecordedEvent recorded, bool isSnapshot)
            {
                _current.TryGetValue(key, out Version? version);
                TEntry? after = projection.Fold(key, version?.Entry, recorded);
                if (ReferenceEquals(after, version?.Entry) || (isSnapshot && AreEqual(after, version?.Entry)))
                    return;
                // A version that begins and ends within the page is written whole.
                if (version is { IsStored: true })
                    ended.Add((version, recorded));
                else if (version is not null)
                    rows.Add((version, recorded));
                _current.Remove(key);
                if (after is null)
                    return;
                var next = new Version(after, recorded.Time, recorded.NodeSeq, IsStored: false);
                if (projection.IsMomentary(after))
                    rows.Add((next, recorded));
                else
                    _current.Add(key, next);
            }
        }
    }
}
