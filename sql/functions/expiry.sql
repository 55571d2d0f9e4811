-- A message that was delivered to this mailbox is to disappear from it: looked at
-- first p_after from now.  A second time changes nothing, but for a look that
-- is to come (p_created: when it was delivered, NULL: now).
CREATE OR REPLACE FUNCTION ump.expiry_set(p_account integer, p_message uuid, p_mailbox text, p_seconds bigint, p_after interval,
                                          p_ripe boolean, p_created timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
BEGIN
    INSERT INTO ump.message_expiries (account_id, message_id, mailbox, seconds, ripe, due_at, created_at)
    VALUES (p_account, p_message, p_mailbox, p_seconds, p_ripe, ump.now() + p_after, coalesce(p_created, ump.now()))
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END $$;

-- Those whose look is due become jobs of the receipts queue; how many.
CREATE OR REPLACE FUNCTION ump.expiries_due(p_limit integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_n integer;
BEGIN
    WITH due AS (
        DELETE FROM ump.message_expiries WHERE (account_id, message_id) IN (
            SELECT account_id, message_id FROM ump.message_expiries WHERE due_at <= ump.now()
             ORDER BY due_at LIMIT p_limit FOR UPDATE SKIP LOCKED)
        RETURNING *
    )
    INSERT INTO ump.jobs (queue, account_id, lane, kind, message_id, payload)
    SELECT 'receipts', d.account_id, d.message_id::text || '/expire', 'expire', d.message_id,
           jsonb_build_object('user', d.mailbox, 'mail_id', m.mail_message_id, 'seconds', d.seconds, 'ripe', d.ripe,
                              'late', d.ripe OR d.due_at > d.created_at + make_interval(secs => d.seconds + 1),
                              'age', extract(epoch FROM ump.now() - d.created_at)::bigint, 'created', d.created_at)
      FROM due d JOIN ump.unified_messages m ON m.account_id = d.account_id AND m.id = d.message_id;
    GET DIAGNOSTICS v_n = ROW_COUNT;
    IF v_n > 0 THEN
        PERFORM pg_notify('ump_jobs', 'receipts');
    END IF;
    RETURN v_n;
END $$;

-- Its mail is gone: so are its text and what came with it, in the index, in the
-- search and in the raw event.  Returns the media that no other message has.
CREATE OR REPLACE FUNCTION ump.message_expire(p_account integer, p_message uuid) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_m ump.unified_messages;
    v_sha text;
BEGIN
    SELECT * INTO v_m FROM ump.unified_messages WHERE account_id = p_account AND id = p_message FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE ump.provider_events e SET body = ''
      FROM ump.inbound_keys k
     WHERE k.account_id = p_account AND k.endpoint_id = v_m.endpoint_id AND k.event_key = v_m.metadata->>'event_key'
       AND e.received_at = k.received_at AND e.id = k.event_id
       AND NOT EXISTS (SELECT 1 FROM ump.jobs j          -- media that follow are made of it: their mail expires by itself
                        WHERE j.queue = 'inbound' AND j.lane = 'media/' || p_message AND j.state <> 6);
    DELETE FROM ump.message_search WHERE account_id = p_account AND message_id = p_message;
    UPDATE ump.unified_messages SET body = '', metadata = metadata - 'media' - 'subject' || '{"expired": true}'
     WHERE account_id = p_account AND id = p_message;
    FOR v_sha IN SELECT DISTINCT i->>'sha256' FROM jsonb_array_elements(coalesce(v_m.metadata->'media', '[]')) i
                  WHERE i ? 'sha256' LOOP
        IF NOT EXISTS (SELECT 1 FROM ump.unified_messages x
                        WHERE x.metadata ? 'media' AND x.metadata->'media' @> jsonb_build_array(jsonb_build_object('sha256', v_sha))
                          AND (x.account_id, x.id) <> (p_account, p_message)) THEN
            DELETE FROM ump.media WHERE sha256 = decode(v_sha, 'hex');
            RETURN NEXT v_sha;
        END IF;
    END LOOP;
END $$;
