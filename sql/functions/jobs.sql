-- The bridge's own queue: events to turn into mail, reports to write.  ("state + 0": see outbox.sql; "EXISTS (…
-- OFFSET 0)" stays a look-up of its lane and becomes no join.)
-- A claim takes a lane from its head: its first job, and those right behind it
-- as far as p_limit goes; who claimed them works on them in their order.

CREATE OR REPLACE FUNCTION ump.jobs_claim(p_queue text, p_worker text, p_floor bigint, p_limit integer, p_lease interval)
RETURNS TABLE (id bigint, fence bigint, account_id integer, endpoint_id uuid, lane text, kind text, attempts integer,
               event_id bigint, event_key text, event_at timestamptz, body bytea, message_id uuid, payload jsonb,
               created_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH ready AS MATERIALIZED (
        SELECT j.id, j.lane FROM ump.jobs j
         WHERE j.queue = p_queue AND j.state = 1 AND j.id > p_floor
           AND NOT EXISTS (SELECT 1 FROM ump.jobs e
                            WHERE e.queue = p_queue AND e.lane = j.lane AND e.state IN (2, 4) AND e.id < j.id OFFSET 0)
         ORDER BY j.id LIMIT p_limit FOR NO KEY UPDATE OF j SKIP LOCKED
    ), got AS (
        -- what another claimer locked at the same time is not among ready: what stands behind it is not taken
        UPDATE ump.jobs j SET state = 2, worker = p_worker, lease_until = clock_timestamp() + p_lease,
               fence = j.fence + 1, attempts = j.attempts + 1
          FROM ready
         WHERE j.id = ready.id AND j.state + 0 = 1
           AND NOT EXISTS (SELECT 1 FROM ump.jobs e
                            WHERE e.queue = p_queue AND e.lane = ready.lane AND e.state <> 6 AND e.id < ready.id
                              AND e.id NOT IN (SELECT r.id FROM ready r) OFFSET 0)
        RETURNING j.*
    )
    SELECT g.id, g.fence, g.account_id, g.endpoint_id, g.lane, g.kind, g.attempts, g.event_id, e.event_key, g.event_at,
           e.body, g.message_id, g.payload, g.created_at
      FROM got g LEFT JOIN ump.provider_events e ON e.received_at = g.event_at AND e.id = g.event_id
     ORDER BY g.id;
END $$;

CREATE OR REPLACE FUNCTION ump.job_done(p_id bigint, p_fence bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
BEGIN
    DELETE FROM ump.jobs WHERE id = p_id AND fence = p_fence;
    RETURN FOUND;
END $$;

-- Later: p_after from now, and its lane waits behind it.  p_counts: the job itself
-- is at fault; after some attempts it is given up.  What waits for somebody else
-- (a store that is down) does not count.
CREATE OR REPLACE FUNCTION ump.job_retry(p_id bigint, p_fence bigint, p_after interval, p_error text, p_counts boolean)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
BEGIN
    UPDATE ump.jobs SET state = 4, due_at = clock_timestamp() + p_after, worker = NULL, lease_until = NULL, error = p_error,
           attempts = CASE WHEN p_counts THEN attempts ELSE greatest(attempts - 1, 0) END
     WHERE id = p_id AND fence = p_fence AND state + 0 = 2;
    RETURN FOUND;
END $$;

-- The job goes on as another: later, of another kind, in a lane where it blocks
-- nobody (media that follow their text, reports that are gathered).
CREATE OR REPLACE FUNCTION ump.job_move(p_id bigint, p_fence bigint, p_kind text, p_lane text, p_payload jsonb, p_after interval)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
BEGIN
    UPDATE ump.jobs SET state = 4, due_at = clock_timestamp() + p_after, worker = NULL, lease_until = NULL,
           kind = p_kind, lane = p_lane, payload = coalesce(payload, '{}') || p_payload, attempts = 0
     WHERE id = p_id AND fence = p_fence AND state + 0 = 2;
    RETURN FOUND;
END $$;

-- Kept for the operator, blocks its lane no longer; never dropped.  Of an event
-- that came in, those who administer the account are told by mail with the raw
-- event in it (FAILURES I7, I12): twenty an hour, the rest stands in the queue's
-- list alone.
CREATE OR REPLACE FUNCTION ump.job_dead(p_id bigint, p_fence bigint, p_error text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_job ump.jobs;
BEGIN
    UPDATE ump.jobs SET state = 6, worker = NULL, lease_until = NULL, error = p_error
     WHERE id = p_id AND fence = p_fence AND state + 0 = 2
    RETURNING * INTO v_job;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF v_job.queue = 'inbound' AND
       ump.counter_add(v_job.account_id, 'alarm', 'dead', date_trunc('hour', ump.now()), 1, 20) THEN
        INSERT INTO ump.jobs (queue, account_id, endpoint_id, lane, kind, event_id, event_at, payload)
        SELECT 'receipts', v_job.account_id, v_job.endpoint_id, 'alarm:' || v_job.account_id, 'dead-event', v_job.event_id,
               v_job.event_at, jsonb_build_object('to', ump.account_admins(v_job.account_id), 'job', v_job.id,
                                                  'kind', v_job.kind, 'error', p_error, 'endpoint', e.address)
          FROM (SELECT 1) one LEFT JOIN ump.endpoints e ON e.account_id = v_job.account_id AND e.id = v_job.endpoint_id;
        PERFORM pg_notify('ump_jobs', 'receipts');
    END IF;
    RETURN true;
END $$;

CREATE OR REPLACE FUNCTION ump.jobs_heartbeat(p_worker text, p_ids bigint[], p_lease interval) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE n integer;
BEGIN
    UPDATE ump.jobs SET lease_until = clock_timestamp() + p_lease
     WHERE id = ANY (p_ids) AND state + 0 = 2 AND worker = p_worker;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;

-- What a dead worker left, and what has become due.  With p_worker: also that
-- worker's own leases, for its successor at start.  Returns the lowest id that
-- became ready again, so that claimers lower their floor.
CREATE OR REPLACE FUNCTION ump.jobs_rescue(p_worker text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE v_low bigint;
BEGIN
    WITH late AS (
        SELECT j.id FROM ump.jobs j WHERE j.state = 2 AND (j.lease_until < clock_timestamp() OR j.worker = p_worker)
        UNION ALL
        SELECT j.id FROM ump.jobs j WHERE j.state = 4 AND j.due_at <= clock_timestamp()
         ORDER BY 1 LIMIT 1000
    ), back AS (
        UPDATE ump.jobs j SET state = 1, worker = NULL, lease_until = NULL, due_at = NULL, fence = j.fence + 1
          FROM late WHERE j.id = late.id AND j.state + 0 IN (2, 4) RETURNING j.id
    )
    SELECT min(back.id) INTO v_low FROM back;
    RETURN v_low;
END $$;
