"""Load in both directions, and something that kills."""
import contextlib
import functools
import json
import os
import random
import smtplib
import socket
import threading
import time
import urllib.request
from collections import Counter
from pathlib import Path

from tests.lib import oracle
from tests.lib.smtp import Refused
from tests.lib.wait import wait_until

OURS = ("ump-milter", "ump-lmtp", "ump-bridge")
SERVERS = ("postgres", "postfix", "dovecot")


FIGURES = Path(__file__).resolve().parents[2] / "build" / "test-results" / "kills.jsonl"


def cycles(otherwise):
    """How many kills: UMP_KILL_CYCLES, for every kind of adapter; else so many that a run of all tests stays short."""
    return int(os.environ.get("UMP_KILL_CYCLES", otherwise))


def report(kind, killed, facts, findings, **more):
    """Prints the figures of a run, and keeps them as a line of build/test-results/kills.jsonl."""
    figures = {"kind": kind, "kills": len(killed), "killed": dict(sorted(Counter(killed).items())), "inbound": len(facts.inbound_acked),
               "outbound": len(facts.outbound_acked), "lost": len(findings.lost), "sent twice": len(findings.sent_twice),
               "shown twice": len(findings.shown_twice), "uncertain": len(findings.uncertain), **more}
    print(json.dumps(figures))
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    with open(FIGURES, "a", encoding="utf-8") as file:
        file.write(json.dumps(figures) + "\n")


class Threads:
    """Threads that run until stop() sets `ended`."""

    def __init__(self, *targets):
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=target, daemon=True) for target in targets]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join(90)
            assert not thread.is_alive(), "a load thread hangs"


class Load(Threads):
    """Inbound messages and submissions by a few threads, each with a token of its own."""

    def __init__(self, gateway, person, endpoint, sim=None, channel="sms", inbound_pause=0.05, outbound_pause=0.08):
        self.gateway, self.person, self.endpoint, self.sim, self.channel = gateway, person, endpoint, sim or gateway.sim, channel
        self.pauses = {"ki": inbound_pause, "ko": outbound_pause}
        self.attempted = {"ki": set(), "ko": set()}
        self.acked = {"ki": set(), "ko": set()}
        self.contacts = [gateway.number() for _ in range(8)]
        self.lock, self.count = threading.Lock(), 0
        super().__init__(*(functools.partial(self._run, kind, act) for kind, act in (
            ("ki", self._inbound), ("ki", self._inbound), ("ko", self._submit), ("ko", self._submit))))

    def _run(self, kind, act):
        while not self.ended.wait(self.pauses[kind]):
            with self.lock:
                self.count += 1
                token = f"{kind}-{self.count}-{os.urandom(4).hex()}"
                self.attempted[kind].add(token)
            if act(token, random.choice(self.contacts)):
                with self.lock:
                    self.acked[kind].add(token)

    def _inbound(self, token, contact):
        result = self.sim.inbound(contact, self.endpoint.number, f"hello {token}", timeout=60)
        return 200 <= result["status"] < 300

    def _submit(self, token, contact):
        try:
            self.person.submit(self.gateway.address(contact, self.channel), f"hello {token}", subject=f"load {token}")
            return True
        except Refused as refused:
            assert refused.code < 500, refused
            return False
        except (OSError, smtplib.SMTPException, socket.timeout):
            return False

    def facts(self):
        return oracle.collect(self.gateway, self.sim, self.attempted["ki"], self.acked["ki"], self.attempted["ko"], self.acked["ko"])


def victims(dice, count, others, spared=()):
    """Whom to kill: each program and each server once, in any order, then any of others."""
    every = [name for name in (*OURS, *SERVERS) if name not in spared]
    dice.shuffle(every)
    return every[:count] + [dice.choice(others) for _ in range(count - len(every))]


def kill_some(gateway, cycles, seed=None, pause=(1.0, 3.0), spared=()):
    """kill -9 of one program after the other, more often of ours, the spared ones never. Returns who was killed."""
    dice, killed = random.Random(seed), []
    for name in victims(dice, cycles, [*OURS, *OURS, *(name for name in SERVERS if name not in spared)], spared):
        time.sleep(dice.uniform(*pause))  # the load runs: a kill is to come at any moment of its work
        before = gateway.pid(name)
        gateway.kill(name, wait=False)
        killed.append(name)
        wait_until(lambda: gateway.pid(name) not in (None, before), f"{name} to be started again", 5)
    return killed


def drain(gateway, sim=None, timeout=180):
    """Until nothing waits in any queue and the provider's callbacks have flowed."""
    sim = sim or gateway.sim
    for name in (*OURS, *SERVERS):
        gateway.stack.wait_ready(name, 60)

    def journaled():
        """Webhooks that were answered from the journal, and are not in the database yet."""
        with urllib.request.urlopen(f"{gateway.url}/healthz", timeout=30) as answer:
            return json.load(answer)["journal"]["bytes"]

    def still():
        with contextlib.suppress(Exception):
            sim.replay_failed()
        waiting = {"journal": journaled()}      # first: what leaves it goes into the queues
        waiting |= dict(gateway.sql("SELECT 'outbox ' || state, count(*) FROM ump.outbox GROUP BY 1 UNION ALL"
                                    " SELECT 'jobs ' || state, count(*) FROM ump.jobs WHERE state <> 6"
                                    " AND kind <> 'keyword' GROUP BY 1"))
        waiting |= {"Postfix": len(gateway.queue()), "callbacks": len(sim.tasks)}
        return {name: count for name, count in waiting.items() if count}

    deadline = time.monotonic() + timeout
    while waiting := still():
        if time.monotonic() > deadline:
            why = gateway.sql("SELECT queue, kind, error, count(*), max(attempts) FROM ump.jobs GROUP BY 1, 2, 3 ORDER BY 4 DESC LIMIT 5")
            raise AssertionError(f"after {timeout} s there wait still: {waiting}; {why}")
        time.sleep(0.5)
