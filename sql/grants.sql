-- One role per program; each may run its own functions and touch no table.
-- Applied after every migration.  The owner role is the one that migrates.
DO $$
DECLARE
    r text;
BEGIN
    FOREACH r IN ARRAY ARRAY['ump_milter', 'ump_lmtp', 'ump_bridge', 'ump_reader', 'ump_postfix'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOBYPASSRLS', r);
        END IF;
    END LOOP;
END $$;

REVOKE ALL ON SCHEMA ump FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA ump FROM PUBLIC, ump_milter, ump_lmtp, ump_bridge, ump_reader, ump_postfix;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ump FROM PUBLIC, ump_milter, ump_lmtp, ump_bridge, ump_reader, ump_postfix;
GRANT USAGE ON SCHEMA ump TO ump_milter, ump_lmtp, ump_bridge, ump_reader, ump_postfix;
GRANT SELECT ON ump.schema_version TO ump_milter, ump_lmtp, ump_bridge, ump_reader;
GRANT EXECUTE ON FUNCTION ump.now() TO ump_milter, ump_lmtp, ump_bridge, ump_reader;

DO $$
DECLARE
    f record;
BEGIN
    FOR f IN
        SELECT p.oid::regprocedure AS fn, g.role
          FROM pg_proc p
          JOIN (VALUES
            ('submission_facts', 'ump_milter'), ('submission_facts', 'ump_lmtp'), ('last_inbound', 'ump_lmtp'),
            ('known_texts', 'ump_milter'), ('known_texts', 'ump_lmtp'),
            ('endpoint_templates', 'ump_milter'), ('endpoint_templates', 'ump_lmtp'),
            ('cap_alarm', 'ump_milter'), ('cap_alarm', 'ump_lmtp'),
            ('accept_submission', 'ump_lmtp'), ('group_open', 'ump_lmtp'), ('outbox_answer', 'ump_lmtp'), ('mail_begin', 'ump_lmtp'),
            ('bridged_begin', 'ump_lmtp'), ('mail_settle', 'ump_lmtp'), ('mail_delivered', 'ump_lmtp'), ('endpoint_get', 'ump_lmtp'),
            ('message_report', 'ump_lmtp'),
            ('accept_event', 'ump_bridge'), ('accept_events', 'ump_bridge'), ('jobs_claim', 'ump_bridge'), ('job_done', 'ump_bridge'),
            ('job_retry', 'ump_bridge'), ('job_move', 'ump_bridge'), ('job_dead', 'ump_bridge'), ('jobs_heartbeat', 'ump_bridge'),
            ('jobs_rescue', 'ump_bridge'), ('store_inbound', 'ump_bridge'), ('message_media_set', 'ump_bridge'),
            ('apply_status', 'ump_bridge'), ('template_status', 'ump_bridge'), ('endpoint_get', 'ump_bridge'), ('endpoint_hold', 'ump_bridge'),
            ('message_report', 'ump_bridge'), ('notice_sent', 'ump_bridge'), ('report_count', 'ump_bridge'),
            ('outbox_endpoints', 'ump_bridge'), ('outbox_claim', 'ump_bridge'), ('outbox_sending', 'ump_bridge'),
            ('outbox_finish', 'ump_bridge'), ('outbox_release', 'ump_bridge'), ('outbox_heartbeat', 'ump_bridge'),
            ('outbox_rescue', 'ump_bridge'), ('outbox_uncertain', 'ump_bridge'), ('outbox_defer', 'ump_bridge'),
            ('outbox_found', 'ump_bridge'), ('poll_begin', 'ump_bridge'), ('poll_end', 'ump_bridge'),
            ('read_waits_due', 'ump_bridge'), ('read_waits_claim', 'ump_bridge'), ('read_waits_settle', 'ump_bridge'), ('read_by_us', 'ump_bridge'), ('read_hint', 'ump_bridge'),
            ('keyword_add', 'ump_bridge'), ('watch_begin', 'ump_bridge'), ('watch_end', 'ump_bridge'),
            ('group_members', 'ump_bridge'), ('sent_match', 'ump_bridge'), ('stream_lease', 'ump_bridge'), ('stream_release', 'ump_bridge'), ('stream_position', 'ump_bridge'),
            ('expiry_set', 'ump_bridge'), ('expiries_due', 'ump_bridge'), ('message_expire', 'ump_bridge'),
            ('endpoints_cut_off', 'ump_bridge'), ('daily_digests', 'ump_bridge'),
            ('outbox_uncertain_end', 'ump_bridge'), ('outbox_refuse', 'ump_bridge'), ('outbox_expire', 'ump_bridge'), ('search_fill', 'ump_bridge'), ('maintain', 'ump_bridge'),
            ('queue_depths', 'ump_bridge'), ('postfix_machine_net', 'ump_postfix'),
            ('postfix_sender_logins', 'ump_postfix'), ('postfix_gateway_domain', 'ump_postfix')) g (name, role) ON g.name = p.proname
         WHERE p.pronamespace = 'ump'::regnamespace
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', f.fn, f.role);
    END LOOP;
END $$;

GRANT SELECT ON ump.users, ump.teams, ump.team_members, ump.contacts, ump.contact_identities, ump.contact_aliases, ump.chat_groups,
    ump.unified_conversations, ump.unified_messages, ump.message_search, ump.deliveries, ump.media,
    ump.message_templates, ump.message_opt_outs TO ump_reader;
