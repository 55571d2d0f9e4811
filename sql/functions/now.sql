-- Time is an input: the clock of this database plus the offset of a test
-- (connection option -c ump.clock_offset='9 days').  The time at which the
-- client's statement came (in a pipeline: each its own), because that is STABLE:
-- the planner inlines the function, and comparisons with it use an index.
CREATE OR REPLACE FUNCTION ump.now() RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT statement_timestamp() + coalesce(nullif(current_setting('ump.clock_offset', true), ''), '0')::interval
$$;
