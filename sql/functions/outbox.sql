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

-- One entry of the queue, locked in the order of all: its delivery, then its row
-- (then attempts, then the whole whose part it is).  All NULL: it is gone.
CREATE OR REPLACE FUNCTION ump.outbox_lock(p_id bigint) RETURNS ump.outbox
LANGUAGE plpgsql AS $$
DECLARE
    v_o ump.outbox;
BEGIN
    SELECT * INTO v_o FROM ump.outbox WHERE id = p_id;
    PERFORM 1 FROM ump.deliveries
      WHERE account_id = v_o.account_id AND message_id = v_o.message_id AND recipient = v_o.recipient AND part = v_o.part
        FOR NO KEY UPDATE;
    SELECT * INTO v_o FROM ump.outbox WHERE id = p_id FOR NO KEY UPDATE;
    RETURN v_o;
END $$;

-- Takes one entry of the queue back, unless its request was started.
CREATE OR REPLACE FUNCTION ump.outbox_cancel(p_account integer, p_id bigint) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_o ump.outbox := ump.outbox_lock(p_id);
BEGIN
    IF v_o.id IS NULL OR v_o.account_id <> p_account OR v_o.state NOT IN (1, 4, 5) THEN
        RETURN NULL;
    END IF;
    DELETE FROM ump.outbox WHERE id = p_id;
    UPDATE ump.deliveries d SET status = 'cancelled', cancelled_at = ump.now()
     WHERE d.account_id = p_account AND d.message_id = v_o.message_id AND d.recipient = v_o.recipient AND d.part = v_o.part;
    IF v_o.part > 0 THEN
        PERFORM ump.parts_settle(p_account, v_o.message_id, v_o.recipient);
    END IF;
    RETURN v_o.message_id;
END $$;
