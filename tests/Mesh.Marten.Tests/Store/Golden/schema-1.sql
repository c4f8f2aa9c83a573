-- What a program with version 1 of the schema left after two nodes had met: pg_dump --schema=mesh --inserts --no-owner, made once and never changed.
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
CREATE TABLE mesh.bootstrap_cache_1 (
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
CREATE VIEW mesh.bootstrap_cache AS
 SELECT bootstrap_cache_1.node_id,
    bootstrap_cache_1.peer,
    bootstrap_cache_1.endpoints,
    bootstrap_cache_1.certificate,
    bootstrap_cache_1.origin,
    bootstrap_cache_1.added_at,
    bootstrap_cache_1.last_connected_at,
    bootstrap_cache_1.is_confirmed,
    bootstrap_cache_1.failures,
    bootstrap_cache_1.last_failed_at,
    lower(bootstrap_cache_1.valid) AS since,
    bootstrap_cache_1.from_seq
   FROM mesh.bootstrap_cache_1
  WHERE (bootstrap_cache_1.to_seq IS NULL);
CREATE VIEW mesh.bootstrap_cache_history AS
 SELECT bootstrap_cache_1.node_id,
    bootstrap_cache_1.peer,
    bootstrap_cache_1.endpoints,
    bootstrap_cache_1.certificate,
    bootstrap_cache_1.origin,
    bootstrap_cache_1.added_at,
    bootstrap_cache_1.last_connected_at,
    bootstrap_cache_1.is_confirmed,
    bootstrap_cache_1.failures,
    bootstrap_cache_1.last_failed_at,
    bootstrap_cache_1.valid,
    bootstrap_cache_1.from_seq,
    bootstrap_cache_1.to_seq
   FROM mesh.bootstrap_cache_1;
CREATE TABLE mesh.connection_history_1 (
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
 SELECT connection_history_1.node_id,
    connection_history_1.connection,
    connection_history_1.peer,
    connection_history_1.remote,
    connection_history_1.direction,
    connection_history_1.opened_at,
    connection_history_1.closed_at,
    connection_history_1.reason,
    connection_history_1.bytes_sent,
    connection_history_1.bytes_received,
    connection_history_1.messages_sent,
    connection_history_1.messages_received,
    connection_history_1.opened_seq,
    connection_history_1.closed_seq
   FROM mesh.connection_history_1;
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
CREATE TABLE mesh.node_log (
    tenant_id character varying NOT NULL,
    epoch integer NOT NULL,
    node_seq bigint NOT NULL,
    "time" timestamp with time zone NOT NULL
);
COMMENT ON TABLE mesh.node_log IS 'The end of each node''s log: the epoch that may append, the last place and its time.';
CREATE TABLE mesh.peer_directory_1 (
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
CREATE VIEW mesh.peer_directory AS
 SELECT peer_directory_1.node_id,
    peer_directory_1.peer,
    peer_directory_1.instance,
    peer_directory_1.kind,
    peer_directory_1.endpoints,
    peer_directory_1.agent,
    peer_directory_1.joined_at,
    lower(peer_directory_1.valid) AS since,
    peer_directory_1.from_seq
   FROM mesh.peer_directory_1
  WHERE (peer_directory_1.to_seq IS NULL);
CREATE VIEW mesh.peer_directory_history AS
 SELECT peer_directory_1.node_id,
    peer_directory_1.peer,
    peer_directory_1.instance,
    peer_directory_1.kind,
    peer_directory_1.endpoints,
    peer_directory_1.agent,
    peer_directory_1.joined_at,
    peer_directory_1.valid,
    peer_directory_1.from_seq,
    peer_directory_1.to_seq
   FROM mesh.peer_directory_1;
CREATE TABLE mesh.projection (
    name text NOT NULL,
    generation integer NOT NULL
);
COMMENT ON TABLE mesh.projection IS 'Which generation of its tables each projection''s views show.';
CREATE TABLE mesh.projection_position (
    name text NOT NULL,
    generation integer NOT NULL,
    tenant_id character varying NOT NULL,
    node_seq bigint NOT NULL
);
COMMENT ON TABLE mesh.projection_position IS 'Up to which place of each node''s log a projection has folded.';
CREATE TABLE mesh.schema_version (
    version integer NOT NULL,
    single boolean DEFAULT true NOT NULL,
    CONSTRAINT schema_version_single_check CHECK (single)
);
INSERT INTO mesh.bootstrap_cache_1 VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka', '{127.0.0.1:45992}', '\x308201b230820159a00302010202084659d1eac14976ef300a06082a8648ce3d040302303f313d303b060355040313343369676965367935613378686f643766356e716f69756768637464717179636a6437323467777670336162717565746676706b61301e170d3236313132323031303731395a170d3331313132323031303731395a303f313d303b060355040313343369676965367935613378686f643766356e716f69756768637464717179636a6437323467777670336162717565746676706b613059301306072a8648ce3d020106082a8648ce3d03010703420004135153701d8258c2ee77b75c3277025bbf6af3697cbeb6a162da8f6cc8e5b59940ab00c94768f6f26f9bf77ab536a7714bfe81be8926acc0c840f81d37df12b8a33f303d300c0603551d130101ff04023000300e0603551d0f0101ff040403020780301d0603551d250416301406082b0601050507030106082b06010505070302300a06082a8648ce3d0403020347003044022042d7b56e9fa0d0b86b665aaf452421fd4bd5f371edf74797b8f30e252aec517a02202c886cc4306b8f1a772cfbd643fe4f6d4352592cdad03d9dd42a52207b1a5e01', 'inbound', '2026-11-23 01:07:20.908086+00', '2026-11-23 01:07:20.908086+00', false, 0, NULL, '["2026-11-23 01:07:20.908086+00","2026-11-23 01:07:25.434013+00")', 8, 12);
INSERT INTO mesh.bootstrap_cache_1 VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka', '{127.0.0.1:45992}', '\x308201b230820159a00302010202084659d1eac14976ef300a06082a8648ce3d040302303f313d303b060355040313343369676965367935613378686f643766356e716f69756768637464717179636a6437323467777670336162717565746676706b61301e170d3236313132323031303731395a170d3331313132323031303731395a303f313d303b060355040313343369676965367935613378686f643766356e716f69756768637464717179636a6437323467777670336162717565746676706b613059301306072a8648ce3d020106082a8648ce3d03010703420004135153701d8258c2ee77b75c3277025bbf6af3697cbeb6a162da8f6cc8e5b59940ab00c94768f6f26f9bf77ab536a7714bfe81be8926acc0c840f81d37df12b8a33f303d300c0603551d130101ff04023000300e0603551d0f0101ff040403020780301d0603551d250416301406082b0601050507030106082b06010505070302300a06082a8648ce3d0403020347003044022042d7b56e9fa0d0b86b665aaf452421fd4bd5f371edf74797b8f30e252aec517a02202c886cc4306b8f1a772cfbd643fe4f6d4352592cdad03d9dd42a52207b1a5e01', 'inbound', '2026-11-23 01:07:20.908086+00', '2026-11-23 01:07:20.908086+00', false, 1, '2026-11-23 01:07:25.434013+00', '["2026-11-23 01:07:25.434013+00",)', 12, NULL);
INSERT INTO mesh.connection_history_1 VALUES ('f3912daf-2b72-45be-b41c-d0d033c78b94', '01a205f1-77bd-7eb1-9a28-3d17dbd660cd', 'hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa', '127.0.0.1:45991', 'outbound', '2026-11-23 01:07:20.809438+00', '2026-11-23 01:07:25.309904+00', 'shutdown', 0, 0, 0, 0, 5, 11);
INSERT INTO mesh.connection_history_1 VALUES ('f3912daf-2b72-45be-b41c-d0d033c78b94', '01a205f1-7899-7436-9a9a-03f4db26ffb9', 'hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa', '127.0.0.1:38283', 'inbound', '2026-11-23 01:07:20.879755+00', '2026-11-23 01:07:25.315908+00', 'shutdown', 0, 0, 0, 0, 6, 12);
INSERT INTO mesh.connection_history_1 VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '01a205f1-77b6-7a74-b02f-b1aae79f4611', '3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka', '127.0.0.1:45992', 'inbound', '2026-11-23 01:07:20.810343+00', '2026-11-23 01:07:25.323965+00', 'peerShutdown', 0, 0, 0, 0, 4, 9);
INSERT INTO mesh.connection_history_1 VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '01a205f1-788c-78c5-9d2d-64eeffeb35ec', '3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka', '127.0.0.1:45992', 'outbound', '2026-11-23 01:07:20.870619+00', '2026-11-23 01:07:25.325346+00', 'peerShutdown', 0, 0, 0, 0, 5, 10);
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
INSERT INTO mesh.mt_streams VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', 'trust', NULL, 1, '2026-11-23 01:07:20.826572+00', '2026-11-23 01:07:20.826572+00', 0, false);
INSERT INTO mesh.mt_streams VALUES ('f3912daf-2b72-45be-b41c-d0d033c78b94', 'trust', NULL, 2, '2026-11-23 01:07:20.905472+00', '2026-11-23 01:07:20.831697+00', 0, false);
INSERT INTO mesh.mt_streams VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', 'cache/2026-11', NULL, 1, '2026-11-23 01:07:20.951925+00', '2026-11-23 01:07:20.951925+00', 0, false);
INSERT INTO mesh.mt_streams VALUES ('f3912daf-2b72-45be-b41c-d0d033c78b94', 'peers/2026-11', NULL, 7, '2026-11-23 01:07:25.324998+00', '2026-11-23 01:07:20.831697+00', 0, false);
INSERT INTO mesh.mt_streams VALUES ('f3912daf-2b72-45be-b41c-d0d033c78b94', 'node', NULL, 5, '2026-11-23 01:07:25.358114+00', '2026-11-23 01:07:20.095233+00', 0, false);
INSERT INTO mesh.mt_streams VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', 'peers/2026-11', NULL, 8, '2026-11-23 01:07:25.452713+00', '2026-11-23 01:07:20.826572+00', 0, false);
INSERT INTO mesh.mt_streams VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', 'node', NULL, 4, '2026-11-23 01:07:29.300112+00', '2026-11-23 01:07:18.440899+00', 0, false);
INSERT INTO mesh.node_log VALUES ('f3912daf-2b72-45be-b41c-d0d033c78b94', 1, 14, '2026-11-23 01:07:25.357454+00');
INSERT INTO mesh.node_log VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', 1, 14, '2026-11-23 01:07:29.297062+00');
INSERT INTO mesh.peer_directory_1 VALUES ('f3912daf-2b72-45be-b41c-d0d033c78b94', 'hcggnlppm6xef7ej6uzhicjwob35szlbhqbt6obwdlcfudcrc6wa', 'a854ae47-f126-4248-949f-0e636e6e2163', 'node', '{127.0.0.1:45991}', 'EventMesh/0.1.0', '2026-11-23 01:07:20.882684+00', '["2026-11-23 01:07:20.882684+00","2026-11-23 01:07:25.317302+00")', 8, 13);
INSERT INTO mesh.peer_directory_1 VALUES ('f1f03039-3c6e-4d15-8c5e-765dd3c91b78', '3igie6y5a3xhod7f5nqoiughctdqqycjd724gwvp3abquetfvpka', 'ff40eac4-d126-47fe-8ae3-01dc75a286e3', 'node', '{127.0.0.1:45992}', 'EventMesh/0.1.0', '2026-11-23 01:07:20.885117+00', '["2026-11-23 01:07:20.885117+00","2026-11-23 01:07:25.325909+00")', 7, 11);
INSERT INTO mesh.projection VALUES ('bootstrap_cache', 1);
INSERT INTO mesh.projection VALUES ('peer_directory', 1);
INSERT INTO mesh.projection VALUES ('connection_history', 1);
INSERT INTO mesh.projection_position VALUES ('peer_directory', 1, 'f3912daf-2b72-45be-b41c-d0d033c78b94', 14);
INSERT INTO mesh.projection_position VALUES ('connection_history', 1, 'f3912daf-2b72-45be-b41c-d0d033c78b94', 14);
INSERT INTO mesh.projection_position VALUES ('bootstrap_cache', 1, 'f3912daf-2b72-45be-b41c-d0d033c78b94', 14);
INSERT INTO mesh.projection_position VALUES ('bootstrap_cache', 1, 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', 14);
INSERT INTO mesh.projection_position VALUES ('peer_directory', 1, 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', 14);
INSERT INTO mesh.projection_position VALUES ('connection_history', 1, 'f1f03039-3c6e-4d15-8c5e-765dd3c91b78', 14);
INSERT INTO mesh.schema_version VALUES (1, true);
SELECT pg_catalog.setval('mesh.mt_events_sequence', 28, true);
ALTER TABLE ONLY mesh.bootstrap_cache_1
    ADD CONSTRAINT bootstrap_cache_1_pkey PRIMARY KEY (node_id, peer, from_seq);
ALTER TABLE ONLY mesh.connection_history_1
    ADD CONSTRAINT connection_history_1_pkey PRIMARY KEY (node_id, connection);
ALTER TABLE ONLY mesh.node_log
    ADD CONSTRAINT node_log_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY mesh.peer_directory_1
    ADD CONSTRAINT peer_directory_1_pkey PRIMARY KEY (node_id, peer, from_seq);
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
ALTER TABLE ONLY mesh.projection
    ADD CONSTRAINT projection_pkey PRIMARY KEY (name);
ALTER TABLE ONLY mesh.projection_position
    ADD CONSTRAINT projection_position_pkey PRIMARY KEY (name, generation, tenant_id);
ALTER TABLE ONLY mesh.schema_version
    ADD CONSTRAINT schema_version_pkey PRIMARY KEY (single);
CREATE UNIQUE INDEX bootstrap_cache_1_current ON mesh.bootstrap_cache_1 USING btree (node_id, peer) WHERE (to_seq IS NULL);
CREATE INDEX bootstrap_cache_1_valid ON mesh.bootstrap_cache_1 USING gist (valid);
CREATE INDEX connection_history_1_peer ON mesh.connection_history_1 USING btree (node_id, peer, opened_seq);
CREATE UNIQUE INDEX connection_history_1_place ON mesh.connection_history_1 USING btree (node_id, opened_seq);
CREATE UNIQUE INDEX idx_mt_events_event_id ON mesh.mt_events USING btree (id);
CREATE UNIQUE INDEX mesh_events_place ON mesh.mt_events USING btree (tenant_id, (((headers ->> 'seq'::text))::bigint));
CREATE UNIQUE INDEX peer_directory_1_current ON mesh.peer_directory_1 USING btree (node_id, peer) WHERE (to_seq IS NULL);
CREATE INDEX peer_directory_1_valid ON mesh.peer_directory_1 USING gist (valid);
CREATE UNIQUE INDEX pk_mt_events_stream_and_version ON mesh.mt_events USING btree (tenant_id, stream_id, version);
ALTER TABLE ONLY mesh.mt_events
    ADD CONSTRAINT fkey_mt_events_stream_id_tenant_id FOREIGN KEY (tenant_id, stream_id) REFERENCES mesh.mt_streams(tenant_id, id);
