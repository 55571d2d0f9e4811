-- Messages that are to disappear here as they do on the network.
CREATE TABLE ump.message_expiries (
    account_id integer NOT NULL,
    message_id uuid NOT NULL,
    mailbox    text NOT NULL,               -- whose mail it is
    seconds    bigint NOT NULL,             -- the network's timer
    ripe       boolean NOT NULL DEFAULT false, -- was found read when its time was over: to go at the next look
    due_at     timestamptz NOT NULL,        -- the next look at it
    created_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, message_id)
);
CREATE INDEX message_expiries_due ON ump.message_expiries (due_at);

-- Which messages have a medium, so that what no other needs can go with one.
CREATE INDEX unified_messages_media ON ump.unified_messages USING gin ((metadata->'media') jsonb_path_ops)
    WHERE metadata ? 'media';
