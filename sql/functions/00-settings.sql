-- Functions are loaded in the order of their file names within one transaction;
-- they may name each other in any order.
SET LOCAL check_function_bodies = off;

-- What an older version made goes first: OR REPLACE cannot change what a function returns.  Programs that run
-- meanwhile look their functions up again at their next call.
DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid FROM pg_proc p
              WHERE p.pronamespace = 'ump'::regnamespace AND p.prorettype <> 'trigger'::regtype AND p.prokind = 'f' LOOP
        EXECUTE format('DROP FUNCTION %s', f);
    END LOOP;
END $$;
