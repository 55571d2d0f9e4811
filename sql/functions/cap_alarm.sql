-- Somebody reached a cap (FAILURES T04): one row of the audit log an hour and
-- sender, and one mail to those who administer the account (receipts job
-- "alarm", payload to, who, cap).
CREATE OR REPLACE FUNCTION ump.cap_alarm(p_account integer, p_who text, p_cap text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
DECLARE
    v_hour timestamptz := date_trunc('hour', ump.now());
BEGIN
    IF NOT ump.counter_add(p_account, 'alarm', p_cap || ' ' || p_who, v_hour, 1, 1) THEN
        RETURN false;
    END IF;
    INSERT INTO ump.audit_log (account_id, at, actor, action, object, detail)
    VALUES (p_account, ump.now(), p_who, 'cap.reached', p_cap, '{}');
    INSERT INTO ump.jobs (queue, account_id, lane, kind, payload, unique_key)
    VALUES ('receipts', p_account, 'alarm:' || p_account, 'alarm',
            jsonb_build_object('to', ump.account_admins(p_account), 'who', p_who, 'cap', p_cap),
            format('alarm:%s:%s:%s:%s', p_account, p_cap, p_who, extract(epoch FROM v_hour)::bigint));
    PERFORM pg_notify('ump_jobs', 'receipts');
    RETURN true;
END $$;
