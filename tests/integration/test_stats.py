"""What umpctl stats tells of a day, and the daily digest: the same by mail, once."""
import datetime
import subprocess

import pytest

from tests.lib.gateway import ControlFailed
from tests.lib.wait import wait_until


def settle(gateway, endpoint, count):
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.deliveries WHERE endpoint_id = %s AND status IN ('delivered', 'failed')",
                                   endpoint.id) == [(count,)], f"{count} deliveries to be settled")


def a_day(gateway, alice, endpoint, contact):
    """Two received, two delivered, one failed."""
    for text in ("hello", "are you there?"):
        gateway.sim.inbound(contact, endpoint.number, text)
    mail = alice.inbox.wait(lambda mail: mail.text == "are you there?")
    alice.inbox.wait(lambda mail: mail.text == "hello")
    other = gateway.number()
    gateway.sim.add_rule(error="40001", to=other, times=1, when="finalized")
    for to in (contact, contact, other):
        alice.submit(gateway.address(to), f"to {to}")
    settle(gateway, endpoint, 3)
    return mail


def human(gateway, *words):
    return subprocess.run([gateway.layout.umpctl, "stats", *words], capture_output=True, text=True, check=True).stdout


@pytest.mark.sanitize
def test_stats_of_a_day(gateway, alice, endpoint, contact):
    a_day(gateway, alice, endpoint, contact)
    gateway.sql("UPDATE ump.deliveries SET cost = 4000, currency = 'USD' WHERE endpoint_id = %s", endpoint.id)
    [row] = gateway.umpctl("stats", "--endpoint", endpoint.id)
    assert row["endpoint"] == f"sms:{endpoint.number}" and row["provider"] == "telnyx"
    assert (row["received"], row["sent"], row["delivered"], row["failed"], row["waiting"]) == (2, 2, 2, 1, 0)
    assert row["reasons"] == {"40001": 1} and row["segments"] == 3 and (row["cost"], row["currency"]) == (0.012, "USD")
    for name in ("inbound", "send", "arrive"):
        assert 0 <= row[f"{name}_ms_p50"] <= row[f"{name}_ms_p95"] < 60_000, name
    shown = human(gateway, "--endpoint", endpoint.id)
    heads, values = (line.split() for line in shown.splitlines()[:2])
    assert dict(zip(heads, values))["DELIVERED"] == "2" and "REASONS" not in heads and "COSTS" not in heads
    assert f"{row['day']} sms:{endpoint.number}: 1 failed with 40001: " in shown


def test_costs_in_two_currencies_are_not_added(gateway, alice, endpoint, contact):
    a_day(gateway, alice, endpoint, contact)
    gateway.sql("UPDATE ump.deliveries SET cost = 1000, currency = CASE status WHEN 'failed' THEN 'EUR' ELSE 'USD' END"
                " WHERE endpoint_id = %s", endpoint.id)
    [row] = gateway.umpctl("stats", "--endpoint", endpoint.id)
    assert row["cost"] is None and row["costs"] == {"EUR": 0.001, "USD": 0.002}


def test_days_begin_where_the_zone_says(gateway, alice, endpoint, contact):
    gateway.sim.inbound(contact, endpoint.number, "hello")
    alice.inbox.wait()
    gateway.sql("UPDATE ump.unified_messages SET created_at = date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'"
                " - interval '1 day' + interval '23 hours' WHERE endpoint_id = %s", endpoint.id)
    days = {zone: gateway.umpctl("stats", "--endpoint", endpoint.id, "--days", "3", "--time-zone", zone)[0]["day"]
            for zone in ("UTC", "Asia/Tokyo", "America/Los_Angeles")}
    assert days["UTC"] == days["America/Los_Angeles"] < days["Asia/Tokyo"]
    assert gateway.umpctl("stats", "--endpoint", endpoint.id, "--days", "1", "--time-zone", "UTC") == []


@pytest.mark.parametrize("words", [("--days", "0"), ("--days", "4000"), ("--time-zone", "Mars/Olympus"), ("--time-zone", "+01:00")])
def test_what_cannot_be_asked(gateway, words):
    with pytest.raises(ControlFailed) as failed:
        gateway.umpctl("stats", *words)
    assert failed.value.code == 64 and words[1] in failed.value.text


def test_a_zone_must_be_known(gateway, alice):
    for command in (("user", "set", alice.email, "--time-zone", "Europe/Atlantis"),
                    ("account", "set", "default", "--set", "time_zone=Europe/Atlantis")):
        with pytest.raises(ControlFailed) as failed:
            gateway.umpctl(*command)
        assert failed.value.code == 64 and "Europe/Atlantis" in failed.value.text
    assert gateway.umpctl("user", "set", alice.email, "--time-zone", "Europe/Berlin")["time_zone"] == "Europe/Berlin"
    assert gateway.umpctl("user", "set", alice.email, "--time-zone", "")["time_zone"] is None


# --- the digest
def is_digest(mail):
    return " received, " in str(mail["Subject"])


def mark(gateway):
    """The watermark of the digests: the first day that was not told of."""
    return gateway.sql("SELECT value FROM ump.watermarks WHERE name LIKE 'digest:%%'")


def yesterday(gateway):
    """A day passes: what happened, and what was told of, is a day older."""
    gateway.sql("UPDATE ump.unified_messages SET created_at = created_at - interval '1 day'")
    gateway.sql("UPDATE ump.watermarks SET value = value - 1 WHERE name LIKE 'digest:%%'")


@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [("receipts.daily_at=0s",)], indirect=True)
def test_a_digest_a_day_once(own_gateway):
    gateway = own_gateway
    alice, bob = gateway.user("alice"), gateway.user("bob")
    gateway.umpctl("user", "set", alice.email, "--time-zone", "Asia/Tokyo")
    told, silent = alice.endpoint(), bob.endpoint()
    gateway.umpctl("endpoint", "set", told.id, "--set", "digest=yes")
    contact = gateway.number()
    gateway.sim.inbound(contact, silent.number, "to bob")
    a_day(gateway, alice, told, contact)
    gateway.sql("UPDATE ump.deliveries SET cost = 4000, currency = 'USD' WHERE endpoint_id = %s", told.id)
    wait_until(lambda: mark(gateway), "the first look", 30)
    assert not [mail for mail in alice.inbox.all() if is_digest(mail)]     # today is not over
    day = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=9))).date() - datetime.timedelta(days=1)
    yesterday(gateway)
    mail = alice.inbox.wait(is_digest, timeout=40)
    assert str(mail["Subject"]) == f"{day}: 2 received, 2 sent, 1 failed" and mail["Auto-Submitted"]
    text = " ".join(mail.text.split())
    for words in (f"sms:{told.number} (telnyx), {day}", "Received: 2, in the mailbox after ", "Sent: 2 (3 SMS), taken by the provider",
                  "Delivered, as far as the network says: 2", "Failed: 1. - 1: ", "(40001)", "Cost: 0.0120 USD.", "midnight in Asia/Tokyo"):
        assert words in text, words
    assert silent.number not in text and not [mail for mail in bob.inbox.all() if is_digest(mail)]
    # again with new programs, and with a second day on which nothing happened
    gateway.restart_stack()
    alice.forget_sessions()
    gateway.sql("UPDATE ump.watermarks SET value = value - 1, scanned_at = '-infinity' WHERE name LIKE 'digest:%%'")
    gateway.sql("UPDATE ump.unified_messages SET created_at = created_at - interval '3 days'")
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.watermarks WHERE name LIKE 'digest:%%' AND scanned_at > '-infinity'"),
               "the next look", 40)
    assert gateway.sql("SELECT count(*) FROM ump.jobs WHERE kind = 'daily-digest'") == [(0,)]
    assert len([mail for mail in alice.inbox.all() if is_digest(mail)]) == 1


def digests(gateway, at="0"):
    return gateway.sql("SELECT ump.daily_digests(%s, 20)", at)[0][0]


@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [("bridge.roles=web,inbound,outbound",)], indirect=True)
def test_days_that_were_missed_and_a_team(own_gateway):
    """ump.daily_digests alone: what is due, for whom, and from when to when."""
    gateway = own_gateway
    gateway.umpctl("team", "add", "support", "--mailbox", "carol@msgs.test")
    gateway.umpctl("account", "set", "default", "--set", "time_zone=Europe/Berlin")
    line, contact = gateway.endpoint("team:support", digest="yes"), gateway.number()
    carol = gateway.user("carol")
    gateway.sim.inbound(contact, line.number, "hello")
    carol.inbox.wait()
    wait_until(lambda: mark(gateway), "the first look", 30)
    gateway.stop_service("ump-bridge")
    gateway.sql("UPDATE ump.watermarks SET value = value - 30 WHERE name LIKE 'digest:%%'")
    for back in (2, 5, 9):     # of nine days ago nobody is told any more
        gateway.sql("INSERT INTO ump.unified_messages (account_id, id, conversation_id, direction, sender_kind, endpoint_id, channel,"
                    " from_address, mail_message_id, occurred_at, created_at) SELECT account_id, gen_random_uuid(), conversation_id,"
                    " direction, sender_kind, endpoint_id, channel, from_address, gen_random_uuid()::text, occurred_at,"
                    " created_at - make_interval(days => %s) FROM ump.unified_messages ORDER BY created_at DESC LIMIT 1", back)
    assert digests(gateway) == 1 and digests(gateway) == 0
    [(payload,)] = gateway.sql("SELECT payload FROM ump.jobs WHERE kind = 'daily-digest'")
    today = gateway.sql("SELECT (now() AT TIME ZONE 'Europe/Berlin')::date")[0][0]
    assert payload["to"] == ["carol@msgs.test"] and payload["zone"] == "Europe/Berlin"
    assert [record["day"] for record in payload["records"]] == [str(today - datetime.timedelta(days=back)) for back in (5, 2)]
    assert (payload["first"], payload["last"]) == (str(today - datetime.timedelta(days=7)), str(today - datetime.timedelta(days=1)))
