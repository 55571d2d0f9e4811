-- One recipient of one accepted mail: message, delivery and outbox row, all or
-- nothing, once per (txn, recipient).  outcome:
--   new       stored (status queued, or held when p_hold says why)
--   repeat    the same again (or, within a day, the same mail under a new
--             transaction): nothing stored, answer 250
--   conflict  the same transaction with another body: refuse
--   opted-out, cap-user, cap-machine, cap-spend, cap-range: refuse, nothing stored
-- p_caps: {"user":30,"machine":200,"machine_period_s":3600,"spend":0,"cost":0,"range":0,"messages":1};
-- absent or 0: no such cap.  messages: as how many it goes out, each of which counts.
-- p_metadata.parts: the parts as which it goes out (parts.sql), where it is not one
-- message; of one that is held they are told by the answer.
CREATE OR REPLACE FUNCTION ump.accept_submission(p_account integer, p_txn text, p_recipient text, p_body_hash bytea,
    p_message uuid, p_user uuid, p_machine uuid, p_owner_kind text, p_owner uuid, p_endpoint uuid, p_channel text,
    p_identifier text, p_group uuid, p_from text, p_type text, p_body text, p_metadata jsonb, p_mail_id text,
    p_refs text[], p_segments integer, p_due timestamptz, p_expires timestamptz, p_hold text, p_caps jsonb,
    p_window interval, p_segment_messages integer, p_segment_silence interval,
    OUT outcome text, OUT message_id uuid, OUT conversation_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_now timestamptz := ump.now();
    v_hash bytea;
    v_contact uuid;
    v_new boolean := false;
    v_anchor text;
    v_sender uuid := coalesce(p_user, p_machine);
BEGIN
    IF p_group IS NULL AND p_identifier NOT LIKE '+%' THEN
        p_identifier := ump.identifier_of(p_account, p_channel, p_identifier);
    END IF;
    SELECT s.body_hash, s.message_id INTO v_hash, message_id FROM ump.submissions s
     WHERE s.account_id = p_account AND s.txn = p_txn AND s.recipient = p_recipient;
    IF FOUND THEN
        outcome := CASE WHEN v_hash = p_body_hash THEN 'repeat' ELSE 'conflict' END;
        RETURN;
    END IF;
    SELECT m.message_id INTO message_id
      FROM ump.mail_ids m JOIN ump.submissions s ON s.account_id = p_account AND s.message_id = m.message_id
     WHERE m.account_id = p_account AND m.owner_id = p_owner AND m.mail_id = p_mail_id
       AND s.recipient = p_recipient AND s.body_hash = p_body_hash AND s.created_at > v_now - interval '1 day' LIMIT 1;
    IF FOUND THEN
        outcome := 'repeat';
        RETURN;
    END IF;
    IF ump.opted_out(p_account, p_endpoint, p_channel, p_identifier) THEN
        outcome := 'opted-out';
        RETURN;
    END IF;
    IF p_group IS NULL THEN
        SELECT f.contact, f.is_new INTO v_contact, v_new FROM ump.contact_for(p_account, p_channel, p_identifier, NULL) f;
    END IF;
    outcome := ump.submission_caps(p_account, p_user, p_machine, p_identifier, v_new, p_caps);
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    outcome := 'new';
    message_id := p_message;
    conversation_id := ump.conversation_open(p_account, p_owner_kind, p_owner, v_contact, p_group, p_channel, p_endpoint,
                                             p_refs, p_window, v_now);
    v_anchor := ump.conversation_append(p_account, conversation_id, p_mail_id, v_now, p_endpoint, p_channel,
                                        coalesce(cardinality(p_refs), 0) = 0, p_segment_messages, p_segment_silence);
    IF p_metadata->'reaction' ? 'removed' THEN
        p_metadata := jsonb_set(p_metadata, '{reaction,emoji}', to_jsonb(coalesce(
            ump.reaction_before(p_account, conversation_id, p_owner, p_metadata->'reaction'->>'target'), '')));
    END IF;
    INSERT INTO ump.submissions (account_id, txn, recipient, body_hash, message_id, created_at)
    VALUES (p_account, p_txn, p_recipient, p_body_hash, p_message, v_now) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN   -- the same submission at the same time elsewhere: the writer repeats us, we meet it above
        RAISE EXCEPTION 'submission %/% is being stored by another', p_txn, p_recipient USING ERRCODE = '40001';
    END IF;
    INSERT INTO ump.unified_messages (account_id, id, conversation_id, direction, sender_kind, sender_id, endpoint_id,
        channel, type, from_address, to_addresses, body, metadata, mail_message_id, mail_anchor, occurred_at, created_at)
    VALUES (p_account, p_message, conversation_id, 'outbound', CASE WHEN p_machine IS NULL THEN 'user' ELSE 'bot' END,
        v_sender, p_endpoint, p_channel, p_type, p_from, ARRAY[p_identifier], p_body, p_metadata, p_mail_id, v_anchor,
        v_now, v_now);
    INSERT INTO ump.mail_ids (account_id, owner_id, mail_id, conversation_id, message_id)
    VALUES (p_account, p_owner, p_mail_id, conversation_id, p_message) ON CONFLICT DO NOTHING;
    INSERT INTO ump.deliveries (account_id, message_id, recipient, endpoint_id, status, segments, held_at, queued_at,
        waits_at, waits_until, waits_why)
    VALUES (p_account, p_message, p_identifier, p_endpoint, CASE WHEN p_hold IS NULL THEN 'queued' ELSE 'held' END,
        p_segments, CASE WHEN p_hold IS NOT NULL THEN v_now END, CASE WHEN p_hold IS NULL THEN v_now END,
        CASE WHEN p_metadata ? 'waits' THEN v_now END, CASE WHEN p_metadata ? 'waits' THEN p_due END, p_metadata->>'waits');
    IF p_metadata ? 'media' THEN
        INSERT INTO ump.media (account_id, sha256, type, size)
        SELECT p_account, decode(m->>'sha256', 'hex'), m->>'type', (m->>'size')::bigint
          FROM jsonb_array_elements(p_metadata->'media') m
        ON CONFLICT DO NOTHING;
    END IF;
    IF p_hold IS NULL THEN
        PERFORM ump.parts_queue(p_account, p_endpoint, p_identifier, p_message, coalesce(jsonb_array_length(p_metadata->'parts'), 0),
                                p_due, p_expires);
    ELSE
        PERFORM ump.notice_add(p_account, p_message, p_identifier, 0, 'preview', p_endpoint, jsonb_build_object('why', p_hold));
    END IF;
    IF p_owner_kind = 'team' AND p_hold IS NULL THEN
        PERFORM ump.notice_add(p_account, p_message, p_identifier, 0, 'team-copy', p_endpoint, '{}');
    END IF;
END $$;
