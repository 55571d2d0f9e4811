"""Opt-outs that Telnyx knows of and we do not: its list is asked for, and sending is refused before it would be there."""
import pytest

from tests.lib.smtp import Refused
from tests.lib.wait import wait_until


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
