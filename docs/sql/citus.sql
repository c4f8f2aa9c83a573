-- Distributes the tables of the log over the workers of a Citus cluster by tenant: each node's log, and what the projections make of it, is on one worker.
-- Run it once on the coordinator, after the schema was made and before nodes start, as the schema's owner; and again after an upgrade of the schema or a rebuild of a
-- projection, which make new tables: what is distributed already is left as it is. The schema's name is a setting:
--
--   PGOPTIONS="-c mesh.schema=mesh" psql -f docs/sql/citus.sql
do $plan$
declare
    s constant text := coalesce(nullif(current_setting('mesh.schema', true), ''), 'mesh');
    -- On the coordinator only: one row or a few for the whole cluster, or unused by EventMesh (Marten's daemon and documents).
    is_local constant text[] := array[
        'schema_version', 'projection_leadership', 'mt_doc_deadletterevent', 'mt_event_progression', 'mt_event_projection_floors', 'mt_high_water_skips'];
    -- On every worker: joined by each look for what is behind.
    is_reference constant text[] := array['projection'];
    t record;
    missing text;
    companion text;
begin
    -- A unique constraint has to contain the column of distribution. These two of Marten's do not; an event's id and number stay unique in its tenant, which is all that
    -- EventMesh asks of them.
    if not exists (select from pg_index where indexrelid = to_regclass(format('%I.pkey_mt_events_seq_id', s)) and indnkeyatts = 2) then
        execute format('alter table %I.mt_events drop constraint pkey_mt_events_seq_id, add constraint pkey_mt_events_seq_id primary key (tenant_id, seq_id)', s);
        execute format('drop index %I.idx_mt_events_event_id', s);
        execute format('create unique index idx_mt_events_event_id on %I.mt_events (tenant_id, id)', s);
    end if;
    for t in
        select c.oid, c.relname, a.attname as key_column, a.atttypid as key_type
        from pg_class c left join lateral (
            select attname, atttypid from pg_attribute
            where attrelid = c.oid and attname in ('tenant_id', 'node_id') and not attisdropped order by attname desc limit 1) a on true
        where c.relnamespace = to_regnamespace(quote_ident(s)) and c.relkind in ('r', 'p') and not c.relispartition
            and not exists (select from pg_dist_partition d where d.logicalrelid = c.oid)
        -- A table that others refer to goes first.
        order by (select count(*) from pg_constraint where contype = 'f' and conrelid = c.oid), c.relname = 'node_log' desc, c.relname
    loop
        if t.relname = any (is_local) then
            continue;
        elsif t.relname = any (is_reference) then
            perform create_reference_table(t.oid::regclass);
            continue;
        elsif t.key_column is null then
            raise exception 'Table %.% has neither tenant_id nor node_id: name it in this script as local or reference.', s, t.relname;
        end if;
        select string_agg(x.indexrelid::regclass::text, ', ') into missing from pg_index x
        where x.indrelid = t.oid and x.indisunique
            and not exists (select from pg_attribute where attrelid = t.oid and attname = t.key_column and attnum = any (x.indkey));
        if missing is not null then
            raise exception 'Table %.% can not be distributed by %: % does not contain it.', s, t.relname, t.key_column, missing;
        end if;
        -- The log's tables are together by text, the projections' by uuid: one transaction of an append is on one worker, that of a page on two at most.
        select format('%I.%I', s, c.relname) into companion
        from pg_dist_partition d join pg_class c on c.oid = d.logicalrelid join pg_attribute a on a.attrelid = c.oid and a.attname = t.key_column
        where c.relnamespace = to_regnamespace(quote_ident(s)) and d.partmethod = 'h' and a.atttypid = t.key_type
        order by c.oid limit 1;
        perform create_distributed_table(t.oid::regclass, t.key_column::text, colocate_with => coalesce(companion, 'none'));
    end loop;
end $plan$;
