"""Statuses and reports: early, late, twice, gathered; copies; blocked contacts; media that come late or never."""
import base64
import os
import signal

import pytest

from tests.lib.conversation import PNG, is_report
from tests.lib.smtp import Refused
from tests.lib.wait import wait_until


def status_of(gateway, message_id):
    rows = gateway.sql("SELECT d.status FROM ump.deliveries d JOIN ump.unified_messages m"
                       " ON m.account_id = d.account_id AND m.id = d.message_id WHERE m.mail_message_id = %s", message_id)
    return rows[0][0] if rows else None


@pytest.mark.sanitize
def test_late_delivery_after_a_failure_is_told(gateway, alice, endpoint, contact):
    gateway.sim.add_rule(error="40001", to=contact, times=1, when="finalized")
    sent = alice.submit(gateway.address(contact), "will it arrive?")
    alice.inbox.wait(lambda mail: is_report(mail) and "Action: failed" in mail.raw.decode())
    entry = gateway.sim.wait_request(to=contact)
    gateway.sim.send_status(entry["id"], "delivered")
    late = alice.inbox.wait(lambda mail: is_report(mail) and "Action: delivered" in mail.raw.decode())
    assert "after all" in " ".join(late.text.split()) and sent["Message-ID"] in late["References"]
    assert status_of(gateway, sent["Message-ID"]) == "delivered"


def test_a_failure_is_reported_once_however_often_it_is_said(gateway, alice, endpoint, contact):
    gateway.sim.add_rule(error="40300", to=contact, times=1, when="finalized")
    alice.submit(gateway.address(contact), "to somebody who said STOP")
    alice.inbox.wait(is_report)
    entry = gateway.sim.wait_request(to=contact)
    for _ in range(3):
        gateway.sim.send_status(entry["id"], "delivery_failed")
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.jobs WHERE endpoint_id = %s OR message_id IN (SELECT message_id"
                                   " FROM ump.deliveries WHERE endpoint_id = %s)", endpoint.id, endpoint.id) == [(0,)], "all to be read")
    assert len([mail for mail in alice.inbox.all() if is_report(mail)]) == 1
    # the provider's list of opt-outs is ours too
    rows = gateway.sql("SELECT count(*) FROM ump.message_opt_outs WHERE identifier = %s", contact)
    assert rows == [(1,)]


def test_notify_never_makes_no_report(gateway, alice, endpoint, contact):
    gateway.sim.add_rule(error="40001", to=contact, times=1, when="finalized")
    sent = alice.submit(gateway.address(contact), "do not tell me", rcpt_options=["NOTIFY=NEVER"])
    wait_until(lambda: status_of(gateway, sent["Message-ID"]) == "failed", "the failure")
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.jobs WHERE queue = 'receipts' AND message_id IN (SELECT id"
                                   " FROM ump.unified_messages WHERE mail_message_id = %s)", sent["Message-ID"]) == [(0,)],
               "the receipts queue to be empty")
    assert not [mail for mail in alice.inbox.all() if is_report(mail)]


def test_a_status_before_we_know_the_message_is_parked(gateway, alice, endpoint, contact):
    """An unknown message's status is kept and tried again (FAILURES I13)."""
    event = gateway.sim._event("message.finalized", {
        "id": "11111111-2222-3333-4444-555555555555", "record_type": "message", "direction": "outbound", "type": "SMS",
        "from": {"phone_number": endpoint.number}, "to": [{"phone_number": contact, "status": "delivered"}], "errors": []})
    assert gateway.sim.post_event(endpoint.webhook_url, event) == 200
    wait_until(lambda: gateway.sql("SELECT error FROM ump.jobs WHERE endpoint_id = %s AND kind = 'status' AND state = 4",
                                   endpoint.id) == [("no such message yet",)], "the status to be parked")


@pytest.mark.parametrize("own_gateway", [("receipts.digest_above=3", "receipts.digest_interval=6s", "receipts.summary_wait=8s",
                                          "receipts.summary_above=4", "caps.user_per_hour=0")], indirect=True)
def test_many_failures_are_gathered(own_gateway):
    gateway = own_gateway
    alice, bob = gateway.user("alice"), gateway.user("bob")
    alice.endpoint(), bob.endpoint()
    gateway.sim.add_rule(error="40001", when="finalized", times=1000)
    # one mail to six people: one report of six
    numbers = [gateway.number() for _ in range(6)]
    alice.submit([gateway.address(number) for number in numbers], "to all of you")
    report = alice.inbox.wait(is_report, timeout=40)
    told = report.raw.decode()
    assert told.count("Action: failed") == 6 and all(number in told for number in numbers)
    # seven mails: three reports, the others in a digest
    numbers = [gateway.number() for _ in range(7)]
    for number in numbers:
        bob.submit(gateway.address(number), "is anybody there?")
    wait_until(lambda: all(any(number in mail.raw.decode() for mail in bob.inbox.all()) for number in numbers),
               "all to be told", 40)
    assert 4 <= len(bob.inbox.uids()) <= 6
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.jobs WHERE kind <> 'keyword'") == [(0,)], "no job to be left")


def test_a_blocked_contact_is_stored_but_not_shown(gateway, alice, endpoint, contact):
    gateway.sim.inbound(contact, endpoint.number, "before")
    alice.inbox.wait()
    gateway.umpctl("contact", "block", contact, "--owner", alice.email)
    gateway.sim.inbound(contact, endpoint.number, "while blocked")
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.unified_messages WHERE from_address = %s", contact) == [(2,)],
               "the message to be stored")
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.jobs WHERE endpoint_id = %s", endpoint.id) == [(0,)], "no job")
    assert len(alice.inbox.uids()) == 1


def test_stop_is_shown_as_mail_too(gateway, alice, endpoint, contact):
    gateway.sim.inbound(contact, endpoint.number, "STOP")
    assert alice.inbox.wait().text == "STOP"


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest/meta-data", "http://127.0.0.1:1/x.png", "file:///etc/passwd",
                                 "http://[::ffff:127.0.0.1]/x", "gopher://x/", "https://evil.example.net/x.png",
                                 "http://2130706433/x", "not a url"])
def test_media_elsewhere_are_not_fetched(gateway, alice, endpoint, contact, url):
    media = {"url": url, "content_type": "image/png", "size": 5, "sha256": "0" * 64}
    gateway.sim.inbound(contact, endpoint.number, "look at this", media=[media])
    mail = alice.inbox.wait(timeout=15)
    assert "look at this" in mail.text and "unavailable" in mail.text.lower()
    assert not mail.attachments


def test_media_larger_than_the_limit_are_a_stub(gateway, alice, endpoint, contact):
    huge = {"name": "huge.mp4", "content_type": "video/mp4", "content": base64.b64encode(bytes(27 * 1024 * 1024)).decode()}
    gateway.sim.inbound(contact, endpoint.number, "a film", media=[huge])
    mail = alice.inbox.wait(timeout=40)
    assert "a film" in mail.text and "larger than 25 MB" in mail.text.replace(" \n", "")


@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [("inbound.media_wait=2s", "inbound.retry_min=1s")], indirect=True)
def test_text_does_not_wait_for_media_that_come_late(own_gateway):
    gateway = own_gateway
    alice = gateway.user("alice")
    item = gateway.sim.add_media("late.png", PNG, "image/png")
    path = item["url"][len(gateway.sim.url):]
    held = gateway.sim.media.pop(path)
    # 404 would be final after some seconds: nobody listens on this port at first
    import socket
    shadow = socket.socket()
    shadow.bind(("127.0.0.1", 0))
    port = shadow.getsockname()[1]
    endpoint, contact = alice.endpoint(base_url=f"http://127.0.0.1:{port}/v2"), gateway.number()
    gateway.sim.inbound(contact, endpoint.number, "the picture is late",
                        media=[{**item, "url": f"http://127.0.0.1:{port}{path}"}])
    first = alice.inbox.wait(timeout=30)
    assert "the picture is late" in first.text and "follow" in first.text and not first.attachments
    import http.server
    import threading

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", held[1])
            self.end_headers()
            self.wfile.write(held[0])

        def log_message(self, *_):
            pass
    shadow.close()
    server = http.server.HTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    second = alice.inbox.wait(lambda mail: mail.uid != first.uid, timeout=60)
    server.shutdown()
    assert [part.get_payload(decode=True) for part in second.message.walk() if part.get_content_type() == "image/png"] == [PNG]
    assert second["UMP-Conversation-ID"] == first["UMP-Conversation-ID"] and first["Message-ID"] in second["References"]
    assert gateway.sql("SELECT count(*) FROM ump.jobs WHERE kind <> 'keyword'") == [(0,)]


def test_a_cap_is_told_to_those_who_administer(gateway, people):
    admin, robot = people(), people()
    gateway.umpctl("user", "set", admin.email, "--role", "admin")
    endpoint = robot.endpoint()
    gateway.umpctl("sender", "add", "--login", robot.email, "--endpoint", endpoint.id, "--rate", "1/h")
    robot.submit(gateway.address(gateway.number()), "the first")
    gateway.sim.wait_request(text="the first")
    with pytest.raises(Refused):
        robot.submit(gateway.address(gateway.number()), "one too many")
    mail = admin.inbox.wait(lambda mail: str(mail["Subject"]) == f"Limit reached: {robot.email}")
    assert "its rate" in mail.text and mail["Auto-Submitted"] == "auto-generated"


@pytest.mark.sanitize
@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [("inbound.lease=1s", "inbound.heartbeat=10m", "inbound.poll=200ms")], indirect=True)
def test_jobs_whose_lease_runs_out_under_way_go_on_once(own_gateway):
    """As after a minute without the database: they are claimed again by the worker that has them in hand. (Their order is
    that of the lane, but where a delivery that was given up goes on in a stopped ump-lmtp.)"""
    gateway = own_gateway
    alice = gateway.user("alice")
    line, contact, other = alice.endpoint(), gateway.number(), gateway.number()
    lmtp = gateway.pid("ump-lmtp")
    os.kill(lmtp, signal.SIGSTOP)
    try:
        for index in range(6):
            gateway.sim.inbound(contact, line.number, f"early {index}")
            gateway.sim.inbound(other, line.number, f"other {index}")
        claimed_again = "SELECT count(*) FROM ump.jobs WHERE queue = 'inbound' AND fence > %s AND state = 2"
        wait_until(lambda: gateway.sql(claimed_again, 1) >= [(12,)], "all to be claimed again")
        for index in range(3):
            gateway.sim.inbound(contact, line.number, f"late {index}")
        wait_until(lambda: gateway.sql(claimed_again, 3) >= [(12,)], "and again")
    finally:
        os.kill(lmtp, signal.SIGCONT)
    mails = [mail.text for mail in alice.inbox.wait_all(count=15, timeout=60)]
    assert sorted(mails) == sorted([*(f"early {index}" for index in range(6)), *(f"late {index}" for index in range(3)),
                                    *(f"other {index}" for index in range(6))])
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.jobs WHERE kind <> 'keyword'") == [(0,)], "an empty queue")
    assert "set-aside" not in gateway.log("ump-bridge")
