-- A provider may name a message by an id of its own, while the network, and what
-- is said about the message later, has another: metadata.network_id.
CREATE INDEX unified_messages_network_id ON ump.unified_messages (account_id, (metadata->>'network_id'))
    WHERE metadata ? 'network_id';
