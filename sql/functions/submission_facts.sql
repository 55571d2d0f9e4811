-- Everything that the policy (core/policy) must know about one recipient of one
-- mail, in one read.  p_from: addr-spec of the header From (NULL at RCPT);
-- p_refs: In-Reply-To, then References newest first; p_ump_from: the address of
-- the endpoint that the user chose, or NULL.  endpoint_count: enabled ones that
-- he could use; opted_out_wide: for every endpoint of the channel; used_…: what
-- the caps have counted so far; last_inbound: when the contact last wrote to
-- the endpoint, within the time for which that matters to its channel.  No row: the login, network or uid is nobody's.
DROP FUNCTION IF EXISTS ump.submission_facts(text, inet, integer, text, text, text, text[], text);
CREATE FUNCTION ump.submission_facts(p_login text, p_client inet, p_local_uid integer, p_from text,
    p_channel text, p_identifier text, p_refs text[], p_ump_from text)
RETURNS TABLE (account_id integer, account_region text, account_settings jsonb, user_id uuid, user_email text,
    user_name text, sender_kind text, machine_id uuid, machine_rate integer, machine_period_s integer,
    machine_subject_first boolean, from_ok boolean, from_team uuid, endpoint_id uuid, endpoint_address text,
    endpoint_provider text, endpoint_channel text, endpoint_status text, endpoint_settings jsonb, owner_kind text,
    owner_id uuid, owner_mailbox text, any_endpoint boolean, opted_out boolean, conversation_id uuid, group_id uuid,
    group_members text[], known_contact boolean, used_user bigint, used_machine bigint, used_spend bigint,
    endpoint_count integer, opted_out_wide boolean, used_range bigint, last_inbound timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = ump, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_account integer;
    v_user uuid;
    v_machine ump.machine_senders;
    v_region text;
    v_settings jsonb;
    v_owners uuid[];
    v_team uuid;
    v_from_ok boolean;
    v_conv uuid;
    v_conv_endpoint uuid;
    v_e ump.endpoints;
    v_hint uuid;
    v_any boolean;
    v_count integer := 1;
    v_group ump.chat_groups;
    v_hour timestamptz := date_trunc('hour', ump.now());
BEGIN
    IF p_login IS NOT NULL THEN
        SELECT * INTO v_machine FROM ump.machine_senders m WHERE m.login = p_login;
        IF NOT FOUND THEN
            SELECT i.account_id, i.user_id INTO v_account, v_user FROM ump.user_identifiers i
             WHERE (i.kind, i.value) IN (('email', lower(p_login)), ('login', lower(p_login)))
             ORDER BY i.kind DESC LIMIT 1;
        END IF;
    ELSIF p_local_uid IS NOT NULL THEN
        SELECT * INTO v_machine FROM ump.machine_senders m WHERE m.local_uid = p_local_uid;
    ELSIF p_client IS NOT NULL THEN
        SELECT * INTO v_machine FROM ump.machine_senders m WHERE m.net >>= p_client ORDER BY masklen(m.net) DESC LIMIT 1;
    END IF;
    v_account := coalesce(v_machine.account_id, v_account);
    IF v_account IS NULL THEN
        RETURN;
    END IF;
    SELECT a.region, a.settings INTO v_region, v_settings FROM ump.accounts a
     WHERE a.id = v_account AND a.disabled_at IS NULL;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF left(p_identifier, 1) <> '+' THEN
        p_identifier := ump.identifier_of(v_account, p_channel, p_identifier);
    END IF;

    IF v_machine.id IS NOT NULL THEN
        SELECT * INTO v_e FROM ump.endpoints e WHERE e.account_id = v_account AND e.id = v_machine.endpoint_id;
        v_owners := ARRAY[v_e.owner_id];
        v_from_ok := true;
        v_any := p_channel IN (v_e.channel, 'any');
    ELSE
        SELECT coalesce(u.region, v_region) INTO v_region FROM ump.users u
         WHERE u.account_id = v_account AND u.id = v_user AND u.disabled_at IS NULL;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        SELECT array_agg(t.team_id) INTO v_owners FROM ump.team_members t
         WHERE t.account_id = v_account AND t.user_id = v_user;
        v_owners := v_user || v_owners;
        IF p_from IS NOT NULL THEN
            SELECT t.id INTO v_team FROM ump.teams t
             WHERE t.account_id = v_account AND t.mailbox = lower(p_from) AND t.id = ANY (v_owners);
            IF NOT FOUND THEN
                SELECT i.endpoint_id INTO v_hint FROM ump.user_identifiers i
                 WHERE i.kind = 'email' AND i.value = lower(p_from) AND i.account_id = v_account AND i.user_id = v_user;
                v_from_ok := FOUND;
            ELSE
                v_from_ok := true;
            END IF;
        END IF;
        IF cardinality(p_refs) > 0 THEN
            SELECT c.id, c.endpoint_id INTO v_conv, v_conv_endpoint
              FROM unnest(p_refs) WITH ORDINALITY AS r (mail_id, n)
              JOIN ump.mail_ids m ON m.account_id = v_account AND m.owner_id = ANY (v_owners) AND m.mail_id = r.mail_id
              JOIN ump.unified_conversations c ON c.account_id = v_account AND c.id = m.conversation_id
              LEFT JOIN ump.chat_groups g ON g.account_id = v_account AND g.id = c.group_id
             WHERE (v_team IS NULL OR c.owner_id = v_team)
               AND (g.address_id = p_identifier OR EXISTS (SELECT 1 FROM ump.contact_identities i
                     WHERE i.account_id = v_account AND i.contact_id = c.contact_id
                       AND i.identifier = p_identifier AND i.valid_to IS NULL))
             ORDER BY r.n LIMIT 1;
        END IF;
        -- his choice, then the conversation's endpoint, then the From's team, then his primary, then his teams', then grants
        SELECT e.* INTO v_e FROM ump.endpoints e
         WHERE e.account_id = v_account AND e.status <> 'removed' AND p_channel IN (e.channel, 'any')
           AND (e.owner_id = ANY (v_owners)
                OR EXISTS (SELECT 1 FROM ump.grants g WHERE g.account_id = v_account AND g.endpoint_id = e.id
                              AND g.user_id = v_user AND g.may_send))
         ORDER BY (e.address IS NOT DISTINCT FROM p_ump_from) DESC, (e.id IS NOT DISTINCT FROM v_hint) DESC,
                  (e.id IS NOT DISTINCT FROM v_conv_endpoint) DESC, (e.owner_id IS NOT DISTINCT FROM v_team) DESC,
                  (e.status = 'enabled') DESC, (e.owner_id = v_user) DESC, (e.owner_id = ANY (v_owners)) DESC,
                  (e.channel = 'sms') DESC, e.is_primary DESC, e.created_at LIMIT 1;
        v_any := FOUND;
        SELECT count(*) INTO v_count FROM ump.endpoints e
         WHERE e.account_id = v_account AND e.status = 'enabled' AND p_channel IN (e.channel, 'any')
           AND (e.owner_id = ANY (v_owners)
                OR EXISTS (SELECT 1 FROM ump.grants g WHERE g.account_id = v_account AND g.endpoint_id = e.id
                              AND g.user_id = v_user AND g.may_send));
    END IF;
    IF left(p_identifier, 1) <> '+' THEN     -- group ids may begin with a digit
        SELECT * INTO v_group FROM ump.chat_groups g
         WHERE g.account_id = v_account AND g.address_id = p_identifier AND p_channel IN (g.channel, 'any')
           AND EXISTS (SELECT 1 FROM ump.endpoints e WHERE e.account_id = v_account AND e.id = g.endpoint_id
                          AND e.owner_id = ANY (v_owners));
        IF FOUND THEN
            SELECT * INTO v_e FROM ump.endpoints e WHERE e.account_id = v_account AND e.id = v_group.endpoint_id;
        END IF;
    END IF;

    RETURN QUERY SELECT v_account, v_region, v_settings, v_user, u.email, u.name,
        CASE WHEN v_machine.id IS NULL THEN 'user' ELSE 'machine' END, v_machine.id, v_machine.rate_count,
        extract(epoch FROM v_machine.rate_per)::integer, v_machine.subject_first, v_from_ok, v_team, v_e.id, v_e.address,
        v_e.provider, v_e.channel, v_e.status, v_e.settings, v_e.owner_kind, v_e.owner_id,
        CASE v_e.owner_kind WHEN 'user' THEN (SELECT o.email FROM ump.users o WHERE o.account_id = v_account AND o.id = v_e.owner_id)
             ELSE (SELECT o.mailbox FROM ump.teams o WHERE o.account_id = v_account AND o.id = v_e.owner_id) END,
        v_any, ump.opted_out(v_account, v_e.id, v_e.channel, p_identifier), v_conv, v_group.id, v_group.members,
        EXISTS (SELECT 1 FROM ump.contact_identities i WHERE i.account_id = v_account AND i.channel = v_e.channel
                   AND i.identifier = p_identifier AND i.valid_to IS NULL),
        coalesce((SELECT c.count FROM ump.counters c WHERE c.account_id = v_account AND c.scope = 'user'
                     AND c.key = v_user::text AND c.period = v_hour), 0),
        coalesce((SELECT sum(c.count)::bigint FROM ump.counters c WHERE c.account_id = v_account AND c.scope = 'machine'
                     AND c.key = v_machine.id::text AND c.period > ump.now() - v_machine.rate_per), 0),
        coalesce((SELECT c.count FROM ump.counters c WHERE c.account_id = v_account AND c.scope = 'spend'
                     AND c.key = '' AND c.period = date_trunc('day', ump.now())), 0),
        v_count,
        EXISTS (SELECT 1 FROM ump.message_opt_outs o WHERE o.account_id = v_account AND o.channel = v_e.channel
                   AND o.identifier = p_identifier AND o.endpoint_id = '00000000-0000-0000-0000-000000000000'),
        coalesce((SELECT c.count FROM ump.counters c WHERE c.account_id = v_account AND c.scope = 'range'
                     AND c.key = left(p_identifier, -3) AND c.period = v_hour), 0),
        CASE WHEN v_e.settings->'limits' ? 'window_s' THEN
            ump.last_inbound(v_account, v_e.id, v_e.owner_id, v_e.channel, p_identifier,
                             ump.now() - (v_e.settings->'limits'->>'window_s')::integer * interval '1 second') END
      FROM (SELECT 1) one LEFT JOIN ump.users u ON u.account_id = v_account AND u.id = v_user;
END $$;

-- When a contact last wrote to an endpoint, if since p_since; what the network
-- itself says in his conversation does not count.  Cost: one probe for each of
-- his conversations that had a message since then.  PL/pgSQL, because that keeps
-- the plan: to make it takes longer than to run it.
CREATE OR REPLACE FUNCTION ump.last_inbound(p_account integer, p_endpoint uuid, p_owner uuid, p_channel text,
    p_identifier text, p_since timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = ump, pg_temp AS $$
BEGIN
    RETURN (
        SELECT max(m.occurred_at)
          FROM ump.contact_identities i
          JOIN ump.unified_conversations c ON c.account_id = p_account AND c.owner_id = p_owner AND c.contact_id = i.contact_id
                                          AND c.last_message_at > p_since
         CROSS JOIN LATERAL (SELECT x.occurred_at FROM ump.unified_messages x
                              WHERE x.account_id = p_account AND x.conversation_id = c.id AND x.occurred_at > p_since
                                AND x.direction = 'inbound' AND x.endpoint_id = p_endpoint AND x.type <> 'group-event'
                              ORDER BY x.occurred_at DESC LIMIT 1) m
         WHERE i.account_id = p_account AND i.channel = p_channel AND i.identifier = p_identifier AND i.valid_to IS NULL);
END $$;
