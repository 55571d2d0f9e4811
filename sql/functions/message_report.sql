-- All that a report about one message needs (bridge/receipts): the message, its
-- delivery (the whole; of a member of a group, to whom it went in parts, the worst
-- of them), the parts that it has, whom to tell and where the thread hangs.
DROP FUNCTION IF EXISTS ump.message_report(integer, uuid, text);
CREATE FUNCTION ump.message_report(p_account integer, p_message uuid, p_recipient text)
RETURNS TABLE (message_id uuid, conversation_id uuid, direction text, channel text, type text, body text, metadata jsonb,
               mail_message_id text, mail_anchor text, occurred_at timestamptz, endpoint_id uuid, endpoint_address text,
               provider text, status text, provider_id text, error_code text, error_text text, segments integer,
               cost bigint, currency text, delivered_at timestamptz, failed_at timestamptz, uncertain_at timestamptz,
               contact_name text, sender_kind text, sender_mailbox text, sender_name text, owner_kind text,
               owner_mailbox text, owner_name text, report_segments boolean, parts jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ump, pg_temp AS $$
    SELECT m.id, m.conversation_id, m.direction, m.channel, m.type, m.body, m.metadata, m.mail_message_id, m.mail_anchor,
           m.occurred_at, e.id, e.address, e.provider, d.status, d.provider_id, d.error_code, d.error_text, d.segments,
           d.cost, d.currency, d.delivered_at, d.failed_at, d.uncertain_at, ct.name, m.sender_kind,
           coalesce(u.email, m.metadata->>'envelope_sender'), coalesce(u.name, ''), e.owner_kind,
           coalesce(ou.email, ot.mailbox), coalesce(ou.name, ot.display_name),
           coalesce((u.settings->>'report_segments')::boolean, false),
           (SELECT jsonb_agg(jsonb_build_object('part', p.part, 'status', p.status, 'code', p.error_code, 'text', p.error_text)
                             ORDER BY p.part)
              FROM ump.deliveries p WHERE p.account_id = m.account_id AND p.message_id = m.id AND p.recipient = p_recipient
               AND p.part > 0)
      FROM ump.unified_messages m
      LEFT JOIN LATERAL (SELECT * FROM ump.deliveries x
                          WHERE x.account_id = m.account_id AND x.message_id = m.id AND x.recipient = p_recipient
                          ORDER BY x.part > 0, x.status NOT IN ('failed', 'expired'), x.part LIMIT 1) d ON true
      LEFT JOIN ump.endpoints e ON e.account_id = m.account_id AND e.id = m.endpoint_id
      LEFT JOIN ump.unified_conversations c ON c.account_id = m.account_id AND c.id = m.conversation_id
      LEFT JOIN ump.contacts ct ON ct.account_id = m.account_id AND ct.id = c.contact_id
      LEFT JOIN ump.users u ON m.sender_kind = 'user' AND u.account_id = m.account_id AND u.id = m.sender_id
      LEFT JOIN ump.users ou ON e.owner_kind = 'user' AND ou.account_id = e.account_id AND ou.id = e.owner_id
      LEFT JOIN ump.teams ot ON e.owner_kind = 'team' AND ot.account_id = e.account_id AND ot.id = e.owner_id
     WHERE m.account_id = p_account AND m.id = p_message
$$;

-- A report is out (its job may be repeated, its mail is the same).  With p_cap:
-- how many reports this mailbox had in the last hour, for the digest.
CREATE OR REPLACE FUNCTION ump.notice_sent(p_account integer, p_message uuid, p_recipient text, p_kind text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
BEGIN
    UPDATE ump.notices SET sent_at = ump.now()
     WHERE account_id = p_account AND message_id = p_message AND recipient = p_recipient AND kind = p_kind;
    RETURN FOUND;
END $$;

-- Counts one failure report for a mailbox in this hour; the count so far.
CREATE OR REPLACE FUNCTION ump.report_count(p_account integer, p_mailbox text) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
    INSERT INTO ump.counters AS c (account_id, scope, key, period, count)
    VALUES (p_account, 'report', p_mailbox, date_trunc('hour', ump.now()), 1)
    ON CONFLICT (account_id, scope, key, period) DO UPDATE SET count = c.count + 1
    RETURNING count
$$;
