-- Queues one report of a kind about one recipient of one message; a second of
-- the same kind is not made.  kind: preview, team-copy, failed, uncertain,
-- success, read, expired.
CREATE OR REPLACE FUNCTION ump.notice_add(p_account integer, p_message uuid, p_recipient text, p_kind text,
                                          p_endpoint uuid, p_payload jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ump.notices (account_id, message_id, recipient, kind, created_at)
    VALUES (p_account, p_message, p_recipient, p_kind, ump.now()) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO ump.jobs (queue, account_id, endpoint_id, lane, kind, message_id, payload)
    VALUES ('receipts', p_account, p_endpoint, p_message::text, p_kind, p_message,
            p_payload || jsonb_build_object('recipient', p_recipient));
    PERFORM pg_notify('ump_jobs', 'receipts');
    RETURN true;
END $$;
