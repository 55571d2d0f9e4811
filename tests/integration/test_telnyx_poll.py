"""What Telnyx is asked for itself: webhooks that it gave up on, and opt-outs that it knows of and we do not."""
import pytest

from tests.lib.conversation import wait_status
from tests.lib.smtp import Refused
from tests.lib.wait import wait_until
from tests.sim import telnyx


def opted_out(gateway, identifier):
    return gateway.sql("SELECT source FROM ump.message_opt_outs WHERE identifier = %s", identifier)


def rounds(gateway, line):
    return gateway.sql("SELECT scanned_at FROM ump.watermarks WHERE name = %s", f"poll:{line.id}")


def test_stop_that_the_provider_alone_has_seen_is_mirrored(gateway, alice, people, contact):
    sim = gateway.sim
    sim.reset()
    line, other = gateway.endpoint(alice.email), gateway.endpoint(people().email)
    stopped = [gateway.number() for _ in range(5)]  # more than a page
    sim.opt_outs.update((line.number, number) for number in stopped)
    sim.opt_outs.add((other.number, contact))
    gateway.umpctl("endpoint", "set", line.id, "--set", "poll=1s")
    for number in stopped:
        wait_until(lambda number=number: opted_out(gateway, number), f"the opt-out of {number}")
    with pytest.raises(Refused) as refused:
        alice.submit(gateway.address(stopped[0]), "Are you there?")
    assert "STOP" in str(refused.value)
    assert not opted_out(gateway, contact)  # of another number of the account
    assert not any(entry["request"]["to"] in stopped for entry in sim.accepted)

    # Who lifts it is written to again, also after the next round.
    sim.inbound(stopped[0], line.number, "START")
    alice.inbox.wait(lambda mail: mail.text == "START")
    wait_until(lambda: not opted_out(gateway, stopped[0]), "the START")
    before = rounds(gateway, line)
    wait_until(lambda: rounds(gateway, line) != before, "another round")
    before = rounds(gateway, line)
    wait_until(lambda: rounds(gateway, line) != before, "the round after it")
    assert not opted_out(gateway, stopped[0]) and opted_out(gateway, stopped[1])
    alice.submit(gateway.address(stopped[0]), "Good to hear")
    sim.wait_request(to=stopped[0], text="Good to hear")


def test_a_list_that_cannot_be_had_changes_nothing(gateway, alice, contact):
    sim = gateway.sim
    sim.reset()
    line = gateway.endpoint(alice.email)
    gateway.umpctl("endpoint", "set", line.id, "--secret", "api_key=another", "--set", "poll=1s")
    wait_until(lambda: rounds(gateway, line), "a round")
    assert not opted_out(gateway, contact)
    sim.opt_outs.add((line.number, contact))
    gateway.umpctl("endpoint", "set", line.id, "--secret", f"api_key={sim.api_key}")
    wait_until(lambda: opted_out(gateway, contact), "the opt-out")


def test_webhooks_that_were_given_up_are_found(gateway, alice, people, contact):
    """While nobody could reach us: an SMS, a WhatsApp message of each form, a status, and others of the account."""
    sim = gateway.sim
    sim.reset()
    line, other = gateway.endpoint(alice.email), gateway.endpoint(people().email)
    whatsapp = gateway.declare(telnyx, sim, alice, "whatsapp")
    sim.inbound(contact, line.number, "hello")
    mail = alice.inbox.wait()
    sim.statuses_on = False
    sent = alice.reply(mail, "no word of this")
    entry = sim.wait_request(to=contact, text="no word of this")
    nowhere = ["http://127.0.0.1:9/webhooks"]
    message = sim.messages[entry["id"]]
    message["payload"].update(webhook_url=nowhere[0], webhook_failover_url=None)
    assert sim.inbound(contact, line.number, "a lost SMS", urls=nowhere)["status"] == 0
    assert sim.inbound(contact, other.number, "of somebody else", urls=nowhere)["status"] == 0
    for form in ("account", "profile"):
        assert sim.inbound_whatsapp(contact, whatsapp.number, f"lost by WhatsApp, {form}", form, urls=nowhere)["status"] == 0
    assert sim.send_status(entry["id"], "delivered") == [0]
    for endpoint in (line, whatsapp):
        gateway.umpctl("endpoint", "set", endpoint.id, "--set", "poll=1s")
    texts = {"a lost SMS", "lost by WhatsApp, account", "lost by WhatsApp, profile"}
    for text in texts:
        alice.inbox.wait(lambda mail, text=text: mail.text == text, what=text)
    wait_status(gateway, sent, "delivered")
    for endpoint in (line, whatsapp):
        for _ in range(2):
            before = rounds(gateway, endpoint)
            wait_until(lambda endpoint=endpoint, before=before: rounds(gateway, endpoint) != before, "another round")
    assert sorted(mail.text for mail in alice.inbox.all()) == sorted({"hello", *texts})
