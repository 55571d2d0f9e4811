-- Events that come over a connection of ours (bridge/stream): one program of the
-- fleet reads an endpoint's at a time, under a lease.
CREATE TABLE ump.stream_leases (
    account_id  integer NOT NULL,
    endpoint_id uuid NOT NULL,
    holder      text NOT NULL,              -- name of the instance
    lease_until timestamptz NOT NULL,
    PRIMARY KEY (account_id, endpoint_id),
    FOREIGN KEY (account_id, endpoint_id) REFERENCES ump.endpoints (account_id, id) ON DELETE CASCADE
);

-- What is uncertain, by whom it went to (sent_match).
CREATE INDEX outbox_uncertain ON ump.outbox (endpoint_id, recipient) WHERE state = 5;
