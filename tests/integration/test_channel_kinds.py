"""Cells of docs/CHANNELS.md that no other test shows: media of every kind through every provider, quotes, receipts, STOP."""
import base64

import pytest

from tests.lib.conversation import MEDIA, is_report, wait_provider_id, wait_status
from tests.lib.wait import wait_until
from tests.sim import twilio, whatsapp

MEDIA_KINDS = tuple(MEDIA)


@pytest.fixture(scope="module")
def twilio_sim():
    with twilio.Simulator(retry_base=0.2) as sim:
        yield sim


@pytest.fixture(scope="module")
def whatsapp_sim():
    with whatsapp.Simulator(retry_base=0.2) as sim:
        yield sim


def check_media(alice, gateway, address, arrive, accepted):
    """Each medium in, then each out. arrive(name, type, content); accepted(): per request the media that the provider got."""
    for name, content_type, content in MEDIA.values():
        arrive(name, content_type, content)
        mail = alice.inbox.wait(lambda mail, content=content: any(part.get_payload(decode=True) == content for part in mail.attachments))
        assert [part.get_content_type() for part in mail.attachments] == [content_type]
    for name, content_type, content in MEDIA.values():
        alice.submit(address, "", attachments=[(name, content_type, content)])
        wait_until(lambda content=content: any(content in media for media in accepted()), f"{name} at the provider")
    assert [set(media) for media in accepted()] == [{content} for _, _, content in MEDIA.values()]


def fetched(sim, to):
    """to: the recipient, and the key that names it in a request."""
    key, recipient = to
    return [[base64.b64decode(item["content"]) for item in entry["media"]] for entry in sim.accepted
            if entry["request"].get(key) == recipient]


@pytest.mark.cell("telnyx", "sms", "in", "picture", "sound", "video", "file")
@pytest.mark.cell("telnyx", "sms", "out", "picture", "sound", "video", "file")
def test_telnyx_mms(gateway, alice, endpoint, contact):
    check_media(alice, gateway, gateway.address(contact),
                lambda name, kind, content: gateway.sim.inbound(contact, endpoint.number, "", media=[
                    {"name": name, "content": base64.b64encode(content).decode(), "content_type": kind}]),
                lambda: fetched(gateway.sim, ("to", contact)))


@pytest.mark.cell("twilio", "sms", "in", "picture", "sound", "video", "file")
@pytest.mark.cell("twilio", "sms", "out", "picture", "sound", "video", "file")
@pytest.mark.cell("twilio", "whatsapp", "in", "picture", "sound", "video", "file")
@pytest.mark.cell("twilio", "whatsapp", "out", "picture", "sound", "video", "file")
@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
def test_twilio_media(gateway, twilio_sim, alice, contact, channel):
    twilio_sim.reset()
    number, prefix = gateway.declare(twilio, twilio_sim, alice, channel).number, "whatsapp:" if channel == "whatsapp" else ""
    check_media(alice, gateway, gateway.address(contact, channel),
                lambda name, kind, content: twilio_sim.inbound(prefix + contact, prefix + number, "", media=[(name, content, kind)]),
                lambda: fetched(twilio_sim, ("To", prefix + contact)))


def whatsapp_line(gateway, sim, alice):
    sim.reset()
    return gateway.declare(whatsapp, sim, alice)


@pytest.mark.cell("whatsapp_cloud", "whatsapp", "in", "picture", "sound", "video", "file")
@pytest.mark.cell("whatsapp_cloud", "whatsapp", "out", "picture", "sound", "video", "file")
def test_whatsapp_media(gateway, whatsapp_sim, alice, contact):
    line = whatsapp_line(gateway, whatsapp_sim, alice)
    kinds = {"image": "image", "audio": "audio", "video": "video"}
    check_media(alice, gateway, gateway.address(contact, "whatsapp"),
                lambda name, kind, content: whatsapp_sim.inbound(
                    contact, line.number, kind=kinds.get(kind.split("/")[0], "document"),
                    body=whatsapp_sim.medium(content, kind, **({} if kind.split("/")[0] in kinds else {"filename": name}))),
                lambda: [[item["content"] for item in entry.get("media", [])] for entry in whatsapp_sim.accepted])


@pytest.mark.cell("whatsapp_cloud", "whatsapp", "in", "reply")
def test_whatsapp_quote_refers_to_what_is_quoted(gateway, whatsapp_sim, alice, contact):
    line = whatsapp_line(gateway, whatsapp_sim, alice)
    whatsapp_sim.inbound(contact, line.number, "hello")
    first = alice.inbox.wait()
    alice.reply(first, "Tuesday or Friday?")
    sent = whatsapp_sim.wait_sent(contact, "text")
    wait_provider_id(gateway, sent["id"])
    whatsapp_sim.inbound(contact, line.number, "the second", fields={"context": {"from": line.number[1:], "id": sent["id"]}})
    answer = alice.inbox.wait(lambda mail: "the second" in mail.text)
    [(ours,)] = gateway.sql("SELECT m.mail_message_id FROM ump.unified_messages m JOIN ump.deliveries d ON d.message_id = m.id"
                            " WHERE d.provider_id = %s", sent["id"])
    assert answer["In-Reply-To"] == ours and answer["References"] == first["Message-ID"]


@pytest.mark.cell("whatsapp_cloud", "whatsapp", "in", "delivered", "read")
def test_whatsapp_receipts_are_in_the_trace(gateway, whatsapp_sim, alice, contact):
    line = whatsapp_line(gateway, whatsapp_sim, alice)
    whatsapp_sim.read_too = True
    whatsapp_sim.inbound(contact, line.number, "hello")
    sent = alice.reply(alice.inbox.wait(), "Did you see it?")
    whatsapp_sim.wait_sent(contact, "text")
    wait_until(lambda: {"delivered", "read"} <= {event["status"] for event in gateway.trace(sent["Message-ID"])}, "both")
    whatsapp_sim.read_too = False


@pytest.mark.cell("whatsapp_cloud", "whatsapp", "in", "STOP")
def test_whatsapp_stop_is_kept(gateway, whatsapp_sim, alice, contact):
    line = whatsapp_line(gateway, whatsapp_sim, alice)
    whatsapp_sim.inbound(contact, line.number, "STOP")
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.message_opt_outs WHERE identifier = %s", contact), "the opt-out")
    with pytest.raises(Exception) as refused:
        alice.submit(gateway.address(contact, "whatsapp"), "Are you there?")
    assert "STOP" in str(refused.value)


@pytest.mark.cell("twilio", "whatsapp", "in", "delivered", "failed")
def test_twilio_whatsapp_statuses(gateway, twilio_sim, alice, contact):
    mail, _ = twilio_whatsapp(gateway, twilio_sim, alice, contact)
    sent = alice.reply(mail, "Here I am")
    twilio_sim.wait_request(To=f"whatsapp:{contact}")
    wait_status(gateway, sent, "delivered")
    twilio_sim.add_rule(error="30005", to=f"whatsapp:{contact}", times=1, when="finalized")
    alice.reply(mail, "And again")
    report = alice.inbox.wait(is_report)
    assert "Action: failed" in report.message.get_payload()[1].as_string()


CARD = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Dan Okafor\r\nTEL:+12125550147\r\nEND:VCARD\r\n"


@pytest.mark.cell("telnyx", "sms", "in", "contact card")
def test_telnyx_card(gateway, alice, endpoint, contact):
    gateway.sim.inbound(contact, endpoint.number, "", media=[
        {"name": "dan.vcf", "content": base64.b64encode(CARD).decode(), "content_type": "text/vcard"}])
    [part] = alice.inbox.wait().attachments
    assert part.get_content_type() == "text/vcard" and part.get_payload(decode=True) == CARD


def twilio_whatsapp(gateway, sim, alice, contact):
    """An endpoint to which somebody has written: his first mail, and inbound(text, **options) for the next ones."""
    sim.reset()
    number = gateway.declare(twilio, sim, alice, "whatsapp").number

    def inbound(text, **options):
        return sim.inbound(f"whatsapp:{contact}", f"whatsapp:{number}", text, **options)
    inbound("hello")
    return alice.inbox.wait(), inbound


@pytest.mark.cell("twilio", "whatsapp", "in", "contact card", "sticker")
def test_twilio_whatsapp_card_and_sticker(gateway, twilio_sim, alice, contact):
    _, inbound = twilio_whatsapp(gateway, twilio_sim, alice, contact)
    inbound("", media=[("dan.vcf", CARD, "text/vcard")], extra={"MessageType": "contacts"})
    mail = alice.inbox.wait(lambda mail: mail.attachments)
    assert mail.attachments[0].get_content_type() == "text/vcard" and mail.attachments[0].get_payload(decode=True) == CARD
    picture = MEDIA["picture"][2]
    inbound("", media=[("sticker.webp", picture, "image/webp")], extra={"MessageType": "sticker"})
    mail = alice.inbox.wait(lambda mail: mail.attachments and mail.attachments[0].get_content_type() == "image/webp")
    assert mail.attachments[0].get_payload(decode=True) == picture and mail.text == "Sticker"


@pytest.mark.cell("twilio", "whatsapp", "in", "reply", "reaction taken back")
def test_twilio_whatsapp_refers_to_what_is_meant(gateway, twilio_sim, alice, contact):
    mail, inbound = twilio_whatsapp(gateway, twilio_sim, alice, contact)
    answer = alice.reply(mail, "Tuesday or Friday?")
    sent = twilio_sim.wait_request(To=f"whatsapp:{contact}")
    wait_provider_id(gateway, sent["id"])
    inbound("the second", extra={"OriginalRepliedMessageSid": sent["id"], "OriginalRepliedMessageSender": f"whatsapp:{contact}"})
    assert alice.inbox.wait(lambda mail: "the second" in mail.text)["In-Reply-To"] == answer["Message-ID"]
    inbound("", extra={"MessageType": "reaction", "OriginalRepliedMessageSid": sent["id"]})
    back = alice.inbox.wait(lambda mail: mail.message.get_content_disposition() == "reaction" or "reaction" in mail.text.lower())
    assert back["In-Reply-To"] == answer["Message-ID"]


@pytest.mark.cell("twilio", "whatsapp", "in", "read")
def test_twilio_whatsapp_read_is_in_the_trace(gateway, twilio_sim, alice, contact):
    mail, _ = twilio_whatsapp(gateway, twilio_sim, alice, contact)
    sent = alice.reply(mail, "Did you see it?")
    twilio_sim.send_status(twilio_sim.wait_request(To=f"whatsapp:{contact}")["id"], "read")
    wait_status(gateway, sent, "read")


@pytest.mark.cell("twilio", "whatsapp", "in", "STOP")
def test_twilio_whatsapp_stop_is_kept(gateway, twilio_sim, alice, contact):
    mail, inbound = twilio_whatsapp(gateway, twilio_sim, alice, contact)
    inbound("STOP")
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.message_opt_outs WHERE identifier = %s", contact), "the opt-out")
    with pytest.raises(Exception) as refused:
        alice.reply(mail, "Are you there?")
    assert "STOP" in str(refused.value)
