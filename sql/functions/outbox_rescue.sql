-- What a dead worker left behind, what is due, what has run out of time.

-- Leases of dead workers (with p_worker: also its own, for its successor at
-- start): a request that was started becomes uncertain, the rest ready; what is
-- due becomes ready.  p_since (NULL: from the beginning): leases that ran out,
-- and times that came, before it were dealt with by an earlier call, and their
-- entries are not met again.  Returns, and tells every listener, the lowest id
-- per endpoint that is ready again; in a last row more: there is more to do now,
-- clock: its time, from which the next p_since is reckoned.
CREATE OR REPLACE FUNCTION ump.outbox_rescue(p_worker text, p_uncertain_after interval, p_since timestamptz)
RETURNS TABLE (account_id integer, endpoint_id uuid, lowest bigint, uncertain integer, more boolean, clock timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
    v_limit CONSTANT integer := 2000;
    v_now timestamptz := ump.now();
    v_clock timestamptz := clock_timestamp();
    v_since timestamptz := coalesce(p_since, '-infinity');
    v_uncertain integer := 0;
    v_seen integer := 0;    -- attempts and leases whose time had come, whoever has them now
    v_due integer := 0;
    v_ready integer := 0;
    v_parts bigint[] := '{}';
    v_o ump.outbox;
    r record;
BEGIN
    FOR r IN
        SELECT late.* FROM (
            SELECT o.id, o.account_id, o.message_id, o.recipient, o.part, o.attempt_id, o.fence FROM ump.outbox o
             WHERE o.state = 3 AND ((o.lease_until > v_since AND o.lease_until < v_clock)
                                    OR (p_worker IS NOT NULL AND o.worker = p_worker))
             ORDER BY o.id LIMIT v_limit) late
         ORDER BY late.message_id, late.recipient, late.part
    LOOP
        v_seen := v_seen + 1;
        v_o := ump.outbox_lock(r.id);   -- finished or kept alive meanwhile?
        CONTINUE WHEN v_o.id IS NULL OR v_o.fence <> r.fence OR v_o.state <> 3
                   OR NOT (v_o.lease_until < v_clock OR coalesce(v_o.worker = p_worker, false));
        UPDATE ump.outbox SET state = 5, due_at = v_now + p_uncertain_after, worker = NULL, lease_until = NULL,
               fence = r.fence + 1 WHERE id = r.id;
        UPDATE ump.attempts SET outcome = 'uncertain', ended_at = v_now,
               error_text = 'the sender died with the request under way'
         WHERE account_id = r.account_id AND id = r.attempt_id AND outcome IS NULL;
        UPDATE ump.deliveries SET status = 'uncertain', uncertain_at = v_now
         WHERE account_id = r.account_id AND message_id = r.message_id AND recipient = r.recipient AND part = r.part
           AND status = 'sending';
        IF r.part > 0 THEN
            v_parts := v_parts || r.id;
        END IF;
        v_uncertain := v_uncertain + 1;
    END LOOP;
    FOR r IN SELECT DISTINCT o.account_id, o.message_id, o.recipient FROM ump.outbox o WHERE o.id = ANY (v_parts)
              ORDER BY o.message_id, o.recipient LOOP
        PERFORM ump.parts_settle(r.account_id, r.message_id, r.recipient);
    END LOOP;
    FOR r IN
        WITH late AS (
            (SELECT o.id FROM ump.outbox o
              WHERE o.state = 2 AND ((o.lease_until > v_since AND o.lease_until < v_clock)
                                     OR (p_worker IS NOT NULL AND o.worker = p_worker))
              ORDER BY o.lease_until LIMIT v_limit)
            UNION ALL
            (SELECT o.id FROM ump.outbox o WHERE o.state = 4 AND o.due_at > v_since + (v_now - v_clock) AND o.due_at <= v_now
              ORDER BY o.due_at LIMIT v_limit)
        ), lock AS (
            SELECT o.id FROM ump.outbox o WHERE o.id IN (SELECT l.id FROM late l) AND o.state + 0 IN (2, 4)
             ORDER BY o.id FOR NO KEY UPDATE SKIP LOCKED
        ), back AS (
            UPDATE ump.outbox o SET state = 1, worker = NULL, lease_until = NULL, due_at = NULL, fence = o.fence + 1
              FROM lock WHERE o.id = lock.id RETURNING o.account_id, o.endpoint_id, o.id
        )
        SELECT b.account_id, b.endpoint_id, min(b.id) AS lowest, (SELECT count(*) FROM late) AS n
          FROM (VALUES (true)) once (is_read) LEFT JOIN back b ON once.is_read GROUP BY 1, 2
    LOOP
        v_due := r.n;
        CONTINUE WHEN r.account_id IS NULL;
        v_ready := v_ready + 1;
        account_id := r.account_id;
        endpoint_id := r.endpoint_id;
        lowest := r.lowest;
        uncertain := NULL;
        more := NULL;
        PERFORM pg_notify('ump_outbox', r.account_id || '/' || r.endpoint_id || '/' || r.lowest);
        RETURN NEXT;
    END LOOP;
    account_id := NULL;
    endpoint_id := NULL;
    lowest := NULL;
    uncertain := v_uncertain;
    more := (v_seen >= v_limit AND v_uncertain > 0) OR (v_due >= v_limit AND v_ready > 0);
    clock := v_clock;
    RETURN NEXT;
END $$;

-- What nobody could send in time, whatever it waits for: the sender is told.
CREATE OR REPLACE FUNCTION ump.outbox_expire(p_limit integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_now timestamptz := ump.now();
    v_n integer := 0;
    v_o ump.outbox;
    r record;
BEGIN
    FOR r IN
        SELECT late.* FROM (
            SELECT o.id, o.account_id, o.message_id, o.recipient, o.part FROM ump.outbox o
             WHERE o.expires_at < v_now AND o.state IN (1, 4) LIMIT p_limit) late
         ORDER BY late.message_id, late.recipient, late.part
    LOOP
        v_o := ump.outbox_lock(r.id);   -- claimed or put off meanwhile?
        CONTINUE WHEN v_o.id IS NULL OR v_o.state NOT IN (1, 4) OR NOT coalesce(v_o.expires_at < v_now, false);
        DELETE FROM ump.outbox WHERE id = r.id;
        PERFORM ump.delivery_fail(r.account_id, r.message_id, r.recipient, r.part, 'expired', 'expired',
                                  'it could not be sent in time');
        v_n := v_n + 1;
    END LOOP;
    RETURN v_n;
END $$;

-- After a restore: what waited when the backup was written may have gone out
-- since, at any time, so that no look-up says that it did not.  Its author is
-- asked.  What is to wait longer yet goes on waiting.  Returns how many.
CREATE OR REPLACE FUNCTION ump.outbox_restored() RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := ump.now();
    v_asked integer;
    r record;
BEGIN
    UPDATE ump.attempts a SET outcome = 'uncertain', ended_at = v_now, error_text = 'the index was restored from a backup'
      FROM ump.outbox o
     WHERE o.attempt_id = a.id AND o.account_id = a.account_id AND a.outcome IS NULL;
    UPDATE ump.outbox SET state = 5, due_at = v_now, worker = NULL, lease_until = NULL, attempt_id = gen_random_uuid(), fence = fence + 1
     WHERE state <> 4 OR due_at <= v_now;
    GET DIAGNOSTICS v_asked = ROW_COUNT;
    UPDATE ump.deliveries d SET status = 'uncertain', uncertain_at = v_now
      FROM ump.outbox o
     WHERE o.state = 5 AND d.account_id = o.account_id AND d.message_id = o.message_id AND d.recipient = o.recipient
       AND d.part = o.part AND d.status IN ('queued', 'sending');
    FOR r IN SELECT DISTINCT o.account_id, o.message_id, o.recipient FROM ump.outbox o WHERE o.state = 5 AND o.part > 0
              ORDER BY o.message_id, o.recipient LOOP
        PERFORM ump.parts_settle(r.account_id, r.message_id, r.recipient);
    END LOOP;
    RETURN v_asked;
END $$;
