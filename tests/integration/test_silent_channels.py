"""An endpoint that should speak and does not: its owner is told once, and once more when it is well again."""
import urllib.request

import pytest

from tests.lib.wait import wait_until
from tests.sim import twilio, whatsapp


def metric(gateway, name):
    with urllib.request.urlopen(f"{gateway.url}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return int(next(line for line in text.splitlines() if line.startswith(f"{name} ")).split()[-1])


def looks(gateway, result):
    return metric(gateway, f'ump_endpoint_looks_total{{result="{result}"}}')


def silent(mail):
    return "seems to be cut off" in str(mail["Subject"])


def back(mail):
    return "is well again" in str(mail["Subject"])


def more_looks(gateway, result, count=3):
    before = looks(gateway, result)
    wait_until(lambda: looks(gateway, result) >= before + count, f"{count} more looks", 60)


@pytest.mark.sanitize
@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [()], indirect=True)
def test_a_provider_that_refuses_is_told_once_and_its_return_too(own_gateway):
    gateway = own_gateway
    alice = gateway.user("alice")
    line = alice.endpoint(watch="1s")
    more_looks(gateway, "well")
    assert alice.inbox.all() == []
    key, gateway.sim.api_key = gateway.sim.api_key, "KEY_OF_SOMEBODY_ELSE"
    told = alice.inbox.wait(silent, timeout=60)
    assert line.number in str(told["Subject"]) and "umpctl endpoint test" in told.text and "does not accept the API key" in " ".join(told.text.split())
    assert "notice.msgs.test" in str(told["From"]) and told["Auto-Submitted"]
    more_looks(gateway, "fault")
    wait_until(lambda: metric(gateway, "ump_endpoints_cut_off") == 1, "the metric", 30)
    gateway.sim.api_key = key
    alice.inbox.wait(back, timeout=60)
    wait_until(lambda: metric(gateway, "ump_endpoints_cut_off") == 0, "the metric", 30)
    more_looks(gateway, "well")
    assert [silent(mail) for mail in alice.inbox.all()] == [True, False]


@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [()], indirect=True)
def test_silence_is_a_fault_where_the_endpoint_says_so(own_gateway):
    gateway = own_gateway
    alice = gateway.user("alice")
    line, contact = alice.endpoint(watch="1s", silent_after="1h"), gateway.number()
    gateway.sql("UPDATE ump.endpoints SET created_at = created_at - interval '2 hours' WHERE id = %s", line.id)
    told = alice.inbox.wait(silent, timeout=60)
    assert "has told us nothing for longer" in " ".join(told.text.split())
    gateway.sim.inbound(contact, line.number, "here I am")
    alice.inbox.wait(back, timeout=60)


@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [()], indirect=True)
def test_nobody_is_asked_where_watch_is_off(own_gateway):
    gateway = own_gateway
    alice, bob = gateway.user("alice"), gateway.user("bob")
    quiet, watched = alice.endpoint(watch="0"), bob.endpoint(watch="1s")
    more_looks(gateway, "well")
    looked_at = gateway.sql("SELECT e.id::text FROM ump.watermarks w JOIN ump.endpoints e ON w.name = 'watch:' || e.id"
                            " WHERE w.scanned_at > e.created_at")
    assert looked_at == [(watched.id,)] and quiet.id


PROVIDERS = {"twilio": (twilio, "auth_token", "sms"), "whatsapp_cloud": (whatsapp, "access_token", "whatsapp")}


@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [()], indirect=True)
def test_every_provider_is_asked(own_gateway):
    gateway = own_gateway
    alice = gateway.user("alice")
    for name, (module, key, channel) in PROVIDERS.items():
        with module.Simulator(retry_base=0.2) as sim:
            line = gateway.declare(module, sim, alice, watch="1s")
            more_looks(gateway, "well")
            right = getattr(sim, key)
            setattr(sim, key, "of_somebody_else")
            told = alice.inbox.wait(lambda mail, number=line.number: silent(mail) and number in str(mail["Subject"]), timeout=60)
            assert f"{channel}:{line.number} at {name} may not arrive" in " ".join(told.text.split()), told.text
            setattr(sim, key, right)
            alice.inbox.wait(lambda mail, number=line.number: back(mail) and number in str(mail["Subject"]), timeout=60)
        # and when nobody is there at all
        alice.inbox.wait_all(lambda mail, number=line.number: silent(mail) and number in str(mail["Subject"]), 2, timeout=60)
        gateway.umpctl("endpoint", "disable", line.id)
        wait_until(lambda: metric(gateway, "ump_endpoints_cut_off") == 0, "a disabled endpoint not to count", 30)


def test_one_program_looks_at_a_time(gateway, endpoint):
    account, = gateway.sql("SELECT account_id FROM ump.endpoints WHERE id = %s", endpoint.id)[0]
    # the program's own first look; its next one is some minutes away
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.watermarks WHERE name = 'watch:' || %s", endpoint.id), "the first look")
    gateway.sql("UPDATE ump.watermarks SET scanned_at = scanned_at - interval '1 day' WHERE name = 'watch:' || %s", endpoint.id)
    asked = [gateway.sql("SELECT due FROM ump.watch_begin(%s, %s, '1 hour', NULL)", account, endpoint.id)[0][0] for _ in range(3)]
    assert asked == [True, False, False]
