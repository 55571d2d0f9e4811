-- Ordinary mail for one mailbox, before DATA: indexed into its owner's
-- conversations, pending until mail_delivered or mail_settle.  A mailbox that nobody here owns
-- is delivered and not indexed (state 'foreign').  state 'done': delivered
-- before, answer 250 and do nothing.
CREATE OR REPLACE FUNCTION ump.mail_begin(p_key text, p_mailbox text, p_message uuid, p_mail_id text, p_refs text[],
    p_from text, p_from_name text, p_to text[], p_subject text, p_body text, p_metadata jsonb, p_occurred timestamptz,
    p_segment_messages integer, p_segment_silence interval,
    OUT state text, OUT conversation_id uuid, OUT account_id integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_owner uuid;
    v_kind text := 'user';
    v_contact uuid;
    v_anchor text;
    v_own boolean;
    v_now timestamptz := ump.now();
BEGIN
    SELECT d.state, d.conversation_id, d.account_id INTO state, conversation_id, account_id
      FROM ump.mail_deliveries d WHERE d.delivery_key = p_key;
    IF FOUND THEN
        RETURN;
    END IF;
    SELECT i.account_id, i.user_id INTO account_id, v_owner FROM ump.user_identifiers i
     WHERE i.kind = 'email' AND i.value = p_mailbox;
    IF NOT FOUND THEN
        SELECT t.account_id, t.id, 'team' INTO account_id, v_owner, v_kind FROM ump.teams t WHERE t.mailbox = p_mailbox;
        IF NOT FOUND THEN
            state := 'foreign';
            RETURN;
        END IF;
    END IF;
    state := 'pending';
    IF cardinality(p_refs) > 0 THEN
        SELECT m.conversation_id INTO conversation_id
          FROM unnest(p_refs) WITH ORDINALITY AS r (mail_id, n)
          JOIN ump.mail_ids m ON m.account_id = mail_begin.account_id AND m.owner_id = v_owner AND m.mail_id = r.mail_id
         ORDER BY r.n LIMIT 1;
    END IF;
    SELECT f.contact INTO v_contact FROM ump.contact_for(account_id, 'mail', p_from, p_from_name) f;
    IF conversation_id IS NULL THEN
        conversation_id := ump.uuid_v7();
        INSERT INTO ump.unified_conversations (account_id, id, owner_kind, owner_id, contact_id, channel, subject,
                                               message_count, last_message_at, segment_anchor, segment_count)
        VALUES (account_id, conversation_id, v_kind, v_owner, v_contact, 'mail', p_subject, 1, p_occurred, p_mail_id, 1);
    ELSE
        v_anchor := ump.conversation_append(account_id, conversation_id, p_mail_id, p_occurred, NULL, NULL, false,
                                            p_segment_messages, p_segment_silence);
    END IF;
    v_own := EXISTS (SELECT 1 FROM ump.user_identifiers i WHERE i.kind = 'email' AND i.value = p_from
                        AND i.account_id = mail_begin.account_id AND i.user_id = v_owner);
    INSERT INTO ump.unified_messages (account_id, id, conversation_id, direction, sender_kind, sender_id, channel, type,
        from_address, to_addresses, body, metadata, mail_message_id, mail_anchor, occurred_at, created_at)
    VALUES (account_id, p_message, conversation_id, CASE WHEN v_own THEN 'outbound' ELSE 'inbound' END,
        CASE WHEN v_own THEN 'user' ELSE 'contact' END, CASE WHEN v_own THEN v_owner ELSE v_contact END, 'mail', 'mail',
        p_from, p_to, p_body, p_metadata, p_mail_id, v_anchor, p_occurred, v_now);
    INSERT INTO ump.mail_ids (account_id, owner_id, mail_id, conversation_id, message_id)
    VALUES (account_id, v_owner, p_mail_id, conversation_id, p_message) ON CONFLICT DO NOTHING;
    INSERT INTO ump.mail_deliveries (delivery_key, account_id, message_id, conversation_id, created_at)
    VALUES (p_key, account_id, p_message, conversation_id, v_now) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN       -- the same delivery at the same time elsewhere: the writer repeats us, we meet it above
        RAISE EXCEPTION 'delivery % is being stored by another', p_key USING ERRCODE = '40001';
    END IF;
END $$;

-- Bridged mail, before DATA: its message stands in the index already.
CREATE OR REPLACE FUNCTION ump.bridged_begin(p_key text, p_account integer, p_message uuid, p_conversation uuid)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_state text := 'pending';
BEGIN
    INSERT INTO ump.mail_deliveries (delivery_key, account_id, message_id, conversation_id, created_at)
    VALUES (p_key, p_account, p_message, p_conversation, ump.now()) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT state INTO v_state FROM ump.mail_deliveries WHERE delivery_key = p_key;
    END IF;
    RETURN v_state;
END $$;

-- The store's answer for one recipient: 'done', or 'failed' (5xx: the message
-- of ordinary mail leaves the index again), or 'pending' (4xx: comes again).
CREATE OR REPLACE FUNCTION ump.mail_settle(p_key text, p_state text, p_reply text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_account integer;
    v_message uuid;
BEGIN
    UPDATE ump.mail_deliveries SET state = p_state, reply = p_reply, settled_at = ump.now()
     WHERE delivery_key = p_key AND state <> 'done'
    RETURNING account_id, message_id INTO v_account, v_message;
    IF FOUND AND p_state = 'failed' THEN
        DELETE FROM ump.unified_messages WHERE account_id = v_account AND id = v_message AND type = 'mail';
        IF FOUND THEN
            DELETE FROM ump.mail_ids WHERE account_id = v_account AND message_id = v_message;
        END IF;
    END IF;
    RETURN v_message IS NOT NULL;
END $$;

-- Taken by the store, many at a time: state 'done'.  p_ages: milliseconds since
-- it answered.  Looked up one by one, whatever the planner thinks of the table.
CREATE OR REPLACE FUNCTION ump.mail_delivered(p_keys text[], p_replies text[], p_ages integer[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    UPDATE ump.mail_deliveries d
       SET state = 'done', reply = s.reply, settled_at = ump.now() - s.age * interval '1 millisecond'
      FROM (SELECT * FROM unnest(p_keys, p_replies, p_ages) AS u (key, reply, age) ORDER BY u.key) s
     WHERE d.delivery_key = s.key AND d.state <> 'done';
END $$;
