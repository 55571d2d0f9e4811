-- Stores one verified provider event and queues its work.  Repeated with the
-- same key it changes nothing and says so.  An opt-out that the event carries
-- is written in the same transaction (FAILURES T38): p_opt = 'stop' | 'start'.
-- p_payload: what the request says beside its body (our attempt id in the
-- callback URL), for the job.
CREATE OR REPLACE FUNCTION ump.accept_event(p_account integer, p_endpoint uuid, p_key text, p_kind text, p_lane text,
    p_body bytea, p_keep_days integer, p_opt text, p_channel text, p_identifier text, p_payload jsonb,
    OUT event_id bigint, OUT is_new boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_now timestamptz := ump.now();
BEGIN
    event_id := nextval('ump.provider_events_id');
    INSERT INTO ump.inbound_keys (account_id, endpoint_id, event_key, event_id, received_at, keep_days)
    VALUES (p_account, p_endpoint, p_key, event_id, v_now, p_keep_days)
    ON CONFLICT DO NOTHING;
    is_new := FOUND;
    IF NOT is_new THEN
        SELECT k.event_id INTO event_id FROM ump.inbound_keys k
         WHERE k.account_id = p_account AND k.endpoint_id = p_endpoint AND k.event_key = p_key;
        RETURN;
    END IF;
    INSERT INTO ump.provider_events (received_at, id, account_id, endpoint_id, event_key, kind, body)
    VALUES (v_now, event_id, p_account, p_endpoint, p_key, p_kind, p_body);
    INSERT INTO ump.jobs (queue, account_id, endpoint_id, lane, kind, event_id, event_at, payload)
    VALUES ('inbound', p_account, p_endpoint, p_endpoint::text || '/' || p_lane, p_kind, event_id, v_now, p_payload);
    IF p_opt IS NOT NULL THEN
        PERFORM ump.opt_out_set(p_account, p_endpoint, p_channel, p_identifier, p_opt, 'message');
    END IF;
    PERFORM pg_notify('ump_jobs', 'inbound');
END $$;
