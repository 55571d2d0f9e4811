-- Statistics and digests ask for the messages of some days.  They are stored in
-- the order of this time: a BRIN index costs an insert next to nothing.
CREATE INDEX unified_messages_created ON ump.unified_messages USING brin (created_at);
