-- A status of a message that a person sent by mail: its copy in Sent is to carry
-- the keyword (receipts job "keyword": user, mail_id, keyword).  False: there is
-- no such copy (a machine's mail, or not one of ours).
CREATE OR REPLACE FUNCTION ump.keyword_add(p_account integer, p_message uuid, p_keyword text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
BEGIN
    INSERT INTO ump.jobs (queue, account_id, lane, kind, message_id, payload, unique_key)
    SELECT 'receipts', p_account, p_message::text || '/keyword', 'keyword', p_message,
           jsonb_build_object('user', u.email, 'mail_id', m.mail_message_id, 'keyword', p_keyword),
           format('keyword:%s:%s:%s', p_account, p_message, p_keyword)
      FROM ump.unified_messages m
      JOIN ump.users u ON u.account_id = m.account_id AND u.id = m.sender_id
     WHERE m.account_id = p_account AND m.id = p_message AND m.direction = 'outbound' AND m.sender_kind = 'user'
       AND m.mail_message_id IS NOT NULL
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        PERFORM pg_notify('ump_jobs', 'receipts');
    END IF;
    RETURN FOUND;
END $$;
