"""Messages put straight into the outbox, as ump-lmtp would, and what became of them."""
import uuid

from tests.lib.wait import wait_until

ACCEPT = """
SELECT outcome, message_id FROM ump.endpoints e, LATERAL ump.accept_submission(e.account_id, %s, 'x', '\\x00',
    ump.uuid_v7(), e.owner_id, NULL, e.owner_kind, e.owner_id, e.id, e.channel, %s, NULL, e.address, 'text', %s,
    '{}', '<' || gen_random_uuid() || '@msgs.test>', '{}', 1, %s::timestamptz, ump.now() + %s::interval, NULL, '{}',
    '30 days', 100, '7 days')
 WHERE e.id = %s"""


class Outbox:
    """Of one endpoint."""

    def __init__(self, gateway, endpoint):
        self.gateway, self.endpoint = gateway, endpoint

    def add(self, number, text, due=None, expires="1 day"):
        """Queues one message; its id."""
        [(outcome, message)] = self.gateway.sql(ACCEPT, str(uuid.uuid4()), number, text, due, expires, self.endpoint.id)
        assert outcome == "new", outcome
        return message

    def delivery(self, message, *columns):
        rows = self.gateway.sql(f"SELECT {', '.join(columns or ('status',))} FROM ump.deliveries WHERE message_id = %s", message)
        return rows[0] if len(columns) > 1 else rows[0][0]

    def attempts(self, message):
        return [outcome for outcome, in self.gateway.sql(
            "SELECT outcome FROM ump.attempts WHERE message_id = %s ORDER BY started_at", message)]

    def wait(self, message, *statuses, timeout=30):
        return wait_until(lambda: (status := self.delivery(message)) in statuses and status, f"{message} to be {statuses}", timeout)

    def rows(self):
        return self.gateway.sql("SELECT id, state, fence, attempts FROM ump.outbox WHERE endpoint_id = %s ORDER BY id",
                                self.endpoint.id)

    def accepted(self, number=None):
        """Texts in the order in which the provider took them."""
        return [entry["request"]["text"] for entry in self.gateway.sim.accepted
                if entry["request"]["from"] == self.endpoint.number and number in (None, entry["request"]["to"])]
