namespace EventMesh.Marten.Store.Internal;

/// <summary>What the log needs besides Marten's tables.</summary>
internal static class LogSchema
{
    public static string Create(LogTables tables) =>
        $"""
        -- One statement writes a batch and the rows of its streams; checking each event against its stream would double the cost of an append.
        alter table {tables.Events} drop constraint if exists fkey_mt_events_stream_id_tenant_id;
        create unique index if not exists mesh_events_place on {tables.Events} (tenant_id, {LogTables.Place});
        -- The table grows fast when it is new: early statistics for the plans of its readers.
        alter table {tables.Events} set (autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 500);
        create table if not exists {tables.Nodes} (
            tenant_id varchar primary key,
            epoch int not null,
            node_seq bigint not null,
            time timestamptz not null);
        alter table {tables.Nodes} add column if not exists hash bytea, add column if not exists chained_from bigint;
        comment on table {tables.Nodes} is
            'The end of each node''s log: the epoch that may append, the last place, its time and its link of the chain, which begins at chained_from.';

        """;
}
