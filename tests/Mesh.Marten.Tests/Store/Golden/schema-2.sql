-- What a program with version 2 of the schema made of schema-1.sql, with a third node and each projection rebuilt: pg_dump --schema=mesh --inserts --no-owner, made once and never changed.
CREATE SCHEMA mesh;
CREATE FUNCTION mesh.mt_archive_stream(streamid character varying, tenantid character varying) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
  update mesh.mt_streams set is_archived = TRUE where id = streamid  and tenant_id = tenantid;
  update mesh.mt_events set is_archived = TRUE where stream_id = streamid  and tenant_id = tenantid;
END;
$$;
CREATE FUNCTION mesh.mt_grams_array(words text, use_unaccent boolean DEFAULT false) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE STRICT
    AS $$
        DECLARE
result text[];
        DECLARE
word text;
        DECLARE
clean_word text;
BEGIN
                FOREACH
word IN ARRAY string_to_array(words, ' ')
                LOOP
                     clean_word = regexp_replace(mesh.mt_safe_unaccent(use_unaccent, word), '[^a-zA-Z0-9]+', '','g');
FOR i IN 1 .. length(clean_word)
                     LOOP
                         result := result || quote_literal(substr(lower(clean_word), i, 1));
                         result
:= result || quote_literal(substr(lower(clean_word), i, 2));
                         result
:= result || quote_literal(substr(lower(clean_word), i, 3));
END LOOP;
END LOOP;
RETURN ARRAY(SELECT DISTINCT e FROM unnest(result) AS a(e) ORDER BY e);
END;
$$;
CREATE FUNCTION mesh.mt_grams_query(text, use_unaccent boolean DEFAULT false) RETURNS tsquery
    LANGUAGE plpgsql IMMUTABLE STRICT
    AS $_$
BEGIN
RETURN (SELECT array_to_string(mesh.mt_grams_array($1, use_unaccent), ' & ') ::tsquery);
END
$_$;
CREATE FUNCTION mesh.mt_grams_vector(text, use_unaccent boolean DEFAULT false) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE STRICT
    AS $_$
BEGIN
RETURN (SELECT array_to_string(mesh.mt_grams_array($1, use_unaccent), ' ') ::tsvector);
END
$_$;
CREATE FUNCTION mesh.mt_immutable_date(value text) RETURNS date
    LANGUAGE sql IMMUTABLE
    AS $$
select value::date
$$;
CREATE FUNCTION mesh.mt_immutable_time(value text) RETURNS time without time zone
    LANGUAGE sql IMMUTABLE
    AS $$
select value::time
$$;
CREATE FUNCTION mesh.mt_immutable_timestamp(value text) RETURNS timestamp without time zone
    LANGUAGE sql IMMUTABLE
    AS $$
select value::timestamp
$$;
CREATE FUNCTION mesh.mt_immutable_timestamptz(value text) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE
    AS $$
select value::timestamptz
$$;
CREATE FUNCTION mesh.mt_jsonb_append(jsonb, text[], jsonb, boolean, jsonb DEFAULT NULL::jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    AS $_$
DECLARE
    retval ALIAS FOR $1;
    location ALIAS FOR $2;
    val ALIAS FOR $3;
    if_not_exists ALIAS FOR $4;
    patch_expression ALIAS FOR $5;
    tmp_value jsonb;
BEGIN
    tmp_value = retval #> location;
    IF tmp_value IS NOT NULL AND jsonb_typeof(tmp_value) = 'array' THEN
        CASE
            WHEN NOT if_not_exists THEN
                retval = jsonb_set(retval, location, tmp_value || val, FALSE);
            WHEN patch_expression IS NULL AND jsonb_typeof(val) = 'object' AND NOT tmp_value @> jsonb_build_array(val) THEN
                retval = jsonb_set(retval, location, tmp_value || val, FALSE);
            WHEN patch_expression IS NULL AND jsonb_typeof(val) <> 'object' AND NOT tmp_value @> val THEN
                retval = jsonb_set(retval, location, tmp_value || val, FALSE);
            WHEN patch_expression IS NOT NULL AND jsonb_typeof(patch_expression) = 'array' AND jsonb_array_length(patch_expression) = 0 THEN
                retval = jsonb_set(retval, location, tmp_value || val, FALSE);
            ELSE NULL;
            END CASE;
    END IF;
    RETURN retval;
END;
$_$;
CREATE FUNCTION mesh.mt_jsonb_append_key_value(jsonb, text[], jsonb, boolean) RETURNS jsonb
    LANGUAGE plpgsql
    AS $_$
DECLARE
    retval ALIAS FOR $1;
    location ALIAS FOR $2;
    val ALIAS FOR $3;
    if_not_exists ALIAS FOR $4;
    tmp_value jsonb;
    _key text;
BEGIN
    tmp_value = retval #> location;
    IF tmp_value IS NOT NULL AND jsonb_typeof(tmp_value) = 'object' THEN
        CASE
            WHEN NOT if_not_exists THEN
                retval = jsonb_set(retval, location, tmp_value || val, FALSE);
            WHEN NOT tmp_value ?| ARRAY(SELECT jsonb_object_keys(val)) THEN
                retval = jsonb_set(retval, location, tmp_value || val, FALSE);
            ELSE NULL;
        END CASE;
    END IF;
    RETURN retval;
END;
$_$;
CREATE FUNCTION mesh.mt_jsonb_copy(jsonb, text[], text[]) RETURNS jsonb
    LANGUAGE plpgsql
    AS $_$
DECLARE
    retval ALIAS FOR $1;
    src_path ALIAS FOR $2;
    dst_path ALIAS FOR $3;
    tmp_value jsonb;
BEGIN
    tmp_value = retval #> src_path;
    retval = mesh.mt_jsonb_fix_null_parent(retval, dst_path);
    RETURN jsonb_set(retval, dst_path, tmp_value::jsonb, TRUE);
END;
$_$;
CREATE FUNCTION mesh.mt_jsonb_duplicate(jsonb, text[], jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    AS $_$
DECLARE
    retval ALIAS FOR $1;
    location ALIAS FOR $2;
    targets ALIAS FOR $3;
    tmp_value jsonb;
    target_path text[];
    target text;
BEGIN
    FOR target IN SELECT jsonb_array_elements_text(targets)
    LOOP
        target_path = mesh.mt_jsonb_path_to_array(target, '\.');
        retval = mesh.mt_jsonb_copy(retval, location, target_path);
    END LOOP;
    RETURN retval;
END;
$_$;
CREATE FUNCTION mesh.mt_jsonb_fix_null_parent(jsonb, text[]) RETURNS jsonb
    LANGUAGE plpgsql
    AS $_$
DECLARE
retval ALIAS FOR $1;
    dst_path ALIAS FOR $2;
    dst_path_segment text[] = ARRAY[]::text[];
    dst_path_array_length integer;
    i integer = 1;
BEGIN
    dst_path_array_length = array_length(dst_path, 1);
    WHILE i <=(dst_path_array_length - 1)
    LOOP
        dst_path_segment = dst_path_segment || ARRAY[dst_path[i]];
        IF retval #> dst_path_segment IS NULL OR retval #> dst_path_segment = 'null'::jsonb THEN
            retval = jsonb_set(retval, dst_path_segment, '{}'::jsonb, TRUE);
        END IF;
        i = i + 1;
    END LOOP;
    RETURN retval;
END;
$_$;
CREATE FUNCTION mesh.mt_jsonb_increment(jsonb, text[], numeric) RETURNS jsonb
    LANGUAGE plpgsql
    AS $_$
DECLARE
retval ALIAS FOR $1;
    location ALIAS FOR $2;
    increment_value ALIAS FOR $3;
    tmp_value jsonb;
BEGIN
    tmp_value = retval #> location;
    IF tmp_value IS NULL THEN
        tmp_value = to_jsonb(0);
END IF;
RETURN jsonb_set(retval, location, to_jsonb(tmp_value::numeric + increment_value), TRUE);
END;
$_$;
CREATE FUNCTION mesh.mt_jsonb_insert(jsonb, text[], jsonb, integer, boolean, jsonb DEFAULT NULL::jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    AS $_$
DECLARE
    retval ALIAS FOR $1;
    location ALIAS FOR $2;
    val ALIAS FOR $3;
    elm_index ALIAS FOR $4;
    if_not_exists ALIAS FOR $5;
    patch_expression ALIAS FOR $6;
    tmp_value jsonb;
BEGIN
    tmp_value = retval #> location;
    IF tmp_value IS NOT NULL AND jsonb_typeof(tmp_value) = 'array' THEN
        IF elm_index IS NULL THEN
            elm_index = jsonb_array_length(tmp_value) + 1;
        END IF;
        CASE
            WHEN NOT if_not_exists THEN
                retval = jsonb_insert(retval, location || elm_index::text, val);
            WHEN patch_expression IS NULL AND jsonb_typeof(val) = 'object' AND NOT tmp_value @> jsonb_build_array(val) THEN
                retval = jsonb_insert(retval, location || elm_index::text, val);
            WHEN patch_expression IS NULL AND jsonb_typeof(val) <> 'object' AND NOT tmp_value @> val THEN
                retval = jsonb_insert(retval, location || elm_index::text, val);
            WHEN patch_expression IS NOT NULL AND jsonb_typeof(patch_expression) = 'array' AND jsonb_array_length(patch_expression) = 0 THEN
                retval = jsonb_insert(retval, location || elm_index::text, val);
            ELSE NULL;
        END CASE;
    END IF;
    RETURN retval;
END;
$_$;
CREATE FUNCTION mesh.mt_jsonb_move(jsonb, text[], text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $_$
DECLARE
    retval ALIAS FOR $1;
    src_path ALIAS FOR $2;
    dst_name ALIAS FOR $3;
    dst_path text[];
    tmp_value jsonb;
BEGIN
    tmp_value = retval #> src_path;
    retval = retval #- src_path;
    dst_path = src_path;
    dst_path[array_length(dst_path, 1)] = dst_name;
    retval = mesh.mt_jsonb_fix_null_parent(retval, dst_path);
    RETURN jsonb_set(retval, dst_path, tmp_value, TRUE);
END;
$_$;
CREATE FUNCTION mesh.mt_jsonb_patch(jsonb, jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    AS $_$
DECLARE
    retval ALIAS FOR $1;
    patchset ALIAS FOR $2;
    patch jsonb;
    patch_path text[];
    patch_expression jsonb;
    value jsonb;
BEGIN
    FOR patch IN SELECT * from jsonb_array_elements(patchset)
    LOOP
        patch_path = mesh.mt_jsonb_path_to_array((patch->>'path')::text, '\.');
        patch_expression = null;
        IF (patch->>'type') IN ('remove', 'append_if_not_exists', 'insert_if_not_exists') AND (patch->>'expression') IS NOT NULL THEN
            patch_expression = jsonb_path_query_array(retval #> patch_path, (patch->>'expression')::jsonpath);
        END IF;
        CASE patch->>'type'
            WHEN 'set' THEN
                retval = jsonb_set(retval, patch_path, (patch->'value')::jsonb, TRUE);
            WHEN 'delete' THEN
                retval = retval#-patch_path;
            WHEN 'append' THEN
                retval = mesh.mt_jsonb_append(retval, patch_path, (patch->'value')::jsonb, FALSE);
            WHEN 'append_if_not_exists' THEN
                retval = mesh.mt_jsonb_append(retval, patch_path, (patch->'value')::jsonb, TRUE, patch_expression);
            WHEN 'append_key_value' THEN
                retval = mesh.mt_jsonb_append_key_value(retval, patch_path, (patch->'key_value')::jsonb, FALSE);
            WHEN 'append_key_value_if_not_exists' THEN
                retval = mesh.mt_jsonb_append_key_value(retval, patch_path, (patch->'key_value')::jsonb, TRUE);
            WHEN 'insert' THEN
                retval = mesh.mt_jsonb_insert(retval, patch_path, (patch->'value')::jsonb, (patch->>'index')::integer, FALSE);
            WHEN 'insert_if_not_exists' THEN
                retval = mesh.mt_jsonb_insert(retval, patch_path, (patch->'value')::jsonb, (patch->>'index')::integer, TRUE, patch_expression);
            WHEN 'remove' THEN
                retval = mesh.mt_jsonb_remove(retval, patch_path, COALESCE(patch_expression, (patch->'value')::jsonb));
            WHEN 'remove_key' THEN
                retval = mesh.mt_jsonb_remove_key(retval, patch_path, (patch->>'key'));
            WHEN 'duplicate' THEN
                retval = mesh.mt_jsonb_duplicate(retval, patch_path, (patch->'targets')::jsonb);
            WHEN 'rename' THEN
                retval = mesh.mt_jsonb_move(retval, patch_path, (patch->>'to')::text);
            WHEN 'increment' THEN
                retval = mesh.mt_jsonb_increment(retval, patch_path, (patch->>'increment')::numeric);
            WHEN 'increment_float' THEN
                retval = mesh.mt_jsonb_increment(retval, patch_path, (patch->>'increment')::numeric);
            ELSE NULL;
        END CASE;
    END LOOP;
    RETURN retval;
END;
$_$;
CREATE FUNCTION mesh.mt_jsonb_path_to_array(text, character) RETURNS text[]
    LANGUAGE plpgsql
    AS $_$
DECLARE
    location ALIAS FOR $1;
    regex_pattern ALIAS FOR $2;
BEGIN
RETURN regexp_split_to_array(location, regex_pattern)::text[];
END;
$_$;
CREATE FUNCTION mesh.mt_jsonb_remove(jsonb, text[], jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    AS $_$
DECLARE
    retval ALIAS FOR $1;
    location ALIAS FOR $2;
    val ALIAS FOR $3;
    tmp_value jsonb;
    tmp_remove jsonb;
    patch_remove jsonb;
BEGIN
    tmp_value = retval #> location;
    IF tmp_value IS NOT NULL AND jsonb_typeof(tmp_value) = 'array' THEN
        IF jsonb_typeof(val) = 'array' THEN
            tmp_remove = val;
        ELSE
            tmp_remove = jsonb_build_array(val);
        END IF;
        FOR patch_remove IN SELECT * FROM jsonb_array_elements(tmp_remove)
        LOOP
            tmp_value =(SELECT jsonb_agg(elem)
            FROM jsonb_array_elements(tmp_value) AS elem
            WHERE elem <> patch_remove);
        END LOOP;
        IF tmp_value IS NULL THEN
            tmp_value = '[]'::jsonb;
        END IF;
    END IF;
    RETURN jsonb_set(retval, location, tmp_value, FALSE);
END;
$_$;
CREATE FUNCTION mesh.mt_jsonb_remove_key(jsonb, text[], text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $_$
DECLARE
    retval ALIAS FOR $1;
    location ALIAS FOR $2;
    _key ALIAS FOR $3;
    tmp_value jsonb;
    tmp_remove jsonb;
    patch_remove jsonb;
BEGIN
    tmp_value = retval #> location;
    IF tmp_value IS NOT NULL AND jsonb_typeof(tmp_value) = 'object' THEN
        RETURN jsonb_set(retval, location, tmp_value - _key, FALSE);
    END IF;
    RETURN retval;
END;
$_$;
CREATE FUNCTION mesh.mt_mark_event_progression(name character varying, last_encountered bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
INSERT INTO mesh.mt_event_progression (name, last_seq_id, last_updated)
VALUES (name, last_encountered, transaction_timestamp())
ON CONFLICT ON CONSTRAINT pk_mt_event_progression
    DO
UPDATE SET last_seq_id = last_encountered, last_updated = transaction_timestamp();
END;
$$;
CREATE FUNCTION mesh.mt_mark_progression_with_skip(shard_name character varying, ending_sequence bigint, starting_sequence bigint) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    current_value bigint;
BEGIN
    select last_seq_id into current_value from mesh.mt_event_progression where name = shard_name;
    IF current_value is null then
        -- Bootstrap the high-water row on first invocation. Previously this branch
        -- returned 0, which left HighWaterAgent.CheckNowAsync polling forever because
        -- statistics.CurrentMark never advanced. Issue #4425.
        INSERT INTO mesh.mt_event_progression (name, last_seq_id, last_updated)
        VALUES (shard_name, ending_sequence, transaction_timestamp())
        ON CONFLICT ON CONSTRAINT pk_mt_event_progression
            DO UPDATE SET last_seq_id = ending_sequence, last_updated = transaction_timestamp();
        IF ending_sequence > starting_sequence THEN
            -- Idempotent: a rebuild/replay re-marks the same skip (ending_sequence is the
            -- PK). Re-recording an existing gap is a no-op. Conflict target is the PK
            -- constraint (the bare column name collides with the function parameter). #4530.
            insert into mesh.mt_high_water_skips (ending_sequence, starting_sequence) values (ending_sequence, starting_sequence)
                on conflict on constraint pkey_mt_high_water_skips_ending_sequence do nothing;
        END IF;
        return ending_sequence;
    ELSIF current_value = starting_sequence THEN
        update mesh.mt_event_progression SET last_seq_id = ending_sequence, last_updated = transaction_timestamp() where shard_name = name;
        insert into mesh.mt_high_water_skips (ending_sequence, starting_sequence) values (ending_sequence, starting_sequence)
            on conflict on constraint pkey_mt_high_water_skips_ending_sequence do nothing;
        return ending_sequence;
    ELSE
        return current_value;
    END IF;
END
$$;
CREATE FUNCTION mesh.mt_quick_append_events(stream character varying, stream_type character varying, tenantid character varying, event_ids uuid[], event_types character varying[], dotnet_types character varying[], bodies jsonb[], bdatas bytea[], headers jsonb[], timestamps timestamp with time zone[], expected_version bigint DEFAULT NULL::bigint) RETURNS bigint[]
    LANGUAGE plpgsql
    AS $$
DECLARE
	event_version bigint;
	stream_is_archived boolean;
	event_type varchar;
	event_id uuid;
	body jsonb;
	index int;
	seq bigint;
    actual_tenant varchar;
    is_new_stream boolean := false;
	return_value bigint[];
BEGIN
    if expected_version IS NOT NULL then
        -- COALESCE turns the NULL we get for a brand-new stream into 0, so a
        -- FetchForWriting against a non-existent stream (which sets
        -- ExpectedVersionOnServer = 0) and a StartStream(id, version: 0) both
        -- land on the new-stream branch instead of mis-firing the guard.
        select version, is_archived into event_version, stream_is_archived from mesh.mt_streams where id = stream AND tenant_id = tenantid;
        if COALESCE(event_version, 0) != expected_version then
            RAISE EXCEPTION 'Stream version mismatch on ''%'': expected %, actual %', stream, expected_version, COALESCE(event_version, 0) USING ERRCODE = 'MT003';
        end if;
    else
        select version, is_archived into event_version, stream_is_archived from mesh.mt_streams where id = stream AND tenant_id = tenantid;
    end if;
	if event_version IS NULL then
		event_version = 0;
		is_new_stream := true;
		-- #5456 follow-up: insert the FINAL version straight away rather than 0 plus a
		-- trailing UPDATE of the row we just wrote in this same transaction. That UPDATE
		-- is a second heap tuple + WAL record per stream creation for no observable gain
		-- -- nothing outside this transaction can see the intermediate 0. The trailing
		-- UPDATE below is skipped for this branch via is_new_stream.
		insert into mesh.mt_streams (id, type, version, timestamp, tenant_id) values (stream, stream_type, COALESCE(array_length(event_ids, 1), 0), now(), tenantid);
    else
        if stream_is_archived then
            RAISE EXCEPTION 'Attempted to append event to archived stream with Id ''%''.', stream USING ERRCODE = 'MT001';
        end if;
        if tenantid IS NOT NULL then
            select tenant_id into actual_tenant from mesh.mt_streams where id = stream AND tenant_id = tenantid;
            if actual_tenant != tenantid then
                RAISE EXCEPTION 'The tenantid does not match the existing stream';
            end if;
        end if;
	end if;
	index := 1;
	-- #5062: array_length('{}', 1) is NULL in PostgreSQL, not 0, so a call with an
	-- empty event array used to return ARRAY[NULL] -- a bigint[] whose only element
	-- is NULL, which Npgsql cannot read into long[] ('Cannot read a non-nullable
	-- collection of elements because the returned array contains nulls'). COALESCE
	-- makes the empty case mean what it says: zero events appended, so the final
	-- version is the stream's current version.
	return_value := ARRAY[event_version + COALESCE(array_length(event_ids, 1), 0)];
	foreach event_id in ARRAY event_ids
	loop
        seq := nextval('mesh.mt_events_sequence');
		return_value := array_append(return_value, seq);
	    event_version := event_version + 1;
		event_type = event_types[index];
		body = bodies[index];
		-- #4515 / #4578 / Phase 2: bdatas[index] carries the binary payload
		-- for events opted in to binary serialization (NULL otherwise).
		-- bodies[index] is the {} JSON placeholder for those events so the
		-- existing data jsonb NOT NULL constraint stays intact.
		insert into mesh.mt_events
			(seq_id, id, stream_id, version, data, bdata, type, tenant_id, timestamp, mt_dotnet_type, is_archived, headers)
		values
			(seq, event_id, stream, event_version, body, bdatas[index], event_type, tenantid, timestamps[index], dotnet_types[index], FALSE, headers[index]);
		index := index + 1;
	end loop;
	-- A brand-new stream already carries its final version from the insert above, so the
	-- UPDATE is only needed when we appended onto a stream that already existed.
	--
	-- #5539: and only when we actually appended something. With ZERO events this was a BLIND write-back
	-- of the version read at the top of the function, and under READ COMMITTED that is a lost update: the
	-- UPDATE waits on a concurrent appender's row lock, the winner commits, the WHERE clause is
	-- re-evaluated against the new row, and `set version = <the stale value>` lands -- leaving
	-- mt_streams.version BELOW the stream's own events. Every later append then computes a version that
	-- already exists and dies on pk_mt_events_stream_and_version, forever, until the row is repaired by
	-- hand. A non-empty call cannot do this: its first INSERT collides with the winner on that same
	-- primary key and rolls the whole thing back, which is why only the empty case was exposed.
	--
	-- Two independent guards, because either alone would have been enough and the cost of both is nil:
	--   * the append count -- appending nothing has nothing to write, so the correct number of statements
	--     is zero rather than one that happens to be harmless;
	--   * greatest(), so the write-back can never LOWER a stream's version whoever calls it. An append
	--     only ever moves a version forward, so this is a no-op on every correct path and a backstop on
	--     any future caller that reads the version and then writes it back.
	if not is_new_stream and COALESCE(array_length(event_ids, 1), 0) > 0 then
		update mesh.mt_streams set version = greatest(version, event_version), timestamp = now() where id = stream AND tenant_id = tenantid;
	end if;
	return return_value;
END
$$;
CREATE FUNCTION mesh.mt_safe_unaccent(use_unaccent boolean, word text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT
    AS $$
BEGIN
IF use_unaccent THEN
    RETURN public.unaccent(word);
ELSE
    RETURN word;
END IF;
END;
$$;
CREATE FUNCTION mesh.refuse_imported() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'The log of node % was imported for analysis: no node may append to it.', old.tenant_id using errcode = 'EM001';
end $$;
CREATE TABLE mesh.bootstrap_cache_2 (
    node_id uuid NOT NULL,
    peer text NOT NULL,
    endpoints text[] NOT NULL,
    certificate bytea NOT NULL,
    origin text NOT NULL,
    added_at timestamp with time zone NOT NULL,
    last_connected_at timestamp with time zone NOT NULL,
    is_confirmed boolean NOT NULL,
    failures integer NOT NULL,
    last_failed_at timestamp with time zone,
    valid tstzrange NOT NULL,
    from_seq bigint NOT NULL,
    to_seq bigint
);
ALTER TABLE ONLY mesh.bootstrap_cache_2 ALTER COLUMN endpoints SET STATISTICS 0;
ALTER TABLE ONLY mesh.bootstrap_cache_2 ALTER COLUMN certificate SET STATISTICS 0;
ALTER TABLE ONLY mesh.bootstrap_cache_2 ALTER COLUMN valid SET STORAGE PLAIN;
CREATE VIEW mesh.bootstrap_cache AS
 SELECT bootstrap_cache_2.node_id,
    bootstrap_cache_2.peer,
    bootstrap_cache_2.endpoints,
    bootstrap_cache_2.certificate,
    bootstrap_cache_2.origin,
    bootstrap_cache_2.added_at,
    bootstrap_cache_2.last_connected_at,
    bootstrap_cache_2.is_confirmed,
    bootstrap_cache_2.failures,
    bootstrap_cache_2.last_failed_at,
    lower(bootstrap_cache_2.valid) AS since,
    bootstrap_cache_2.from_seq
   FROM mesh.bootstrap_cache_2
  WHERE (bootstrap_cache_2.to_seq IS NULL);
CREATE VIEW mesh.bootstrap_cache_history AS
 SELECT t.node_id,
    t.peer,
    t.endpoints,
    t.certificate,
    t.origin,
    t.added_at,
    t.last_connected_at,
    t.is_confirmed,
    t.failures,
    t.last_failed_at,
    t.valid,
    t.from_seq,
    t.to_seq
   FROM ( SELECT bootstrap_cache_2.node_id,
            bootstrap_cache_2.peer,
            bootstrap_cache_2.endpoints,
            bootstrap_cache_2.certificate,
            bootstrap_cache_2.origin,
            bootstrap_cache_2.added_at,
            bootstrap_cache_2.last_connected_at,
            bootstrap_cache_2.is_confirmed,
            bootstrap_cache_2.failures,
            bootstrap_cache_2.last_failed_at,
            bootstrap_cache_2.valid,
            bootstrap_cache_2.from_seq,
            bootstrap_cache_2.to_seq
           FROM mesh.bootstrap_cache_2
          WHERE (bootstrap_cache_2.to_seq IS NULL)
        UNION ALL
         SELECT bootstrap_cache_2.node_id,
            bootstrap_cache_2.peer,
            bootstrap_cache_2.endpoints,
            bootstrap_cache_2.certificate,
            bootstrap_cache_2.origin,
            bootstrap_cache_2.added_at,
            bootstrap_cache_2.last_connected_at,
            bootstrap_cache_2.is_confirmed,
            bootstrap_cache_2.failures,
            bootstrap_cache_2.last_failed_at,
            bootstrap_cache_2.valid,
            bootstrap_cache_2.from_seq,
            bootstrap_cache_2.to_seq
           FROM mesh.bootstrap_cache_2
          WHERE (bootstrap_cache_2.to_seq IS NOT NULL)) t;
CREATE TABLE mesh.connection_history_2 (
    node_id uuid NOT NULL,
    connection uuid NOT NULL,
    peer text NOT NULL,
    remote text NOT NULL,
    direction text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    reason text,
    bytes_sent bigint,
    bytes_received bigint,
    messages_sent bigint,
    messages_received bigint,
    opened_seq bigint NOT NULL,
    closed_seq bigint
);
CREATE VIEW mesh.connection_history AS
 SELECT connection_history_2.node_id,
    connection_history_2.connection,
    connection_history_2.peer,
    connection_history_2.remote,
    connection_history_2.direction,
    connection_history_2.opened_at,
    connection_history_2.closed_at,
    connection_history_2.reason,
    connection_history_2.bytes_sent,
    connection_history_2.bytes_received,
    connection_history_2.messages_sent,
    connection_history_2.messages_received,
    connection_history_2.opened_seq,
    connection_history_2.closed_seq
   FROM mesh.connection_history_2;
CREATE TABLE mesh.log_block (
    tenant_id character varying NOT NULL,
    stream_id character varying NOT NULL,
    family text NOT NULL,
    month date NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    first_time timestamp with time zone NOT NULL,
    last_time timestamp with time zone NOT NULL,
    first_version bigint NOT NULL,
    count integer NOT NULL,
    first_hash text,
    head text,
    kinds text[] NOT NULL,
    seqs bigint[] NOT NULL,
    ids uuid[] NOT NULL,
    types text[] NOT NULL,
    times timestamp with time zone[] NOT NULL,
    data text[] NOT NULL,
    headers text[] NOT NULL,
    subjects bigint[] DEFAULT ARRAY[]::bigint[] NOT NULL
)
PARTITION BY RANGE (month);
ALTER TABLE ONLY mesh.log_block ALTER COLUMN seqs SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block ALTER COLUMN ids SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block ALTER COLUMN types SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block ALTER COLUMN times SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block ALTER COLUMN data SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block ALTER COLUMN headers SET COMPRESSION lz4;
COMMENT ON TABLE mesh.log_block IS 'Closed months, 1,000 events a block: an array for each column; subjects has the hashes of the peers that it names. Read the view event_log.';
CREATE TABLE mesh.mt_events (
    seq_id bigint NOT NULL,
    id uuid NOT NULL,
    stream_id character varying,
    version bigint NOT NULL,
    data jsonb NOT NULL,
    bdata bytea,
    type character varying(500) NOT NULL,
    "timestamp" timestamp with time zone DEFAULT '2026-11-23 01:07:18.263982+00'::timestamp with time zone NOT NULL,
    tenant_id character varying DEFAULT '*DEFAULT*'::character varying,
    mt_dotnet_type character varying,
    headers jsonb,
    is_archived boolean DEFAULT false
)
WITH (autovacuum_analyze_scale_factor='0.02', autovacuum_analyze_threshold='500');
CREATE VIEW mesh.event_log AS
 SELECT mt_events.tenant_id,
    (mt_events.tenant_id)::uuid AS node_id,
    ((mt_events.headers ->> 'seq'::text))::bigint AS node_seq,
    ((mt_events.headers ->> 'epoch'::text))::integer AS epoch,
    mt_events.id,
    mt_events.type,
    (mt_events.stream_id)::text AS stream,
    mt_events."timestamp" AS "time",
    mt_events.data,
    (mt_events.headers ->> 'trace'::text) AS trace,
    (mt_events.headers ->> 'hash'::text) AS hash,
    false AS is_archived
   FROM mesh.mt_events
UNION ALL
 SELECT b.tenant_id,
    (b.tenant_id)::uuid AS node_id,
    e.seq AS node_seq,
    (((e.headers)::jsonb ->> 'epoch'::text))::integer AS epoch,
    e.id,
    e.type,
    (b.stream_id)::text AS stream,
    e."time",
    (e.data)::jsonb AS data,
    ((e.headers)::jsonb ->> 'trace'::text) AS trace,
    ((e.headers)::jsonb ->> 'hash'::text) AS hash,
    true AS is_archived
   FROM (mesh.log_block b
     CROSS JOIN LATERAL UNNEST(b.seqs, b.ids, b.types, b.times, b.data, b.headers) e(seq, id, type, "time", data, headers));
CREATE TABLE mesh.node_log (
    tenant_id character varying NOT NULL,
    epoch integer NOT NULL,
    node_seq bigint NOT NULL,
    "time" timestamp with time zone NOT NULL,
    hash bytea,
    chained_from bigint,
    imported text,
    CONSTRAINT node_log_imported_check CHECK ((imported = ANY (ARRAY['under way'::text, 'done'::text])))
)
WITH (fillfactor='50');
COMMENT ON TABLE mesh.node_log IS 'The end of each node''s log: the epoch that may append, the last place, its time and its link of the chain, which begins at chained_from.';
COMMENT ON COLUMN mesh.node_log.imported IS 'Null for the log of a node that writes here; else how far its import is.';
CREATE TABLE mesh.node_status_2 (
    node_id uuid NOT NULL,
    entry_key text NOT NULL,
    epoch integer NOT NULL,
    instance uuid NOT NULL,
    identity text NOT NULL,
    kind text NOT NULL,
    agent text NOT NULL,
    transport text NOT NULL,
    reachability text NOT NULL,
    endpoint text,
    started_at timestamp with time zone NOT NULL,
    stopped_at timestamp with time zone,
    stop_reason text,
    ended text,
    valid tstzrange NOT NULL,
    from_seq bigint NOT NULL,
    to_seq bigint
);
ALTER TABLE ONLY mesh.node_status_2 ALTER COLUMN valid SET STORAGE PLAIN;
CREATE VIEW mesh.node_status AS
 SELECT node_status_2.node_id,
    node_status_2.epoch,
    node_status_2.instance,
    node_status_2.identity,
    node_status_2.kind,
    node_status_2.agent,
    node_status_2.transport,
    node_status_2.reachability,
    node_status_2.endpoint,
    node_status_2.started_at,
    node_status_2.stopped_at,
    node_status_2.stop_reason,
        CASE
            WHEN (node_status_2.stopped_at IS NULL) THEN 'running'::text
            ELSE 'stopped'::text
        END AS state,
    lower(node_status_2.valid) AS since,
    node_status_2.from_seq
   FROM mesh.node_status_2
  WHERE (node_status_2.to_seq IS NULL);
CREATE TABLE mesh.projection (
    name text NOT NULL,
    generation integer NOT NULL,
    made_by integer DEFAULT 1 NOT NULL,
    building integer,
    building_by integer,
    building_build uuid
);
COMMENT ON TABLE mesh.projection IS 'Which generation of its tables each projection''s views show.';
CREATE TABLE mesh.projection_position (
    name text NOT NULL,
    generation integer NOT NULL,
    tenant_id character varying NOT NULL,
    node_seq bigint NOT NULL,
    paused_reason text,
    paused_at timestamp with time zone
)
WITH (fillfactor='50');
COMMENT ON TABLE mesh.projection_position IS 'Up to which place of each node''s log a projection has folded.';
CREATE VIEW mesh.fleet AS
 SELECT (n.tenant_id)::uuid AS node_id,
    s.identity,
    s.agent,
    COALESCE(s.state, 'unknown'::text) AS state,
    s.reachability,
    s.endpoint,
    n.epoch,
    n.node_seq,
    n."time" AS last_at,
    (n.node_seq - COALESCE(( SELECT min(COALESCE(at.node_seq, (0)::bigint)) AS min
           FROM (mesh.projection p
             LEFT JOIN mesh.projection_position at ON (((at.name = p.name) AND (at.generation = p.generation) AND ((at.tenant_id)::text = (n.tenant_id)::text))))), (0)::bigint)) AS lag
   FROM (mesh.node_log n
     LEFT JOIN mesh.node_status s ON ((s.node_id = (n.tenant_id)::uuid)));
CREATE TABLE mesh.log_block_2026_11 (
    tenant_id character varying NOT NULL,
    stream_id character varying NOT NULL,
    family text NOT NULL,
    month date NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    first_time timestamp with time zone NOT NULL,
    last_time timestamp with time zone NOT NULL,
    first_version bigint NOT NULL,
    count integer NOT NULL,
    first_hash text,
    head text,
    kinds text[] NOT NULL,
    seqs bigint[] NOT NULL,
    ids uuid[] NOT NULL,
    types text[] NOT NULL,
    times timestamp with time zone[] NOT NULL,
    data text[] NOT NULL,
    headers text[] NOT NULL,
    subjects bigint[] DEFAULT ARRAY[]::bigint[] NOT NULL
);
ALTER TABLE ONLY mesh.log_block_2026_11 ALTER COLUMN seqs SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2026_11 ALTER COLUMN ids SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2026_11 ALTER COLUMN types SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2026_11 ALTER COLUMN times SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2026_11 ALTER COLUMN data SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2026_11 ALTER COLUMN headers SET COMPRESSION lz4;
CREATE TABLE mesh.log_block_2026_12 (
    tenant_id character varying NOT NULL,
    stream_id character varying NOT NULL,
    family text NOT NULL,
    month date NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    first_time timestamp with time zone NOT NULL,
    last_time timestamp with time zone NOT NULL,
    first_version bigint NOT NULL,
    count integer NOT NULL,
    first_hash text,
    head text,
    kinds text[] NOT NULL,
    seqs bigint[] NOT NULL,
    ids uuid[] NOT NULL,
    types text[] NOT NULL,
    times timestamp with time zone[] NOT NULL,
    data text[] NOT NULL,
    headers text[] NOT NULL,
    subjects bigint[] DEFAULT ARRAY[]::bigint[] NOT NULL
);
ALTER TABLE ONLY mesh.log_block_2026_12 ALTER COLUMN seqs SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2026_12 ALTER COLUMN ids SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2026_12 ALTER COLUMN types SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2026_12 ALTER COLUMN times SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2026_12 ALTER COLUMN data SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2026_12 ALTER COLUMN headers SET COMPRESSION lz4;
CREATE TABLE mesh.log_block_2027_01 (
    tenant_id character varying NOT NULL,
    stream_id character varying NOT NULL,
    family text NOT NULL,
    month date NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    first_time timestamp with time zone NOT NULL,
    last_time timestamp with time zone NOT NULL,
    first_version bigint NOT NULL,
    count integer NOT NULL,
    first_hash text,
    head text,
    kinds text[] NOT NULL,
    seqs bigint[] NOT NULL,
    ids uuid[] NOT NULL,
    types text[] NOT NULL,
    times timestamp with time zone[] NOT NULL,
    data text[] NOT NULL,
    headers text[] NOT NULL,
    subjects bigint[] DEFAULT ARRAY[]::bigint[] NOT NULL
);
ALTER TABLE ONLY mesh.log_block_2027_01 ALTER COLUMN seqs SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_01 ALTER COLUMN ids SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_01 ALTER COLUMN types SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_01 ALTER COLUMN times SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_01 ALTER COLUMN data SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_01 ALTER COLUMN headers SET COMPRESSION lz4;
CREATE TABLE mesh.log_block_2027_02 (
    tenant_id character varying NOT NULL,
    stream_id character varying NOT NULL,
    family text NOT NULL,
    month date NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    first_time timestamp with time zone NOT NULL,
    last_time timestamp with time zone NOT NULL,
    first_version bigint NOT NULL,
    count integer NOT NULL,
    first_hash text,
    head text,
    kinds text[] NOT NULL,
    seqs bigint[] NOT NULL,
    ids uuid[] NOT NULL,
    types text[] NOT NULL,
    times timestamp with time zone[] NOT NULL,
    data text[] NOT NULL,
    headers text[] NOT NULL,
    subjects bigint[] DEFAULT ARRAY[]::bigint[] NOT NULL
);
ALTER TABLE ONLY mesh.log_block_2027_02 ALTER COLUMN seqs SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_02 ALTER COLUMN ids SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_02 ALTER COLUMN types SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_02 ALTER COLUMN times SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_02 ALTER COLUMN data SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_02 ALTER COLUMN headers SET COMPRESSION lz4;
CREATE TABLE mesh.log_block_2027_03 (
    tenant_id character varying NOT NULL,
    stream_id character varying NOT NULL,
    family text NOT NULL,
    month date NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    first_time timestamp with time zone NOT NULL,
    last_time timestamp with time zone NOT NULL,
    first_version bigint NOT NULL,
    count integer NOT NULL,
    first_hash text,
    head text,
    kinds text[] NOT NULL,
    seqs bigint[] NOT NULL,
    ids uuid[] NOT NULL,
    types text[] NOT NULL,
    times timestamp with time zone[] NOT NULL,
    data text[] NOT NULL,
    headers text[] NOT NULL,
    subjects bigint[] DEFAULT ARRAY[]::bigint[] NOT NULL
);
ALTER TABLE ONLY mesh.log_block_2027_03 ALTER COLUMN seqs SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_03 ALTER COLUMN ids SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_03 ALTER COLUMN types SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_03 ALTER COLUMN times SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_03 ALTER COLUMN data SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_03 ALTER COLUMN headers SET COMPRESSION lz4;
CREATE TABLE mesh.log_block_2027_04 (
    tenant_id character varying NOT NULL,
    stream_id character varying NOT NULL,
    family text NOT NULL,
    month date NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    first_time timestamp with time zone NOT NULL,
    last_time timestamp with time zone NOT NULL,
    first_version bigint NOT NULL,
    count integer NOT NULL,
    first_hash text,
    head text,
    kinds text[] NOT NULL,
    seqs bigint[] NOT NULL,
    ids uuid[] NOT NULL,
    types text[] NOT NULL,
    times timestamp with time zone[] NOT NULL,
    data text[] NOT NULL,
    headers text[] NOT NULL,
    subjects bigint[] DEFAULT ARRAY[]::bigint[] NOT NULL
);
ALTER TABLE ONLY mesh.log_block_2027_04 ALTER COLUMN seqs SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_04 ALTER COLUMN ids SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_04 ALTER COLUMN types SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_04 ALTER COLUMN times SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_04 ALTER COLUMN data SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_04 ALTER COLUMN headers SET COMPRESSION lz4;
CREATE TABLE mesh.log_block_2027_05 (
    tenant_id character varying NOT NULL,
    stream_id character varying NOT NULL,
    family text NOT NULL,
    month date NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    first_time timestamp with time zone NOT NULL,
    last_time timestamp with time zone NOT NULL,
    first_version bigint NOT NULL,
    count integer NOT NULL,
    first_hash text,
    head text,
    kinds text[] NOT NULL,
    seqs bigint[] NOT NULL,
    ids uuid[] NOT NULL,
    types text[] NOT NULL,
    times timestamp with time zone[] NOT NULL,
    data text[] NOT NULL,
    headers text[] NOT NULL,
    subjects bigint[] DEFAULT ARRAY[]::bigint[] NOT NULL
);
ALTER TABLE ONLY mesh.log_block_2027_05 ALTER COLUMN seqs SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_05 ALTER COLUMN ids SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_05 ALTER COLUMN types SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_05 ALTER COLUMN times SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_05 ALTER COLUMN data SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_05 ALTER COLUMN headers SET COMPRESSION lz4;
CREATE TABLE mesh.log_block_2027_06 (
    tenant_id character varying NOT NULL,
    stream_id character varying NOT NULL,
    family text NOT NULL,
    month date NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    first_time timestamp with time zone NOT NULL,
    last_time timestamp with time zone NOT NULL,
    first_version bigint NOT NULL,
    count integer NOT NULL,
    first_hash text,
    head text,
    kinds text[] NOT NULL,
    seqs bigint[] NOT NULL,
    ids uuid[] NOT NULL,
    types text[] NOT NULL,
    times timestamp with time zone[] NOT NULL,
    data text[] NOT NULL,
    headers text[] NOT NULL,
    subjects bigint[] DEFAULT ARRAY[]::bigint[] NOT NULL
);
ALTER TABLE ONLY mesh.log_block_2027_06 ALTER COLUMN seqs SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_06 ALTER COLUMN ids SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_06 ALTER COLUMN types SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_06 ALTER COLUMN times SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_06 ALTER COLUMN data SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_06 ALTER COLUMN headers SET COMPRESSION lz4;
CREATE TABLE mesh.log_block_2027_07 (
    tenant_id character varying NOT NULL,
    stream_id character varying NOT NULL,
    family text NOT NULL,
    month date NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    first_time timestamp with time zone NOT NULL,
    last_time timestamp with time zone NOT NULL,
    first_version bigint NOT NULL,
    count integer NOT NULL,
    first_hash text,
    head text,
    kinds text[] NOT NULL,
    seqs bigint[] NOT NULL,
    ids uuid[] NOT NULL,
    types text[] NOT NULL,
    times timestamp with time zone[] NOT NULL,
    data text[] NOT NULL,
    headers text[] NOT NULL,
    subjects bigint[] DEFAULT ARRAY[]::bigint[] NOT NULL
);
ALTER TABLE ONLY mesh.log_block_2027_07 ALTER COLUMN seqs SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_07 ALTER COLUMN ids SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_07 ALTER COLUMN types SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_07 ALTER COLUMN times SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_07 ALTER COLUMN data SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_07 ALTER COLUMN headers SET COMPRESSION lz4;
CREATE TABLE mesh.log_block_2027_08 (
    tenant_id character varying NOT NULL,
    stream_id character varying NOT NULL,
    family text NOT NULL,
    month date NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    first_time timestamp with time zone NOT NULL,
    last_time timestamp with time zone NOT NULL,
    first_version bigint NOT NULL,
    count integer NOT NULL,
    first_hash text,
    head text,
    kinds text[] NOT NULL,
    seqs bigint[] NOT NULL,
    ids uuid[] NOT NULL,
    types text[] NOT NULL,
    times timestamp with time zone[] NOT NULL,
    data text[] NOT NULL,
    headers text[] NOT NULL,
    subjects bigint[] DEFAULT ARRAY[]::bigint[] NOT NULL
);
ALTER TABLE ONLY mesh.log_block_2027_08 ALTER COLUMN seqs SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_08 ALTER COLUMN ids SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_08 ALTER COLUMN types SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_08 ALTER COLUMN times SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_08 ALTER COLUMN data SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_08 ALTER COLUMN headers SET COMPRESSION lz4;
CREATE TABLE mesh.log_block_2027_09 (
    tenant_id character varying NOT NULL,
    stream_id character varying NOT NULL,
    family text NOT NULL,
    month date NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    first_time timestamp with time zone NOT NULL,
    last_time timestamp with time zone NOT NULL,
    first_version bigint NOT NULL,
    count integer NOT NULL,
    first_hash text,
    head text,
    kinds text[] NOT NULL,
    seqs bigint[] NOT NULL,
    ids uuid[] NOT NULL,
    types text[] NOT NULL,
    times timestamp with time zone[] NOT NULL,
    data text[] NOT NULL,
    headers text[] NOT NULL,
    subjects bigint[] DEFAULT ARRAY[]::bigint[] NOT NULL
);
ALTER TABLE ONLY mesh.log_block_2027_09 ALTER COLUMN seqs SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_09 ALTER COLUMN ids SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_09 ALTER COLUMN types SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_09 ALTER COLUMN times SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_09 ALTER COLUMN data SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_09 ALTER COLUMN headers SET COMPRESSION lz4;
CREATE TABLE mesh.log_block_2027_10 (
    tenant_id character varying NOT NULL,
    stream_id character varying NOT NULL,
    family text NOT NULL,
    month date NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    first_time timestamp with time zone NOT NULL,
    last_time timestamp with time zone NOT NULL,
    first_version bigint NOT NULL,
    count integer NOT NULL,
    first_hash text,
    head text,
    kinds text[] NOT NULL,
    seqs bigint[] NOT NULL,
    ids uuid[] NOT NULL,
    types text[] NOT NULL,
    times timestamp with time zone[] NOT NULL,
    data text[] NOT NULL,
    headers text[] NOT NULL,
    subjects bigint[] DEFAULT ARRAY[]::bigint[] NOT NULL
);
ALTER TABLE ONLY mesh.log_block_2027_10 ALTER COLUMN seqs SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_10 ALTER COLUMN ids SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_10 ALTER COLUMN types SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_10 ALTER COLUMN times SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_10 ALTER COLUMN data SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_10 ALTER COLUMN headers SET COMPRESSION lz4;
CREATE TABLE mesh.log_block_2027_11 (
    tenant_id character varying NOT NULL,
    stream_id character varying NOT NULL,
    family text NOT NULL,
    month date NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    first_time timestamp with time zone NOT NULL,
    last_time timestamp with time zone NOT NULL,
    first_version bigint NOT NULL,
    count integer NOT NULL,
    first_hash text,
    head text,
    kinds text[] NOT NULL,
    seqs bigint[] NOT NULL,
    ids uuid[] NOT NULL,
    types text[] NOT NULL,
    times timestamp with time zone[] NOT NULL,
    data text[] NOT NULL,
    headers text[] NOT NULL,
    subjects bigint[] DEFAULT ARRAY[]::bigint[] NOT NULL
);
ALTER TABLE ONLY mesh.log_block_2027_11 ALTER COLUMN seqs SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_11 ALTER COLUMN ids SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_11 ALTER COLUMN types SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_11 ALTER COLUMN times SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_11 ALTER COLUMN data SET COMPRESSION lz4;
ALTER TABLE ONLY mesh.log_block_2027_11 ALTER COLUMN headers SET COMPRESSION lz4;
CREATE TABLE mesh.log_block_default (
    tenant_id character varying NOT NULL,
    stream_id character varying NOT NULL,
    family text NOT NULL,
    month date NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    first_time timestamp with time zone NOT NULL,
    last_time timestamp with time zone NOT NULL,
    first_version bigint NOT NULL,
    count integer NOT NULL,
    first_hash text,
    head text,
    kinds text[] NOT NULL,
    seqs bigint[] NOT NULL,
    ids uuid[] NOT NULL,
    types text[] NOT NULL,
    times timestamp with time zone[] NOT NULL,
    data text[] NOT NULL,
    headers text[] NOT NULL,
    subjects bigint[] DEFAULT ARRAY[]::bigint[] NOT NULL
);
CREATE TABLE mesh.log_segment (
    tenant_id character varying NOT NULL,
    stream_id character varying NOT NULL,
    family text NOT NULL,
    month date NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    first_time timestamp with time zone NOT NULL,
    last_time timestamp with time zone NOT NULL,
    count bigint NOT NULL,
    head text,
    is_complete boolean DEFAULT false NOT NULL,
    dropped_seq bigint
);
COMMENT ON TABLE mesh.log_segment IS 'The months that have left mt_events: is_complete when all of it has, dropped_seq the place of the event that removed it.';
CREATE TABLE mesh.mesh_topology_2 (
    node_id uuid NOT NULL,
    peer text NOT NULL,
    kind text NOT NULL,
    joined_at timestamp with time zone NOT NULL,
    valid tstzrange NOT NULL,
    from_seq bigint NOT NULL,
    to_seq bigint
);
ALTER TABLE ONLY mesh.mesh_topology_2 ALTER COLUMN valid SET STORAGE PLAIN;
CREATE VIEW mesh.node_status_history AS
 SELECT node_status_2.node_id,
    node_status_2.epoch,
    node_status_2.instance,
    node_status_2.identity,
    node_status_2.kind,
    node_status_2.agent,
    node_status_2.transport,
    node_status_2.reachability,
    node_status_2.endpoint,
    node_status_2.started_at,
    node_status_2.stopped_at,
    node_status_2.stop_reason,
        CASE
            WHEN (node_status_2.stopped_at IS NULL) THEN 'running'::text
            ELSE 'stopped'::text
        END AS state,
    node_status_2.valid,
    node_status_2.from_seq,
    node_status_2.to_seq
   FROM mesh.node_status_2;
CREATE VIEW mesh.mesh_topology_history AS
 SELECT t.node_id,
    self.identity AS node,
    t.peer,
    other.node_id AS peer_node_id,
    t.kind,
    t.joined_at,
    t.valid,
    t.from_seq,
    t.to_seq
   FROM ((( SELECT mesh_topology_2.node_id,
            mesh_topology_2.peer,
            mesh_topology_2.kind,
            mesh_topology_2.joined_at,
            mesh_topology_2.valid,
            mesh_topology_2.from_seq,
            mesh_topology_2.to_seq
           FROM mesh.mesh_topology_2
          WHERE (mesh_topology_2.to_seq IS NULL)
        UNION ALL
         SELECT mesh_topology_2.node_id,
            mesh_topology_2.peer,
            mesh_topology_2.kind,
            mesh_topology_2.joined_at,
            mesh_topology_2.valid,
            mesh_topology_2.from_seq,
            mesh_topology_2.to_seq
           FROM mesh.mesh_topology_2
          WHERE (mesh_topology_2.to_seq IS NOT NULL)) t
     LEFT JOIN LATERAL ( SELECT s.identity
           FROM mesh.node_status_history s
          WHERE ((s.node_id = t.node_id) AND (s.from_seq < t.from_seq))
          ORDER BY s.from_seq DESC
         LIMIT 1) self ON (true))
     LEFT JOIN LATERAL ( SELECT s.node_id
           FROM mesh.node_status_history s
          WHERE (s.identity = t.peer)
          ORDER BY s.from_seq DESC
         LIMIT 1) other ON (true));
CREATE VIEW mesh.mesh_topology AS
 SELECT mesh_topology_history.node_id,
    mesh_topology_history.node,
    mesh_topology_history.peer,
    mesh_topology_history.peer_node_id,
    mesh_topology_history.kind,
    mesh_topology_history.joined_at,
    lower(mesh_topology_history.valid) AS since,
    mesh_topology_history.from_seq
   FROM mesh.mesh_topology_history
  WHERE (mesh_topology_history.to_seq IS NULL);
CREATE TABLE mesh.mt_doc_deadletterevent (
    id uuid NOT NULL,
    data jsonb NOT NULL,
    mt_last_modified timestamp with time zone DEFAULT transaction_timestamp(),
    mt_version uuid DEFAULT (md5(((random())::text || (clock_timestamp())::text)))::uuid NOT NULL,
    mt_dotnet_type character varying
);
CREATE TABLE mesh.mt_event_progression (
    name character varying NOT NULL,
    last_seq_id bigint,
    last_updated timestamp with time zone DEFAULT transaction_timestamp(),
    mode character varying DEFAULT 'none'::character varying,
    rebuild_threshold integer DEFAULT 0,
    assigned_node integer DEFAULT 0,
    heartbeat timestamp with time zone,
    agent_status character varying(20),
    pause_reason text,
    running_on_node integer,
    warning_behind_threshold bigint,
    critical_behind_threshold bigint,
    failure_category character varying(50),
    failure_event_sequence bigint,
    failure_event_type character varying(500),
    failure_event_tenant_id character varying(500)
);
CREATE TABLE mesh.mt_event_projection_floors (
    name character varying NOT NULL,
    tenant_id character varying NOT NULL,
    floor bigint NOT NULL,
    last_updated timestamp with time zone DEFAULT transaction_timestamp()
);
CREATE SEQUENCE mesh.mt_events_sequence
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE mesh.mt_events_sequence OWNED BY mesh.mt_events.seq_id;
CREATE TABLE mesh.mt_high_water_skips (
    ending_sequence bigint NOT NULL,
    starting_sequence bigint NOT NULL,
    "timestamp" timestamp with time zone DEFAULT transaction_timestamp()
);
CREATE TABLE mesh.mt_streams (
    tenant_id character varying DEFAULT '*DEFAULT*'::character varying NOT NULL,
    id character varying NOT NULL,
    type character varying,
    version bigint,
    "timestamp" timestamp with time zone DEFAULT now() NOT NULL,
    created timestamp with time zone DEFAULT now() NOT NULL,
    compacted_version bigint DEFAULT 0 NOT NULL,
    is_archived boolean DEFAULT false
);
CREATE VIEW mesh.node_run AS
 SELECT DISTINCT ON (node_status_2.node_id, node_status_2.epoch) node_status_2.node_id,
    node_status_2.epoch,
    node_status_2.instance,
    node_status_2.identity,
    node_status_2.kind,
    node_status_2.agent,
    node_status_2.transport,
    node_status_2.reachability,
    node_status_2.endpoint,
    node_status_2.started_at,
        CASE
            WHEN (node_status_2.stopped_at IS NOT NULL) THEN 'stopped'::text
            WHEN (node_status_2.ended = 'crash'::text) THEN 'crashed'::text
            ELSE 'running'::text
        END AS state,
    COALESCE(node_status_2.stopped_at,
        CASE
            WHEN (node_status_2.ended = 'crash'::text) THEN upper(node_status_2.valid)
            ELSE NULL::timestamp with time zone
        END) AS ended_at,
    node_status_2.stop_reason
   FROM mesh.node_status_2
  ORDER BY node_status_2.node_id, node_status_2.epoch, node_status_2.from_seq DESC;
CREATE TABLE mesh.peer_directory_2 (
    node_id uuid NOT NULL,
    peer text NOT NULL,
    instance uuid NOT NULL,
    kind text NOT NULL,
    endpoints text[] NOT NULL,
    agent text NOT NULL,
    joined_at timestamp with time zone NOT NULL,
    valid tstzrange NOT NULL,
    from_seq bigint NOT NULL,
    to_seq bigint
);
ALTER TABLE ONLY mesh.peer_directory_2 ALTER COLUMN endpoints SET STATISTICS 0;
ALTER TABLE ONLY mesh.peer_directory_2 ALTER COLUMN valid SET STORAGE PLAIN;
CREATE VIEW mesh.peer_directory AS
 SELECT peer_directory_2.node_id,
    peer_directory_2.peer,
    peer_directory_2.instance,
    peer_directory_2.kind,
    peer_directory_2.endpoints,
    peer_directory_2.agent,
    peer_directory_2.joined_at,
    lower(peer_directory_2.valid) AS since,
    peer_directory_2.from_seq
   FROM mesh.peer_directory_2
  WHERE (peer_directory_2.to_seq IS NULL);
CREATE VIEW mesh.peer_directory_history AS
 SELECT t.node_id,
    t.peer,
    t.instance,
    t.kind,
    t.endpoints,
    t.agent,
    t.joined_at,
    t.valid,
    t.from_seq,
    t.to_seq
   FROM ( SELECT peer_directory_2.node_id,
            peer_directory_2.peer,
            peer_directory_2.instance,
            peer_directory_2.kind,
            peer_directory_2.endpoints,
            peer_directory_2.agent,
            peer_directory_2.joined_at,
            peer_directory_2.valid,
            peer_directory_2.from_seq,
            peer_directory_2.to_seq
           FROM mesh.peer_directory_2
          WHERE (peer_directory_2.to_seq IS NULL)
        UNION ALL
         SELECT peer_directory_2.node_id,
            peer_directory_2.peer,
            peer_directory_2.instance,
            peer_directory_2.kind,
            peer_directory_2.endpoints,
            peer_directory_2.agent,
            peer_directory_2.joined_at,
            peer_directory_2.valid,
            peer_directory_2.from_seq,
            peer_directory_2.to_seq
           FROM mesh.peer_directory_2
          WHERE (peer_directory_2.to_seq IS NOT NULL)) t;
CREATE TABLE mesh.projection_leadership (
    single boolean DEFAULT true NOT NULL,
    term bigint NOT NULL,
    node_id uuid NOT NULL,
    host text NOT NULL,
    process_id integer NOT NULL,
    backend integer NOT NULL,
    since timestamp with time zone NOT NULL,
    CONSTRAINT projection_leadership_single_check CHECK (single)
);
COMMENT ON TABLE mesh.projection_leadership IS 'The last process that began to let the projections follow; each begins a term.';
CREATE VIEW mesh.projection_leader AS
 SELECT projection_leadership.term,
    projection_leadership.node_id,
    projection_leadership.host,
    projection_leadership.process_id,
    projection_leadership.backend,
    projection_leadership.since,
    (EXISTS ( SELECT
           FROM pg_locks
          WHERE ((pg_locks.locktype = 'advisory'::text) AND pg_locks.granted AND (pg_locks.mode = 'ExclusiveLock'::text) AND (pg_locks.objsubid = 1) AND (pg_locks.pid = projection_leadership.backend) AND (pg_locks.database = ( SELECT pg_database.oid
                   FROM pg_database
                  WHERE (pg_database.datname = current_database()))) AND ((((pg_locks.classid)::bigint << 32) | (pg_locks.objid)::bigint) = hashtextextended('mesh.projections'::text, (0)::bigint))))) AS is_leading
   FROM mesh.projection_leadership;
CREATE TABLE mesh.schema_version (
    version integer NOT NULL,
    single boolean DEFAULT true NOT NULL,
    CONSTRAINT schema_version_single_check CHECK (single)
);
CREATE TABLE mesh.trust_ledger_2 (
    node_id uuid NOT NULL,
    entry_key text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    peer text,
    reason text,
    decided_by text,
    decided_at timestamp with time zone NOT NULL,
    until timestamp with time zone,
    ended text,
    ended_by text,
    valid tstzrange NOT NULL,
    from_seq bigint NOT NULL,
    to_seq bigint
);
ALTER TABLE ONLY mesh.trust_ledger_2 ALTER COLUMN valid SET STORAGE PLAIN;
CREATE VIEW mesh.trust_in_force AS
 SELECT trust_ledger_2.node_id,
    trust_ledger_2.kind,
    trust_ledger_2.subject,
    trust_ledger_2.peer,
    trust_ledger_2.reason,
    trust_ledger_2.decided_by,
    trust_ledger_2.decided_at,
    trust_ledger_2.until,
    trust_ledger_2.from_seq
   FROM mesh.trust_ledger_2
  WHERE ((trust_ledger_2.to_seq IS NULL) AND ((trust_ledger_2.until IS NULL) OR (trust_ledger_2.until > now())));
CREATE VIEW mesh.trust_ledger AS
 SELECT trust_ledger_2.node_id,
    trust_ledger_2.kind,
    trust_ledger_2.subject,
    trust_ledger_2.peer,
    trust_ledger_2.reason,
    trust_ledger_2.decided_by,
    trust_ledger_2.decided_at,
    trust_ledger_2.until,
    trust_ledger_2.valid,
    trust_ledger_2.from_seq,
        CASE
            WHEN (trust_ledger_2.ended IS NOT NULL) THEN COALESCE(upper(trust_ledger_2.valid), trust_ledger_2.decided_at)
            WHEN (trust_ledger_2.until <= now()) THEN GREATEST(trust_ledger_2.until, trust_ledger_2.decided_at)
            ELSE NULL::timestamp with time zone
        END AS ended_at,
    COALESCE(trust_ledger_2.ended,
        CASE
            WHEN (trust_ledger_2.until <= now()) THEN 'expiry'::text
            ELSE NULL::text
        END) AS ended,
    trust_ledger_2.ended_by,
        CASE
            WHEN (trust_ledger_2.ended <> 'expiry'::text) THEN trust_ledger_2.to_seq
            ELSE NULL::bigint
        END AS ended_seq
   FROM mesh.trust_ledger_2;
ALTER TABLE ONLY mesh.log_block ATTACH PARTITION mesh.log_block_2026_11 FOR VALUES FROM ('2026-11-01') TO ('2026-12-01');
ALTER TABLE ONLY mesh.log_block ATTACH PARTITION mesh.log_block_2026_12 FOR VALUES FROM ('2026-12-01') TO ('2027-01-01');
ALTER TABLE ONLY mesh.log_block ATTACH PARTITION mesh.log_block_2027_01 FOR VALUES FROM ('2027-01-01') TO ('2027-02-01');
ALTER TABLE ONLY mesh.log_block ATTACH PARTITION mesh.log_block_2027_02 FOR VALUES FROM ('2027-02-01') TO ('2027-03-01');
ALTER TABLE ONLY mesh.log_block ATTACH PARTITION mesh.log_block_2027_03 FOR VALUES FROM ('2027-03-01') TO ('2027-04-01');
ALTER TABLE ONLY mesh.log_block ATTACH PARTITION mesh.log_block_2027_04 FOR VALUES FROM ('2027-04-01') TO ('2027-05-01');
ALTER TABLE ONLY mesh.log_block ATTACH PARTITION mesh.log_block_2027_05 FOR VALUES FROM ('2027-05-01') TO ('2027-06-01');
ALTER TABLE ONLY mesh.log_block ATTACH PARTITION mesh.log_block_2027_06 FOR VALUES FROM ('2027-06-01') TO ('2027-07-01');
ALTER TABLE ONLY mesh.log_block ATTACH PARTITION mesh.log_block_2027_07 FOR VALUES FROM ('2027-07-01') TO ('2027-08-01');
ALTER TABLE ONLY mesh.log_block ATTACH PARTITION mesh.log_block_2027_08 FOR VALUES FROM ('2027-08-01') TO ('2027-09-01');
ALTER TABLE ONLY mesh.log_block ATTACH PARTITION mesh.log_block_2027_09 FOR VALUES FROM ('2027-09-01') TO ('2027-10-01');
ALTER TABLE ONLY mesh.log_block ATTACH PARTITION mesh.log_block_2027_10 FOR VALUES FROM ('2027-10-01') TO ('2027-11-01');
ALTER TABLE ONLY mesh.log_block ATTACH PARTITION mesh.log_block_2027_11 FOR VALUES FROM ('2027-11-01') TO ('2027-12-01');
ALTER TABLE ONLY mesh.log_block ATTACH PARTITION mesh.log_block_default DEFAULT;
INSERT INTO mesh.bootstrap_cache_2 VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka', '{127.0.0.1:45992}', '\x308201b230820159a00302010202084659d1eac14976ef300a06082a8648ce3d040302303f313d303b060355040313343369676965367935613378686f643766356e716f69756768637464717179636a6437323467777670336162717565746676706b61301e170d3236313132323031303731395a170d3331313132323031303731395a303f313d303b060355040313343369676965367935613378686f643766356e716f69756768637464717179636a6437323467777670336162717565746676706b613059301306072a8648ce3d020106082a8648ce3d03010703420004135153701d8258c2ee77b75c3277025bbf6af3697cbeb6a162da8f6cc8e5b59940ab00c94768f6f26f9bf77ab536a7714bfe81be8926acc0c840f81d37df12b8a33f303d300c0603551d130101ff04023000300e0603551d0f0101ff040403020780301d0603551d250416301406082b0601050507030106082b06010505070302300a06082a8648ce3d0403020347003044022042d7b56e9fa0d0b86b665aaf452421fd4bd5f371edf74797b8f30e252aec517a02202c886cc4306b8f1a772cfbd643fe4f6d4352592cdad03d9dd42a52207b1a5e01', 'inbound', '2026-11-23 01:07:20.908086+00', '2026-11-23 01:07:20.908086+00', false, 0, NULL, '["2026-11-23 01:07:20.908086+00","2026-11-23 01:07:25.434013+00")', 8, 12);
INSERT INTO mesh.bootstrap_cache_2 VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka', '{127.0.0.1:45992}', '\x308201b230820159a00302010202084659d1eac14976ef300a06082a8648ce3d040302303f313d303b060355040313343369676965367935613378686f643766356e716f69756768637464717179636a6437323467777670336162717565746676706b61301e170d3236313132323031303731395a170d3331313132323031303731395a303f313d303b060355040313343369676965367935613378686f643766356e716f69756768637464717179636a6437323467777670336162717565746676706b613059301306072a8648ce3d020106082a8648ce3d03010703420004135153701d8258c2ee77b75c3277025bbf6af3697cbeb6a162da8f6cc8e5b59940ab00c94768f6f26f9bf77ab536a7714bfe81be8926acc0c840f81d37df12b8a33f303d300c0603551d130101ff04023000300e0603551d0f0101ff040403020780301d0603551d250416301406082b0601050507030106082b06010505070302300a06082a8648ce3d0403020347003044022042d7b56e9fa0d0b86b665aaf452421fd4bd5f371edf74797b8f30e252aec517a02202c886cc4306b8f1a772cfbd643fe4f6d4352592cdad03d9dd42a52207b1a5e01', 'inbound', '2026-11-23 01:07:20.908086+00', '2026-11-23 01:07:20.908086+00', false, 1, '2026-11-23 01:07:25.434013+00', '["2026-11-23 01:07:25.434013+00",)', 12, NULL);
INSERT INTO mesh.connection_history_2 VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '01a205f1-77b6-7a74-b02f-b1aae79f4611', '3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka', '127.0.0.1:45992', 'inbound', '2026-11-23 01:07:20.810343+00', '2026-11-23 01:07:25.323965+00', 'peerShutdown', 0, 0, 0, 0, 4, 9);
INSERT INTO mesh.connection_history_2 VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '01a205f1-788c-78c5-9d2d-64eeffeb35ec', '3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka', '127.0.0.1:45992', 'outbound', '2026-11-23 01:07:20.870619+00', '2026-11-23 01:07:25.325346+00', 'peerShutdown', 0, 0, 0, 0, 5, 10);
INSERT INTO mesh.connection_history_2 VALUES ('f3912daf-2b72-45be-b41c-d0d033c78b94', '01a205f1-77bd-7eb1-9a28-3d17dbd660cd', 'hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa', '127.0.0.1:45991', 'outbound', '2026-11-23 01:07:20.809438+00', '2026-11-23 01:07:25.309904+00', 'shutdown', 0, 0, 0, 0, 5, 11);
INSERT INTO mesh.connection_history_2 VALUES ('f3912daf-2b72-45be-b41c-d0d033c78b94', '01a205f1-7899-7436-9a9a-03f4db26ffb9', 'hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa', '127.0.0.1:38283', 'inbound', '2026-11-23 01:07:20.879755+00', '2026-11-23 01:07:25.315908+00', 'shutdown', 0, 0, 0, 0, 6, 12);
INSERT INTO mesh.mesh_topology_2 VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka', 'node', '2026-11-23 01:07:20.885117+00', '["2026-11-23 01:07:20.885117+00","2026-11-23 01:07:25.325909+00")', 7, 11);
INSERT INTO mesh.mesh_topology_2 VALUES ('f3912daf-2b72-45be-b41c-d0d033c78b94', 'hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa', 'node', '2026-11-23 01:07:20.882684+00', '["2026-11-23 01:07:20.882684+00","2026-11-23 01:07:25.317302+00")', 8, 13);
INSERT INTO mesh.mt_events VALUES (1, '01a205f1-6f19-7f4e-ba92-92ab8867b82c', 'node', 1, '{"kind": "node", "node": "f1f03039-3c6e-4d15-8c5e-765dd3c91b78", "peer": "hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa", "agent": "EventMesh/0.1.0", "instance": "a854ae47-f126-4248-949f-0e636e6e2163", "transport": "ngtcp2"}', NULL, 'node.started.v1', '2026-11-23 01:07:18.425221+00', 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '', '{"seq": 1, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (2, '01a205f1-6fd9-7a65-a512-9baca19be1a7', 'node', 2, '{"peer": "hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa", "algorithm": "ecdsa-p256"}', NULL, 'node.identity-created.v1', '2026-11-23 01:07:18.617812+00', 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '', '{"seq": 2, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (3, '01a205f1-7590-7c89-8b86-7dcb78cb4b0e', 'node', 1, '{"kind": "node", "node": "f3912daf-2b72-45be-b41c-d0d033c78b94", "peer": "3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka", "agent": "EventMesh/0.1.0", "instance": "ff40eac4-d126-47fe-8ae3-01dc75a286e3", "transport": "ngtcp2"}', NULL, 'node.started.v1', '2026-11-23 01:07:20.08087+00', 'f3912daf-2b72-45be-b41c-d0d033c78b94', '', '{"seq": 1, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (4, '01a205f1-76a1-73a1-b3b4-c1240a6e00b7', 'node', 2, '{"peer": "3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka", "algorithm": "ecdsa-p256"}', NULL, 'node.identity-created.v1', '2026-11-23 01:07:20.353222+00', 'f3912daf-2b72-45be-b41c-d0d033c78b94', '', '{"seq": 2, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (5, '01a205f1-7868-7c95-b485-45e4c8456e0c', 'trust', 1, '{"mode": "encrypted", "peer": "3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka", "subject": "CN=3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka", "notAfter": "2031-11-22T01:07:19+00:00"}', NULL, 'trust.certificate-accepted.v1', '2026-11-23 01:07:20.808508+00', 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '', '{"seq": 3, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (6, '01a205f1-786a-7fbf-bb09-b2f36b28a706', 'peers/2026-11', 1, '{"peer": "3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka", "remote": "127.0.0.1:45992", "direction": "inbound", "connection": "01a205f1-77b6-7a74-b02f-b1aae79f4611"}', NULL, 'connection.opened.v1', '2026-11-23 01:07:20.810343+00', 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '', '{"seq": 4, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (7, '01a205f1-7866-7d83-8fe9-cb09fa859e99', 'trust', 1, '{"mode": "encrypted", "peer": "hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa", "subject": "CN=hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa", "notAfter": "2031-11-22T01:07:17+00:00"}', NULL, 'trust.certificate-accepted.v1', '2026-11-23 01:07:20.806457+00', 'f3912daf-2b72-45be-b41c-d0d033c78b94', '', '{"seq": 3, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (8, '01a205f1-7869-7198-b926-6317765f2716', 'peers/2026-11', 1, '{"peer": "hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa", "source": "contact", "endpoint": "127.0.0.1:45991"}', NULL, 'peer.discovered.v1', '2026-11-23 01:07:20.809296+00', 'f3912daf-2b72-45be-b41c-d0d033c78b94', '', '{"seq": 4, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (9, '01a205f1-7869-7eb5-b912-6ce9035966b1', 'peers/2026-11', 2, '{"peer": "hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa", "remote": "127.0.0.1:45991", "direction": "outbound", "connection": "01a205f1-77bd-7eb1-9a28-3d17dbd660cd"}', NULL, 'connection.opened.v1', '2026-11-23 01:07:20.809438+00', 'f3912daf-2b72-45be-b41c-d0d033c78b94', '', '{"seq": 5, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (10, '01a205f1-78af-7363-8179-500dcc84e8db', 'peers/2026-11', 3, '{"peer": "hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa", "remote": "127.0.0.1:38283", "direction": "inbound", "connection": "01a205f1-7899-7436-9a9a-03f4db26ffb9"}', NULL, 'connection.opened.v1', '2026-11-23 01:07:20.879755+00', 'f3912daf-2b72-45be-b41c-d0d033c78b94', '', '{"seq": 6, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (11, '01a205f1-78b2-7235-bd7b-cfc4da26bacc', 'peers/2026-11', 4, '{"kind": "node", "peer": "hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa", "agent": "EventMesh/0.1.0", "instance": "a854ae47-f126-4248-949f-0e636e6e2163", "endpoints": ["127.0.0.1:45991"]}', NULL, 'peer.joined.v1', '2026-11-23 01:07:20.882684+00', 'f3912daf-2b72-45be-b41c-d0d033c78b94', '', '{"seq": 8, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (12, '01a205f1-78b1-7064-8e3a-c60b7551b6d3', 'node', 3, '{"reachability": "reachable"}', NULL, 'node.reachability-changed.v1', '2026-11-23 01:07:20.881098+00', 'f3912daf-2b72-45be-b41c-d0d033c78b94', '', '{"seq": 7, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (13, '01a205f1-78c4-76d1-a8f5-975b0e7af7d1', 'trust', 2, '{"by": "first-use", "peer": "hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa", "origin": "firstUse", "contact": "127.0.0.1:45991"}', NULL, 'trust.peer-pinned.v1', '2026-11-23 01:07:20.900821+00', 'f3912daf-2b72-45be-b41c-d0d033c78b94', '', '{"seq": 9, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (14, '01a205f1-78d9-7337-a563-6527e7896260', 'node', 4, '{"peer": "hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa", "source": "contact", "duration": "00:00:00.4485869", "endpoint": "127.0.0.1:45991", "candidates": 1}', NULL, 'node.bootstrap-succeeded.v1', '2026-11-23 01:07:20.921124+00', 'f3912daf-2b72-45be-b41c-d0d033c78b94', '', '{"seq": 10, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (15, '01a205f1-78a6-7249-bb72-f43724798327', 'peers/2026-11', 2, '{"peer": "3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka", "remote": "127.0.0.1:45992", "direction": "outbound", "connection": "01a205f1-788c-78c5-9d2d-64eeffeb35ec"}', NULL, 'connection.opened.v1', '2026-11-23 01:07:20.870619+00', 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '', '{"seq": 5, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (16, '01a205f1-78ac-7557-ba49-0e5c06c0e825', 'peers/2026-11', 3, '{"peer": "3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka", "endpoint": "127.0.0.1:45992"}', NULL, 'peer.reverse-connectivity-confirmed.v1', '2026-11-23 01:07:20.876297+00', 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '', '{"seq": 6, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (17, '01a205f1-78b5-7fc4-859b-29927270ecc2', 'peers/2026-11', 4, '{"kind": "node", "peer": "3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka", "agent": "EventMesh/0.1.0", "instance": "ff40eac4-d126-47fe-8ae3-01dc75a286e3", "endpoints": ["127.0.0.1:45992"]}', NULL, 'peer.joined.v1', '2026-11-23 01:07:20.885117+00', 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '', '{"seq": 7, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (18, '01a205f1-78cc-74cd-8eec-dc3e32f0c13f', 'cache/2026-11', 1, '{"peer": "3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka", "origin": "inbound", "endpoints": ["127.0.0.1:45992"], "certificate": "MIIBsjCCAVmgAwIBAgIIRlnR6sFJdu8wCgYIKoZIzj0EAwIwPzE9MDsGA1UEAxM0M2lnaWU2eTVhM3hob2Q3ZjVucW9pdWdoY3RkcXF5Y2pkNzI0Z3d2cDNhYnF1ZXRmdnBrYTAeFw0yNjExMjIwMTA3MTlaFw0zMTExMjIwMTA3MTlaMD8xPTA7BgNVBAMTNDNpZ2llNnk1YTN4aG9kN2Y1bnFvaXVnaGN0ZHFxeWNqZDcyNGd3dnAzYWJxdWV0ZnZwa2EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQTUVNwHYJYwu53t1wydwJbv2rzaXy+tqFi2o9syOW1mUCrAMlHaPbyb5v3erU2p3FL/oG+iSaswMhA+B033xK4oz8wPTAMBgNVHRMBAf8EAjAAMA4GA1UdDwEB/wQEAwIHgDAdBgNVHSUEFjAUBggrBgEFBQcDAQYIKwYBBQUHAwIwCgYIKoZIzj0EAwIDRwAwRAIgQte1bp+g0LhrZlqvRSQh/UvV83Ht90eXuPMOJSrsUXoCICyIbMQwa48adyz71kP+T21DUlks2tA9ndQqUiB7Gl4B"}', NULL, 'cache.entry-added.v1', '2026-11-23 01:07:20.908086+00', 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '', '{"seq": 8, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (19, '01a205f1-89fd-739b-9dff-f1e868259f8e', 'peers/2026-11', 5, '{"peer": "hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa", "reason": "shutdown", "duration": "00:00:04.5118147", "bytesSent": 0, "connection": "01a205f1-77bd-7eb1-9a28-3d17dbd660cd", "messagesSent": 0, "bytesReceived": 0, "messagesReceived": 0}', NULL, 'connection.closed.v1', '2026-11-23 01:07:25.309904+00', 'f3912daf-2b72-45be-b41c-d0d033c78b94', '', '{"seq": 11, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (26, '01a205f1-8a7a-79cc-978f-d9e79a8435a8', 'peers/2026-11', 8, '{"error": "closedByPeer", "detail": "Peer 3igie6y5 at 127.0.0.1:45992 refused the connection: None.", "endpoint": "127.0.0.1:45992", "expected": "3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka"}', NULL, 'peer.dial-failed.v1', '2026-11-23 01:07:25.434013+00', 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '', '{"seq": 12, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (20, '01a205f1-8a03-7767-b6cd-2032b98dc368', 'peers/2026-11', 6, '{"peer": "hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa", "reason": "shutdown", "duration": "00:00:04.4407185", "bytesSent": 0, "connection": "01a205f1-7899-7436-9a9a-03f4db26ffb9", "messagesSent": 0, "bytesReceived": 0, "messagesReceived": 0}', NULL, 'connection.closed.v1', '2026-11-23 01:07:25.315908+00', 'f3912daf-2b72-45be-b41c-d0d033c78b94', '', '{"seq": 12, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (21, '01a205f1-8a05-7575-996d-9e85e7268a60', 'peers/2026-11', 7, '{"peer": "hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa", "reason": "shutdown"}', NULL, 'peer.left.v1', '2026-11-23 01:07:25.317302+00', 'f3912daf-2b72-45be-b41c-d0d033c78b94', '', '{"seq": 13, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (22, '01a205f1-8a2d-7433-a603-d8eb3c981c5d', 'node', 5, '{"reason": "stopped"}', NULL, 'node.stopped.v1', '2026-11-23 01:07:25.357454+00', 'f3912daf-2b72-45be-b41c-d0d033c78b94', '', '{"seq": 14, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (23, '01a205f1-8a0b-792b-b10e-a224930170d0', 'peers/2026-11', 5, '{"peer": "3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka", "reason": "peerShutdown", "duration": "00:00:04.5228415", "bytesSent": 0, "connection": "01a205f1-77b6-7a74-b02f-b1aae79f4611", "messagesSent": 0, "bytesReceived": 0, "messagesReceived": 0}', NULL, 'connection.closed.v1', '2026-11-23 01:07:25.323965+00', 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '', '{"seq": 9, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (24, '01a205f1-8a0d-788c-a91c-d1b1cd6750ae', 'peers/2026-11', 6, '{"peer": "3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka", "reason": "peerShutdown", "duration": "00:00:04.4550076", "bytesSent": 0, "connection": "01a205f1-788c-78c5-9d2d-64eeffeb35ec", "messagesSent": 0, "bytesReceived": 0, "messagesReceived": 0}', NULL, 'connection.closed.v1', '2026-11-23 01:07:25.325346+00', 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '', '{"seq": 10, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (25, '01a205f1-8a0d-70a0-bf4b-88992df12421', 'peers/2026-11', 7, '{"peer": "3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka", "reason": "peerShutdown"}', NULL, 'peer.left.v1', '2026-11-23 01:07:25.325909+00', 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '', '{"seq": 11, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (27, '01a205f1-8a84-76be-b421-5b57077f2c64', 'node', 3, '{"candidates": 1, "retryAfter": "00:00:00.8148228"}', NULL, 'node.bootstrap-failed.v1', '2026-11-23 01:07:25.44435+00', 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '', '{"seq": 13, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (28, '01a205f1-9991-704e-827f-19bb978a4f6c', 'node', 4, '{"reason": "stopped"}', NULL, 'node.stopped.v1', '2026-11-23 01:07:29.297062+00', 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '', '{"seq": 14, "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (29, '01a209a2-9cbf-7d02-ae7d-9cc557b8a3af', 'node', 1, '{"kind": "node", "node": "1e87ff3d-e6fe-49d3-ba1f-fd0df806f598", "peer": "btf4hx3vdkdxtoostwdhofql6ipffar7jh6pacqp72wn6nzayp7a", "agent": "EventMesh/0.1.0", "instance": "e8958397-ca34-44fd-aadb-a30fa6827766", "transport": "ngtcp2"}', NULL, 'node.started.v1', '2026-11-23 18:19:41.631813+00', '1e87ff3d-e6fe-49d3-ba1f-fd0df806f598', '', '{"seq": 1, "hash": "NByj70ZLd7kSjF2FMirmd+77H/16OBR3p6KvUktoe38=", "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (30, '01a209a2-9d7a-7358-9435-5cf51ee4618d', 'node', 2, '{"peer": "btf4hx3vdkdxtoostwdhofql6ipffar7jh6pacqp72wn6nzayp7a", "algorithm": "ecdsa-p256"}', NULL, 'node.identity-created.v1', '2026-11-23 18:19:41.818209+00', '1e87ff3d-e6fe-49d3-ba1f-fd0df806f598', '', '{"seq": 2, "hash": "Y31p1l8mT8NHhycwclXu5TUbqTCiLlS9XfDIlzVg0KU=", "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (31, '01a209a3-015a-7462-b8d0-b9b80259c847', 'node', 3, '{"hash": "Y31p1l8mT8NHhycwclXu5TUbqTCiLlS9XfDIlzVg0KU=", "place": 2, "publicKey": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEgBGaO3IAYg+H5OIuA/qEh1Xrmrilma/EwVS6vAsHJxqBl0l4TxDe+RJGPMX+EVHJy0B4noRZ1tRvvI6yrpgovw==", "signature": "MEUCIACF4p1auy+q2RaZN+uAqKOSbHPtCeOuuz1nOCmReq+0AiEArl6isqybgiKSs5yhOiN6DhTiOchktHVMc9i50hiIb+E="}', NULL, 'log.sealed.v1', '2026-11-23 18:20:07.386274+00', '1e87ff3d-e6fe-49d3-ba1f-fd0df806f598', '', '{"seq": 3, "hash": "iu72xCLZYA3MN5IehyWRxPS3fay36rhx7O0ondcHK/k=", "epoch": 1}', false);
INSERT INTO mesh.mt_events VALUES (32, '01a209a3-015b-7c87-b6e7-1333c42666c4', 'node', 4, '{"reason": "stopped"}', NULL, 'node.stopped.v1', '2026-11-23 18:20:07.387783+00', '1e87ff3d-e6fe-49d3-ba1f-fd0df806f598', '', '{"seq": 4, "hash": "ulJx8GVrM6DuE9e47uc76R3SQFTwbdx7Aij2f7EDLqI=", "epoch": 1}', false);
INSERT INTO mesh.mt_streams VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', 'trust', NULL, 1, '2026-11-23 01:07:20.826572+00', '2026-11-23 01:07:20.826572+00', 0, false);
INSERT INTO mesh.mt_streams VALUES ('f3912daf-2b72-45be-b41c-d0d033c78b94', 'trust', NULL, 2, '2026-11-23 01:07:20.905472+00', '2026-11-23 01:07:20.831697+00', 0, false);
INSERT INTO mesh.mt_streams VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', 'cache/2026-11', NULL, 1, '2026-11-23 01:07:20.951925+00', '2026-11-23 01:07:20.951925+00', 0, false);
INSERT INTO mesh.mt_streams VALUES ('f3912daf-2b72-45be-b41c-d0d033c78b94', 'peers/2026-11', NULL, 7, '2026-11-23 01:07:25.324998+00', '2026-11-23 01:07:20.831697+00', 0, false);
INSERT INTO mesh.mt_streams VALUES ('f3912daf-2b72-45be-b41c-d0d033c78b94', 'node', NULL, 5, '2026-11-23 01:07:25.358114+00', '2026-11-23 01:07:20.095233+00', 0, false);
INSERT INTO mesh.mt_streams VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', 'peers/2026-11', NULL, 8, '2026-11-23 01:07:25.452713+00', '2026-11-23 01:07:20.826572+00', 0, false);
INSERT INTO mesh.mt_streams VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', 'node', NULL, 4, '2026-11-23 01:07:29.300112+00', '2026-11-23 01:07:18.440899+00', 0, false);
INSERT INTO mesh.mt_streams VALUES ('1e87ff3d-e6fe-49d3-ba1f-fd0df806f598', 'node', NULL, 4, '2026-11-23 18:20:07.393677+00', '2026-11-23 18:19:41.748198+00', 0, false);
INSERT INTO mesh.node_log VALUES ('f3912daf-2b72-45be-b41c-d0d033c78b94', 1, 14, '2026-11-23 01:07:25.357454+00', NULL, NULL, NULL);
INSERT INTO mesh.node_log VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', 1, 14, '2026-11-23 01:07:29.297062+00', NULL, NULL, NULL);
INSERT INTO mesh.node_log VALUES ('1e87ff3d-e6fe-49d3-ba1f-fd0df806f598', 1, 4, '2026-11-23 18:20:07.387783+00', '\xba5271f0656b33a0ee13d7b8eee73be91dd24054f06ddc7b0228f67fb1032ea2', 1, NULL);
INSERT INTO mesh.node_status_2 VALUES ('1e87ff3d-e6fe-49d3-ba1f-fd0df806f598', '', 1, 'e8958397-ca34-44fd-aadb-a30fa6827766', 'btf4hx3vdkdxtoostwdhofql6ipffar7jh6pacqp72wn6nzayp7a', 'node', 'EventMesh/0.1.0', 'ngtcp2', 'unknown', NULL, '2026-11-23 18:19:41.631813+00', NULL, NULL, NULL, '["2026-11-23 18:19:41.631813+00",)', 1, NULL);
INSERT INTO mesh.node_status_2 VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '', 1, 'a854ae47-f126-4248-949f-0e636e6e2163', 'hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa', 'node', 'EventMesh/0.1.0', 'ngtcp2', 'unknown', NULL, '2026-11-23 01:07:18.425221+00', NULL, NULL, NULL, '["2026-11-23 01:07:18.425221+00","2026-11-23 01:07:29.297062+00")', 1, 14);
INSERT INTO mesh.node_status_2 VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '', 1, 'a854ae47-f126-4248-949f-0e636e6e2163', 'hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa', 'node', 'EventMesh/0.1.0', 'ngtcp2', 'unknown', NULL, '2026-11-23 01:07:18.425221+00', '2026-11-23 01:07:29.297062+00', 'stopped', NULL, '["2026-11-23 01:07:29.297062+00",)', 14, NULL);
INSERT INTO mesh.node_status_2 VALUES ('f3912daf-2b72-45be-b41c-d0d033c78b94', '', 1, 'ff40eac4-d126-47fe-8ae3-01dc75a286e3', '3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka', 'node', 'EventMesh/0.1.0', 'ngtcp2', 'unknown', NULL, '2026-11-23 01:07:20.08087+00', NULL, NULL, NULL, '["2026-11-23 01:07:20.08087+00","2026-11-23 01:07:20.881098+00")', 1, 7);
INSERT INTO mesh.node_status_2 VALUES ('f3912daf-2b72-45be-b41c-d0d033c78b94', '', 1, 'ff40eac4-d126-47fe-8ae3-01dc75a286e3', '3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka', 'node', 'EventMesh/0.1.0', 'ngtcp2', 'reachable', NULL, '2026-11-23 01:07:20.08087+00', NULL, NULL, NULL, '["2026-11-23 01:07:20.881098+00","2026-11-23 01:07:25.357454+00")', 7, 14);
INSERT INTO mesh.node_status_2 VALUES ('f3912daf-2b72-45be-b41c-d0d033c78b94', '', 1, 'ff40eac4-d126-47fe-8ae3-01dc75a286e3', '3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka', 'node', 'EventMesh/0.1.0', 'ngtcp2', 'reachable', NULL, '2026-11-23 01:07:20.08087+00', '2026-11-23 01:07:25.357454+00', 'stopped', NULL, '["2026-11-23 01:07:25.357454+00",)', 14, NULL);
INSERT INTO mesh.peer_directory_2 VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka', 'ff40eac4-d126-47fe-8ae3-01dc75a286e3', 'node', '{127.0.0.1:45992}', 'EventMesh/0.1.0', '2026-11-23 01:07:20.885117+00', '["2026-11-23 01:07:20.885117+00","2026-11-23 01:07:25.325909+00")', 7, 11);
INSERT INTO mesh.peer_directory_2 VALUES ('f3912daf-2b72-45be-b41c-d0d033c78b94', 'hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa', 'a854ae47-f126-4248-949f-0e636e6e2163', 'node', '{127.0.0.1:45991}', 'EventMesh/0.1.0', '2026-11-23 01:07:20.882684+00', '["2026-11-23 01:07:20.882684+00","2026-11-23 01:07:25.317302+00")', 8, 13);
INSERT INTO mesh.projection VALUES ('bootstrap_cache', 2, 2, NULL, NULL, NULL);
INSERT INTO mesh.projection VALUES ('peer_directory', 2, 2, NULL, NULL, NULL);
INSERT INTO mesh.projection VALUES ('connection_history', 2, 2, NULL, NULL, NULL);
INSERT INTO mesh.projection VALUES ('trust_ledger', 2, 2, NULL, NULL, NULL);
INSERT INTO mesh.projection VALUES ('node_status', 2, 2, NULL, NULL, NULL);
INSERT INTO mesh.projection VALUES ('mesh_topology', 2, 2, NULL, NULL, NULL);
INSERT INTO mesh.projection_leadership VALUES (true, 1, '1e87ff3d-e6fe-49d3-ba1f-fd0df806f598', 'vm', 10411, 10428, '2026-11-23 18:19:41.357649+00');
INSERT INTO mesh.projection_position VALUES ('mesh_topology', 2, 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', 14, NULL, NULL);
INSERT INTO mesh.projection_position VALUES ('node_status', 2, 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', 14, NULL, NULL);
INSERT INTO mesh.projection_position VALUES ('trust_ledger', 2, '1e87ff3d-e6fe-49d3-ba1f-fd0df806f598', 2, NULL, NULL);
INSERT INTO mesh.projection_position VALUES ('mesh_topology', 2, 'f3912daf-2b72-45be-b41c-d0d033c78b94', 14, NULL, NULL);
INSERT INTO mesh.projection_position VALUES ('node_status', 2, 'f3912daf-2b72-45be-b41c-d0d033c78b94', 14, NULL, NULL);
INSERT INTO mesh.projection_position VALUES ('connection_history', 2, 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', 14, NULL, NULL);
INSERT INTO mesh.projection_position VALUES ('peer_directory', 2, 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', 14, NULL, NULL);
INSERT INTO mesh.projection_position VALUES ('bootstrap_cache', 2, '1e87ff3d-e6fe-49d3-ba1f-fd0df806f598', 2, NULL, NULL);
INSERT INTO mesh.projection_position VALUES ('trust_ledger', 2, 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', 14, NULL, NULL);
INSERT INTO mesh.projection_position VALUES ('bootstrap_cache', 2, 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', 14, NULL, NULL);
INSERT INTO mesh.projection_position VALUES ('peer_directory', 2, 'f3912daf-2b72-45be-b41c-d0d033c78b94', 14, NULL, NULL);
INSERT INTO mesh.projection_position VALUES ('connection_history', 2, 'f3912daf-2b72-45be-b41c-d0d033c78b94', 14, NULL, NULL);
INSERT INTO mesh.projection_position VALUES ('bootstrap_cache', 2, 'f3912daf-2b72-45be-b41c-d0d033c78b94', 14, NULL, NULL);
INSERT INTO mesh.projection_position VALUES ('trust_ledger', 2, 'f3912daf-2b72-45be-b41c-d0d033c78b94', 14, NULL, NULL);
INSERT INTO mesh.projection_position VALUES ('peer_directory', 2, '1e87ff3d-e6fe-49d3-ba1f-fd0df806f598', 2, NULL, NULL);
INSERT INTO mesh.projection_position VALUES ('connection_history', 2, '1e87ff3d-e6fe-49d3-ba1f-fd0df806f598', 2, NULL, NULL);
INSERT INTO mesh.projection_position VALUES ('node_status', 2, '1e87ff3d-e6fe-49d3-ba1f-fd0df806f598', 2, NULL, NULL);
INSERT INTO mesh.projection_position VALUES ('mesh_topology', 2, '1e87ff3d-e6fe-49d3-ba1f-fd0df806f598', 2, NULL, NULL);
INSERT INTO mesh.schema_version VALUES (2, true);
INSERT INTO mesh.trust_ledger_2 VALUES ('f3912daf-2b72-45be-b41c-d0d033c78b94', 'pin 127.0.0.1:45991', 'pin', '127.0.0.1:45991', 'hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa', NULL, 'first-use', '2026-11-23 01:07:20.900821+00', NULL, NULL, NULL, '["2026-11-23 01:07:20.900821+00",)', 9, NULL);
SELECT pg_catalog.setval('mesh.mt_events_sequence', 32, true);
ALTER TABLE ONLY mesh.bootstrap_cache_2
    ADD CONSTRAINT bootstrap_cache_2_pkey PRIMARY KEY (node_id, peer, from_seq);
ALTER TABLE ONLY mesh.connection_history_2
    ADD CONSTRAINT connection_history_2_pkey PRIMARY KEY (node_id, connection);
ALTER TABLE ONLY mesh.log_block
    ADD CONSTRAINT log_block_pkey PRIMARY KEY (month, tenant_id, stream_id, first_seq);
ALTER TABLE ONLY mesh.log_block_2026_11
    ADD CONSTRAINT log_block_2026_11_pkey PRIMARY KEY (month, tenant_id, stream_id, first_seq);
ALTER TABLE ONLY mesh.log_block_2026_12
    ADD CONSTRAINT log_block_2026_12_pkey PRIMARY KEY (month, tenant_id, stream_id, first_seq);
ALTER TABLE ONLY mesh.log_block_2027_01
    ADD CONSTRAINT log_block_2027_01_pkey PRIMARY KEY (month, tenant_id, stream_id, first_seq);
ALTER TABLE ONLY mesh.log_block_2027_02
    ADD CONSTRAINT log_block_2027_02_pkey PRIMARY KEY (month, tenant_id, stream_id, first_seq);
ALTER TABLE ONLY mesh.log_block_2027_03
    ADD CONSTRAINT log_block_2027_03_pkey PRIMARY KEY (month, tenant_id, stream_id, first_seq);
ALTER TABLE ONLY mesh.log_block_2027_04
    ADD CONSTRAINT log_block_2027_04_pkey PRIMARY KEY (month, tenant_id, stream_id, first_seq);
ALTER TABLE ONLY mesh.log_block_2027_05
    ADD CONSTRAINT log_block_2027_05_pkey PRIMARY KEY (month, tenant_id, stream_id, first_seq);
ALTER TABLE ONLY mesh.log_block_2027_06
    ADD CONSTRAINT log_block_2027_06_pkey PRIMARY KEY (month, tenant_id, stream_id, first_seq);
ALTER TABLE ONLY mesh.log_block_2027_07
    ADD CONSTRAINT log_block_2027_07_pkey PRIMARY KEY (month, tenant_id, stream_id, first_seq);
ALTER TABLE ONLY mesh.log_block_2027_08
    ADD CONSTRAINT log_block_2027_08_pkey PRIMARY KEY (month, tenant_id, stream_id, first_seq);
ALTER TABLE ONLY mesh.log_block_2027_09
    ADD CONSTRAINT log_block_2027_09_pkey PRIMARY KEY (month, tenant_id, stream_id, first_seq);
ALTER TABLE ONLY mesh.log_block_2027_10
    ADD CONSTRAINT log_block_2027_10_pkey PRIMARY KEY (month, tenant_id, stream_id, first_seq);
ALTER TABLE ONLY mesh.log_block_2027_11
    ADD CONSTRAINT log_block_2027_11_pkey PRIMARY KEY (month, tenant_id, stream_id, first_seq);
ALTER TABLE ONLY mesh.log_block_default
    ADD CONSTRAINT log_block_default_pkey PRIMARY KEY (month, tenant_id, stream_id, first_seq);
ALTER TABLE ONLY mesh.log_segment
    ADD CONSTRAINT log_segment_pkey PRIMARY KEY (tenant_id, stream_id);
ALTER TABLE ONLY mesh.mesh_topology_2
    ADD CONSTRAINT mesh_topology_2_pkey PRIMARY KEY (node_id, peer, from_seq);
ALTER TABLE ONLY mesh.node_log
    ADD CONSTRAINT node_log_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY mesh.node_status_2
    ADD CONSTRAINT node_status_2_pkey PRIMARY KEY (node_id, entry_key, from_seq);
ALTER TABLE ONLY mesh.peer_directory_2
    ADD CONSTRAINT peer_directory_2_pkey PRIMARY KEY (node_id, peer, from_seq);
ALTER TABLE ONLY mesh.mt_event_progression
    ADD CONSTRAINT pk_mt_event_progression PRIMARY KEY (name);
ALTER TABLE ONLY mesh.mt_doc_deadletterevent
    ADD CONSTRAINT pkey_mt_doc_deadletterevent_id PRIMARY KEY (id);
ALTER TABLE ONLY mesh.mt_event_projection_floors
    ADD CONSTRAINT pkey_mt_event_projection_floors_name_tenant_id PRIMARY KEY (name, tenant_id);
ALTER TABLE ONLY mesh.mt_events
    ADD CONSTRAINT pkey_mt_events_seq_id PRIMARY KEY (seq_id);
ALTER TABLE ONLY mesh.mt_high_water_skips
    ADD CONSTRAINT pkey_mt_high_water_skips_ending_sequence PRIMARY KEY (ending_sequence);
ALTER TABLE ONLY mesh.mt_streams
    ADD CONSTRAINT pkey_mt_streams_tenant_id_id PRIMARY KEY (tenant_id, id);
ALTER TABLE ONLY mesh.projection_leadership
    ADD CONSTRAINT projection_leadership_pkey PRIMARY KEY (single);
ALTER TABLE ONLY mesh.projection
    ADD CONSTRAINT projection_pkey PRIMARY KEY (name);
ALTER TABLE ONLY mesh.projection_position
    ADD CONSTRAINT projection_position_pkey PRIMARY KEY (name, generation, tenant_id);
ALTER TABLE ONLY mesh.schema_version
    ADD CONSTRAINT schema_version_pkey PRIMARY KEY (single);
ALTER TABLE ONLY mesh.trust_ledger_2
    ADD CONSTRAINT trust_ledger_2_pkey PRIMARY KEY (node_id, entry_key, from_seq);
CREATE UNIQUE INDEX bootstrap_cache_2_current ON mesh.bootstrap_cache_2 USING btree (node_id, peer) WHERE (to_seq IS NULL);
CREATE INDEX bootstrap_cache_2_valid ON mesh.bootstrap_cache_2 USING gist (valid) WHERE (to_seq IS NOT NULL);
CREATE UNIQUE INDEX connection_history_2_open ON mesh.connection_history_2 USING btree (node_id, connection) WHERE (closed_at IS NULL);
CREATE INDEX connection_history_2_peer ON mesh.connection_history_2 USING btree (node_id, peer, opened_seq);
CREATE UNIQUE INDEX connection_history_2_place ON mesh.connection_history_2 USING btree (node_id, opened_seq);
CREATE INDEX connection_history_2_standing ON mesh.connection_history_2 USING gist (tstzrange(opened_at, closed_at)) WHERE (closed_at IS NOT NULL);
CREATE UNIQUE INDEX idx_mt_events_event_id ON mesh.mt_events USING btree (id);
CREATE INDEX log_block_subjects ON ONLY mesh.log_block USING gin (subjects);
CREATE INDEX log_block_2026_11_subjects_idx ON mesh.log_block_2026_11 USING gin (subjects);
CREATE INDEX log_block_place ON ONLY mesh.log_block USING btree (tenant_id, family, first_seq);
CREATE INDEX log_block_2026_11_tenant_id_family_first_seq_idx ON mesh.log_block_2026_11 USING btree (tenant_id, family, first_seq);
CREATE INDEX log_block_start ON ONLY mesh.log_block USING btree (tenant_id, family, first_time);
CREATE INDEX log_block_2026_11_tenant_id_family_first_time_idx ON mesh.log_block_2026_11 USING btree (tenant_id, family, first_time);
CREATE INDEX log_block_time ON ONLY mesh.log_block USING btree (tenant_id, last_time);
CREATE INDEX log_block_2026_11_tenant_id_last_time_idx ON mesh.log_block_2026_11 USING btree (tenant_id, last_time);
CREATE INDEX log_block_2026_12_subjects_idx ON mesh.log_block_2026_12 USING gin (subjects);
CREATE INDEX log_block_2026_12_tenant_id_family_first_seq_idx ON mesh.log_block_2026_12 USING btree (tenant_id, family, first_seq);
CREATE INDEX log_block_2026_12_tenant_id_family_first_time_idx ON mesh.log_block_2026_12 USING btree (tenant_id, family, first_time);
CREATE INDEX log_block_2026_12_tenant_id_last_time_idx ON mesh.log_block_2026_12 USING btree (tenant_id, last_time);
CREATE INDEX log_block_2027_01_subjects_idx ON mesh.log_block_2027_01 USING gin (subjects);
CREATE INDEX log_block_2027_01_tenant_id_family_first_seq_idx ON mesh.log_block_2027_01 USING btree (tenant_id, family, first_seq);
CREATE INDEX log_block_2027_01_tenant_id_family_first_time_idx ON mesh.log_block_2027_01 USING btree (tenant_id, family, first_time);
CREATE INDEX log_block_2027_01_tenant_id_last_time_idx ON mesh.log_block_2027_01 USING btree (tenant_id, last_time);
CREATE INDEX log_block_2027_02_subjects_idx ON mesh.log_block_2027_02 USING gin (subjects);
CREATE INDEX log_block_2027_02_tenant_id_family_first_seq_idx ON mesh.log_block_2027_02 USING btree (tenant_id, family, first_seq);
CREATE INDEX log_block_2027_02_tenant_id_family_first_time_idx ON mesh.log_block_2027_02 USING btree (tenant_id, family, first_time);
CREATE INDEX log_block_2027_02_tenant_id_last_time_idx ON mesh.log_block_2027_02 USING btree (tenant_id, last_time);
CREATE INDEX log_block_2027_03_subjects_idx ON mesh.log_block_2027_03 USING gin (subjects);
CREATE INDEX log_block_2027_03_tenant_id_family_first_seq_idx ON mesh.log_block_2027_03 USING btree (tenant_id, family, first_seq);
CREATE INDEX log_block_2027_03_tenant_id_family_first_time_idx ON mesh.log_block_2027_03 USING btree (tenant_id, family, first_time);
CREATE INDEX log_block_2027_03_tenant_id_last_time_idx ON mesh.log_block_2027_03 USING btree (tenant_id, last_time);
CREATE INDEX log_block_2027_04_subjects_idx ON mesh.log_block_2027_04 USING gin (subjects);
CREATE INDEX log_block_2027_04_tenant_id_family_first_seq_idx ON mesh.log_block_2027_04 USING btree (tenant_id, family, first_seq);
CREATE INDEX log_block_2027_04_tenant_id_family_first_time_idx ON mesh.log_block_2027_04 USING btree (tenant_id, family, first_time);
CREATE INDEX log_block_2027_04_tenant_id_last_time_idx ON mesh.log_block_2027_04 USING btree (tenant_id, last_time);
CREATE INDEX log_block_2027_05_subjects_idx ON mesh.log_block_2027_05 USING gin (subjects);
CREATE INDEX log_block_2027_05_tenant_id_family_first_seq_idx ON mesh.log_block_2027_05 USING btree (tenant_id, family, first_seq);
CREATE INDEX log_block_2027_05_tenant_id_family_first_time_idx ON mesh.log_block_2027_05 USING btree (tenant_id, family, first_time);
CREATE INDEX log_block_2027_05_tenant_id_last_time_idx ON mesh.log_block_2027_05 USING btree (tenant_id, last_time);
CREATE INDEX log_block_2027_06_subjects_idx ON mesh.log_block_2027_06 USING gin (subjects);
CREATE INDEX log_block_2027_06_tenant_id_family_first_seq_idx ON mesh.log_block_2027_06 USING btree (tenant_id, family, first_seq);
CREATE INDEX log_block_2027_06_tenant_id_family_first_time_idx ON mesh.log_block_2027_06 USING btree (tenant_id, family, first_time);
CREATE INDEX log_block_2027_06_tenant_id_last_time_idx ON mesh.log_block_2027_06 USING btree (tenant_id, last_time);
CREATE INDEX log_block_2027_07_subjects_idx ON mesh.log_block_2027_07 USING gin (subjects);
CREATE INDEX log_block_2027_07_tenant_id_family_first_seq_idx ON mesh.log_block_2027_07 USING btree (tenant_id, family, first_seq);
CREATE INDEX log_block_2027_07_tenant_id_family_first_time_idx ON mesh.log_block_2027_07 USING btree (tenant_id, family, first_time);
CREATE INDEX log_block_2027_07_tenant_id_last_time_idx ON mesh.log_block_2027_07 USING btree (tenant_id, last_time);
CREATE INDEX log_block_2027_08_subjects_idx ON mesh.log_block_2027_08 USING gin (subjects);
CREATE INDEX log_block_2027_08_tenant_id_family_first_seq_idx ON mesh.log_block_2027_08 USING btree (tenant_id, family, first_seq);
CREATE INDEX log_block_2027_08_tenant_id_family_first_time_idx ON mesh.log_block_2027_08 USING btree (tenant_id, family, first_time);
CREATE INDEX log_block_2027_08_tenant_id_last_time_idx ON mesh.log_block_2027_08 USING btree (tenant_id, last_time);
CREATE INDEX log_block_2027_09_subjects_idx ON mesh.log_block_2027_09 USING gin (subjects);
CREATE INDEX log_block_2027_09_tenant_id_family_first_seq_idx ON mesh.log_block_2027_09 USING btree (tenant_id, family, first_seq);
CREATE INDEX log_block_2027_09_tenant_id_family_first_time_idx ON mesh.log_block_2027_09 USING btree (tenant_id, family, first_time);
CREATE INDEX log_block_2027_09_tenant_id_last_time_idx ON mesh.log_block_2027_09 USING btree (tenant_id, last_time);
CREATE INDEX log_block_2027_10_subjects_idx ON mesh.log_block_2027_10 USING gin (subjects);
CREATE INDEX log_block_2027_10_tenant_id_family_first_seq_idx ON mesh.log_block_2027_10 USING btree (tenant_id, family, first_seq);
CREATE INDEX log_block_2027_10_tenant_id_family_first_time_idx ON mesh.log_block_2027_10 USING btree (tenant_id, family, first_time);
CREATE INDEX log_block_2027_10_tenant_id_last_time_idx ON mesh.log_block_2027_10 USING btree (tenant_id, last_time);
CREATE INDEX log_block_2027_11_subjects_idx ON mesh.log_block_2027_11 USING gin (subjects);
CREATE INDEX log_block_2027_11_tenant_id_family_first_seq_idx ON mesh.log_block_2027_11 USING btree (tenant_id, family, first_seq);
CREATE INDEX log_block_2027_11_tenant_id_family_first_time_idx ON mesh.log_block_2027_11 USING btree (tenant_id, family, first_time);
CREATE INDEX log_block_2027_11_tenant_id_last_time_idx ON mesh.log_block_2027_11 USING btree (tenant_id, last_time);
CREATE INDEX log_block_default_subjects_idx ON mesh.log_block_default USING gin (subjects);
CREATE INDEX log_block_default_tenant_id_family_first_seq_idx ON mesh.log_block_default USING btree (tenant_id, family, first_seq);
CREATE INDEX log_block_default_tenant_id_family_first_time_idx ON mesh.log_block_default USING btree (tenant_id, family, first_time);
CREATE INDEX log_block_default_tenant_id_last_time_idx ON mesh.log_block_default USING btree (tenant_id, last_time);
CREATE INDEX log_segment_end ON mesh.log_segment USING btree (tenant_id, last_seq);
CREATE UNIQUE INDEX mesh_events_place ON mesh.mt_events USING btree (tenant_id, (((headers ->> 'seq'::text))::bigint));
CREATE INDEX mesh_events_subject ON mesh.mt_events USING btree (hashtextextended(COALESCE((data ->> 'peer'::text), (data ->> 'expected'::text), (data ->> 'observer'::text), (data ->> 'predecessor'::text), (data ->> 'key'::text)), hashtextextended((tenant_id)::text, (0)::bigint)), ((((headers ->> 'seq'::text))::bigint + 0)));
CREATE INDEX mesh_events_subject_2 ON mesh.mt_events USING btree (hashtextextended(COALESCE((data ->> 'successor'::text), (data ->> 'found'::text), (data ->> 'known'::text), (data ->> 'by'::text)), hashtextextended((tenant_id)::text, (0)::bigint)), ((((headers ->> 'seq'::text))::bigint + 0))) WHERE ((type)::text = ANY ((ARRAY['cache.entry-confirmed.v1'::character varying, 'node.identity-rotated.v1'::character varying, 'trust.key-succeeded.v1'::character varying, 'trust.succession-disputed.v1'::character varying, 'trust.succession-decided.v1'::character varying, 'trust.pin-mismatch.v1'::character varying])::text[]));
CREATE INDEX mesh_events_subject_3 ON mesh.mt_events USING btree (hashtextextended((data ->> 'claimed'::text), hashtextextended((tenant_id)::text, (0)::bigint)), ((((headers ->> 'seq'::text))::bigint + 0))) WHERE ((type)::text = 'trust.succession-disputed.v1'::text);
CREATE UNIQUE INDEX mesh_topology_2_current ON mesh.mesh_topology_2 USING btree (node_id, peer) WHERE (to_seq IS NULL);
CREATE INDEX mesh_topology_2_valid ON mesh.mesh_topology_2 USING gist (valid) WHERE (to_seq IS NOT NULL);
CREATE UNIQUE INDEX node_status_2_current ON mesh.node_status_2 USING btree (node_id, entry_key) WHERE (to_seq IS NULL);
CREATE INDEX node_status_2_identity ON mesh.node_status_2 USING btree (identity, from_seq);
CREATE UNIQUE INDEX node_status_2_place ON mesh.node_status_2 USING btree (node_id, from_seq);
CREATE INDEX node_status_2_valid ON mesh.node_status_2 USING gist (valid);
CREATE UNIQUE INDEX peer_directory_2_current ON mesh.peer_directory_2 USING btree (node_id, peer) WHERE (to_seq IS NULL);
CREATE INDEX peer_directory_2_valid ON mesh.peer_directory_2 USING gist (valid) WHERE (to_seq IS NOT NULL);
CREATE UNIQUE INDEX pk_mt_events_stream_and_version ON mesh.mt_events USING btree (tenant_id, stream_id, version);
CREATE UNIQUE INDEX trust_ledger_2_current ON mesh.trust_ledger_2 USING btree (node_id, entry_key) WHERE (to_seq IS NULL);
CREATE UNIQUE INDEX trust_ledger_2_place ON mesh.trust_ledger_2 USING btree (node_id, from_seq);
CREATE INDEX trust_ledger_2_valid ON mesh.trust_ledger_2 USING gist (valid);
ALTER INDEX mesh.log_block_pkey ATTACH PARTITION mesh.log_block_2026_11_pkey;
ALTER INDEX mesh.log_block_subjects ATTACH PARTITION mesh.log_block_2026_11_subjects_idx;
ALTER INDEX mesh.log_block_place ATTACH PARTITION mesh.log_block_2026_11_tenant_id_family_first_seq_idx;
ALTER INDEX mesh.log_block_start ATTACH PARTITION mesh.log_block_2026_11_tenant_id_family_first_time_idx;
ALTER INDEX mesh.log_block_time ATTACH PARTITION mesh.log_block_2026_11_tenant_id_last_time_idx;
ALTER INDEX mesh.log_block_pkey ATTACH PARTITION mesh.log_block_2026_12_pkey;
ALTER INDEX mesh.log_block_subjects ATTACH PARTITION mesh.log_block_2026_12_subjects_idx;
ALTER INDEX mesh.log_block_place ATTACH PARTITION mesh.log_block_2026_12_tenant_id_family_first_seq_idx;
ALTER INDEX mesh.log_block_start ATTACH PARTITION mesh.log_block_2026_12_tenant_id_family_first_time_idx;
ALTER INDEX mesh.log_block_time ATTACH PARTITION mesh.log_block_2026_12_tenant_id_last_time_idx;
ALTER INDEX mesh.log_block_pkey ATTACH PARTITION mesh.log_block_2027_01_pkey;
ALTER INDEX mesh.log_block_subjects ATTACH PARTITION mesh.log_block_2027_01_subjects_idx;
ALTER INDEX mesh.log_block_place ATTACH PARTITION mesh.log_block_2027_01_tenant_id_family_first_seq_idx;
ALTER INDEX mesh.log_block_start ATTACH PARTITION mesh.log_block_2027_01_tenant_id_family_first_time_idx;
ALTER INDEX mesh.log_block_time ATTACH PARTITION mesh.log_block_2027_01_tenant_id_last_time_idx;
ALTER INDEX mesh.log_block_pkey ATTACH PARTITION mesh.log_block_2027_02_pkey;
ALTER INDEX mesh.log_block_subjects ATTACH PARTITION mesh.log_block_2027_02_subjects_idx;
ALTER INDEX mesh.log_block_place ATTACH PARTITION mesh.log_block_2027_02_tenant_id_family_first_seq_idx;
ALTER INDEX mesh.log_block_start ATTACH PARTITION mesh.log_block_2027_02_tenant_id_family_first_time_idx;
ALTER INDEX mesh.log_block_time ATTACH PARTITION mesh.log_block_2027_02_tenant_id_last_time_idx;
ALTER INDEX mesh.log_block_pkey ATTACH PARTITION mesh.log_block_2027_03_pkey;
ALTER INDEX mesh.log_block_subjects ATTACH PARTITION mesh.log_block_2027_03_subjects_idx;
ALTER INDEX mesh.log_block_place ATTACH PARTITION mesh.log_block_2027_03_tenant_id_family_first_seq_idx;
ALTER INDEX mesh.log_block_start ATTACH PARTITION mesh.log_block_2027_03_tenant_id_family_first_time_idx;
ALTER INDEX mesh.log_block_time ATTACH PARTITION mesh.log_block_2027_03_tenant_id_last_time_idx;
ALTER INDEX mesh.log_block_pkey ATTACH PARTITION mesh.log_block_2027_04_pkey;
ALTER INDEX mesh.log_block_subjects ATTACH PARTITION mesh.log_block_2027_04_subjects_idx;
ALTER INDEX mesh.log_block_place ATTACH PARTITION mesh.log_block_2027_04_tenant_id_family_first_seq_idx;
ALTER INDEX mesh.log_block_start ATTACH PARTITION mesh.log_block_2027_04_tenant_id_family_first_time_idx;
ALTER INDEX mesh.log_block_time ATTACH PARTITION mesh.log_block_2027_04_tenant_id_last_time_idx;
ALTER INDEX mesh.log_block_pkey ATTACH PARTITION mesh.log_block_2027_05_pkey;
ALTER INDEX mesh.log_block_subjects ATTACH PARTITION mesh.log_block_2027_05_subjects_idx;
ALTER INDEX mesh.log_block_place ATTACH PARTITION mesh.log_block_2027_05_tenant_id_family_first_seq_idx;
ALTER INDEX mesh.log_block_start ATTACH PARTITION mesh.log_block_2027_05_tenant_id_family_first_time_idx;
ALTER INDEX mesh.log_block_time ATTACH PARTITION mesh.log_block_2027_05_tenant_id_last_time_idx;
ALTER INDEX mesh.log_block_pkey ATTACH PARTITION mesh.log_block_2027_06_pkey;
ALTER INDEX mesh.log_block_subjects ATTACH PARTITION mesh.log_block_2027_06_subjects_idx;
ALTER INDEX mesh.log_block_place ATTACH PARTITION mesh.log_block_2027_06_tenant_id_family_first_seq_idx;
ALTER INDEX mesh.log_block_start ATTACH PARTITION mesh.log_block_2027_06_tenant_id_family_first_time_idx;
ALTER INDEX mesh.log_block_time ATTACH PARTITION mesh.log_block_2027_06_tenant_id_last_time_idx;
ALTER INDEX mesh.log_block_pkey ATTACH PARTITION mesh.log_block_2027_07_pkey;
ALTER INDEX mesh.log_block_subjects ATTACH PARTITION mesh.log_block_2027_07_subjects_idx;
ALTER INDEX mesh.log_block_place ATTACH PARTITION mesh.log_block_2027_07_tenant_id_family_first_seq_idx;
ALTER INDEX mesh.log_block_start ATTACH PARTITION mesh.log_block_2027_07_tenant_id_family_first_time_idx;
ALTER INDEX mesh.log_block_time ATTACH PARTITION mesh.log_block_2027_07_tenant_id_last_time_idx;
ALTER INDEX mesh.log_block_pkey ATTACH PARTITION mesh.log_block_2027_08_pkey;
ALTER INDEX mesh.log_block_subjects ATTACH PARTITION mesh.log_block_2027_08_subjects_idx;
ALTER INDEX mesh.log_block_place ATTACH PARTITION mesh.log_block_2027_08_tenant_id_family_first_seq_idx;
ALTER INDEX mesh.log_block_start ATTACH PARTITION mesh.log_block_2027_08_tenant_id_family_first_time_idx;
ALTER INDEX mesh.log_block_time ATTACH PARTITION mesh.log_block_2027_08_tenant_id_last_time_idx;
ALTER INDEX mesh.log_block_pkey ATTACH PARTITION mesh.log_block_2027_09_pkey;
ALTER INDEX mesh.log_block_subjects ATTACH PARTITION mesh.log_block_2027_09_subjects_idx;
ALTER INDEX mesh.log_block_place ATTACH PARTITION mesh.log_block_2027_09_tenant_id_family_first_seq_idx;
ALTER INDEX mesh.log_block_start ATTACH PARTITION mesh.log_block_2027_09_tenant_id_family_first_time_idx;
ALTER INDEX mesh.log_block_time ATTACH PARTITION mesh.log_block_2027_09_tenant_id_last_time_idx;
ALTER INDEX mesh.log_block_pkey ATTACH PARTITION mesh.log_block_2027_10_pkey;
ALTER INDEX mesh.log_block_subjects ATTACH PARTITION mesh.log_block_2027_10_subjects_idx;
ALTER INDEX mesh.log_block_place ATTACH PARTITION mesh.log_block_2027_10_tenant_id_family_first_seq_idx;
ALTER INDEX mesh.log_block_start ATTACH PARTITION mesh.log_block_2027_10_tenant_id_family_first_time_idx;
ALTER INDEX mesh.log_block_time ATTACH PARTITION mesh.log_block_2027_10_tenant_id_last_time_idx;
ALTER INDEX mesh.log_block_pkey ATTACH PARTITION mesh.log_block_2027_11_pkey;
ALTER INDEX mesh.log_block_subjects ATTACH PARTITION mesh.log_block_2027_11_subjects_idx;
ALTER INDEX mesh.log_block_place ATTACH PARTITION mesh.log_block_2027_11_tenant_id_family_first_seq_idx;
ALTER INDEX mesh.log_block_start ATTACH PARTITION mesh.log_block_2027_11_tenant_id_family_first_time_idx;
ALTER INDEX mesh.log_block_time ATTACH PARTITION mesh.log_block_2027_11_tenant_id_last_time_idx;
ALTER INDEX mesh.log_block_pkey ATTACH PARTITION mesh.log_block_default_pkey;
ALTER INDEX mesh.log_block_subjects ATTACH PARTITION mesh.log_block_default_subjects_idx;
ALTER INDEX mesh.log_block_place ATTACH PARTITION mesh.log_block_default_tenant_id_family_first_seq_idx;
ALTER INDEX mesh.log_block_start ATTACH PARTITION mesh.log_block_default_tenant_id_family_first_time_idx;
ALTER INDEX mesh.log_block_time ATTACH PARTITION mesh.log_block_default_tenant_id_last_time_idx;
CREATE TRIGGER refuse_imported BEFORE UPDATE ON mesh.node_log FOR EACH ROW WHEN ((old.imported = 'done'::text)) EXECUTE FUNCTION mesh.refuse_imported();
