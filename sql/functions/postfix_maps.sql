-- What Postfix's pgsql: maps ask (conf/postfix/*.cf), as role ump_postfix.  Each
-- takes whatever Postfix looks up: host names, partial addresses, anything.

-- One row when the client is a declared machine sender's network.
CREATE OR REPLACE FUNCTION ump.postfix_machine_net(p_client text) RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = ump, pg_temp AS $$
BEGIN
    IF p_client !~ '^[0-9.]+$' AND p_client !~ '^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$' THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT 'OK'::text FROM ump.machine_senders m WHERE m.net >>= p_client::inet LIMIT 1;
EXCEPTION WHEN invalid_text_representation THEN
    RETURN;
END $$;

-- The logins that may use this envelope sender: the members of a team for its
-- mailbox, the owner for any address of a user.
CREATE OR REPLACE FUNCTION ump.postfix_sender_logins(p_address text) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ump, pg_temp AS $$
    SELECT i.value FROM ump.teams t
      JOIN ump.team_members m ON m.account_id = t.account_id AND m.team_id = t.id
      JOIN ump.user_identifiers i ON i.account_id = m.account_id AND i.user_id = m.user_id
     WHERE t.mailbox = lower(p_address) AND i.kind IN ('email', 'login')
    UNION
    SELECT l.value FROM ump.user_identifiers a
      JOIN ump.user_identifiers l ON l.account_id = a.account_id AND l.user_id = a.user_id
     WHERE a.kind = 'email' AND a.value = lower(p_address) AND l.kind IN ('email', 'login')
$$;

-- The domain itself when it is one of the gateway's: <channel>.<domain of an account>.
CREATE OR REPLACE FUNCTION ump.postfix_gateway_domain(p_domain text) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ump, pg_temp AS $$
    SELECT lower(p_domain) FROM ump.accounts a
     WHERE a.disabled_at IS NULL
       AND split_part(lower(p_domain), '.', 1) IN ('sms', 'whatsapp', 'signal', 'telegram', 'any', 'notice')
       AND substr(lower(p_domain), strpos(p_domain, '.') + 1) = ANY (a.domains)
     LIMIT 1
$$;
