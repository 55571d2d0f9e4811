"""Signal's disappearing messages: refused, or gone here too."""
import hashlib
import os

import pytest

from tests.lib.conversation import PNG, arrived, declare_signal
from tests.lib.signal_fixtures import line, sim, simulator  # fixtures
from tests.lib.wait import wait_until
from tests.sim import signal_cli


def test_disappearing_messages_refused(gateway, sim, alice, contact):
    line = declare_signal(gateway, sim, alice, disappearing="refuse")
    sim.inbound(contact, line.number, "psst", expiresInSeconds=3600)
    mail = arrived(alice, "interactive")
    assert "disappears after 1 hour" in mail.text and "psst" not in mail.raw.decode()
    sim.inbound(contact, line.number, viewOnce=True, attachments=[sim.attachment(PNG, "image/png")])
    once = arrived(alice, "interactive", lambda mail: "viewed once" in mail.text)
    assert not once.attachments


def test_a_word_that_is_not_known_shows_nothing_that_disappears(gateway, sim, alice, contact):
    line = declare_signal(gateway, sim, alice, disappearing="refused")
    sim.inbound(contact, line.number, "psst", expiresInSeconds=3600)
    assert "psst" not in arrived(alice, "interactive").raw.decode()


def vanishing(gateway, sim, owner):
    return declare_signal(gateway, sim, owner, disappearing="expire")


def gone(gateway, line, words):
    """Nothing of it is kept: neither text nor search, nor in the raw events."""
    assert gateway.sql("SELECT count(*) FROM ump.unified_messages WHERE endpoint_id = %s AND body LIKE %s", line.id, f"%{words}%") == [(0,)]
    assert gateway.sql("SELECT count(*) FROM ump.provider_events WHERE endpoint_id = %s AND position(%s IN convert_from(body, 'UTF8')) > 0",
                       line.id, words) == [(0,)]
    assert gateway.sql("SELECT count(*) FROM ump.message_search s JOIN ump.unified_messages m ON m.id = s.message_id"
                       " WHERE m.endpoint_id = %s AND m.metadata ? 'expired'", line.id) == [(0,)]


def expired(gateway, line):
    return gateway.sql("SELECT count(*) FROM ump.unified_messages WHERE endpoint_id = %s AND metadata ? 'expired'", line.id)[0][0]


def test_disappearing_mail_goes_once_it_was_read(gateway, sim, alice, contact):
    line = vanishing(gateway, sim, alice)
    sim.inbound(contact, line.number, "stays")
    stays = arrived(alice, "text", lambda mail: mail.text == "stays")
    sim.inbound(contact, line.number, "psst", expiresInSeconds=3)
    mail = arrived(alice, "text", lambda mail: "psst" in mail.text)
    assert mail.text == "[Disappears from Signal and from here after 3 seconds]\npsst"
    alice.box("INBOX").session.create("Archive")
    alice.inbox.store(mail.uid, "+FLAGS", "\\Seen")
    alice.inbox.move(mail.uid, "Archive")  # it is found wherever it is
    wait_until(lambda: expired(gateway, line) == 1, "the message to expire", 40)
    assert alice.box("Archive").uids() == [] and alice.inbox.uids() == [stays.uid]
    gone(gateway, line, "psst")
    assert gateway.sql("SELECT count(*) FROM ump.unified_messages WHERE endpoint_id = %s AND body = 'stays'", line.id) == [(1,)]


def test_disappearing_mail_is_not_lost_unread(gateway, sim, alice, contact):
    line = vanishing(gateway, sim, alice)
    sim.inbound(contact, line.number, "psst", expiresInSeconds=1)
    mail = arrived(alice, "text")
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.message_expiries e JOIN ump.unified_messages m ON m.id = e.message_id WHERE"
                                   " m.endpoint_id = %s AND e.due_at > e.created_at + interval '5 s'", line.id), "a look in vain", 30)
    assert alice.inbox.uids() == [mail.uid]
    alice.inbox.store(mail.uid, "+FLAGS", "\\Seen")
    wait_until(lambda: expired(gateway, line) == 1, "the message to expire", 60)
    assert alice.inbox.uids() == []
    gone(gateway, line, "psst")


def test_disappearing_pictures_go_but_for_what_another_message_has(gateway, sim, alice, contact):
    line = vanishing(gateway, sim, alice)
    secret, shared = os.urandom(2000), os.urandom(2000)

    def files(*names):
        return [sim.attachment(content, "application/pdf", name) for name, content in names]
    sim.inbound(contact, line.number, "keep this", attachments=files(("plan.pdf", shared)))
    kept = alice.inbox.wait(lambda mail: "keep this" in mail.text)
    sim.inbound(contact, line.number, "and burn this", attachments=files(("plan.pdf", shared), ("secret.pdf", secret)), expiresInSeconds=2)
    mail = alice.inbox.wait(lambda mail: "burn this" in mail.text)
    assert [part.get_payload(decode=True) for part in mail.attachments] == [shared, secret]
    alice.inbox.store(mail.uid, "+FLAGS", "\\Seen")
    wait_until(lambda: expired(gateway, line) == 1, "the message to expire", 40)
    stored = {path.name for path in gateway.layout.dir.rglob("*") if path.is_file()}

    def has(content):
        sha = hashlib.sha256(content).hexdigest()
        assert gateway.sql("SELECT count(*) FROM ump.media WHERE sha256 = decode(%s, 'hex')", sha) == [(int(sha in stored),)]
        return sha in stored
    assert has(shared) and not has(secret)
    assert alice.inbox.uids() == [kept.uid]
    gone(gateway, line, "burn this")


def test_view_once_is_not_kept_where_messages_expire(gateway, sim, alice, contact):
    line = vanishing(gateway, sim, alice)
    sim.inbound(contact, line.number, "psst", viewOnce=True)
    assert "not kept here" in arrived(alice, "interactive").text


@pytest.mark.destructive
def test_expiry_survives_kill_9_and_a_dovecot_that_is_down(own_gateway):
    gateway = own_gateway
    alice, contact = gateway.user("alice"), gateway.number()
    with signal_cli.Simulator() as sim:
        line = vanishing(gateway, sim, alice)
        sim.inbound(contact, line.number, "psst", expiresInSeconds=4)
        mail = alice.inbox.wait(lambda mail: "psst" in mail.text)
        alice.inbox.store(mail.uid, "+FLAGS", "\\Seen")
        gateway.kill("ump-bridge")
        alice.forget_sessions()
        gateway.stop_service("dovecot")
        wait_until(lambda: "doveadm-failed" in gateway.log("ump-bridge"), "a try in vain", 40)
        gateway.start_service("dovecot")
        wait_until(lambda: expired(gateway, line) == 1, "the message to expire", 60)
        assert alice.inbox.uids() == []
        gone(gateway, line, "psst")
