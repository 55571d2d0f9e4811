CREATE OR REPLACE FUNCTION ump.opted_out(p_account integer, p_endpoint uuid, p_channel text, p_identifier text)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM ump.message_opt_outs
                    WHERE account_id = p_account AND channel = p_channel AND identifier = p_identifier
                      AND endpoint_id IN ('00000000-0000-0000-0000-000000000000', p_endpoint))
$$;
