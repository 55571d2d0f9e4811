"""What is not certain is held: the preview, its answers, and what the thread itself says about which text is new."""
import email.message
import time

import pytest

from tests.lib.conversation import is_report
from tests.lib.gateway import ControlFailed
from tests.lib.smtp import Refused
from tests.lib.wait import wait_until

LAST = "What do you think about the offer that we made you on Monday?"
# Two lines as of the header of another mail, and text below: nobody can be sure whose it is.
UNSURE = "Hello\n\nSubject: the offer\nTo: Alice\nI was told so\nI think so\n"


def is_preview(mail):
    return "Please confirm" in str(mail["Subject"])


def plain(mail):
    """The source without soft line breaks."""
    return mail.raw.decode().replace("=\r\n", "")


def thread(mail):
    """The fields of an answer to it."""
    return {"In_Reply_To": mail["Message-ID"], "References": mail["Message-ID"]}


def body_of(request):
    return request["request"]["text"]


class Held:
    """A message of alice's that was held, and its preview."""

    def __init__(self, gateway, alice, endpoint, contact, body=UNSURE, **fields):
        self.gateway, self.alice, self.contact = gateway, alice, contact
        if endpoint.owner == alice.email:
            gateway.sim.inbound(contact, endpoint.number, LAST)
            self.first = alice.inbox.wait(lambda mail: mail.text == LAST)
            fields |= thread(self.first)
        self.mail = alice.submit(gateway.address(contact), body, subject="Re: x", **fields)
        self.preview = alice.inbox.wait(is_preview)
        self.address = (self.preview["Reply-To"] or self.preview["From"]).addresses[0].addr_spec

    def answer(self, text="", who=None, **fields):
        return (who or self.alice).submit(self.address, text, subject=f"Re: {self.preview['Subject']}",
                                          In_Reply_To=self.preview["Message-ID"],
                                          References=f"{self.preview['References']} {self.preview['Message-ID']}", **fields)

    def status(self):
        return self.gateway.sql("SELECT d.status FROM ump.deliveries d JOIN ump.mail_ids i USING (account_id, message_id)"
                                " WHERE i.mail_id = %s", self.mail["Message-ID"])[0][0]

    def sent(self):
        return [body_of(e) for e in self.gateway.sim.accepted if e["request"]["to"] == self.contact]

    def refusal(self, who=None):
        """The report that Postfix wrote of the answer which ump-lmtp refused."""
        return (who or self.alice).inbox.wait(lambda mail: is_report(mail) and self.address in plain(mail))


@pytest.fixture
def held(gateway, alice, endpoint, contact):
    return Held(gateway, alice, endpoint, contact)


@pytest.mark.sanitize
def test_nothing_is_sent_and_the_preview_stands_in_the_thread(held):
    assert held.address.startswith("r.") and held.address.endswith("@notice.msgs.test")
    assert held.mail["Message-ID"] in held.preview["References"] and held.first["Message-ID"] in held.preview["References"]
    assert held.preview["Auto-Submitted"].startswith("auto-") and held.preview["Return-Path"] == "<>"
    assert "Nothing has been sent" in held.preview.text and held.contact in held.preview.text
    assert held.status() == "held" and held.sent() == []


@pytest.mark.parametrize("word", ["send", "SEND", "Send.", "\"Send\"", "Senden", "Отправить", "送信", "Yes, send it!"])
def test_one_word_sends_what_was_shown(held, word):
    held.answer(word)
    [(shown,)] = held.gateway.sql("SELECT body FROM ump.unified_messages WHERE mail_message_id = %s", held.mail["Message-ID"])
    assert body_of(held.gateway.sim.wait_request(to=held.contact)) == shown
    assert shown.split("\n")[0] in held.preview.text


def test_answer_with_the_quoted_preview_and_a_signature_below(held):
    held.alice.reply(held.preview, "send", to=held.address)
    held.gateway.sim.wait_request(to=held.contact)
    assert len(held.sent()) == 1


def test_html_alone_answers(held):
    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = held.alice.email, held.address, "Re: Please confirm"
    message["Message-ID"], message["In-Reply-To"] = f"<html.{time.time_ns()}@client.msgs.test>", held.preview["Message-ID"]
    message.set_content("<html><body><div dir=\"ltr\">Send</div><br><div class=\"gmail_quote\">"
                        "<div class=\"gmail_attr\">On Friday, Gateway wrote:<br></div>"
                        "<blockquote class=\"gmail_quote\">Nothing has been sent</blockquote></div></body></html>",
                        subtype="html")
    held.alice.submit_raw([held.address], message)
    held.gateway.sim.wait_request(to=held.contact)
    assert len(held.sent()) == 1


@pytest.mark.sanitize
def test_correction_replaces_the_text(held):
    held.alice.reply(held.preview, "I think so, yes.\nSee you on Monday.", to=held.address)
    assert body_of(held.gateway.sim.wait_request(to=held.contact)) == "I think so, yes.\nSee you on Monday."
    trace = held.gateway.trace(held.mail["Message-ID"])
    assert {"held", "queued"} <= {event["status"] for event in trace}
    queued = next(event for event in trace if event["status"] == "queued" and event["what"].startswith("delivery"))
    assert queued["detail"]["segments"] == 1


def test_correction_that_is_itself_uncertain_sends_nothing(held):
    held.answer(UNSURE)
    report = held.refusal()
    assert "not certain" in plain(report)
    assert held.status() == "held" and held.sent() == []
    held.answer("send")
    held.gateway.sim.wait_request(to=held.contact)


def test_preview_quoted_without_any_mark_is_no_correction(held):
    """A mail program that marks no quote: our own sentences are known, so they are not sent to anybody."""
    held.answer(f"Yes, see you there.\n\n{held.preview.text}")
    held.refusal()
    assert held.status() == "held" and held.sent() == []


@pytest.mark.parametrize("text", ["ok", "Yes!", "👍", "send\n\nAlice"])
def test_consent_that_may_be_the_text_is_asked_again(held, text):
    held.answer(text)
    assert "send" in plain(held.refusal())
    assert held.status() == "held" and held.sent() == []


def test_cancel_then_send(held):
    held.answer("cancel")
    wait_until(lambda: held.status() == "cancelled", "the message to be cancelled")
    held.answer("send")
    held.refusal()
    assert held.status() == "cancelled" and held.sent() == []


def test_answered_twice(held):
    held.answer("send")
    held.gateway.sim.wait_request(to=held.contact)
    held.answer("send")     # the same again is no fault
    held.answer("Another text")
    report = held.refusal()
    assert "left already" in plain(report)
    assert len(held.sent()) == 1


def test_another_user_may_not_answer(held, people):
    eve = people()
    held.answer("send", who=eve)
    report = held.refusal(eve)
    assert "author" in plain(report)
    assert held.status() == "held" and held.sent() == []


@pytest.mark.parametrize("word", ["send", "Come at three."])
def test_who_may_no_longer_send_confirms_nothing(gateway, people, contact, word):
    alice, bob = people(), people()
    line = bob.endpoint()
    gateway.umpctl("endpoint", "grant", line.id, alice.email)
    held = Held(gateway, alice, line, contact)
    gateway.umpctl("endpoint", "revoke", line.id, alice.email)
    held.answer(word)
    held.refusal()
    assert held.status() == "held" and held.sent() == []
    gateway.umpctl("endpoint", "grant", line.id, alice.email)
    held.answer(word)
    gateway.sim.wait_request(to=contact)


def test_correction_is_measured(held):
    held.answer("x" * 153 * 7)
    report = held.refusal()
    assert "7 SMS" in plain(report)
    assert held.status() == "held"


def test_preview_over_the_limit_is_not_sent(gateway, alice, contact):
    endpoint = alice.endpoint(max_segments=1)
    held = Held(gateway, alice, endpoint, contact, body="long " * 60 + "\n\n" + UNSURE)
    held.answer("send")
    held.refusal()
    assert held.status() == "held" and held.sent() == []
    held.answer("short")
    assert body_of(gateway.sim.wait_request(to=contact)) == "short"


def test_recipient_opted_out_meanwhile(held):
    held.gateway.umpctl("optout", "add", "sms", held.contact)
    held.answer("send")
    assert "STOP" in plain(held.refusal())
    assert held.sent() == []


@pytest.mark.parametrize("own_gateway", [("receipts.notice_ttl=1h",)], indirect=True)
def test_expired_notice_is_refused_while_the_user_listens(own_gateway):
    gateway = own_gateway
    alice = gateway.user("alice")
    held = Held(gateway, alice, alice.endpoint(), gateway.number())
    conf = gateway.layout.conf
    conf.write_text(conf.read_text().replace("[gateway]\n", "[gateway]\nclock_offset = 2h\n", 1))
    gateway.kill("ump-milter")
    with pytest.raises(Refused) as caught:
        held.answer("send")
    assert caught.value.code == 550 and "too old" in caught.value.text, caught.value
    assert held.status() == "held" and held.sent() == []


# --- an endpoint's choice

def test_endpoint_that_sends_the_best_reading(gateway, alice, contact):
    endpoint = alice.endpoint(uncertain="send")
    gateway.sim.inbound(contact, endpoint.number, LAST)
    mail = alice.inbox.wait()
    alice.submit(gateway.address(contact), UNSURE, **thread(mail))
    assert body_of(gateway.sim.wait_request(to=contact)).startswith("Hello")
    assert not [mail for mail in alice.inbox.all() if is_preview(mail)]


def test_empty_reading_is_never_sent(gateway, alice, contact):
    endpoint = alice.endpoint(uncertain="send")
    gateway.sim.inbound(contact, endpoint.number, LAST)
    mail = alice.inbox.wait()
    quoted = "-----Original Message-----\nFrom: Bob\nSent: Friday\nTo: Alice\nSubject: x\n\nWe do not know.\n"
    alice.submit(gateway.address(contact), quoted, **thread(mail))
    preview = alice.inbox.wait(is_preview)
    assert "No text would go out" in preview.text
    address = (preview["Reply-To"] or preview["From"]).addresses[0].addr_spec
    alice.submit(address, "send", In_Reply_To=preview["Message-ID"])
    alice.inbox.wait(is_report)
    assert not [e for e in gateway.sim.accepted if e["request"]["to"] == contact]


@pytest.mark.parametrize("word", ["cancel", "send"])
def test_the_administrator_answers_for_the_user(gateway, held, contact, word):
    [record] = [record for record in gateway.umpctl("queue", "list", "held") if record["recipient"] == contact]
    gateway.umpctl("queue", "answer", record["message"], word)
    assert not [record for record in gateway.umpctl("queue", "list", "held") if record["recipient"] == contact]
    if word == "send":
        gateway.sim.wait_request(to=contact)
    else:
        assert gateway.sql("SELECT status FROM ump.deliveries WHERE recipient = %s", contact) == [("cancelled",)]


def test_best_reading_is_measured(gateway, alice, contact):
    endpoint = alice.endpoint(uncertain="send", max_segments=1)
    gateway.sim.inbound(contact, endpoint.number, LAST)
    mail = alice.inbox.wait()
    with pytest.raises(Refused) as caught:
        alice.submit(gateway.address(contact), "long " * 60 + "\n\n" + UNSURE, **thread(mail))
    assert caught.value.code == 552 and "your limit is 1" in caught.value.text


def test_team_message_is_filed_when_it_was_confirmed(own_gateway):
    from tests.lib.gateway import Person
    gateway = own_gateway
    alice, support = gateway.user("alice"), Person(gateway, "support@msgs.test")
    gateway.umpctl("team", "add", "support", "--mailbox", support.email, "--member", alice.email)
    endpoint, contact = gateway.endpoint("team:support"), gateway.number()
    gateway.sim.inbound(contact, endpoint.number, LAST)
    mail = support.inbox.wait()
    alice.submit(gateway.address(contact), UNSURE, sender=support.email, **thread(mail))
    preview = alice.inbox.wait(is_preview)
    alice.submit((preview["Reply-To"] or preview["From"]).addresses[0].addr_spec, "send", In_Reply_To=preview["Message-ID"])
    gateway.sim.wait_request(to=contact)
    assert support.box("Sent").wait()["Sender"].address.addr_spec == alice.email


def test_scheduled_message_keeps_its_time_when_confirmed(gateway, alice, endpoint, contact):
    gateway.sim.inbound(contact, endpoint.number, LAST)
    mail = alice.inbox.wait()
    alice.submit(f"{contact}+at.20270601T0900Z@sms.msgs.test", UNSURE, **thread(mail))
    preview = alice.inbox.wait(is_preview)
    alice.submit((preview["Reply-To"] or preview["From"]).addresses[0].addr_spec, "send", In_Reply_To=preview["Message-ID"])
    due = wait_until(lambda: gateway.sql("SELECT due_at::text FROM ump.outbox WHERE recipient = %s", contact), "the outbox")
    assert due[0][0].startswith("2027-06-01 09:00:00")


# --- SMS counted

def test_segments_are_told_to_who_wants_to_know(gateway, alice, endpoint, contact):
    assert gateway.umpctl("user", "set", alice.email, "--report-segments")
    held = Held(gateway, alice, endpoint, contact)
    assert "Length: 1 SMS." in held.preview.text
    asked = alice.submit(gateway.address(contact), "x" * 200, rcpt_options=["NOTIFY=SUCCESS,FAILURE"])
    report = alice.inbox.wait(lambda mail: is_report(mail) and asked["Message-ID"] in str(mail["References"]))
    assert "Length: 2 SMS." in report.text
    gateway.umpctl("user", "set", alice.email, "--no-report-segments")
    assert not gateway.umpctl("user", "show", alice.email)["report_segments"]


def test_shift_tables_count_where_the_endpoint_says_so(gateway, alice, contact):
    text = "ş" * 140
    for settings, segments in (({}, 3), ({"national_shift": "tr,es"}, 1)):
        endpoint = alice.endpoint(**settings)
        mail = alice.submit(gateway.address(contact), text, UMP_From=endpoint.number)
        log = wait_until(lambda: [line for line in gateway.log("ump-lmtp").splitlines() if mail["Message-ID"] in line
                                  and "status=queued" in line], "the log line")
        assert f"segments={segments}," in log[-1], log[-1]


# --- mail that cannot be read

def encrypted():
    message = email.message.EmailMessage()
    message.set_content("-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n")
    return message


def invitation():
    message = email.message.EmailMessage()
    message.set_content("When: Friday noon\nWhere: here\n")
    message.add_alternative("BEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR\n", subtype="calendar",
                            params={"method": "REQUEST"})
    return message


def winmail():
    message = email.message.EmailMessage()
    message.set_content(b"x\x9f>\"", maintype="application", subtype="ms-tnef", filename="winmail.dat")
    return message


def smime():
    message = email.message.EmailMessage()
    message.set_content(b"MIIB", maintype="application", subtype="pkcs7-mime", filename="smime.p7m",
                        params={"smime-type": "enveloped-data"})
    return message


def addressed(message, sender, recipients):
    message["From"], message["To"], message["Subject"] = sender, ", ".join(recipients), "x"
    message["Message-ID"] = f"<unreadable.{time.time_ns()}@client.msgs.test>"
    return message


UNREADABLE = [(encrypted, "encrypted"), (smime, "encrypted"), (invitation, "invitation"), (winmail, "winmail.dat")]


@pytest.mark.parametrize("make, word", UNREADABLE)
def test_unreadable_mail_is_refused_at_the_end_of_data(gateway, alice, endpoint, contact, make, word):
    recipients = [gateway.address(contact)]
    with pytest.raises(Refused) as caught:
        alice.submit_raw(recipients, addressed(make(), alice.email, recipients))
    assert caught.value.code == 550 and caught.value.enhanced.startswith("5.") and word in caught.value.text, caught.value
    assert not [e for e in gateway.sim.accepted if e["request"]["to"] == contact]


@pytest.mark.parametrize("make, word", UNREADABLE)
def test_unreadable_mail_to_others_too_is_reported(gateway, alice, people, endpoint, contact, make, word):
    """The milter must not refuse it to the colleague: ump-lmtp refuses the number alone, and Postfix reports that."""
    bob = people()
    recipients = [gateway.address(contact), bob.email]
    assert not alice.submit_raw(recipients, addressed(make(), alice.email, recipients))
    bob.inbox.wait()
    report = alice.inbox.wait(is_report)
    assert word in plain(report) and "Action: failed" in plain(report)
    assert not [e for e in gateway.sim.accepted if e["request"]["to"] == contact]


# --- the thread as evidence

PARAGRAPH = ("We have looked at the two offers that you sent us last week, and the second one fits our plans better.\n"
             "Could you tell us until Wednesday whether the price still holds, and who would come to install it?")


@pytest.mark.parametrize("decorated", [
    "{}", "| {}", "\t{}", "*{}*",
], ids=["bare", "bar", "indented", "bold"])
def test_what_was_delivered_is_not_sent_back(gateway, alice, endpoint, contact, decorated):
    gateway.sim.inbound(contact, endpoint.number, PARAGRAPH)
    mail = alice.inbox.wait()
    quoted = "\n".join(decorated.format(line) for line in PARAGRAPH.split("\n"))
    alice.submit(gateway.address(contact), f"The price holds, and Carol will come.\n\n{quoted}\n", **thread(mail))
    assert body_of(gateway.sim.wait_request(to=contact)) == "The price holds, and Carol will come."


def test_only_the_own_thread_is_evidence(gateway, alice, people, endpoint, contact):
    """Another user's conversation says nothing about my mail, nor does it show itself that way."""
    bob = people()
    bob_endpoint = bob.endpoint()
    gateway.sim.inbound(contact, bob_endpoint.number, PARAGRAPH)
    foreign = bob.inbox.wait()
    rows = gateway.sql("SELECT count(*) FROM ump.known_texts(%s, %s, now() + interval '1 hour', 50, 131072)", bob.email,
                       [foreign["Message-ID"]])
    assert rows == [(1,)]
    assert gateway.sql("SELECT count(*) FROM ump.known_texts(%s, %s, now() + interval '1 hour', 50, 131072)", alice.email,
                       [foreign["Message-ID"]]) == [(0,)]
    alice.submit(gateway.address(contact), PARAGRAPH, **thread(foreign))
    assert body_of(gateway.sim.wait_request(to=contact)) == PARAGRAPH


def test_evidence_is_bounded_and_of_the_past(gateway, alice, endpoint, contact):
    for index in range(5):
        gateway.sim.inbound(contact, endpoint.number, f"message number {index} " + "x" * 100)
        mail = alice.inbox.wait(lambda mail, index=index: mail.text.startswith(f"message number {index} "))
    ask = "SELECT body FROM ump.known_texts(%s, %s, {}, %s, %s)"
    ids = [mail["Message-ID"]]

    def known(count, size, when="now() + interval '1 hour'"):
        return [row[0].split()[2] for row in gateway.sql(ask.format(when), alice.email, ids, count, size)]
    assert known(50, 131072) == ["4", "3", "2", "1", "0"]
    assert known(2, 131072) == ["4", "3"]
    assert known(50, 300) == ["4", "3"]
    assert known(50, 131072, "now() - interval '1 hour'") == []
    sent = alice.submit(gateway.address(contact), "my own words", **thread(mail))
    gateway.sim.wait_request(to=contact)
    assert len(known(50, 131072)) == 5      # his own words are not held against him
    ids = [sent["Message-ID"]]
    assert gateway.sql(ask.format("now() + interval '1 hour'"), alice.email, ids, 50, 131072)[0][0] == "my own words"


def test_milter_reads_the_thread_before_it_calls_a_mail_too_long(gateway, alice, contact):
    endpoint = alice.endpoint(max_segments=1)
    gateway.sim.inbound(contact, endpoint.number, PARAGRAPH)
    mail = alice.inbox.wait()
    fresh = alice.submit(gateway.address(contact), f"The price holds.\n\n{PARAGRAPH}\n", **thread(mail))
    assert fresh is not None    # 552 without the evidence
    with pytest.raises(Refused) as caught:
        alice.submit(gateway.address(contact), f"The price holds.\n\n{PARAGRAPH}\n")
    assert caught.value.code == 552


def test_refused_words_are_a_usage_error(gateway, endpoint):
    with pytest.raises(ControlFailed) as failed:
        gateway.umpctl("endpoint", "set", endpoint.id, "--set", "uncertain=perhaps")
    assert failed.value.code == 64 and "hold|send" in failed.value.text
