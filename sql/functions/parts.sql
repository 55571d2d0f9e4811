-- A message that goes out as several of its network: metadata.parts says what
-- each carries, [{"text": true, "media": [0, 1]}] by place in metadata.media.

-- Queues a message whose delivery is stored, as p_parts messages of the network
-- (0: as one, which has no parts).  Their order is that of the outbox.
CREATE OR REPLACE FUNCTION ump.parts_queue(p_account integer, p_endpoint uuid, p_recipient text, p_message uuid,
                                           p_parts integer, p_due timestamptz, p_expires timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_parts = 0 THEN
        PERFORM ump.outbox_add(p_account, p_endpoint, p_recipient, p_message, 0, p_due, p_expires);
        RETURN;
    END IF;
    INSERT INTO ump.deliveries (account_id, message_id, recipient, part, endpoint_id, status, queued_at)
    SELECT p_account, p_message, p_recipient, n, p_endpoint, 'queued', ump.now() FROM generate_series(1, p_parts) n;
    FOR n IN 1 .. p_parts LOOP
        PERFORM ump.outbox_add(p_account, p_endpoint, p_recipient, p_message, n, p_due, p_expires);
    END LOOP;
END $$;

-- Moves the whole to where its parts are together, after one of them has moved:
-- under way until all have been tried; then uncertain or failed if one of them is,
-- else as far as the last of those that were not cancelled.  Costs and segments add up.  Failed
-- parts are reported together, once nothing more is to be tried.
-- Returns the new status of the whole, NULL: it has not changed, or there is no
-- whole (of the members of a group).  Locks: the part, then the whole.
CREATE OR REPLACE FUNCTION ump.parts_settle(p_account integer, p_message uuid, p_recipient text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_ranks CONSTANT text[] := ARRAY['sent', 'delivered', 'read'];
    v_now timestamptz := ump.now();
    v_whole ump.deliveries;
    v_status text;
    v_failed smallint[];
    p record;
BEGIN
    SELECT * INTO v_whole FROM ump.deliveries d
     WHERE d.account_id = p_account AND d.message_id = p_message AND d.recipient = p_recipient AND d.part = 0
       FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT count(*) AS n, count(*) FILTER (WHERE d.status = 'queued') AS queued,
           count(*) FILTER (WHERE d.status IN ('queued', 'sending')) AS open,
           count(*) FILTER (WHERE d.status = 'uncertain') AS uncertain,
           count(*) FILTER (WHERE d.status IN ('failed', 'expired')) AS failed,
           count(*) FILTER (WHERE d.status = 'expired') AS expired,
           count(*) FILTER (WHERE d.status = 'cancelled') AS cancelled,
           min(array_position(v_ranks, d.status)) AS rank,
           sum(d.cost)::bigint AS cost, min(d.currency) AS currency, sum(d.segments)::integer AS segments,
           (array_agg(d.provider_id ORDER BY d.part) FILTER (WHERE d.provider_id IS NOT NULL))[1] AS provider_id,
           (array_agg(d.error_code ORDER BY d.part) FILTER (WHERE d.status IN ('failed', 'expired', 'uncertain')))[1] AS code,
           (array_agg(d.error_text ORDER BY d.part) FILTER (WHERE d.status IN ('failed', 'expired', 'uncertain')))[1] AS text,
           max(d.sending_at) AS sending_at, max(d.accepted_at) AS accepted_at, max(d.sent_at) AS sent_at,
           max(d.delivered_at) AS delivered_at, max(d.read_at) AS read_at
      INTO p
      FROM ump.deliveries d
     WHERE d.account_id = p_account AND d.message_id = p_message AND d.recipient = p_recipient AND d.part > 0;
    v_status := CASE WHEN p.queued = p.n THEN 'queued'
                     WHEN p.open > 0 THEN 'sending'
                     WHEN p.uncertain > 0 THEN 'uncertain'
                     WHEN p.expired > 0 AND p.expired = p.failed THEN 'expired'
                     WHEN p.failed > 0 THEN 'failed'
                     WHEN p.cancelled = p.n THEN 'cancelled'
                     ELSE v_ranks[p.rank] END;
    UPDATE ump.deliveries d SET status = v_status, provider_id = p.provider_id, error_code = p.code, error_text = p.text,
           segments = coalesce(p.segments, d.segments), cost = p.cost, currency = p.currency,
           sending_at = p.sending_at,
           accepted_at = CASE WHEN p.open = 0 THEN p.accepted_at END,
           sent_at = CASE WHEN v_status IN ('sent', 'delivered', 'read') THEN p.sent_at END,
           delivered_at = CASE WHEN v_status IN ('delivered', 'read') THEN p.delivered_at END,
           read_at = CASE WHEN v_status = 'read' THEN p.read_at END,
           uncertain_at = CASE WHEN v_status = 'uncertain' THEN coalesce(d.uncertain_at, v_now) END,
           failed_at = CASE WHEN v_status = 'failed' THEN coalesce(d.failed_at, v_now) END,
           expired_at = CASE WHEN v_status = 'expired' THEN coalesce(d.expired_at, v_now) END,
           cancelled_at = CASE WHEN v_status = 'cancelled' THEN coalesce(d.cancelled_at, v_now) END
     WHERE d.account_id = p_account AND d.message_id = p_message AND d.recipient = p_recipient AND d.part = 0;
    IF p.open = 0 AND p.failed > 0 THEN
        WITH told AS (
            INSERT INTO ump.notices (account_id, message_id, recipient, kind, part, created_at)
            SELECT p_account, p_message, p_recipient, 'failed', d.part, v_now FROM ump.deliveries d
             WHERE d.account_id = p_account AND d.message_id = p_message AND d.recipient = p_recipient AND d.part > 0
               AND d.status IN ('failed', 'expired')
               AND NOT EXISTS (SELECT 1 FROM ump.deliveries m WHERE m.account_id = p_account AND m.message_id = p_message
                                  AND m.part = d.part AND m.recipient <> p_recipient)     -- of a group, whose members are told of
            ON CONFLICT DO NOTHING RETURNING part
        )
        SELECT array_agg(t.part ORDER BY t.part) INTO v_failed FROM told t;
        IF v_failed IS NOT NULL THEN
            PERFORM ump.notice_queue(p_account, p_message, p_recipient, 'failed', v_whole.endpoint_id,
                jsonb_build_object('code', p.code, 'text', p.text, 'status', v_status, 'parts', to_jsonb(v_failed)));
        END IF;
    END IF;
    IF v_status = v_whole.status THEN
        RETURN NULL;
    END IF;
    IF v_status IN ('delivered', 'read') THEN
        PERFORM ump.reports_asked(p_account, p_message, p_recipient, 0, v_whole.endpoint_id, true, v_status = 'read',
                                  CASE v_status WHEN 'read' THEN p.read_at ELSE p.delivered_at END);
    END IF;
    RETURN v_status;
END $$;
