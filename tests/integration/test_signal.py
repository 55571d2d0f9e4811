"""Signal by signal-cli's daemon, both ways: server-sent events, JSON-RPC over TCP and a unix socket, every kind."""
import base64
import hashlib
import json
import os
import subprocess
import tempfile
from email.message import EmailMessage

import pytest

from tests.lib.conversation import MEDIA, PNG, SIGNAL_GROUP, arrived, declare_signal, is_report, wait_held, wait_provider_id, wait_status
from tests.lib.gateway import ControlFailed
from tests.lib.smtp import Refused
from tests.lib.wait import wait_until
from tests.sim import signal_cli
from tests.sim import signal_rules as rules
from tests.sim.signal_cli import uuid_of
from tests.stack.layout import ROOT



@pytest.fixture(scope="module")
def simulator():
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)  # the gateway has a user of its own
        with signal_cli.Simulator(unix_path=f"{directory}/socket") as sim:
            yield sim


@pytest.fixture
def sim(simulator):
    simulator.reset()
    simulator.groups.clear()
    simulator.titles.clear()
    return simulator


@pytest.fixture
def line(gateway, sim, alice):
    """A Signal endpoint of alice's."""
    return declare_signal(gateway, sim, alice)


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


@pytest.mark.cell("signal_cli", "signal", "in", "delivered", "read")
def test_receipts_reach_the_delivery(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "hello")
    sim.read_too = True
    sent = alice.reply(arrived(alice, "text"), "read me")
    wait_until(lambda: [event for event in gateway.trace(sent["Message-ID"]) if event["status"] == "read"], "the receipt")
    sim.read_too = False
    stamps = []
    for text in ("one", "two", "three"):
        alice.submit(line.address(contact), text)
        stamps.append(int(sim.wait_sent(contact, text)["id"]))
    sim.receipt(contact, line.number, [*stamps, stamps[0]], "isViewed")
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.deliveries WHERE recipient = %s AND status = 'read'", contact)[0][0] == 4,
               "one receipt for three")


@pytest.mark.cell("signal_cli", "signal", "in", "STOP")
def test_stop(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "STOP")
    arrived(alice, "text")
    with pytest.raises(Refused) as refused:
        alice.submit(line.address(contact), "more")
    assert refused.value.code == 550 and "STOP" in str(refused.value)


def opted_out(gateway, *identifiers):
    """Which of these ids are on the list of opt-outs."""
    return {row[0] for row in gateway.sql("SELECT identifier FROM ump.message_opt_outs WHERE identifier = ANY (%s)", list(identifiers))}


def test_stop_holds_for_every_id_of_the_person(gateway, sim, alice, line, contact):
    """He is known by his number and his account id; his phone hides the number when he says STOP, and START."""
    sim.inbound(contact, line.number, "hello")
    arrived(alice, "text")
    sim.inbound(contact, line.number, "STOP", hidden=True)
    wait_until(lambda: opted_out(gateway, contact, uuid_of(contact)) == {contact, uuid_of(contact)}, "the opt-out")
    with pytest.raises(Refused) as refused:
        alice.submit(line.address(contact), "more")
    assert refused.value.code == 550 and "STOP" in str(refused.value)
    sim.inbound(contact, line.number, "START", hidden=True)
    wait_until(lambda: not opted_out(gateway, contact, uuid_of(contact)), "the end of the opt-out")
    alice.submit(line.address(contact), "welcome back")
    sim.wait_sent(contact, "welcome back")


def test_stop_by_an_id_that_was_not_known_for_his(gateway, sim, alice, line, contact):
    """He says STOP before we know that it is he whose number we have: it holds as soon as the network says so."""
    sim.inbound(contact, line.number, "STOP", hidden=True)
    wait_until(lambda: opted_out(gateway, uuid_of(contact)), "the opt-out")
    alice.submit(line.address(contact), "are you there?")
    sim.wait_sent(contact, "are you there?")
    wait_until(lambda: opted_out(gateway, contact), "what the answer said of the number")
    with pytest.raises(Refused) as refused:
        alice.submit(line.address(contact), "more")
    assert "STOP" in str(refused.value)


def test_stop_of_one_line_is_not_that_of_another(gateway, sim, people, line):
    """One person of the address book has two numbers: each is a line of its own, for STOP and for START."""
    one, two = gateway.number(), gateway.number()
    account = "(SELECT account_id FROM ump.endpoints WHERE id = %s)"
    [(contact,)] = gateway.sql(f"INSERT INTO ump.contacts (account_id, id, name) VALUES ({account}, gen_random_uuid(), 'Two Phones') RETURNING id", line.id)
    for number in (one, two):
        gateway.sql(f"INSERT INTO ump.contact_identities (account_id, channel, identifier, contact_id, linked_how)"
                    f" VALUES ({account}, 'sms', %s, %s, 'import')", line.id, number, contact)
        sim.inbound(number, line.number, "hello")
    sim.inbound(one, line.number, "STOP")
    wait_until(lambda: opted_out(gateway, one, two, uuid_of(one), uuid_of(two)) == {one, uuid_of(one)}, "the opt-out")
    sim.inbound(two, line.number, "START")
    sim.inbound(two, line.number, "and more")
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.unified_messages WHERE body = 'and more' AND from_address = %s", two), "what follows")
    assert opted_out(gateway, one, two, uuid_of(one), uuid_of(two)) == {one, uuid_of(one)}


@pytest.mark.guarantee
def test_a_strangers_receipt_settles_nothing(gateway, sim, alice, line, contact):
    """The time by which a receipt names a message may be guessed."""
    _, stamp = unreached(gateway, sim, alice, line, contact)
    stranger = gateway.number()
    sim.receipt(stranger, line.number, [stamp], "isDelivery")
    sim.inbound(stranger, line.number, "not me")
    arrived(alice, "text", lambda mail: mail.text == "not me")
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.provider_events WHERE endpoint_id = %s AND kind = 'status'", line.id) == [(1,)],
               "the receipt")
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.jobs WHERE endpoint_id = %s AND state = 1", line.id) == [(0,)], "its turn")
    assert gateway.sql("SELECT status FROM ump.deliveries WHERE endpoint_id = %s", line.id) == [("uncertain",)]
    sim.receipt(contact, line.number, [stamp], "isDelivery")
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.deliveries WHERE endpoint_id = %s AND status = 'delivered'", line.id), "the receipt")


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


@pytest.mark.cell("signal_cli", "signal", "in", "failed")
@pytest.mark.parametrize("error, words, code", [
    ("UNREGISTERED_FAILURE", "does not use Signal", "5.1.1"), ("IDENTITY_FAILURE", "compare the safety number", "5.7.5")])
def test_failure_is_a_report_that_says_what_to_do(gateway, sim, alice, line, contact, error, words, code):
    sim.inbound(contact, line.number, "hello")
    mail = arrived(alice, "text")
    sim.add_rule(error=error, to=contact, times=1)
    sent = alice.reply(mail, "you do not get this")
    report = alice.inbox.wait(is_report)
    assert words in report.text and code in report.raw.decode() and sent["Message-ID"] in report["References"]


def test_captcha_holds_the_endpoint_and_says_how_to_lift_it(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "hello")
    mail = arrived(alice, "text")
    sim.add_rule(error="PROOF_REQUIRED", to=contact, times=1)
    alice.reply(mail, "wait for it")
    why = wait_held(gateway, line, '23 hours')
    assert rules.TOKEN in why and "submitRateLimitChallenge" in why
    assert not sim.accepted or sim.text_of(sim.accepted[-1]["request"]) != "wait for it"


def unreached(gateway, sim, alice, line, contact):
    """(message id, stamp) of one of which signal-cli says that the server was not reached, although it may have been."""
    sim.inbound(contact, line.number, "hello")
    mail = arrived(alice, "text")
    sim.add_rule(error="NETWORK_FAILURE", to=contact, times=1)
    alice.reply(mail, "later then")
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.deliveries WHERE endpoint_id = %s AND status = 'uncertain'", line.id), "the failure")
    [(message, provider_id)] = gateway.sql("SELECT message_id, provider_id FROM ump.deliveries WHERE endpoint_id = %s", line.id)
    return message, int(provider_id.partition("@")[0])


def sends(sim, contact):
    """How often the daemon was asked to send something to somebody."""
    return sum(entry["request"].get("method") == "send" and contact in sim.to_of(entry["request"]) for entry in sim.attempts + sim.accepted)


@pytest.mark.guarantee
def test_network_failure_is_settled_by_a_receipt_and_never_sent_again(gateway, sim, alice, line, contact):
    _, stamp = unreached(gateway, sim, alice, line, contact)
    sim.receipt(contact, line.number, [stamp], "isDelivery")
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.deliveries WHERE endpoint_id = %s AND status = 'delivered'", line.id), "the receipt")
    assert gateway.sql("SELECT count(*) FROM ump.outbox WHERE endpoint_id = %s", line.id) == [(0,)]
    assert sends(sim, contact) == 1


def test_network_failure_without_a_receipt_waits_for_its_author(gateway, sim, alice, line, contact):
    message, _ = unreached(gateway, sim, alice, line, contact)
    gateway.umpctl("queue", "answer", str(message), "resend")
    sim.wait_sent(contact, "later then", timeout=60)
    assert sends(sim, contact) == 2


# --- the stream
@pytest.mark.parametrize("receive", ["sse", "tcp"])
def test_what_came_while_nobody_received_comes_later_in_order(gateway, sim, alice, contact, receive):
    """Committed in groups, of what one read brought; one that comes twice in a group, or that nobody can read, spoils none."""
    number, texts = gateway.number(), [f"message {index}" for index in range(60)]
    sim.accounts.add(number)
    for index, text in enumerate(texts):
        at = sim.inbound(contact, number, text)
        if index % 20 == 10:
            sim.inbound(contact, number, text, at=at)
            sim.deliver_body(number, {"no": f"envelope {index}", "account": number})
    record = signal_cli.add_endpoint(sim, gateway.layout.umpctl, number, alice.email, receive=sim.tcp_url if receive == "tcp" else "sse")
    alice.inbox.wait_all(count=60, timeout=60)
    rows = gateway.sql("SELECT body FROM ump.unified_messages WHERE endpoint_id = %s ORDER BY created_at, id", record["id"])
    assert [body for body, in rows if body in texts] == texts
    events = gateway.sql("SELECT kind, received_at FROM ump.provider_events WHERE endpoint_id = %s ORDER BY id", record["id"])
    assert [kind for kind, _ in events].count("message") == 60 and [kind for kind, _ in events].count("unparsed") == 3
    assert len({at for _, at in events}) < len(events)


@pytest.mark.parametrize("receive", ["sse", "tcp"])
def test_broken_connection_is_made_again(gateway, sim, alice, contact, receive):
    line = declare_signal(gateway, sim, alice, receive=sim.tcp_url if receive == "tcp" else "sse")
    sim.inbound(contact, line.number, "before")
    alice.inbox.wait(lambda mail: mail.text == "before")
    sim.drop_connections()
    wait_until(lambda: not sim.subscribers.get(line.number), "the end of the old one")
    sim.inbound(contact, line.number, "after")
    assert alice.inbox.wait(lambda mail: mail.text == "after")


def texts(box):
    return sorted(mail.text for mail in box.all())


def test_stream_goes_on_where_it_broke(gateway, sim, alice, contact):
    """What was lost with the connection comes after Last-Event-ID, and nothing comes twice."""
    sim.ids = True
    line = declare_signal(gateway, sim, alice)
    for index in range(3):
        sim.inbound(contact, line.number, f"before {index}")
    alice.inbox.wait_all(count=3)
    sim.losing = 2
    for index in range(2):
        sim.inbound(contact, line.number, f"lost {index}")
    wait_until(lambda: len(sim.history[line.number]) == 5, "both to be written to a connection that breaks")
    sim.drop_connections()
    mails = alice.inbox.wait_all(count=5)
    sim.wait_subscribed(line.number)
    assert [last for account, last in sim.last_ids if account == line.number] == [None, "3"]
    sim.inbound(contact, line.number, "after")
    alice.inbox.wait(lambda mail: mail.text == "after")
    assert texts(alice.inbox) == ["after", "before 0", "before 1", "before 2", "lost 0", "lost 1"] and len(mails) == 5


def test_position_of_a_stream_survives_other_settings(gateway, sim, alice, contact):
    sim.ids = True
    line = declare_signal(gateway, sim, alice)
    sim.inbound(contact, line.number, "one")
    alice.inbox.wait(lambda mail: mail.text == "one")
    gateway.umpctl("endpoint", "disable", line.id)
    wait_until(lambda: not sim.subscribers.get(line.number), "the end of the subscription")
    sim.losing = 1
    # somebody else receives it in the meantime
    sim.history[line.number].append((2, {"account": line.number, "envelope": sim.envelope(
        contact, dataMessage=sim.data(sim.now(), "two"))}))
    gateway.umpctl("endpoint", "enable", line.id)
    alice.inbox.wait(lambda mail: mail.text == "two")
    assert [last for account, last in sim.last_ids if account == line.number] == [None, "1"]
    # another daemon has ids of its own
    with signal_cli.Simulator() as other:
        other.ids = True
        other.accounts.add(line.number)
        gateway.umpctl("endpoint", "set", line.id, "--set", f"base_url={other.base_url}")
        other.wait_subscribed(line.number)
        assert other.last_ids == [(line.number, None)]
        other.inbound(contact, line.number, "three")
        alice.inbox.wait(lambda mail: mail.text == "three")
    assert texts(alice.inbox) == ["one", "three", "two"]


@pytest.mark.destructive
def test_stream_with_ids_loses_nothing_to_kill_9(own_gateway):
    gateway = own_gateway
    alice, contact = gateway.user("alice"), gateway.number()
    with signal_cli.Simulator() as sim:
        sim.ids, sim.pace = True, 0.005
        line = declare_signal(gateway, sim, alice)
        expected = [f"message {index:03d}" for index in range(300)]
        for text in expected:
            sim.inbound(contact, line.number, text)
            if text.endswith(("090", "180")):
                wait_until(lambda: gateway.sql("SELECT 1 FROM ump.provider_events WHERE endpoint_id = %s LIMIT 1", line.id), "events")
                gateway.kill("ump-bridge")
        alice.inbox.wait_all(count=300, timeout=120)
        wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.jobs WHERE endpoint_id = %s", line.id) == [(0,)], "all to be read", 60)
        assert texts(alice.inbox) == expected
        assert gateway.sql("SELECT count(*) FROM ump.unified_messages WHERE endpoint_id = %s", line.id) == [(300,)]


def test_changed_settings_move_the_stream_and_disabling_ends_it(gateway, sim, alice, line, contact):
    gateway.umpctl("endpoint", "set", line.id, "--set", f"receive={sim.tcp_url}")
    sim.inbound(contact, line.number, "moved")
    assert alice.inbox.wait(lambda mail: mail.text == "moved")
    gateway.umpctl("endpoint", "disable", line.id)
    wait_until(lambda: not sim.subscribers.get(line.number), "the end of the subscription")
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.stream_leases WHERE endpoint_id = %s", line.id) == [(0,)], "the lease to be free")


def test_overlong_and_unreadable_lines_are_kept_and_passed_over(gateway, sim, alice, contact):
    line = declare_signal(gateway, sim, alice, receive=sim.tcp_url)
    sim.inbound(contact, line.number, "x" * 1_500_000)
    sim.deliver_body(line.number, {"no": "envelope", "account": line.number})
    sim.inbound(contact, line.number, "after")
    assert alice.inbox.wait(lambda mail: mail.text == "after")
    kinds = gateway.sql("SELECT kind FROM ump.provider_events WHERE endpoint_id = %s ORDER BY id", line.id)
    assert kinds == [("oversize",), ("unparsed",), ("message",)]


def test_health(gateway, sim, line):
    assert f"signal-cli has the account {line.number}." in gateway.umpctl("endpoint", "test", line.id)["findings"]
    gateway.umpctl("endpoint", "set", line.id, "--set", f"account={gateway.number()}")
    with pytest.raises(ControlFailed) as failed:
        gateway.umpctl("endpoint", "test", line.id)
    assert "link it" in str(failed.value)


# --- disappearing messages that disappear here too
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


# --- linking
def start_link(gateway, *words):
    return subprocess.Popen([gateway.layout.umpctl, "--json", "endpoint", "link", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_link_shows_the_code_and_adds_the_endpoint(gateway, sim, alice, contact):
    number = gateway.number()
    linking = start_link(gateway, "signal", "--owner", alice.email, "--set", f"base_url={sim.base_url}")
    uri = sim.scan(number)
    out, err = linking.communicate(timeout=30)
    assert linking.returncode == 0 and json.loads(out)["address"] == number
    lines = err.splitlines()
    assert uri in lines and "Linked devices" in err
    code = [line for line in lines if "█" in line]
    assert len(code) >= 20 and len({len(line) for line in code}) == 1 and "▄" in err
    sim.wait_subscribed(number)
    sim.inbound(contact, number, "linked")
    assert alice.inbox.wait().text == "linked"


def test_link_of_an_endpoint_wants_its_own_phone(gateway, sim, line):
    linking = start_link(gateway, line.id)
    sim.scan(gateway.number())
    _, err = linking.communicate(timeout=30)
    assert linking.returncode == 1 and "scan with that phone" in err
    linking = start_link(gateway, line.id)
    sim.scan(line.number)
    out, _ = linking.communicate(timeout=30)
    assert linking.returncode == 0 and json.loads(out) == {"result": "linked", "number": line.number}


def test_link_without_a_daemon_says_so(gateway, sim, alice):
    linking = start_link(gateway, "signal", "--set", "base_url=http://127.0.0.1:1")
    _, err = linking.communicate(timeout=30)
    assert linking.returncode == 75 and "does not answer" in err
