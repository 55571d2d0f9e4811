-- Once a second one question asks for all endpoints which of them have something due.
CREATE INDEX read_waits_due_at ON ump.read_waits (due_at, endpoint_id);
