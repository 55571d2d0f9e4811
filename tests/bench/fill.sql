-- Stored messages up to :stored, as two years of use leave them: 50 a conversation, with ids, deliveries and dedupe keys.
WITH have AS (SELECT count(*) AS n FROM ump.unified_messages),
made AS (
    SELECT g, ump.uuid_v7() AS id FROM have, generate_series(have.n + 1, :stored) g
), owner AS (
    SELECT e.account_id, e.id AS endpoint_id, e.owner_kind, e.owner_id FROM ump.endpoints e LIMIT 1
), contact AS (
    INSERT INTO ump.contacts (account_id, id, name)
    SELECT o.account_id, md5('contact' || (m.g / 50))::uuid, 'Contact ' || (m.g / 50) FROM made m, owner o WHERE m.g % 50 = 1
    ON CONFLICT DO NOTHING RETURNING id
), identity AS (
    INSERT INTO ump.contact_identities (account_id, channel, identifier, contact_id)
    SELECT o.account_id, 'sms', '+1917' || lpad((m.g / 50)::text, 7, '0'), md5('contact' || (m.g / 50))::uuid FROM made m, owner o WHERE m.g % 50 = 1
    ON CONFLICT DO NOTHING
), conversation AS (
    INSERT INTO ump.unified_conversations (account_id, id, owner_kind, owner_id, contact_id, endpoint_id, channel, last_message_at, message_count)
    SELECT o.account_id, md5('conversation' || (m.g / 50))::uuid, o.owner_kind, o.owner_id, md5('contact' || (m.g / 50))::uuid, o.endpoint_id, 'sms',
           now(), 50 FROM made m, owner o WHERE m.g % 50 = 1
    ON CONFLICT DO NOTHING
), ids AS (
    INSERT INTO ump.mail_ids (account_id, owner_id, mail_id, conversation_id, message_id)
    SELECT o.account_id, o.owner_id, '<ump.' || m.id || '@msgs.test>', md5('conversation' || (m.g / 50))::uuid, m.id FROM made m, owner o
), keys AS (
    INSERT INTO ump.inbound_keys (account_id, endpoint_id, event_key, event_id, received_at)
    SELECT o.account_id, o.endpoint_id, m.id::text, m.g, now() FROM made m, owner o
)
INSERT INTO ump.unified_messages (account_id, id, conversation_id, direction, sender_kind, endpoint_id, channel, from_address, to_addresses, body,
                                  provider_id, mail_message_id, occurred_at)
SELECT o.account_id, m.id, md5('conversation' || (m.g / 50))::uuid, 'inbound', 'contact', o.endpoint_id, 'sms',
       '+1917' || lpad((m.g / 50)::text, 7, '0'), '{+12125550100}', 'A message of the usual length, number ' || m.g, m.id::text,
       '<ump.' || m.id || '@msgs.test>', now() - (1000000 - m.g) * interval '1 minute' FROM made m, owner o;
