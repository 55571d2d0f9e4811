-- The group that a mail to new-group@… makes of its other recipients (ump-lmtp);
-- the same one when it is there already.
CREATE OR REPLACE FUNCTION ump.group_open(p_account integer, p_endpoint uuid, p_channel text, p_key text,
                                          p_address_id text, p_members text[], OUT group_id uuid, OUT address_id text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
BEGIN
    group_id := ump.group_for(p_account, p_endpoint, p_channel, p_key, p_address_id, NULL, p_members);
    SELECT g.address_id INTO address_id FROM ump.chat_groups g
     WHERE g.account_id = p_account AND g.id = group_open.group_id;
END $$;
