-- Messages of contacts whose network is to be told when they are read (endpoint
-- setting read_receipts): a row waits until the mail is \Seen, or for two weeks.
CREATE TABLE ump.read_waits (
    account_id  integer NOT NULL,
    endpoint_id uuid NOT NULL,
    message_id  uuid NOT NULL,
    mailbox     text NOT NULL,
    due_at      timestamptz NOT NULL,          -- when Dovecot is asked next
    attempts    integer NOT NULL DEFAULT 0,    -- receipts that the provider did not take
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (account_id, endpoint_id, message_id),
    FOREIGN KEY (account_id, endpoint_id) REFERENCES ump.endpoints (account_id, id) ON DELETE CASCADE
);
CREATE INDEX read_waits_due ON ump.read_waits (endpoint_id, due_at);
CREATE INDEX read_waits_mailbox ON ump.read_waits (mailbox, created_at);
ALTER TABLE ump.read_waits ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON ump.read_waits FOR SELECT
    USING (account_id = nullif(current_setting('ump.account_id', true), '')::integer);
