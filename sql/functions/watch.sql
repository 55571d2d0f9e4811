-- Silent channels (bridge/inbound/watch.c).  The watermark "watch:<endpoint>":
-- value 0 well, 1 one look found a fault, 2 its owner was told; scanned_at, when
-- the last look began: one program looks at a time.

-- Whether it is time for a look; and whether nothing came for longer than
-- p_silent_after (NULL: that is no fault).  The first look is one interval after
-- the endpoint was added.
CREATE OR REPLACE FUNCTION ump.watch_begin(p_account integer, p_endpoint uuid, p_every interval, p_silent_after interval,
                                           OUT due boolean, OUT silent boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_now timestamptz := ump.now();
BEGIN
    INSERT INTO ump.watermarks (name, scanned_at)
    SELECT 'watch:' || e.id, e.created_at FROM ump.endpoints e WHERE e.account_id = p_account AND e.id = p_endpoint
    ON CONFLICT DO NOTHING;
    UPDATE ump.watermarks SET scanned_at = v_now WHERE name = 'watch:' || p_endpoint AND scanned_at <= v_now - p_every;
    due := FOUND;
    silent := due AND p_silent_after IS NOT NULL
        AND EXISTS (SELECT 1 FROM ump.endpoints e WHERE e.account_id = p_account AND e.id = p_endpoint
                       AND e.created_at < v_now - p_silent_after)
        AND NOT EXISTS (SELECT 1 FROM ump.inbound_keys k WHERE k.account_id = p_account AND k.endpoint_id = p_endpoint
                           AND k.received_at > v_now - p_silent_after);
END $$;

-- What the look found; NULL: all is well.  At the second look in a row that finds
-- a fault its owner and the account's administrators are told, once, and again
-- when it is over.  Returns the kind of what was told: endpoint-silent,
-- endpoint-back; NULL: nothing.
CREATE OR REPLACE FUNCTION ump.watch_end(p_account integer, p_endpoint uuid, p_fault text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_name text := 'watch:' || p_endpoint;
    v_before bigint;
    v_kind text;
BEGIN
    SELECT value INTO v_before FROM ump.watermarks WHERE name = v_name FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    UPDATE ump.watermarks SET value = CASE WHEN p_fault IS NULL THEN 0 ELSE least(v_before + 1, 2) END WHERE name = v_name;
    v_kind := CASE WHEN p_fault IS NULL AND v_before = 2 THEN 'endpoint-back'
                   WHEN p_fault IS NOT NULL AND v_before = 1 THEN 'endpoint-silent' END;
    IF v_kind IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO ump.jobs (queue, account_id, endpoint_id, lane, kind, payload)
    SELECT 'receipts', p_account, p_endpoint, 'alarm:' || p_account, v_kind,
           jsonb_build_object('endpoint', e.channel || ':' || e.address, 'provider', e.provider, 'fault', p_fault, 'to',
               (SELECT coalesce(jsonb_agg(DISTINCT w.mailbox), '[]')
                  FROM (SELECT coalesce(u.email, t.mailbox) UNION ALL SELECT jsonb_array_elements_text(ump.account_admins(p_account))) w (mailbox)
                 WHERE w.mailbox IS NOT NULL))
      FROM ump.endpoints e
      LEFT JOIN ump.users u ON u.account_id = e.account_id AND u.id = e.owner_id AND e.owner_kind = 'user'
      LEFT JOIN ump.teams t ON t.account_id = e.account_id AND t.id = e.owner_id AND e.owner_kind = 'team'
     WHERE e.account_id = p_account AND e.id = p_endpoint;
    PERFORM pg_notify('ump_jobs', 'receipts');
    RETURN v_kind;
END $$;

-- How many endpoints are held to be cut off, their owners told.
CREATE OR REPLACE FUNCTION ump.endpoints_cut_off() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ump, pg_temp AS $$
    SELECT count(*) FROM ump.watermarks w JOIN ump.endpoints e ON w.name = 'watch:' || e.id
     WHERE w.value = 2 AND e.status = 'enabled' AND coalesce((e.settings->>'watch')::bigint, 1) > 0
$$;
