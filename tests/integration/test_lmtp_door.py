"""ump-lmtp's two ways: mail for mailboxes through the index to Dovecot, mail for gateway addresses into the queue."""
import email.utils
import re
import subprocess
import time
import uuid

import pytest

from tests.lib.conversation import is_report
from tests.lib.lmtp import Lmtp
from tests.lib.smtp import Refused, compose, send
from tests.lib.wait import wait_until


@pytest.fixture
def session(gateway):
    with Lmtp(gateway.layout.lmtp_socket, timeout=60) as opened:
        yield opened.hello()


def plain(text, mark=None, **fields):
    headers = {"From": "Some One <someone@outside.test>", "Subject": mark or "x", "Date": email.utils.formatdate(),
               "Message-ID": f"<{uuid.uuid4()}@outside.test>", **fields}
    return "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items() if value) + f"\r\n{text}\r\n"


def message_id(content):
    return re.search(r"^Message-ID: (\S+)", content, re.M)[1]


def indexed(gateway, content):
    return gateway.sql("SELECT m.conversation_id, m.body, m.direction, m.metadata FROM ump.unified_messages m "
                       "WHERE m.mail_message_id = %s", message_id(content))


# --- local mail

@pytest.mark.sanitize
@pytest.mark.threads
def test_local_mail_gets_its_conversation_and_stays_as_it_is(gateway, alice, session):
    content = plain("Hello  there\r\n.dot\r\n\ttab ", X_Folded="a\r\n\tb", dkim_signature="v=1; a=b")
    assert session.deliver(alice.email, content, ident="Q1abc")[alice.email].startswith("250 2.0.0")
    raw = alice.inbox.wait().raw.decode()
    [(conversation, body, direction, metadata)] = indexed(gateway, content)
    assert raw.endswith(f"UMP-Conversation-ID: {conversation}\r\n{content}")
    # Return-Path and Delivered-To are Dovecot's, once.
    assert raw.count("Return-Path:") == 1 and raw.count("Delivered-To:") == 1
    assert (body.strip().splitlines()[0], direction) == ("Hello  there", "inbound")
    assert metadata["envelope_sender"] == "someone@outside.test"
    wait_until(lambda: gateway.sql("SELECT state FROM ump.mail_deliveries WHERE delivery_key = %s",
                                   f"tests/Q1abc/{alice.email}") == [("done",)], "the delivery to be settled")


def test_answers_join_the_conversation_of_their_owner_only(gateway, people, session):
    alice, bob = people(), people()
    first = plain("first")
    session.deliver([alice.email, bob.email], first)
    answer = plain("answer", In_Reply_To=message_id(first), References=f"<unknown@x> {message_id(first)}")
    session.deliver(alice.email, answer)
    session.deliver(bob.email, plain("another"))
    mine, his = ([mail["UMP-Conversation-ID"] for mail in person.inbox.wait_all(count=2)] for person in (alice, bob))
    assert mine[0] == mine[1] and his[0] != his[1] and mine[0] not in his


def test_each_recipient_has_his_own_copy(gateway, people, session):
    persons = [people() for _ in range(5)]
    answers = session.deliver([person.email for person in persons], plain("to all"))
    assert all(reply.startswith("250") for reply in answers.values())
    copies = [person.inbox.wait() for person in persons]
    assert len({copy["UMP-Conversation-ID"] for copy in copies}) == 5
    assert all(len(copy.all("UMP-Conversation-ID")) == 1 for copy in copies)


def test_the_same_delivery_again_is_answered_and_not_repeated(gateway, alice, session):
    content = plain("once")
    first = session.deliver(alice.email, content, ident="AGAIN1")[alice.email]
    again = session.deliver(alice.email, content, ident="AGAIN1")[alice.email]
    assert first.startswith("250") and again == "250 2.0.0 Delivered before"
    # The key goes with its transaction: without one the next mail is another.
    assert session.deliver(alice.email, plain("another"))[alice.email] != again
    alice.inbox.wait_all(count=2)
    assert len(alice.inbox.uids()) == 2


def test_the_same_recipient_twice_is_delivered_once(alice, session):
    session.send(f"MAIL FROM:<a@outside.test>\r\nRCPT TO:<{alice.email}>\r\nRCPT TO:<{alice.email}>\r\nDATA\r\n")
    assert [reply[:3] for reply in session.replies(4)] == ["250", "250", "250", "354"]
    session.send(plain("x") + ".\r\n")
    assert [reply[:3] for reply in session.replies(2)] == ["250", "250"]
    alice.inbox.wait()
    assert len(alice.inbox.uids()) == 1


def test_dovecot_answers_each_recipient(gateway, alice, session):
    """At RCPT already, and without hurting the others."""
    answers = session.deliver(["nobody-there@msgs.test", alice.email, "neither@msgs.test"], plain("x"))
    assert answers["nobody-there@msgs.test"].startswith("550 5.1.1") and answers["neither@msgs.test"].startswith("550")
    assert answers[alice.email].startswith("250")


def test_a_mailbox_that_nobody_here_owns(gateway, session):
    content = plain("for the team's mailbox, before there is a team", mark=str(uuid.uuid4()))
    assert session.deliver("support@msgs.test", content)["support@msgs.test"].startswith("250")
    from tests.lib.gateway import Person
    person = Person(gateway, "support@msgs.test")
    mail = person.inbox.wait(lambda mail: mail["Message-ID"] == message_id(content))
    assert mail["UMP-Conversation-ID"] is None and not indexed(gateway, content)
    person.close()


def test_extension_belongs_to_the_mailbox(gateway, alice, session):
    content = plain("x")
    local, domain = alice.email.split("@")
    to = f"{local.upper()}+folder@{domain}"
    reply = session.deliver(to, content)[to]
    if reply.startswith("250"):
        assert indexed(gateway, content)


@pytest.mark.sanitize
@pytest.mark.parametrize("forged", [
    {"UMP_Header": "v=1, id=\"x\""}, {"ump-conversation-id": str(uuid.uuid4())}, {"UMP_Stamp": "v=1, k=k, kind=bridge"},
    {"UMP_Channel_Preference": "sms"}, {"UmP-X": "folded\r\n\tmore"}, {"UMP_Template": "x", "UMP_From": "y"},
])
def test_forged_fields_do_not_reach_a_mailbox(alice, session, forged):
    assert session.deliver(alice.email, plain("x", **forged))[alice.email].startswith("250")
    mail = alice.inbox.wait()
    assert [name for name in mail.message.keys() if name.lower().startswith("ump-")] == ["UMP-Conversation-ID"]
    assert mail["UMP-Conversation-ID"] not in forged.values()


def test_field_behind_a_bare_carriage_return(alice, session):
    assert session.deliver(alice.email, "Subject: x\rUMP-Header: v=1\r\nFrom: a@x.test\r\n\r\nx\r\n")[alice.email].startswith("250")
    assert alice.inbox.wait()["UMP-Header"] is None


def test_submitted_mail_loses_its_stamp_and_keeps_its_wishes(gateway, people):
    alice, bob = people(), people()
    alice.submit(bob.email, "hello", UMP_Channel_Preference="signal", UMP_Stamp="forged")
    mail = bob.inbox.wait()
    assert mail["UMP-Stamp"] is None and mail["UMP-Channel-Preference"] == "signal"
    assert len(mail.all("UMP-Conversation-ID")) == 1


def test_success_report_that_postfix_leaves_to_us(gateway, people):
    alice, bob = people(), people()
    mail = alice.submit(bob.email, "please confirm", rcpt_options=["NOTIFY=SUCCESS"], mail_options=["ENVID=abc"])
    report = alice.inbox.wait(is_report)
    status = next(part for part in report.message.walk() if part.get_content_type() == "message/delivery-status").as_string()
    assert "Action: delivered" in status and bob.email in status and "abc" in status
    assert mail["Message-ID"] in f"{report['References']} {report['In-Reply-To']}"
    alice.submit(bob.email, "the next one")
    bob.inbox.wait(lambda mail: mail.text == "the next one")
    assert not gateway.queue()
    assert len([m for m in alice.inbox.all() if is_report(m)]) == 1


# --- gateway mail

def outbox(gateway, number):
    return gateway.sql("SELECT o.state, o.due_at, m.type, m.body, m.metadata FROM ump.outbox o JOIN ump.unified_messages m "
                       "ON m.account_id = o.account_id AND m.id = o.message_id WHERE o.recipient = %s", number)


def messages(gateway, number):
    return gateway.sql("SELECT m.type, m.body, m.metadata, d.status FROM ump.unified_messages m JOIN ump.deliveries d "
                       "ON d.account_id = m.account_id AND d.message_id = m.id WHERE d.recipient = %s", number)


@pytest.mark.sanitize
def test_unstamped_gateway_mail(gateway, alice, endpoint, contact, session):
    address = gateway.address(contact)
    answers = session.deliver([address, alice.email], plain("x", From=alice.email), sender=alice.email)
    assert answers[address].startswith("550 5.7.1") and answers[alice.email].startswith("250")
    # From nobody: a refusal would bounce to nobody.
    assert session.deliver(address, plain("x"), sender="")[address].startswith("250")
    assert not messages(gateway, contact)


@pytest.mark.parametrize("address,reply", [
    ("+1555@sms.msgs.test", "550 5.1.3"), ("hello@sms.msgs.test", "550 5.1.3"), ("+12125550123@nosuch.msgs.test", "550"),
    ("r.abc@notice.msgs.test", "550"), ('"a b"@sms.msgs.test', "550"),
])
def test_bad_gateway_addresses(session, address, reply):
    assert session.deliver(address, plain("x"), sender="alice@msgs.test")[address].startswith(reply)


def stamped(gateway, person, recipients, text, **fields):
    """A mail as it stands in Postfix's queue, with its stamp: ump-lmtp is stopped while it is submitted."""
    gateway.stop_service("ump-lmtp")
    person.submit(recipients, text, **fields)
    [entry] = wait_until(lambda: [e for e in gateway.queue() if e["sender"] == person.email], "it to be queued")
    done = subprocess.run(["/usr/sbin/postcat", "-c", gateway.layout.postfix, "-hbq", entry["queue_id"]], check=True, capture_output=True)
    subprocess.run(["/usr/sbin/postsuper", "-c", gateway.layout.postfix, "-d", entry["queue_id"]], check=True, capture_output=True)
    gateway.start_service("ump-lmtp")
    return done.stdout.replace(b"\n", b"\r\n").decode()


@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [["outbound.poll=10m"]], indirect=True)
def test_stamp_replay(own_gateway):
    """FAILURES T02: the same again is 250 and stored once, anything else 5.7.1."""
    gateway = own_gateway
    alice, contact, other = gateway.user("alice"), gateway.number(), gateway.number()
    alice.endpoint()
    address = gateway.address(contact)
    content = stamped(gateway, alice, address, "pay 100")
    with Lmtp(gateway.layout.lmtp_socket, timeout=60) as session:
        session.hello()

        def deliver(changed=content, to=address, sender=alice.email, **options):
            return session.deliver(to, changed, sender=sender, **options)[to]
        first = deliver()
        assert first.startswith("250 2.0.0") and "ump:msg:" in first
        assert deliver() == first
        assert deliver(content.replace("pay 100", "pay 900")).startswith("550 5.7.1")
        assert deliver(to=gateway.address(other)).startswith("550 5.7.1")
        assert deliver(to=gateway.address(other), sender="bob@msgs.test").startswith("550 5.7.1")
        assert deliver(sender="bob@msgs.test").startswith("550 5.7.1")
        assert deliver(content.replace(f"From: {alice.email}", "From: bob@msgs.test")).startswith("550 5.7.1")
        assert deliver(re.sub("Message-ID: .*\r\n", "Message-ID: <new@x>\r\n", content)).startswith("550 5.7.1")
        assert deliver(re.sub(r"txn=\"[^\"]*\"", f'txn="{uuid.uuid4()}"', content)).startswith("550 5.7.1")
        stamp = re.search(r"UMP-Stamp: (?:.|\r\n[ \t])*\r\n", content)[0]
        assert deliver(stamp + content).startswith("550 5.7.1")
        assert deliver(content.replace(stamp, "")).startswith("550 5.7.1")
        # A recipient whom an alias led to says where it came from; ORCPT alone opens nothing.
        assert deliver(to=gateway.address(other), rcpt_options=" ORCPT=rfc822;elsewhere@msgs.test").startswith("550 5.7.1")
    assert [row[1] for row in messages(gateway, contact)] == ["pay 100"] and not messages(gateway, other)


@pytest.mark.sanitize
def test_what_the_mail_asks_for_is_kept(gateway, alice, endpoint, contact):
    alice.submit(gateway.address(contact), "Kept", subject="About it", Importance="high",
                 Disposition_Notification_To=alice.email, mail_options=["ENVID=e1", "RET=HDRS"],
                 rcpt_options=["NOTIFY=SUCCESS,FAILURE"])
    gateway.sim.wait_request(to=contact, text="Kept")
    [(kind, body, metadata, _)] = messages(gateway, contact)
    assert (kind, body) == ("text", "Kept")
    assert {key: metadata[key] for key in ("subject", "urgent", "read_report_to", "envid", "ret", "notify", "recipient")} == {
        "subject": "About it", "urgent": True, "read_report_to": alice.email, "envid": "e1", "ret": "HDRS",
        "notify": "SUCCESS,FAILURE", "recipient": gateway.address(contact)}


def test_deferred_delivery(gateway, alice, endpoint, contact):
    later = time.time() + 7200
    alice.submit(gateway.address(contact), "later", Deferred_Delivery=email.utils.formatdate(later))
    [(state, due, *_)] = wait_until(lambda: outbox(gateway, contact), "it to be queued")
    assert state == 4 and abs(due.timestamp() - later) < 2
    at = time.strftime("%Y%m%dT%H%MZ", time.gmtime(later))
    other = gateway.number()
    alice.submit(f"{other}+at.{at}@sms.msgs.test", "later, too")
    [(state, due, *_)] = wait_until(lambda: outbox(gateway, other), "it to be queued")
    assert state == 4 and 0 <= later - due.timestamp() < 61
    # What waits for its time holds up nothing.
    alice.submit(gateway.address(contact), "now")
    gateway.sim.wait_request(to=contact, text="now")


@pytest.mark.parametrize("days,words", [(None, "Deferred-Delivery is no time to send at"), (400, "at most 366 days ahead")])
def test_deferred_to_no_date_is_refused(gateway, alice, endpoint, contact, days, words):
    when = email.utils.formatdate(time.time() + days * 86400) if days else "whenever"
    with pytest.raises(Refused) as refused:
        alice.submit(gateway.address(contact), "when?", Deferred_Delivery=when)
    assert refused.value.code == 550 and words in str(refused.value)
    assert not outbox(gateway, contact)


def test_number_as_people_write_it_in_quotes(gateway, alice, endpoint):
    number = gateway.number()
    written = f"({number[2:5]}) {number[5:8]}-{number[8:]}"
    mail = compose(alice.email, ["somebody@msgs.test"], "In quotes")
    alice.submit_raw([f'"{written}"@sms.msgs.test'], mail)
    gateway.sim.wait_request(to=number, text="In quotes")


def test_subject_goes_first_where_the_endpoint_wants_it(gateway, alice, contact):
    alice.endpoint(subject_first="yes")
    alice.submit(gateway.address(contact), "and the text", subject="The subject")
    gateway.sim.wait_request(to=contact, text="The subject\nand the text")
    other = gateway.number()
    alice.submit(gateway.address(other), "", subject="Only a subject")
    gateway.sim.wait_request(to=other, text="Only a subject")


def test_reaction_is_kept_as_one(gateway, alice, endpoint, contact):
    gateway.sim.inbound(contact, endpoint.number, "Look at this")
    mail = alice.inbox.wait()
    raw = (f"From: {alice.email}\r\nTo: {gateway.address(contact)}\r\nSubject: x\r\nMessage-ID: <{uuid.uuid4()}@c>\r\n"
           f"In-Reply-To: {mail['Message-ID']}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
           f"Content-Disposition: reaction\r\nContent-Transfer-Encoding: 8bit\r\n\r\n👍\r\n").encode()
    alice.submit_raw([gateway.address(contact)], raw, mail_options=["BODY=8BITMIME"])
    [(kind, _, metadata, _)] = wait_until(lambda: messages(gateway, contact), "it to be stored")
    assert kind == "reaction" and metadata["reaction"] == {"emoji": "👍", "target": mail["Message-ID"]}


def test_reaction_is_not_taken_back_where_there_are_none(gateway, alice, endpoint, contact):
    gateway.sim.inbound(contact, endpoint.number, "Look at this")
    alice.react(alice.inbox.wait(), "-")
    report = alice.inbox.wait(is_report)
    assert "cannot be taken back" in " ".join(report.text.split())
    assert not [entry for entry in gateway.sim.accepted if contact in str(entry["request"]["to"])]


def test_new_group(gateway, alice, endpoint):
    numbers = [gateway.number() for _ in range(3)]
    recipients = ["new-group@sms.msgs.test", *(gateway.address(number) for number in numbers)]
    alice.submit(recipients, "Hello group")
    request = gateway.sim.wait_request(text="Hello group")["request"]
    assert sorted(request["to"]) == sorted(numbers)
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.outbox WHERE endpoint_id = %s", endpoint.id) == [(0,)], "all to be sent")
    assert len([e for e in gateway.sim.accepted if e["request"]["text"] == "Hello group"]) == 1
    # The same again is the same group.
    alice.submit(recipients, "Hello again")
    gateway.sim.wait_request(text="Hello again")
    assert gateway.sql("SELECT count(*) FROM ump.chat_groups WHERE endpoint_id = %s", endpoint.id) == [(1,)]


UNCERTAIN = "ok\n\n--- alter text ---\nWhat do you think?\n"


@pytest.fixture
def preview(gateway, alice, endpoint, contact):
    """A held message; the address that answers its notice."""
    gateway.sim.inbound(contact, endpoint.number, "What do you think?")
    mail = alice.inbox.wait()
    alice.submit(gateway.address(contact), UNCERTAIN, In_Reply_To=mail["Message-ID"], References=mail["Message-ID"])
    notice = alice.inbox.wait(lambda mail: "notice.msgs.test" in str(mail["Reply-To"] or mail["From"]))
    return (notice["Reply-To"] or notice["From"]).addresses[0].addr_spec


def status(gateway, contact):
    return gateway.sql("SELECT status FROM ump.deliveries WHERE recipient = %s", contact)[0][0]


def test_held_message_is_cancelled(gateway, alice, contact, preview):
    alice.submit(preview, "cancel")
    wait_until(lambda: status(gateway, contact) == "cancelled", "it to be cancelled")
    # Too late for anything else; the author is told.
    alice.submit(preview, "a new text")
    bounce = alice.inbox.wait(is_report)
    assert "5.5.1" in bounce.raw.decode() and status(gateway, contact) == "cancelled"


def test_held_message_is_corrected(gateway, alice, contact, preview):
    alice.submit(preview, "No, I do not.")
    gateway.sim.wait_request(to=contact, text="No, I do not.")


def test_too_late_to_cancel_is_said(gateway, alice, contact, preview):
    alice.submit(preview, "send")
    wait_until(lambda: status(gateway, contact) == "delivered", "it to be delivered")
    alice.submit(preview, "cancel")
    bounce = alice.inbox.wait(is_report)
    assert "5.5.1" in bounce.raw.decode() and "has left" in bounce.raw.decode()


def test_confirmed_after_stop_is_refused(gateway, alice, endpoint, contact, preview):
    gateway.sim.inbound(contact, endpoint.number, "STOP")
    alice.submit(preview, "send")
    bounce = alice.inbox.wait(is_report)
    assert "The recipient has asked to get no more messages" in " ".join(bounce.raw.decode().split())
    assert status(gateway, contact) == "held"


def test_notice_is_its_authors(gateway, people, contact, preview):
    mallory = people()
    mallory.endpoint()
    mallory.submit(preview, "send")
    bounce = mallory.inbox.wait(is_report)
    assert "5.7.1" in bounce.raw.decode() and status(gateway, contact) == "held"


# --- the database is down

@pytest.mark.destructive
@pytest.mark.threads
def test_index_is_made_up_for_after_an_outage(own_gateway):
    gateway = own_gateway
    bob = gateway.user("bob")
    gateway.stop_service("postgres")
    contents = [plain(f"during {index}") for index in range(20)]
    with Lmtp(gateway.layout.lmtp_socket, timeout=60) as session:
        session.hello()
        started = time.monotonic()
        for index, content in enumerate(contents):
            assert session.deliver(bob.email, content, ident=f"OUT{index}")[bob.email].startswith("250")
        assert time.monotonic() - started < 10
    assert all(mail["UMP-Conversation-ID"] is None for mail in bob.inbox.wait_all(count=20))
    gateway.kill("ump-lmtp")
    gateway.start_service("postgres")
    wait_until(lambda: all(indexed(gateway, content) for content in contents), "the index", 60)
    with Lmtp(gateway.layout.lmtp_socket, timeout=60) as session:
        assert session.hello().deliver(bob.email, contents[0], ident="OUT0")[bob.email] == "250 2.0.0 Delivered before"
    assert gateway.sql("SELECT count(*), count(DISTINCT mail_message_id) FROM ump.unified_messages WHERE body LIKE 'during%%'") == [(20, 20)]


@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [["lmtp.index=required", "lmtp.index_wait=500ms"]], indirect=True)
def test_index_required(own_gateway):
    gateway = own_gateway
    bob = gateway.user("bob")
    gateway.stop_service("postgres")
    content = plain("must be indexed")
    with Lmtp(gateway.layout.lmtp_socket, timeout=60) as session:
        session.hello()
        assert session.deliver(bob.email, content, ident="REQ1")[bob.email].startswith("451 4.3.0")
        gateway.start_service("postgres")
        wait_until(lambda: session.deliver(bob.email, content, ident="REQ1")[bob.email].startswith("250"), "it to be taken")
    assert indexed(gateway, content) and len(bob.inbox.uids()) == 1


@pytest.mark.destructive
def test_dovecot_is_down(own_gateway):
    gateway = own_gateway
    bob = gateway.user("bob")
    gateway.stop_service("dovecot")
    with Lmtp(gateway.layout.lmtp_socket, timeout=60) as session:
        session.hello()
        assert session.deliver(bob.email, plain("x"))[bob.email].startswith("451 4.3.0")
    gateway.deliver_outside(bob.email, compose("friend@outside.test", [bob.email], "waits for Dovecot"))
    gateway.start_service("dovecot")
    gateway.user("bob").inbox.wait(lambda mail: mail.text == "waits for Dovecot", timeout=40)


def test_postfix_keeps_a_bounce_in_the_thread(gateway, alice, endpoint, contact):
    """One refused behind the queue is reported by Postfix, the others leave."""
    mail = compose(alice.email, [gateway.address(contact)], "x" * 10)
    send(gateway.ports["submission"], alice.email, [gateway.address(contact)], mail, (alice.email, alice.password))
    gateway.sim.wait_request(to=contact)


def test_success_report_leaves_through_postfix(gateway, alice, session):
    """For a sender elsewhere; a forged one gets twenty an hour at most."""
    sender = f"far{uuid.uuid4().hex[:8]}@outside.test"
    for index in range(22):
        assert session.deliver(alice.email, plain("x"), sender=sender, rcpt_options=" NOTIFY=SUCCESS")[alice.email].startswith("250")
    wait_until(lambda: gateway.log("postfix").count(f"to=<{sender}>") >= 20, "Postfix to have the reports", 40)
    wait_until(lambda: gateway.log("ump-lmtp").count("too many to this sender") >= 2, "the rest to be dropped", 20)
    assert gateway.log("postfix").count(f"ump-submit/smtpd") > 0
