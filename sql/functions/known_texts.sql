-- Texts that the author of an answer knows from its thread: inbound messages of
-- the conversations that p_refs (In-Reply-To first, then References) lead to,
-- and his own message where he answers that.  Of his own and his teams'
-- conversations only; stored before p_before; the newest p_count messages, as
-- long as they fit into p_bytes together.
CREATE OR REPLACE FUNCTION ump.known_texts(p_login text, p_refs text[], p_before timestamptz, p_count integer,
                                           p_bytes integer)
RETURNS TABLE (body text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = ump, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_account integer;
    v_user uuid;
    v_owners uuid[];
BEGIN
    SELECT i.account_id, i.user_id INTO v_account, v_user FROM ump.user_identifiers i
     WHERE (i.kind, i.value) IN (('email', lower(p_login)), ('login', lower(p_login)))
     ORDER BY i.kind DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT array_agg(t.team_id) INTO v_owners FROM ump.team_members t
     WHERE t.account_id = v_account AND t.user_id = v_user;
    v_owners := v_user || v_owners;
    RETURN QUERY
    WITH thread AS MATERIALIZED (
        SELECT DISTINCT i.conversation_id FROM ump.mail_ids i
         WHERE i.account_id = v_account AND i.owner_id = ANY (v_owners) AND i.mail_id = ANY (p_refs[1:50]) LIMIT 10
    ), newest AS (
        SELECT m.body, m.created_at, m.id FROM thread t
         CROSS JOIN LATERAL (
            SELECT left(x.body, p_bytes) AS body, x.created_at, x.id FROM ump.unified_messages x
             WHERE x.account_id = v_account AND x.conversation_id = t.conversation_id AND x.body <> ''
               AND x.created_at < p_before AND (x.direction = 'inbound' OR x.mail_message_id = p_refs[1])
             ORDER BY x.occurred_at DESC LIMIT p_count) m
         ORDER BY m.created_at DESC, m.id DESC LIMIT p_count
    )
    SELECT n.body FROM (SELECT w.body, w.created_at, w.id,
                               sum(octet_length(w.body)) OVER (ORDER BY w.created_at DESC, w.id DESC) AS so_far
                          FROM newest w) n
     WHERE n.so_far <= p_bytes;
END $$;
