-- Where a stream of server-sent events goes on (Last-Event-ID), for who reads it next.
CREATE TABLE ump.stream_positions (
    account_id    integer NOT NULL,
    endpoint_id   uuid NOT NULL,
    source        text NOT NULL,            -- the server's address: another has other ids
    last_event_id text NOT NULL,            -- as the server names it; '': it has taken its ids back
    PRIMARY KEY (account_id, endpoint_id),
    FOREIGN KEY (account_id, endpoint_id) REFERENCES ump.endpoints (account_id, id) ON DELETE CASCADE
);
