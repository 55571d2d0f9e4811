"""A webhook with keys that nobody knows, without the optional ones, with null for absent, numbers as strings, other
times: the same mail."""
import copy
import datetime

import pytest

from tests.lib.conversation import OGG, PNG, declare_signal
from tests.sim import signal_cli, telnyx, twilio, whatsapp

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
    with twilio.Simulator(retry_base=0.2) as sim:
        line = gateway.declare(twilio, sim, alice)
        shapes = {}
        for name, change in TWILIO.items():
            contact = gateway.number()
            pairs = change(sim.inbound_pairs(**{"from": contact, "to": line.number, "text": "Are we on? 🍕"}))
            status, _ = sim.post(line.webhook_url, pairs, headers={
                "X-Twilio-Signature": twilio.signature(sim.auth_token, line.webhook_url, pairs)})
            assert status == 200, name
            mail = alice.inbox.wait(lambda mail, contact=contact: contact in str(mail["From"]), what=f"the mail: {name}")
            seen = shape(mail, contact)
            shapes[name] = (*seen[:2], *seen[3:])  # its time is that of its arrival: Twilio tells none
        expected = shapes["as described"]
        assert {name: shape for name, shape in shapes.items() if shape != expected} == {}, expected


# --- WhatsApp, by Meta and by Telnyx: one message of each kind
WHATSAPP_KINDS = {
    "text": {"body": "Are we on? 🍕"},
    "location": {"latitude": 37.44221, "longitude": -122.161659, "name": "Philz Coffee", "address": "101 Forest Ave"},
    "contacts": [{"name": {"formatted_name": "Lucía Gómez", "first_name": "Lucía"}, "phones": [{"phone": "+19835552319", "type": "CELL"}]}],
    "button": {"payload": "p1", "text": "Yes, please"},
    "interactive": {"type": "list_reply", "list_reply": {"id": "i1", "title": "Express", "description": "Next day"}},
    "order": {"catalog_id": "C1", "text": "Thanks", "product_items": [
        {"product_retailer_id": "di9ozb", "quantity": 2, "item_price": 30, "currency": "USD"}]},
    "reaction": {"message_id": "wamid.NOBODY", "emoji": "👍"},
    "edit": {"original_message_id": "wamid.NOBODY", "message": {"type": "text", "text": {"body": "In green?"}}},
    "revoke": {"original_message_id": "wamid.NOBODY"},
    "system": {"body": "The customer's number has changed", "type": "user_changed_number"},
    "unsupported": {"type": "poll_creation"},
    "image": None, "audio": None, "document": None, "sticker": None,  # media: made anew for each
}
MEDIA = {"image": (PNG, "image/png", {"caption": "Taj Mahal"}), "audio": (OGG, "audio/ogg", {"voice": True}),
         "document": (b"%PDF-1.4 ", "application/pdf", {"filename": "invoice.pdf"}), "sticker": (PNG, "image/webp", {})}
WHATSAPP_NEEDED = {
    "object", "entry", "changes", "field", "value", "metadata", "phone_number_id", "display_phone_number", "contacts", "profile",
    "name", "wa_id", "messages", "from", "id", "timestamp", "type", *WHATSAPP_KINDS, "body", "latitude", "longitude", "address",
    "formatted_name", "first_name", "phones", "phone", "list_reply", "title", "description", "catalog_id", "product_items",
    "product_retailer_id", "quantity", "item_price", "currency", "message_id", "emoji", "original_message_id", "message",
    "mime_type", "caption", "voice", "filename", "url", "data", "event_type", "payload", "phone_number", "to", "direction"}
# What a message may have beside its kind, and this one has not.
ABSENT = dict.fromkeys(("context", "referral", "errors", "group_id", "identity", "system_event", "from_user_id", "biz_opaque_callback_data"))


def with_times(event, change):
    return everywhere(event, lambda item: {
        key: change(value) if key == "timestamp" and value else value for key, value in item.items()})


WHATSAPP = {
    "as described": lambda event: event,
    "keys that nobody knows": lambda event: everywhere(event, lambda item: {**item, "x_new": {"deep": [1, None]}, "": "empty name"}),
    "null for absent": lambda event: everywhere(event, lambda item: {**ABSENT, **item} if "timestamp" in item else {"x_null": None, **item}),
    "only what is needed": lambda event: everywhere(event, lambda item: {k: v for k, v in item.items() if k in WHATSAPP_NEEDED}),
    "numbers as strings": as_strings,
    "another order of keys": lambda event: everywhere(event, lambda item: dict(reversed(item.items()))),
    "time as a number": lambda event: with_times(event, int),
    "time in milliseconds": lambda event: with_times(event, lambda value: str(int(value) * 1000)),
    "time in milliseconds, as a number": lambda event: with_times(event, lambda value: int(value) * 1000),
}
SECONDS = str(int(MOMENT.timestamp()))


def check_kind(gateway, alice, post, shapes=WHATSAPP):
    """post(contact, change): one webhook of somebody's, changed; each change gives the same mail."""
    people, seen = {name: gateway.number() for name in shapes}, {}
    for name, change in shapes.items():
        assert post(people[name], lambda event, change=change: change(copy.deepcopy(event))) == 200, name
    for name, contact in people.items():
        mail = alice.inbox.wait(lambda mail, contact=contact: contact in str(mail["From"]), what=f"the mail: {name}")
        seen[name] = shape(mail, contact)
    expected = seen["as described"]
    assert {name: mail for name, mail in seen.items() if mail != expected} == {}, expected


@pytest.mark.parametrize("kind", WHATSAPP_KINDS)
def test_whatsapp_cloud(gateway, alice, kind):
    with whatsapp.Simulator(retry_base=0.2) as sim:
        line = gateway.declare(whatsapp, sim, alice)

        def post(contact, change):
            content, content_type, more = MEDIA.get(kind, (None, None, None))
            body = sim.medium(content, content_type, **more) if content else copy.deepcopy(WHATSAPP_KINDS[kind])
            message = sim.message(contact, kind=kind, body=body, timestamp=SECONDS)
            return sim.post_body(line.webhook_url, change(sim.envelope([("messages", sim.message_value(line.number, message, contact, "Eve"))])))
        check_kind(gateway, alice, post)


@pytest.mark.parametrize("form", ["account", "profile"])
@pytest.mark.parametrize("kind", WHATSAPP_KINDS)
def test_telnyx_whatsapp(gateway, alice, kind, form):
    sim = gateway.sim
    line = gateway.declare(telnyx, sim, alice, "whatsapp")

    def post(contact, change):
        content, content_type, more = MEDIA.get(kind, (None, None, None))
        body = sim.whatsapp_medium(content, content_type, **more) if content else copy.deepcopy(WHATSAPP_KINDS[kind])
        item = sim.whatsapp_item(contact, kind=kind, body=body, timestamp=SECONDS)
        contacts = [{"profile": {"name": "Eve"}, "wa_id": contact[1:]}]
        event = sim._event("whatsapp.messages", sim.whatsapp_value(line.number, "Eve", messages=[item])) if form == "account" else \
            sim._event("message.received", sim.profile_payload(line.number, item, contacts=contacts))
        return sim.post_event(line.webhook_url, change(event))
    shapes = WHATSAPP
    if form == "profile":  # the time stands in the payload too
        shapes = {**WHATSAPP, "the time in the payload alone": lambda event: everywhere(event, lambda item: {
            key: value for key, value in item.items() if key != "timestamp"})}
    check_kind(gateway, alice, post, shapes)


# --- Signal
SIGNAL_NEEDED = {"envelope", "account", "source", "sourceNumber", "sourceUuid", "sourceName", "timestamp", "dataMessage", "message",
                 "editMessage", "targetSentTimestamp", "remoteDelete", "reaction", "emoji", "targetAuthor", "isRemove", "quote", "id",
                 "author", "authorUuid", "text", "contacts", "name", "display", "given", "family", "phone", "value", "sticker",
                 "packId", "stickerId", "groupInfo", "groupId", "groupName", "type", "attachments", "contentType", "filename", "size"}
SIGNAL_ABSENT = dict.fromkeys(("quote", "attachments", "groupInfo", "sticker", "reaction", "remoteDelete", "mentions", "textStyles",
                               "storyContext", "contacts", "previews", "payment", "x_null"))
SIGNAL = {
    "as described": lambda body: body,
    # of a message an object that nobody knows is shown as content of a kind of tomorrow
    "keys that nobody knows": lambda body: everywhere(body, lambda item: {
        **item, "xNew": 7 if "message" in item else {"deep": [1, None]}, "": "empty name"}),
    "null for absent": lambda body: everywhere(body, lambda item: {**SIGNAL_ABSENT, **item} if "message" in item else {"x_null": None, **item}),
    "only what is needed": lambda body: everywhere(body, lambda item: {k: v for k, v in item.items() if k in SIGNAL_NEEDED}),
    "numbers as strings": as_strings,
    "another order of keys": lambda body: everywhere(body, lambda item: dict(reversed(item.items()))),
    "time in seconds": lambda body: everywhere(body, lambda item: {
        key: value // 1000 if key == "timestamp" else value for key, value in item.items()}),
}
SIGNAL_KINDS = {
    "text": lambda sim, at: {"dataMessage": sim.data(at, "Are we on? 🍕")},
    "quote": lambda sim, at: {"dataMessage": sim.data(at, "Yes", quote={"id": 1785491999000, "author": "+15550001001", "text": "Are we on?"})},
    "reaction": lambda sim, at: {"dataMessage": sim.data(at, None, reaction={
        "emoji": "👍", "targetAuthor": "+15550001001", "targetSentTimestamp": 1785491999000, "isRemove": False})},
    "edit": lambda sim, at: {"editMessage": {"targetSentTimestamp": 1785491999000, "dataMessage": sim.data(at, "In green?")}},
    "delete": lambda sim, at: {"dataMessage": sim.data(at, None, remoteDelete={"timestamp": 1785491999000})},
    "sticker": lambda sim, at: {"dataMessage": sim.data(at, None, sticker={"packId": "ab12", "stickerId": 3})},
    "attachment": lambda sim, at: {"dataMessage": sim.data(at, "look", attachments=[sim.attachment(PNG, "image/png", "dot.png")])},
}


@pytest.mark.parametrize("kind", SIGNAL_KINDS)
def test_signal(gateway, alice, kind):
    with signal_cli.Simulator() as sim:
        number = declare_signal(gateway, sim, alice).number

        def post(contact, change):
            at = int(MOMENT.timestamp()) * 1000
            sim.deliver_body(number, change({"envelope": sim.envelope(contact, at, "Eve", **SIGNAL_KINDS[kind](sim, at)), "account": number}))
            return 200
        check_kind(gateway, alice, post, SIGNAL)
