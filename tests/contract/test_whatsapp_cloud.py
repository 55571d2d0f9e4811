"""Every kind of request that the gateway makes of the WhatsApp Cloud API is valid by Meta's own description."""
import functools

import pytest

from tests.contract import conftest
from tests.lib.conversation import PNG
from tests.sim import whatsapp

ask = functools.partial(conftest.ask, key="EAAsimulated")


@pytest.fixture
def sim():
    with whatsapp.Simulator() as simulator:
        yield simulator


def test_requests_are_valid(prism_for, sim, own_gateway):
    gateway = own_gateway
    prism = prism_for("whatsapp/openapi.json", sim.url)
    alice = gateway.user("alice")
    line = gateway.declare(whatsapp, sim, alice, base_url=f"{prism.url}/v23.0")
    gateway.umpctl("template", "add", line.id, "welcome", "--text", "Hello {{1}}, until {{2}}.")
    who = gateway.number()
    address = gateway.address(who, "whatsapp")

    alice.submit(gateway.address(f"{who}+welcome", "whatsapp"), "Bob\n6 pm")
    sim.wait_sent(who, "template")
    asked = sim.inbound(who, line.number, "Zażółć?")
    mail = alice.inbox.wait()
    alice.reply(mail, "gęślą jaźń 🙂")
    assert sim.wait_sent(who, "text")["request"]["context"]["message_id"] == asked["message_id"]
    for name, content_type, kind in (("dot.png", "image/png", "image"), ("a.ogg", "audio/ogg", "audio"),
                                     ("clip.mp4", "video/mp4", "video"), ("s.webp", "image/webp", "sticker"),
                                     ("a.pdf", "application/pdf", "document")):
        alice.submit(address, "", attachments=[(name, content_type, PNG if kind == "image" else bytes(64))])
        sim.wait_sent(who, kind)
    reaction = (f"From: {alice.email}\r\nTo: {address}\r\nSubject: x\r\nMessage-ID: <r@msgs.test>\r\nDate: Thu, 1 Jan 2026 00:00:00 "
                f"+0000\r\nIn-Reply-To: {mail['Message-ID']}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                "Content-Disposition: reaction\r\nContent-Transfer-Encoding: 8bit\r\n\r\n👍\r\n").encode()
    assert alice.submit_raw([address], reaction) == {}
    sim.wait_sent(who, "reaction")
    sim.templates = [{"name": "promo", "language": "en_US", "status": "APPROVED", "category": "MARKETING", "id": "1",
                      "components": [{"type": "BODY", "text": "Hi"}]}]
    assert gateway.umpctl("template", "sync", line.id)
    assert "iolation" not in prism.output().decode(), prism.output().decode()


def test_answers_and_refusals_agree_with_the_description(prism_for, sim):
    prism = prism_for("whatsapp/openapi.json", sim.url)
    path = "/v23.0/1065412125550100/messages"
    good = {"messaging_product": "whatsapp", "to": "16505551234", "type": "text", "text": {"body": "hello"}}
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.0", "typing_indicator": {"type": "text"}}
    assert ask(prism.url + path, good)[0] == 200 and ask(prism.url + path, read)[0] == 200
    assert sim.reads == [read]
    accepted = len(sim.accepted)
    for wrong in ({**good, "texts": {}}, {key: value for key, value in good.items() if key != "to"}, {**good, "type": "fax"},
                  {**read, "status": "seen"}):
        assert ask(prism.url + path, wrong)[0] == 422, wrong
        assert ask(sim.url + path, wrong)[0] == 400, wrong
    assert len(sim.accepted) == accepted
