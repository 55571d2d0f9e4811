"""STOP and START over Signal, where one line of the network has several ids."""
import pytest

from tests.lib.conversation import arrived
from tests.lib.signal_fixtures import line, sim, simulator  # fixtures
from tests.lib.smtp import Refused
from tests.lib.wait import wait_until
from tests.sim.signal_cli import uuid_of


@pytest.mark.cell("signal_cli", "signal", "in", "STOP")
def test_stop(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "STOP")
    arrived(alice, "text")
    with pytest.raises(Refused) as refused:
        alice.submit(line.address(contact), "more")
    assert refused.value.code == 550 and "STOP" in str(refused.value)


def opted_out(gateway, *identifiers):
    """Which of these ids are on the list of opt-outs."""
    return {row[0] for row in gateway.sql("SELECT identifier FROM ump.message_opt_outs WHERE identifier = ANY (%s)", list(identifiers))}


def test_stop_holds_for_every_id_of_the_person(gateway, sim, alice, line, contact):
    """He is known by his number and his account id; his phone hides the number when he says STOP, and START."""
    sim.inbound(contact, line.number, "hello")
    arrived(alice, "text")
    sim.inbound(contact, line.number, "STOP", hidden=True)
    wait_until(lambda: opted_out(gateway, contact, uuid_of(contact)) == {contact, uuid_of(contact)}, "the opt-out")
    with pytest.raises(Refused) as refused:
        alice.submit(line.address(contact), "more")
    assert refused.value.code == 550 and "STOP" in str(refused.value)
    sim.inbound(contact, line.number, "START", hidden=True)
    wait_until(lambda: not opted_out(gateway, contact, uuid_of(contact)), "the end of the opt-out")
    alice.submit(line.address(contact), "welcome back")
    sim.wait_sent(contact, "welcome back")


def test_stop_by_an_id_that_was_not_known_for_his(gateway, sim, alice, line, contact):
    """He says STOP before we know that it is he whose number we have: it holds as soon as the network says so."""
    sim.inbound(contact, line.number, "STOP", hidden=True)
    wait_until(lambda: opted_out(gateway, uuid_of(contact)), "the opt-out")
    alice.submit(line.address(contact), "are you there?")
    sim.wait_sent(contact, "are you there?")
    wait_until(lambda: opted_out(gateway, contact), "what the answer said of the number")
    with pytest.raises(Refused) as refused:
        alice.submit(line.address(contact), "more")
    assert "STOP" in str(refused.value)


def test_stop_of_one_line_is_not_that_of_another(gateway, sim, people, line):
    """One person of the address book has two numbers: each is a line of its own, for STOP and for START."""
    one, two = gateway.number(), gateway.number()
    account = "(SELECT account_id FROM ump.endpoints WHERE id = %s)"
    [(contact,)] = gateway.sql(f"INSERT INTO ump.contacts (account_id, id, name) VALUES ({account}, gen_random_uuid(), 'Two Phones') RETURNING id", line.id)
    for number in (one, two):
        gateway.sql(f"INSERT INTO ump.contact_identities (account_id, channel, identifier, contact_id, linked_how)"
                    f" VALUES ({account}, 'sms', %s, %s, 'import')", line.id, number, contact)
        sim.inbound(number, line.number, "hello")
    sim.inbound(one, line.number, "STOP")
    wait_until(lambda: opted_out(gateway, one, two, uuid_of(one), uuid_of(two)) == {one, uuid_of(one)}, "the opt-out")
    sim.inbound(two, line.number, "START")
    sim.inbound(two, line.number, "and more")
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.unified_messages WHERE body = 'and more' AND from_address = %s", two), "what follows")
    assert opted_out(gateway, one, two, uuid_of(one), uuid_of(two)) == {one, uuid_of(one)}
