"""A webhook with keys that nobody knows, without the optional ones, with null for absent, numbers as strings, other
times: the same mail. (WhatsApp's: test_whatsapp.py.)"""
import copy
import datetime

import pytest

from tests.lib.gateway import Endpoint
from tests.sim import twilio

MOMENT = datetime.datetime(2026, 11, 20, 9, 30, 15, tzinfo=datetime.timezone.utc)


def everywhere(value, change):
    """change(object) on every JSON object, the innermost first."""
    if isinstance(value, dict):
        return change({key: everywhere(item, change) for key, item in value.items()})
    return [everywhere(item, change) for item in value] if isinstance(value, list) else value


def as_strings(value):
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        return str(value)
    return {key: as_strings(item) for key, item in value.items()} if isinstance(value, dict) else [as_strings(item) for item in value]


NEEDED = {"data", "event_type", "id", "payload", "from", "to", "phone_number", "text", "direction", "media", "url", "content_type",
          "occurred_at", "received_at", "cc", "type", "hash_sha256", "size"}
TELNYX = {
    "as described": lambda event: event,
    "keys that nobody knows": lambda event: everywhere(event, lambda item: {**item, "x_new": {"deep": [1, None]}, "": "empty name"}),
    "null for what is not needed": lambda event: everywhere(event, lambda item: {k: v if k in NEEDED else None for k, v in item.items()}),
    "only what is needed": lambda event: everywhere(event, lambda item: {k: v for k, v in item.items() if k in NEEDED}),
    "numbers as strings": as_strings,
    "another order of keys": lambda event: everywhere(event, lambda item: dict(reversed(item.items()))),
    "time without fractions": lambda event: everywhere(event, lambda item: {
        k: v.split(".")[0] + "Z" if k in ("occurred_at", "received_at") and v else v for k, v in item.items()}),
    "time of another zone": lambda event: everywhere(event, lambda item: {
        k: MOMENT.astimezone(datetime.timezone(datetime.timedelta(hours=5, minutes=30))).isoformat()
        if k in ("occurred_at", "received_at") and v else v for k, v in item.items()}),
    "time in seconds": lambda event: everywhere(event, lambda item: {
        k: int(MOMENT.timestamp()) if k in ("occurred_at", "received_at") and v else v for k, v in item.items()}),
    "time in milliseconds": lambda event: everywhere(event, lambda item: {
        k: int(MOMENT.timestamp() * 1000) if k in ("occurred_at", "received_at") and v else v for k, v in item.items()}),
}


def shape(mail, contact):
    """What a person and a filter see of a mail, but for its own ids."""
    own = str(mail["UMP-Header"]).split(", ")
    return (mail.text, str(mail["Subject"]), str(mail["Date"]), str(mail["From"]).replace(contact, "…"), str(mail["To"]),
            [field for field in own if not field.startswith(("id=", "external-id="))],
            [(part.get_content_type(), part.get_filename(), part.get_payload(decode=True)) for part in mail.attachments])


@pytest.mark.parametrize("media", [False, True], ids=["text", "picture"])
def test_telnyx(gateway, alice, endpoint, media):
    shapes = {}
    for name, change in TELNYX.items():
        contact, moment = gateway.number(), MOMENT.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        event = gateway.sim.inbound_event(**{
            "from": contact, "to": endpoint.number, "text": "Are we on? 🍕", "received_at": moment, "occurred_at": moment,
            "media": [{"name": "a.txt", "content": "aGVsbG8=", "content_type": "text/plain"}] if media else []})
        assert gateway.sim.post_event(endpoint.webhook_url, change(copy.deepcopy(event))) == 200, name
        mail = alice.inbox.wait(lambda mail, contact=contact: contact in str(mail["From"]), what=f"the mail: {name}")
        shapes[name] = shape(mail, contact)
    expected = shapes["as described"]
    assert {name: shape for name, shape in shapes.items() if shape != expected} == {}, expected


TWILIO = {
    "as described": lambda pairs: pairs,
    "fields that nobody knows": lambda pairs: [*pairs, ("XNew", "1"), ("", "empty name"), ("Channel[0]", "{}")],
    "only what is needed": lambda pairs: [pair for pair in pairs if pair[0] in ("MessageSid", "From", "To", "Body", "AccountSid")],
    "empty for what is not needed": lambda pairs: [
        (name, value if name in ("MessageSid", "From", "To", "Body", "AccountSid") else "") for name, value in pairs],
    "the older names": lambda pairs: [pair for pair in pairs if pair[0] not in ("MessageSid", "SmsMessageSid")],
    "another order": lambda pairs: pairs[::-1],
    "a field twice": lambda pairs: [*pairs, ("ApiVersion", "2010-04-01")],
}


def test_twilio(gateway, alice):
    number = gateway.number()
    with twilio.Simulator(retry_base=0.2) as sim:
        line = Endpoint(gateway, twilio.add_endpoint(sim, gateway.layout.umpctl, number, alice.email), number, alice.email)
        shapes = {}
        for name, change in TWILIO.items():
            contact = gateway.number()
            pairs = change(sim.inbound_pairs(**{"from": contact, "to": number, "text": "Are we on? 🍕"}))
            status, _ = sim.post(line.webhook_url, pairs, headers={
                "X-Twilio-Signature": twilio.signature(sim.auth_token, line.webhook_url, pairs)})
            assert status == 200, name
            mail = alice.inbox.wait(lambda mail, contact=contact: contact in str(mail["From"]), what=f"the mail: {name}")
            seen = shape(mail, contact)
            shapes[name] = (*seen[:2], *seen[3:])  # its time is that of its arrival: Twilio tells none
        expected = shapes["as described"]
        assert {name: shape for name, shape in shapes.items() if shape != expected} == {}, expected
