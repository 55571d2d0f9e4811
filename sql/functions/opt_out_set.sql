-- 'stop' blocks sending to a contact, 'start' lifts it; for the whole account,
-- or for this endpoint where the account's setting opt_out_scope says so.
CREATE OR REPLACE FUNCTION ump.opt_out_set(p_account integer, p_endpoint uuid, p_channel text, p_identifier text,
                                           p_what text, p_source text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_scope uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    IF EXISTS (SELECT 1 FROM ump.accounts WHERE id = p_account AND settings->>'opt_out_scope' = 'endpoint') THEN
        v_scope := p_endpoint;
    END IF;
    IF p_what = 'stop' THEN
        INSERT INTO ump.message_opt_outs (account_id, channel, identifier, endpoint_id, source, created_at)
        VALUES (p_account, p_channel, p_identifier, v_scope, p_source, ump.now()) ON CONFLICT DO NOTHING;
    ELSE
        DELETE FROM ump.message_opt_outs
         WHERE account_id = p_account AND channel = p_channel AND identifier = p_identifier AND endpoint_id = v_scope;
    END IF;
    IF FOUND THEN
        INSERT INTO ump.audit_log (account_id, at, actor, action, object)
        VALUES (p_account, ump.now(), p_source, 'opt-out.' || p_what, p_channel || ':' || p_identifier);
    END IF;
    RETURN FOUND;
END $$;
