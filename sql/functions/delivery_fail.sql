-- A delivery has failed or expired for good: its report is queued.  p_part: one
-- of the messages that the mail went out as, else 0.
DROP FUNCTION IF EXISTS ump.delivery_fail(integer, uuid, text, text, text, text);
CREATE OR REPLACE FUNCTION ump.delivery_fail(p_account integer, p_message uuid, p_recipient text, p_part integer,
                                             p_status text, p_code text, p_text text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_endpoint uuid;
BEGIN
    UPDATE ump.deliveries SET status = p_status, error_code = p_code, error_text = p_text,
           failed_at = CASE WHEN p_status = 'failed' THEN ump.now() ELSE failed_at END,
           expired_at = CASE WHEN p_status = 'expired' THEN ump.now() ELSE expired_at END
     WHERE account_id = p_account AND message_id = p_message AND recipient = p_recipient AND part = p_part
       AND status NOT IN ('failed', 'expired', 'cancelled', 'delivered', 'read')
    RETURNING endpoint_id INTO v_endpoint;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF p_part > 0 AND EXISTS (SELECT 1 FROM ump.deliveries WHERE account_id = p_account AND message_id = p_message
                                 AND recipient = p_recipient AND part = 0) THEN
        PERFORM ump.parts_settle(p_account, p_message, p_recipient);
        RETURN true;
    END IF;
    PERFORM ump.notice_add(p_account, p_message, p_recipient, p_part, 'failed', v_endpoint,
                           jsonb_build_object('code', p_code, 'text', p_text, 'status', p_status));
    RETURN true;
END $$;
