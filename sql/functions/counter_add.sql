-- Adds to a cap's counter and says whether it is still within p_cap (0: no cap).
-- Over it nothing is counted.
CREATE OR REPLACE FUNCTION ump.counter_add(p_account integer, p_scope text, p_key text, p_period timestamptz,
                                           p_n bigint, p_cap bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF p_cap <= 0 THEN
        RETURN true;
    END IF;
    IF p_n > p_cap THEN
        RETURN false;
    END IF;
    INSERT INTO ump.counters AS c (account_id, scope, key, period, count) VALUES (p_account, p_scope, p_key, p_period, p_n)
    ON CONFLICT (account_id, scope, key, period) DO UPDATE SET count = c.count + p_n WHERE c.count + p_n <= p_cap;
    RETURN FOUND;
END $$;
