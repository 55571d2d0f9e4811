-- The daily round, small enough for every few minutes: partitions of raw
-- events ahead and behind, dedupe keys past their time, settled deliveries,
-- counters.  Never holds a lock for long: at most p_limit rows of each.
CREATE OR REPLACE FUNCTION ump.maintain(p_event_days integer, p_limit integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_day date;
    v_name text;
    v_n integer := 0;
    v_rows integer;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('ump.maintain')) THEN
        RETURN 0;
    END IF;
    FOR v_day IN SELECT d::date FROM generate_series(ump.now() AT TIME ZONE 'UTC' + interval '1 day',
                                                     ump.now() AT TIME ZONE 'UTC' + interval '3 days', '1 day') d LOOP
        v_name := 'provider_events_' || to_char(v_day, 'YYYYMMDD');
        IF to_regclass('ump.' || v_name) IS NULL THEN
            EXECUTE format('CREATE TABLE ump.%I PARTITION OF ump.provider_events FOR VALUES FROM (%L) TO (%L)',
                           v_name, v_day::timestamp AT TIME ZONE 'UTC', (v_day + 1)::timestamp AT TIME ZONE 'UTC');
            v_n := v_n + 1;
        END IF;
    END LOOP;
    FOR v_name IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                   WHERE i.inhparent = 'ump.provider_events'::regclass AND c.relname ~ '^provider_events_[0-9]{8}$'
                     AND to_date(right(c.relname, 8), 'YYYYMMDD') < (ump.now() - make_interval(days => p_event_days))::date LOOP
        EXECUTE format('DROP TABLE ump.%I', v_name);
        v_n := v_n + 1;
    END LOOP;
    DELETE FROM ump.provider_events_default WHERE ctid IN (SELECT ctid FROM ump.provider_events_default
        WHERE received_at < ump.now() - make_interval(days => p_event_days) LIMIT p_limit);
    DELETE FROM ump.inbound_keys WHERE ctid IN (SELECT ctid FROM ump.inbound_keys
        WHERE received_at < ump.now() - make_interval(days => 14)
          AND received_at < ump.now() - make_interval(days => keep_days) LIMIT p_limit);
    DELETE FROM ump.mail_deliveries WHERE ctid IN (SELECT ctid FROM ump.mail_deliveries
        WHERE created_at < ump.now() - interval '14 days'
          AND (state <> 'pending' OR created_at < ump.now() - interval '60 days') LIMIT p_limit);
    DELETE FROM ump.submissions WHERE ctid IN (SELECT ctid FROM ump.submissions
        WHERE created_at < ump.now() - interval '30 days' LIMIT p_limit);
    DELETE FROM ump.counters WHERE ctid IN (SELECT ctid FROM ump.counters
        WHERE period < ump.now() - interval '40 days' LIMIT p_limit);
    DELETE FROM ump.read_waits WHERE ctid IN (SELECT ctid FROM ump.read_waits  -- of endpoints that nobody looks for any more
        WHERE due_at < ump.now() - interval '14 days' LIMIT p_limit);
    DELETE FROM ump.throttles WHERE ctid IN (SELECT ctid FROM ump.throttles
        WHERE updated_at < clock_timestamp() - interval '1 day' LIMIT p_limit);
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    RETURN v_n + v_rows;
END $$;
