"""What is read in the mailbox is read on the network, where the endpoint has read_receipts on."""
import json
import os
import tempfile
import urllib.error
import urllib.request

import pytest

from tests.lib.conversation import declare_signal
from tests.lib.gateway import Person
from tests.lib.wait import wait_until
from tests.sim import signal_cli, whatsapp
from tests.sim.signal_cli import uuid_of


@pytest.fixture(scope="module")
def sim():
    with whatsapp.Simulator(retry_base=0.2) as sim:
        yield sim


def read(box, mail):
    assert box.session.uid("STORE", str(mail.uid), "+FLAGS", "(\\Seen)")[0] == "OK"


def arrived(box, text):
    return box.wait(lambda mail: mail.text == text)


def waits(gateway, line):
    return gateway.sql("SELECT count(*) FROM ump.read_waits WHERE endpoint_id = %s", line.id)[0][0]


def marks(sim, *ids):
    return [request["message_id"] for request in sim.reads if request["message_id"] in ids]


@pytest.mark.cell("whatsapp_cloud", "whatsapp", "out", "read")
@pytest.mark.sanitize
def test_read_in_imap_is_read_on_whatsapp(gateway, sim, alice, contact):
    line = gateway.declare(whatsapp, sim, alice, read_receipts="yes")
    first = sim.inbound(contact, line.number, "one")["message_id"]
    mail = arrived(alice.inbox, "one")
    second = sim.inbound(contact, line.number, "two")["message_id"]
    arrived(alice.inbox, "two")
    # Dovecot was asked, and the mail is not read: nothing is told.
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.read_waits WHERE endpoint_id = %s AND due_at > created_at + interval '6 s'", line.id),
               "a first look")
    assert marks(sim, first, second) == []
    read(alice.inbox, mail)
    wait_until(lambda: marks(sim, first), "the read mark")
    wait_until(lambda: waits(gateway, line) == 1, "only the other to wait")
    assert marks(sim, first, second) == [first]
    assert next(request for request in sim.reads if request["message_id"] == first) == {
        "messaging_product": "whatsapp", "status": "read", "message_id": first}


def test_one_mark_for_all_that_were_read_together(gateway, sim, alice, contact):
    line = gateway.declare(whatsapp, sim, alice, read_receipts="yes")
    with_ids = [sim.inbound(contact, line.number, f"message {index}")["message_id"] for index in range(3)]
    mails = [arrived(alice.inbox, f"message {index}") for index in range(3)]
    gateway.stop_service("ump-bridge")      # while nobody listens
    for mail in mails:
        read(alice.inbox, mail)
    gateway.start_service("ump-bridge")
    wait_until(lambda: waits(gateway, line) == 0, "all to be told")
    assert marks(sim, *with_ids) == [with_ids[-1]]


def test_off_by_default(gateway, sim, alice, people, contact):
    line, other = gateway.declare(whatsapp, sim, alice), gateway.declare(whatsapp, sim, people(), read_receipts="yes")
    quiet = sim.inbound(contact, line.number, "quiet")["message_id"]
    read(alice.inbox, arrived(alice.inbox, "quiet"))
    assert waits(gateway, line) == 0
    gateway.umpctl("endpoint", "set", line.id, "--set", "read_receipts=yes")
    later = sim.inbound(contact, line.number, "later")["message_id"]
    read(alice.inbox, arrived(alice.inbox, "later"))
    wait_until(lambda: marks(sim, later), "the mark of the later one, which stands for the earlier too")
    assert marks(sim, quiet) == [] and waits(gateway, other) == 0


def test_foreign_mail_and_another_mailbox_are_no_concern(gateway, sim, alice, people, contact):
    line, bob = gateway.declare(whatsapp, sim, alice, read_receipts="yes"), people()
    wamid = sim.inbound(contact, line.number, "hello")["message_id"]
    mail = arrived(alice.inbox, "hello")
    gateway.deliver_outside(alice.email, b"From: x@outside.test\r\nMessage-ID: <foreign@outside.test>\r\nSubject: foreign\r\n\r\nforeign\r\n")
    read(alice.inbox, arrived(alice.inbox, "foreign"))
    # A copy in somebody else's mailbox says nothing about ours.
    copy = b"From: x@outside.test\r\nMessage-ID: " + str(mail["Message-ID"]).encode() + b"\r\nSubject: copy\r\n\r\ncopy\r\n"
    bob.inbox.session.append('"INBOX"', "\\Seen", None, copy)
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.read_waits WHERE endpoint_id = %s AND due_at > created_at + interval '6 s'", line.id),
               "a look")
    assert marks(sim, wamid) == []
    read(alice.inbox, mail)
    wait_until(lambda: marks(sim, wamid) == [wamid], "the mark")


def test_a_mark_that_is_refused_is_dropped_and_nobody_is_told(gateway, sim, alice, contact):
    line = gateway.declare(whatsapp, sim, alice, read_receipts="yes")
    sim.inbound(contact, line.number, "hello")
    mail = arrived(alice.inbox, "hello")
    gateway.sql("UPDATE ump.unified_messages SET provider_id = '' WHERE mail_message_id = btrim(%s, '<>') OR mail_message_id = %s",
                mail["Message-ID"], mail["Message-ID"])
    read(alice.inbox, mail)
    wait_until(lambda: waits(gateway, line) == 0, "the receipt to be dropped", timeout=90)
    assert "status=read-receipt-refused" in gateway.log("ump-bridge")
    assert len(alice.inbox.uids()) == 1


@pytest.fixture
def signal():
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        with signal_cli.Simulator(unix_path=f"{directory}/socket") as sim:
            yield sim


@pytest.fixture
def signal_line(gateway, signal, alice):
    line = declare_signal(gateway, signal, alice, read_receipts="yes")
    yield line
    gateway.umpctl("endpoint", "remove", line.id)


def test_an_event_of_dovecot_is_followed_at_once(gateway, sim, alice, contact):
    line = gateway.declare(whatsapp, sim, alice, read_receipts="yes")
    wamid = sim.inbound(contact, line.number, "an old one")["message_id"]
    mail = arrived(alice.inbox, "an old one")
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.read_waits WHERE endpoint_id = %s AND due_at > created_at + interval '6 s'", line.id),
               "a first look")
    gateway.sql("UPDATE ump.read_waits SET due_at = due_at + interval '1 day' WHERE endpoint_id = %s", line.id)
    read(alice.inbox, mail)
    wait_until(lambda: marks(sim, wamid) == [wamid], "the mark")


def test_who_posts_without_the_word_is_not_heard(gateway, sim, alice, contact):
    line = gateway.declare(whatsapp, sim, alice, read_receipts="yes")
    sim.inbound(contact, line.number, "unread")
    arrived(alice.inbox, "unread")
    gateway.sql("UPDATE ump.read_waits SET due_at = due_at + interval '1 day' WHERE endpoint_id = %s", line.id)
    word = (gateway.layout.keys / "dovecot-events.key").read_text().strip()
    event = json.dumps({"event": "imap_command_finished", "fields": {"user": alice.email}}).encode()

    def post(path, body=event):
        try:
            with urllib.request.urlopen(urllib.request.Request(f"{gateway.url}{path}", data=body, method="POST"), timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as refused:
            return refused.code
    waiting = "SELECT due_at > now() + interval '1 hour' FROM ump.read_waits WHERE endpoint_id = %s"
    assert [post(path) for path in ("/dovecot/", f"/dovecot/{word[:-1]}x", f"/dovecot/{word}x", "/dovecot")] == [404] * 4
    assert [post(f"/dovecot/{word}", body) for body in (b"{", b"[]", b'{"fields":{"user":7}}', b" " * 70000)] == [400, 400, 400, 413]
    assert gateway.sql(waiting, line.id) == [(True,)]
    assert post(f"/dovecot/{word}") == 200
    wait_until(lambda: gateway.sql(waiting, line.id) == [(False,)], "it to be asked for")


@pytest.mark.cell("signal_cli", "signal", "out", "read")
def test_read_in_imap_is_read_on_signal(gateway, signal, signal_line, alice, contact):
    at = signal.inbound(contact, signal_line.number, "signal here")
    read(alice.inbox, arrived(alice.inbox, "signal here"))
    wait_until(lambda: signal.receipts, "the receipt")
    assert signal.receipts == [{"account": signal_line.number, "recipient": uuid_of(contact), "targetTimestamp": [at], "type": "read"}]


def test_read_on_the_own_phone_is_seen_and_no_receipt_follows(gateway, signal, signal_line, alice, contact):
    first, second, third = (signal.inbound(contact, signal_line.number, text) for text in ("one", "two", "three"))
    mails = {text: arrived(alice.inbox, text) for text in ("one", "two", "three")}
    signal.read_on_phone(signal_line.number, contact, [first, second])
    wait_until(lambda: all("\\Seen" in alice.inbox.fetch(mails[text].uid).flags for text in ("one", "two")), "both to be seen")
    assert "\\Seen" not in alice.inbox.fetch(mails["three"].uid).flags
    read(alice.inbox, mails["three"])
    wait_until(lambda: signal.receipts, "the receipt of what was read here")
    assert [params["targetTimestamp"] for params in signal.receipts] == [[third]]


@pytest.mark.destructive
def test_what_a_team_has_read(own_gateway, sim):
    gateway = own_gateway
    support = Person(gateway, "support@msgs.test")
    gateway.umpctl("team", "add", "support", "--mailbox", support.email, "--member", "alice@msgs.test")
    line, contact = gateway.declare(whatsapp, sim, "team:support", read_receipts="yes"), gateway.number()
    wamid = sim.inbound(contact, line.number, "for the team")["message_id"]
    read(support.inbox, arrived(support.inbox, "for the team"))
    wait_until(lambda: marks(sim, wamid) == [wamid], "the mark")
