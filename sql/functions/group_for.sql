-- The group behind a provider's key; made at first sight, its members and
-- title kept as the newest message says.
CREATE OR REPLACE FUNCTION ump.group_for(p_account integer, p_endpoint uuid, p_channel text, p_key text,
                                         p_address_id text, p_title text, p_members text[]) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_id uuid;
BEGIN
    UPDATE ump.chat_groups SET title = coalesce(nullif(p_title, ''), title), members = coalesce(p_members, members)
     WHERE account_id = p_account AND endpoint_id = p_endpoint AND group_key = p_key
    RETURNING id INTO v_id;
    IF NOT FOUND THEN
        INSERT INTO ump.chat_groups (account_id, id, endpoint_id, channel, group_key, address_id, title, members)
        VALUES (p_account, ump.uuid_v7(), p_endpoint, p_channel, p_key, p_address_id, nullif(p_title, ''),
                coalesce(p_members, '{}'))
        ON CONFLICT (account_id, endpoint_id, group_key) DO UPDATE SET group_key = excluded.group_key
        RETURNING id INTO v_id;
    END IF;
    RETURN v_id;
END $$;
