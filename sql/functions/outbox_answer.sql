-- The author's word on what is held or uncertain.

-- Does with the parts of a message what its author has said about them: those
-- that are uncertain and in nobody's hands any more.  False: there are none.
CREATE OR REPLACE FUNCTION ump.parts_answer(p_d ump.deliveries, p_what text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_found boolean := false;
    r record;
BEGIN
    FOR r IN
        SELECT d.part FROM ump.deliveries d
         WHERE d.account_id = p_d.account_id AND d.message_id = p_d.message_id AND d.recipient = p_d.recipient AND d.part > 0
           AND d.status = 'uncertain'
           AND NOT EXISTS (SELECT 1 FROM ump.outbox o WHERE o.account_id = d.account_id AND o.message_id = d.message_id
                              AND o.recipient = d.recipient AND o.part = d.part)
         ORDER BY d.part
    LOOP
        v_found := true;
        UPDATE ump.deliveries d SET status = CASE p_what WHEN 'cancel' THEN 'cancelled' ELSE 'queued' END,
               cancelled_at = CASE p_what WHEN 'cancel' THEN ump.now() END,
               queued_at = CASE p_what WHEN 'cancel' THEN d.queued_at ELSE ump.now() END
         WHERE d.account_id = p_d.account_id AND d.message_id = p_d.message_id AND d.recipient = p_d.recipient AND d.part = r.part;
        IF p_what <> 'cancel' THEN
            PERFORM ump.outbox_add(p_d.account_id, p_d.endpoint_id, p_d.recipient, p_d.message_id, r.part, NULL,
                                   ump.now() + interval '1 day');
        END IF;
    END LOOP;
    IF v_found THEN
        PERFORM ump.parts_settle(p_d.account_id, p_d.message_id, p_d.recipient);
    END IF;
    RETURN v_found;
END $$;

-- The user's word on a held or uncertain message: 'send' (p_body: his
-- correction, or NULL for the preview's text), 'resend', or 'cancel'.  p_parts:
-- the parts as which it is then to go out (NULL: one message).
DROP FUNCTION IF EXISTS ump.outbox_answer(integer, uuid, text, text, integer);
CREATE OR REPLACE FUNCTION ump.outbox_answer(p_account integer, p_message uuid, p_what text, p_body text,
    p_segments integer, p_parts jsonb, OUT outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_d ump.deliveries;
    v_channel text;
    v_owner text;
    v_due timestamptz;
    v_parts boolean;
    v_opted_out boolean;
BEGIN
    PERFORM 1 FROM ump.deliveries WHERE account_id = p_account AND message_id = p_message AND part > 0
      ORDER BY recipient, part FOR UPDATE;
    SELECT * INTO v_d FROM ump.deliveries WHERE account_id = p_account AND message_id = p_message AND part = 0 FOR UPDATE;
    IF NOT FOUND THEN
        outcome := 'unknown';
        RETURN;
    END IF;
    SELECT e.channel, e.owner_kind INTO v_channel, v_owner FROM ump.endpoints e WHERE e.account_id = p_account AND e.id = v_d.endpoint_id;
    v_parts := EXISTS (SELECT 1 FROM ump.deliveries WHERE account_id = p_account AND message_id = p_message
                          AND recipient = v_d.recipient AND part > 0);
    v_opted_out := p_what <> 'cancel' AND ump.opted_out(p_account, v_d.endpoint_id, v_channel, v_d.recipient);
    IF v_parts AND p_what IN ('resend', 'cancel') AND NOT v_opted_out AND ump.parts_answer(v_d, p_what) THEN
        outcome := CASE p_what WHEN 'cancel' THEN 'cancelled' ELSE 'queued' END;
        RETURN;
    END IF;
    IF NOT (v_d.status = 'held' OR (v_d.status = 'uncertain' AND p_what IN ('resend', 'cancel') AND (v_opted_out OR NOT v_parts))) THEN
        outcome := CASE WHEN p_what = 'cancel' AND v_d.status <> 'cancelled' THEN 'late'    -- out already
                        WHEN p_what <> 'cancel' AND v_d.status = 'cancelled' THEN 'late'
                        WHEN v_d.status = 'uncertain' THEN 'which'  -- "send" does not say whether twice is all right
                        ELSE 'repeat' END;                          -- answered before
        RETURN;
    END IF;
    IF p_what = 'cancel' THEN
        UPDATE ump.deliveries SET status = 'cancelled', cancelled_at = ump.now()
         WHERE account_id = p_account AND message_id = p_message;
        DELETE FROM ump.outbox WHERE account_id = p_account AND message_id = p_message;
        outcome := 'cancelled';
        RETURN;
    END IF;
    IF v_opted_out THEN
        outcome := 'opted-out';
        RETURN;
    END IF;
    IF v_d.status = 'held' THEN     -- the parts were not known before the text was
        UPDATE ump.unified_messages SET body = coalesce(p_body, body),
               metadata = CASE WHEN p_parts IS NULL THEN metadata - 'parts' ELSE metadata || jsonb_build_object('parts', p_parts) END
         WHERE account_id = p_account AND id = p_message;
    END IF;
    UPDATE ump.deliveries SET status = 'queued', queued_at = ump.now(), segments = coalesce(p_segments, segments)
     WHERE account_id = p_account AND message_id = p_message;
    DELETE FROM ump.outbox WHERE account_id = p_account AND message_id = p_message;
    SELECT to_timestamp((metadata->>'due')::bigint / 1000000.0) INTO v_due
      FROM ump.unified_messages WHERE account_id = p_account AND id = p_message;
    PERFORM ump.parts_queue(p_account, v_d.endpoint_id, v_d.recipient, p_message,
                            CASE WHEN v_d.status = 'held' THEN coalesce(jsonb_array_length(p_parts), 0) ELSE 0 END, v_due,
                            greatest(v_due, ump.now()) + interval '1 day');
    IF v_owner = 'team' AND v_d.status = 'held' THEN    -- accept_submission leaves what is held out of the team's Sent
        PERFORM ump.notice_add(p_account, p_message, v_d.recipient, 0, 'team-copy', v_d.endpoint_id, '{}');
    END IF;
    outcome := 'queued';
END $$;
