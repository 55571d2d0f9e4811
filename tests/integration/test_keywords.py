"""$Delivered and $Read on the copy of what was sent, by Dovecot's doveadm API."""
import subprocess

import pytest

from tests.lib.conversation import is_report, wait_status
from tests.lib.wait import wait_until
from tests.sim import whatsapp


def save(person, mail):
    """As a mail program does after sending."""
    box = person.box("Sent")
    box.session.append('"Sent"', "\\Seen", None, mail.as_bytes())
    return box


def flags_of(box, mail):
    [uid] = box.uids("HEADER", "Message-ID", mail["Message-ID"])
    return set(box.fetch(uid).flags)


@pytest.fixture
def line(gateway, alice):
    with whatsapp.Simulator(retry_base=0.2) as sim:
        sim.read_too = True
        sim.number = gateway.declare(whatsapp, sim, alice).number
        yield sim


@pytest.mark.sanitize
def test_delivered_and_read_are_keywords_of_the_sent_copy(gateway, line, alice, contact):
    line.inbound(contact, line.number, "hello")
    mail = alice.reply(alice.inbox.wait(), "Did you see it?")
    box = save(alice, mail)
    other = alice.submit(gateway.address(contact, "whatsapp"), "Another")
    save(alice, other)
    wait_until(lambda: {"$Delivered", "$Read"} <= flags_of(box, mail), "both keywords")
    wait_until(lambda: {"$Delivered", "$Read"} <= flags_of(box, other), "those of the other")
    assert "\\Seen" in flags_of(box, mail)
    # and nowhere else
    assert all(not flag.startswith("$") for uid in alice.inbox.uids() for flag in alice.inbox.fetch(uid).flags)


def test_copy_that_is_saved_later_is_found(gateway, alice, endpoint, contact):
    mail = alice.submit(gateway.address(contact), "Slow mail program")
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.jobs WHERE kind = 'keyword' AND error LIKE 'there is no copy%%' AND payload->>'user' = %s",
                                   alice.email), "a first look in vain")
    box = save(alice, mail)
    wait_until(lambda: "$Delivered" in flags_of(box, mail), "the keyword")
    assert "$Read" not in flags_of(box, mail)


def test_mail_that_failed_has_none(gateway, alice, endpoint, contact):
    gateway.sim.add_rule(error="40001", to=contact, times=1, when="finalized")
    mail = alice.submit(gateway.address(contact), "In vain")
    box = save(alice, mail)
    alice.inbox.wait(is_report)
    assert gateway.sql("SELECT count(*) FROM ump.jobs WHERE kind = 'keyword' AND payload->>'user' = %s", alice.email) == [(0,)]
    assert not any(flag.startswith("$") for flag in flags_of(box, mail))


@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [("dovecot.doveadm_url=http://127.0.0.1:9/doveadm/v1",)], indirect=True)
def test_dovecot_that_cannot_be_asked_holds_nothing_up(own_gateway):
    gateway = own_gateway
    alice = gateway.user("alice")
    line, contact = alice.endpoint(), gateway.number()
    alice.submit(gateway.address(contact), "one")
    wait_until(lambda: "doveadm-failed" in gateway.log("ump-bridge"), "a try")
    gateway.sim.add_rule(error="40001", to=contact, times=1, when="finalized")
    alice.submit(gateway.address(contact), "two")
    alice.inbox.wait(is_report)
    gateway.sim.inbound(contact, line.number, "and in")
    alice.inbox.wait(lambda mail: mail.text == "and in")


@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [("dovecot.doveadm_url=",)], indirect=True)
def test_without_the_setting_nobody_is_asked(own_gateway):
    gateway = own_gateway
    alice = gateway.user("alice")
    number = gateway.number()
    gateway.umpctl("endpoint", "add", "signal", "signal_cli", number, "--owner", alice.email, "--set", "base_url=http://127.0.0.1:1",
                   "--set", "disappearing=expire")
    told = subprocess.run([gateway.layout.umpctl, "--json", "doctor", "--offline"], capture_output=True, text=True).stdout
    assert f'"signal:{number}"' in told and "mail cannot be removed without Dovecot" in told
    alice.endpoint()
    contact = gateway.number()
    mail = alice.submit(gateway.address(contact), "quiet")
    gateway.sim.wait_request(to=contact)
    wait_status(gateway, mail, "delivered")
    assert gateway.sql("SELECT count(*) FROM ump.jobs WHERE kind = 'keyword'") == [(0,)]
