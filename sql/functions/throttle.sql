-- Token buckets: how many may leave in a time.

-- Takes up to p_want tokens of a bucket.  rate per second, burst: its size.  No
-- row yet: full.  wait_ms: until the next whole token; 0 when all were granted.
DROP FUNCTION IF EXISTS ump.throttle_take(integer, text, double precision, double precision, integer);
CREATE FUNCTION ump.throttle_take(p_account integer, p_key text, p_rate double precision, p_burst double precision,
                                  p_want integer, OUT taken integer, OUT wait_ms integer)
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_tokens double precision;
    v_updated timestamptz;
BEGIN
    LOOP
        SELECT least(p_burst, t.tokens + p_rate * greatest(0, extract(epoch FROM v_now - t.updated_at))), t.updated_at
          INTO v_tokens, v_updated
          FROM ump.throttles t WHERE t.account_id = p_account AND t.key = p_key FOR NO KEY UPDATE;
        EXIT WHEN FOUND;
        INSERT INTO ump.throttles (account_id, key, tokens, updated_at) VALUES (p_account, p_key, p_burst, v_now)
        ON CONFLICT DO NOTHING;
    END LOOP;
    taken := greatest(0, least(p_want, floor(v_tokens)::integer));
    IF taken > 0 OR v_updated > v_now THEN      -- the clock was set back: it fills from now on
        UPDATE ump.throttles SET tokens = v_tokens - taken, updated_at = v_now
         WHERE account_id = p_account AND key = p_key;
    END IF;
    wait_ms := CASE WHEN taken >= p_want THEN 0
                    ELSE greatest(1, least(86400000, ceil((1 - (v_tokens - taken)) / p_rate * 1000)))::integer END;
END $$;

CREATE OR REPLACE FUNCTION ump.throttle_give_back(p_account integer, p_key text, p_n integer) RETURNS void
LANGUAGE sql AS $$
    UPDATE ump.throttles SET tokens = tokens + p_n WHERE account_id = p_account AND key = p_key AND p_n > 0
$$;
