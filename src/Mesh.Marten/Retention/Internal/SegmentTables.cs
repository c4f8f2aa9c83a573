using System.Globalization;

namespace EventMesh.Marten.Retention.Internal;

/// <summary>The tables of closed months: their list, and the blocks that hold their events.</summary>
/// <remarks>
/// A block has an array for each column of its events, which PostgreSQL compresses (lz4 where the server has it) and any SQL can <c>unnest</c>: a better
/// compressor would be out of reach for views (docs/retention.md has the sizes).
/// </remarks>
internal static class SegmentTables
{
    /// <summary>How many months ahead partitions are made.</summary>
    public const int MonthsAhead = 12;

    public static string Create(string schema) =>
        $"""
        create table if not exists {schema}.log_segment (
            tenant_id varchar not null,
            stream_id varchar not null,
            family text not null,
            month date not null,
            first_seq bigint not null,
            last_seq bigint not null,
            first_time timestamptz not null,
            last_time timestamptz not null,
            count bigint not null,
            head text,
            is_complete bool not null default false,
            dropped_seq bigint,
            primary key (tenant_id, stream_id));
        create index if not exists log_segment_end on {schema}.log_segment (tenant_id, last_seq);
        comment on table {schema}.log_segment is 'The months that have left mt_events: is_complete when all of it has, dropped_seq the place of the event that removed it.';
        create table if not exists {schema}.log_block (
            tenant_id varchar not null,
            stream_id varchar not null,
            family text not null,
            month date not null,
            first_seq bigint not null,
            last_seq bigint not null,
            first_time timestamptz not null,
            last_time timestamptz not null,
            first_version bigint not null,
            count int not null,
            first_hash text,
            head text,
            kinds text[] not null,
            seqs bigint[] not null,
            ids uuid[] not null,
            types text[] not null,
            times timestamptz[] not null,
            data text[] not null,
            headers text[] not null,
            subjects bigint[] not null default array[]::bigint[],
            primary key (month, tenant_id, stream_id, first_seq)) partition by range (month);
        comment on table {schema}.log_block is 'Closed months, 1,000 events a block: an array for each column; subjects has the hashes of the peers that it names. Read the view event_log.';
        create index if not exists log_block_place on {schema}.log_block (tenant_id, family, first_seq);
        create index if not exists log_block_time on {schema}.log_block (tenant_id, last_time);
        create index if not exists log_block_start on {schema}.log_block (tenant_id, family, first_time);
        create index if not exists log_block_subjects on {schema}.log_block using gin (subjects);
        create table if not exists {schema}.log_block_default partition of {schema}.log_block default;
        do $$
        declare
            c text;
            m date := coalesce(
                (select to_date(min(split_part(id, '/', 2)), 'YYYY-MM') from {schema}.mt_streams where id ~ '^(peers|cache)/'), date_trunc('month', now())::date);
        begin
            begin
                foreach c in array array['seqs', 'ids', 'types', 'times', 'data', 'headers'] loop
                    execute format('alter table {schema}.log_block alter column %I set compression lz4', c);
                end loop;
            exception when feature_not_supported then
                -- A server built without lz4 uses its own method.
            end;
            while m <= date_trunc('month', now()) + interval '{MonthsAhead} months' loop
                begin
                    execute format('create table if not exists {schema}.log_block_%s partition of {schema}.log_block for values from (%L) to (%L)',
                        to_char(m, 'YYYY_MM'), m, (m + interval '1 month')::date);
                exception when check_violation then
                    -- The default partition has blocks of that month; it keeps them.
                end;
                m := (m + interval '1 month')::date;
            end loop;
        end $$;
        create or replace view {schema}.event_log as
            select tenant_id, tenant_id::uuid as node_id, ((headers ->> 'seq')::bigint) as node_seq, (headers ->> 'epoch')::int as epoch, id, type,
                stream_id::text as stream, timestamp as time, data, headers ->> 'trace' as trace, headers ->> 'hash' as hash, false as is_archived
            from {schema}.mt_events
            union all
            select b.tenant_id, b.tenant_id::uuid, e.seq, (e.headers::jsonb ->> 'epoch')::int, e.id, e.type, b.stream_id::text, e.time, e.data::jsonb,
                e.headers::jsonb ->> 'trace', e.headers::jsonb ->> 'hash', true
            from {schema}.log_block b
                cross join lateral unnest(b.seqs, b.ids, b.types, b.times, b.data, b.headers) as e (seq, id, type, time, data, headers);

        """;

    /// <summary>Makes the partition of a month.</summary>
    public static string CreatePartition(string schema, DateOnly month) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        create table if not exists {schema}.log_block_{month:yyyy_MM} partition of {schema}.log_block
            for values from ('{month:yyyy-MM-dd}') to ('{month.AddMonths(1):yyyy-MM-dd}')
        """);
}
