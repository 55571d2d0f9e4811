-- Attempts of which nobody knows what became: looked up at the provider, never guessed.

-- Uncertain ones that are to be looked at, one row each: at a thirtieth (their
-- first due_at), a sixth and a third of p_patience, and when it is over; what is
-- still there then, every p_look_again.
DROP FUNCTION IF EXISTS ump.outbox_uncertain(integer, interval);
DROP FUNCTION IF EXISTS ump.outbox_uncertain(integer, interval, interval);
CREATE FUNCTION ump.outbox_uncertain(p_limit integer, p_look_again interval, p_patience interval)
RETURNS TABLE (id bigint, account_id integer, endpoint_id uuid, message_id uuid, recipient text, attempt_id uuid,
               uncertain_at timestamptz, attempts integer, age_us bigint, began timestamptz, type text,
               from_address text, body text, metadata jsonb, occurred_at timestamptz, group_members text[], part smallint)
LANGUAGE sql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
    WITH due AS (
        SELECT o.id FROM ump.outbox o WHERE o.state = 5 AND o.due_at <= ump.now()
         ORDER BY o.due_at LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED
    ), looked AS (
        UPDATE ump.outbox o
           SET due_at = CASE WHEN ump.now() - d.uncertain_at < p_patience / 6 THEN d.uncertain_at + p_patience / 6
                             WHEN ump.now() - d.uncertain_at < p_patience / 3 THEN d.uncertain_at + p_patience / 3
                             WHEN ump.now() - d.uncertain_at < p_patience THEN d.uncertain_at + p_patience
                             ELSE ump.now() + p_look_again END
          FROM due, ump.deliveries d
         WHERE o.id = due.id AND d.account_id = o.account_id AND d.message_id = o.message_id AND d.recipient = o.recipient
           AND d.part = o.part
        RETURNING o.id, o.account_id, o.endpoint_id, o.message_id, o.recipient, o.attempt_id, d.uncertain_at, o.attempts, o.part
    )
    SELECT l.id, l.account_id, l.endpoint_id, l.message_id, l.recipient, l.attempt_id, l.uncertain_at, l.attempts, (extract(epoch FROM coalesce(ump.now() - l.uncertain_at, p_patience)) * 1000000)::bigint, a.started_at, m.type, m.from_address, m.body, m.metadata,
           m.occurred_at, NULL::text[], l.part
      FROM looked l
      JOIN ump.unified_messages m ON m.account_id = l.account_id AND m.id = l.message_id
      LEFT JOIN ump.attempts a ON a.account_id = l.account_id AND a.id = l.attempt_id
$$;

-- A look-up of an uncertain attempt has found messages, oldest first: p_ids with
-- its content, p_others without.  The first with its content that is no other
-- message of ours becomes its own: the provider's id.  '': there is one that
-- nothing of ours explains.  NULL: all are other messages of ours.
CREATE OR REPLACE FUNCTION ump.outbox_found(p_account integer, p_endpoint uuid, p_attempt uuid, p_ids text[],
                                            p_others text[]) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_d ump.deliveries;
    v_id text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('found:' || p_endpoint, 0));
    SELECT d.* INTO v_d FROM ump.attempts a
      JOIN ump.deliveries d ON d.account_id = a.account_id AND d.message_id = a.message_id AND d.recipient = a.recipient
                           AND d.part = a.part
     WHERE a.account_id = p_account AND a.id = p_attempt FOR NO KEY UPDATE OF d;
    IF v_d.provider_id = ANY (p_ids) THEN
        RETURN v_d.provider_id;
    END IF;
    SELECT i.id INTO v_id FROM unnest(p_ids) WITH ORDINALITY i (id, n)
     WHERE NOT EXISTS (SELECT 1 FROM ump.deliveries d WHERE d.account_id = p_account AND d.provider_id = i.id)
     ORDER BY i.n LIMIT 1;
    IF v_id IS NOT NULL THEN
        UPDATE ump.deliveries SET provider_id = v_id
         WHERE account_id = p_account AND message_id = v_d.message_id AND recipient = v_d.recipient AND part = v_d.part;
        RETURN v_id;
    END IF;
    RETURN (SELECT '' FROM unnest(p_others) o (id)
             WHERE NOT EXISTS (SELECT 1 FROM ump.deliveries d WHERE d.account_id = p_account AND d.provider_id = o.id)
             LIMIT 1);
END $$;

-- Ends the wait for one uncertain message.  p_what: 'ask' (report: it may have
-- been sent; answer RESEND to send again), 'never' (failed), 'resend' (it may be
-- a second time), 'absent' (sent again: the provider's whole list has not got it).
CREATE OR REPLACE FUNCTION ump.outbox_uncertain_end(p_id bigint, p_what text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_o ump.outbox := ump.outbox_lock(p_id);
BEGIN
    IF v_o.id IS NULL OR v_o.state <> 5 THEN
        RETURN false;
    END IF;
    IF p_what IN ('resend', 'absent') THEN
        IF p_what = 'absent' THEN    -- what was not sent is safe to repeat, and no later status is about it
            UPDATE ump.attempts SET outcome = 'retry'
             WHERE account_id = v_o.account_id AND id = v_o.attempt_id AND outcome = 'uncertain';
        END IF;
        UPDATE ump.outbox SET state = 1, due_at = NULL, fence = fence + 1 WHERE id = p_id;
        UPDATE ump.deliveries SET status = 'queued', queued_at = ump.now()
         WHERE account_id = v_o.account_id AND message_id = v_o.message_id AND recipient = v_o.recipient AND part = v_o.part
           AND status = 'uncertain';
        IF v_o.part > 0 THEN
            PERFORM ump.parts_settle(v_o.account_id, v_o.message_id, v_o.recipient);
        END IF;
        PERFORM pg_notify('ump_outbox', v_o.account_id || '/' || v_o.endpoint_id || '/' || v_o.id);
        RETURN true;
    END IF;
    DELETE FROM ump.outbox WHERE id = p_id;
    IF p_what = 'never' THEN
        PERFORM ump.delivery_fail(v_o.account_id, v_o.message_id, v_o.recipient, v_o.part, 'failed', 'uncertain',
                                  'the provider did not answer, so it may or may not have been sent');
    ELSE
        PERFORM ump.notice_add(v_o.account_id, v_o.message_id, v_o.recipient, v_o.part, 'uncertain', v_o.endpoint_id, '{}');
    END IF;
    RETURN true;
END $$;
