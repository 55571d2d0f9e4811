-- What became of a message's media: fetched (sha256) or failed (why).
CREATE OR REPLACE FUNCTION ump.message_media_set(p_account integer, p_message uuid, p_media jsonb) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
BEGIN
    UPDATE ump.unified_messages SET metadata = metadata || jsonb_build_object('media', p_media)
     WHERE account_id = p_account AND id = p_message;
    INSERT INTO ump.media (account_id, sha256, type, size)
    SELECT p_account, decode(m->>'sha256', 'hex'), m->>'type', (m->>'size')::bigint
      FROM jsonb_array_elements(p_media) m WHERE m ? 'sha256'
    ON CONFLICT DO NOTHING;
    RETURN true;
END $$;
