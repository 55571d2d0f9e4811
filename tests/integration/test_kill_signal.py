"""kill -9 under load, with a stream as the way in: server-sent events, and JSON-RPC over a socket.

Who writes to a connection does not learn what was read: what the daemon wrote to one whose reader was killed, after the
last that the reader stored, is gone with it, and the network does not send it again. All else must arrive, once: what
came before, what waited meanwhile, what came while the database, Dovecot or Postfix were killed, and all that a
connection held which either side closed.
"""
import json
import os
import random
import threading
import time

import pytest

from tests.integration.test_kill import CYCLES, SETTINGS, in_flight, lifted
from tests.lib import oracle
from tests.lib.chaos import OURS, SERVERS, drain
from tests.lib.gateway import Endpoint
from tests.lib.smtp import Refused
from tests.lib.wait import wait_until
from tests.sim import signal_cli

pytestmark = pytest.mark.guarantee

# More by UMP_KILL_CYCLES.
STREAM_CYCLES = max(6, CYCLES // 3)


class Load:
    """Messages from the network and submissions, each with a token of its own."""

    def __init__(self, gateway, person, endpoint):
        self.gateway, self.person, self.endpoint = gateway, person, endpoint
        self.contacts = [gateway.number() for _ in range(6)]
        self.arrived, self.attempted, self.acked = [], set(), set()
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self._inbound, self._submit)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join(90)
            assert not thread.is_alive(), "a load thread hangs"

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
    for _ in range(cycles):
        time.sleep(dice.uniform(0.5, 2.0))
        name = dice.choice(["ump-bridge", "ump-bridge", "restart", *OURS, *SERVERS])
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
@pytest.mark.parametrize("own_gateway", [[*SETTINGS, "dovecot.doveadm_url="]], indirect=True)  # no program keeps copies in Sent here
@pytest.mark.parametrize("receive", ["sse", "tcp"])
def test_nothing_is_lost_and_nothing_sent_twice(own_gateway, receive):
    gateway = own_gateway
    lifted(gateway)
    gateway.sim.stop()
    gateway.sim = sim = signal_cli.Simulator(str(gateway.layout.log / "signal.jsonl")).start()
    person, number = gateway.user("alice"), gateway.number()
    record = signal_cli.add_endpoint(sim, gateway.layout.umpctl, number, person.email, rate="0", pair_rate="0",
                                     **({"receive": sim.tcp_url} if receive == "tcp" else {}))
    sim.wait_subscribed(number)
    load = Load(gateway, person, Endpoint(gateway, record, number, person.email)).start()
    doomed, killed = kill_some(gateway, STREAM_CYCLES, random.Random(7))
    load.stop()
    wait_until(lambda: not sim.backlog.get(number), "the network's backlog to be read", 120)
    drain(gateway)
    shown, _, _ = oracle.mailbox_tokens(gateway.layout.mail)
    gone = written_off(doomed, set(shown))
    facts = oracle.collect(gateway, sim, load.arrived, set(load.arrived) - gone, load.attempted, load.acked)
    findings = oracle.check(facts)
    print(json.dumps({"killed": killed, "inbound": len(load.arrived), "gone with a connection": len(gone), "outbound": len(load.acked),
                      "shown twice": len(findings.shown_twice), "uncertain": len(findings.uncertain)}))
    assert load.arrived and load.acked
    assert not findings.faults, "\n".join([str(findings.faults), *(oracle.story(gateway, token) for token in findings.lost[:3])])
    assert len(findings.uncertain) <= in_flight(gateway)
    assert len(gone) <= 5 * killed.count("ump-bridge"), gone
