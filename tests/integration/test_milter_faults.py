"""FAILURES T16 and the first principle: a fault of ours never stops ordinary mail."""
import time

import pytest

from tests.lib.dialogue import Dialogue, enhanced
from tests.lib.smtp import compose
from tests.lib.wait import wait_until

STAGES = ("connect", "ehlo", "mail", "rcpt", "data", "content")


def act(dialogue, person, login, recipient, subject, stage, break_now):
    """A whole transaction in which break_now() is called behind one stage; the answers by stage."""
    answers = {}

    def step(name, call):
        answers[name] = call()
        if name == stage:
            break_now()
        return answers[name][0] < 400

    raw = compose(person.email, [recipient], "hello", subject=subject).as_bytes().replace(b"\n", b"\r\n")
    if stage == "connect":
        break_now()
    if not step("ehlo", lambda: dialogue.say("EHLO client.test")):
        return answers
    if login:
        dialogue.login(person.email, person.password)
    if not step("mail", lambda: dialogue.say(f"MAIL FROM:<{person.email}>")):
        return answers
    if not step("rcpt", lambda: dialogue.say(f"RCPT TO:<{recipient}>")):
        return answers
    if not step("data", lambda: dialogue.say("DATA")):
        return answers
    if stage == "content":
        dialogue.send(raw[:40])
        dialogue.wait_taken()
        break_now()
        raw = raw[40:]
    step("end", lambda: dialogue.content(raw))
    return answers


def revived(gateway, pid):
    """Another process serves: not the one that is about to die."""
    wait_until(lambda: gateway.pid("ump-milter") not in (None, pid), "another ump-milter", 10)
    gateway.stack.wait_ready("ump-milter")


@pytest.fixture(scope="module")
def broken(request):
    from tests.conftest import finish, stack_directory
    from tests.lib.gateway import Gateway
    gateway = Gateway(stack_directory()).start()
    yield gateway
    finish(gateway)


@pytest.mark.destructive
@pytest.mark.parametrize("stage", STAGES)
def test_killed_at_each_callback_submission_waits(broken, stage):
    alice = broken.user("alice")
    recipient = "+12125550123@sms.msgs.test" if broken.sql("SELECT 1 FROM ump.endpoints") else alice.endpoint() and "+12125550123@sms.msgs.test"
    pid = broken.pid("ump-milter")
    with Dialogue(broken.ports["submission"], greet=False) as dialogue:
        answers = act(dialogue, alice, True, recipient, f"submitted {stage}", stage, lambda: broken.kill("ump-milter", wait=False))
    last = list(answers.values())[-1]
    revived(broken, pid)
    assert last[0] == 451 and enhanced(last[1]).startswith("4."), answers
    assert not broken.sql("SELECT 1 FROM ump.unified_messages WHERE body = 'hello'")


@pytest.mark.destructive
@pytest.mark.parametrize("stage", STAGES)
def test_killed_at_each_callback_port_25_accepts(broken, stage):
    bob = broken.user("bob")
    pid = broken.pid("ump-milter")
    with Dialogue(broken.ports["smtp"], greet=False) as dialogue:
        answers = act(dialogue, bob, False, bob.email, f"outside {stage}", stage, lambda: broken.kill("ump-milter", wait=False))
    revived(broken, pid)
    assert all(code < 400 for code, _ in answers.values()), answers
    bob.inbox.wait(lambda mail: mail["Subject"] == f"outside {stage}")


@pytest.mark.destructive
def test_milter_absent(broken):
    """Not running at all: port 25 accepts ordinary mail, forged fields do not survive ump-lmtp; submission waits."""
    alice, bob = broken.user("alice"), broken.user("bob")
    broken.stop_service("ump-milter")
    try:
        with Dialogue(broken.ports["smtp"]) as dialogue:
            dialogue.say("MAIL FROM:<x@outside.test>")
            assert dialogue.say(f"RCPT TO:<{bob.email}>")[0] == 250
            assert dialogue.data(b"Subject: no milter\r\nUMP-Header: forged\r\nFrom: x@outside.test\r\n\r\nhi\r\n")[0] == 250
            assert dialogue.say("MAIL FROM:<x@outside.test>")[0] == 250
            code, text = dialogue.say("RCPT TO:<+12125550123@sms.msgs.test>")
            assert (code, enhanced(text)) == (550, "5.7.1")
        found = bob.inbox.wait(lambda mail: mail["Subject"] == "no milter")
        assert not found.all("UMP-Header")
        with Dialogue(broken.ports["submission"]) as dialogue:
            code, text = dialogue.say(f"MAIL FROM:<{alice.email}>")    # 4xx from the first command on
            assert code in (450, 451) and enhanced(text).startswith("4."), text
    finally:
        broken.start_service("ump-milter")


@pytest.mark.destructive
def test_database_down(broken):
    """Ordinary mail passes at once, both ways; gateway mail passes unchecked and waits behind ump-lmtp."""
    alice, bob = broken.user("alice"), broken.user("bob")
    if not broken.sql("SELECT 1 FROM ump.endpoints"):
        alice.endpoint()
    before = len(broken.log("ump-milter"))
    broken.stop_service("postgres")
    try:
        started = time.monotonic()
        alice.submit(bob.email, "still here", subject="database down")
        broken.deliver_outside(bob.email, b"Subject: from outside\r\nFrom: x@outside.test\r\n\r\nhi\r\n")
        for subject in ("database down", "from outside"):
            bob.inbox.wait(lambda mail, subject=subject: mail["Subject"] == subject)
        assert time.monotonic() - started < 5
        alice.submit("+12125550123@sms.msgs.test", "waits for the database")
        log = broken.log("ump-milter")[before:]
        assert "checked=0" in log and "status=database-down" in log
        # what needs no database is refused all the same
        with Dialogue(broken.ports["submission"]) as dialogue:
            dialogue.login(alice.email, alice.password)
            dialogue.say(f"MAIL FROM:<{alice.email}>")
            assert dialogue.say("RCPT TO:<911@sms.msgs.test>")[0] == 550
            assert dialogue.say("RCPT TO:<+1555@sms.msgs.test>")[0] == 550
        wait_until(broken.queue, "the mail in Postfix' queue")
    finally:
        broken.start_service("postgres")
    broken.flush_queue()
    wait_until(lambda: not broken.queue(), "an empty queue", 60, 0.5)


@pytest.mark.destructive
def test_reload_and_restart(broken):
    """SIGUSR1 reads the keys again within the running process; a stop is quick and leaves no mail behind."""
    import os
    import signal
    pid = broken.pid("ump-milter")
    os.kill(pid, signal.SIGUSR1)
    wait_until(lambda: "status=reload" in broken.log("ump-milter"), "the reload")
    assert broken.pid("ump-milter") == pid
    started = time.monotonic()
    broken.stop_service("ump-milter")
    assert time.monotonic() - started < 3
    broken.start_service("ump-milter")
