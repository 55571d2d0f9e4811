-- Fills the text search behind the hot path: at most p_limit messages a call;
-- the number filled comes back, and whether messages are arriving just now.  A call goes on from where the last one ended
-- (head); four times a minute one begins at the watermark again, which stays a
-- minute behind, so that a transaction that commits late is met.
DROP FUNCTION IF EXISTS ump.search_fill(integer);
CREATE FUNCTION ump.search_fill(p_limit integer, OUT filled integer, OUT busy boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_w ump.watermarks;
    v_now timestamptz := clock_timestamp();
    v_again boolean;
    v_last bigint;
BEGIN
    filled := 0;
    busy := coalesce((SELECT m.created_at > ump.now() - interval '1 second' FROM ump.unified_messages m
                       ORDER BY m.seq DESC LIMIT 1), false);
    SELECT * INTO v_w FROM ump.watermarks WHERE name = 'search' FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;                 -- another bridge is at it
    END IF;
    v_again := v_now NOT BETWEEN v_w.scanned_at AND v_w.scanned_at + interval '15 seconds';
    WITH todo AS MATERIALIZED (
        SELECT m.account_id, m.id, m.seq, m.conversation_id, m.metadata->>'subject' AS subject, m.body
          FROM ump.unified_messages m
         WHERE m.seq > CASE WHEN v_again THEN v_w.value ELSE v_w.head END
           AND NOT EXISTS (SELECT 1 FROM ump.message_search s WHERE s.account_id = m.account_id AND s.message_id = m.id OFFSET 0)
         ORDER BY m.seq LIMIT p_limit
    ), filled AS (
        INSERT INTO ump.message_search (account_id, message_id, owner_id, search)
        SELECT t.account_id, t.id, c.owner_id, to_tsvector('simple', left(coalesce(t.subject, '') || ' ' || t.body, 16384))
          FROM todo t
          JOIN ump.unified_conversations c ON c.account_id = t.account_id AND c.id = t.conversation_id
        ON CONFLICT DO NOTHING
    )
    SELECT count(*), max(t.seq) INTO filled, v_last FROM todo t;
    UPDATE ump.watermarks SET head = greatest(head, v_last) WHERE name = 'search' AND head < v_last;
    IF v_again AND filled < p_limit THEN
        UPDATE ump.watermarks SET scanned_at = v_now, value = greatest(value,
               (SELECT max(m.seq) FROM ump.unified_messages m
                 WHERE m.seq > v_w.value AND m.created_at < ump.now() - interval '1 minute'))
         WHERE name = 'search';
    END IF;
END $$;
