"""Parts that are down: ordinary mail flows, gateway mail waits, webhooks are kept; nothing lost or doubled."""
import os
import time

import pytest

from tests.lib.smtp import compose
from tests.lib.wait import wait_until

pytestmark = pytest.mark.guarantee

SECONDS = float(os.environ.get("UMP_OUTAGE_SECONDS", "8"))
SETTINGS = ["inbound.retry_min=500ms", "inbound.poll=1s", "outbound.poll=1s"]


def stamps(mail):
    return [name for name in mail.message.keys() if name.lower() == "ump-stamp"]


@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [SETTINGS], indirect=True)
@pytest.mark.parametrize("bridge", [False, True], ids=["", "bridge-restarted-meanwhile"])
def test_postgresql_is_down(own_gateway, bridge):
    gateway = own_gateway
    alice, contact = gateway.user("alice"), gateway.number()
    endpoint = alice.endpoint()
    gateway.sim.inbound(contact, endpoint.number, "before")
    alice.inbox.wait(lambda mail: mail.text == "before")
    gateway.stop_service("postgres")
    stopped = time.monotonic()

    # Ordinary mail, from outside and submitted, is delivered at once.
    gateway.deliver_outside(alice.email, compose("friend@outside.test", [alice.email], "ordinary from outside"))
    alice.submit("bob@msgs.test", "ordinary submitted")
    started = time.monotonic()
    outside = alice.inbox.wait(lambda mail: mail.text == "ordinary from outside", timeout=10)
    gateway.user("bob").inbox.wait(lambda mail: mail.text == "ordinary submitted", timeout=10)
    assert time.monotonic() - started < 6
    assert not stamps(outside)
    # Gateway mail waits in Postfix's queue.
    alice.submit(gateway.address(contact), "waits")
    wait_until(lambda: any(gateway.address(contact) in str(entry) for entry in gateway.queue()), "it to be queued")
    # Webhooks are answered from the journal.
    webhooks = [gateway.sim.inbound(contact, endpoint.number, f"during {index}") for index in range(5)]
    assert [answer["status"] for answer in webhooks] == [200] * 5
    if bridge:
        gateway.kill("ump-bridge", wait=False)
        wait_until(lambda: gateway.services()["ump-bridge"]["pid"], "the bridge to run again")
    time.sleep(max(0, stopped + SECONDS - time.monotonic()))  # the outage lasts so long

    gateway.start_service("postgres")
    if bridge:
        gateway.stack.wait_ready("ump-bridge")
    alice.inbox.wait_all(lambda mail: mail.text.startswith("during"), 5, 60, "webhooks of the outage")
    gateway.sim.wait_request(to=contact, text="waits", timeout=60)
    wait_until(lambda: not gateway.queue(), "the queue to be empty", 60)
    # Indexed afterwards, for both mailboxes.
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.mail_ids WHERE mail_id IN (%s, %s)",
                                   outside["Message-ID"], outside["Message-ID"].strip("<>"))[0][0] >= 1, "the index", 90, 0.5)
    texts = [mail.text for mail in alice.inbox.all()]
    assert sorted(text for text in texts if text.startswith("during")) == [f"during {index}" for index in range(5)]
    assert texts.count("ordinary from outside") == 1
    assert [e["request"]["text"] for e in gateway.sim.accepted] == ["waits"]


@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [SETTINGS], indirect=True)
def test_milter_is_down(own_gateway):
    """Port 25 accepts, submission waits, and what came unstamped is refused at the door."""
    gateway = own_gateway
    alice, contact = gateway.user("alice"), gateway.number()
    alice.endpoint()
    gateway.stop_service("ump-milter")
    forged = compose("friend@outside.test", [alice.email], "ordinary", UMP_Stamp="1 2 3", UMP_Header="v=1")
    gateway.deliver_outside(alice.email, forged)
    mail = alice.inbox.wait(lambda mail: mail.text == "ordinary")
    assert [name for name in mail.message.keys() if name.lower() in ("ump-stamp", "ump-header")] == []
    with pytest.raises(Exception) as caught:
        alice.submit(gateway.address(contact), "waits at the client")
    assert 400 <= getattr(caught.value, "code", getattr(caught.value, "smtp_code", 400)) < 500
    gateway.start_service("ump-milter")
    alice.submit(gateway.address(contact), "goes")
    gateway.sim.wait_request(to=contact, text="goes")
    assert len(gateway.sim.accepted) == 1


@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [SETTINGS], indirect=True)
def test_lmtp_and_dovecot_are_down(own_gateway):
    gateway = own_gateway
    alice, contact = gateway.user("alice"), gateway.number()
    endpoint = alice.endpoint()
    for name in ("ump-lmtp", "dovecot"):
        gateway.stop_service(name)
        assert gateway.sim.inbound(contact, endpoint.number, f"without {name}")["status"] == 200
        gateway.deliver_outside(alice.email, compose("friend@outside.test", [alice.email], f"mail without {name}"))
        wait_until(gateway.queue, "the mail to wait")
        gateway.start_service(name)
        alice.forget_sessions()
        alice.inbox.wait(lambda mail: mail.text == f"without {name}", timeout=60)
        alice.inbox.wait(lambda mail: mail.text == f"mail without {name}", timeout=60)
    assert len(alice.inbox.uids()) == 4


@pytest.mark.destructive
def test_down_and_up_lose_nothing_that_was_acknowledged(own_gateway):
    gateway = own_gateway
    alice, contact = gateway.user("alice"), gateway.number()
    endpoint = alice.endpoint()
    gateway.stop_service("ump-lmtp")
    gateway.sim.inbound(contact, endpoint.number, "kept")
    gateway.restart_stack()
    alice.forget_sessions()
    alice.inbox.wait(lambda mail: mail.text == "kept", timeout=60)
    alice.submit(gateway.address(contact), "and back")
    gateway.sim.wait_request(to=contact, text="and back")
