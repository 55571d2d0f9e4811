-- Another id by which the network knows the person behind (channel, identifier):
-- a number that it writes in another way, an id beside the number, a new number.
-- What is known as somebody else's stays his.  A STOP of his holds for it, too.
CREATE OR REPLACE FUNCTION ump.contact_alias(p_account integer, p_channel text, p_identifier text, p_alias text) RETURNS void
LANGUAGE sql AS $$
    WITH made AS (
        INSERT INTO ump.contact_identities (account_id, channel, identifier, contact_id, linked_how)
        SELECT p_account, p_channel, p_alias, i.contact_id, 'same-number' FROM ump.contact_identities i
         WHERE i.account_id = p_account AND i.channel = p_channel AND i.identifier = p_identifier AND i.valid_to IS NULL
           AND p_alias <> p_identifier
           AND NOT EXISTS (SELECT 1 FROM ump.contact_identities a WHERE a.account_id = p_account AND a.channel = p_channel
                              AND a.identifier = p_alias AND a.valid_to IS NULL)
        ON CONFLICT (account_id, channel, identifier) WHERE valid_to IS NULL DO NOTHING RETURNING 1)
    INSERT INTO ump.message_opt_outs (account_id, channel, identifier, endpoint_id, source, created_at)
    SELECT o.account_id, o.channel, p_alias, o.endpoint_id, o.source, o.created_at FROM made, ump.message_opt_outs o
     WHERE o.account_id = p_account AND o.channel = p_channel AND o.identifier = p_identifier
    ON CONFLICT DO NOTHING
$$;

-- The id behind what stands in a mail address; the same where it stands there itself.
CREATE OR REPLACE FUNCTION ump.identifier_of(p_account integer, p_channel text, p_address_id text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT i.identifier FROM ump.contact_identities i
                      WHERE i.account_id = p_account AND i.channel = p_channel AND i.address_id = p_address_id
                        AND i.valid_to IS NULL LIMIT 1), p_address_id)
$$;
