-- The templates that one endpoint may send, for the policy: asked only when one
-- is chosen, or when free text may not be sent.
CREATE OR REPLACE FUNCTION ump.endpoint_templates(p_account integer, p_endpoint uuid)
RETURNS TABLE (name text, language text, body jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ump, pg_temp AS $$
    SELECT t.name, t.language, t.body FROM ump.message_templates t
     WHERE t.account_id = p_account AND t.endpoint_id = p_endpoint AND t.status = 'approved'
     ORDER BY t.name, t.language LIMIT 500
$$;
