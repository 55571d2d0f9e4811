"""kill -9 under load through Signal: server-sent events, JSON-RPC over a socket, and the webhook of signal-cli-rest-api.

Who writes to a connection does not learn what was read: what the daemon wrote to one whose reader was killed, after the
last that the reader stored, is gone with it, and the network does not send it again. All else must arrive, once: what
came before, what waited meanwhile, what came while the database, Dovecot or Postfix were killed, and all that a
connection held which either side closed.

signal-cli-rest-api posts each message once: what was posted while no ump-bridge was there to acknowledge it is gone as
well, and so may be the receipt that would have told that a request in flight had arrived; then its sender is asked.
"""
import os
import random
import time

import pytest

from tests.integration.test_kill import SETTINGS, in_flight, lifted
from tests.integration.test_signal_rest import SECRET, webhook_url
from tests.lib import oracle
from tests.lib.chaos import OURS, SERVERS, Threads, cycles, drain, report, victims
from tests.lib.conversation import declare_signal
from tests.lib.smtp import Refused
from tests.lib.wait import wait_until
from tests.sim import signal_cli

pytestmark = pytest.mark.guarantee


class Load(Threads):
    """Messages from the network and submissions, each with a token of its own."""

    def __init__(self, gateway, person, endpoint):
        self.gateway, self.person, self.endpoint = gateway, person, endpoint
        self.contacts = [gateway.number() for _ in range(6)]
        self.arrived, self.attempted, self.acked = [], set(), set()
        super().__init__(self._inbound, self._submit)

    def _inbound(self):
        while not self.ended.wait(0.03):
            token = f"ki-{len(self.arrived)}-{os.urandom(4).hex()}"
            self.arrived.append(token)
            self.gateway.sim.inbound(random.choice(self.contacts), self.endpoint.number, f"hello {token}")

    def _submit(self):
        number = 0
        while not self.ended.wait(0.1):
            number += 1
            token = f"ko-{number}-{os.urandom(4).hex()}"
            self.attempted.add(token)
            try:
                self.person.submit(self.gateway.address(random.choice(self.contacts), "signal"), f"hello {token}", subject=f"load {token}")
                self.acked.add(token)
            except Refused as refused:
                assert refused.code < 500, refused
            except OSError:
                pass


def kill_some(gateway, cycles, dice):
    """The subscribers that were there when ump-bridge was killed, and when it was restarted."""
    doomed, killed = [], []
    for name in victims(dice, cycles, ["ump-bridge", "ump-bridge", "restart", *OURS, *SERVERS]):
        time.sleep(dice.uniform(0.5, 2.0))  # the load runs: a kill is to come at any moment of its work
        killed.append(name)
        if name == "restart":  # as an administrator would: nothing may be lost by it
            gateway.stop_service("ump-bridge")
            gateway.start_service("ump-bridge")
            continue
        before = gateway.pid(name)
        there = list(gateway.sim.every)
        gateway.kill(name, wait=False)
        if name == "ump-bridge":
            doomed += [subscriber for subscriber in {*there, *gateway.sim.every} if subscriber not in doomed]
        wait_until(lambda name=name, before=before: gateway.pid(name) not in (None, before), f"{name} to be started again", 5)
    return doomed, killed


def written_off(doomed, shown):
    """Of each killed connection what was written behind the last that was stored."""
    gone = set()
    for subscriber in doomed:
        for text in reversed(subscriber.written):
            tokens = set(oracle.tokens_in(text or ""))
            if tokens & shown:
                break
            gone |= tokens
    return gone


@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [SETTINGS], indirect=True)
@pytest.mark.parametrize("receive", ["sse", "socket"])
def test_nothing_is_lost_and_nothing_sent_twice(own_gateway, receive):
    gateway = own_gateway
    lifted(gateway)
    sim, person = use_signal(gateway), gateway.user("alice")
    line = declare_signal(gateway, sim, person, rate="0", pair_rate="0", **({"receive": sim.tcp_url} if receive == "socket" else {}))
    load = Load(gateway, person, line).start()
    doomed, killed = kill_some(gateway, cycles(9), random.Random(7))
    at_rest(gateway, load)
    shown, _, _ = oracle.mailbox_tokens(gateway.layout.mail)
    gone = written_off(doomed, set(shown))
    facts = oracle.collect(gateway, sim, load.arrived, set(load.arrived) - gone, load.attempted, load.acked)
    findings = oracle.check(facts)
    report(f"signal_cli, {receive}", killed, facts, findings, gone=len(gone))
    judge(gateway, load, facts, findings)
    assert len(gone) <= 5 * killed.count("ump-bridge"), gone


@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [SETTINGS], indirect=True)
def test_the_same_through_signal_cli_rest_api(own_gateway):
    gateway = own_gateway
    lifted(gateway)
    sim, person = use_signal(gateway), gateway.user("alice")
    endpoint = gateway.declare(signal_cli, sim, person, "signal_rest", {"webhook_secret": SECRET}, rate="0", pair_rate="0")
    sim.webhook = webhook_url(endpoint)
    load = Load(gateway, person, endpoint).start()
    _, killed = kill_some(gateway, cycles(9), random.Random(7))
    at_rest(gateway, load)
    acked = {token for posted in sim.webhooks if posted["status"] == 200 for token in oracle.tokens_in(posted["body"])}
    facts = oracle.collect(gateway, sim, load.arrived, acked, load.attempted, load.acked)
    findings = oracle.check(facts)
    # The provider has them, and cannot say so: its receipt was posted to nobody.
    asked = [token for token in findings.unresolved if token in facts.asked]
    findings.unresolved = [token for token in findings.unresolved if token not in asked]
    findings.uncertain += asked
    report("signal_rest", killed, facts, findings, gone=len(set(load.arrived) - acked))
    judge(gateway, load, facts, findings)


def use_signal(gateway):
    """A simulated Signal in the place of the other provider."""
    gateway.sim.stop()
    gateway.sim = signal_cli.Simulator(str(gateway.layout.log / "signal.jsonl")).start()
    return gateway.sim


def at_rest(gateway, load):
    load.stop()
    wait_until(lambda: not gateway.sim.backlog.get(load.endpoint.number), "the network's backlog to be read", 120)
    drain(gateway)


def judge(gateway, load, facts, findings):
    assert facts.inbound_acked and load.acked
    assert not findings.faults, "\n".join([str(findings.faults), *(oracle.story(gateway, token) for token in findings.lost[:3])])
    assert len(findings.uncertain) <= in_flight(gateway)
