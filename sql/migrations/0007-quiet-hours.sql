-- A message that waits although it could leave: since when, until when, and why.
ALTER TABLE ump.deliveries ADD COLUMN waits_at timestamptz, ADD COLUMN waits_until timestamptz, ADD COLUMN waits_why text;
