"""The policy through real Postfix: who hears what, and that a refusal hits nobody else."""
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.lib.conversation import is_report
from tests.lib.dialogue import Dialogue, enhanced
from tests.lib.smtp import Refused, compose
from tests.lib.wait import wait_until


def rcpt(person, *recipients):
    """(code, text) of each RCPT within one transaction, with AUTH."""
    with Dialogue(person.gateway.ports["submission"]) as dialogue:
        dialogue.login(person.email, person.password)
        assert dialogue.say(f"MAIL FROM:<{person.email}>")[0] == 250
        return [dialogue.say(f"RCPT TO:<{recipient}>") for recipient in recipients]


def one(person, recipient):
    return rcpt(person, recipient)[0]


def test_as_people_write_numbers(gateway, alice, endpoint):
    for local in ("+12125550123", "12125550123", "2125550123", "+1-212-555-0123", "001 212 555 0123".replace(" ", ""), "011-1-212-555-0123"):
        code, text = one(alice, f"{local}@sms.msgs.test")
        assert code == 250 or local.startswith("001"), (local, text)


@pytest.mark.parametrize("recipient,status,words", [
    ("+1555@sms", "5.1.3", "not a complete phone number"),
    ("+1123456789012345@sms", "5.1.3", "number"),
    ("911@sms", "5.7.1", "emergency"),
    ("s.911@sms", "5.7.1", "emergency"),
    ("+19002345678@sms", "5.7.1", "premium"),
    ("+881612345678@sms", "5.7.1", "satellite"),
    ("+442071838750@sms", "5.7.1", "GB"),
    ("+18765550123@sms", "5.", ""),
    ("s.12345@sms", "5.7.1", "short code"),
    ("a.amazon@sms", "5.1.1", "nobody can answer"),
    ("g.4f2a91@sms", "5.1.1", "group"),
    ("+12125550123@whatsapp", "5.7.1", "no whatsapp number"),
    ("+12125550123%sms.msgs.test@sms", "5.7.1", "plainly"),
    ("r.abcdefghijklmnopqrst@notice", "5.1.1", "notice"),
    ("hello@sms", "5.1.3", ""),
    ("+12125550123+at.20260231T0900@sms", "5.6.0", "20260231T0900 is no time to send at"),
])
def test_sentence_at_rcpt(gateway, alice, endpoint, recipient, status, words):
    code, text = one(alice, f"{recipient}.msgs.test")
    assert code == 550 and enhanced(text).startswith(status) and words in text, (code, text)


@pytest.mark.parametrize("days,code,words", [(365, 250, ""), (368, 550, "at most 366 days ahead")])
def test_a_time_that_is_too_far_is_refused_at_rcpt(gateway, alice, endpoint, contact, days, code, words):
    at = time.strftime("%Y%m%dT%H%MZ", time.gmtime(time.time() + days * 86400))
    said, text = one(alice, f"{contact}+at.{at}@sms.msgs.test")
    assert said == code and words in text


def test_country_is_a_setting(gateway, alice, endpoint):
    assert one(alice, "+442071838750@sms.msgs.test")[0] == 550
    gateway.umpctl("endpoint", "set", endpoint.id, "--set", "countries=US,GB")
    assert one(alice, "+442071838750@sms.msgs.test")[0] == 250
    gateway.umpctl("endpoint", "set", endpoint.id, "--set", "countries=GB")
    assert one(alice, "+12125550123@sms.msgs.test")[0] == 550


def test_disabled_endpoint_and_user(gateway, alice, endpoint):
    gateway.umpctl("endpoint", "disable", endpoint.id)
    code, text = one(alice, "+12125550123@sms.msgs.test")
    assert code == 550 and "switched off" in text
    gateway.umpctl("endpoint", "enable", endpoint.id)
    assert one(alice, "+12125550123@sms.msgs.test")[0] == 250
    gateway.umpctl("user", "set", alice.email, "--disable")
    code, text = one(alice, "+12125550123@sms.msgs.test")
    assert code == 550 and "account" in text


def test_opt_out_by_the_administrator(gateway, alice, endpoint, contact):
    gateway.umpctl("optout", "add", "sms", contact)
    code, text = one(alice, gateway.address(contact))
    assert (code, enhanced(text)) == (550, "5.7.1") and "STOP" in text
    gateway.umpctl("optout", "remove", "sms", contact)
    assert one(alice, gateway.address(contact))[0] == 250


@pytest.mark.sanitize
def test_group_members_are_dropped_from_reply_all(gateway, alice, endpoint, contact):
    """Reply-all names the group and the member's private address: the member gets it in the group."""
    other, name = gateway.number(), f"aa{contact[-6:]}"
    account = gateway.sql("SELECT id FROM ump.accounts WHERE name = 'default'")[0][0]
    gateway.sql("INSERT INTO ump.chat_groups (account_id, id, endpoint_id, channel, group_key, address_id, title, members)"
                " VALUES (%s, gen_random_uuid(), %s, 'sms', %s, %s, 'Ski trip', %s)", account, endpoint.id, name, name, [contact, "+12125550188"])
    before = len(gateway.log("ump-milter"))
    alice.submit([f"g.{name}@sms.msgs.test", gateway.address(contact), gateway.address(other)], "to all")
    log = gateway.log("ump-milter")[before:]
    dropped = [line for line in log.splitlines() if "status=dropped" in line]
    assert len(dropped) == 1 and f"{contact[-4:]}@sms.msgs.test" in dropped[0], log
    postfix = gateway.log("postfix")
    wait_until(lambda: f"to=<{gateway.address(other)}>" in gateway.log("postfix"), "the other recipient")
    assert f"to=<{gateway.address(contact)}>" not in postfix


@pytest.mark.parametrize("fields,words", [
    ({"Auto_Submitted": "auto-replied"}, "Automatic answers"),
    ({"Auto_Submitted": "auto-replied (vacation)"}, "Automatic answers"),
    ({"Precedence": "bulk"}, "declared"), ({"Precedence": "list"}, "declared"), ({"Precedence": "junk"}, "declared"),
    ({"List_Id": "<l.x.test>"}, "declared"), ({"List_Unsubscribe": "<mailto:x@y>"}, "declared"),
    ({"Auto_Submitted": "auto-generated"}, "declared"), ({"X_Auto_Response_Suppress": "OOF"}, "declared"),
    ({"X_Loop": "alice"}, "Automatic answers"), ({"X_Autoreply": "yes"}, "Automatic answers"),
    ({"Auto_Submitted": "auto-generated", "Precedence": "auto_reply"}, "Automatic answers"),
])
def test_automatic_mail(gateway, alice, endpoint, contact, fields, words):
    with pytest.raises(Refused) as refused:
        alice.submit(gateway.address(contact), "away", **fields)
    assert refused.value.code == 550 and refused.value.enhanced == "5.7.1" and words in refused.value.text, refused.value


def test_automatic_mail_still_reaches_mailboxes(gateway, people):
    """Gateway address and colleague: the colleague gets it, the gateway address is reported."""
    alice, bob = people(), people()
    alice.endpoint()
    contact = gateway.number()
    alice.submit([bob.email, gateway.address(contact)], "away", subject="vacation of alice", Auto_Submitted="auto-generated")
    bob.inbox.wait(lambda mail: mail["Subject"] == "vacation of alice")
    report = alice.inbox.wait(is_report, 30)
    assert b"declared" in report.raw
    assert not [request for request in gateway.sim.accepted if contact in str(request)]


@pytest.mark.sanitize
def test_length_and_emptiness(gateway, alice, endpoint, contact):
    for text, code, status, words in (("x" * 919, 552, "5.3.4", "this needs 7 SMS, your limit is 6"),
                                      ("ж" * 403, 552, "5.3.4", "this needs 7 SMS, your limit is 6"),
                                      ("", 550, "5.6.0", "nothing to send")):
        with pytest.raises(Refused) as refused:
            alice.submit(gateway.address(contact), text)
        assert (refused.value.code, refused.value.enhanced) == (code, status) and words in refused.value.text, refused.value
    gateway.umpctl("endpoint", "set", endpoint.id, "--set", "max_segments=1")
    with pytest.raises(Refused) as refused:
        alice.submit(gateway.address(contact), "x" * 161)
    assert "this needs 2 SMS, your limit is 1" in refused.value.text
    gateway.umpctl("endpoint", "set", endpoint.id, "--set", "max_segments=10")
    alice.submit(gateway.address(contact), "x" * 919)


def test_one_too_long_never_hits_the_colleague(gateway, people):
    alice, bob = people(), people()
    alice.endpoint()
    alice.submit([bob.email, gateway.address(gateway.number())], "x" * 2000, subject="long")
    bob.inbox.wait(lambda mail: mail["Subject"] == "long")
    report = alice.inbox.wait(is_report, 30)
    assert b"5.3.4" in report.raw and b"this needs 14 SMS" in report.raw.replace(b"\r\n    ", b" ")


def test_machine_sender_by_login(gateway, people):
    alice, robot = people(), people()
    endpoint, contact = alice.endpoint(), gateway.number()
    gateway.umpctl("sender", "add", "--login", robot.email, "--endpoint", endpoint.id, "--rate", "2/h")
    for index in range(2):
        robot.submit(gateway.address(contact), f"reminder {index}", Auto_Submitted="auto-generated")
        wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.deliveries WHERE recipient = %s", contact)[0][0] > index, "it", 20)
    with pytest.raises(Refused) as refused:
        robot.submit(gateway.address(contact), "one too many", Auto_Submitted="auto-generated")
    assert "2 messages in an hour" in refused.value.text
    with pytest.raises(Refused):
        robot.submit(gateway.address(contact), "an answer", Auto_Submitted="auto-replied")


@pytest.mark.sanitize
def test_cap_and_alarm(gateway, alice, endpoint, contact):
    """What the database has counted refuses at RCPT; the first refusal raises an alarm, the second none."""
    account, user = gateway.sql("SELECT account_id, id FROM ump.users WHERE email = %s", alice.email)[0]
    gateway.sql("INSERT INTO ump.counters VALUES (%s, 'user', %s, date_trunc('hour', now()), 29)", account, str(user))
    codes = rcpt(alice, gateway.address(contact), gateway.address(gateway.number()), gateway.address(gateway.number()))
    assert [code for code, _ in codes] == [250, 550, 550], codes
    assert "30 messages an hour" in codes[1][1]
    alarms = [line for line in gateway.log("ump-milter").splitlines() if "status=alarm" in line and alice.email in line]
    assert len(alarms) == 1 and "alarm=cap-user" in alarms[0]
    rows = gateway.sql("SELECT action, object FROM ump.audit_log WHERE actor = %s", alice.email)
    assert rows == [("cap.reached", "cap-user")]


@pytest.mark.sanitize
@pytest.mark.threads
def test_many_sessions_at_once(gateway, people):
    """Twenty sessions of three people: each hears his own answers, while keys are read again."""
    persons = [people() for _ in range(3)]
    for person in persons[:2]:
        person.endpoint()

    def session(index):
        person, heard = persons[index % 3], []
        with Dialogue(gateway.ports["submission"], timeout=120) as dialogue:
            dialogue.login(person.email, person.password)
            for _ in range(5):
                assert dialogue.say(f"MAIL FROM:<{person.email}>")[0] == 250
                heard += [dialogue.say(f"RCPT TO:<{recipient}>")[1] for recipient in
                          (person.email, f"+1555{index}@sms.msgs.test", "+12125550123@sms.msgs.test")]
                raw = compose(person.email, [person.email], "x", subject=f"session {index}", UMP_Stamp="forged").as_bytes()
                dialogue.say("RSET") if index % 2 else dialogue.data(raw.replace(b"\n", b"\r\n"))
        return index, heard

    with ThreadPoolExecutor(20) as pool:
        running = [pool.submit(session, index) for index in range(20)]
        os.kill(gateway.pid("ump-milter"), signal.SIGUSR1)
        for index, heard in (future.result() for future in running):
            for mine, short, number in zip(heard[::3], heard[1::3], heard[2::3]):
                assert mine.startswith("2.1.5") and f"+1555{index} is not a complete" in short
                assert "no sms number" in number if index % 3 == 2 else "2.1.5" in number or "messages an hour" in number


@pytest.mark.destructive
def test_toll_fraud_stops_at_the_cap(own_gateway):
    """FAILURES T04: 1,000 mails to consecutive numbers by a stolen account."""
    gateway = own_gateway
    alice = gateway.person()
    alice.endpoint()
    started, first_refusal, refused = time.monotonic(), None, 0
    for chunk in range(0, 1000, 8):    # Postfix slows down after 10 refusals and hangs up after 20
        with Dialogue(gateway.ports["submission"], timeout=60) as dialogue:
            dialogue.login(alice.email, alice.password)
            for index in range(chunk, min(chunk + 8, 1000)):
                dialogue.say(f"MAIL FROM:<{alice.email}>")
                code, _ = dialogue.say(f"RCPT TO:<+1212666{index:04d}@sms.msgs.test>")
                if code == 250:
                    mail = compose(alice.email, ["x@y"], f"win a prize {index}")
                    code, _ = dialogue.data(mail.as_bytes().replace(b"\n", b"\r\n"))
                else:
                    dialogue.say("RSET")
                if code != 250:
                    refused += 1
                    first_refusal = first_refusal or time.monotonic()
    wait_until(lambda: not gateway.queue(), "an empty queue", 60, 0.3)
    sent = gateway.sql("SELECT count(*) FROM ump.deliveries")[0][0]
    assert sent == 30, sent
    assert refused > 900 and first_refusal - started < 60
    assert "alarm=cap-user" in gateway.log("ump-milter") + gateway.log("ump-lmtp")
