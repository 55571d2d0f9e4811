-- The administrator's statements (umpctl, as the owner role).  Each row is one
-- record: a JSON object, in the order in which its keys are shown.

-- name: ctl_account_of
SELECT id FROM ump.accounts WHERE name = $1::text OR ($1::text IS NULL AND (name = 'default' OR (SELECT count(*) FROM ump.accounts) = 1)) ORDER BY name = 'default' DESC LIMIT 1;

-- name: ctl_audit
INSERT INTO ump.audit_log (account_id, at, actor, action, object, detail) VALUES ($1::integer, ump.now(), $2::text, $3::text, $4::text, coalesce($5::jsonb, '{}'));

-- name: ctl_account_add
INSERT INTO ump.accounts (name, domains, region, settings) VALUES ($1::text, $2::text[], $3::text, $4::jsonb)
RETURNING id, json_build_object('id', id, 'name', name, 'domains', domains, 'region', region, 'settings', settings);

-- name: ctl_account_list
SELECT json_build_object('id', a.id, 'name', a.name, 'domains', a.domains, 'region', a.region, 'settings', a.settings,
       'users', (SELECT count(*) FROM ump.users u WHERE u.account_id = a.id AND u.disabled_at IS NULL),
       'endpoints', (SELECT count(*) FROM ump.endpoints e WHERE e.account_id = a.id AND e.status <> 'removed'),
       'disabled_at', a.disabled_at)
  FROM ump.accounts a WHERE $1::text IS NULL OR a.name = $1::text ORDER BY a.id;

-- name: ctl_account_set
UPDATE ump.accounts SET domains = coalesce($2::text[], domains), region = coalesce($3::text, region),
       settings = jsonb_strip_nulls(settings || coalesce($4::jsonb, '{}')),
       disabled_at = CASE $5::text WHEN 'disable' THEN coalesce(disabled_at, ump.now()) WHEN 'enable' THEN NULL ELSE disabled_at END
 WHERE name = $1::text
RETURNING id, json_build_object('id', id, 'name', name, 'domains', domains, 'region', region, 'settings', settings, 'disabled_at', disabled_at);

-- name: ctl_user_add
WITH u AS (
    INSERT INTO ump.users (account_id, email, name, role, region, subject_style)
    VALUES ($1::integer, lower($2::text), coalesce($3::text, ''), coalesce($4::text, 'agent'), $5::text, coalesce($6::text, 'words'))
    RETURNING *
), i AS (
    INSERT INTO ump.user_identifiers (account_id, user_id, kind, value, verified_at, is_primary)
    SELECT u.account_id, u.id, 'email', u.email, ump.now(), true FROM u
    UNION ALL SELECT u.account_id, u.id, 'email', lower(a), ump.now(), false FROM u, unnest($7::text[]) a
    UNION ALL SELECT u.account_id, u.id, 'login', lower(l), ump.now(), false FROM u, unnest($8::text[]) l
)
SELECT id, json_build_object('id', 'ump:user:' || id, 'email', email, 'name', name, 'role', role, 'region', region,
       'subject_style', subject_style) FROM u;

-- name: ctl_user_id
SELECT i.user_id FROM ump.user_identifiers i
 WHERE i.account_id = $1::integer AND ((i.kind = 'email' AND i.value = lower($2::text)) OR 'ump:user:' || i.user_id = $2::text) LIMIT 1;

-- name: ctl_user_list
SELECT json_build_object('id', 'ump:user:' || u.id, 'email', u.email, 'name', u.name, 'role', u.role, 'region', u.region,
       'subject_style', u.subject_style,
       'identifiers', (SELECT coalesce(json_agg(i.kind || ':' || i.value ORDER BY i.is_primary DESC, i.kind, i.value), '[]')
                         FROM ump.user_identifiers i WHERE i.account_id = u.account_id AND i.user_id = u.id),
       'teams', (SELECT coalesce(json_agg(t.name ORDER BY t.name), '[]') FROM ump.team_members m
                   JOIN ump.teams t ON t.account_id = m.account_id AND t.id = m.team_id
                  WHERE m.account_id = u.account_id AND m.user_id = u.id),
       'report_segments', coalesce((u.settings->>'report_segments')::boolean, false), 'time_zone', u.settings->>'time_zone',
       'disabled_at', u.disabled_at)
  FROM ump.users u WHERE u.account_id = $1::integer AND ($2::uuid IS NULL OR u.id = $2::uuid) ORDER BY u.email;

-- name: ctl_user_set
UPDATE ump.users SET name = coalesce($3::text, name), role = coalesce($4::text, role), region = coalesce($5::text, region),
       subject_style = coalesce($6::text, subject_style),
       settings = jsonb_strip_nulls(settings || CASE WHEN $8::boolean IS NULL THEN '{}' ELSE jsonb_build_object('report_segments', $8::boolean) END
           || CASE WHEN $9::text IS NULL THEN '{}' ELSE jsonb_build_object('time_zone', nullif($9::text, '')) END),
       disabled_at = CASE $7::text WHEN 'disable' THEN coalesce(disabled_at, ump.now()) WHEN 'enable' THEN NULL ELSE disabled_at END
 WHERE account_id = $1::integer AND id = $2::uuid RETURNING id;

-- name: ctl_user_identifier_add
INSERT INTO ump.user_identifiers (account_id, user_id, kind, value, verified_at, endpoint_id)
VALUES ($1::integer, $2::uuid, $3::text, lower($4::text), ump.now(), $5::uuid)
ON CONFLICT (kind, value) DO UPDATE SET endpoint_id = excluded.endpoint_id
  WHERE user_identifiers.account_id = excluded.account_id AND user_identifiers.user_id = excluded.user_id
RETURNING value;

-- name: ctl_user_identifier_remove
DELETE FROM ump.user_identifiers WHERE account_id = $1::integer AND user_id = $2::uuid AND kind = $3::text
   AND value = lower($4::text) AND NOT is_primary RETURNING value;

-- name: ctl_team_add
INSERT INTO ump.teams (account_id, name, mailbox, display_name) VALUES ($1::integer, $2::text, lower($3::text), coalesce($4::text, $2::text))
RETURNING id;

-- name: ctl_team_id
SELECT id FROM ump.teams WHERE account_id = $1::integer AND (name = $2::text OR mailbox = lower($2::text));

-- name: ctl_team_member_add
INSERT INTO ump.team_members (account_id, team_id, user_id) VALUES ($1::integer, $2::uuid, $3::uuid) ON CONFLICT DO NOTHING;

-- name: ctl_team_member_remove
DELETE FROM ump.team_members WHERE account_id = $1::integer AND team_id = $2::uuid AND user_id = $3::uuid RETURNING user_id;

-- name: ctl_team_list
SELECT json_build_object('id', 'ump:team:' || t.id, 'name', t.name, 'display_name', t.display_name, 'mailbox', t.mailbox,
       'members', (SELECT coalesce(json_agg(u.email ORDER BY u.email), '[]') FROM ump.team_members m
                     JOIN ump.users u ON u.account_id = m.account_id AND u.id = m.user_id
                    WHERE m.account_id = t.account_id AND m.team_id = t.id))
  FROM ump.teams t WHERE t.account_id = $1::integer AND ($2::uuid IS NULL OR t.id = $2::uuid) ORDER BY t.name;

-- name: ctl_team_set
UPDATE ump.teams SET display_name = coalesce($3::text, display_name), mailbox = coalesce(lower($4::text), mailbox)
 WHERE account_id = $1::integer AND id = $2::uuid RETURNING id;

-- name: ctl_team_remove
DELETE FROM ump.teams t WHERE t.account_id = $1::integer AND t.id = $2::uuid
   AND NOT EXISTS (SELECT 1 FROM ump.endpoints e WHERE e.account_id = t.account_id AND e.owner_id = t.id AND e.status <> 'removed')
RETURNING id;

-- name: ctl_endpoint_add
INSERT INTO ump.endpoints (account_id, id, channel, provider, address, owner_kind, owner_id, settings, secrets, is_primary)
VALUES ($1::integer, $2::uuid, $3::text, $4::text, $5::text, $6::text, $7::uuid, $8::jsonb, $9::bytea,
        NOT EXISTS (SELECT 1 FROM ump.endpoints e WHERE e.account_id = $1::integer AND e.owner_id = $7::uuid
                       AND e.channel = $3::text AND e.is_primary AND e.status <> 'removed'))
RETURNING id;

-- name: ctl_endpoint_find
SELECT e.id, e.provider, e.settings, e.secrets, e.channel, e.address, e.status FROM ump.endpoints e
 WHERE e.account_id = $1::integer AND e.status <> 'removed'
   AND (e.id::text = $2::text OR e.address = $2::text OR e.channel || ':' || e.address = $2::text)
 ORDER BY e.created_at LIMIT 2;

-- name: ctl_endpoint_list
SELECT json_build_object('id', e.id, 'channel', e.channel, 'provider', e.provider, 'address', e.address,
       'owner', CASE e.owner_kind
           WHEN 'user' THEN (SELECT u.email FROM ump.users u WHERE u.account_id = e.account_id AND u.id = e.owner_id)
           ELSE (SELECT 'team:' || t.name FROM ump.teams t WHERE t.account_id = e.account_id AND t.id = e.owner_id) END,
       'status', e.status, 'primary', e.is_primary, 'webhook_url', $3::text || '/webhooks/' || e.id,
       'settings', e.settings,
       'secrets', (SELECT coalesce(json_agg(k ORDER BY k), '[]') FROM jsonb_object_keys(convert_from(coalesce(e.secrets, '{}'), 'UTF8')::jsonb) k),
       'held_until', CASE WHEN e.held_until > clock_timestamp() THEN e.held_until END,
       'held_why', CASE WHEN e.held_until > clock_timestamp() THEN e.held_why END,
       'granted_to', (SELECT coalesce(json_agg(u.email ORDER BY u.email), '[]') FROM ump.grants g
                        JOIN ump.users u ON u.account_id = g.account_id AND u.id = g.user_id
                       WHERE g.account_id = e.account_id AND g.endpoint_id = e.id),
       'version', e.version, 'created_at', e.created_at)
  FROM ump.endpoints e
 WHERE e.account_id = $1::integer AND e.status <> 'removed' AND ($2::uuid IS NULL OR e.id = $2::uuid) ORDER BY e.channel, e.address;

-- name: ctl_endpoint_set
UPDATE ump.endpoints SET settings = jsonb_strip_nulls(settings || coalesce($3::jsonb, '{}')), secrets = coalesce($4::bytea, secrets),
       owner_kind = coalesce($5::text, owner_kind), owner_id = coalesce($6::uuid, owner_id),
       status = coalesce($7::text, status), is_primary = coalesce($8::boolean, is_primary),
       held_until = CASE WHEN $7::text = 'enabled' OR $4::bytea IS NOT NULL THEN NULL ELSE held_until END
 WHERE account_id = $1::integer AND id = $2::uuid AND status <> 'removed' RETURNING id;

-- name: ctl_endpoint_limits
UPDATE ump.endpoints SET settings = settings || jsonb_build_object('limits', $3::jsonb)
 WHERE provider = $1::text AND channel = $2::text AND status <> 'removed' AND settings->'limits' IS DISTINCT FROM $3::jsonb;

-- name: ctl_endpoint_only_primary
UPDATE ump.endpoints o SET is_primary = false FROM ump.endpoints e
 WHERE e.account_id = $1::integer AND e.id = $2::uuid AND o.account_id = e.account_id AND o.owner_id = e.owner_id
   AND o.channel = e.channel AND o.id <> e.id AND o.is_primary;

-- name: ctl_endpoint_waiting
SELECT count(*) FROM ump.outbox WHERE account_id = $1::integer AND endpoint_id = $2::uuid;

-- name: ctl_template_list
SELECT json_build_object('endpoint', e.channel || ':' || e.address, 'name', t.name, 'language', t.language, 'status', t.status,
       'text', t.body->>'text', 'variables', coalesce(jsonb_array_length(t.body->'places'), 0),
       'category', t.body->>'category', 'missing', t.body->>'missing', 'synced', t.synced_at)
  FROM ump.message_templates t JOIN ump.endpoints e ON e.account_id = t.account_id AND e.id = t.endpoint_id
 WHERE t.account_id = $1::integer AND ($2::uuid IS NULL OR t.endpoint_id = $2::uuid) ORDER BY e.address, t.name, t.language;

-- name: ctl_template_put
INSERT INTO ump.message_templates (account_id, endpoint_id, name, language, body, status, synced_at)
VALUES ($1::integer, $2::uuid, $3::text, $4::text, $5::jsonb, $6::text, CASE WHEN $7::boolean THEN ump.now() END)
ON CONFLICT (account_id, endpoint_id, name, language)
DO UPDATE SET body = excluded.body, status = excluded.status, synced_at = excluded.synced_at;

-- name: ctl_template_forget
DELETE FROM ump.message_templates WHERE account_id = $1::integer AND endpoint_id = $2::uuid AND synced_at IS NOT NULL;

-- name: ctl_grant_add
INSERT INTO ump.grants (account_id, endpoint_id, user_id, may_send, may_read, may_admin)
VALUES ($1::integer, $2::uuid, $3::uuid, $4::boolean, $5::boolean, $6::boolean)
ON CONFLICT (account_id, endpoint_id, user_id) DO UPDATE SET may_send = excluded.may_send, may_read = excluded.may_read,
       may_admin = excluded.may_admin;

-- name: ctl_grant_remove
DELETE FROM ump.grants WHERE account_id = $1::integer AND endpoint_id = $2::uuid AND user_id = $3::uuid RETURNING user_id;

-- name: ctl_sender_add
INSERT INTO ump.machine_senders (account_id, endpoint_id, login, net, local_uid, rate_count, rate_per, subject_first)
VALUES ($1::integer, $2::uuid, $3::text, $4::inet, $5::integer, $6::integer, $7::interval, $8::boolean) RETURNING id;

-- name: ctl_sender_list
SELECT json_build_object('id', s.id, 'login', s.login, 'net', s.net, 'local_uid', s.local_uid, 'endpoint', e.channel || ':' || e.address,
       'rate', s.rate_count || '/' || CASE s.rate_per WHEN '1 hour' THEN 'h' WHEN '1 day' THEN 'd' WHEN '1 minute' THEN 'min' ELSE s.rate_per::text END,
       'subject_first', s.subject_first)
  FROM ump.machine_senders s JOIN ump.endpoints e ON e.account_id = s.account_id AND e.id = s.endpoint_id
 WHERE s.account_id = $1::integer AND ($2::uuid IS NULL OR s.id = $2::uuid) ORDER BY s.created_at;

-- name: ctl_sender_remove
DELETE FROM ump.machine_senders WHERE account_id = $1::integer
   AND (id::text = $2::text OR login = $2::text OR net::text = $2::text OR host(net) = $2::text OR local_uid::text = $2::text) RETURNING id;

-- name: ctl_contact_find
SELECT DISTINCT c.id FROM ump.contacts c
  LEFT JOIN ump.contact_identities i ON i.account_id = c.account_id AND i.contact_id = c.id AND i.valid_to IS NULL
 WHERE c.account_id = $1::integer AND c.merged_into IS NULL
   AND (c.id::text = $2::text OR i.identifier = $2::text OR i.channel || ':' || i.identifier = $2::text OR lower(c.name) = lower($2::text)) LIMIT 2;

-- name: ctl_contact_list
SELECT json_build_object('id', c.id, 'name', c.name,
       'identities', (SELECT coalesce(json_agg(i.channel || ':' || i.identifier ORDER BY i.valid_from), '[]') FROM ump.contact_identities i
                       WHERE i.account_id = c.account_id AND i.contact_id = c.id AND i.valid_to IS NULL),
       'attributes', c.attributes,
       'blocked_by', (SELECT coalesce(json_agg(coalesce(u.email, t.mailbox)), '[]') FROM ump.contact_blocks b
                        LEFT JOIN ump.users u ON u.account_id = b.account_id AND u.id = b.owner_id
                        LEFT JOIN ump.teams t ON t.account_id = b.account_id AND t.id = b.owner_id
                       WHERE b.account_id = c.account_id AND b.contact_id = c.id),
       'opted_out', EXISTS (SELECT 1 FROM ump.contact_identities i JOIN ump.message_opt_outs o
                      ON o.account_id = i.account_id AND o.channel = i.channel AND o.identifier = i.identifier
                      WHERE i.account_id = c.account_id AND i.contact_id = c.id),
       'created_at', c.created_at)
  FROM ump.contacts c
 WHERE c.account_id = $1::integer AND c.merged_into IS NULL AND ($2::uuid IS NULL OR c.id = $2::uuid)
   AND ($3::text IS NULL OR c.name ILIKE '%' || $3::text || '%' OR EXISTS (SELECT 1 FROM ump.contact_identities i
         WHERE i.account_id = c.account_id AND i.contact_id = c.id AND i.identifier LIKE '%' || $3::text || '%'))
 ORDER BY c.name NULLS LAST, c.created_at LIMIT $4::integer;

-- name: ctl_contact_for
SELECT contact, is_new FROM ump.contact_for($1::integer, $2::text, $3::text, $4::text);

-- name: ctl_contact_set
UPDATE ump.contacts SET name = coalesce($3::text, name), attributes = jsonb_strip_nulls(attributes || coalesce($4::jsonb, '{}'))
 WHERE account_id = $1::integer AND id = $2::uuid RETURNING id;

-- name: ctl_contact_import_identity
INSERT INTO ump.contact_identities (account_id, channel, identifier, contact_id, linked_how)
VALUES ($1::integer, $2::text, $3::text, $4::uuid, 'import')
ON CONFLICT (account_id, channel, identifier) WHERE valid_to IS NULL DO NOTHING RETURNING contact_id;

-- name: ctl_contact_block
INSERT INTO ump.contact_blocks (account_id, owner_id, contact_id) VALUES ($1::integer, $2::uuid, $3::uuid) ON CONFLICT DO NOTHING;

-- name: ctl_contact_unblock
DELETE FROM ump.contact_blocks WHERE account_id = $1::integer AND owner_id = $2::uuid AND contact_id = $3::uuid;

-- name: ctl_conversation_list
SELECT json_build_object('id', 'ump:conv:' || c.id, 'owner', coalesce(u.email, t.mailbox), 'with', coalesce(ct.name, g.title,
         (SELECT i.identifier FROM ump.contact_identities i WHERE i.account_id = c.account_id AND i.contact_id = c.contact_id
           AND i.valid_to IS NULL ORDER BY i.valid_from LIMIT 1), 'g.' || g.address_id),
       'channel', c.channel, 'status', c.status, 'messages', c.message_count, 'last_message_at', c.last_message_at)
  FROM ump.unified_conversations c
  LEFT JOIN ump.users u ON u.account_id = c.account_id AND u.id = c.owner_id
  LEFT JOIN ump.teams t ON t.account_id = c.account_id AND t.id = c.owner_id
  LEFT JOIN ump.contacts ct ON ct.account_id = c.account_id AND ct.id = c.contact_id
  LEFT JOIN ump.chat_groups g ON g.account_id = c.account_id AND g.id = c.group_id
 WHERE c.account_id = $1::integer AND ($2::uuid IS NULL OR c.owner_id = $2::uuid) AND ($3::text IS NULL OR c.channel = $3::text)
   AND ($4::text IS NULL OR c.status = $4::text)
 ORDER BY c.last_message_at DESC LIMIT $5::integer;

-- name: ctl_conversation_find
SELECT c.id FROM ump.unified_conversations c WHERE c.account_id = $1::integer AND $2::text IN (c.id::text, 'ump:conv:' || c.id)
UNION ALL SELECT m.conversation_id FROM ump.unified_messages m
 WHERE m.account_id = $1::integer AND $2::text IN (m.id::text, 'ump:msg:' || m.id)
UNION ALL SELECT m.conversation_id FROM ump.mail_ids m WHERE m.account_id = $1::integer AND m.mail_id IN ($2::text, '<' || $2::text || '>')
 LIMIT 1;

-- name: ctl_conversation_show
SELECT json_build_object('id', 'ump:conv:' || c.id, 'owner', coalesce(u.email, t.mailbox), 'channel', c.channel,
       'contact', ct.name, 'contact_id', c.contact_id, 'group', g.title,
       'identities', (SELECT coalesce(json_agg(i.channel || ':' || i.identifier), '[]') FROM ump.contact_identities i
                       WHERE i.account_id = c.account_id AND i.contact_id = c.contact_id AND i.valid_to IS NULL),
       'members', g.members, 'endpoint', e.channel || ':' || e.address, 'status', c.status, 'message_count', c.message_count,
       'segment_anchor', c.segment_anchor, 'last_message_at', c.last_message_at,
       'messages', (SELECT coalesce(json_agg(m.record ORDER BY date_trunc('second', m.occurred_at), m.seq), '[]') FROM (
            SELECT m.occurred_at, m.seq, json_build_object('id', 'ump:msg:' || m.id, 'at', m.occurred_at, 'direction', m.direction,
                   'channel', m.channel, 'type', m.type, 'sender_kind', m.sender_kind, 'from', m.from_address, 'to', m.to_addresses,
                   'text', m.body, 'media', m.metadata->'media', 'provider_id', coalesce(m.provider_id, (SELECT d.provider_id
                       FROM ump.deliveries d WHERE d.account_id = m.account_id AND d.message_id = m.id AND d.part = 0 LIMIT 1)),
                   'message_id', m.mail_message_id,
                   'status', (SELECT string_agg(DISTINCT d.status, ',') FROM ump.deliveries d
                               WHERE d.account_id = m.account_id AND d.message_id = m.id AND d.part = 0)) AS record
              FROM ump.unified_messages m WHERE m.account_id = c.account_id AND m.conversation_id = c.id
             ORDER BY date_trunc('second', m.occurred_at) DESC, m.seq DESC LIMIT $3::integer) m))
  FROM ump.unified_conversations c
  LEFT JOIN ump.users u ON u.account_id = c.account_id AND u.id = c.owner_id
  LEFT JOIN ump.teams t ON t.account_id = c.account_id AND t.id = c.owner_id
  LEFT JOIN ump.contacts ct ON ct.account_id = c.account_id AND ct.id = c.contact_id
  LEFT JOIN ump.chat_groups g ON g.account_id = c.account_id AND g.id = c.group_id
  LEFT JOIN ump.endpoints e ON e.account_id = c.account_id AND e.id = c.endpoint_id
 WHERE c.account_id = $1::integer AND c.id = $2::uuid;

-- name: ctl_queue_list
SELECT record FROM (
SELECT o.id AS n, json_build_object('queue', 'outbox', 'id', o.id, 'message', 'ump:msg:' || o.message_id,
       'state', (ARRAY['ready', 'leased', 'sending', 'later', 'uncertain'])[o.state], 'endpoint', e.channel || ':' || e.address,
       'recipient', o.recipient, 'part', nullif(o.part, 0), 'attempts', o.attempts, 'due_at', o.due_at, 'worker', o.worker, 'lease_until', o.lease_until,
       'waits', CASE WHEN o.state = 4 AND o.due_at = d.waits_until THEN d.waits_why END, 'error', d.error_text, 'created_at', o.created_at) AS record
  FROM ump.outbox o LEFT JOIN ump.endpoints e ON e.account_id = o.account_id AND e.id = o.endpoint_id
  LEFT JOIN ump.deliveries d ON d.account_id = o.account_id AND d.message_id = o.message_id AND d.recipient = o.recipient
   AND d.part = o.part
 WHERE o.account_id = $1::integer AND ($2::text IS NULL OR $2::text = 'outbox') AND ($3::bigint IS NULL OR o.id = $3::bigint)
UNION ALL
SELECT j.id, json_build_object('queue', j.queue, 'id', j.id, 'message', 'ump:msg:' || j.message_id,
       'state', (ARRAY['ready', 'leased', NULL, 'later', NULL, 'dead'])[j.state], 'endpoint', e.channel || ':' || e.address,
       'kind', j.kind, 'event', j.event_id, 'attempts', j.attempts, 'due_at', j.due_at, 'worker', j.worker,
       'lease_until', j.lease_until, 'error', j.error, 'created_at', j.created_at)
  FROM ump.jobs j LEFT JOIN ump.endpoints e ON e.account_id = j.account_id AND e.id = j.endpoint_id
 WHERE j.account_id = $1::integer AND ($2::text IS NULL OR $2::text = j.queue) AND ($3::bigint IS NULL OR j.id = $3::bigint)) q
 ORDER BY n LIMIT $4::integer;

-- name: ctl_queue_held
SELECT json_build_object('queue', 'held', 'message', 'ump:msg:' || d.message_id, 'state', d.status, 'endpoint', e.channel || ':' || e.address,
       'recipient', d.recipient, 'held_at', d.held_at, 'text', m.body)
  FROM ump.deliveries d JOIN ump.unified_messages m ON m.account_id = d.account_id AND m.id = d.message_id
  LEFT JOIN ump.endpoints e ON e.account_id = d.account_id AND e.id = d.endpoint_id
 WHERE d.account_id = $1::integer AND d.status = 'held' ORDER BY d.held_at LIMIT $2::integer;

-- name: ctl_queue_retry
WITH j AS (
    UPDATE ump.jobs SET state = 1, due_at = NULL, attempts = 0 WHERE account_id = $1::integer AND $2::text = queue AND id = $3::bigint
       AND state IN (4, 6) RETURNING queue
), o AS (
    UPDATE ump.outbox SET state = 1, due_at = NULL, worker = NULL WHERE account_id = $1::integer AND $2::text = 'outbox' AND id = $3::bigint
       AND state = 4 RETURNING account_id || '/' || endpoint_id || '/' || id AS what
)
SELECT pg_notify('ump_jobs', queue) FROM j UNION ALL SELECT pg_notify('ump_outbox', what) FROM o;

-- name: ctl_queue_resend
SELECT outcome FROM ump.outbox_answer($1::integer, $2::uuid, $3::text, NULL, NULL, NULL);

-- name: ctl_queue_cancel
SELECT message FROM ump.outbox_cancel($1::integer, $2::bigint) AS message WHERE message IS NOT NULL;

-- name: ctl_optout_list
SELECT json_build_object('channel', o.channel, 'identifier', o.identifier, 'endpoint', e.address, 'source', o.source, 'since', o.created_at)
  FROM ump.message_opt_outs o LEFT JOIN ump.endpoints e ON e.account_id = o.account_id AND e.id = o.endpoint_id
 WHERE o.account_id = $1::integer AND ($2::text IS NULL OR o.identifier = $2::text) ORDER BY o.created_at;

-- name: ctl_optout_set
SELECT ump.opt_out_set($1::integer, NULL, $2::text, $3::text, $4::text, 'operator');

-- name: ctl_search
SELECT json_build_object('id', 'ump:msg:' || m.id, 'conversation', 'ump:conv:' || m.conversation_id, 'at', m.occurred_at,
       'direction', m.direction, 'channel', m.channel, 'from', m.from_address, 'to', m.to_addresses,
       'text', left(m.body, 200), 'subject', m.metadata->>'subject', 'message_id', m.mail_message_id)
  FROM ump.message_search s JOIN ump.unified_messages m ON m.account_id = s.account_id AND m.id = s.message_id
 WHERE s.account_id = $1::integer AND s.search @@ websearch_to_tsquery('simple', $2::text)
   AND (s.owner_id = $3::uuid OR s.owner_id IN (SELECT t.team_id FROM ump.team_members t WHERE t.account_id = $1::integer AND t.user_id = $3::uuid))
 ORDER BY m.occurred_at DESC LIMIT $4::integer;

-- name: ctl_stats
SELECT s.record FROM ump.zone_of(coalesce($3::text, (SELECT a.settings->>'time_zone' FROM ump.accounts a WHERE a.id = $1::integer))) z (zone),
       ump.stats($1::integer, (ump.now() AT TIME ZONE z.zone)::date - $2::integer + 1, (ump.now() AT TIME ZONE z.zone)::date + 1, z.zone, $4::uuid[]) s
 ORDER BY s.day DESC, s.endpoint;

-- name: ctl_trace
SELECT json_build_object('at', t.at, 'what', t.what, 'status', t.status, 'detail', t.detail) FROM ump.trace($1::text) t;

-- name: ctl_queue_depths
SELECT queue, state, count, oldest_s FROM ump.queue_depths();

-- name: ctl_backup_tables
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'ump' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname;

-- name: ctl_doctor
SELECT current_setting('server_version_num')::integer AS server, extract(epoch FROM clock_timestamp())::double precision AS clock,
       current_setting('synchronous_commit') AS synchronous_commit, current_setting('fsync') AS fsync,
       current_setting('data_checksums') AS checksums, current_setting('synchronous_standby_names') AS standbys,
       (SELECT count(*) FROM pg_roles WHERE rolname IN ('ump_milter', 'ump_lmtp', 'ump_bridge')) AS roles,
       (SELECT count(*) FROM ump.jobs WHERE state = 6) AS dead,
       (SELECT count(*) FROM ump.outbox WHERE state = 5) AS uncertain,
       coalesce((SELECT extract(epoch FROM clock_timestamp() - min(created_at)) FROM ump.outbox WHERE state IN (1, 2))::bigint, 0) AS outbox_age,
       coalesce((SELECT extract(epoch FROM clock_timestamp() - min(xact_start)) FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid())::bigint, 0) AS oldest_snapshot,
       (SELECT count(*) FROM pg_inherits WHERE inhparent = 'ump.provider_events'::regclass) AS partitions,
       (SELECT count(*) FROM ump.accounts) AS accounts,
       (SELECT count(*) FROM ump.users) AS users;

-- name: ctl_doctor_endpoints
SELECT e.id, e.channel || ':' || e.address AS name, e.provider, e.status, e.secrets, e.held_why,
       e.held_until > clock_timestamp() AS held, coalesce(e.settings->>'disappearing' = 'expire', false) AS expires
  FROM ump.endpoints e WHERE e.status <> 'removed' ORDER BY 2;
