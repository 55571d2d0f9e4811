-- One status from a provider.  The delivery is found by our attempt id (it
-- travels in the callback URL), else by the provider's message id.  Ranks only
-- rise; a terminal failure stays, but a late 'delivered' after it is believed
-- once.  p_status: sent, delivered, read, failed.  p_recipient: of a group, else NULL.
-- outcome: applied, stale (nothing new), unknown (no such delivery: park it).
-- shown: what the message as a whole has thereby come to; NULL: nothing new.  Of a
-- mail that goes out as several messages that is what all of them have come to.
DROP FUNCTION IF EXISTS ump.apply_status(integer, uuid, uuid, text, text, text, timestamptz, text, text, integer, bigint, text);
CREATE FUNCTION ump.apply_status(p_account integer, p_endpoint uuid, p_attempt uuid, p_provider_id text,
    p_recipient text, p_status text, p_at timestamptz, p_code text, p_text text, p_segments integer, p_cost bigint,
    p_currency text, OUT outcome text, OUT message_id uuid, OUT shown text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ump, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_d ump.deliveries;
    v_rank integer := array_position(ARRAY['sent', 'delivered', 'read', 'failed'], p_status);
    v_old integer;
    v_notify text;
    v_group text;
BEGIN
    IF p_attempt IS NOT NULL THEN
        SELECT d.* INTO v_d FROM ump.attempts a
          JOIN ump.deliveries d ON d.account_id = a.account_id AND d.message_id = a.message_id AND d.recipient = a.recipient
                               AND d.part = a.part
         WHERE a.account_id = p_account AND a.id = p_attempt AND d.endpoint_id = p_endpoint FOR NO KEY UPDATE OF d;
    END IF;
    IF v_d.message_id IS NULL AND p_provider_id IS NOT NULL THEN
        SELECT d.* INTO v_d FROM ump.deliveries d
         WHERE d.account_id = p_account AND d.provider_id = p_provider_id AND d.endpoint_id = p_endpoint
         ORDER BY d.recipient LIKE '+%', d.part DESC LIMIT 1 FOR NO KEY UPDATE;    -- a group's own row before its members', a part before the whole
        -- an id may be guessed: what is uncertain is settled by whom it was written to alone
        IF v_d.status = 'uncertain' AND p_recipient IS NOT NULL AND NOT ump.is_recipient(p_account, v_d, p_recipient) THEN
            v_d := NULL;
        END IF;
    END IF;
    IF v_d.message_id IS NULL THEN
        outcome := 'unknown';
        RETURN;
    END IF;
    message_id := v_d.message_id;
    -- of a group: per recipient rows of their own beside the group's
    IF p_recipient IS NOT NULL AND v_d.recipient NOT LIKE '+%' THEN
        INSERT INTO ump.deliveries (account_id, message_id, recipient, part, endpoint_id, status, queued_at)
        VALUES (p_account, v_d.message_id, p_recipient, v_d.part, v_d.endpoint_id, 'queued', v_d.queued_at) ON CONFLICT DO NOTHING;
        PERFORM ump.apply_to_delivery(v_d, p_provider_id, 'sent', p_at, NULL, NULL, NULL, NULL, NULL);
        v_group := v_d.recipient;
        SELECT d.* INTO v_d FROM ump.deliveries d WHERE d.account_id = p_account AND d.message_id = v_d.message_id
           AND d.recipient = p_recipient AND d.part = v_d.part FOR NO KEY UPDATE;
    END IF;
    SELECT a.outcome, a.shown INTO outcome, shown
      FROM ump.apply_to_delivery(v_d, p_provider_id, p_status, p_at, p_code, p_text, p_segments, p_cost, p_currency) a;
    IF v_group IS NOT NULL AND outcome = 'applied' THEN
        PERFORM ump.group_delivery_settle(p_account, v_d.message_id, v_group, v_d.part, p_at);
    END IF;
END $$;

-- Is that the person to whom it went, by whatever id, or one of the group?
CREATE OR REPLACE FUNCTION ump.is_recipient(p_account integer, p_d ump.deliveries, p_who text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT p_who = p_d.recipient
        OR EXISTS (SELECT 1 FROM ump.endpoints e, ump.same_identifiers(p_account, e.channel, p_who) s (id)
                    WHERE e.account_id = p_account AND e.id = p_d.endpoint_id
                      AND (s.id = p_d.recipient
                           OR EXISTS (SELECT 1 FROM ump.chat_groups g WHERE g.account_id = p_account AND g.channel = e.channel
                                         AND g.address_id = p_d.recipient AND s.id = ANY (g.members))))
$$;

-- Moves the row of the group itself to where its members are together: read
-- when all of those whom it reached have read it, delivered when nobody is
-- outstanding and it reached somebody, failed when it reached nobody.  Reports
-- are the members' own, so this makes none.  The group's row is locked.
DROP FUNCTION IF EXISTS ump.group_delivery_settle(integer, uuid, text, timestamptz);
CREATE OR REPLACE FUNCTION ump.group_delivery_settle(p_account integer, p_message uuid, p_group text, p_part smallint,
                                                     p_at timestamptz) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_ranks CONSTANT text[] := ARRAY['held', 'queued', 'sending', 'uncertain', 'sent', 'delivered', 'read'];
    v_members integer;
    v_reached integer;
    v_read integer;
    v_failed integer;
    v_status text;
BEGIN
    SELECT count(*) FILTER (WHERE d.status IN ('delivered', 'read')), count(*) FILTER (WHERE d.status = 'read'),
           count(*) FILTER (WHERE d.status IN ('failed', 'expired')), count(*)
      INTO v_reached, v_read, v_failed, v_members
      FROM ump.deliveries d WHERE d.account_id = p_account AND d.message_id = p_message AND d.part = p_part
       AND d.recipient <> p_group;
    -- members of whom no status has come yet are outstanding
    SELECT greatest(v_members, cardinality(array_remove(g.members, e.address))) INTO v_members
      FROM ump.deliveries d
      JOIN ump.endpoints e ON e.account_id = p_account AND e.id = d.endpoint_id
      JOIN ump.chat_groups g ON g.account_id = p_account AND g.channel = e.channel AND g.address_id = p_group
     WHERE d.account_id = p_account AND d.message_id = p_message AND d.recipient = p_group AND d.part = p_part;
    IF v_members IS NULL OR v_reached + v_failed < v_members THEN
        RETURN NULL;
    END IF;
    v_status := CASE WHEN v_reached = 0 THEN 'failed' WHEN v_read = v_reached THEN 'read' ELSE 'delivered' END;
    UPDATE ump.deliveries d SET status = v_status,
           delivered_at = CASE WHEN v_status <> 'failed' THEN coalesce(d.delivered_at, p_at) ELSE d.delivered_at END,
           read_at = CASE WHEN v_status = 'read' THEN coalesce(d.read_at, p_at) ELSE d.read_at END,
           failed_at = CASE WHEN v_status = 'failed' THEN coalesce(d.failed_at, p_at) ELSE d.failed_at END
     WHERE d.account_id = p_account AND d.message_id = p_message AND d.recipient = p_group AND d.part = p_part
       AND (d.status IN ('failed', 'sent') OR coalesce(array_position(v_ranks, v_status) > array_position(v_ranks, d.status), false));
    IF p_part > 0 THEN
        PERFORM ump.parts_settle(p_account, p_message, p_group);
    END IF;
    RETURN v_status;
END $$;

-- shown: as of apply_status.
DROP FUNCTION IF EXISTS ump.apply_to_delivery(ump.deliveries, text, text, timestamptz, text, text, integer, bigint, text);
CREATE FUNCTION ump.apply_to_delivery(p_d ump.deliveries, p_provider_id text, p_status text, p_at timestamptz,
    p_code text, p_text text, p_segments integer, p_cost bigint, p_currency text, OUT outcome text, OUT shown text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_ranks CONSTANT text[] := ARRAY['held', 'queued', 'sending', 'uncertain', 'sent', 'delivered', 'read'];
    v_old integer := array_position(v_ranks, p_d.status);
    v_new integer := array_position(v_ranks, p_status);
    v_rises boolean;
    v_whole boolean;
    v_late boolean;
BEGIN
    IF p_status = 'failed' THEN
        v_rises := p_d.status NOT IN ('failed', 'expired', 'cancelled', 'delivered', 'read');
    ELSIF p_d.status IN ('failed', 'expired') THEN
        v_rises := p_status IN ('delivered', 'read');
    ELSE
        v_rises := coalesce(v_new > v_old, false);
    END IF;
    UPDATE ump.deliveries SET
           provider_id = coalesce(provider_id, p_provider_id),
           status = CASE WHEN v_rises AND p_status <> 'failed' THEN p_status ELSE status END,
           segments = coalesce(p_segments, segments), cost = coalesce(p_cost, cost), currency = coalesce(p_currency, currency),
           accepted_at = coalesce(accepted_at, p_at),
           sent_at = CASE WHEN p_status = 'sent' THEN coalesce(sent_at, p_at) ELSE sent_at END,
           delivered_at = CASE WHEN p_status = 'delivered' THEN coalesce(delivered_at, p_at) ELSE delivered_at END,
           read_at = CASE WHEN p_status = 'read' THEN coalesce(read_at, p_at) ELSE read_at END
     WHERE account_id = p_d.account_id AND message_id = p_d.message_id AND recipient = p_d.recipient AND part = p_d.part;
    -- whatever it says, it says that the provider has it: nothing is uncertain any more
    DELETE FROM ump.outbox WHERE account_id = p_d.account_id AND message_id = p_d.message_id
        AND recipient = p_d.recipient AND part = p_d.part AND state IN (3, 5);
    UPDATE ump.attempts SET outcome = 'accepted', provider_id = coalesce(provider_id, p_provider_id)
     WHERE account_id = p_d.account_id AND message_id = p_d.message_id AND part = p_d.part
       AND outcome = 'uncertain';
    outcome := CASE WHEN v_rises THEN 'applied' ELSE 'stale' END;
    v_whole := p_d.part > 0 AND EXISTS (SELECT 1 FROM ump.deliveries w WHERE w.account_id = p_d.account_id
        AND w.message_id = p_d.message_id AND w.recipient = p_d.recipient AND w.part = 0);
    IF v_rises AND p_status = 'failed' THEN
        PERFORM ump.delivery_fail(p_d.account_id, p_d.message_id, p_d.recipient, p_d.part, 'failed', p_code, p_text);
    ELSIF v_rises AND p_status IN ('delivered', 'read') THEN
        v_late := p_d.status IN ('failed', 'expired');
        IF v_late THEN
            PERFORM ump.notice_add(p_d.account_id, p_d.message_id, p_d.recipient, p_d.part, 'late-delivery', p_d.endpoint_id, '{}');
        END IF;
        IF NOT v_whole THEN
            PERFORM ump.reports_asked(p_d.account_id, p_d.message_id, p_d.recipient, p_d.part, p_d.endpoint_id, NOT v_late,
                                      p_status = 'read', p_at);
        END IF;
    END IF;
    IF v_whole THEN     -- its cost may have changed although its status has not
        shown := ump.parts_settle(p_d.account_id, p_d.message_id, p_d.recipient);
    ELSIF v_rises THEN
        shown := p_status;
    END IF;
END $$;
