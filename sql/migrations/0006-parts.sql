-- A mail with several attachments may need several messages of its network.  Its
-- delivery (part 0) is the whole, as its author sees it; beside it stands one
-- delivery for each message of the network, numbered from 1, with an outbox row
-- and attempts of its own.
ALTER TABLE ump.deliveries ADD COLUMN part smallint NOT NULL DEFAULT 0;
ALTER TABLE ump.deliveries DROP CONSTRAINT deliveries_pkey;
ALTER TABLE ump.deliveries ADD PRIMARY KEY (account_id, message_id, recipient, part);
ALTER TABLE ump.outbox ADD COLUMN part smallint NOT NULL DEFAULT 0;
ALTER TABLE ump.attempts ADD COLUMN part smallint NOT NULL DEFAULT 0;
ALTER TABLE ump.notices ADD COLUMN part smallint NOT NULL DEFAULT 0;
ALTER TABLE ump.notices DROP CONSTRAINT notices_pkey;
ALTER TABLE ump.notices ADD PRIMARY KEY (account_id, message_id, recipient, kind, part);
