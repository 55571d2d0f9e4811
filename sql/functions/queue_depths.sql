-- Depths of the queues, for /metrics and /healthz.
CREATE OR REPLACE FUNCTION ump.queue_depths()
RETURNS TABLE (queue text, state text, count bigint, oldest_s double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ump, pg_temp AS $$
    SELECT j.queue, (ARRAY['ready', 'leased', NULL, 'later', NULL, 'dead'])[j.state], count(*),
           extract(epoch FROM clock_timestamp() - min(j.created_at))::double precision
      FROM ump.jobs j GROUP BY 1, j.state
    UNION ALL
    SELECT 'outbox', (ARRAY['ready', 'leased', 'sending', 'later', 'uncertain'])[o.state], count(*),
           extract(epoch FROM clock_timestamp() - min(o.created_at))::double precision
      FROM ump.outbox o GROUP BY 1, o.state
$$;
