-- The conversation that a chat message, or a mail to a gateway address, joins:
-- (1) that of the first mail id in p_refs which has the same owner and contains
-- this contact (or is this group's), (2) the pair's latest within p_window,
-- (3) a new one.  Lock order: contact, then conversation.
CREATE OR REPLACE FUNCTION ump.conversation_open(p_account integer, p_owner_kind text, p_owner uuid, p_contact uuid,
    p_group uuid, p_channel text, p_endpoint uuid, p_refs text[], p_window interval, p_at timestamptz)
RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_id   uuid;
    v_pass integer;
BEGIN
    IF cardinality(p_refs) > 0 THEN
        SELECT c.id INTO v_id
          FROM unnest(p_refs) WITH ORDINALITY AS r (mail_id, n)
          JOIN ump.mail_ids m ON m.account_id = p_account AND m.owner_id = p_owner AND m.mail_id = r.mail_id
          JOIN ump.unified_conversations c ON c.account_id = p_account AND c.id = m.conversation_id
         WHERE CASE WHEN p_group IS NULL THEN c.contact_id = p_contact ELSE c.group_id = p_group END
         ORDER BY r.n LIMIT 1;
        IF FOUND THEN
            RETURN v_id;
        END IF;
    END IF;
    FOR v_pass IN 1..2 LOOP
        IF p_group IS NULL THEN
            SELECT id INTO v_id FROM ump.unified_conversations
             WHERE account_id = p_account AND owner_id = p_owner AND contact_id = p_contact
               AND last_message_at > p_at - p_window
             ORDER BY last_message_at DESC LIMIT 1;
        ELSE
            SELECT id INTO v_id FROM ump.unified_conversations
             WHERE account_id = p_account AND owner_id = p_owner AND group_id = p_group
               AND last_message_at > p_at - p_window
             ORDER BY last_message_at DESC LIMIT 1;
        END IF;
        IF FOUND OR v_pass = 2 THEN
            EXIT;
        END IF;
        IF p_group IS NULL THEN
            PERFORM 1 FROM ump.contacts WHERE account_id = p_account AND id = p_contact FOR NO KEY UPDATE;
        ELSE
            PERFORM 1 FROM ump.chat_groups WHERE account_id = p_account AND id = p_group FOR NO KEY UPDATE;
        END IF;
    END LOOP;
    IF v_id IS NULL THEN
        v_id := ump.uuid_v7();
        INSERT INTO ump.unified_conversations (account_id, id, owner_kind, owner_id, contact_id, group_id,
                                               endpoint_id, channel, last_message_at)
        VALUES (p_account, v_id, p_owner_kind, p_owner, CASE WHEN p_group IS NULL THEN p_contact END, p_group,
                p_endpoint, p_channel, p_at);
    END IF;
    RETURN v_id;
END $$;
