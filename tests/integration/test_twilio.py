"""Twilio, both ways: SMS, MMS and WhatsApp as mail, answers as requests, statuses, signatures, what webhooks lose."""
import hashlib
import json
import urllib.parse

import pytest

from tests.lib.conversation import PNG, is_report, wait_status
from tests.lib.smtp import Refused
from tests.lib.wait import wait_until
from tests.sim import twilio
from tests.sim.twilio_rules import error as refusal


@pytest.fixture(scope="module")
def simulator():
    with twilio.Simulator(retry_base=0.2) as sim:
        yield sim


@pytest.fixture
def sim(simulator):
    simulator.reset()
    simulator.list_delay = 0
    return simulator


@pytest.fixture
def line(gateway, sim, alice):
    """An SMS endpoint of alice's at Twilio."""
    return gateway.declare(twilio, sim, alice)


@pytest.mark.cell("twilio", "sms", "in", "text", "delivered")
@pytest.mark.cell("twilio", "sms", "out", "text")
@pytest.mark.sanitize
def test_sms_both_ways(gateway, sim, alice, line, contact):
    answer = sim.inbound(contact, line.number, "Are we on for lunch? 🍕")
    assert answer["status"] == 200
    assert sim.webhooks[-1]["answer"] == "<Response/>"
    mail = alice.inbox.wait()
    assert mail.text == "Are we on for lunch? 🍕" and f'external-id="{answer["message_id"]}"' in mail["UMP-Header"]
    sent = alice.reply(mail, "Yes, 12:30!")
    request = sim.wait_request(To=contact)["request"]
    assert request["Body"] == "Yes, 12:30!" and request["From"] == line.number
    assert request["StatusCallback"].startswith(line.webhook_url + "?a=")
    wait_status(gateway, sent, "delivered")


@pytest.mark.cell("twilio", "sms", "in", "contact card")
@pytest.mark.sanitize
def test_mms_with_credentials_for_the_api_alone(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "Look", media=[("a.png", PNG, "image/png"), ("b.vcf", b"BEGIN:VCARD\r\nEND:VCARD\r\n", "text/vcard")])
    mail = alice.inbox.wait()
    parts = {part.get_content_type(): part.get_payload(decode=True) for part in mail.message.walk()}
    assert mail.text.startswith("Look") and parts["image/png"] == PNG and parts["text/vcard"].startswith(b"BEGIN:VCARD")
    assert sim.media_hits and all(key.startswith("Basic ") for _, key in sim.media_hits)
    alice.submit(gateway.address(contact), "And mine", attachments=[("dot.png", "image/png", PNG)])
    entry = sim.wait_request(To=contact, Body="And mine")
    sim.wait_for(lambda: entry["media"], 20, "the provider to fetch it")
    assert entry["media"][0]["sha256"] == hashlib.sha256(PNG).hexdigest()


@pytest.mark.cell("twilio", "whatsapp", "in", "text", "location", "choice", "unknown", "reaction")
@pytest.mark.cell("twilio", "whatsapp", "out", "text")
@pytest.mark.sanitize
def test_whatsapp_both_ways(gateway, sim, alice, contact):
    line = gateway.declare(twilio, sim, alice, "whatsapp")
    first = sim.inbound(f"whatsapp:{contact}", f"whatsapp:{line.number}", "Hello from WhatsApp", name="Zoë")
    mail = alice.inbox.wait()
    assert mail["From"].addresses[0].addr_spec == gateway.address(contact, "whatsapp")
    assert "Zoë" in mail["From"] and mail.text == "Hello from WhatsApp"
    alice.reply(mail, "Hello back")
    request = sim.wait_request(To=f"whatsapp:{contact}")["request"]
    assert request["Body"] == "Hello back" and request["From"] == f"whatsapp:{line.number}"
    for extra, words in (
            ({"MessageType": "location", "Latitude": "52.5", "Longitude": "13.4", "Label": "Café"}, "geo:52.5"),
            ({"MessageType": "button", "ButtonText": "Yes", "ButtonPayload": "y", "Body": "Yes"}, "Yes"),
            ({"MessageType": "hologram", "Body": ""}, "cannot be shown here (hologram)")):
        sim.inbound(f"whatsapp:{contact}", f"whatsapp:{line.number}", "", extra=extra)
        alice.inbox.wait(lambda mail, words=words: words in mail.text)
    sim.inbound(f"whatsapp:{contact}", f"whatsapp:{line.number}", "👍",
                extra={"MessageType": "reaction", "OriginalRepliedMessageSid": first["message_id"]})
    reaction = alice.inbox.wait(lambda mail: mail.message.get_content_disposition() == "reaction")
    assert reaction["In-Reply-To"] == mail["Message-ID"] and "👍" in reaction.text


@pytest.mark.cell("twilio", "whatsapp", "out", "template")
def test_whatsapp_outside_of_the_window_needs_a_template(gateway, sim, alice, contact):
    line, content = gateway.declare(twilio, sim, alice, "whatsapp"), "HX" + "5" * 32
    gateway.umpctl("template", "add", line.id, content, "--text", "Hello {{1}}, your flat is ready.")
    with pytest.raises(Refused) as refused:
        alice.submit(gateway.address(contact, "whatsapp"), "Are you there?")
    assert refused.value.code == 550 and "has not written to you for 24 hours" in str(refused.value)
    assert content in str(refused.value)
    alice.submit(gateway.address(contact, "whatsapp"), "Zoë", UMP_Template=content)
    request = sim.wait_request(To=f"whatsapp:{contact}")["request"]
    assert request["ContentSid"] == content and json.loads(request["ContentVariables"]) == {"1": "Zoë"} and "Body" not in request


@pytest.mark.cell("twilio", "sms", "in", "failed")
@pytest.mark.sanitize
@pytest.mark.parametrize("error,when", [("21211", "request"), ("30005", "finalized")])
def test_failure_is_reported_in_the_thread(gateway, sim, alice, line, contact, error, when):
    sim.inbound(contact, line.number, "Write to me")
    mail = alice.inbox.wait()
    sim.add_rule(error=error, to=contact, times=1, when=when)
    answer = alice.reply(mail, "I try")
    report = alice.inbox.wait(is_report)
    assert answer["Message-ID"] in report["References"] and mail["Message-ID"] in report["References"]
    assert "Action: failed" in report.message.get_payload()[1].as_string()
    words = " ".join(report.text.split())
    assert "not a valid phone number" in words or "does not know this number" in words


@pytest.mark.cell("twilio", "sms", "in", "STOP")
def test_stop_of_theirs_and_of_the_provider(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "Stop")
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.message_opt_outs WHERE identifier = %s", contact), "the opt-out")
    other = gateway.number()
    sim.add_rule(error="21610", to=other, times=1)
    alice.submit(gateway.address(other), "Are you there?")
    report = alice.inbox.wait(is_report)
    assert "STOP" in report.text
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.message_opt_outs WHERE identifier = %s", other), "the opt-out")


@pytest.mark.sanitize
def test_forged_truncated_and_replayed(gateway, sim, alice, line, contact):
    pairs = sim.inbound_pairs(**{"from": contact, "to": line.number, "text": "once"})
    url = line.webhook_url
    good = twilio.signature(sim.auth_token, url, pairs)
    for bad in ("", good[:-1], good[:20], good.lower(), " " + good + "=", twilio.signature("other", url, pairs),
                twilio.signature(sim.auth_token, "https://gateway.example.org/", pairs),
                twilio.signature(sim.auth_token, url, pairs[1:])):
        assert sim.post(url, pairs, headers={"X-Twilio-Signature": bad})[0] == 401, bad
    assert sim.post(url, [*pairs, ("Body2", "x")], headers={"X-Twilio-Signature": good})[0] == 401
    assert sim.post(url + "?b=1", pairs, headers={"X-Twilio-Signature": good})[0] == 401
    assert gateway.sql("SELECT count(*) FROM ump.provider_events WHERE endpoint_id = %s", line.id) == [(0,)]
    # what the sender says of itself changes nothing, the port that is implied neither
    host = urllib.parse.urlsplit(url).netloc
    for headers in ({"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "1"},
                    {"X-Twilio-Signature": twilio.signature(sim.auth_token, url.replace(host, host.split(":")[0]), pairs)}, {}):
        assert sim.post(url, pairs, headers=headers) == (200, b"<Response/>")
    alice.inbox.wait(lambda mail: mail.text == "once")
    sim.inbound(contact, line.number, "the last")
    alice.inbox.wait(lambda mail: mail.text == "the last")
    assert [mail.text for mail in alice.inbox.all()].count("once") == 1
    kept = gateway.sql("SELECT DISTINCT keep_days FROM ump.inbound_keys WHERE endpoint_id = %s", line.id)
    assert kept == [(400,)]


def test_token_is_rotated(gateway, sim, alice, line, contact):
    gateway.umpctl("endpoint", "set", line.id, "--secret", f"auth_token={'7' * 32} {sim.auth_token}")
    pairs = sim.inbound_pairs(**{"from": contact, "to": line.number, "text": "new token"})
    wait_until(lambda: sim.post(line.webhook_url, pairs, token="7" * 32)[0] == 200, "the new token to be known")
    assert sim.inbound(contact, line.number, "old token")["status"] == 200
    for text in ("new token", "old token"):
        alice.inbox.wait(lambda mail, text=text: mail.text == text)


def test_what_is_not_a_message_is_kept(gateway, sim, line):
    pairs = [("Sid", "NO1"), ("Level", "ERROR"), ("Payload", "{}")]
    assert sim.post(line.webhook_url, pairs)[0] == 200
    wait_until(lambda: gateway.sql("SELECT kind FROM ump.provider_events WHERE endpoint_id = %s", line.id) == [("other",)], "it")


def test_health(gateway, sim, line):
    result = gateway.umpctl("endpoint", "test", line.id)
    assert result["result"] == "ok" and any("accepts the account SID" in words for words in result["findings"])
    assert refusal("20003")[0] == 401


def test_poll_finds_what_webhooks_lost(gateway, sim, alice, contact):
    line = gateway.declare(twilio, sim, alice)
    sim.statuses_on = False
    lost = sim.inbound(contact, line.number, "lost on its way", lost=True)
    sim.inbound(contact, line.number, "a picture, lost", media=[("a.png", PNG, "image/png")], lost=True)
    sim.inbound(contact, line.number, "not lost")
    alice.inbox.wait(lambda mail: mail.text == "not lost")
    sent = alice.submit(gateway.address(contact), "no word of this")
    sim.wait_request(To=contact, Body="no word of this")
    gateway.umpctl("endpoint", "set", line.id, "--set", "poll=1s")
    found = alice.inbox.wait(lambda mail: mail.text == "lost on its way")
    assert lost["message_id"] in found["UMP-Header"]
    picture = alice.inbox.wait(lambda mail: mail.text.startswith("a picture, lost"))
    assert PNG in [part.get_payload(decode=True) for part in picture.message.walk()]
    wait_status(gateway, sent, "delivered")
    cost = wait_until(lambda: gateway.sql("SELECT cost, currency FROM ump.deliveries WHERE endpoint_id = %s AND cost IS NOT NULL", line.id),
                      "the price")
    assert cost == [(7500, "USD")]
    before = gateway.sql("SELECT value, scanned_at FROM ump.watermarks WHERE name = %s", f"poll:{line.id}")
    wait_until(lambda: gateway.sql("SELECT value, scanned_at FROM ump.watermarks WHERE name = %s", f"poll:{line.id}")[0][1]
               > before[0][1], "another round")
    texts = [mail.text for mail in alice.inbox.all()]
    assert texts.count("lost on its way") == texts.count("not lost") == 1


@pytest.mark.parametrize("own_gateway", [["outbound.uncertain_notice=6s", "outbound.request_timeout=2s"]], indirect=True)
def test_uncertain_is_looked_up(own_gateway):
    """Accepted, answer and statuses lost: found in the list, not sent again. Not accepted: sent again once that is sure."""
    gateway = own_gateway
    alice = gateway.person()
    with twilio.Simulator() as sim:
        line = gateway.declare(twilio, sim, alice)
        sim.statuses_on = False
        contact, other, third = gateway.number(), gateway.number(), gateway.number()
        sim.add_rule(mode="accept-then-drop", to=contact, times=1)
        sent = alice.submit(gateway.address(contact), "Once only")
        wait_until(lambda: gateway.sql("SELECT status FROM ump.deliveries WHERE recipient = %s AND provider_id IS NOT NULL", contact),
                   "it to be found", 30)
        assert any(event["status"] in ("sent", "delivered") for event in gateway.trace(sent["Message-ID"]))
        sim.add_rule(mode="500-before-accept", to=other, times=1)
        alice.submit(gateway.address(other), "Never came there")
        assert sim.wait_request(To=other, timeout=40)["request"]["Body"] == "Never came there"
        outcomes = "SELECT outcome FROM ump.attempts WHERE recipient = %s ORDER BY started_at"  # of what was not sent: safe to repeat
        wait_until(lambda: gateway.sql(outcomes, other) == [("retry",), ("accepted",)], "the second request")
        gateway.umpctl("endpoint", "set", line.id, "--set", "resend_absent=no")
        sim.add_rule(mode="500-before-accept", to=third, times=1)
        alice.submit(gateway.address(third), "Ask me")
        notice = alice.inbox.wait(lambda mail: mail["Subject"] == "Perhaps not delivered", timeout=40)
        assert notice and len([e for e in sim.accepted if e["request"]["To"] == contact]) == 1
        assert not [e for e in sim.accepted if e["request"]["To"] == third]
        alice.close()
