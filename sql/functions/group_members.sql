-- Who is in the group behind a provider's key, as far as we know; NULL: no such group.
CREATE OR REPLACE FUNCTION ump.group_members(p_account integer, p_endpoint uuid, p_key text) RETURNS text[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ump, pg_temp AS $$
    SELECT g.members FROM ump.chat_groups g WHERE g.account_id = p_account AND g.endpoint_id = p_endpoint AND g.group_key = p_key
$$;
