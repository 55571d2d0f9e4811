-- The mailboxes of those who administer an account, as a JSON array: who is told
-- when something is wrong.
CREATE OR REPLACE FUNCTION ump.account_admins(p_account integer) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(u.email ORDER BY u.email), '[]') FROM ump.users u
     WHERE u.account_id = p_account AND u.role IN ('owner', 'admin') AND u.disabled_at IS NULL
$$;
