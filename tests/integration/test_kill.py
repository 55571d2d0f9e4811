"""kill -9 under load in both directions, judged by the oracle; and faults seeded into a real run.

UMP_KILL_CYCLES=200 kills as often for every kind of adapter, here and in test_kill_signal.py; the figures of each are
printed and kept in build/test-results/kills.jsonl.
"""
import os
import shutil

import pytest

from tests.lib.chaos import Load, cycles, drain, kill_some, report
from tests.lib.oracle import check, story
from tests.sim import twilio, whatsapp

pytestmark = pytest.mark.guarantee

# Short leases, so that what a dead worker held is rescued within the test; no caps; nobody files a copy in Sent.
SETTINGS = ["caps.user_per_hour=0", "outbound.lease=6s", "outbound.heartbeat=1s", "inbound.lease=6s", "outbound.poll=1s",
            "inbound.poll=1s", "outbound.retry_min=500ms", "inbound.retry_min=500ms", "inbound.retry_max=5s",
            "receipts.digest_above=10000", "outbound.uncertain_notice=30s", "dovecot.doveadm_url="]


def lifted(gateway):
    """A load test is no abuse: the account's caps are off."""
    gateway.umpctl("account", "set", "default", "--set", "user_per_hour=0", "--set", "range_per_hour=0",
                   "--set", "spend_per_day=0")


def use_duplicate_sieve(gateway, person):
    home = gateway.layout.mail / person.email.split("@")[0]
    home.mkdir(exist_ok=True)
    script = home / ".dovecot.sieve"
    shutil.copy(gateway.layout.dovecot / "sieve" / "duplicate.sieve", script)
    for path in (home, script):
        os.chown(path, 5000, 5000)


def in_flight(gateway):
    """Lanes are first in, first out: per kill at most one request to each of the eight contacts."""
    return 8 * sum(gateway.expected_restarts.get(name, 0) for name in ("ump-bridge", "postgres"))


@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [SETTINGS], indirect=True)
@pytest.mark.parametrize("sieve", [False, True], ids=["telnyx", "sieve-duplicate"])
def test_nothing_is_lost_and_nothing_sent_twice(own_gateway, sieve):
    gateway = own_gateway
    lifted(gateway)
    gateway.sim.retry_base = 0.7
    person = gateway.user("alice")
    if sieve:
        use_duplicate_sieve(gateway, person)
    endpoint = person.endpoint()
    load = Load(gateway, person, endpoint).start()
    # Sieve's duplicate marks a mail when it is stored: Dovecot killed between the two shows it once more, as without Sieve.
    killed = kill_some(gateway, cycles(10 if sieve else 20), seed=1 + sieve, spared=["dovecot"] if sieve else [])
    judge(gateway, load, killed, "telnyx, Sieve's duplicate" if sieve else "telnyx", shown_twice=0 if sieve else 8 * len(killed))


def judge(gateway, load, killed, kind, shown_twice):
    """After the last kill: all that was acknowledged arrived, once; so many mails may be shown a second time."""
    load.stop()
    drain(gateway, load.sim)
    facts = load.facts()
    findings = check(facts)
    report(kind, killed, facts, findings)
    assert load.acked["ki"] and load.acked["ko"]
    assert not findings.faults, "\n".join([str(findings.faults), *(story(gateway, token) for token in findings.lost[:3])])
    assert len(findings.uncertain) <= in_flight(gateway)
    ids = [facts.mailbox[token] for token in findings.shown_twice]
    assert len(findings.shown_twice) <= shown_twice, ids


@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [SETTINGS], indirect=True)
@pytest.mark.parametrize("module,channel", [(twilio, "sms"), (whatsapp, "whatsapp")], ids=["twilio", "whatsapp_cloud"])
def test_the_same_through_other_webhooks(own_gateway, module, channel):
    """Twilio gives a webhook up after 15 s and lists its messages; WhatsApp repeats it for days and lists none."""
    gateway = own_gateway
    lifted(gateway)
    person = gateway.user("alice")
    with module.Simulator(str(gateway.layout.log / "other.jsonl"), retry_base=0.7) as sim:
        line = gateway.declare(module, sim, person, pair_rate="0")
        load = Load(gateway, person, line, sim, channel)
        for contact in load.contacts:     # WhatsApp: he writes first
            assert sim.inbound(contact, line.number, "hello")["status"] == 200
        person.inbox.wait_all(count=len(load.contacts))
        load.start()
        killed = kill_some(gateway, cycles(10), seed=7)
        judge(gateway, load, killed, line.record["provider"], shown_twice=8 * len(killed))


@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [SETTINGS], indirect=True)
def test_the_oracle_finds_faults_seeded_into_a_real_run(own_gateway):
    """The same facts, after each of seven hands reached into the running system."""
    gateway = own_gateway
    lifted(gateway)
    person = gateway.user("alice")
    endpoint = person.endpoint()
    load = Load(gateway, person, endpoint).start()
    gateway.sim.wait_for(lambda: len(gateway.sim.accepted) >= 12 and len(load.acked["ki"]) >= 12, 60, "some load")
    load.stop()
    drain(gateway)
    assert not check(load.facts()).faults
    mails = sorted((gateway.layout.mail / "alice" / "Maildir" / "new").iterdir())
    tokens = sorted(load.acked["ko"])

    # 1. A mail is lost after the webhook was acknowledged.
    victim, kept = mails[0], gateway.layout.dir / "kept"
    shutil.move(victim, kept)
    assert set(check(load.facts()).faults) == {"lost"}
    shutil.move(kept, victim)

    # 2. The same SMS becomes a second mail with another Message-ID.
    copy = victim.with_name(victim.name + ".copy")
    copy.write_bytes(victim.read_bytes().replace(b"Message-ID: <ump.", b"Message-ID: <other.", 1))
    assert set(check(load.facts()).faults) == {"shown_as_two"}
    # 3. A mail that nobody wrote.
    copy.write_text("Message-ID: <z>\n\nki-999-0badbeef\n")
    assert check(load.facts()).faults == {"ghosts": ["ki-999-0badbeef"]}
    copy.unlink()

    # 4. A message is sent a second time.
    log = gateway.sim.log_path
    with open(log, "rb") as file:
        whole = file.read()
    lines = whole.splitlines(keepends=True)
    line = next(line for line in lines if tokens[0].encode() in line)
    with open(log, "ab") as file:
        file.write(line)
    assert check(load.facts()).faults == {"sent_twice": [tokens[0]]}
    # 5. What was accepted never reached the provider.
    with open(log, "wb") as file:
        file.write(b"".join(other for other in lines if other != line))
    assert check(load.facts()).faults == {"lost": [tokens[0]]}
    with open(log, "wb") as file:
        file.write(whole)

    # 6. A delivery that stays in sending.
    where = ("WHERE message_id = (SELECT id FROM ump.unified_messages WHERE body LIKE %s LIMIT 1)")
    status = gateway.sql(f"UPDATE ump.deliveries SET status = 'sending' {where} RETURNING 1", f"%{tokens[0]}%")
    assert status and check(load.facts()).faults == {"stuck": [tokens[0]]}
    gateway.sql(f"UPDATE ump.deliveries SET status = 'delivered' {where}", f"%{tokens[0]}%")
    # 7. A job that was given up.
    gateway.sql("INSERT INTO ump.jobs (queue, account_id, lane, kind, state) VALUES ('inbound', 1, 'x', 'x', 6)")
    faults = check(load.facts()).faults
    assert faults["broken"] == {"dead jobs": 1}
    gateway.sql("DELETE FROM ump.jobs WHERE lane = 'x'")
    assert not check(load.facts()).faults
