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
