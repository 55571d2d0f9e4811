-- Our attempt behind a status that names a message by the time at which it was
-- sent, which is all that some networks tell.  To this recipient there is at most
-- one request under way at a time, so the uncertain one that was open then is it.
-- NULL: none, more than one, or it was sent from elsewhere (our own phone).
CREATE OR REPLACE FUNCTION ump.sent_match(p_account integer, p_endpoint uuid, p_recipient text, p_provider_id text,
                                          p_sent timestamptz) RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_slack CONSTANT interval := '2 seconds';       -- of the two clocks
    v_found uuid[];
BEGIN
    PERFORM 1 FROM ump.unified_messages m WHERE m.account_id = p_account AND m.provider_id = p_provider_id;
    IF FOUND THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(a.id) INTO v_found
      FROM ump.outbox o
      JOIN ump.attempts a ON a.account_id = o.account_id AND a.id = o.attempt_id
     WHERE o.account_id = p_account AND o.endpoint_id = p_endpoint AND o.recipient = p_recipient AND o.state = 5
       AND a.outcome = 'uncertain' AND p_sent BETWEEN a.started_at - v_slack AND coalesce(a.ended_at, 'infinity') + v_slack;
    RETURN CASE WHEN cardinality(v_found) = 1 THEN v_found[1] END;
END $$;
