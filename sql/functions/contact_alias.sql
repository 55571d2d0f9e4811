-- The ids by which the network names the line of p_identifier, that one first.
CREATE OR REPLACE FUNCTION ump.same_identifiers(p_account integer, p_channel text, p_identifier text) RETURNS SETOF text
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE same (id) AS (
        SELECT p_identifier
         UNION
        SELECT CASE a.identifier WHEN s.id THEN a.alias ELSE a.identifier END
          FROM same s JOIN ump.contact_aliases a ON a.account_id = p_account AND a.channel = p_channel
                                                AND (a.identifier = s.id OR a.alias = s.id)
    )
    SELECT id FROM same
$$;

-- Another id by which the network knows the person behind (channel, identifier):
-- a number that it writes in another way, an id beside the number, a new number.
-- What is known as another contact's stays his; but a STOP that one of the two has
-- holds for the other, too.
CREATE OR REPLACE FUNCTION ump.contact_alias(p_account integer, p_channel text, p_identifier text, p_alias text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_alias = p_identifier OR EXISTS (SELECT 1 FROM ump.contact_aliases
            WHERE account_id = p_account AND channel = p_channel AND identifier = p_identifier AND alias = p_alias) THEN
        RETURN;
    END IF;
    PERFORM ump.opt_out_lock(p_account, p_channel);
    INSERT INTO ump.contact_aliases (account_id, channel, identifier, alias)
    VALUES (p_account, p_channel, p_identifier, p_alias) ON CONFLICT DO NOTHING;
    INSERT INTO ump.contact_identities (account_id, channel, identifier, contact_id, linked_how)
    SELECT p_account, p_channel, p_alias, i.contact_id, 'same-number' FROM ump.contact_identities i
     WHERE i.account_id = p_account AND i.channel = p_channel AND i.identifier = p_identifier AND i.valid_to IS NULL
       AND NOT EXISTS (SELECT 1 FROM ump.contact_identities a WHERE a.account_id = p_account AND a.channel = p_channel
                          AND a.identifier = p_alias AND a.valid_to IS NULL)
    ON CONFLICT (account_id, channel, identifier) WHERE valid_to IS NULL DO NOTHING;
    INSERT INTO ump.message_opt_outs (account_id, channel, identifier, endpoint_id, source, created_at)
    SELECT o.account_id, o.channel, s.id, o.endpoint_id, o.source, o.created_at
      FROM ump.same_identifiers(p_account, p_channel, p_identifier) s (id)
      JOIN ump.message_opt_outs o ON o.account_id = p_account AND o.channel = p_channel
       AND o.identifier IN (SELECT t.id FROM ump.same_identifiers(p_account, p_channel, p_identifier) t (id))
     ORDER BY s.id, o.created_at
    ON CONFLICT DO NOTHING;
END $$;

-- The id behind what stands in a mail address; the same where it stands there itself.
CREATE OR REPLACE FUNCTION ump.identifier_of(p_account integer, p_channel text, p_address_id text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT i.identifier FROM ump.contact_identities i
                      WHERE i.account_id = p_account AND i.channel = p_channel AND i.address_id = p_address_id
                        AND i.valid_to IS NULL LIMIT 1), p_address_id)
$$;
