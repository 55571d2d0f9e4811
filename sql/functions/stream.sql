-- Takes or renews the lease of an endpoint's stream; false: another holds it.
-- A lease lasts on while the database is down: nobody else can take it then.
CREATE OR REPLACE FUNCTION ump.stream_lease(p_account integer, p_endpoint uuid, p_holder text, p_for interval) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    INSERT INTO ump.stream_leases AS l (account_id, endpoint_id, holder, lease_until)
    SELECT e.account_id, e.id, p_holder, v_now + p_for FROM ump.endpoints e WHERE e.account_id = p_account AND e.id = p_endpoint
    ON CONFLICT (account_id, endpoint_id) DO UPDATE SET holder = p_holder, lease_until = v_now + p_for
     WHERE l.holder = p_holder OR l.lease_until < v_now;
    RETURN FOUND;
END $$;

-- Gives it back: another may take it at once.
CREATE OR REPLACE FUNCTION ump.stream_release(p_account integer, p_endpoint uuid, p_holder text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
BEGIN
    DELETE FROM ump.stream_leases WHERE account_id = p_account AND endpoint_id = p_endpoint AND holder = p_holder;
    RETURN FOUND;
END $$;

-- Where its server-sent events go on: the id of the last one that is durable
-- ('': ids have begun anew; NULL: only ask), from whom holds the lease alone.
CREATE OR REPLACE FUNCTION ump.stream_position(p_account integer, p_endpoint uuid, p_holder text, p_source text, p_id text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
BEGIN
    IF p_id IS NOT NULL THEN
        INSERT INTO ump.stream_positions AS p (account_id, endpoint_id, source, last_event_id)
        SELECT l.account_id, l.endpoint_id, p_source, p_id FROM ump.stream_leases l
         WHERE l.account_id = p_account AND l.endpoint_id = p_endpoint AND l.holder = p_holder
        ON CONFLICT (account_id, endpoint_id) DO UPDATE SET source = p_source, last_event_id = p_id;
    END IF;
    RETURN (SELECT last_event_id FROM ump.stream_positions
             WHERE account_id = p_account AND endpoint_id = p_endpoint AND source = p_source);
END $$;
