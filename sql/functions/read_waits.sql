-- Read receipts for what came (bridge/receipts/read_out.c).

-- The endpoints that have something to look for now.
CREATE OR REPLACE FUNCTION ump.read_waits_due() RETURNS TABLE (endpoint_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ump, pg_temp SET enable_seqscan = off AS $$
    SELECT DISTINCT w.endpoint_id FROM ump.read_waits w
      JOIN ump.endpoints e ON e.account_id = w.account_id AND e.id = w.endpoint_id AND e.status = 'enabled'
     WHERE w.due_at <= ump.now()
$$;

-- Of an endpoint: up to p_limit messages of one mailbox that it is time to look for, oldest first.  They are looked
-- for again after an eighth of their age, 5 seconds to 10 minutes; what nobody reads in 14 days is let go.
CREATE OR REPLACE FUNCTION ump.read_waits_claim(p_account integer, p_endpoint uuid, p_limit integer)
RETURNS TABLE (message_id uuid, conversation_id uuid, mailbox text, mail_id text, provider_id text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_now timestamptz := ump.now();
BEGIN
    DELETE FROM ump.read_waits w
     WHERE w.account_id = p_account AND w.endpoint_id = p_endpoint AND w.due_at <= v_now
       AND w.created_at < v_now - interval '14 days';
    RETURN QUERY
    WITH head AS (
        SELECT w.mailbox FROM ump.read_waits w
         WHERE w.account_id = p_account AND w.endpoint_id = p_endpoint AND w.due_at <= v_now ORDER BY w.due_at LIMIT 1
    ), due AS (
        SELECT w.message_id FROM ump.read_waits w JOIN head ON head.mailbox = w.mailbox
         WHERE w.account_id = p_account AND w.endpoint_id = p_endpoint AND w.due_at <= v_now
         ORDER BY w.due_at LIMIT p_limit FOR UPDATE OF w SKIP LOCKED
    ), claimed AS (
        UPDATE ump.read_waits w
           SET due_at = v_now + least(greatest((v_now - w.created_at) / 8, interval '5 seconds'), interval '10 minutes')
          FROM due WHERE w.account_id = p_account AND w.endpoint_id = p_endpoint AND w.message_id = due.message_id
        RETURNING w.message_id, w.mailbox
    )
    SELECT m.id, m.conversation_id, c.mailbox, m.mail_message_id, m.provider_id
      FROM claimed c JOIN ump.unified_messages m ON m.account_id = p_account AND m.id = c.message_id
     ORDER BY m.occurred_at, m.seq;
END $$;

-- Their receipts were sent, or the provider did not take them: after five times they are dropped.  How many were dropped.
CREATE OR REPLACE FUNCTION ump.read_waits_settle(p_account integer, p_endpoint uuid, p_messages uuid[], p_sent boolean) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_n integer;
BEGIN
    UPDATE ump.read_waits w SET attempts = w.attempts + 1
     WHERE w.account_id = p_account AND w.endpoint_id = p_endpoint AND w.message_id = ANY (p_messages) AND NOT p_sent;
    DELETE FROM ump.read_waits w
     WHERE w.account_id = p_account AND w.endpoint_id = p_endpoint AND w.message_id = ANY (p_messages)
       AND (p_sent OR w.attempts >= 5);
    GET DIAGNOSTICS v_n = ROW_COUNT;
    RETURN CASE WHEN p_sent THEN 0 ELSE v_n END;
END $$;

-- The user has read it with a device of his own: no receipt of ours is due, and where p_show the mail becomes \Seen
-- (receipts job "keyword": user, mail_id, keyword, everywhere).  False: no such message came.
CREATE OR REPLACE FUNCTION ump.read_by_us(p_account integer, p_endpoint uuid, p_provider_id text, p_show boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_message uuid;
    v_mail_id text;
BEGIN
    SELECT m.id, m.mail_message_id INTO v_message, v_mail_id FROM ump.unified_messages m
     WHERE m.account_id = p_account AND m.provider_id = p_provider_id AND m.endpoint_id = p_endpoint AND m.direction = 'inbound' LIMIT 1;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM ump.read_waits w WHERE w.account_id = p_account AND w.endpoint_id = p_endpoint AND w.message_id = v_message;
    IF p_show THEN
        INSERT INTO ump.jobs (queue, account_id, lane, kind, message_id, payload, unique_key)
        SELECT 'receipts', p_account, v_message::text || '/keyword', 'keyword', v_message,
               jsonb_build_object('user', coalesce(u.email, t.mailbox), 'mail_id', v_mail_id, 'keyword', '\Seen', 'everywhere', true),
               format('keyword:%s:%s:%s', p_account, v_message, '\Seen')
          FROM ump.endpoints e
          LEFT JOIN ump.users u ON e.owner_kind = 'user' AND u.account_id = e.account_id AND u.id = e.owner_id
          LEFT JOIN ump.teams t ON e.owner_kind = 'team' AND t.account_id = e.account_id AND t.id = e.owner_id
         WHERE e.account_id = p_account AND e.id = p_endpoint AND coalesce(u.email, t.mailbox) IS NOT NULL
        ON CONFLICT DO NOTHING;
        PERFORM pg_notify('ump_jobs', 'receipts');
    END IF;
    RETURN true;
END $$;

-- Somebody has changed flags in this mailbox: the latest that wait there are looked for now.
CREATE OR REPLACE FUNCTION ump.read_hint(p_mailbox text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_now timestamptz := ump.now();
    v_n integer;
BEGIN
    UPDATE ump.read_waits w SET due_at = v_now
      FROM (SELECT x.account_id, x.endpoint_id, x.message_id FROM ump.read_waits x WHERE x.mailbox = p_mailbox
             ORDER BY x.created_at DESC LIMIT 100 FOR UPDATE SKIP LOCKED) l
     WHERE w.account_id = l.account_id AND w.endpoint_id = l.endpoint_id AND w.message_id = l.message_id AND w.due_at > v_now;
    GET DIAGNOSTICS v_n = ROW_COUNT;
    RETURN v_n;
END $$;
