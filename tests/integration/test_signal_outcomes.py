"""What becomes of a message to Signal: receipts, failures, and what is not known."""
import pytest

from tests.lib.conversation import arrived, is_report, wait_held
from tests.lib.signal_fixtures import line, sim, simulator  # fixtures
from tests.lib.wait import wait_until
from tests.sim import signal_rules as rules


@pytest.mark.cell("signal_cli", "signal", "in", "delivered", "read")
def test_receipts_reach_the_delivery(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "hello")
    sim.read_too = True
    sent = alice.reply(arrived(alice, "text"), "read me")
    wait_until(lambda: [event for event in gateway.trace(sent["Message-ID"]) if event["status"] == "read"], "the receipt")
    sim.read_too = False
    stamps = []
    for text in ("one", "two", "three"):
        alice.submit(line.address(contact), text)
        stamps.append(int(sim.wait_sent(contact, text)["id"]))
    sim.receipt(contact, line.number, [*stamps, stamps[0]], "isViewed")
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.deliveries WHERE recipient = %s AND status = 'read'", contact)[0][0] == 4,
               "one receipt for three")


@pytest.mark.guarantee
def test_a_strangers_receipt_settles_nothing(gateway, sim, alice, line, contact):
    """The time by which a receipt names a message may be guessed."""
    _, stamp = unreached(gateway, sim, alice, line, contact)
    stranger = gateway.number()
    sim.receipt(stranger, line.number, [stamp], "isDelivery")
    sim.inbound(stranger, line.number, "not me")
    arrived(alice, "text", lambda mail: mail.text == "not me")
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.provider_events WHERE endpoint_id = %s AND kind = 'status'", line.id) == [(1,)],
               "the receipt")
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.jobs WHERE endpoint_id = %s AND state = 1", line.id) == [(0,)], "its turn")
    assert gateway.sql("SELECT status FROM ump.deliveries WHERE endpoint_id = %s", line.id) == [("uncertain",)]
    sim.receipt(contact, line.number, [stamp], "isDelivery")
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.deliveries WHERE endpoint_id = %s AND status = 'delivered'", line.id), "the receipt")


@pytest.mark.cell("signal_cli", "signal", "in", "failed")
@pytest.mark.parametrize("error, words, code", [
    ("UNREGISTERED_FAILURE", "does not use Signal", "5.1.1"), ("IDENTITY_FAILURE", "compare the safety number", "5.7.5")])
def test_failure_is_a_report_that_says_what_to_do(gateway, sim, alice, line, contact, error, words, code):
    sim.inbound(contact, line.number, "hello")
    mail = arrived(alice, "text")
    sim.add_rule(error=error, to=contact, times=1)
    sent = alice.reply(mail, "you do not get this")
    report = alice.inbox.wait(is_report)
    assert words in report.text and code in report.raw.decode() and sent["Message-ID"] in report["References"]


def test_captcha_holds_the_endpoint_and_says_how_to_lift_it(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "hello")
    mail = arrived(alice, "text")
    sim.add_rule(error="PROOF_REQUIRED", to=contact, times=1)
    alice.reply(mail, "wait for it")
    why = wait_held(gateway, line, '23 hours')
    assert rules.TOKEN in why and "submitRateLimitChallenge" in why
    assert not sim.accepted or sim.text_of(sim.accepted[-1]["request"]) != "wait for it"


def unreached(gateway, sim, alice, line, contact):
    """(message id, stamp) of one of which signal-cli says that the server was not reached, although it may have been."""
    sim.inbound(contact, line.number, "hello")
    mail = arrived(alice, "text")
    sim.add_rule(error="NETWORK_FAILURE", to=contact, times=1)
    alice.reply(mail, "later then")
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.deliveries WHERE endpoint_id = %s AND status = 'uncertain'", line.id), "the failure")
    [(message, provider_id)] = gateway.sql("SELECT message_id, provider_id FROM ump.deliveries WHERE endpoint_id = %s", line.id)
    return message, int(provider_id.partition("@")[0])


def sends(sim, contact):
    """How often the daemon was asked to send something to somebody."""
    return sum(entry["request"].get("method") == "send" and contact in sim.to_of(entry["request"]) for entry in sim.attempts + sim.accepted)


@pytest.mark.guarantee
def test_network_failure_is_settled_by_a_receipt_and_never_sent_again(gateway, sim, alice, line, contact):
    _, stamp = unreached(gateway, sim, alice, line, contact)
    sim.receipt(contact, line.number, [stamp], "isDelivery")
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.deliveries WHERE endpoint_id = %s AND status = 'delivered'", line.id), "the receipt")
    assert gateway.sql("SELECT count(*) FROM ump.outbox WHERE endpoint_id = %s", line.id) == [(0,)]
    assert sends(sim, contact) == 1


def test_network_failure_without_a_receipt_waits_for_its_author(gateway, sim, alice, line, contact):
    message, _ = unreached(gateway, sim, alice, line, contact)
    gateway.umpctl("queue", "answer", str(message), "resend")
    sim.wait_sent(contact, "later then", timeout=60)
    assert sends(sim, contact) == 2
