-- Polls of providers for what their webhooks lost (bridge/inbound/poll.c).  The
-- watermark "poll:<endpoint>" is the time (µs since 1970) before which nothing is
-- missing; scanned_at, when the last poll began: one program polls at a time.

-- Since when to ask; NULL: it is not time yet.  A first poll goes back to the
-- endpoint's beginning, a day at most.
CREATE OR REPLACE FUNCTION ump.poll_begin(p_account integer, p_endpoint uuid, p_every interval) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_now timestamptz := ump.now();
    v_value bigint;
BEGIN
    INSERT INTO ump.watermarks (name, value)
    SELECT 'poll:' || e.id, extract(epoch FROM greatest(e.created_at, v_now - interval '1 day')) * 1000000
      FROM ump.endpoints e WHERE e.account_id = p_account AND e.id = p_endpoint
    ON CONFLICT DO NOTHING;
    UPDATE ump.watermarks SET scanned_at = v_now
     WHERE name = 'poll:' || p_endpoint AND scanned_at <= v_now - p_every
    RETURNING value INTO v_value;
    RETURN to_timestamp(v_value / 1000000.0);
END $$;

-- Everything before p_until has been looked at and stored.
CREATE OR REPLACE FUNCTION ump.poll_end(p_endpoint uuid, p_until timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
BEGIN
    UPDATE ump.watermarks SET value = greatest(value, (extract(epoch FROM p_until) * 1000000)::bigint)
     WHERE name = 'poll:' || p_endpoint;
    RETURN FOUND;
END $$;
