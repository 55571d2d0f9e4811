"""Signal by signal-cli's daemon, both ways: server-sent events, JSON-RPC over TCP and a unix socket, every kind."""
import base64
import json
from email.message import EmailMessage

import pytest

from tests.lib.conversation import MEDIA, SIGNAL_GROUP, arrived, declare_signal, is_report, wait_provider_id, wait_status
from tests.lib.signal_fixtures import line, sim, simulator  # fixtures
from tests.lib.wait import wait_until
from tests.sim.signal_cli import uuid_of
from tests.stack.layout import ROOT


@pytest.mark.sanitize
@pytest.mark.parametrize("receive", ["sse", "tcp", "unix", "early"])
def test_text_both_ways(gateway, sim, alice, contact, receive):
    sim.early = receive == "early"
    where = {"sse": "sse", "tcp": sim.tcp_url, "early": sim.tcp_url, "unix": f"unix:{sim.unix_path}"}[receive]
    line = declare_signal(gateway, sim, alice, receive=where)
    at = sim.inbound(contact, line.number, "Are we on for lunch? 🍕", name="Bob Jones")
    mail = alice.inbox.wait()
    assert mail.text == "Are we on for lunch? 🍕"
    assert mail["From"].addresses[0].addr_spec == line.address(contact)
    assert mail["From"].addresses[0].display_name == "Bob Jones (Signal)"
    for field in ("channel=signal", "provider=signal_cli", "type=text", f'external-id="{at}@{uuid_of(contact)}"'):
        assert field in mail["UMP-Header"]
    sent = alice.reply(mail, "Yes, 12:30!")
    params = sim.wait_sent(contact, "Yes, 12:30!")["request"]["params"]
    assert (params["account"], params["quoteTimestamp"], params["quoteAuthor"], params["quoteMessage"]) == \
        (line.number, at, uuid_of(contact), "Are we on for lunch? 🍕")
    wait_status(gateway, sent, "delivered")


# --- every kind, in
@pytest.mark.cell("signal_cli", "signal", "in", "text")
@pytest.mark.cell("signal_cli", "signal", "out", "text", "reply")
def test_styles_both_ways(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "🍕 this is BIG and small", textStyles=[
        {"style": "BOLD", "start": 11, "length": 3}, {"style": "ITALIC", "start": 19, "length": 5}])
    mail = arrived(alice, "text")
    assert mail.text == "🍕 this is *BIG* and _small_"
    alice.reply(mail, "🍕 yes, *very* big and ~old~, 2*3*4 is 24, `x*y*z`")
    params = sim.wait_sent(contact)["request"]["params"]
    assert params["message"] == "🍕 yes, very big and old, 2*3*4 is 24, x*y*z"
    assert params["textStyle"] == ["8:4:BOLD", "21:3:STRIKETHROUGH", "39:5:MONOSPACE"]


def test_bold_of_html_mail_is_a_style(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "hello")
    arrived(alice, "text")
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = alice.email, line.address(contact), "x", "<html@msgs.test>"
    mail.set_content("<p>It is <b>urgent</b>, really</p>", subtype="html")
    assert alice.submit_raw([line.address(contact)], mail.as_bytes()) == {}
    params = sim.wait_sent(contact, "It is urgent, really")["request"]["params"]
    assert params["textStyle"] == ["6:6:BOLD"]


def test_mentions_both_ways(gateway, sim, alice, line, contact):
    sim.groups[SIGNAL_GROUP] = [contact]
    sim.inbound(contact, line.number, "\ufffc hey", group=SIGNAL_GROUP, mentions=[
        {"name": "Alice", "number": line.number, "uuid": uuid_of(line.number), "start": 0, "length": 1}])
    mail = arrived(alice, "text")
    assert mail.text == "@Alice hey"
    alice.reply(mail, f"👋 @{contact} hi")
    params = sim.wait_sent(SIGNAL_GROUP)["request"]["params"]
    assert params["mention"] == [f"3:{len(contact) + 1}:{contact}"] and params["message"] == f"👋 @{contact} hi"


@pytest.mark.cell("signal_cli", "signal", "in", "reply", "reaction", "reaction taken back", "edit", "delete")
def test_what_is_about_another_message_is_in_its_thread(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "The anchor of the thread")
    first = sim.inbound(contact, line.number, "Does it come in blue?")
    target = arrived(alice, "text", lambda mail: "blue" in mail.text)
    who = {"targetAuthor": contact, "targetAuthorNumber": contact, "targetAuthorUuid": uuid_of(contact)}
    sim.inbound(contact, line.number, reaction={"emoji": "👍", **who, "targetSentTimestamp": first, "isRemove": False})
    reaction = arrived(alice, "reaction")
    assert reaction.message.get_content_disposition() == "reaction" and reaction.text == "👍"
    assert str(reaction["Subject"]) == "👍 to “Does it come in blue?”"
    sim.inbound(contact, line.number, reaction={"emoji": "👍", **who, "targetSentTimestamp": first, "isRemove": True})
    taken_back = arrived(alice, "reaction", lambda mail: "taken back" in mail.text)
    sim.edit(contact, line.number, first, "Does it come in *green*?")
    edit = arrived(alice, "edit")
    assert "Does it come in *green*?" in edit.text
    sim.inbound(contact, line.number, remoteDelete={"timestamp": first})
    delete = arrived(alice, "delete")
    assert "deleted by the sender" in delete.text
    sim.inbound(contact, line.number, "and red?", quote={"id": first, "author": contact, "authorNumber": contact,
                                                          "authorUuid": uuid_of(contact), "text": "Does it…", "attachments": []})
    quote = arrived(alice, "text", lambda mail: mail.text == "and red?")
    for mail in (reaction, taken_back, edit, delete, quote):
        assert mail["In-Reply-To"] == target["Message-ID"]


@pytest.mark.parametrize("author", ["number", "uuid alone"])
def test_reaction_and_quote_of_what_we_sent(gateway, sim, alice, line, contact, author):
    sim.inbound(contact, line.number, "hello")
    sent = alice.reply(arrived(alice, "text"), "How about Tuesday?")
    at = int(sim.wait_sent(contact)["id"])
    wait_provider_id(gateway, f"{at}@{line.number}")
    number = line.number if author == "number" else None
    sim.inbound(contact, line.number, reaction={"emoji": "❤️", "targetAuthor": number or uuid_of(line.number), "targetAuthorNumber": number,
                                                 "targetAuthorUuid": uuid_of(line.number), "targetSentTimestamp": at, "isRemove": False})
    mail = arrived(alice, "reaction")
    assert str(mail["Subject"]) == "❤️ to “How about Tuesday?”" and mail["In-Reply-To"] == sent["Message-ID"]
    sim.inbound(contact, line.number, "fine", quote={"id": at, "author": number or uuid_of(line.number), "authorNumber": number,
                                                      "authorUuid": uuid_of(line.number), "text": "How…", "attachments": []})
    assert arrived(alice, "text", lambda mail: mail.text == "fine")["In-Reply-To"] == sent["Message-ID"]


@pytest.mark.cell("signal_cli", "signal", "in", "picture", "sound", "video", "file")
@pytest.mark.cell("signal_cli", "signal", "out", "picture", "sound", "video", "file")
def test_attachments_both_ways(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "look", attachments=[sim.attachment(content, kind, name) for name, kind, content in MEDIA.values()])
    mail = arrived(alice, "media")
    assert mail.text == "look"
    assert [(part.get_filename(), part.get_content_type(), part.get_payload(decode=True)) for part in mail.attachments] == \
        [(name, kind, content) for name, kind, content in MEDIA.values()]
    alice.submit(line.address(contact), "all of them", attachments=list(MEDIA.values()))
    params = sim.wait_sent(contact, "all of them")["request"]["params"]
    assert params["attachments"] == [f"data:{kind};filename={name};base64,{base64.b64encode(content).decode()}"
                                     for name, kind, content in MEDIA.values()]


def test_attachment_that_is_gone_is_a_stub(gateway, sim, alice, line, contact):
    lost = {**sim.attachment(b"x" * 100, "application/pdf", "gone.pdf"), "id": "no-such"}
    sim.inbound(contact, line.number, "see the file", attachments=[lost])
    mail = arrived(alice, "media")
    assert "see the file" in mail.text and "gone.pdf" in mail.text and not mail.attachments


@pytest.mark.cell("signal_cli", "signal", "in", "sticker", "contact card", "poll", "unknown")
def test_other_kinds_are_readable(gateway, sim, alice, line, contact):
    sim.attachments["00abac3bc18d7f599bff2325dc306d43/2"] = b"RIFF0000WEBP"
    kinds = {
        "sticker": {"packId": "00abac3bc18d7f599bff2325dc306d43", "stickerId": 2},
        "contacts": [{"name": {"given": "Lucía", "family": "Gómez", "nickname": None}, "organization": "Google",
                      "phone": [{"value": "+19835552319", "type": "MOBILE"}], "email": [{"value": "lucia@example.org"}]}],
        "pollCreate": {"question": "Lunch?", "allowMultiple": False, "options": ["pizza", "sushi"]},
        "pollVote": {"author": contact, "targetSentTimestamp": 1785491999000, "optionIndexes": [1], "voteCount": 1},
        "payment": {"receipt": "x", "note": "for lunch"},
        "hologram": {"title": "a kind of tomorrow"},
    }
    for kind, body in kinds.items():
        sim.inbound(contact, line.number, **{kind: body})
    sticker = arrived(alice, "media")
    assert sticker.attachments[0].get_payload(decode=True) == b"RIFF0000WEBP" and "Sticker" in sticker.text
    vcard = arrived(alice, "contact").attachments[0].get_content()
    assert "FN:Lucía Gómez" in vcard and "TEL:+19835552319" in vcard and "EMAIL:lucia@example.org" in vcard
    assert arrived(alice, "interactive", lambda mail: "Poll: Lunch?\n1. pizza\n2. sushi" in mail.text)
    assert arrived(alice, "interactive", lambda mail: "option 2" in mail.text)
    assert arrived(alice, "interactive", lambda mail: "A payment was made" in mail.text and "for lunch" in mail.text)
    assert arrived(alice, "unknown", lambda mail: "(hologram)" in mail.text and "a kind of tomorrow" in mail.text)
    sim.deliver(line.number, sim.envelope(contact, telepathy={"thought": 1}))
    assert arrived(alice, "unknown", lambda mail: "(telepathy)" in mail.text)
    sim.deliver(line.number, sim.envelope(contact, callMessage={"offerMessage": {"id": 1, "type": "AUDIO_CALL", "opaque": "AA=="}}))
    assert arrived(alice, "interactive", lambda mail: "Voice call" in mail.text)


@pytest.mark.cell("signal_cli", "signal", "in", "notice")
def test_undecryptable_and_disappearing_are_told(gateway, sim, alice, line, contact):
    sim.deliver(line.number, sim.envelope(contact), exception={"message": "Untrusted identity", "type": "UntrustedIdentityException"})
    assert "safety number" in arrived(alice, "unknown").text
    sim.inbound(contact, line.number, isExpirationUpdate=True, expiresInSeconds=604800)
    assert "now disappear after 1 week" in arrived(alice, "group-event").text
    sim.inbound(contact, line.number, "psst", expiresInSeconds=3600)
    assert arrived(alice, "text").text == "[Disappears from Signal after 1 hour]\npsst"


def test_what_could_not_be_read_is_shown_when_it_comes_again(gateway, sim, alice, line, contact):
    """signal-cli reads it once more, under the same time, when its sender is trusted."""
    at = sim.now()
    sim.deliver(line.number, sim.envelope(contact, at), exception={"message": "Untrusted identity", "type": "UntrustedIdentityException"})
    arrived(alice, "unknown")
    sim.inbound(contact, line.number, "the words themselves", at=at)
    assert arrived(alice, "text").text == "the words themselves"


def test_what_another_owner_was_told_is_quoted_to_nobody_else(gateway, sim, people, contact):
    alice, bob, other = people(), people(), gateway.number()
    lines = [declare_signal(gateway, sim, owner) for owner in (alice, bob)]
    at = sim.inbound(contact, lines[0].number, "for alice alone")
    theirs = arrived(alice, "text")
    sim.inbound(other, lines[1].number, reaction={"emoji": "👍", "targetAuthor": contact, "targetAuthorNumber": contact,
                                                  "targetAuthorUuid": uuid_of(contact), "targetSentTimestamp": at, "isRemove": False})
    mail = arrived(bob, "reaction")
    assert "for alice alone" not in mail.raw.decode() and theirs["Message-ID"] not in str(mail["In-Reply-To"])


@pytest.mark.cell("signal_cli", "signal", "in", "group message", "membership")
@pytest.mark.cell("signal_cli", "signal", "out", "group message")
def test_group_is_answered_in_the_group(gateway, sim, alice, line, contact):
    other = gateway.number()
    sim.groups[SIGNAL_GROUP] = [contact, other]
    at = sim.inbound(contact, line.number, "hi all", group=SIGNAL_GROUP, name="Dan Okafor")
    mail = arrived(alice, "text")
    group = mail["Reply-To"].addresses[0].addr_spec
    assert group.startswith("g.") and mail["To"].addresses[0].addr_spec == group and "Team" in str(mail["To"])
    sent = alice.reply(mail, "hello group")
    params = sim.wait_sent(SIGNAL_GROUP, "hello group")["request"]["params"]
    assert "recipient" not in params and (params["quoteTimestamp"], params["quoteAuthor"]) == (at, uuid_of(contact))
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.deliveries d JOIN ump.unified_messages m ON m.id = d.message_id"
                                   " WHERE m.mail_message_id = %s AND d.status = 'delivered'", sent["Message-ID"])[0][0] == 3, "the receipts")
    third = gateway.number()
    sim.groups[SIGNAL_GROUP], sim.titles[SIGNAL_GROUP] = [contact, third], "Ski trip"
    sim.inbound(contact, line.number, group=SIGNAL_GROUP, group_type="UPDATE", title="Ski trip")
    notice = arrived(alice, "group-event")
    assert "“Ski trip” has changed" in notice.text and notice["To"].addresses[0].addr_spec == group
    assert f"{third} joined the group." in notice.text and f"{other} left the group." in notice.text


def test_reply_to_all_of_a_group_makes_no_private_copy(gateway, sim, alice, line, contact):
    sim.groups[SIGNAL_GROUP] = [contact, line.number]
    sim.inbound(contact, line.number, "hi all", group=SIGNAL_GROUP)
    mail = arrived(alice, "text")
    group = mail["Reply-To"].addresses[0].addr_spec
    alice.submit([group, line.address(contact)], "to all of you", In_Reply_To=mail["Message-ID"], References=mail["Message-ID"])
    sim.wait_sent(SIGNAL_GROUP, "to all of you")
    [(messages,)] = gateway.sql("SELECT count(*) FROM ump.unified_messages WHERE endpoint_id = %s AND direction = 'outbound'", line.id)
    assert messages == 1


def test_group_send_that_misses_a_member_is_told(gateway, sim, alice, line, contact):
    other = gateway.number()
    sim.groups[SIGNAL_GROUP] = [contact, other]
    sim.inbound(contact, line.number, "hi all", group=SIGNAL_GROUP)
    mail = arrived(alice, "text")
    sim.add_rule(error=f"{other}=UNREGISTERED_FAILURE", to=SIGNAL_GROUP, times=1)
    alice.reply(mail, "hello group")
    report = alice.inbox.wait(is_report)
    assert "does not use Signal" in report.text and other in report.raw.decode()
    sim.wait_sent(SIGNAL_GROUP, "hello group")
    wait_until(lambda: gateway.sql("SELECT status FROM ump.deliveries WHERE recipient = %s", contact) == [("delivered",)], "the other's receipt")


@pytest.mark.cell("signal_cli", "signal", "in", "own phone")
def test_sent_from_the_own_phone_is_in_sent_once(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "hello")
    first = arrived(alice, "text")
    at = sim.now()
    sent = {"destination": contact, "destinationNumber": contact, "destinationUuid": uuid_of(contact), **sim.data(at, "On my way")}
    for _ in range(2):
        sim.deliver(line.number, sim.envelope(line.number, at, syncMessage={"sentMessage": sent}))
    mail = alice.box("Sent").wait()
    assert mail.text == "On my way" and "\\Seen" in mail.flags and mail["References"] == first["Message-ID"]
    assert mail["From"].addresses[0].addr_spec == alice.email
    sim.inbound(contact, line.number, reaction={"emoji": "👍", "targetAuthorNumber": line.number, "targetAuthorUuid": uuid_of(line.number),
                                                 "targetSentTimestamp": at, "isRemove": False})
    assert str(arrived(alice, "reaction")["Subject"]) == "👍 to “On my way”"
    assert len(alice.box("Sent").uids()) == 1


def test_user_without_a_number_is_answered_by_his_uuid(gateway, sim, alice, line):
    number = gateway.number()
    sim.inbound(number, line.number, "hidden", hidden=True, name="ada")
    mail = arrived(alice, "text")
    assert mail["From"].addresses[0].addr_spec.startswith("u.") and "ada" in str(mail["From"])
    alice.reply(mail, "Welcome")
    assert sim.wait_sent(uuid_of(number), "Welcome")["request"]["params"]["recipient"] == [uuid_of(number)]
    sim.inbound(number, line.number, "and my number")
    second = arrived(alice, "text", lambda mail: "my number" in mail.text)
    sim.inbound(number, line.number, "hidden again", hidden=True)
    third = arrived(alice, "text", lambda mail: "again" in mail.text)
    assert second["From"].addresses[0].addr_spec == line.address(number)
    assert third["UMP-Conversation-ID"] == mail["UMP-Conversation-ID"]


def test_missing_null_and_odd_values_make_the_same_mail(gateway, sim, alice, line):
    shapes = []
    at = 1785492000000
    for change in range(4):
        who = gateway.number()
        envelope = sim.envelope(who, at, name="Eve", dataMessage=sim.data(at, "same"))
        if change == 1:
            envelope = {"sourceNumber": who, "sourceUuid": uuid_of(who), "sourceName": "Eve", "timestamp": str(at),
                        "dataMessage": {"timestamp": str(at), "message": "same"}}
        elif change == 2:
            envelope["timestamp"] = envelope["dataMessage"]["timestamp"] = at // 1000
            envelope["dataMessage"].update(expiresInSeconds=None, attachments=None, quote=None, groupInfo=None, reaction=None)
        elif change == 3:
            envelope.update(newKey={}, editMessage=None, syncMessage=None)
            envelope["dataMessage"].update(previews=[], hasProfileKey=True, isExpirationUpdate="false")
            del envelope["newKey"]
        sim.deliver(line.number, envelope, **({"subscription": 7} if change == 3 else {}))
        mail = alice.inbox.wait(lambda mail, who=who: who in str(mail["From"]))
        shapes.append((mail.text, str(mail["Date"]), mail["From"].addresses[0].display_name, str(mail["Subject"])))
    assert len(set(shapes)) == 1, shapes


def test_typing_and_empty_envelopes_leave_no_mail(gateway, sim, alice, line, contact):
    sim.deliver(line.number, sim.envelope(contact, typingMessage={"action": "STARTED", "timestamp": sim.now()}))
    sim.deliver(line.number, sim.envelope(contact))
    sim.inbound(contact, line.number, "after")
    assert arrived(alice, "text").text == "after" and len(alice.inbox.uids()) == 1
    assert gateway.sql("SELECT count(*) FROM ump.provider_events WHERE endpoint_id = %s", line.id) == [(2,)]


EXAMPLES = ROOT.parent / "shared" / "specs" / "signal" / "examples"


@pytest.mark.parametrize("receive", ["sse", "tcp"])
def test_every_published_example_is_taken_and_shown(gateway, sim, alice, receive):
    if not EXAMPLES.is_dir():
        pytest.skip("../shared/specs/signal is not at hand")
    number = gateway.number()
    sim.accounts.add(number)
    declare_signal(gateway, sim, alice, account=number, receive=sim.tcp_url if receive == "tcp" else "sse")
    quiet = {"typing_started", "sync_read", "receipt_viewed", "sync_sent_direct"}
    names = [path.stem for path in sorted(EXAMPLES.glob("*.json"))]
    for index, name in enumerate(names):
        text = (EXAMPLES / f"{name}.json").read_text().replace("1785492000000", str(1785492000000 + index))
        sim.deliver_body(number, {**json.loads(text), "account": number})
    mails = alice.inbox.wait_all(count=len(names) - len(quiet), timeout=60)
    assert len(mails) == 17
    for mail in mails:
        assert str(mail["Subject"]).strip() and (mail.text or mail.attachments), mail
    assert alice.box("Sent").wait(timeout=60).text == "sent from my phone"


# --- sending
@pytest.mark.cell("signal_cli", "signal", "out", "reaction")
def test_reaction_by_mail(gateway, sim, alice, line, contact):
    at = sim.inbound(contact, line.number, "Shall we?")
    mail = arrived(alice, "text")
    alice.react(mail, "👍")
    params = sim.wait_sent(contact, method="sendReaction")["request"]["params"]
    assert (params["emoji"], params["targetAuthor"], params["targetTimestamp"]) == ("👍", uuid_of(contact), at)


@pytest.mark.cell("signal_cli", "signal", "out", "reaction taken back")
@pytest.mark.parametrize("nothing", ["", "-"])
def test_reaction_taken_back_by_mail(gateway, sim, alice, line, contact, nothing):
    at = sim.inbound(contact, line.number, "Shall we?")
    mail = arrived(alice, "text")
    for emoji in ("👍", "🎉"):
        alice.react(mail, emoji)
        sim.wait_sent(contact, method="sendReaction", emoji=emoji)
    alice.react(mail, nothing)
    params = sim.wait_sent(contact, method="sendReaction", remove=True)["request"]["params"]
    assert (params["emoji"], params["targetAuthor"], params["targetTimestamp"]) == ("🎉", uuid_of(contact), at)
    # a second time there is none
    alice.react(mail, nothing)
    report = alice.inbox.wait(is_report)
    assert "no reaction of yours to be taken back" in " ".join(report.text.split())


def test_reaction_of_the_own_phone_is_taken_back_by_mail(gateway, sim, alice, line, contact):
    at = sim.inbound(contact, line.number, "Shall we?")
    mail = arrived(alice, "text")
    sim.sync(line.number, contact, reaction={"emoji": "🎉", "targetAuthor": contact, "targetAuthorNumber": contact,
                                             "targetAuthorUuid": uuid_of(contact), "targetSentTimestamp": at, "isRemove": False})
    alice.box("Sent").wait(lambda mail: "type=reaction" in mail["UMP-Header"])
    alice.react(mail, "-")
    params = sim.wait_sent(contact, method="sendReaction", remove=True)["request"]["params"]
    assert (params["emoji"], params["targetTimestamp"]) == ("🎉", at)
