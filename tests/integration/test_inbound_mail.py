"""Chat → mailbox: what an SMS, MMS or group MMS looks like as mail, field by field (MAIL.md)."""
import base64
import email.utils
import hashlib
import http.client
import json
import re
import time
import urllib.parse
import uuid
from datetime import datetime

import pytest
from nacl.signing import SigningKey

from tests.lib.conversation import PNG


def picture(name="photo.png", content=PNG, content_type="image/png"):
    return {"name": name, "content_type": content_type, "content": base64.b64encode(content).decode()}


@pytest.mark.cell("telnyx", "sms", "in", "text")
@pytest.mark.sanitize
@pytest.mark.threads
def test_sms_is_mail_field_by_field(gateway, alice, endpoint, contact):
    sent = gateway.sim.inbound(contact, endpoint.number, "Hello Alice, this is a test of every field")
    assert sent["status"] == 200
    mail = alice.inbox.wait()
    assert mail.text == "Hello Alice, this is a test of every field"
    assert mail["From"].addresses[0].addr_spec == gateway.address(contact)
    assert "(SMS)" in mail["From"].addresses[0].display_name
    assert mail["To"].addresses[0].addr_spec == alice.email
    assert mail["Subject"].startswith("Hello Alice")
    assert re.fullmatch(r"<ump\.[0-9a-f-]{36}@msgs\.test>", mail["Message-ID"])
    message_id = uuid.UUID(mail["Message-ID"][5:41])
    assert message_id.version == 7
    header = mail["UMP-Header"]
    for field in ("v=1", f'id="{message_id}"', "channel=sms", "provider=telnyx", f'endpoint="{endpoint.number}"',
                  "direction=inbound", "type=text", f'external-id="{sent["message_id"]}"', "contact=new"):
        assert field in header, (field, header)
    assert uuid.UUID(str(mail["UMP-Conversation-ID"]))
    assert mail["UMP-Channel-Preference"] == "sms"
    assert str(mail["Thread-Topic"]).startswith("Chat with ")
    assert mail["MIME-Version"] == "1.0" and mail.message.get_content_type() == "text/plain"
    assert mail.message["Content-Type"].params["charset"].lower() == "utf-8"
    assert mail.message["Content-Type"].params["format"] == "flowed"
    # The network's time, not ours; nothing that an automaton's mail carries; no stamp.
    delta = email.utils.parsedate_to_datetime(str(mail["Date"])).timestamp() - _seconds(sent["occurred_at"])
    assert -2 <= delta <= 1
    assert mail["Auto-Submitted"] is None and mail["References"] is None and mail["In-Reply-To"] is None
    order = [name for name in mail.message.keys()]
    assert order.index("Thread-Topic") < order.index("Subject")
    assert max(len(line) for line in mail.raw.split(b"\r\n")) <= 998


def _seconds(text):
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.sanitize
def test_second_sms_refers_to_the_anchor_alone(gateway, alice, endpoint, contact):
    for number, text in enumerate(("one", "two", "three")):
        gateway.sim.inbound(contact, endpoint.number, text)
        alice.inbox.wait_all(count=number + 1)
    first, second, third = sorted(alice.inbox.all(), key=lambda mail: mail.uid)
    assert [first.text, second.text, third.text] == ["one", "two", "three"]
    for later in (second, third):
        assert later["References"] == first["Message-ID"] and later["In-Reply-To"] == first["Message-ID"]
        assert later["UMP-Conversation-ID"] == first["UMP-Conversation-ID"]
        assert "contact=new" not in later["UMP-Header"]


@pytest.mark.parametrize("text", [
    "Zażółć gęślą jaźń", "日本語のメッセージ", "👩‍👩‍👧‍👦 family", "line one\nline two\n\nline four", " leading space",
    "From the start\n.\n..dots", "x" * 1500, "a line that is long enough to be broken by format=flowed, since it is well over the limit of that", "-- \nno signature"],
    ids=["polish", "japanese", "family", "lines", "space", "dots", "long", "flowed", "sig"])
def test_text_arrives_as_it_was(gateway, alice, endpoint, contact, text):
    gateway.sim.inbound(contact, endpoint.number, text)
    mail = alice.inbox.wait()
    assert _unflow(mail) == text


def _unflow(mail):
    """RFC 3676 with DelSp=yes, as a mail program shows it."""
    raw = mail.message.get_payload(decode=True).decode("utf-8").replace("\r\n", "\n").removesuffix("\n")
    lines, result, open_line = raw.split("\n"), [], False
    delsp = mail.message["Content-Type"].params.get("delsp", "no").lower() == "yes"
    for line in lines:
        stuffed = line[1:] if line.startswith(" ") else line
        soft = stuffed.endswith(" ") and stuffed != "-- "
        content = stuffed[:-1] if soft and delsp else stuffed
        if open_line:
            result[-1] += content
        else:
            result.append(content)
        open_line = soft
    return "\n".join(result)


def test_emoji_and_no_controls_in_headers(gateway, alice, endpoint, contact):
    gateway.sim.inbound(contact, endpoint.number, "evil\r\nBcc: x@evil.test\r\n\u202egpj.exe\u2028")
    mail = alice.inbox.wait()
    assert mail["Bcc"] is None
    assert "\u202e" not in str(mail["Subject"]) and "\n" not in str(mail["Subject"])


@pytest.mark.sanitize
def test_mms_with_text_and_picture(gateway, alice, endpoint, contact):
    gateway.sim.inbound(contact, endpoint.number, "Look", media=[picture(), picture("invoice.pdf", b"%PDF-1.4 x", "application/pdf")])
    mail = alice.inbox.wait()
    assert mail.message.get_content_type() == "multipart/mixed"
    parts = [part for part in mail.message.walk() if not part.is_multipart()]
    assert parts[0].get_content_type() == "text/plain" and mail.text == "Look"
    assert parts[1].get_content_type() == "image/png" and parts[1].get_content_disposition() == "inline"
    assert parts[2].get_content_disposition() == "attachment"
    assert parts[1].get_payload(decode=True) == PNG
    assert "photo.png" in parts[1].get_filename()


def test_picture_without_text_has_a_subject_with_a_word(gateway, alice, endpoint, contact):
    gateway.sim.inbound(contact, endpoint.number, "", media=[picture("IMG_2031.png")])
    mail = alice.inbox.wait()
    assert "IMG_2031.png" in str(mail["Subject"])


def test_media_that_is_gone_is_a_readable_stub(gateway, alice, endpoint, contact):
    media = {"url": gateway.sim.url + "/media/gone/x.png", "content_type": "image/png", "size": 5, "sha256": "0" * 64}
    gateway.sim.inbound(contact, endpoint.number, "The text is never lost", media=[media])
    mail = alice.inbox.wait(timeout=60)
    assert "The text is never lost" in mail.text
    assert "x.png" in mail.raw.decode(errors="replace") or "image" in mail.raw.decode(errors="replace").lower()


@pytest.mark.cell("telnyx", "sms", "in", "group message")
@pytest.mark.parametrize("style", ["objects", "strings"])
def test_group_mms(gateway, alice, endpoint, contact, style):
    others = [gateway.number(), gateway.number()]
    gateway.sim.inbound(contact, endpoint.number, "Hello group", cc=others, cc_style=style)
    mail = alice.inbox.wait()
    assert mail["From"].addresses[0].addr_spec == gateway.address(contact)
    group = mail["Reply-To"].addresses[0].addr_spec
    assert group.startswith("g.") and group.endswith("@sms.msgs.test")
    assert mail["To"].addresses[0].addr_spec == group
    assert mail["Cc"].addresses[0].addr_spec == alice.email
    gateway.sim.inbound(others[0], endpoint.number, "Me too", cc=[contact, others[1]], cc_style=style)
    second = alice.inbox.wait(lambda mail: mail.text == "Me too")
    assert second["Reply-To"].addresses[0].addr_spec == group
    assert second["UMP-Conversation-ID"] == mail["UMP-Conversation-ID"]


def test_the_same_event_twice_is_one_mail(gateway, alice, endpoint, contact):
    sent = gateway.sim.inbound(contact, endpoint.number, "once", times=3)
    assert sent["statuses"] == [200, 200, 200]
    gateway.sim.inbound(contact, endpoint.number, "then this")
    alice.inbox.wait(lambda mail: mail.text == "then this")
    assert [mail.text for mail in alice.inbox.all()] == ["once", "then this"]


def test_many_at_once_stay_in_order_per_sender(gateway, alice, endpoint):
    contacts = [gateway.number() for _ in range(3)]
    for index in range(10):
        for who in contacts:
            gateway.sim.inbound(who, endpoint.number, f"{who} {index:02}")
    alice.inbox.wait_all(count=30, timeout=40)
    for who in contacts:
        # not by UID: under concurrent deliveries Dovecot gives UIDs in an order of its own
        texts = [text for text, in gateway.sql(
            "SELECT m.body FROM ump.unified_messages m JOIN ump.mail_deliveries d"
            " ON d.account_id = m.account_id AND d.message_id = m.id WHERE m.from_address = %s ORDER BY d.created_at", who)]
        assert texts == [f"{who} {index:02}" for index in range(10)]


@pytest.mark.parametrize("change", ["signature", "body", "key", "old", "missing"])
def test_forged_webhook_is_401_and_leaves_nothing(gateway, alice, endpoint, contact, change):
    event = json.dumps(gateway.sim.inbound_event(**{"from": contact, "to": endpoint.number, "text": "forged"})).encode()
    stamp = str(int(time.time()) - (400 if change == "old" else 0)).encode()
    key = SigningKey.generate() if change == "key" else gateway.sim.key
    signature = base64.b64encode(key.sign(stamp + b"|" + event).signature).decode()
    if change == "signature":
        signature = base64.b64encode(hashlib.sha512(b"x").digest()).decode()
    url = urllib.parse.urlsplit(endpoint.webhook_url)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
    headers = {"Content-Type": "application/json", "telnyx-timestamp": stamp.decode(), "telnyx-signature-ed25519": signature}
    if change == "missing":
        del headers["telnyx-signature-ed25519"]
    connection.request("POST", url.path, event.replace(b"forged", b"FORGED") if change == "body" else event, headers)
    assert connection.getresponse().status == 401
    gateway.sim.inbound(contact, endpoint.number, "real")
    alice.inbox.wait(lambda mail: mail.text == "real")
    assert len(alice.inbox.uids()) == 1


def test_unknown_event_types_are_acknowledged(gateway, alice, endpoint):
    event = gateway.sim._event("whatsapp.account.update", {"record_type": "x", "anything": {"new": [1, 2]}})
    assert gateway.sim.post_event(endpoint.webhook_url, event) == 200


@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [["lmtp.max_size=128KiB"]], indirect=True)
def test_what_is_too_large_together_is_named_and_the_rest_arrives(own_gateway):
    alice, contact = own_gateway.user("alice"), own_gateway.number()
    line = alice.endpoint()
    films = [{"name": f"film{index}.mp4", "content_type": "video/mp4", "content": base64.b64encode(b"\0\0\0\x18ftypmp42" + bytes([index]) * 60000).decode()}
             for index in (1, 2)]
    own_gateway.sim.inbound(contact, line.number, "two films", media=films)
    mail = alice.inbox.wait(lambda mail: "two films" in mail.text)
    assert [part.get_filename() for part in mail.attachments] == ["film1.mp4"]
    assert "film2.mp4" in mail.text and "too large for one mail" in " ".join(mail.text.split())
