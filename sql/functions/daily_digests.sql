-- The daily digest (setting digest of an endpoint): one mail to each owner about
-- all of his endpoints that have it, when it is p_at after midnight where he is.
-- The watermark "digest:<account>:<owner>" is the first day, counted from 1970,
-- that he was not told of; so each day is told once, whoever asks and however
-- often.  What was missed is made up for, a week at most; days on which nothing
-- happened make no mail.  At most p_limit owners at a time; returns how many.
CREATE OR REPLACE FUNCTION ump.daily_digests(p_at interval, p_limit integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v record;
    v_today date;
    v_first date;
    v_name text;
    v_records json;
    v_count integer := 0;
BEGIN
    FOR v IN
        SELECT e.account_id, e.owner_id, array_agg(e.id) AS endpoints, coalesce(min(u.email), min(t.mailbox)) AS mailbox,
               ump.zone_of(coalesce(min(u.settings->>'time_zone'), min(a.settings->>'time_zone'))) AS zone
          FROM ump.endpoints e
          JOIN ump.accounts a ON a.id = e.account_id AND a.disabled_at IS NULL
          LEFT JOIN ump.users u ON u.account_id = e.account_id AND u.id = e.owner_id AND e.owner_kind = 'user' AND u.disabled_at IS NULL
          LEFT JOIN ump.teams t ON t.account_id = e.account_id AND t.id = e.owner_id AND e.owner_kind = 'team'
         WHERE e.status <> 'removed' AND e.settings @> '{"digest": true}' AND (u.id IS NOT NULL OR t.id IS NOT NULL)
         GROUP BY e.account_id, e.owner_id ORDER BY e.account_id, e.owner_id
    LOOP
        EXIT WHEN v_count >= p_limit;
        v_name := 'digest:' || v.account_id || ':' || v.owner_id;
        v_today := ((ump.now() AT TIME ZONE v.zone) - p_at)::date;
        INSERT INTO ump.watermarks (name, value)
        SELECT v_name, v_today - date '1970-01-01' WHERE NOT EXISTS (SELECT 1 FROM ump.watermarks WHERE name = v_name)
        ON CONFLICT DO NOTHING;
        SELECT greatest(date '1970-01-01' + w.value::integer, v_today - 7) INTO v_first
          FROM ump.watermarks w WHERE w.name = v_name AND w.value < v_today - date '1970-01-01' FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        UPDATE ump.watermarks SET value = v_today - date '1970-01-01', scanned_at = ump.now() WHERE name = v_name;
        v_count := v_count + 1;
        SELECT json_agg(s.record ORDER BY s.day, s.endpoint) INTO v_records
          FROM ump.stats(v.account_id, v_first, v_today, v.zone, v.endpoints) s;
        CONTINUE WHEN v_records IS NULL;
        INSERT INTO ump.jobs (queue, account_id, lane, kind, payload)
        VALUES ('receipts', v.account_id, v_name, 'daily-digest',
                jsonb_build_object('to', jsonb_build_array(v.mailbox), 'first', v_first, 'last', v_today - 1, 'zone', v.zone,
                                   'records', v_records));
        PERFORM pg_notify('ump_jobs', 'receipts');
    END LOOP;
    RETURN v_count;
END $$;
