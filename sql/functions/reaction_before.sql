-- The emoji that our side has given to this mail's message last: from mail, or
-- from our own phone.  NULL: none, or it has been taken back since.
CREATE OR REPLACE FUNCTION ump.reaction_before(p_account integer, p_conversation uuid, p_owner uuid, p_target text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN m.metadata->'reaction' ? 'removed' OR m.metadata ? 'reaction_removed' THEN NULL
                ELSE coalesce(m.metadata->'reaction'->>'emoji', m.metadata->>'reaction') END
      FROM ump.unified_messages m
     WHERE m.account_id = p_account AND m.conversation_id = p_conversation AND m.direction = 'outbound' AND m.type = 'reaction'
       AND (m.metadata->'reaction'->>'target' = p_target
            OR m.reply_to = (SELECT i.message_id FROM ump.mail_ids i
                              WHERE i.account_id = p_account AND i.owner_id = p_owner AND i.mail_id = p_target))
     ORDER BY m.occurred_at DESC, m.seq DESC LIMIT 1
$$;
