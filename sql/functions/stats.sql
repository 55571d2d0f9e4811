-- What was received and sent, per endpoint and day (umpctl stats, the daily
-- digest).  A message counts for the day on which it reached the gateway.

-- A time zone that this database knows; UTC in place of any other.
CREATE OR REPLACE FUNCTION ump.zone_of(p_zone text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = ump, pg_temp AS $$
BEGIN
    PERFORM ump.now() AT TIME ZONE p_zone;
    RETURN coalesce(nullif(p_zone, ''), 'UTC');
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN 'UTC';
END $$;

-- The days from p_from up to and without p_to, in p_zone; p_endpoints NULL: of
-- all.  A day of an endpoint on which nothing happened has no row.  sent are all
-- that the provider took, delivered those of them that arrived, as far as it
-- says.  Milliseconds at the half and at 95 in 100 of the messages: inbound from
-- the network's time to the mailbox, send from the mail to the provider's answer,
-- arrive from there to the recipient.  cost and currency where all costs are of
-- one currency, else costs.
CREATE OR REPLACE FUNCTION ump.stats(p_account integer, p_from date, p_to date, p_zone text, p_endpoints uuid[])
RETURNS TABLE (day date, endpoint text, record json)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ump, pg_temp AS $$
    WITH message AS (
        SELECT m.endpoint_id, (m.created_at AT TIME ZONE p_zone)::date AS day, m.id, m.direction, m.occurred_at
          FROM ump.unified_messages m
         WHERE m.account_id = p_account AND m.endpoint_id IS NOT NULL
           AND m.created_at >= p_from::timestamp AT TIME ZONE p_zone AND m.created_at < p_to::timestamp AT TIME ZONE p_zone
           AND (p_endpoints IS NULL OR m.endpoint_id = ANY (p_endpoints))
    ), inbound AS (
        SELECT m.endpoint_id, m.day, count(*) AS received,
               percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP
                   (ORDER BY greatest(0, extract(epoch FROM s.at - m.occurred_at) * 1000)) AS ms
          FROM message m
          LEFT JOIN LATERAL (SELECT min(x.settled_at) AS at FROM ump.mail_deliveries x
                              WHERE x.account_id = p_account AND x.message_id = m.id AND x.state = 'done') s ON true
         WHERE m.direction = 'inbound' GROUP BY 1, 2
    ), delivery AS (
        SELECT m.endpoint_id, m.day, d.status, d.segments, d.cost, coalesce(d.currency, '?') AS currency,
               CASE WHEN d.status = 'expired' THEN 'expired' WHEN d.status = 'failed' THEN coalesce(d.error_code, '?') END AS reason,
               extract(epoch FROM d.accepted_at - d.queued_at) * 1000 AS send_ms,
               greatest(0, extract(epoch FROM d.delivered_at - d.accepted_at) * 1000) AS arrive_ms
          FROM message m JOIN ump.deliveries d ON d.account_id = p_account AND d.message_id = m.id AND d.part = 0
         WHERE m.direction = 'outbound'
    ), outbound AS (
        SELECT endpoint_id, day,
               count(*) FILTER (WHERE status IN ('sent', 'delivered', 'read')) AS sent,
               count(*) FILTER (WHERE status IN ('delivered', 'read')) AS delivered,
               count(*) FILTER (WHERE status = 'read') AS read,
               count(*) FILTER (WHERE status IN ('failed', 'expired')) AS failed,
               count(*) FILTER (WHERE status = 'uncertain') AS uncertain,
               count(*) FILTER (WHERE status IN ('held', 'queued', 'sending')) AS waiting,
               count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
               sum(segments) AS segments,
               percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY send_ms) AS send_ms,
               percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY arrive_ms) AS arrive_ms
          FROM delivery GROUP BY 1, 2
    ), reasons AS (
        SELECT endpoint_id, day, json_object_agg(reason, n ORDER BY n DESC, reason) AS list
          FROM (SELECT endpoint_id, day, reason, count(*) AS n FROM delivery WHERE reason IS NOT NULL GROUP BY 1, 2, 3) r
         GROUP BY 1, 2
    ), costs AS (
        SELECT endpoint_id, day, count(*) AS currencies, min(currency) AS currency, min(cost) AS cost,
               json_object_agg(currency, cost ORDER BY currency) AS list
          FROM (SELECT endpoint_id, day, currency, (sum(cost) / 1000000.0)::numeric(20, 6) AS cost FROM delivery
                 WHERE cost IS NOT NULL GROUP BY 1, 2, 3) c
         GROUP BY 1, 2
    ), both_ways AS (
        SELECT endpoint_id, day FROM inbound UNION SELECT endpoint_id, day FROM outbound
    )
    SELECT b.day, e.channel || ':' || e.address,
           json_build_object('endpoint', e.channel || ':' || e.address, 'provider', e.provider, 'day', b.day,
               'received', coalesce(i.received, 0), 'sent', coalesce(o.sent, 0), 'delivered', coalesce(o.delivered, 0),
               'read', coalesce(o.read, 0), 'failed', coalesce(o.failed, 0), 'uncertain', coalesce(o.uncertain, 0),
               'waiting', coalesce(o.waiting, 0), 'cancelled', coalesce(o.cancelled, 0), 'segments', o.segments,
               'cost', CASE WHEN c.currencies = 1 THEN c.cost END,
               'currency', CASE WHEN c.currencies = 1 THEN nullif(c.currency, '?') END,
               'costs', CASE WHEN c.currencies > 1 THEN c.list END,
               'inbound_ms_p50', i.ms[1]::bigint, 'inbound_ms_p95', i.ms[2]::bigint,
               'send_ms_p50', o.send_ms[1]::bigint, 'send_ms_p95', o.send_ms[2]::bigint,
               'arrive_ms_p50', o.arrive_ms[1]::bigint, 'arrive_ms_p95', o.arrive_ms[2]::bigint,
               'reasons', r.list)
      FROM both_ways b
      JOIN ump.endpoints e ON e.account_id = p_account AND e.id = b.endpoint_id
      LEFT JOIN inbound i USING (endpoint_id, day)
      LEFT JOIN outbound o USING (endpoint_id, day)
      LEFT JOIN reasons r USING (endpoint_id, day)
      LEFT JOIN costs c USING (endpoint_id, day)
     ORDER BY b.day DESC, 2
$$;
