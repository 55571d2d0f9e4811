"""Mail → chat: answers, new messages, pictures, groups, failures, and what the provider was asked."""
import hashlib
import re
import subprocess

import pytest

from tests.lib.conversation import PNG, is_report
from tests.lib.gateway import ControlFailed
from tests.lib.smtp import compose, swaks
from tests.lib.wait import wait_until


@pytest.mark.sanitize
@pytest.mark.threads
def test_new_message(gateway, alice, endpoint, contact):
    alice.submit(gateway.address(contact), "Hello from my desk", subject="not sent")
    request = gateway.sim.wait_request(to=contact)["request"]
    assert request["text"] == "Hello from my desk" and request["from"] == endpoint.number
    assert request["webhook_url"].startswith(endpoint.webhook_url)


@pytest.mark.cell("telnyx", "sms", "out", "text")
@pytest.mark.sanitize
def test_answer_sends_only_the_new_words_in_the_same_conversation(gateway, alice, endpoint, contact):
    gateway.sim.inbound(contact, endpoint.number, "Are we still on for lunch?")
    mail = alice.inbox.wait()
    answer = alice.reply(mail, "Yes, 12:30!")
    assert gateway.sim.wait_request(to=contact)["request"]["text"] == "Yes, 12:30!"
    gateway.sim.inbound(contact, endpoint.number, "Great")
    third = alice.inbox.wait(lambda mail: mail.text == "Great")
    assert third["UMP-Conversation-ID"] == mail["UMP-Conversation-ID"]
    assert third["References"] == mail["Message-ID"]
    shown = gateway.umpctl("conversation", "show", mail["UMP-Conversation-ID"])
    texts = str(shown)
    for text in ("Are we still on for lunch?", "Yes, 12:30!", "Great"):
        assert text in texts, (text, texts)
    events = wait_until(lambda: _until(gateway, answer["Message-ID"], "delivered"), "the trace to be whole")
    assert all({"at", "what", "status"} <= set(event) for event in events)
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)


def _until(gateway, any_id, status):
    try:
        events = gateway.trace(any_id)
    except ControlFailed:
        return None
    return events if any(event["status"] == status for event in events) else None


def test_trace_by_every_id(gateway, alice, endpoint, contact):
    sent = gateway.sim.inbound(contact, endpoint.number, "trace me")
    mail = alice.inbox.wait()
    ours = mail["Message-ID"][5:41]
    wait_until(lambda: gateway.trace(ours), "the trace")
    for any_id in (ours, f"ump:msg:{ours}", mail["Message-ID"], sent["message_id"]):
        events = gateway.trace(any_id)
        assert events and events == gateway.trace(ours), any_id


def test_trace_shows_the_cost_in_the_digits_of_the_provider(gateway, alice, endpoint, contact):
    sent = alice.submit(gateway.address(contact), "What does it cost?")
    wait_until(lambda: _until(gateway, sent["Message-ID"], "delivered"), "the delivery")
    gateway.sql("UPDATE ump.deliveries d SET cost = 5100 FROM ump.unified_messages m WHERE m.id = d.message_id"
                " AND m.mail_message_id = %s RETURNING 1", sent["Message-ID"])
    for words in ["trace"], ["--json", "trace"]:
        shown = subprocess.run([gateway.layout.umpctl, *words, sent["Message-ID"]], capture_output=True, text=True, check=True)
        assert re.search(r"cost\W+0\.0051\b(?!\d)", shown.stdout), shown.stdout


def test_neomutt_replies(gateway, alice, endpoint, contact, tmp_path):
    gateway.sim.inbound(contact, endpoint.number, "Shall we meet?\nAt noon?")
    mail = alice.inbox.wait()
    alice.neomutt(tmp_path / "mutt").reply(mail["Message-ID"], "Noon is fine with me.")
    request = gateway.sim.wait_request(to=contact)["request"]
    assert request["text"] == "Noon is fine with me."
    conversations = gateway.sql("SELECT count(DISTINCT conversation_id) FROM ump.unified_messages m"
                                " WHERE %s = ANY (to_addresses) OR from_address = %s", contact, contact)
    assert conversations == [(1,)]


def test_swaks_replies(gateway, alice, endpoint, contact):
    gateway.sim.inbound(contact, endpoint.number, "Ping?")
    mail = alice.inbox.wait()
    code, transcript = swaks(
        "--server", f"127.0.0.1:{gateway.ports['submission']}", "--auth", "LOGIN", "--auth-user", alice.email,
        "--auth-password", alice.password, "--from", alice.email,
        "--header", f"In-Reply-To: {mail['Message-ID']}", "--header", f"References: {mail['Message-ID']}",
        "--body", f"Pong!\n\nOn Friday, {mail['From']} wrote:\n> Ping?\n", to=gateway.address(contact))
    assert code == 0, transcript
    assert gateway.sim.wait_request(to=contact)["request"]["text"] == "Pong!"


@pytest.mark.sanitize
def test_picture_leaves_as_mms_and_can_be_fetched(gateway, alice, endpoint, contact):
    alice.submit(gateway.address(contact), "Look", subject="not sent", attachments=[("dot.png", "image/png", PNG)])
    entry = gateway.sim.wait_request(to=contact)
    assert "subject" not in entry["request"]
    assert entry["request"]["text"] == "Look" and len(entry["request"]["media_urls"]) == 1
    gateway.sim.wait_for(lambda: entry["media"], 20, "the provider to fetch it")
    assert entry["media"][0].get("sha256") == hashlib.sha256(PNG).hexdigest(), entry["media"]
    assert entry["media"][0]["content_type"] == "image/png"


def test_five_numbers_are_five_messages(gateway, alice, endpoint):
    numbers = [gateway.number() for _ in range(5)]
    alice.submit([gateway.address(number) for number in numbers], "To each of you")
    for number in numbers:
        assert gateway.sim.wait_request(to=number)["request"]["text"] == "To each of you"
    assert len([entry for entry in gateway.sim.accepted if entry["request"]["from"] == endpoint.number]) == 5


@pytest.mark.cell("telnyx", "sms", "out", "group message")
def test_group_answer_goes_to_the_group(gateway, alice, endpoint, contact):
    others = [gateway.number(), gateway.number()]
    gateway.sim.inbound(contact, endpoint.number, "Hello group", cc=others)
    mail = alice.inbox.wait()
    alice.reply(mail, "Hello all")
    entry = gateway.sim.wait_for(lambda: next((e for e in gateway.sim.accepted if e["path"] == "/messages/group_mms"
                                               and e["request"]["from"] == endpoint.number), None), 20, "a group MMS")
    assert sorted(entry["request"]["to"]) == sorted([contact, *others]) and entry["request"]["text"] == "Hello all"
    assert "subject" not in entry["request"]  # "Re: Hello group": somebody else's words
    rows = wait_until(lambda: (rows := gateway.sql("SELECT d.recipient, d.status FROM ump.deliveries d WHERE d.message_id ="
                      " (SELECT o.message_id FROM ump.deliveries o WHERE o.provider_id = %s LIMIT 1)", entry["id"]))
                      and len(rows) == 4 and {status for _, status in rows} == {"delivered"} and rows,
                      "every member's row and the group's own to be delivered")
    assert {contact, *others} < {recipient for recipient, _ in rows}


def test_order_is_kept_per_contact(gateway, alice, endpoint, contact):
    texts = [f"number {index}" for index in range(12)]
    for text in texts:
        alice.submit(gateway.address(contact), text)
    gateway.sim.wait_request(to=contact, text=texts[-1], timeout=40)
    assert [e["request"]["text"] for e in gateway.sim.accepted if e["request"]["to"] == contact] == texts


@pytest.mark.cell("telnyx", "sms", "in", "failed")
@pytest.mark.sanitize
@pytest.mark.parametrize("error,when", [("40310", "request"), ("40001", "finalized")])
def test_failure_is_reported_in_the_thread(gateway, alice, endpoint, contact, error, when):
    gateway.sim.inbound(contact, endpoint.number, "Write to me")
    mail = alice.inbox.wait()
    gateway.sim.add_rule(error=error, to=contact, times=1, when=when)
    answer = alice.reply(mail, "I try")
    report = alice.inbox.wait(is_report)
    assert mail["Message-ID"] in report["References"] and answer["Message-ID"] in report["References"]
    assert report["Auto-Submitted"].startswith("auto-")
    status = report.message.get_payload()[1].as_string()
    assert "Action: failed" in status and "Final-Recipient:" in status and "Status: 5." in status
    first = report.text.split("\n")[0]
    assert len(first.split()) >= 5 and "SQL" not in first
    assert report["Return-Path"] == "<>"


@pytest.mark.cell("telnyx", "sms", "in", "delivered")
def test_success_is_reported_only_when_asked_for(gateway, alice, endpoint, contact):
    alice.submit(gateway.address(contact), "quietly")
    gateway.sim.wait_request(to=contact, text="quietly")
    asked = alice.submit(gateway.address(contact), "tell me", rcpt_options=["NOTIFY=SUCCESS,FAILURE"])
    report = alice.inbox.wait(is_report)
    assert asked["Message-ID"] in report["References"]
    assert "Action: delivered" in report.raw.decode()
    assert len([mail for mail in alice.inbox.all() if is_report(mail)]) == 1


@pytest.mark.parametrize("mode", ["accept-then-drop", "accept-then-reset", "accept-then-500", "accept-half-body"])
def test_request_without_an_answer_is_never_repeated(gateway, alice, endpoint, contact, mode):
    """Uncertain, until the provider's callback (which carries our attempt) resolves it."""
    gateway.sim.add_rule(mode=mode, to=contact, times=1)
    mail = alice.submit(gateway.address(contact), f"once {mode}")
    wait_until(lambda: _until(gateway, mail["Message-ID"], "delivered"), "the callback to resolve it", 30)
    alice.submit(gateway.address(contact), "the next")
    gateway.sim.wait_request(to=contact, text="the next")
    assert [e["request"]["text"] for e in gateway.sim.accepted if e["request"]["to"] == contact] == [f"once {mode}", "the next"]


def test_what_is_safe_is_repeated_by_itself(gateway, alice, endpoint, contact):
    gateway.sim.add_rule(mode="429", to=contact, times=2)
    alice.submit(gateway.address(contact), "again")
    gateway.sim.wait_request(to=contact, text="again", timeout=90)
    assert len([e for e in gateway.sim.accepted if e["request"]["to"] == contact]) == 1


def test_503_may_have_been_sent(gateway, alice, endpoint, contact):
    """Telnyx does not promise that a 503 was not processed: uncertain, not repeated (FAILURES 4)."""
    gateway.sim.add_rule(mode="503-before-accept", to=contact, times=1)
    mail = alice.submit(gateway.address(contact), "perhaps")
    wait_until(lambda: _until(gateway, mail["Message-ID"], "uncertain"), "it to be uncertain", 30)
    alice.submit(gateway.address(contact), "the next")
    gateway.sim.wait_request(to=contact, text="the next")
    assert [e["request"]["text"] for e in gateway.sim.accepted if e["request"]["to"] == contact] == ["the next"]


def test_statuses_in_any_order_and_twice(gateway, alice, endpoint, contact):
    gateway.sim.set_modes(webhook_reorder=1.0, webhook_dup=1.0)
    mail = alice.submit(gateway.address(contact), "in any order")
    wait_until(lambda: _until(gateway, mail["Message-ID"], "delivered"), "delivered")
    entry = gateway.sim.wait_request(to=contact)
    gateway.sim.send_status(entry["id"], "sent", event_type="message.sent")
    status = gateway.sql("SELECT d.status FROM ump.deliveries d WHERE d.provider_id = %s", entry["id"])
    assert status == [("delivered",)]


def test_uncertain_text_is_held_and_the_preview_answered(gateway, alice, endpoint, contact):
    gateway.sim.inbound(contact, endpoint.number, "What do you think?")
    mail = alice.inbox.wait()
    # Lines as of the header of another mail, and text below: nobody can be sure whose it is.
    body = "Hello\n\nSubject: the offer\nTo: Alice\nI was told so\nI think so\n"
    alice.submit(gateway.address(contact), body, subject="Re: x", In_Reply_To=mail["Message-ID"], References=mail["Message-ID"])
    preview = alice.inbox.wait(lambda mail: "notice.msgs.test" in str(mail["Reply-To"] or mail["From"]))
    address = (preview["Reply-To"] or preview["From"]).addresses[0].addr_spec
    assert address.startswith("r.") and address.endswith("@notice.msgs.test")
    assert not [e for e in gateway.sim.accepted if e["request"]["to"] == contact]
    alice.submit(address, "send", subject=f"Re: {preview['Subject']}", In_Reply_To=preview["Message-ID"])
    gateway.sim.wait_request(to=contact)


def test_alias_that_expands_to_a_number(own_gateway):
    gateway = own_gateway
    alice = gateway.user("alice")
    alice.endpoint()
    alice.submit("oncall@msgs.test", "The server is on fire")
    assert gateway.sim.wait_request(to="+12125550123")["request"]["text"] == "The server is on fire"


def test_team_endpoint_with_two_members(own_gateway):
    gateway = own_gateway
    from tests.lib.gateway import Person
    alice, bob, carol, support = (gateway.user("alice"), gateway.user("bob"), gateway.user("carol"),
                                  Person(gateway, "support@msgs.test"))
    gateway.umpctl("team", "add", "support", "--mailbox", support.email, "--member", alice.email, "--member", bob.email)
    endpoint = gateway.endpoint("team:support")
    contact = gateway.number()
    gateway.sim.inbound(contact, endpoint.number, "Help!")
    mail = support.inbox.wait()
    assert mail["To"].addresses[0].addr_spec == support.email
    for member, text in ((alice, "Alice here"), (bob, "Bob here")):
        raw = member.reply(mail, text, sender=support.email)
        assert raw["From"] == support.email
        request = gateway.sim.wait_request(to=contact, text=text)["request"]
        assert request["from"] == endpoint.number
    # A mail program that sets the envelope sender too (neomutt's use_envelope_from).
    alice.submit_raw([gateway.address(contact)], compose(support.email, [gateway.address(contact)], "The team writes"),
                     sender=support.email)
    assert gateway.sim.wait_request(text="The team writes")["request"]["from"] == endpoint.number
    # What left is in the team's Sent, seen, with the member as Sender.
    filed = support.box("Sent").wait_all(count=3)
    assert {str(mail["Sender"].address.addr_spec) for mail in filed} == {alice.email, bob.email}
    assert all("\\Seen" in mail.flags for mail in filed)
    from tests.lib.smtp import Refused
    with pytest.raises(Refused):
        carol.submit(gateway.address(contact), "I am no member")
    with pytest.raises(Refused):
        carol.submit_raw([gateway.address(contact)], compose(support.email, [gateway.address(contact)], "Nor here"),
                         sender=support.email)
    gateway.sim.inbound(contact, endpoint.number, "Thanks")
    assert support.inbox.wait(lambda mail: mail.text == "Thanks")["UMP-Conversation-ID"] == mail["UMP-Conversation-ID"]
