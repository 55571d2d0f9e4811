-- The closed list of what the programs may say to the database; "-- for:" names
-- the roles that may.  Every statement that writes is idempotent.

-- name: accept_event
-- for: bridge
SELECT * FROM ump.accept_event($1::integer, $2::uuid, $3::text, $4::text, $5::text, $6::bytea, $7::integer, $8::text, $9::text, $10::text, $11::jsonb);

-- name: accept_events
-- for: bridge
SELECT ump.accept_events($1::integer[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::bytea, $8::integer[], $9::text[], $10::text[], $11::text[], $12::text[]) AS fresh;

-- name: jobs_claim
-- for: bridge
SELECT * FROM ump.jobs_claim($1::text, $2::text, $3::bigint, $4::integer, $5::interval);

-- name: job_done
-- for: bridge
SELECT ump.job_done($1::bigint, $2::bigint);

-- name: job_retry
-- for: bridge
SELECT ump.job_retry($1::bigint, $2::bigint, $3::interval, $4::text, $5::boolean);

-- name: job_move
-- for: bridge
SELECT ump.job_move($1::bigint, $2::bigint, $3::text, $4::text, $5::jsonb, $6::interval);

-- name: job_dead
-- for: bridge
SELECT ump.job_dead($1::bigint, $2::bigint, $3::text);

-- name: jobs_heartbeat
-- for: bridge
SELECT ump.jobs_heartbeat($1::text, $2::bigint[], $3::interval);

-- name: jobs_rescue
-- for: bridge
SELECT ump.jobs_rescue($1::text);

-- name: store_inbound
-- for: bridge
SELECT * FROM ump.store_inbound($1::integer, $2::uuid, $3::uuid, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text, $10::text[], $11::text, $12::text, $13::jsonb, $14::text, $15::text, $16::timestamptz, $17::text, $18::interval, $19::integer, $20::interval, $21::text);

-- name: message_media_set
-- for: bridge
SELECT ump.message_media_set($1::integer, $2::uuid, $3::jsonb);

-- name: apply_status
-- for: bridge
SELECT * FROM ump.apply_status($1::integer, $2::uuid, $3::uuid, $4::text, $5::text, $6::text, $7::timestamptz, $8::text, $9::text, $10::integer, $11::bigint, $12::text);

-- name: template_status
-- for: bridge
SELECT ump.template_status($1::integer, $2::uuid, $3::text, $4::text, $5::text, $6::text);

-- name: endpoint_get
-- for: bridge, lmtp
SELECT * FROM ump.endpoint_get($1::uuid);

-- name: endpoint_hold
-- for: bridge
SELECT ump.endpoint_hold($1::integer, $2::uuid, $3::integer, $4::interval, $5::text);

-- name: message_report
-- for: bridge, lmtp
SELECT * FROM ump.message_report($1::integer, $2::uuid, $3::text);

-- name: notice_sent
-- for: bridge
SELECT ump.notice_sent($1::integer, $2::uuid, $3::text, $4::text);

-- name: report_count
-- for: bridge
SELECT ump.report_count($1::integer, $2::text);

-- name: outbox_endpoints
-- for: bridge
SELECT * FROM ump.outbox_endpoints($1::uuid[], $2::bigint[]);

-- name: outbox_claim
-- for: bridge
SELECT * FROM ump.outbox_claim($1::text, $2::integer, $3::uuid, $4::bigint, $5::integer, $6::interval, $7::double precision, $8::double precision, $9::double precision, $10::double precision, $11::text, $12::double precision, $13::double precision, $14::boolean);

-- name: outbox_sending
-- for: bridge
SELECT * FROM ump.outbox_sending($1::bigint[], $2::bigint[], $3::uuid[]);

-- name: outbox_finish
-- for: bridge
SELECT ump.outbox_finish($1::jsonb);

-- name: outbox_defer
-- for: bridge
SELECT ump.outbox_defer($1::bigint, $2::bigint, $3::timestamptz, $4::text);

-- name: outbox_release
-- for: bridge
SELECT ump.outbox_release($1::bigint[], $2::bigint[], $3::interval);

-- name: outbox_heartbeat
-- for: bridge
SELECT ump.outbox_heartbeat($1::text, $2::bigint[], $3::interval);

-- name: outbox_rescue
-- for: bridge
SELECT * FROM ump.outbox_rescue($1::text, $2::interval, $3::timestamptz);

-- name: outbox_refuse
-- for: bridge
SELECT ump.outbox_refuse($1::bigint, $2::bigint, $3::text, $4::text);

-- name: outbox_expire
-- for: bridge
SELECT ump.outbox_expire($1::integer);

-- name: outbox_uncertain
-- for: bridge
SELECT * FROM ump.outbox_uncertain($1::integer, $2::interval, $3::interval);

-- name: outbox_found
-- for: bridge
SELECT ump.outbox_found($1::integer, $2::uuid, $3::uuid, $4::text[], $5::text[]);

-- name: outbox_uncertain_end
-- for: bridge
SELECT ump.outbox_uncertain_end($1::bigint, $2::text);

-- name: read_waits_due
-- for: bridge
SELECT endpoint_id::text FROM ump.read_waits_due();

-- name: read_waits_claim
-- for: bridge
SELECT * FROM ump.read_waits_claim($1::integer, $2::uuid, $3::integer);

-- name: read_waits_settle
-- for: bridge
SELECT ump.read_waits_settle($1::integer, $2::uuid, $3::uuid[], $4::boolean);

-- name: read_hint
-- for: bridge
SELECT ump.read_hint($1::text);

-- name: read_by_us
-- for: bridge
SELECT ump.read_by_us($1::integer, $2::uuid, $3::text, $4::boolean);

-- name: poll_begin
-- for: bridge
SELECT ump.poll_begin($1::integer, $2::uuid, $3::interval);

-- name: poll_end
-- for: bridge
SELECT ump.poll_end($1::uuid, $2::timestamptz);

-- name: keyword_add
-- for: bridge
SELECT ump.keyword_add($1::integer, $2::uuid, $3::text);

-- name: watch_begin
-- for: bridge
SELECT * FROM ump.watch_begin($1::integer, $2::uuid, $3::interval, $4::interval);

-- name: watch_end
-- for: bridge
SELECT ump.watch_end($1::integer, $2::uuid, $3::text);

-- name: group_members
-- for: bridge
SELECT ump.group_members($1::integer, $2::uuid, $3::text);

-- name: sent_match
-- for: bridge
SELECT ump.sent_match($1::integer, $2::uuid, $3::text, $4::text, $5::timestamptz);

-- name: stream_lease
-- for: bridge
SELECT ump.stream_lease($1::integer, $2::uuid, $3::text, $4::interval);

-- name: stream_position
-- for: bridge
SELECT ump.stream_position($1::integer, $2::uuid, $3::text, $4::text, $5::text);

-- name: stream_release
-- for: bridge
SELECT ump.stream_release($1::integer, $2::uuid, $3::text);

-- name: expiry_set
-- for: bridge
SELECT ump.expiry_set($1::integer, $2::uuid, $3::text, $4::bigint, $5::interval, $6::boolean, $7::timestamptz);

-- name: expiries_due
-- for: bridge
SELECT ump.expiries_due($1::integer);

-- name: message_expire
-- for: bridge
SELECT ump.message_expire($1::integer, $2::uuid);

-- name: daily_digests
-- for: bridge
SELECT ump.daily_digests($1::interval, $2::integer);

-- name: endpoints_cut_off
-- for: bridge
SELECT ump.endpoints_cut_off();

-- name: search_fill
-- for: bridge
SELECT * FROM ump.search_fill($1::integer);

-- name: maintain
-- for: bridge
SELECT ump.maintain($1::integer, $2::integer);

-- name: queue_depths
-- for: bridge
SELECT * FROM ump.queue_depths();

-- name: submission_facts
-- for: milter, lmtp
SELECT * FROM ump.submission_facts($1::text, $2::inet, $3::integer, $4::text, $5::text, $6::text, $7::text[], $8::text);

-- name: submission_window
-- for: lmtp
SELECT ump.last_inbound($1::integer, $2::uuid, $3::uuid, $4::text, $5::text, ump.now() - $6::interval) AS last_inbound;

-- name: known_texts
-- for: milter, lmtp
SELECT * FROM ump.known_texts($1::text, $2::text[], $3::timestamptz, $4::integer, $5::integer);

-- name: endpoint_templates
-- for: milter, lmtp
SELECT * FROM ump.endpoint_templates($1::integer, $2::uuid);

-- name: cap_alarm
-- for: milter, lmtp
SELECT ump.cap_alarm($1::integer, $2::text, $3::text);

-- name: accept_submission
-- for: lmtp
SELECT * FROM ump.accept_submission($1::integer, $2::text, $3::text, $4::bytea, $5::uuid, $6::uuid, $7::uuid, $8::text, $9::uuid, $10::uuid, $11::text, $12::text, $13::uuid, $14::text, $15::text, $16::text, $17::jsonb, $18::text, $19::text[], $20::integer, $21::timestamptz, $22::timestamptz, $23::text, $24::jsonb, $25::interval, $26::integer, $27::interval);

-- name: group_open
-- for: lmtp
SELECT * FROM ump.group_open($1::integer, $2::uuid, $3::text, $4::text, $5::text, $6::text[]);

-- name: outbox_answer
-- for: lmtp
SELECT * FROM ump.outbox_answer($1::integer, $2::uuid, $3::text, $4::text, $5::integer, $6::jsonb);

-- name: mail_begin
-- for: lmtp
SELECT * FROM ump.mail_begin($1::text, $2::text, $3::uuid, $4::text, $5::text[], $6::text, $7::text, $8::text[], $9::text, $10::text, $11::jsonb, $12::timestamptz, $13::integer, $14::interval);

-- name: bridged_begin
-- for: lmtp
SELECT ump.bridged_begin($1::text, $2::integer, $3::uuid, $4::uuid);

-- name: mail_settle
-- for: lmtp
SELECT ump.mail_settle($1::text, $2::text, $3::text);

-- name: mail_delivered
-- for: lmtp
SELECT ump.mail_delivered($1::text[], $2::text[], $3::integer[]);
