using System.Net;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Marten.Store.Internal;
using EventMesh.Projections;
using Npgsql;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>The runs of each node, and what it knew of itself when.</summary>
internal sealed class NodeStatusProjection(string schema, NpgsqlDataSource? source, LogReader? reader)
    : IntervalProjection<Guid, NodeRun>(
        "node_status", schema, source, reader,
        typeof(NodeStarted), typeof(NodeStopped), typeof(IdentityCreated), typeof(IdentityRotated), typeof(ReachabilityChanged), typeof(EndpointObserved))
{
    /// <summary>The name of the view over <see cref="LogProjection.Table"/> that <see cref="MeshTopologyProjection"/> joins.</summary>
    public const string History = "node_status_history";

    protected override IReadOnlyList<(string Name, string Type)> Columns { get; } =
    [
        ("epoch", "integer not null"), ("instance", "uuid not null"), ("identity", "text not null"), ("kind", "text not null"), ("agent", "text not null"),
        ("transport", "text not null"), ("reachability", "text not null"), ("endpoint", "text"), ("started_at", "timestamptz not null"),
        ("stopped_at", "timestamptz"), ("stop_reason", "text"),
    ];

    protected override bool IndexesPresent => true;

    protected override IReadOnlyList<string> EndColumns { get; } = ["ended"];

    public override string CreateIndexes(int generation) => base.CreateIndexes(generation) +
        $"""
        create unique index if not exists {Name}_{generation}_place on {Table(generation)} (node_id, from_seq);
        create index if not exists {Name}_{generation}_identity on {Table(generation)} (identity, from_seq);

        """;

    public override string CreateViews(int generation) =>
        $"""
        create or replace view {Schema}.{HistoryView} as
            select node_id, {ColumnNames}, case when stopped_at is null then 'running' else 'stopped' end as state, valid, from_seq, to_seq
            from {Table(generation)};
        create or replace view {Schema}.{PresentView} as
            select node_id, {ColumnNames}, case when stopped_at is null then 'running' else 'stopped' end as state, lower(valid) as since, from_seq
            from {Table(generation)} where to_seq is null;
        create or replace view {Schema}.node_run as
            select distinct on (node_id, epoch) node_id, epoch, instance, identity, kind, agent, transport, reachability, endpoint, started_at,
                case when stopped_at is not null then 'stopped' when ended = 'crash' then 'crashed' else 'running' end as state,
                coalesce(stopped_at, case when ended = 'crash' then upper(valid) end) as ended_at,
                stop_reason
            from {Table(generation)}
            order by node_id, epoch, from_seq desc;

        """;

    // A node is one entry.
    protected override IEnumerable<Guid> KeysOf(IMeshEvent data) => [Guid.Empty];

    protected override string KeyText(Guid key) => "";

    protected override Guid KeyOf(NodeRun entry) => Guid.Empty;

    protected override NodeRun? Fold(Guid key, NodeRun? before, RecordedEvent recorded) => NodeRun.Apply(before, recorded);

    // The next start is the first that is known of a crash.
    protected override string?[] WriteEnd(NodeRun entry, RecordedEvent end) => [end.Data is NodeStarted && entry.StoppedAt is null ? "crash" : null];

    protected override object?[] Write(NodeRun entry) =>
    [
        entry.Epoch, entry.Instance, entry.Identity.ToString(), Texts.Write(entry.Kind), Texts.Write(entry.Agent), Texts.Write(entry.Transport),
        Texts.Write(entry.Reachability), entry.Endpoint?.ToString(), entry.StartedAt.ToUniversalTime(), entry.StoppedAt?.ToUniversalTime(),
        entry.StopReason is { } reason ? Texts.Write(reason) : null,
    ];

    protected override NodeRun Read(NpgsqlDataReader reader, int ordinal) => new(
        reader.GetInt32(ordinal), reader.GetGuid(ordinal + 1), PeerId.Parse(reader.GetString(ordinal + 2)), Texts.Read<PeerKind>(reader, ordinal + 3),
        reader.GetString(ordinal + 4), reader.GetString(ordinal + 5), Texts.Read<Reachability>(reader, ordinal + 6),
        Texts.ReadOptional(reader, ordinal + 7) is { } endpoint ? IPEndPoint.Parse(endpoint) : null, reader.GetFieldValue<DateTimeOffset>(ordinal + 8),
        reader.IsDBNull(ordinal + 9) ? null : reader.GetFieldValue<DateTimeOffset>(ordinal + 9), Texts.ReadOptional(reader, ordinal + 10));
}
