"""Every kind of request that the gateway makes of Telnyx is valid by Telnyx' own description."""
import base64
from email.message import EmailMessage

import pytest

from tests.lib.conversation import MP4, OGG, PDF, PNG
from tests.lib.wait import wait_until


# The description wants URLs with a name: 127.0.0.1 is none.
@pytest.mark.parametrize("own_gateway", [["gateway.public_url=http://gateway.msgs.test"]], indirect=True)
def test_requests_are_valid(prism_for, own_gateway):
    gateway = own_gateway
    gateway.sim.hosts["gateway.msgs.test"] = ("127.0.0.1", gateway.ports["http"])
    prism = prism_for("telnyx/openapi.json", gateway.sim.base_url)
    alice = gateway.user("alice")
    endpoint = alice.endpoint(base_url=prism.url)
    first, second, third = (gateway.number() for _ in range(3))

    alice.submit(gateway.address(first), "A plain text")
    alice.submit(gateway.address(second), "Zażółć gęślą jaźń 🙂")
    alice.submit(gateway.address(third), "With a picture", attachments=[("dot.png", "image/png", PNG)])
    for number, text in ((first, "A plain text"), (second, "Zażółć gęślą jaźń 🙂"), (third, "With a picture")):
        request = gateway.sim.wait_request(to=number)["request"]
        assert request["text"] == text and request["from"] == endpoint.number
    alice.submit([gateway.address(first), gateway.address(second), "new-group@sms.msgs.test"], "To all of you")
    entry = gateway.sim.wait_for(lambda: next((e for e in gateway.sim.accepted if e["path"] == "/messages/group_mms"
                                               and e["request"]["from"] == endpoint.number), None), 20, "a group MMS")
    assert sorted(entry["request"]["to"]) == sorted([first, second])
    # What is invalid never reaches the simulator: Prism answers 422, which is a failure report.
    assert "iolation" not in prism.output().decode(), prism.output().decode()


@pytest.mark.parametrize("own_gateway", [["gateway.public_url=http://gateway.msgs.test"]], indirect=True)
def test_whatsapp_requests_are_valid(prism_for, own_gateway):
    gateway, sim = own_gateway, own_gateway.sim
    sim.hosts["gateway.msgs.test"] = ("127.0.0.1", gateway.ports["http"])
    prism = prism_for("telnyx/openapi.json", sim.base_url)
    alice, number, contact = gateway.user("alice"), gateway.number(), gateway.number()
    record = gateway.umpctl("endpoint", "add", "whatsapp", "telnyx", number, "--owner", alice.email, "--set",
                            f"base_url={prism.url}", "--secret", f"api_key={sim.api_key}", "--secret", f"public_key={sim.public_key}")
    gateway.umpctl("template", "add", record["id"], "welcome", "--text", "Hello {{1}}")
    sim.register(number, f"{gateway.url}/webhooks/{record['id']}")
    to = gateway.address(contact, "whatsapp")
    alice.submit(gateway.address(f"{contact}+welcome", "whatsapp"), "Bob")
    sim.wait_whatsapp(contact, "template", name="welcome")
    target = sim.inbound_whatsapp(contact, number, "hello")
    mail = alice.inbox.wait(lambda mail: mail.text == "hello")
    alice.reply(mail, "Zażółć 🙂")
    assert sim.wait_whatsapp(contact, "text", body="Zażółć 🙂")["request"]["whatsapp_message"]["context"]
    for name, content_type, content, kind in (
            ("dot.png", "image/png", PNG, "image"), ("note.ogg", "audio/ogg", OGG, "audio"),
            ("walk.mp4", "video/mp4", MP4, "video"),
            ("invoice.pdf", "application/pdf", PDF, "document")):
        alice.submit(to, "" if kind == "audio" else "look", attachments=[(name, content_type, content)])
        entry = sim.wait_whatsapp(contact, kind)
        wait_until(lambda entry=entry: entry["media"], "the fetch")
        assert base64.b64decode(entry["media"][0]["content"]) == content
    reaction = EmailMessage()
    reaction["From"], reaction["To"], reaction["Subject"], reaction["Message-ID"] = alice.email, to, "Re: hello", "<r@msgs.test>"
    reaction["In-Reply-To"] = reaction["References"] = mail["Message-ID"]
    reaction.set_content("👍\n", disposition="reaction")
    assert alice.submit_raw([to], reaction.as_bytes()) == {}
    assert sim.wait_whatsapp(contact, "reaction", message_id=target["foreign_id"])
    assert "iolation" not in prism.output().decode(), prism.output().decode()
