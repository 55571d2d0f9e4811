-- The contact behind (channel, identifier); made at first sight.  The same
-- E.164 number on another channel of the account is the same contact, nothing
-- else is linked automatically.
CREATE OR REPLACE FUNCTION ump.contact_for(p_account integer, p_channel text, p_identifier text, p_name text,
                                           OUT contact uuid, OUT is_new boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_made uuid;
BEGIN
    is_new := false;
    SELECT contact_id INTO contact FROM ump.contact_identities
     WHERE account_id = p_account AND channel = p_channel AND identifier = p_identifier AND valid_to IS NULL;
    IF FOUND THEN
        RETURN;
    END IF;
    IF p_identifier LIKE '+%' THEN
        SELECT contact_id INTO contact FROM ump.contact_identities
         WHERE account_id = p_account AND identifier = p_identifier AND identifier LIKE '+%' AND valid_to IS NULL
         ORDER BY valid_from LIMIT 1;
    END IF;
    IF contact IS NULL THEN
        v_made := ump.uuid_v7();
        INSERT INTO ump.contacts (account_id, id, name) VALUES (p_account, v_made, nullif(p_name, ''));
        contact := v_made;
        is_new := true;
    END IF;
    INSERT INTO ump.contact_identities (account_id, channel, identifier, contact_id, linked_how)
    VALUES (p_account, p_channel, p_identifier, contact, CASE WHEN is_new THEN 'first-seen' ELSE 'same-number' END)
    ON CONFLICT (account_id, channel, identifier) WHERE valid_to IS NULL DO NOTHING;
    IF NOT FOUND THEN               -- somebody else was first: his contact counts
        IF v_made IS NOT NULL THEN
            DELETE FROM ump.contacts WHERE account_id = p_account AND id = v_made;
        END IF;
        is_new := false;
        SELECT contact_id INTO contact FROM ump.contact_identities
         WHERE account_id = p_account AND channel = p_channel AND identifier = p_identifier AND valid_to IS NULL;
    END IF;
END $$;
