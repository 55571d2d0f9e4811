-- One endpoint as a program needs it; NULL id: all that are enabled.  version
-- rises with every change, and ump_endpoints is notified.
CREATE OR REPLACE FUNCTION ump.endpoint_get(p_id uuid)
RETURNS TABLE (account_id integer, id uuid, channel text, provider text, address text, owner_kind text, owner_id uuid,
               settings jsonb, secrets bytea, status text, version integer, account_settings jsonb, region text,
               domain text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ump, pg_temp AS $$
    SELECT e.account_id, e.id, e.channel, e.provider, e.address, e.owner_kind, e.owner_id, e.settings, e.secrets, e.status,
           e.version, a.settings, a.region, coalesce(split_part(CASE e.owner_kind
               WHEN 'user' THEN (SELECT u.email FROM ump.users u WHERE u.account_id = e.account_id AND u.id = e.owner_id)
               ELSE (SELECT t.mailbox FROM ump.teams t WHERE t.account_id = e.account_id AND t.id = e.owner_id) END, '@', 2),
               a.domains[1])
      FROM ump.endpoints e JOIN ump.accounts a ON a.id = e.account_id
     WHERE (p_id IS NULL OR e.id = p_id) AND e.status <> 'removed' AND a.disabled_at IS NULL
$$;

-- A failure of the provider's that concerns the whole sender (bad key, daily
-- limit): nothing is claimed for it until then.  p_version: of the endpoint as the
-- request was made; what has been changed since may be what was wrong: no hold.
DROP FUNCTION IF EXISTS ump.endpoint_hold(integer, uuid, interval, text);
CREATE OR REPLACE FUNCTION ump.endpoint_hold(p_account integer, p_id uuid, p_version integer, p_for interval, p_why text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
BEGIN
    UPDATE ump.endpoints SET held_until = clock_timestamp() + p_for, held_why = p_why
     WHERE account_id = p_account AND id = p_id AND version = p_version AND coalesce(held_until, '-infinity') < clock_timestamp() + p_for;
    IF FOUND THEN
        INSERT INTO ump.audit_log (account_id, at, actor, action, object, detail)
        VALUES (p_account, ump.now(), 'ump-bridge', 'endpoint.hold', p_id::text,
                jsonb_build_object('for', p_for::text, 'why', p_why));
    END IF;
    RETURN FOUND;
END $$;

CREATE OR REPLACE FUNCTION ump.endpoint_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (new.settings, new.secrets, new.status, new.owner_id, new.address)
                            IS DISTINCT FROM (old.settings, old.secrets, old.status, old.owner_id, old.address) THEN
        new.version := old.version + 1;
        new.held_until := NULL;     -- what it was held for may be mended: try
        new.held_why := NULL;
    END IF;
    PERFORM pg_notify('ump_endpoints', new.id::text);
    RETURN new;
END $$;
DROP TRIGGER IF EXISTS endpoint_changed ON ump.endpoints;
CREATE TRIGGER endpoint_changed BEFORE INSERT OR UPDATE ON ump.endpoints
    FOR EACH ROW EXECUTE FUNCTION ump.endpoint_changed();
