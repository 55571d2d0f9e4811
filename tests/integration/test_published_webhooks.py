"""The examples of Telnyx's and Twilio's descriptions: each webhook among them is acknowledged, none is dropped, and what is a
message is shown. (WhatsApp's and Signal's: test_whatsapp.py, test_signal.py.)"""
import json

import pytest

from tests.lib.wait import wait_until
from tests.stack.layout import ROOT

SPECS = ROOT.parent / "shared" / "specs"
# Telnyx's webhooks: what is kept of each, and the text of its mail. All the other files are requests, answers or parts of some.
TELNYX = {
    "advanced-opt-in-out-management__02_Track_opt_out_behavior_via_webhooks": ("message", "STOP"),
    "receiving-webhooks-for-messaging__01_Payload_structure": ("other", None),
    "receiving-webhooks-for-messaging__02_Inbound_message_message_received": ("message", "Hello from Telnyx!"),
    "receiving-webhooks-for-messaging__04_Message_sent_message_sent": ("status", None),
    "receiving-webhooks-for-messaging__05_Delivery_receipt_message_finalized": ("status", None),
}


def examples(provider):
    directory = SPECS / provider / "examples"
    if not directory.is_dir():
        pytest.skip(f"../shared/specs/{provider} is not at hand")
    return {path.stem: json.loads(path.read_text()) for path in sorted(directory.glob("*.json"))}


def test_the_list_of_webhooks_is_whole():
    assert {name for name, body in examples("telnyx").items() if "event_type" in body.get("data", {})} == set(TELNYX)
    assert all("_REQ_" in name or "_RESP_" in name for name in examples("twilio"))


@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
def test_telnyx(gateway, alice, channel):
    """On either kind of endpoint: what came by the other channel is shown as well."""
    bodies = examples("telnyx")
    record = gateway.umpctl("endpoint", "add", channel, "telnyx", gateway.number(), "--owner", alice.email, "--set",
                            f"base_url={gateway.sim.base_url}", "--secret", f"api_key={gateway.sim.api_key}", "--secret",
                            f"public_key={gateway.sim.public_key}")
    for name in TELNYX:
        wait_until(lambda name=name: gateway.sim.post_event(record["webhook_url"], bodies[name]) == 200, f"{name} to be taken")
    kept = gateway.sql("SELECT kind, count(*)::integer FROM ump.provider_events WHERE endpoint_id = %s GROUP BY kind", record["id"])
    kinds = [kind for kind, _ in TELNYX.values()]
    assert dict(kept) == {kind: kinds.count(kind) for kind in kinds}
    texts = sorted(text for _, text in TELNYX.values() if text)
    mails = alice.inbox.wait_all(count=len(texts))
    assert sorted(mail.text.removeprefix("[By SMS]\n") for mail in mails) == texts
    assert gateway.sql("SELECT count(*)::integer FROM ump.jobs WHERE endpoint_id = %s AND state = 6", record["id"]) == [(0,)]


def test_telnyx_messages_of_every_published_kind_from_the_own_phone(gateway, alice, contact):
    """What the examples send, as an echo: each stands in Sent, readable."""
    sent = {name: body["whatsapp_message"] for name, body in examples("telnyx").items() if "whatsapp_message" in body}
    assert len(sent) == 15
    sim, number = gateway.sim, gateway.number()
    record = gateway.umpctl("endpoint", "add", "whatsapp", "telnyx", number, "--owner", alice.email, "--set",
                            f"base_url={sim.base_url}", "--secret", f"api_key={sim.api_key}", "--secret", f"public_key={sim.public_key}")
    for message in sent.values():
        kind, body = message["type"], message[message["type"]]
        if isinstance(body, dict) and "link" in body:
            body = {**body, "link": sim.add_media("file", b"content", "application/octet-stream")["url"]}
        item = sim.whatsapp_item(contact, kind=kind, body=body)
        event = sim._event("message.echo", sim.profile_payload(number, item, "outbound", origin="whatsapp_business_app"))
        wait_until(lambda event=event: sim.post_event(record["webhook_url"], event) == 200, "the echo to be taken")
    mails = alice.box("Sent").wait_all(count=len(sent), timeout=40)
    for mail in mails:  # a reaction has no text of its own
        assert mail.text or mail.attachments or "👍" in str(mail["Subject"]), mail
    texts = "\n".join(mail.text or "" for mail in mails)
    for words in ("Would you like to schedule a callback?", "Select a support topic:", "Your receipt for order #12345", "Track your shipment",
                  "https://example.com/track/12345", "- Yes, call me", "- Billing: Payment and invoice questions", "Telnyx HQ",
                  "Template promo_with_image\n- 20%", "Share your location so we can find the nearest store."):
        assert words in texts, words
