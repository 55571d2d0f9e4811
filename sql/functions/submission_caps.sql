-- Counts one message (p_caps.messages: that goes out as several) against every cap (FAILURES T04); the name of the first
-- cap that it would pass, or NULL.  A cap that refuses leaves what was counted
-- before it: too many by one at most, never too few.
CREATE OR REPLACE FUNCTION ump.submission_caps(p_account integer, p_user uuid, p_machine uuid, p_identifier text,
                                               p_new_contact boolean, p_caps jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := ump.now();
    v_hour timestamptz := date_trunc('hour', v_now);
    v_period integer := coalesce((p_caps->>'machine_period_s')::integer, 3600);
    v_n integer := greatest(1, coalesce((p_caps->>'messages')::integer, 1));
    v_cap bigint;
BEGIN
    IF p_caps IS NULL OR p_caps = '{}' THEN
        RETURN NULL;
    END IF;
    IF p_machine IS NOT NULL THEN
        v_cap := coalesce((p_caps->>'machine')::bigint, 0);
        IF v_cap > 0 THEN
            -- a sliding window over minutes: what the period behind us holds counts
            IF (SELECT coalesce(sum(count), 0) FROM ump.counters WHERE account_id = p_account AND scope = 'machine'
                   AND key = p_machine::text AND period > v_now - make_interval(secs => v_period)) + v_n > v_cap THEN
                RETURN 'cap-machine';
            END IF;
            PERFORM ump.counter_add(p_account, 'machine', p_machine::text, date_trunc('minute', v_now), v_n, v_cap);
        END IF;
    ELSIF NOT ump.counter_add(p_account, 'user', p_user::text, v_hour, v_n, coalesce((p_caps->>'user')::bigint, 0)) THEN
        RETURN 'cap-user';
    END IF;
    IF p_new_contact AND NOT ump.counter_add(p_account, 'range', left(p_identifier, -3), v_hour, 1,
                                             coalesce((p_caps->>'range')::bigint, 0)) THEN
        RETURN 'cap-range';
    END IF;
    IF NOT ump.counter_add(p_account, 'spend', '', date_trunc('day', v_now), coalesce((p_caps->>'cost')::bigint, 0),
                           coalesce((p_caps->>'spend')::bigint, 0)) THEN
        RETURN 'cap-spend';
    END IF;
    RETURN NULL;
END $$;
