-- A STOP and the news that two ids are one line must not pass each other by.
CREATE OR REPLACE FUNCTION ump.opt_out_lock(p_account integer, p_channel text) RETURNS void
LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('opt-out:' || p_account || ':' || p_channel, 0))
$$;

-- 'stop' blocks sending to a person, by all ids that the network has for him;
-- 'start' lifts it; for the whole account, or for this endpoint where the account's
-- setting opt_out_scope says so.  An id that is learned later: contact_alias.
CREATE OR REPLACE FUNCTION ump.opt_out_set(p_account integer, p_endpoint uuid, p_channel text, p_identifier text,
                                           p_what text, p_source text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_scope uuid := '00000000-0000-0000-0000-000000000000';
    v_changed text[];
BEGIN
    PERFORM ump.opt_out_lock(p_account, p_channel);
    IF EXISTS (SELECT 1 FROM ump.accounts WHERE id = p_account AND settings->>'opt_out_scope' = 'endpoint') THEN
        v_scope := p_endpoint;
    END IF;
    IF p_what = 'stop' THEN
        WITH made AS (
            INSERT INTO ump.message_opt_outs (account_id, channel, identifier, endpoint_id, source, created_at)
            SELECT p_account, p_channel, s.id, v_scope, p_source, ump.now()
              FROM ump.same_identifiers(p_account, p_channel, p_identifier) s (id) ORDER BY s.id
            ON CONFLICT DO NOTHING RETURNING identifier)
        SELECT array_agg(m.identifier) INTO v_changed FROM made m;
    ELSE
        WITH gone AS (
            DELETE FROM ump.message_opt_outs
             WHERE account_id = p_account AND channel = p_channel AND endpoint_id = v_scope
               AND identifier IN (SELECT s.id FROM ump.same_identifiers(p_account, p_channel, p_identifier) s (id))
            RETURNING identifier)
        SELECT array_agg(g.identifier) INTO v_changed FROM gone g;
    END IF;
    INSERT INTO ump.audit_log (account_id, at, actor, action, object)
    SELECT p_account, ump.now(), p_source, 'opt-out.' || p_what, p_channel || ':' || c.id FROM unnest(v_changed) c (id);
    RETURN v_changed IS NOT NULL;
END $$;
