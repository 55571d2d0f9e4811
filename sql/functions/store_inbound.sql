-- One chat message of a contact (or of our own phone: p_direction 'outbound'):
-- contact, conversation and message rows; everything that composing its mail
-- needs comes back, the same when it is repeated.  Of p_metadata: alias is
-- another id of the contact on the channel, address_id what stands for
-- p_identifier in mail addresses, network_id the network's own id of the message
-- where p_provider_id is the provider's.
DROP FUNCTION IF EXISTS ump.store_inbound(integer, uuid, uuid, text, text, text, text, text, text, text[], text, text, jsonb,
    text, text, timestamptz, text, interval, integer, interval, text);
CREATE FUNCTION ump.store_inbound(p_account integer, p_endpoint uuid, p_message uuid, p_channel text,
    p_identifier text, p_name text, p_group_key text, p_group_address text, p_group_title text, p_group_members text[],
    p_type text, p_body text, p_metadata jsonb, p_provider_id text, p_reply_provider_id text, p_occurred timestamptz,
    p_mail_id text, p_window interval, p_segment_messages integer, p_segment_silence interval, p_direction text,
    OUT is_new boolean, OUT conversation_id uuid, OUT anchor text, OUT in_reply_to text, OUT owner_kind text,
    OUT owner_id uuid, OUT mailbox text, OUT owner_name text, OUT subject_style text, OUT contact_id uuid,
    OUT contact_name text, OUT contact_new boolean, OUT blocked boolean, OUT group_id uuid, OUT group_address text,
    OUT group_title text, OUT metadata jsonb, OUT reply_id uuid, OUT reply_text text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_new_contact boolean;
    v_to text;
    v_read_receipts boolean;
BEGIN
    SELECT e.owner_kind, e.owner_id, e.address, coalesce(e.settings->'read_receipts' = 'true', false)
      INTO owner_kind, owner_id, v_to, v_read_receipts
      FROM ump.endpoints e WHERE e.account_id = p_account AND e.id = p_endpoint;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'endpoint % is not known', p_endpoint USING ERRCODE = 'UM001';
    END IF;
    IF owner_kind = 'user' THEN
        SELECT u.email, u.name, u.subject_style INTO mailbox, owner_name, subject_style
          FROM ump.users u WHERE u.account_id = p_account AND u.id = store_inbound.owner_id;
    ELSE
        SELECT t.mailbox, t.display_name, t.subject_style INTO mailbox, owner_name, subject_style
          FROM ump.teams t WHERE t.account_id = p_account AND t.id = store_inbound.owner_id;
    END IF;

    SELECT f.contact, f.is_new INTO contact_id, v_new_contact
      FROM ump.contact_for(p_account, p_channel, p_identifier, p_name) f;
    IF p_metadata ? 'alias' THEN
        PERFORM ump.contact_alias(p_account, p_channel, p_identifier, p_metadata->>'alias');
    END IF;
    IF p_metadata ? 'address_id' THEN
        UPDATE ump.contact_identities i SET address_id = p_metadata->>'address_id'
         WHERE i.account_id = p_account AND i.channel = p_channel AND i.identifier = p_identifier AND i.valid_to IS NULL
           AND i.address_id IS DISTINCT FROM p_metadata->>'address_id';
    END IF;
    SELECT c.name INTO contact_name FROM ump.contacts c WHERE c.account_id = p_account AND c.id = store_inbound.contact_id;
    blocked := EXISTS (SELECT 1 FROM ump.contact_blocks b WHERE b.account_id = p_account
                        AND b.owner_id = store_inbound.owner_id AND b.contact_id = store_inbound.contact_id);
    IF p_group_key IS NOT NULL THEN
        group_id := ump.group_for(p_account, p_endpoint, p_channel, p_group_key, p_group_address, p_group_title, p_group_members);
        SELECT g.address_id, g.title INTO group_address, group_title
          FROM ump.chat_groups g WHERE g.account_id = p_account AND g.id = store_inbound.group_id;
    END IF;
    IF p_reply_provider_id IS NOT NULL THEN     -- within this endpoint: another's messages are another's business
        SELECT m.id, m.mail_message_id, left(m.body, 200) INTO reply_id, in_reply_to, reply_text FROM ump.unified_messages m
         WHERE m.account_id = p_account AND m.provider_id = p_reply_provider_id AND m.endpoint_id = p_endpoint LIMIT 1;
        IF NOT FOUND THEN       -- one that we sent: the provider's id is the delivery's
            SELECT m.id, m.mail_message_id, left(m.body, 200) INTO reply_id, in_reply_to, reply_text
              FROM ump.deliveries d JOIN ump.unified_messages m ON m.account_id = d.account_id AND m.id = d.message_id
             WHERE d.account_id = p_account AND d.provider_id = p_reply_provider_id AND d.endpoint_id = p_endpoint LIMIT 1;
        END IF;
        IF NOT FOUND THEN       -- by the network's id, where the provider has another
            SELECT m.id, m.mail_message_id, left(m.body, 200) INTO reply_id, in_reply_to, reply_text FROM ump.unified_messages m
             WHERE m.account_id = p_account AND m.metadata ? 'network_id' AND m.metadata->>'network_id' = p_reply_provider_id
               AND m.endpoint_id = p_endpoint LIMIT 1;
        END IF;
        -- what was said before the endpoint changed hands is its former owner's
        IF reply_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM ump.unified_messages m
              JOIN ump.unified_conversations c ON c.account_id = m.account_id AND c.id = m.conversation_id
             WHERE m.account_id = p_account AND m.id = reply_id AND c.owner_id = store_inbound.owner_id) THEN
            reply_id := NULL;
            in_reply_to := NULL;
            reply_text := NULL;
        END IF;
    END IF;

    SELECT m.conversation_id, m.mail_anchor, m.metadata INTO conversation_id, anchor, metadata
      FROM ump.unified_messages m WHERE m.account_id = p_account AND m.id = p_message;
    IF FOUND THEN
        is_new := false;
        contact_new := coalesce((metadata->>'contact_new')::boolean, false);
        RETURN;
    END IF;
    is_new := true;
    contact_new := v_new_contact AND p_direction = 'inbound';
    metadata := p_metadata || jsonb_build_object('contact_new', contact_new);
    conversation_id := ump.conversation_open(p_account, owner_kind, owner_id, contact_id, group_id, p_channel, p_endpoint,
        CASE WHEN in_reply_to IS NULL THEN '{}'::text[] ELSE ARRAY[in_reply_to] END, p_window, p_occurred);
    anchor := ump.conversation_append(p_account, conversation_id, p_mail_id, p_occurred, p_endpoint, p_channel, false,
                                      p_segment_messages, p_segment_silence);
    INSERT INTO ump.unified_messages (account_id, id, conversation_id, direction, sender_kind, sender_id, endpoint_id,
        channel, type, from_address, to_addresses, body, metadata, provider_id, reply_to, mail_message_id, mail_anchor,
        occurred_at, created_at)
    VALUES (p_account, p_message, conversation_id, p_direction, CASE p_direction WHEN 'inbound' THEN 'contact' ELSE 'user' END,
        CASE p_direction WHEN 'inbound' THEN contact_id END, p_endpoint, p_channel, p_type,
        CASE p_direction WHEN 'inbound' THEN p_identifier ELSE v_to END,
        ARRAY[CASE p_direction WHEN 'inbound' THEN v_to ELSE p_identifier END], p_body, metadata, p_provider_id, reply_id,
        p_mail_id, anchor, p_occurred, ump.now());
    INSERT INTO ump.mail_ids (account_id, owner_id, mail_id, conversation_id, message_id)
    VALUES (p_account, owner_id, p_mail_id, conversation_id, p_message) ON CONFLICT DO NOTHING;
    IF v_read_receipts AND p_direction = 'inbound' AND p_provider_id IS NOT NULL AND NOT blocked THEN
        INSERT INTO ump.read_waits (account_id, endpoint_id, message_id, mailbox, due_at, created_at)
        VALUES (p_account, p_endpoint, p_message, mailbox, ump.now() + interval '5 seconds', ump.now()) ON CONFLICT DO NOTHING;
    END IF;
END $$;
