-- Counts one more message into a conversation and gives the anchor that its
-- mail references: NULL when this mail starts a segment (it is fresh, the
-- segment is full, or silence was long; MAIL.md) and is the anchor itself.
-- (plpgsql, because it keeps the plan; LANGUAGE sql would plan at every call.)
CREATE OR REPLACE FUNCTION ump.conversation_append(p_account integer, p_conversation uuid, p_mail_id text,
    p_at timestamptz, p_endpoint uuid, p_channel text, p_fresh boolean, p_segment_messages integer,
    p_segment_silence interval) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_anchor text;
    v_count integer;
BEGIN
    -- the expressions see the row as it was, locked
    UPDATE ump.unified_conversations c
       SET message_count = c.message_count + 1,
           last_message_at = greatest(c.last_message_at, p_at),
           endpoint_id = coalesce(p_endpoint, c.endpoint_id),
           channel = coalesce(p_channel, c.channel),
           status = CASE WHEN c.status IN ('closed', 'snoozed') THEN 'open' ELSE c.status END,
           (segment_anchor, segment_count) = ROW(
               CASE WHEN p_fresh OR c.segment_anchor IS NULL OR c.segment_count >= p_segment_messages
                         OR p_at - c.last_message_at > p_segment_silence THEN p_mail_id ELSE c.segment_anchor END,
               CASE WHEN p_fresh OR c.segment_anchor IS NULL OR c.segment_count >= p_segment_messages
                         OR p_at - c.last_message_at > p_segment_silence THEN 1 ELSE c.segment_count + 1 END)
     WHERE c.account_id = p_account AND c.id = p_conversation
    RETURNING c.segment_anchor, c.segment_count INTO v_anchor, v_count;
    RETURN CASE WHEN v_count > 1 THEN v_anchor END;
END $$;
