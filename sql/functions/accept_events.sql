-- accept_event for many at once: what a burst of webhooks costs is mostly the
-- statements around each row.  p_bodies holds the raw bodies one behind the
-- other, p_lengths how long each is; '' in the text arrays is NULL.  Gives the
-- places (from 1) of those that were new.
CREATE OR REPLACE FUNCTION ump.accept_events(p_accounts integer[], p_endpoints uuid[], p_keys text[], p_kinds text[],
    p_lanes text[], p_lengths integer[], p_bodies bytea, p_keep_days integer[], p_opts text[], p_channels text[],
    p_identifiers text[], p_attempts text[], OUT fresh integer[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_now timestamptz := ump.now();
BEGIN
    WITH given AS MATERIALIZED (
        SELECT g.*, sum(g.length) OVER (ORDER BY g.n) - g.length AS start
          FROM unnest(p_accounts, p_endpoints, p_keys, p_kinds, p_lanes, p_lengths, p_keep_days, p_attempts)
               WITH ORDINALITY AS g (account, endpoint, key, kind, lane, length, keep_days, attempt, n)
    ), keyed AS (
        INSERT INTO ump.inbound_keys AS k (account_id, endpoint_id, event_key, event_id, received_at, keep_days)
        SELECT g.account, g.endpoint, g.key, nextval('ump.provider_events_id'), v_now, g.keep_days
          FROM given g ORDER BY g.n
        ON CONFLICT DO NOTHING
        RETURNING k.account_id, k.endpoint_id, k.event_key, k.event_id
    ), new AS MATERIALIZED (
        SELECT DISTINCT ON (k.event_id) g.*, k.event_id
          FROM keyed k JOIN given g ON g.account = k.account_id AND g.endpoint = k.endpoint_id AND g.key = k.event_key
         ORDER BY k.event_id, g.n
    ), events AS (
        INSERT INTO ump.provider_events (received_at, id, account_id, endpoint_id, event_key, kind, body)
        SELECT v_now, w.event_id, w.account, w.endpoint, w.key, w.kind,
               substring(p_bodies FROM w.start::integer + 1 FOR w.length)
          FROM new w
    ), jobs AS (
        INSERT INTO ump.jobs (queue, account_id, endpoint_id, lane, kind, event_id, event_at, payload)
        SELECT 'inbound', w.account, w.endpoint, w.endpoint::text || '/' || w.lane, w.kind, w.event_id, v_now,
               CASE WHEN w.attempt <> '' THEN jsonb_build_object('attempt', w.attempt) END
          FROM new w ORDER BY w.n
    )
    SELECT array_agg(w.n::integer ORDER BY w.n) INTO fresh FROM new w;
    IF fresh IS NULL THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT 1 FROM unnest(p_opts) o WHERE o <> '') THEN
        PERFORM ump.opt_out_set(p_accounts[n], p_endpoints[n], p_channels[n], p_identifiers[n], p_opts[n], 'message')
           FROM unnest(fresh) AS n WHERE p_opts[n] <> '' AND p_identifiers[n] <> '' ;
    END IF;
    PERFORM pg_notify('ump_jobs', 'inbound');
END $$;
