-- Leases of the hot queue: taken, put off, given back, kept.  (States: table ump.outbox; "state + 0": see outbox.sql.)

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

-- What an adapter cannot build a request from, or what its own limits refuse:
-- failed before any attempt.  Of a lease that is still held only.
CREATE OR REPLACE FUNCTION ump.outbox_refuse(p_id bigint, p_fence bigint, p_code text, p_text text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_o ump.outbox := ump.outbox_lock(p_id);
BEGIN
    IF v_o.id IS NULL OR v_o.fence <> p_fence OR v_o.state <> 2 THEN
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
    v_o ump.outbox := ump.outbox_lock(p_id);
BEGIN
    IF v_o.id IS NULL OR v_o.fence <> p_fence OR v_o.state <> 2 THEN
        RETURN false;
    END IF;
    UPDATE ump.outbox SET state = 4, due_at = p_until, worker = 'schedule', lease_until = NULL,
           expires_at = expires_at + greatest(p_until - v_now, '0')
     WHERE id = p_id;
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
