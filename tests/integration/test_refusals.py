"""Mail → chat, refused: each with the right code and a sentence, and nothing is sent."""
import email.message
import random
import re
import smtplib

import pytest

from tests.lib.conversation import is_report
from tests.lib.smtp import Refused, compose, send, sendmail
from tests.lib.wait import wait_until


def refusal(act):
    with pytest.raises(Refused) as caught:
        act()
    return caught.value


def assert_sentence(refused):
    """A sentence for a person: words, no internals."""
    words = refused.text.split()
    assert len(words) > 5, refused.text
    assert not re.search(r"ump\.|SQLSTATE|errno|NULL", refused.text)


@pytest.mark.sanitize
@pytest.mark.parametrize("recipient,code,enhanced", [
    ("+1555@sms", 550, "5.1.3"),
    ("+1212555012@sms", 550, "5.1.3"),
    ("911@sms", 550, "5.7.1"),
    ("112@sms", 550, "5.7.1"),
    ("+19005550123@sms", 550, "5.7.1"),
    ("+442071838750@sms", 550, "5.7.1"),
    ("+881612345678@sms", 550, "5.7.1"),
    ("a.amazon@sms", 550, "5.1.1"),
    ("hello.world@sms", 550, "5.1.3"),
    ("+12125550123@whatsapp", 550, "5.7.1"),
    ("r.forged-token@notice", 550, "5.1.1"),
])
def test_recipient_is_refused_at_rcpt(gateway, alice, endpoint, recipient, code, enhanced):
    before = len(gateway.sim.attempts) + len(gateway.sim.accepted)
    local, channel = recipient.split("@")
    refused = refusal(lambda: alice.submit(f"{local}@{channel}.msgs.test", "x"))
    assert refused.code == code, refused
    assert refused.enhanced.split(".")[0] == "5" and refused.enhanced[:4] == enhanced[:4], refused
    assert_sentence(refused)
    assert len(gateway.sim.attempts) + len(gateway.sim.accepted) == before


@pytest.mark.parametrize("form", ["<<{}>>", "< {} >", "{}", "Bob <{}>", "<{}> ", "(bob) <{}>", "<{}.>"])
def test_no_form_of_rcpt_goes_past_the_policy(gateway, alice, endpoint, form):
    """Postfix forgives what is no path by the standard; what it makes of it is judged all the same."""
    with smtplib.SMTP("127.0.0.1", gateway.ports["submission"]) as session:
        session.login(alice.email, alice.password)
        session.mail(alice.email)
        code, text = session.docmd("RCPT TO:" + form.format("911@sms.msgs.test"))
        assert code in (501, 550, 555), (form, code, text)


def test_incomplete_number_says_how_to_write_it(gateway, alice, endpoint):
    refused = refusal(lambda: alice.submit("+1555@sms.msgs.test", "x"))
    assert (refused.code, refused.enhanced) == (550, "5.1.3")
    assert "+1555" in refused.text and "complete" in refused.text and "+<country><number>" in refused.text


def test_user_without_endpoint_is_refused(gateway, people, contact):
    nobody = people()
    refused = refusal(lambda: nobody.submit(gateway.address(contact), "x"))
    assert refused.code == 550 and refused.enhanced.startswith("5.7."), refused
    assert_sentence(refused)


def test_unauthenticated_from_outside(gateway, alice, endpoint, contact):
    for recipient in (gateway.address(contact), f"@a.test:{gateway.address(contact)}", f'"{contact}"@sms.msgs.test'):
        with smtplib.SMTP("127.0.0.1", gateway.ports["smtp"]) as session:
            session.ehlo()
            session.mail(alice.email)
            code, text = session.docmd(f"RCPT TO:<{recipient}>")
            assert (code, text[:5]) == (550, b"5.7.1"), (recipient, text)


@pytest.mark.sanitize
@pytest.mark.parametrize("fields", [
    {"From": "bob@msgs.test"},
    {"From": "Alice <alice@msgs.test>, Bob <bob@msgs.test>"},
    {"From": "alice@elsewhere.test (alice)"},
], ids=["other", "two", "foreign"])
def test_spoofed_from_is_refused(gateway, alice, endpoint, contact, fields):
    mail = compose(alice.email, [gateway.address(contact)], "x")
    raw = re.sub(rb"^From: .*$", b"From: " + fields["From"].encode(), mail.as_bytes(), 1, re.M)
    refused = refusal(lambda: alice.submit_raw([gateway.address(contact)], raw))
    assert refused.code == 550 and refused.enhanced.startswith("5.7."), refused


def test_two_from_fields_are_refused(gateway, alice, endpoint, contact):
    raw = b"From: bob@msgs.test\n" + compose(alice.email, [gateway.address(contact)], "x").as_bytes()
    refused = refusal(lambda: alice.submit_raw([gateway.address(contact)], raw))
    assert refused.code in (550, 554) and refused.enhanced.startswith("5."), refused


def test_envelope_of_another_is_refused(gateway, alice, endpoint, contact):
    refused = refusal(lambda: alice.submit_raw([gateway.address(contact)],
                                               compose(alice.email, [gateway.address(contact)], "x"), sender="bob@msgs.test"))
    assert refused.code == 553 or refused.enhanced == "5.7.1", refused


@pytest.mark.parametrize("fields", [
    {"Auto_Submitted": "auto-replied"}, {"Auto_Submitted": "auto-generated"}, {"Precedence": "bulk"},
    {"List_Id": "<list.msgs.test>"}, {"X_Auto_Response_Suppress": "All"}, {"X_Loop": "x"}],
    ids=lambda fields: "-".join(f"{k}" for k in fields) + "-" + next(iter(fields.values())).strip("<>"))
def test_automatic_mail_never_leaves(gateway, alice, endpoint, contact, fields):
    refused = refusal(lambda: alice.submit(gateway.address(contact), "I am on holiday", **fields))
    assert refused.code == 550 and refused.enhanced == "5.7.1", refused


def test_null_sender_never_leaves(gateway, alice, endpoint, contact):
    before = len(gateway.sim.accepted)
    try:
        alice.submit_raw([gateway.address(contact)], compose(alice.email, [gateway.address(contact)], "bounce"), sender="")
    except Refused as refused:
        assert refused.code == 550
    alice.submit(gateway.address(contact), "a real one")
    gateway.sim.wait_request(to=contact, text="a real one")
    assert len(gateway.sim.accepted) == before + 1


@pytest.mark.sanitize
def test_too_many_segments_names_the_count(gateway, alice, endpoint, contact):
    refused = refusal(lambda: alice.submit(gateway.address(contact), ("word " * 260).strip()))
    assert (refused.code, refused.enhanced) == (552, "5.3.4"), refused
    assert "9 SMS" in refused.text and "6" in refused.text


@pytest.mark.cell("telnyx", "sms", "in", "STOP")
@pytest.mark.sanitize
@pytest.mark.threads
def test_stop_makes_550_at_rcpt_and_start_lifts_it(gateway, alice, endpoint, contact):
    alice.submit(gateway.address(contact), "before")
    gateway.sim.wait_request(to=contact, text="before")
    gateway.sim.inbound(contact, endpoint.number, "STOP")
    alice.inbox.wait(lambda mail: mail.text.strip().startswith("STOP"))
    accepted = len(gateway.sim.accepted)
    with smtplib.SMTP("127.0.0.1", gateway.ports["submission"]) as session:
        session.login(alice.email, alice.password)
        session.mail(alice.email)
        code, text = session.rcpt(gateway.address(contact))
    assert (code, text[:5]) == (550, b"5.7.1"), text
    assert b"STOP" in text
    assert len(gateway.sim.accepted) == accepted
    gateway.sim.inbound(contact, endpoint.number, "START")
    alice.inbox.wait(lambda mail: mail.text.strip().startswith("START"))
    alice.submit(gateway.address(contact), "after")
    gateway.sim.wait_request(to=contact, text="after")


def test_no_bounce_to_a_forged_sender(own_gateway):
    """Mail from outside to an alias that leads to a number: dropped, because its sender may be forged (FAILURES T13)."""
    gateway = own_gateway
    gateway.user("alice").endpoint()
    gateway.deliver_outside("oncall@msgs.test", compose("victim@outside.test", ["oncall@msgs.test"], "buy"), "victim@outside.test")
    wait_until(lambda: "status=dropped" in gateway.log("ump-lmtp"), "it to be dropped")
    assert not gateway.queue() and not gateway.sim.accepted
    assert gateway.log("postfix").count("status=bounced") == 0


def test_unstamped_sendmail_is_refused_in_lmtp(gateway, alice, endpoint, contact):
    """sendmail(1) passes no milter: ump-lmtp refuses for want of a stamp, and the sender is told."""
    before = len(gateway.sim.accepted)
    sendmail(gateway.layout.postfix, alice.email, [gateway.address(contact)],
             compose(alice.email, [gateway.address(contact)], "unstamped"))
    bounce = alice.inbox.wait(is_report)
    assert "5.7.1" in bounce.raw.decode()
    assert len(gateway.sim.accepted) == before


def test_one_refused_recipient_never_hits_the_others(gateway, alice, endpoint, contact):
    good = [gateway.address(contact), gateway.address(gateway.number())]
    mail = compose(alice.email, good, "to those who can")
    refused = alice.submit_raw([*good, "+1555@sms.msgs.test"], mail)
    assert list(refused) == ["+1555@sms.msgs.test"]
    for address in good:
        gateway.sim.wait_request(to=address.split("@")[0], text="to those who can")


# --- machine senders

def machine_mail(contact, text):
    mail = email.message.EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "reminders@msgs.test", f"{contact}@sms.msgs.test", "Reminder"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    return mail


@pytest.mark.destructive
def test_declared_machine_sender_goes_out_and_stops_at_its_cap(own_gateway):
    gateway = own_gateway
    endpoint = gateway.user("alice").endpoint()
    contact = gateway.number()
    refused = refusal(lambda: send(gateway.ports["smtp"], "reminders@msgs.test", [gateway.address(contact)],
                                   machine_mail(contact, "too early")))
    assert refused.code == 550 and refused.enhanced == "5.7.1"
    gateway.umpctl("sender", "add", "--net", "127.0.0.0/8", "--endpoint", endpoint.id, "--rate", "3/h")
    for index in range(3):
        send(gateway.ports["smtp"], "reminders@msgs.test", [gateway.address(contact)], machine_mail(contact, f"reminder {index}"))
        gateway.sim.wait_request(to=contact, text=f"reminder {index}")
    refused = refusal(lambda: send(gateway.ports["smtp"], "reminders@msgs.test", [gateway.address(contact)],
                                   machine_mail(contact, "one too many")))
    assert refused.code in (450, 451, 452, 550), refused
    assert_sentence(refused)
    assert len(gateway.sim.accepted) == 3


def test_user_cap(gateway, people):
    person = people()
    endpoint = person.endpoint()
    gateway.umpctl("endpoint", "show", endpoint.id)
    contact = gateway.number()
    sent, refused = 0, None
    for index in range(40):
        try:
            person.submit(gateway.address(contact), f"number {index}")
            sent += 1
        except Refused as error:
            refused = error
            break
    # The milter sees what is stored; what is still on its way from Postfix to ump-lmtp is refused there.
    assert 30 <= sent < 40 and refused is not None, (sent, refused)
    assert_sentence(refused)
    wait_until(lambda: contact not in str(gateway.queue()), "Postfix to have handed all over", 60)
    assert gateway.sql("SELECT count(*) FROM ump.submissions WHERE recipient LIKE %s", f"{contact}@%") == [(30,)]


# --- forged fields

NAMES = ("UMP-Header", "UMP-Stamp", "UMP-Conversation-ID", "UMP-Template", "UMP-From", "UMP-Loop", "UMP-X", "UMP-Channel-Preference")


def forged_fields(dice):
    lines = []
    for _ in range(dice.randrange(1, 16)):
        name = "".join(dice.choice((char.lower(), char.upper())) for char in dice.choice(NAMES))
        value = dice.choice(("v=1, id=\"x\"", "1 2 3", "", "a\r\n\tfolded", "x" * 200, "\xe9t\xe9", "v=1;kind=bridge"))
        lines.append(f"{name}:{dice.choice((' ', ''))}{value}")
        if dice.random() < 0.3:
            lines.append(f"X-Other-{dice.randrange(99)}: kept")
    return lines


@pytest.mark.sanitize
def test_forged_fields_leave_none_behind(gateway, alice):
    """1,000 random sets through real Postfix; only ours may remain, once each."""
    dice = random.Random(7)
    count = 1000
    with smtplib.SMTP("127.0.0.1", gateway.ports["smtp"]) as session:
        for index in range(count):
            kept = forged_fields(dice)
            raw = "\r\n".join([f"Subject: forged {index}", *kept, "From: x@outside.test", f"To: {alice.email}", "", "body", ""])
            session.sendmail("x@outside.test", [alice.email], raw.encode("latin-1"))
    wait_until(lambda: len(alice.inbox.uids()) >= count, "all of them", 120, 0.3)
    for mail in alice.inbox.all():
        ours = [name.lower() for name in mail.message.keys() if name.lower().startswith("ump-")]
        assert ours in ([], ["ump-conversation-id"]), (mail["Subject"], ours)
        head = mail.raw.split(b"\r\n\r\n")[0].lower()
        assert head.count(b"\r\nump-") == len(ours)
