-- The hot queue of what is to be sent.  States: table ump.outbox.  A message
-- that its author scheduled waits (4) under the worker's name 'schedule': it is
-- behind nobody, and nobody waits for it, until it is due.

-- p_part: which of the messages that the mail goes out as (parts.sql); 0: it is one.
DROP FUNCTION IF EXISTS ump.outbox_add(integer, uuid, text, uuid, timestamptz, timestamptz);
CREATE OR REPLACE FUNCTION ump.outbox_add(p_account integer, p_endpoint uuid, p_recipient text, p_message uuid,
                                          p_part integer, p_due timestamptz, p_expires timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ump.outbox (account_id, endpoint_id, recipient, message_id, part, state, due_at, worker, expires_at)
    VALUES (p_account, p_endpoint, p_recipient, p_message, p_part, CASE WHEN p_due > ump.now() THEN 4 ELSE 1 END,
            CASE WHEN p_due > ump.now() THEN p_due END, CASE WHEN p_due > ump.now() THEN 'schedule' END, p_expires);
    PERFORM pg_notify('ump_outbox', p_account || '/' || p_endpoint);
END $$;

-- Plans of the functions below are made once per connection, often while the
-- tables are empty; so the planner is told not to take them for small for ever.
-- Where rows are looked up by id, "state + 0" keeps it from the partial indexes
-- of states, whose dead entries an old snapshot keeps alive.

-- Endpoints with something ready, for the slow scan and the start; between scans
-- NOTIFY names them.  Each known endpoint is looked at from its own floor on,
-- so that entries that an old snapshot keeps alive are not met again; a sweep
-- from endpoint to endpoint over the index alone would meet them all.
-- lowest: its lowest ready id.
CREATE OR REPLACE FUNCTION ump.outbox_endpoints(p_endpoints uuid[], p_floors bigint[])
RETURNS TABLE (account_id integer, endpoint_id uuid, lowest bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
    SELECT e.account_id, e.id, r.id
      FROM ump.endpoints e
      LEFT JOIN unnest(p_endpoints, p_floors) f (endpoint_id, floor) ON f.endpoint_id = e.id
     CROSS JOIN LATERAL (SELECT o.id FROM ump.outbox o
                          WHERE o.state = 1 AND o.endpoint_id = e.id AND o.id > coalesce(f.floor, 0)
                          ORDER BY o.endpoint_id, o.id LIMIT 1) r
     WHERE e.status = 'enabled'
$$;

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

-- Leases up to p_limit of one endpoint's messages, heads of their lanes only
-- (first in, first out per endpoint and contact), within three token buckets:
-- the pair's, the endpoint's own, the provider account's; and the tenant's, if
-- its settings name a rate.  A rate that is NULL: no such bucket.  (Rates and
-- their defaults come from the endpoint's settings and its adapter: core's data.)
--
-- The last row has id NULL and says how to go on: floor, where the next claim
-- may start; more: the limit ended this one; behind: some wait for the head of
-- their lane, so that it is worth looking again when one is finished; wait_ms: a
-- bucket is empty, or the endpoint is held, for so long (NULL: no).
--
-- The floor may pass everything but what only waits for a moment (lanes whose
-- head is under way).  What waits for longer, behind a head that backs off or a
-- pair's bucket, is put aside (state 4) until then, so that it neither is walked
-- over again nor keeps the floor down.
-- p_targets: the channel can quote and react: target_id is then the network's or
-- the provider's id of the message that the mail answers, where it went through this endpoint,
-- and target_text how it begins.
DROP FUNCTION IF EXISTS ump.outbox_claim(text, integer, uuid, bigint, integer, interval, double precision, double precision,
    double precision, double precision, text, double precision, double precision);
DROP FUNCTION IF EXISTS ump.outbox_claim(text, integer, uuid, bigint, integer, interval, double precision, double precision,
    double precision, double precision, text, double precision, double precision, boolean);
CREATE FUNCTION ump.outbox_claim(p_worker text, p_account integer, p_endpoint uuid, p_floor bigint,
    p_limit integer, p_lease interval, p_rate double precision, p_burst double precision,
    p_pair_rate double precision, p_pair_burst double precision, p_account_key text,
    p_account_rate double precision, p_account_burst double precision, p_targets boolean)
RETURNS TABLE (id bigint, fence bigint, attempts integer, message_id uuid, recipient text, type text, from_address text,
               body text, metadata jsonb, conversation_id uuid, group_id uuid, group_members text[],
               occurred_at timestamptz, expires_at timestamptz, group_key text, target_id text, target_text text, part smallint, bot boolean,
               floor bigint, more boolean,
               behind boolean, wait_ms integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
    v_now timestamptz := ump.now();
    v_channel text;
    v_owner uuid;
    v_held timestamptz;
    v_tenant double precision;
    v_tenant_burst double precision;
    v_ids bigint[] := '{}';
    v_aside bigint[] := '{}';
    v_aside_until timestamptz[] := '{}';
    v_left bigint;          -- the lowest that stays ready
    v_last bigint := p_floor;
    v_walked integer := 0;
    v_more boolean := false;
    v_behind boolean := false;
    v_n integer;
    v_granted integer;
    v_wait integer;
    v_wait_ms integer;
    r record;
BEGIN
    SELECT e.channel, e.owner_id, e.held_until, (a.settings->>'rate')::double precision,
           (a.settings->>'burst')::double precision
      INTO v_channel, v_owner, v_held, v_tenant, v_tenant_burst
      FROM ump.endpoints e JOIN ump.accounts a ON a.id = e.account_id
     WHERE e.account_id = p_account AND e.id = p_endpoint AND e.status = 'enabled' AND a.disabled_at IS NULL;
    floor := p_floor;
    more := false;
    IF NOT FOUND THEN
        RETURN NEXT;
        RETURN;
    END IF;
    IF v_held > clock_timestamp() THEN
        wait_ms := least(60000, 1 + extract(epoch FROM v_held - clock_timestamp()) * 1000)::integer;
        RETURN NEXT;
        RETURN;
    END IF;
    FOR r IN
        SELECT o.id, o.recipient, b.state, b.due_at
          FROM ump.outbox o
          LEFT JOIN LATERAL (SELECT e.state, e.due_at FROM ump.outbox e
                              WHERE e.endpoint_id = p_endpoint AND e.recipient = o.recipient
                                AND e.state <> 5 AND e.id < o.id AND NOT (e.state = 4 AND e.worker IS NOT NULL)
                              ORDER BY e.id LIMIT 1) b ON true
         WHERE o.endpoint_id = p_endpoint AND o.state = 1 AND o.id > p_floor
         ORDER BY o.endpoint_id, o.id
    LOOP
        IF cardinality(v_ids) >= p_limit OR v_walked >= 2000 THEN
            v_more := true;
            EXIT;
        END IF;
        v_walked := v_walked + 1;
        v_last := r.id;
        IF r.state = 4 THEN
            v_aside := v_aside || r.id;
            v_aside_until := v_aside_until || r.due_at;
        ELSIF r.state IS NOT NULL THEN
            v_left := coalesce(v_left, r.id);
            v_behind := true;
        ELSIF p_pair_rate IS NULL THEN
            v_ids := v_ids || r.id;
        ELSE
            SELECT t.taken, t.wait_ms INTO v_granted, v_wait FROM ump.throttle_take(p_account,
                'pair:' || p_endpoint || ':' || r.recipient, p_pair_rate, coalesce(p_pair_burst, 1), 1) t;
            IF v_granted = 1 THEN
                v_ids := v_ids || r.id;
            ELSE
                v_aside := v_aside || r.id;
                v_aside_until := v_aside_until || (v_now + v_wait * interval '1 millisecond');
            END IF;
        END IF;
    END LOOP;
    IF cardinality(v_aside) > 0 THEN
        UPDATE ump.outbox o SET state = 4, due_at = a.until
          FROM (SELECT s.id, w.until FROM unnest(v_aside, v_aside_until) w (id, until)
                  JOIN ump.outbox s ON s.id = w.id AND s.state + 0 = 1
                   FOR NO KEY UPDATE OF s SKIP LOCKED) a
         WHERE o.id = a.id;
    END IF;

    v_n := cardinality(v_ids);
    IF v_n > 0 AND p_rate IS NOT NULL THEN
        SELECT t.taken, nullif(t.wait_ms, 0) INTO v_n, v_wait_ms FROM ump.throttle_take(p_account,
            'endpoint:' || p_endpoint, p_rate, greatest(1, coalesce(p_burst, p_rate)), v_n) t;
    END IF;
    IF v_n > 0 AND p_account_rate IS NOT NULL THEN
        SELECT t.taken, t.wait_ms INTO v_granted, v_wait FROM ump.throttle_take(p_account, 'account:' || p_account_key,
            p_account_rate, greatest(1, coalesce(p_account_burst, p_account_rate)), v_n) t;
        IF p_rate IS NOT NULL THEN
            PERFORM ump.throttle_give_back(p_account, 'endpoint:' || p_endpoint, v_n - v_granted);
        END IF;
        v_wait_ms := nullif(greatest(v_wait_ms, v_wait), 0);
        v_n := v_granted;
    END IF;
    IF v_n > 0 AND v_tenant > 0 THEN
        SELECT t.taken, t.wait_ms INTO v_granted, v_wait FROM ump.throttle_take(p_account, 'tenant', v_tenant,
            greatest(1, coalesce(v_tenant_burst, v_tenant)), v_n) t;
        IF p_rate IS NOT NULL THEN
            PERFORM ump.throttle_give_back(p_account, 'endpoint:' || p_endpoint, v_n - v_granted);
        END IF;
        IF p_account_rate IS NOT NULL THEN
            PERFORM ump.throttle_give_back(p_account, 'account:' || p_account_key, v_n - v_granted);
        END IF;
        v_wait_ms := nullif(greatest(v_wait_ms, v_wait), 0);
        v_n := v_granted;
    END IF;
    IF v_n > 0 THEN
        RETURN QUERY
        WITH got AS (
            UPDATE ump.outbox o SET state = 2, worker = p_worker, lease_until = clock_timestamp() + p_lease,
                   fence = o.fence + 1
              FROM (SELECT s.id FROM ump.outbox s WHERE s.id = ANY (v_ids[1:v_n]) AND s.state + 0 = 1
                     ORDER BY s.id FOR NO KEY UPDATE SKIP LOCKED) l
             WHERE o.id = l.id
            RETURNING o.id, o.fence, o.attempts, o.message_id, o.recipient, o.part, o.expires_at
        )
        SELECT g.id, g.fence, g.attempts, g.message_id, g.recipient, m.type, m.from_address, m.body, m.metadata,
               m.conversation_id, cg.id, cg.members, m.occurred_at, g.expires_at, cg.group_key, tg.provider_id, tg.begins,
               g.part, m.sender_kind = 'bot', NULL::bigint, NULL::boolean, NULL::boolean, NULL::integer
          FROM got g
         CROSS JOIN LATERAL (SELECT * FROM ump.unified_messages x
                              WHERE x.account_id = p_account AND x.id = g.message_id OFFSET 0) m
          LEFT JOIN ump.chat_groups cg ON g.recipient NOT LIKE '+%' AND cg.account_id = p_account
                                      AND cg.channel = v_channel AND cg.address_id = g.recipient
          LEFT JOIN LATERAL (SELECT coalesce(t.metadata->>'network_id', t.provider_id, d.provider_id) AS provider_id, left(t.body, 200) AS begins
                               FROM (SELECT i.message_id FROM ump.mail_ids i
                                      WHERE i.account_id = p_account AND i.owner_id = v_owner
                                        AND i.mail_id = m.metadata->>'in_reply_to' OFFSET 0) x
                              CROSS JOIN LATERAL (SELECT * FROM ump.unified_messages y
                                                   WHERE y.account_id = p_account AND y.id = x.message_id OFFSET 0) t
                               LEFT JOIN ump.deliveries d ON d.account_id = p_account AND d.message_id = t.id
                                                         AND d.recipient = g.recipient AND d.part = 0
                              WHERE t.endpoint_id = p_endpoint AND t.conversation_id = m.conversation_id
                              LIMIT 1) tg ON p_targets AND m.metadata ? 'in_reply_to'
         ORDER BY g.id;
    END IF;
    IF v_n < cardinality(v_ids) THEN
        v_left := least(v_left, v_ids[v_n + 1]);
    END IF;
    id := NULL;
    floor := coalesce(v_left - 1, v_last);
    more := v_more;
    behind := v_behind;
    wait_ms := v_wait_ms;
    RETURN NEXT;
END $$;

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
    v_o ump.outbox;
    v_channel text;
    v_status text;
    v_now timestamptz := ump.now();
BEGIN
    SELECT * INTO v_o FROM ump.outbox WHERE id = p_id;
    IF NOT FOUND THEN
        RETURN 'stale';
    END IF;
    SELECT status INTO v_status FROM ump.deliveries
     WHERE account_id = v_o.account_id AND message_id = v_o.message_id AND recipient = v_o.recipient AND part = v_o.part
       FOR NO KEY UPDATE;
    SELECT * INTO v_o FROM ump.outbox WHERE id = p_id AND fence = p_fence FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 'stale';
    END IF;
    IF v_o.state = 3 AND v_o.attempt_id = p_attempt THEN
        RETURN 'send';          -- the same statement, repeated after a lost connection
    END IF;
    IF v_o.state <> 2 THEN
        RETURN 'stale';
    END IF;
    SELECT channel INTO v_channel FROM ump.endpoints WHERE account_id = v_o.account_id AND id = v_o.endpoint_id;
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
         WHERE x.outcome = 'accepted' AND x.alias IS NOT NULL
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
        SELECT * FROM jsonb_to_recordset(p_results) AS x (id bigint, fence bigint, account integer, attempt uuid,
            outcome text, http integer, provider_id text, code text, text text, opt_out boolean, after_ms bigint)
         WHERE x.outcome <> 'accepted' ORDER BY x.id
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
        UPDATE ump.deliveries SET status = 'uncertain', uncertain_at = v_now, error_code = p_code, error_text = p_text
         WHERE account_id = p_account AND message_id = v_a.message_id AND recipient = v_a.recipient AND part = v_a.part
           AND status = 'sending';
    END IF;
    IF v_a.part > 0 THEN
        PERFORM ump.parts_settle(p_account, v_a.message_id, v_a.recipient);
    END IF;
    RETURN 1;
END $$;

-- What an adapter cannot build a request from, or what its own limits refuse:
-- failed before any attempt.  Of a lease that is still held only.
CREATE OR REPLACE FUNCTION ump.outbox_refuse(p_id bigint, p_fence bigint, p_code text, p_text text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_o ump.outbox;
BEGIN
    SELECT * INTO v_o FROM ump.outbox WHERE id = p_id AND fence = p_fence AND state + 0 = 2 FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM ump.delivery_fail(v_o.account_id, v_o.message_id, v_o.recipient, v_o.part, 'failed', p_code, p_text);
    DELETE FROM ump.outbox WHERE id = p_id;
    RETURN true;
END $$;

-- What was claimed is not to leave before p_until: nobody waits for it meanwhile,
-- and the time counts for nothing.  Of a lease that is still held only.
CREATE OR REPLACE FUNCTION ump.outbox_defer(p_id bigint, p_fence bigint, p_until timestamptz, p_why text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_now timestamptz := ump.now();
    v_o ump.outbox;
BEGIN
    UPDATE ump.outbox SET state = 4, due_at = p_until, worker = 'schedule', lease_until = NULL,
           expires_at = expires_at + greatest(p_until - v_now, '0')
     WHERE id = p_id AND fence = p_fence AND state + 0 = 2 RETURNING * INTO v_o;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE ump.deliveries SET waits_at = v_now, waits_until = p_until, waits_why = p_why
     WHERE account_id = v_o.account_id AND message_id = v_o.message_id AND recipient = v_o.recipient AND part = v_o.part;
    RETURN true;
END $$;

-- Puts leases back unused (stop of a worker, a held endpoint).
CREATE OR REPLACE FUNCTION ump.outbox_release(p_ids bigint[], p_fences bigint[], p_after interval) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_n integer := 0;
    r record;
BEGIN
    FOR r IN
        UPDATE ump.outbox o SET state = CASE WHEN p_after > '0' THEN 4 ELSE 1 END, worker = NULL, lease_until = NULL,
               due_at = CASE WHEN p_after > '0' THEN ump.now() + p_after END
          FROM unnest(p_ids, p_fences) w (id, fence)
         WHERE o.id = w.id AND o.fence = w.fence AND o.state + 0 = 2
        RETURNING o.account_id, o.endpoint_id, o.id
    LOOP
        v_n := v_n + 1;
        IF NOT p_after > '0' THEN
            PERFORM pg_notify('ump_outbox', r.account_id || '/' || r.endpoint_id || '/' || r.id);
        END IF;
    END LOOP;
    RETURN v_n;
END $$;

CREATE OR REPLACE FUNCTION ump.outbox_heartbeat(p_worker text, p_ids bigint[], p_lease interval) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE n integer;
BEGIN
    UPDATE ump.outbox SET lease_until = clock_timestamp() + p_lease
     WHERE id = ANY (p_ids) AND state + 0 IN (2, 3) AND worker = p_worker;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;

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
    v_n integer := 0;
    r record;
BEGIN
    FOR r IN
        SELECT o.id, o.account_id, o.message_id, o.recipient, o.part, o.attempt_id, o.fence FROM ump.outbox o
         WHERE o.state = 3 AND ((o.lease_until > v_since AND o.lease_until < v_clock)
                                OR (p_worker IS NOT NULL AND o.worker = p_worker))
         ORDER BY o.id LIMIT v_limit FOR NO KEY UPDATE SKIP LOCKED
    LOOP
        UPDATE ump.outbox SET state = 5, due_at = v_now + p_uncertain_after, worker = NULL, lease_until = NULL,
               fence = r.fence + 1 WHERE id = r.id;
        UPDATE ump.attempts SET outcome = 'uncertain', ended_at = v_now,
               error_text = 'the sender died with the request under way'
         WHERE account_id = r.account_id AND id = r.attempt_id AND outcome IS NULL;
        UPDATE ump.deliveries SET status = 'uncertain', uncertain_at = v_now
         WHERE account_id = r.account_id AND message_id = r.message_id AND recipient = r.recipient AND part = r.part
           AND status = 'sending';
        IF r.part > 0 THEN
            PERFORM ump.parts_settle(r.account_id, r.message_id, r.recipient);
        END IF;
        v_uncertain := v_uncertain + 1;
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
        SELECT b.account_id, b.endpoint_id, min(b.id) AS lowest, count(*) AS n FROM back b GROUP BY 1, 2
    LOOP
        v_n := v_n + r.n;
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
    more := v_uncertain >= v_limit OR v_n >= v_limit;
    clock := v_clock;
    RETURN NEXT;
END $$;

-- What nobody could send in time, whatever it waits for: the sender is told.
CREATE OR REPLACE FUNCTION ump.outbox_expire(p_limit integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_n integer := 0;
    r record;
BEGIN
    FOR r IN
        DELETE FROM ump.outbox WHERE id IN (
            SELECT o.id FROM ump.outbox o WHERE o.expires_at < ump.now() AND o.state IN (1, 4)
             LIMIT p_limit FOR UPDATE SKIP LOCKED)
        RETURNING account_id, message_id, recipient, part
    LOOP
        PERFORM ump.delivery_fail(r.account_id, r.message_id, r.recipient, r.part, 'expired', 'expired',
                                  'it could not be sent in time');
        v_n := v_n + 1;
    END LOOP;
    RETURN v_n;
END $$;

-- Uncertain ones that are to be looked at, one row each: at a thirtieth (their
-- first due_at), a sixth and a third of p_patience, and when it is over; what is
-- still there then, every p_look_again.
DROP FUNCTION IF EXISTS ump.outbox_uncertain(integer, interval);
DROP FUNCTION IF EXISTS ump.outbox_uncertain(integer, interval, interval);
CREATE FUNCTION ump.outbox_uncertain(p_limit integer, p_look_again interval, p_patience interval)
RETURNS TABLE (id bigint, account_id integer, endpoint_id uuid, message_id uuid, recipient text, attempt_id uuid,
               uncertain_at timestamptz, attempts integer, age_us bigint, began timestamptz, type text,
               from_address text, body text, metadata jsonb, occurred_at timestamptz, group_members text[], part smallint)
LANGUAGE sql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
    WITH due AS (
        SELECT o.id FROM ump.outbox o WHERE o.state = 5 AND o.due_at <= ump.now()
         ORDER BY o.due_at LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED
    ), looked AS (
        UPDATE ump.outbox o
           SET due_at = CASE WHEN ump.now() - d.uncertain_at < p_patience / 6 THEN d.uncertain_at + p_patience / 6
                             WHEN ump.now() - d.uncertain_at < p_patience / 3 THEN d.uncertain_at + p_patience / 3
                             WHEN ump.now() - d.uncertain_at < p_patience THEN d.uncertain_at + p_patience
                             ELSE ump.now() + p_look_again END
          FROM due, ump.deliveries d
         WHERE o.id = due.id AND d.account_id = o.account_id AND d.message_id = o.message_id AND d.recipient = o.recipient
           AND d.part = o.part
        RETURNING o.id, o.account_id, o.endpoint_id, o.message_id, o.recipient, o.attempt_id, d.uncertain_at, o.attempts, o.part
    )
    SELECT l.id, l.account_id, l.endpoint_id, l.message_id, l.recipient, l.attempt_id, l.uncertain_at, l.attempts, (extract(epoch FROM coalesce(ump.now() - l.uncertain_at, p_patience)) * 1000000)::bigint, a.started_at, m.type, m.from_address, m.body, m.metadata,
           m.occurred_at, NULL::text[], l.part
      FROM looked l
      JOIN ump.unified_messages m ON m.account_id = l.account_id AND m.id = l.message_id
      LEFT JOIN ump.attempts a ON a.account_id = l.account_id AND a.id = l.attempt_id
$$;

-- A look-up of an uncertain attempt has found messages, oldest first: p_ids with
-- its content, p_others without.  The first with its content that is no other
-- message of ours becomes its own: the provider's id.  '': there is one that
-- nothing of ours explains.  NULL: all are other messages of ours.
CREATE OR REPLACE FUNCTION ump.outbox_found(p_account integer, p_endpoint uuid, p_attempt uuid, p_ids text[],
                                            p_others text[]) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_d ump.deliveries;
    v_id text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('found:' || p_endpoint, 0));
    SELECT d.* INTO v_d FROM ump.attempts a
      JOIN ump.deliveries d ON d.account_id = a.account_id AND d.message_id = a.message_id AND d.recipient = a.recipient
                           AND d.part = a.part
     WHERE a.account_id = p_account AND a.id = p_attempt FOR NO KEY UPDATE OF d;
    IF v_d.provider_id = ANY (p_ids) THEN
        RETURN v_d.provider_id;
    END IF;
    SELECT i.id INTO v_id FROM unnest(p_ids) WITH ORDINALITY i (id, n)
     WHERE NOT EXISTS (SELECT 1 FROM ump.deliveries d WHERE d.account_id = p_account AND d.provider_id = i.id)
     ORDER BY i.n LIMIT 1;
    IF v_id IS NOT NULL THEN
        UPDATE ump.deliveries SET provider_id = v_id
         WHERE account_id = p_account AND message_id = v_d.message_id AND recipient = v_d.recipient AND part = v_d.part;
        RETURN v_id;
    END IF;
    RETURN (SELECT '' FROM unnest(p_others) o (id)
             WHERE NOT EXISTS (SELECT 1 FROM ump.deliveries d WHERE d.account_id = p_account AND d.provider_id = o.id)
             LIMIT 1);
END $$;

-- Ends the wait for one uncertain message.  p_what: 'ask' (report: it may have
-- been sent; answer RESEND to send again), 'never' (failed), 'resend' (it may be
-- a second time), 'absent' (sent again: the provider's whole list has not got it).
CREATE OR REPLACE FUNCTION ump.outbox_uncertain_end(p_id bigint, p_what text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_o ump.outbox;
BEGIN
    SELECT * INTO v_o FROM ump.outbox WHERE id = p_id AND state = 5 FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF p_what IN ('resend', 'absent') THEN
        IF p_what = 'absent' THEN    -- what was not sent is safe to repeat, and no later status is about it
            UPDATE ump.attempts SET outcome = 'retry'
             WHERE account_id = v_o.account_id AND id = v_o.attempt_id AND outcome = 'uncertain';
        END IF;
        UPDATE ump.outbox SET state = 1, due_at = NULL, fence = fence + 1 WHERE id = p_id;
        UPDATE ump.deliveries SET status = 'queued', queued_at = ump.now()
         WHERE account_id = v_o.account_id AND message_id = v_o.message_id AND recipient = v_o.recipient AND part = v_o.part
           AND status = 'uncertain';
        IF v_o.part > 0 THEN
            PERFORM ump.parts_settle(v_o.account_id, v_o.message_id, v_o.recipient);
        END IF;
        PERFORM pg_notify('ump_outbox', v_o.account_id || '/' || v_o.endpoint_id || '/' || v_o.id);
        RETURN true;
    END IF;
    DELETE FROM ump.outbox WHERE id = p_id;
    IF p_what = 'never' THEN
        PERFORM ump.delivery_fail(v_o.account_id, v_o.message_id, v_o.recipient, v_o.part, 'failed', 'uncertain',
                                  'the provider did not answer, so it may or may not have been sent');
    ELSE
        PERFORM ump.notice_add(v_o.account_id, v_o.message_id, v_o.recipient, v_o.part, 'uncertain', v_o.endpoint_id, '{}');
    END IF;
    RETURN true;
END $$;

-- Takes one entry of the queue back, unless its request was started.
CREATE OR REPLACE FUNCTION ump.outbox_cancel(p_account integer, p_id bigint) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_o ump.outbox;
BEGIN
    DELETE FROM ump.outbox WHERE account_id = p_account AND id = p_id AND state IN (1, 4, 5) RETURNING * INTO v_o;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    UPDATE ump.deliveries d SET status = 'cancelled', cancelled_at = ump.now()
     WHERE d.account_id = p_account AND d.message_id = v_o.message_id AND d.recipient = v_o.recipient AND d.part = v_o.part;
    IF v_o.part > 0 THEN
        PERFORM ump.parts_settle(p_account, v_o.message_id, v_o.recipient);
    END IF;
    RETURN v_o.message_id;
END $$;

-- Does with the parts of a message what its author has said about them: those
-- that are uncertain and in nobody's hands any more.  False: there are none.
CREATE OR REPLACE FUNCTION ump.parts_answer(p_d ump.deliveries, p_what text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_found boolean := false;
    r record;
BEGIN
    FOR r IN
        SELECT d.part FROM ump.deliveries d
         WHERE d.account_id = p_d.account_id AND d.message_id = p_d.message_id AND d.recipient = p_d.recipient AND d.part > 0
           AND d.status = 'uncertain'
           AND NOT EXISTS (SELECT 1 FROM ump.outbox o WHERE o.account_id = d.account_id AND o.message_id = d.message_id
                              AND o.recipient = d.recipient AND o.part = d.part)
         ORDER BY d.part
    LOOP
        v_found := true;
        UPDATE ump.deliveries d SET status = CASE p_what WHEN 'cancel' THEN 'cancelled' ELSE 'queued' END,
               cancelled_at = CASE p_what WHEN 'cancel' THEN ump.now() END,
               queued_at = CASE p_what WHEN 'cancel' THEN d.queued_at ELSE ump.now() END
         WHERE d.account_id = p_d.account_id AND d.message_id = p_d.message_id AND d.recipient = p_d.recipient AND d.part = r.part;
        IF p_what <> 'cancel' THEN
            PERFORM ump.outbox_add(p_d.account_id, p_d.endpoint_id, p_d.recipient, p_d.message_id, r.part, NULL,
                                   ump.now() + interval '1 day');
        END IF;
    END LOOP;
    IF v_found THEN
        PERFORM ump.parts_settle(p_d.account_id, p_d.message_id, p_d.recipient);
    END IF;
    RETURN v_found;
END $$;

-- The user's word on a held or uncertain message: 'send' (p_body: his
-- correction, or NULL for the preview's text), 'resend', or 'cancel'.  p_parts:
-- the parts as which it is then to go out (NULL: one message).
DROP FUNCTION IF EXISTS ump.outbox_answer(integer, uuid, text, text, integer);
CREATE OR REPLACE FUNCTION ump.outbox_answer(p_account integer, p_message uuid, p_what text, p_body text,
    p_segments integer, p_parts jsonb, OUT outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_d ump.deliveries;
    v_channel text;
    v_owner text;
    v_due timestamptz;
    v_parts boolean;
    v_opted_out boolean;
BEGIN
    PERFORM 1 FROM ump.deliveries WHERE account_id = p_account AND message_id = p_message AND part > 0
      ORDER BY recipient, part FOR UPDATE;
    SELECT * INTO v_d FROM ump.deliveries WHERE account_id = p_account AND message_id = p_message AND part = 0 FOR UPDATE;
    IF NOT FOUND THEN
        outcome := 'unknown';
        RETURN;
    END IF;
    SELECT e.channel, e.owner_kind INTO v_channel, v_owner FROM ump.endpoints e WHERE e.account_id = p_account AND e.id = v_d.endpoint_id;
    v_parts := EXISTS (SELECT 1 FROM ump.deliveries WHERE account_id = p_account AND message_id = p_message
                          AND recipient = v_d.recipient AND part > 0);
    v_opted_out := p_what <> 'cancel' AND ump.opted_out(p_account, v_d.endpoint_id, v_channel, v_d.recipient);
    IF v_parts AND p_what IN ('resend', 'cancel') AND NOT v_opted_out AND ump.parts_answer(v_d, p_what) THEN
        outcome := CASE p_what WHEN 'cancel' THEN 'cancelled' ELSE 'queued' END;
        RETURN;
    END IF;
    IF NOT (v_d.status = 'held' OR (v_d.status = 'uncertain' AND p_what IN ('resend', 'cancel') AND (v_opted_out OR NOT v_parts))) THEN
        outcome := CASE WHEN p_what = 'cancel' AND v_d.status <> 'cancelled' THEN 'late'    -- out already
                        WHEN p_what <> 'cancel' AND v_d.status = 'cancelled' THEN 'late'
                        WHEN v_d.status = 'uncertain' THEN 'which'  -- "send" does not say whether twice is all right
                        ELSE 'repeat' END;                          -- answered before
        RETURN;
    END IF;
    IF p_what = 'cancel' THEN
        UPDATE ump.deliveries SET status = 'cancelled', cancelled_at = ump.now()
         WHERE account_id = p_account AND message_id = p_message;
        DELETE FROM ump.outbox WHERE account_id = p_account AND message_id = p_message;
        outcome := 'cancelled';
        RETURN;
    END IF;
    IF v_opted_out THEN
        outcome := 'opted-out';
        RETURN;
    END IF;
    IF v_d.status = 'held' THEN     -- the parts were not known before the text was
        UPDATE ump.unified_messages SET body = coalesce(p_body, body),
               metadata = CASE WHEN p_parts IS NULL THEN metadata - 'parts' ELSE metadata || jsonb_build_object('parts', p_parts) END
         WHERE account_id = p_account AND id = p_message;
    END IF;
    UPDATE ump.deliveries SET status = 'queued', queued_at = ump.now(), segments = coalesce(p_segments, segments)
     WHERE account_id = p_account AND message_id = p_message;
    DELETE FROM ump.outbox WHERE account_id = p_account AND message_id = p_message;
    SELECT to_timestamp((metadata->>'due')::bigint / 1000000.0) INTO v_due
      FROM ump.unified_messages WHERE account_id = p_account AND id = p_message;
    PERFORM ump.parts_queue(p_account, v_d.endpoint_id, v_d.recipient, p_message,
                            CASE WHEN v_d.status = 'held' THEN coalesce(jsonb_array_length(p_parts), 0) ELSE 0 END, v_due,
                            greatest(v_due, ump.now()) + interval '1 day');
    IF v_owner = 'team' AND v_d.status = 'held' THEN    -- accept_submission leaves what is held out of the team's Sent
        PERFORM ump.notice_add(p_account, p_message, v_d.recipient, 0, 'team-copy', v_d.endpoint_id, '{}');
    END IF;
    outcome := 'queued';
END $$;
