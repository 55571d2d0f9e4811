-- Everything that happened to one message, in order.  p_id is any id of it:
-- ours (bare or ump:msg:…), the provider's, a mail's Message-ID, an attempt's.
CREATE OR REPLACE FUNCTION ump.trace(p_id text)
RETURNS TABLE (at timestamptz, what text, status text, detail jsonb)
LANGUAGE sql STABLE SET search_path = ump, pg_temp AS $$
    WITH wanted AS (
        SELECT regexp_replace(p_id, '^ump:msg:', '') AS id
    ), found AS MATERIALIZED (
        SELECT m.account_id, m.id FROM ump.unified_messages m, wanted w WHERE m.id::text = w.id
        UNION SELECT m.account_id, m.id FROM ump.unified_messages m, wanted w WHERE m.provider_id = w.id
        UNION SELECT m.account_id, m.message_id FROM ump.mail_ids m, wanted w WHERE m.mail_id IN (w.id, '<' || w.id || '>')
        UNION SELECT d.account_id, d.message_id FROM ump.deliveries d, wanted w WHERE d.provider_id = w.id
        UNION SELECT a.account_id, a.message_id FROM ump.attempts a, wanted w WHERE a.id::text = w.id OR a.provider_id = w.id
        UNION SELECT s.account_id, s.message_id FROM ump.submissions s, wanted w WHERE s.txn = w.id
    ), m AS (
        SELECT m.* FROM ump.unified_messages m JOIN found f ON f.account_id = m.account_id AND f.id = m.id
    )
    SELECT e.at, e.what, e.status, jsonb_strip_nulls(e.detail) FROM (
        SELECT k.received_at, 'event received', 'stored', jsonb_build_object('event', k.event_key, 'channel', m.channel), 1
          FROM m JOIN ump.inbound_keys k ON k.account_id = m.account_id AND k.endpoint_id = m.endpoint_id
           AND k.event_key = m.metadata->>'event_key'
        UNION ALL
        SELECT s.created_at, 'mail accepted', 'stored', jsonb_build_object('transaction', s.txn, 'recipient', s.recipient), 1
          FROM m JOIN ump.submissions s ON s.account_id = m.account_id AND s.message_id = m.id
        UNION ALL
        SELECT m.created_at, m.type || ' ' || m.direction, 'indexed', jsonb_build_object('message', 'ump:msg:' || m.id,
               'conversation', 'ump:conv:' || m.conversation_id, 'from', m.from_address, 'to', m.to_addresses,
               'message_id', m.mail_message_id, 'provider_id', m.provider_id, 'occurred_at', m.occurred_at), 2
          FROM m
        UNION ALL
        SELECT l.created_at, 'mail to ' || split_part(l.delivery_key, '/', 2), 'begun', '{}'::jsonb, 3
          FROM m JOIN ump.mail_deliveries l ON l.account_id = m.account_id AND l.message_id = m.id
        UNION ALL
        SELECT l.settled_at, 'mail to ' || split_part(l.delivery_key, '/', 2), l.state, jsonb_build_object('reply', l.reply), 9
          FROM m JOIN ump.mail_deliveries l ON l.account_id = m.account_id AND l.message_id = m.id WHERE l.settled_at IS NOT NULL
        UNION ALL
        SELECT t.at, 'delivery to ' || d.recipient || CASE WHEN d.part > 0 THEN ', part ' || d.part ELSE '' END, t.status, jsonb_build_object('provider_id', CASE WHEN t.status IN ('accepted', 'sent') THEN d.provider_id END,
               'segments', CASE WHEN t.status IN ('held', 'queued', 'delivered', 'failed') THEN d.segments END,
               'until', CASE WHEN t.status = 'waiting' THEN d.waits_until END, 'why', CASE WHEN t.status = 'waiting' THEN d.waits_why END,
               'error_code', CASE WHEN t.status IN ('failed', 'expired', 'uncertain') THEN d.error_code END,
               'error', CASE WHEN t.status IN ('failed', 'expired', 'uncertain') THEN d.error_text END,
               'cost', CASE WHEN t.status IN ('sent', 'delivered') THEN d.cost / 1000000.0 END, 'currency', CASE WHEN t.status IN ('sent', 'delivered') THEN d.currency END), t.n
          FROM m JOIN ump.deliveries d ON d.account_id = m.account_id AND d.message_id = m.id
         CROSS JOIN LATERAL (VALUES (d.held_at, 'held', 3), (d.queued_at, 'queued', 3), (d.waits_at, 'waiting', 3), (d.accepted_at, 'accepted', 6),
            (d.uncertain_at, 'uncertain', 7), (d.sent_at, 'sent', 7), (d.delivered_at, 'delivered', 8), (d.read_at, 'read', 9), (d.failed_at, 'failed', 8),
            (d.expired_at, 'expired', 8), (d.cancelled_at, 'cancelled', 8)) t (at, status, n) WHERE t.at IS NOT NULL
        UNION ALL
        SELECT a.started_at, 'request to ' || a.recipient || CASE WHEN a.part > 0 THEN ', part ' || a.part ELSE '' END, 'sending', jsonb_build_object('attempt', a.id), 4
          FROM m JOIN ump.attempts a ON a.account_id = m.account_id AND a.message_id = m.id
        UNION ALL
        SELECT a.ended_at, 'request to ' || a.recipient || CASE WHEN a.part > 0 THEN ', part ' || a.part ELSE '' END, coalesce(a.outcome, 'open'), jsonb_build_object('attempt', a.id, 'http', a.http_status,
               'provider_id', a.provider_id, 'error_code', a.error_code, 'error', a.error_text), 5
          FROM m JOIN ump.attempts a ON a.account_id = m.account_id AND a.message_id = m.id WHERE a.ended_at IS NOT NULL
        UNION ALL
        SELECT n.created_at, 'report: ' || n.kind, 'queued', jsonb_build_object('recipient', n.recipient), 9
          FROM m JOIN ump.notices n ON n.account_id = m.account_id AND n.message_id = m.id
        UNION ALL
        SELECT n.sent_at, 'report: ' || n.kind, 'sent', jsonb_build_object('recipient', n.recipient), 10
          FROM m JOIN ump.notices n ON n.account_id = m.account_id AND n.message_id = m.id WHERE n.sent_at IS NOT NULL
        UNION ALL
        SELECT j.created_at, 'queue ' || j.queue, CASE j.state WHEN 6 THEN 'dead' ELSE 'waiting' END,
               jsonb_build_object('attempts', j.attempts, 'error', j.error), 11
          FROM m JOIN ump.jobs j ON j.account_id = m.account_id AND j.message_id = m.id
    ) e (at, what, status, detail, n) ORDER BY e.at, e.n
$$;
