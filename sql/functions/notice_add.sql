-- Queues the job by which one report of a kind about one recipient of one
-- message is made.  kind: preview, team-copy, failed, uncertain, success, read,
-- expired.
CREATE OR REPLACE FUNCTION ump.notice_queue(p_account integer, p_message uuid, p_recipient text, p_kind text,
                                            p_endpoint uuid, p_payload jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ump.jobs (queue, account_id, endpoint_id, lane, kind, message_id, payload)
    VALUES ('receipts', p_account, p_endpoint, p_message::text, p_kind, p_message,
            p_payload || jsonb_build_object('recipient', p_recipient));
    PERFORM pg_notify('ump_jobs', 'receipts');
END $$;

-- The same, unless there has been one; p_part: about one part of it (0: all).
DROP FUNCTION IF EXISTS ump.notice_add(integer, uuid, text, text, uuid, jsonb);
CREATE OR REPLACE FUNCTION ump.notice_add(p_account integer, p_message uuid, p_recipient text, p_part integer, p_kind text,
                                          p_endpoint uuid, p_payload jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ump.notices (account_id, message_id, recipient, kind, part, created_at)
    VALUES (p_account, p_message, p_recipient, p_kind, p_part, ump.now()) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM ump.notice_queue(p_account, p_message, p_recipient, p_kind, p_endpoint,
        CASE WHEN p_part > 0 THEN p_payload || jsonb_build_object('parts', jsonb_build_array(p_part)) ELSE p_payload END);
    RETURN true;
END $$;

-- The reports of success that are sent only where the sender asked for them, each
-- once: that it arrived (NOTIFY=SUCCESS), that it was read (Disposition-Notification-To).
CREATE OR REPLACE FUNCTION ump.reports_asked(p_account integer, p_message uuid, p_recipient text, p_part integer,
    p_endpoint uuid, p_arrived boolean, p_read boolean, p_at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_success boolean;
    v_read boolean;
BEGIN
    SELECT m.metadata->>'notify' ILIKE '%SUCCESS%', m.metadata ? 'read_report_to' INTO v_success, v_read
      FROM ump.unified_messages m WHERE m.account_id = p_account AND m.id = p_message;
    IF p_arrived AND v_success THEN
        PERFORM ump.notice_add(p_account, p_message, p_recipient, p_part, 'success', p_endpoint, jsonb_build_object('at', p_at));
    END IF;
    IF p_read AND v_read THEN
        PERFORM ump.notice_add(p_account, p_message, p_recipient, p_part, 'read', p_endpoint, jsonb_build_object('at', p_at));
    END IF;
END $$;
