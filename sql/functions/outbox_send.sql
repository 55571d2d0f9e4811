-- Attempts: the last look before one is started, and what became of it.

-- The last look before requests are started, for many at once.  Per id: 'send',
-- or why not ('stale': the lease was lost; 'opted-out', 'cancelled', 'expired':
-- the row is gone and the report queued).  Locks: delivery, then outbox row.
CREATE OR REPLACE FUNCTION ump.outbox_sending(p_ids bigint[], p_fences bigint[], p_attempts uuid[])
RETURNS TABLE (id bigint, verdict text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
    v_now timestamptz := ump.now();
    v_done bigint[];
    v_parts bigint[];
    r record;
BEGIN
    -- nearly all: one pass, each table by its key (OFFSET 0: in this order)
    WITH want AS MATERIALIZED (
        SELECT o.*, w.attempt
          FROM unnest(p_ids, p_fences, p_attempts) w (id, fence, attempt)
         CROSS JOIN LATERAL (SELECT * FROM ump.outbox x WHERE x.id = w.id OFFSET 0) o
         WHERE o.fence = w.fence AND o.state = 2
         ORDER BY o.message_id, o.recipient, o.part -- so deliveries are locked
    ), fit AS (
        SELECT o.id, o.account_id, o.message_id, o.recipient, o.part, o.fence, o.attempt
          FROM want o
         CROSS JOIN LATERAL (SELECT x.channel FROM ump.endpoints x
                              WHERE x.account_id = o.account_id AND x.id = o.endpoint_id OFFSET 0) e
         CROSS JOIN LATERAL (SELECT x.status FROM ump.deliveries x
                              WHERE x.account_id = o.account_id AND x.message_id = o.message_id
                                AND x.recipient = o.recipient AND x.part = o.part OFFSET 0 FOR NO KEY UPDATE) d
         WHERE d.status IN ('queued', 'sending', 'uncertain')
           AND (o.expires_at IS NULL OR o.expires_at >= v_now)
           AND NOT ump.opted_out(o.account_id, o.endpoint_id, e.channel, o.recipient)
    ), mark AS (
        UPDATE ump.outbox o SET state = 3, attempt_id = f.attempt, attempts = o.attempts + 1
          FROM fit f WHERE o.id = f.id AND o.fence = f.fence AND o.state + 0 = 2
        RETURNING f.*
    ), try AS (
        INSERT INTO ump.attempts (account_id, id, message_id, recipient, part, started_at)
        SELECT m.account_id, m.attempt, m.message_id, m.recipient, m.part, v_now FROM mark m
        ON CONFLICT DO NOTHING
    ), delivery AS (
        UPDATE ump.deliveries d SET status = 'sending', sending_at = v_now
          FROM mark m
         WHERE d.account_id = m.account_id AND d.message_id = m.message_id AND d.recipient = m.recipient AND d.part = m.part
    )
    SELECT coalesce(array_agg(m.id), '{}'), array_agg(m.id) FILTER (WHERE m.part > 0) INTO v_done, v_parts FROM mark m;
    FOR r IN SELECT o.account_id, o.message_id, o.recipient FROM ump.outbox o WHERE o.id = ANY (v_parts)
              ORDER BY o.message_id, o.recipient LOOP
        PERFORM ump.parts_settle(r.account_id, r.message_id, r.recipient);
    END LOOP;
    RETURN QUERY SELECT d.id, 'send'::text FROM unnest(v_done) d (id);
    IF cardinality(v_done) < cardinality(p_ids) THEN
        FOR r IN SELECT w.id, w.fence, w.attempt FROM unnest(p_ids, p_fences, p_attempts) w (id, fence, attempt)
                  WHERE w.id <> ALL (v_done) ORDER BY w.id LOOP
            id := r.id;
            verdict := ump.outbox_sending_one(r.id, r.fence, r.attempt);
            RETURN NEXT;
        END LOOP;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION ump.outbox_sending_one(p_id bigint, p_fence bigint, p_attempt uuid) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_o ump.outbox := ump.outbox_lock(p_id);
    v_channel text;
    v_status text;
    v_now timestamptz := ump.now();
BEGIN
    IF v_o.id IS NULL OR v_o.fence <> p_fence THEN
        RETURN 'stale';
    END IF;
    IF v_o.state = 3 AND v_o.attempt_id = p_attempt THEN
        RETURN 'send';          -- the same statement, repeated after a lost connection
    END IF;
    IF v_o.state <> 2 THEN
        RETURN 'stale';
    END IF;
    SELECT channel INTO v_channel FROM ump.endpoints WHERE account_id = v_o.account_id AND id = v_o.endpoint_id;
    SELECT status INTO v_status FROM ump.deliveries
     WHERE account_id = v_o.account_id AND message_id = v_o.message_id AND recipient = v_o.recipient AND part = v_o.part;
    IF v_status IS NULL OR v_status NOT IN ('queued', 'sending', 'uncertain') THEN
        DELETE FROM ump.outbox WHERE id = p_id;
        RETURN 'cancelled';     -- or failed, expired, delivered: over in any case
    END IF;
    IF v_o.expires_at < v_now THEN
        PERFORM ump.delivery_fail(v_o.account_id, v_o.message_id, v_o.recipient, v_o.part, 'expired', 'expired',
                                  'it could not be sent in time');
        DELETE FROM ump.outbox WHERE id = p_id;
        RETURN 'expired';
    END IF;
    IF ump.opted_out(v_o.account_id, v_o.endpoint_id, v_channel, v_o.recipient) THEN
        PERFORM ump.delivery_fail(v_o.account_id, v_o.message_id, v_o.recipient, v_o.part, 'failed', 'opted-out',
                                  'the recipient has opted out (STOP)');
        DELETE FROM ump.outbox WHERE id = p_id;
        RETURN 'opted-out';
    END IF;
    UPDATE ump.outbox SET state = 3, attempt_id = p_attempt, attempts = attempts + 1 WHERE id = p_id;
    INSERT INTO ump.attempts (account_id, id, message_id, recipient, part, started_at)
    VALUES (v_o.account_id, p_attempt, v_o.message_id, v_o.recipient, v_o.part, v_now) ON CONFLICT DO NOTHING;
    UPDATE ump.deliveries SET status = 'sending', sending_at = v_now
     WHERE account_id = v_o.account_id AND message_id = v_o.message_id AND recipient = v_o.recipient AND part = v_o.part;
    IF v_o.part > 0 THEN
        PERFORM ump.parts_settle(v_o.account_id, v_o.message_id, v_o.recipient);
    END IF;
    RETURN 'send';
END $$;

-- What became of attempts, many at once.  p_results: an array of objects with
--   id, fence, account, attempt     what the attempt was of
--   outcome       accepted | failed | retry (after after_ms) | uncertain (looked at again after after_ms)
--   http, provider_id, code, text, segments, cost, currency
--   alias         another id by which the network knows the recipient
--   members       of a group that got it, whom it did not reach: [{recipient, code, text}]
--   opt_out       true: the provider says that the recipient has opted out; our list learns it
-- A late result of a lost lease is kept as a fact and never leads to another
-- send.  Returns how many changed something; a repeat changes nothing.
-- Locks: delivery, then outbox row, then attempt.
CREATE OR REPLACE FUNCTION ump.outbox_finish(p_results jsonb) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    v_now timestamptz := ump.now();
    v_n integer;
    v_parts jsonb;      -- the messages whose parts moved
    r record;
BEGIN
    WITH res AS (
        SELECT * FROM jsonb_to_recordset(p_results) AS x (id bigint, account integer, attempt uuid, outcome text,
            http integer, provider_id text, segments integer, cost bigint, currency text)
         WHERE x.outcome = 'accepted'
    ), fit AS (
        SELECT res.*, a.message_id, a.recipient, a.part
          FROM res
          JOIN ump.attempts a ON a.account_id = res.account AND a.id = res.attempt
                             AND (a.outcome IS NULL OR a.outcome = 'uncertain')
          JOIN ump.deliveries d ON d.account_id = a.account_id AND d.message_id = a.message_id AND d.recipient = a.recipient
                           AND d.part = a.part
         ORDER BY a.message_id, a.recipient, a.part FOR NO KEY UPDATE OF d
    ), delivery AS (
        UPDATE ump.deliveries d SET provider_id = coalesce(f.provider_id, d.provider_id), accepted_at = v_now,
               segments = coalesce(f.segments, d.segments), cost = coalesce(f.cost, d.cost),
               currency = coalesce(f.currency, d.currency),
               status = CASE WHEN d.status IN ('queued', 'sending', 'uncertain') THEN 'sent' ELSE d.status END
          FROM fit f
         WHERE d.account_id = f.account AND d.message_id = f.message_id AND d.recipient = f.recipient AND d.part = f.part
        RETURNING f.id, f.account, f.attempt, f.http, f.provider_id, f.message_id, f.recipient, f.part
    ), gone AS (
        DELETE FROM ump.outbox o USING delivery d WHERE o.id = d.id
    ), fact AS (
        UPDATE ump.attempts a SET ended_at = v_now, outcome = 'accepted', http_status = d.http, provider_id = d.provider_id,
               error_code = NULL, error_text = NULL
          FROM delivery d WHERE a.account_id = d.account AND a.id = d.attempt
        RETURNING d.account, d.message_id, d.recipient, d.part
    )
    SELECT count(*), jsonb_agg(DISTINCT jsonb_build_object('account', f.account, 'message', f.message_id, 'recipient', f.recipient))
                         FILTER (WHERE f.part > 0)
      INTO v_n, v_parts FROM fact f;
    FOR r IN
        SELECT * FROM jsonb_to_recordset(v_parts) AS x (account integer, message uuid, recipient text) ORDER BY x.message, x.recipient
    LOOP
        PERFORM ump.parts_settle(r.account, r.message, r.recipient);
    END LOOP;
    FOR r IN
        SELECT x.account, x.alias, a.recipient, e.channel
          FROM jsonb_to_recordset(p_results) AS x (account integer, attempt uuid, outcome text, alias text)
          JOIN ump.attempts a ON a.account_id = x.account AND a.id = x.attempt
          JOIN ump.deliveries d ON d.account_id = a.account_id AND d.message_id = a.message_id AND d.recipient = a.recipient
                           AND d.part = a.part
          JOIN ump.endpoints e ON e.account_id = d.account_id AND e.id = d.endpoint_id
         WHERE x.outcome IN ('accepted', 'uncertain') AND x.alias IS NOT NULL
    LOOP
        PERFORM ump.contact_alias(r.account, r.channel, r.recipient, r.alias);
    END LOOP;
    FOR r IN
        SELECT x.account, x.attempt, x.provider_id, d.endpoint_id, m.recipient, m.code, m.text
          FROM jsonb_to_recordset(p_results) AS x (account integer, attempt uuid, outcome text, provider_id text, members jsonb)
          JOIN ump.attempts a ON a.account_id = x.account AND a.id = x.attempt
          JOIN ump.deliveries d ON d.account_id = a.account_id AND d.message_id = a.message_id AND d.recipient = a.recipient
                           AND d.part = a.part
         CROSS JOIN LATERAL jsonb_to_recordset(x.members) AS m (recipient text, code text, text text)
         WHERE x.outcome = 'accepted' AND x.members IS NOT NULL
    LOOP
        PERFORM ump.apply_status(r.account, r.endpoint_id, r.attempt, r.provider_id, r.recipient, 'failed', v_now, r.code, r.text,
                                 NULL, NULL, NULL);
    END LOOP;
    FOR r IN
        SELECT x.* FROM jsonb_to_recordset(p_results) AS x (id bigint, fence bigint, account integer, attempt uuid,
            outcome text, http integer, provider_id text, code text, text text, opt_out boolean, after_ms bigint)
          JOIN ump.attempts a ON a.account_id = x.account AND a.id = x.attempt
         WHERE x.outcome <> 'accepted' ORDER BY a.message_id, a.recipient, a.part, x.id
    LOOP
        v_n := v_n + ump.outbox_finish_one(r.id, r.fence, r.account, r.attempt, r.outcome, r.http, r.provider_id, r.code,
            r.text, coalesce(r.opt_out, false), coalesce(r.after_ms, 0) * interval '1 millisecond');
    END LOOP;
    RETURN v_n;
END $$;

CREATE OR REPLACE FUNCTION ump.outbox_finish_one(p_id bigint, p_fence bigint, p_account integer, p_attempt uuid,
    p_outcome text, p_http integer, p_provider_id text, p_code text, p_text text, p_opt_out boolean, p_after interval)
RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := ump.now();
    v_a ump.attempts;
    v_endpoint uuid;
    v_owned boolean;
BEGIN
    SELECT * INTO v_a FROM ump.attempts WHERE account_id = p_account AND id = p_attempt;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    SELECT endpoint_id INTO v_endpoint FROM ump.deliveries
     WHERE account_id = p_account AND message_id = v_a.message_id AND recipient = v_a.recipient AND part = v_a.part
       FOR NO KEY UPDATE;
    PERFORM 1 FROM ump.outbox WHERE id = p_id AND fence = p_fence AND state + 0 IN (2, 3) FOR NO KEY UPDATE;
    v_owned := FOUND;
    UPDATE ump.attempts SET ended_at = v_now, outcome = p_outcome, http_status = p_http, provider_id = p_provider_id,
           error_code = p_code, error_text = p_text
     WHERE account_id = p_account AND id = p_attempt AND (outcome IS NULL OR outcome = 'uncertain');
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    IF p_opt_out THEN
        PERFORM ump.opt_out_set(p_account, v_endpoint,
            (SELECT e.channel FROM ump.endpoints e WHERE e.account_id = p_account AND e.id = v_endpoint), v_a.recipient,
            'stop', 'provider');
    END IF;
    IF NOT v_owned THEN
        -- rescued meanwhile: it stands as uncertain, and this late word settles it unless it is out of our hands
        IF p_outcome = 'failed' THEN
            DELETE FROM ump.outbox WHERE id = p_id AND state + 0 = 5 AND attempt_id = p_attempt;
            IF FOUND THEN
                PERFORM ump.delivery_fail(p_account, v_a.message_id, v_a.recipient, v_a.part, 'failed', p_code, p_text);
            END IF;
        ELSIF p_outcome = 'retry' THEN
            UPDATE ump.outbox SET state = 4, due_at = v_now + p_after WHERE id = p_id AND state + 0 = 5 AND attempt_id = p_attempt;
            IF FOUND THEN
                UPDATE ump.deliveries SET status = 'queued'
                 WHERE account_id = p_account AND message_id = v_a.message_id AND recipient = v_a.recipient
                   AND part = v_a.part AND status IN ('sending', 'uncertain');
            END IF;
        ELSE
            UPDATE ump.deliveries SET provider_id = coalesce(provider_id, p_provider_id)
             WHERE account_id = p_account AND message_id = v_a.message_id AND recipient = v_a.recipient AND part = v_a.part
               AND status = 'uncertain';
        END IF;
    ELSIF p_outcome = 'failed' THEN
        PERFORM ump.delivery_fail(p_account, v_a.message_id, v_a.recipient, v_a.part, 'failed', p_code, p_text);
        DELETE FROM ump.outbox WHERE id = p_id;
    ELSIF p_outcome = 'retry' THEN
        UPDATE ump.outbox SET state = 4, due_at = v_now + p_after, worker = NULL, lease_until = NULL WHERE id = p_id;
        UPDATE ump.deliveries SET status = 'queued', error_code = p_code, error_text = p_text
         WHERE account_id = p_account AND message_id = v_a.message_id AND recipient = v_a.recipient AND part = v_a.part
           AND status = 'sending';
    ELSE
        UPDATE ump.outbox SET state = 5, due_at = v_now + p_after, worker = NULL, lease_until = NULL WHERE id = p_id;
        UPDATE ump.deliveries SET status = 'uncertain', uncertain_at = v_now, error_code = p_code, error_text = p_text,
               provider_id = coalesce(p_provider_id, provider_id)      -- what a status may come by, if it was sent
         WHERE account_id = p_account AND message_id = v_a.message_id AND recipient = v_a.recipient AND part = v_a.part
           AND status = 'sending';
    END IF;
    IF v_a.part > 0 THEN
        PERFORM ump.parts_settle(p_account, v_a.message_id, v_a.recipient);
    END IF;
    RETURN 1;
END $$;
