-- A delivery has failed or expired for good: its report is queued.
CREATE OR REPLACE FUNCTION ump.delivery_fail(p_account integer, p_message uuid, p_recipient text, p_status text,
                                             p_code text, p_text text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_endpoint uuid;
BEGIN
    UPDATE ump.deliveries SET status = p_status, error_code = p_code, error_text = p_text,
           failed_at = CASE WHEN p_status = 'failed' THEN ump.now() ELSE failed_at END,
           expired_at = CASE WHEN p_status = 'expired' THEN ump.now() ELSE expired_at END
     WHERE account_id = p_account AND message_id = p_message AND recipient = p_recipient
       AND status NOT IN ('failed', 'expired', 'cancelled', 'delivered', 'read')
    RETURNING endpoint_id INTO v_endpoint;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM ump.notice_add(p_account, p_message, p_recipient, 'failed', v_endpoint,
                           jsonb_build_object('code', p_code, 'text', p_text, 'status', p_status));
    RETURN true;
END $$;
