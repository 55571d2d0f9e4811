"""The outbound worker: every failure of a request, order, pace, leases, outages. Nothing is sent twice."""
import os
import signal
import socket
import time

import pytest

from tests.conftest import finish, stack_directory
from tests.lib.gateway import Gateway
from tests.lib.outbox import Outbox
from tests.lib.wait import wait_until

SETTINGS = ["outbound.lease=6s", "outbound.heartbeat=1s", "outbound.poll=1s", "outbound.retry_min=300ms", "outbound.retry_max=2s",
            "outbound.request_timeout=2s", "outbound.uncertain_notice=4s"]


@pytest.fixture(scope="module")
def quick_gateway():
    """A stack whose outbound worker is impatient."""
    gateway = Gateway(stack_directory(), settings=SETTINGS).start()
    yield gateway
    finish(gateway)


@pytest.fixture
def outbox(quick_gateway):
    quick_gateway.sim.reset()
    quick_gateway.sim.slow_seconds = 3.0
    return Outbox(quick_gateway, quick_gateway.endpoint(quick_gateway.person().email, rate=0))


# --- what an answer, or none, means

TAKEN = ["accept-then-drop", "accept-then-reset", "accept-then-500", "accept-half-body", "slow-after-accept", "slow"]


@pytest.mark.threads
@pytest.mark.parametrize("mode", TAKEN)
def test_taken_without_an_answer(outbox, mode):
    """Uncertain until the status callback, which carries our attempt; never sent again."""
    sim, number = outbox.gateway.sim, outbox.gateway.number()
    sim.statuses_on = False
    sim.add_rule(mode=mode, to=number, times=1)
    message = outbox.add(number, mode)
    outbox.wait(message, "uncertain")
    sim.statuses_on = True
    entry = sim.wait_request(to=number)
    sim.send_status(entry["id"], "delivered")
    outbox.wait(message, "delivered")
    assert outbox.accepted(number) == [mode] and outbox.rows() == []
    assert outbox.attempts(message) == ["accepted"]


@pytest.mark.parametrize("mode", ["500-before-accept", "503-before-accept", "reset-before-accept"])
def test_not_taken_but_who_knows(outbox, mode):
    """Uncertain, and after a while the sender is asked; what comes after it is not held up."""
    number = outbox.gateway.number()
    outbox.gateway.sim.add_rule(mode=mode, to=number, times=1)
    message = outbox.add(number, mode)
    outbox.wait(message, "uncertain")
    after = outbox.add(number, "the next")
    outbox.wait(after, "sent", "delivered")
    wait_until(lambda: outbox.gateway.sql("SELECT 1 FROM ump.notices WHERE message_id = %s AND kind = 'uncertain'", message),
               "the sender to be asked")
    assert outbox.accepted(number) == ["the next"] and outbox.delivery(message) == "uncertain" and outbox.rows() == []


@pytest.mark.parametrize("on_unknown,status,times", [("never", "failed", 0), ("resend", "delivered", 1)])
def test_endpoint_decides_about_the_unknown(outbox, on_unknown, status, times):
    number = outbox.gateway.number()
    outbox.gateway.umpctl("endpoint", "set", outbox.endpoint.id, "--set", f"on_unknown={on_unknown}")
    outbox.gateway.sim.add_rule(mode="500-before-accept", to=number, times=1)
    message = outbox.add(number, on_unknown)
    outbox.wait(message, status)
    assert outbox.accepted(number) == [on_unknown] * times


@pytest.mark.sanitize
def test_too_many_requests(outbox):
    number = outbox.gateway.number()
    outbox.gateway.sim.add_rule(mode="429", to=number, times=2)
    began = time.monotonic()
    message = outbox.add(number, "later")
    outbox.wait(message, "delivered")
    assert time.monotonic() - began > 2  # Retry-After: 1, twice
    assert outbox.attempts(message) == ["retry", "retry", "accepted"] and outbox.accepted(number) == ["later"]


@pytest.mark.parametrize("code", ["40310", "40002", "40305"])
def test_refused(outbox, code):
    number = outbox.gateway.number()
    outbox.gateway.sim.add_rule(error=code, to=number, when="request", times=1)
    message = outbox.add(number, "no")
    outbox.wait(message, "failed")
    assert outbox.delivery(message, "error_code") == code and outbox.accepted(number) == []


def test_opt_out_at_the_provider_is_learnt(outbox):
    number = outbox.gateway.number()
    outbox.gateway.sim.add_rule(error="40300", to=number, when="request", times=1)
    message = outbox.add(number, "no")
    outbox.wait(message, "failed")
    assert "STOP" in outbox.delivery(message, "error_text")
    assert outbox.gateway.sql("SELECT source FROM ump.message_opt_outs WHERE identifier = %s", number) == [("provider",)]


def test_trouble_of_the_sender_holds_the_endpoint(outbox):
    """A wrong key loses no message; they leave when it is mended."""
    gateway = outbox.gateway
    gateway.umpctl("endpoint", "set", outbox.endpoint.id, "--secret", "api_key=WRONG")
    numbers = [gateway.number() for _ in range(5)]
    messages = [outbox.add(number, "wait") for number in numbers]
    wait_until(lambda: gateway.sql("SELECT held_why FROM ump.endpoints WHERE id = %s AND held_until > now()", outbox.endpoint.id),
               "the endpoint to be held")
    assert {outbox.delivery(message) for message in messages} <= {"queued", "sending"} and outbox.accepted() == []
    gateway.umpctl("endpoint", "set", outbox.endpoint.id, "--secret", f"api_key={gateway.sim.api_key}")
    gateway.sql("UPDATE ump.outbox SET due_at = now() WHERE endpoint_id = %s AND state = 4", outbox.endpoint.id)
    for message in messages:
        outbox.wait(message, "delivered")
    assert len(outbox.accepted()) == 5


def test_provider_out_of_reach(outbox):
    """Nothing left our side: tried again by itself, through the circuit breaker."""
    gateway = outbox.gateway
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{held.getsockname()[1]}/v2"
        gateway.umpctl("endpoint", "set", outbox.endpoint.id, "--set", f"base_url={dead}")
        messages = [outbox.add(gateway.number(), "patience") for _ in range(12)]
        wait_until(lambda: sum(outbox.attempts(message).count("retry") for message in messages) >= 5, "some tries")
    gateway.umpctl("endpoint", "set", outbox.endpoint.id, "--set", f"base_url={gateway.sim.base_url}")
    for message in messages:
        outbox.wait(message, "delivered")
    assert outbox.accepted() == ["patience"] * 12


def test_what_no_provider_can_carry_is_refused_with_a_sentence(outbox):
    message = outbox.add(outbox.gateway.number(), "x" * 1601)
    outbox.wait(message, "failed")
    assert outbox.delivery(message, "error_text") == "the text is longer than 1600 characters"


def test_expired(outbox):
    message = outbox.add(outbox.gateway.number(), "too late", expires="-1 second")
    outbox.wait(message, "expired")
    assert outbox.accepted() == [] and outbox.rows() == []


# --- order and pace

@pytest.mark.threads
def test_order_per_contact(outbox):
    """Many contacts at once, with refusals in between that are tried again: each sees his in order."""
    gateway = outbox.gateway
    numbers = [gateway.number() for _ in range(6)]
    for number in numbers[:3]:
        gateway.sim.add_rule(mode="429", to=number, text="text 04", times=1)
    last = []
    for index in range(12):
        last = [outbox.add(number, f"text {index:02d}") for number in numbers]
    for message in last:
        outbox.wait(message, "sent", "delivered", timeout=60)
    for number in numbers:
        assert outbox.accepted(number) == [f"text {index:02d}" for index in range(12)]


def test_pace_of_an_endpoint(outbox):
    gateway = outbox.gateway
    gateway.umpctl("endpoint", "set", outbox.endpoint.id, "--set", "rate=4", "--set", "burst=1")
    messages = [outbox.add(gateway.number(), "paced") for _ in range(7)]
    began = time.monotonic()
    for message in messages:
        outbox.wait(message, "sent", "delivered")
    assert 1.2 < time.monotonic() - began < 15


def test_pace_of_a_pair(outbox):
    gateway = outbox.gateway
    gateway.umpctl("endpoint", "set", outbox.endpoint.id, "--set", "pair_rate=1")
    busy, calm = gateway.number(), gateway.number()
    slow = [outbox.add(busy, f"busy {index}") for index in range(3)]
    other = outbox.add(calm, "calm")
    outbox.wait(other, "sent", "delivered")
    assert outbox.accepted(busy) != ["busy 0", "busy 1", "busy 2"]  # still under way, and in nobody's way
    outbox.wait(slow[-1], "sent", "delivered")
    assert outbox.accepted(busy) == ["busy 0", "busy 1", "busy 2"]


# --- leases and ends

def bridge(gateway):
    return gateway.pid("ump-bridge")


@pytest.mark.sanitize
@pytest.mark.threads
def test_killed_with_requests_under_way(outbox):
    """kill -9: what was begun is uncertain at once after the restart, what was not leaves by itself."""
    gateway = outbox.gateway
    gateway.sim.set_modes(slow_after_accept=1.0)
    messages = [outbox.add(gateway.number(), f"k{index}") for index in range(5)]
    wait_until(lambda: len(outbox.accepted()) == 5, "all to be under way")
    gateway.kill("ump-bridge")
    gateway.sim.set_modes()
    for message in messages:
        outbox.wait(message, "delivered")  # by callbacks
    more = outbox.add(gateway.number(), "after")
    outbox.wait(more, "delivered")
    assert sorted(outbox.accepted()) == ["after", "k0", "k1", "k2", "k3", "k4"] and outbox.rows() == []


def test_stopped_process_wakes_up_late(outbox):
    """SIGSTOP over the end of its lease: another worker rescues; nothing is sent again, a late answer is but a fact."""
    gateway = outbox.gateway
    number = gateway.number()
    gateway.sim.statuses_on = False
    gateway.sim.slow_seconds = 1.0
    gateway.sim.add_rule(mode="slow-after-accept", to=number, times=1)
    message = outbox.add(number, "zombie")
    gateway.sim.wait_request(to=number)
    pid = bridge(gateway)
    os.kill(pid, signal.SIGSTOP)
    try:
        wait_until(lambda: gateway.sql("SELECT 1 FROM ump.outbox WHERE message_id = %s AND lease_until < clock_timestamp()", message),
                   "the lease to end", 20)
        gateway.sql("SELECT * FROM ump.outbox_rescue(NULL, '1 hour', NULL)")
        assert outbox.delivery(message) == "uncertain"
    finally:
        os.kill(pid, signal.SIGCONT)
    gateway.sim.send_status(gateway.sim.wait_request(to=number)["id"], "delivered")
    outbox.wait(message, "delivered")
    after = outbox.add(number, "after")
    outbox.wait(after, "sent")
    assert outbox.accepted(number) == ["zombie", "after"] and outbox.rows() == []
    assert outbox.attempts(message) == ["accepted"]


@pytest.mark.sanitize
@pytest.mark.threads
def test_orderly_stop(outbox):
    """What is under way is waited for, the rest is given back: nothing is uncertain afterwards."""
    gateway = outbox.gateway
    gateway.sim.slow_seconds = 1.0
    gateway.sim.set_modes(slow_after_accept=1.0)
    messages = [outbox.add(gateway.number(), f"s{index}") for index in range(60)]
    wait_until(lambda: len(outbox.accepted()) >= 10, "many to be under way")
    gateway.stop_service("ump-bridge")
    states = {state for _, state, _, _ in outbox.rows()}
    assert states <= {1}, states
    assert gateway.sql("SELECT count(*) FROM ump.attempts WHERE outcome IS DISTINCT FROM 'accepted' AND message_id = ANY (%s::uuid[])",
                       messages) == [(0,)]
    gateway.sim.set_modes()
    gateway.start_service("ump-bridge")
    for message in messages:
        outbox.wait(message, "sent", "delivered", timeout=60)
    assert sorted(outbox.accepted()) == sorted(f"s{index}" for index in range(60))


@pytest.mark.parametrize("killed", [False, True])
def test_answer_while_the_database_is_down(outbox, killed):
    """The result is kept on disk until the database takes it, over our own end too (FAILURES O10)."""
    gateway = outbox.gateway
    number = gateway.number()
    gateway.sim.statuses_on = False
    gateway.sim.slow_seconds = 1.5
    gateway.sim.add_rule(mode="slow-after-accept", to=number, times=1)
    message = outbox.add(number, "kept")
    gateway.sim.wait_request(to=number)
    before = len(gateway.log("ump-bridge"))
    gateway.stop_service("postgres")
    try:
        wait_until(lambda: "status=accepted" in gateway.log("ump-bridge")[before:], "the answer")
        wait_until(lambda: "status=journaled" in gateway.log("ump-bridge")[before:], "the journal", 20)
        if killed:
            killed_pid = gateway.pid("ump-bridge")
            gateway.kill("ump-bridge", wait=False)
            wait_until(lambda: gateway.pid("ump-bridge") not in (None, killed_pid), "the bridge to run again")
    finally:
        gateway.start_service("postgres")
    gateway.stack.wait_ready("ump-bridge", 30)
    outbox.wait(message, "sent", timeout=40)
    assert outbox.attempts(message) == ["accepted"] and outbox.accepted(number) == ["kept"]
    assert outbox.rows() == []
