-- The provider says how a template stands now ("approved", "paused" …): of each
-- endpoint that shares the business account of the one that was told.  By its
-- name (p_language NULL: in each language), or by the provider's own id.  How
-- many there are; 0: none that we know.
CREATE OR REPLACE FUNCTION ump.template_status(p_account integer, p_endpoint uuid, p_name text, p_language text, p_id text,
    p_status text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_count integer;
BEGIN
    UPDATE ump.message_templates t SET status = p_status
      FROM ump.endpoints told
      JOIN ump.endpoints e ON e.account_id = told.account_id AND e.provider = told.provider AND e.channel = told.channel
       AND e.settings->>'waba_id' IS NOT DISTINCT FROM told.settings->>'waba_id'
     WHERE told.account_id = p_account AND told.id = p_endpoint AND t.account_id = e.account_id AND t.endpoint_id = e.id
       AND ((t.name = p_name AND (p_language IS NULL OR t.language = p_language)) OR t.body->>'id' = p_id);
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;
