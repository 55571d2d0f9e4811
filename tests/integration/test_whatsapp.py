"""WhatsApp by the Cloud API, both ways: every kind as mail, answers as requests, statuses, signatures."""
import base64
import json
import os
import signal
import time

import pytest

from tests.lib.conversation import OGG, PNG, is_report, wait_provider_id, wait_status
from tests.lib.gateway import ControlFailed
from tests.lib.smtp import Refused
from tests.lib.wait import wait_until
from tests.sim import whatsapp
from tests.stack.layout import ROOT


@pytest.fixture(scope="module")
def simulator():
    with whatsapp.Simulator(retry_base=0.2) as sim:
        yield sim


@pytest.fixture
def sim(simulator):
    simulator.reset()
    simulator.enforce_window = simulator.read_too = False
    simulator.drift.clear()
    return simulator


@pytest.fixture
def line(gateway, sim, alice):
    """A WhatsApp endpoint of alice's."""
    return gateway.declare(whatsapp, sim, alice)


@pytest.mark.cell("whatsapp_cloud", "whatsapp", "in", "text")
@pytest.mark.cell("whatsapp_cloud", "whatsapp", "out", "text", "reply")
@pytest.mark.sanitize
def test_text_both_ways(gateway, sim, alice, line, contact):
    answer = sim.inbound(contact, line.number, "Are we on for lunch? 🍕", name="Bob Jones")
    assert answer["status"] == 200
    mail = alice.inbox.wait()
    assert mail.text == "Are we on for lunch? 🍕"
    assert mail["From"].addresses[0].addr_spec == line.address(contact)
    assert mail["From"].addresses[0].display_name == "Bob Jones (WhatsApp)"
    for field in ("channel=whatsapp", "provider=whatsapp_cloud", "type=text", f'external-id="{answer["message_id"]}"'):
        assert field in mail["UMP-Header"]
    sent = alice.reply(mail, "Yes, 12:30!")
    request = sim.wait_sent(contact, "text", body="Yes, 12:30!")["request"]
    assert request["context"] == {"message_id": answer["message_id"]}
    wait_status(gateway, sent, "delivered")
    # Within the day, free of charge: the provider says so, and it is kept.
    assert gateway.sql("SELECT cost, currency FROM ump.deliveries WHERE recipient = %s", contact) == [(0, "USD")]


# --- the address of the webhook
def test_the_address_is_verified_by_its_token(gateway, sim, line):
    assert sim.verify(line.webhook_url) == (200, "1158201444")
    for wrong in ({"token": "say foe"}, {"token": ""}, {"mode": "unsubscribe"}, {"challenge": "<script>"}):
        status, body = sim.verify(line.webhook_url, **wrong)
        assert status == 403 and "1158201444" not in body and "script" not in body


@pytest.mark.parametrize("change", ["signature", "body", "secret", "missing", "short", "scheme"])
def test_forged_webhook_is_401_and_leaves_nothing(gateway, sim, alice, line, contact, change):
    value = sim.message_value(line.number, sim.message(contact, "forged"), contact, "Bob")
    body = json.dumps(sim.envelope([("messages", value)])).encode()
    good = whatsapp.signature(sim.app_secret, body)
    header = {"signature": "sha256=" + "0" * 64, "secret": whatsapp.signature("another", body), "missing": None,
              "short": good[:-2], "scheme": good.replace("sha256", "sha1"), "body": good}[change]
    if change == "body":
        body = body.replace(b"forged", b"FORGED")
    assert sim.post_body(line.webhook_url, body, headers={"X-Hub-Signature-256": header}) == 401
    sim.inbound(contact, line.number, "real")
    alice.inbox.wait(lambda mail: mail.text == "real")
    assert len(alice.inbox.uids()) == 1


def test_both_secrets_are_good_while_one_is_changed(gateway, sim, alice, line, contact):
    gateway.umpctl("endpoint", "set", line.id, "--secret", "app_secret=fresh", "--secret", f"app_secret_previous={sim.app_secret}")

    def post(text, secret):
        value = sim.message_value(line.number, sim.message(contact, text), contact, "Bob")
        return sim.post_body(line.webhook_url, sim.envelope([("messages", value)]), secret=secret)
    wait_until(lambda: post("new secret", "fresh") == 200, "the new secret")
    assert post("old secret", sim.app_secret) == 200 and post("no secret", "other") == 401
    alice.inbox.wait(lambda mail: mail.text == "old secret")


def test_one_body_for_two_numbers_reaches_both(gateway, sim, people, alice, line, contact):
    bob = people()
    other = gateway.declare(whatsapp, sim, bob)
    texts = [f"message {index}" for index in range(30)]
    changes = [("messages", sim.message_value(line.number, sim.message(contact, text), contact, "Carl")) for text in texts]
    changes.append(("messages", sim.message_value(other.number, sim.message(contact, "for the other"), contact, "Carl")))
    wait_until(lambda: gateway.sql("SELECT 1"), "the database")
    assert sim.post_body(line.webhook_url, sim.envelope(changes)) == 200
    assert bob.inbox.wait(timeout=60).text == "for the other"
    alice.inbox.wait_all(count=30)
    assert sorted(mail.text for mail in alice.inbox.all()) == sorted(texts)
    # Each event keeps its own part of the body, not the whole.
    [(size,)] = gateway.sql("SELECT max(length(body)) FROM ump.provider_events WHERE endpoint_id = %s", line.id)
    assert size < 1000


def test_a_number_that_nobody_here_has_is_kept_and_told(gateway, sim, alice, line, contact):
    stranger = {**sim.message_value(line.number, sim.message(contact, "for nobody"), contact, "Carl"),
                "metadata": {"display_phone_number": "1", "phone_number_id": "77"}}
    ours = sim.message_value(line.number, sim.message(contact, "for alice"), contact, "Carl")
    assert sim.post_body(line.webhook_url, sim.envelope([("messages", stranger), ("messages", ours)])) == 200
    assert sim.post_body(line.webhook_url, sim.envelope([("messages", stranger)])) == 200
    assert alice.inbox.wait().text == "for alice"
    kept = gateway.sql("SELECT convert_from(body, 'UTF8') FROM ump.provider_events WHERE endpoint_id = %s AND kind = 'other'", line.id)
    assert len(kept) == 2 and all("for nobody" in body for body, in kept)
    assert len(alice.inbox.uids()) == 1


def test_a_large_batch_is_taken_whole(gateway, sim, alice, line):
    people = [f"+1917555{index:04d}" for index in range(300)]
    value = {"messaging_product": "whatsapp", "metadata": sim.metadata(line.number),
             "contacts": [{"profile": {"name": f"Person {index}"}, "wa_id": who[1:]} for index, who in enumerate(people)],
             "messages": [sim.message(who, "x" * 3000 + f" end {index}") for index, who in enumerate(people)]}
    body = json.dumps(sim.envelope([("messages", value)])).encode()
    assert len(body) > 900_000
    assert sim.post_body(line.webhook_url, body) == 200
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.unified_messages WHERE endpoint_id = %s", line.id) == [(300,)],
               "all of them", 60)
    names = {mail["From"].addresses[0].display_name for mail in alice.inbox.wait_all(count=300, timeout=60)}
    assert len(names) == 300


@pytest.mark.parametrize("own_gateway", [("inbound.claim_batch=8",)], indirect=True)
def test_a_long_lane_is_not_left_behind_while_others_write(own_gateway, sim):
    """A thousand of one contact's messages stand behind each other; those of others, which came later, overtake them."""
    gateway, texts = own_gateway, [f"number {index}" for index in range(1000)]
    line, contact = gateway.declare(whatsapp, sim, gateway.person()), gateway.number()
    value = {"messaging_product": "whatsapp", "metadata": sim.metadata(line.number), "contacts": [],
             "messages": [sim.message(contact, text) for text in texts]}
    assert sim.post_body(line.webhook_url, json.dumps(sim.envelope([("messages", value)])).encode()) == 200

    def none_waits_while_others_write():
        sim.inbound(gateway.number(), line.number, "me too")
        return gateway.sql("SELECT count(*) FROM ump.jobs WHERE queue = 'inbound' AND lane LIKE %s", f"%{contact}%") == [(0,)]
    wait_until(none_waits_while_others_write, "the long lane", timeout=40, interval=0.1)
    assert gateway.sql("SELECT array_agg(body ORDER BY occurred_at, seq) FROM ump.unified_messages WHERE endpoint_id = %s"
                       " AND from_address = %s", line.id, contact) == [(texts,)]


# --- every kind
@pytest.mark.cell("whatsapp_cloud", "whatsapp", "in", "sticker", "location", "contact card", "reaction", "edit", "delete", "choice", "order", "unknown")
def test_every_kind_is_readable(gateway, sim, alice, line, contact):
    first = sim.inbound(contact, line.number, "Does it come in blue?")
    target = alice.inbox.wait()
    picture = sim.medium(PNG, "image/png", caption="Taj Mahal")
    kinds = {
        "image": picture,
        "audio": sim.medium(OGG, "audio/ogg; codecs=opus", voice=True),
        "document": sim.medium(b"%PDF-1.4 ", "application/pdf", filename="invoice.pdf"),
        "sticker": sim.medium(b"RIFF0000WEBP", "image/webp", animated=False),
        "location": {"latitude": "37.44221", "longitude": -122.161659, "name": "Philz Coffee", "address": "101 Forest Ave"},
        "contacts": [{"name": {"formatted_name": "Lucía Gómez", "first_name": "Lucía"}, "org": {"company": "Google"},
                      "phones": [{"phone": "+1 (983) 555-2319", "type": "MOBILE"}], "emails": [{"email": "lucia@example.org"}]}],
        "button": {"payload": "p1", "text": "Yes, please"},
        "interactive": {"type": "list_reply", "list_reply": {"id": "i1", "title": "Express", "description": "Next day"}},
        "order": {"catalog_id": "C1", "text": "Thanks", "product_items": [
            {"product_retailer_id": "di9ozb", "quantity": "2", "item_price": 30, "currency": "USD"}]},
        "reaction": {"message_id": first["message_id"], "emoji": "👍"},
        "edit": {"original_message_id": first["message_id"], "message": {"type": "text", "text": {"body": "In green?"}}},
        "revoke": {"original_message_id": first["message_id"]},
        "unsupported": {"type": "poll_creation"},
        "hologram": {"title": "a kind of tomorrow"},
    }
    for kind, body in kinds.items():
        assert sim.inbound(contact, line.number, kind=kind, body=body)["status"] == 200
    mails = {}
    for mail in alice.inbox.wait_all(count=len(kinds) + 1, timeout=30):
        mails.setdefault(mail["UMP-Header"].split("type=")[1].split(",")[0], []).append(mail)

    def one(type_, condition=lambda mail: True):
        return next(mail for mail in mails[type_] if condition(mail))
    image = one("media", lambda mail: "Taj Mahal" in mail.text)
    assert image.attachments[0].get_content() == PNG
    voice = one("media", lambda mail: mail["Subject"] == "🎤 Voice message")
    assert voice.attachments[0].get_content_type() == "audio/ogg"
    assert one("media", lambda mail: "invoice.pdf" in str(mail["Subject"])).attachments[0].get_filename() == "invoice.pdf"
    assert one("media", lambda mail: mail.text == "Sticker").attachments[0].get_filename() == "sticker.webp"
    place = one("location")
    assert "geo:37.442210,-122.161659" in place.text and "Philz Coffee" in place.text
    card = one("contact")
    vcard = card.attachments[0].get_content()
    assert "FN:Lucía Gómez" in vcard and "TEL:+1 (983) 555-2319" in vcard and "EMAIL:lucia@example.org" in vcard
    assert one("interactive", lambda mail: mail.text == "Yes, please")
    assert one("interactive", lambda mail: mail.text == "Express\nNext day")
    assert "2 × di9ozb at 30.00 USD" in one("interactive", lambda mail: mail.text.startswith("Order")).text
    reaction = one("reaction")
    assert reaction.message.get_content_disposition() == "reaction" and reaction.text == "👍"
    assert str(reaction["Subject"]) == "👍 to “Does it come in blue?”"
    edit, delete = one("edit"), one("delete")
    assert "In green?" in edit.text and "deleted by the sender" in delete.text
    for mail in (reaction, edit, delete):
        assert mail["In-Reply-To"] == target["Message-ID"]
    texts = [mail.text for mail in mails["unknown"]]
    assert any("(unsupported)" in text for text in texts) and any("(hologram)" in text and "tomorrow" in text for text in texts)
    # The network's own hash was right, and the token went to the description and to the medium.
    assert all(authorization for _, authorization in sim.media_hits)


@pytest.mark.cell("whatsapp_cloud", "whatsapp", "in", "reaction taken back")
def test_reaction_taken_back_and_reaction_to_what_we_sent(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "hello")
    alice.reply(alice.inbox.wait(), "How about Tuesday?")
    sent = sim.wait_sent(contact, "text")
    wait_provider_id(gateway, sent["id"])
    sim.inbound(contact, line.number, kind="reaction", body={"message_id": sent["id"], "emoji": "❤️"})
    mail = alice.inbox.wait(lambda mail: "type=reaction" in mail["UMP-Header"])
    assert str(mail["Subject"]) == "❤️ to “How about Tuesday?”"
    sim.inbound(contact, line.number, kind="reaction", body={"message_id": sent["id"]})
    gone = alice.inbox.wait(lambda mail: "taken back" in mail.text)
    assert "How about Tuesday?" in gone.text


def test_missing_null_and_odd_values_make_the_same_mail(gateway, sim, alice, line):
    shapes = []
    for index, change in enumerate(({}, {"timestamp": 1750000000}, {"timestamp": "1750000000000"},
                                    {"fields": {"context": None, "referral": None, "x_new": {"deep": [1]}}})):
        who = gateway.number()
        options = {"timestamp": "1750000000", **change}
        value = sim.message_value(line.number, sim.message(who, "same", **options), who, "Eve")
        if index == 3:
            value = {**value, "new_key": {"a": 1}, "errors": None, "statuses": None}
        assert sim.post_value(line.number, value)["status"] == 200
        mail = alice.inbox.wait(lambda mail, who=who: who in str(mail["From"]))
        shapes.append((mail.text, str(mail["Date"]), mail["From"].addresses[0].display_name, str(mail["Subject"])))
    assert len(set(shapes)) == 1, shapes


def test_user_without_a_number_is_answered_by_his_id(gateway, sim, alice, line):
    user_id = "US.13491208655302741918AbC"
    sim.inbound(None, line.number, "I have no number", user_id=user_id, name="ada")
    mail = alice.inbox.wait()
    assert mail["From"].addresses[0].addr_spec.startswith("u.") and "ada" in str(mail["From"])
    alice.reply(mail, "Welcome")
    request = sim.wait_sent(user_id, "text", body="Welcome")["request"]
    assert request["recipient"] == user_id and "to" not in request
    # Later the number comes with it: the same person, the same conversation.
    number = gateway.number()
    sim.inbound(number, line.number, "and this is my number", user_id=user_id, name="ada")
    second = alice.inbox.wait(lambda mail: "my number" in mail.text)
    sim.inbound(None, line.number, "once more without", user_id=user_id, name="ada")
    third = alice.inbox.wait(lambda mail: "once more" in mail.text)
    assert third["UMP-Conversation-ID"] == mail["UMP-Conversation-ID"]
    assert second["From"].addresses[0].addr_spec == line.address(number)


def test_number_that_the_network_writes_otherwise_is_one_contact(gateway, sim, alice, line):
    number = gateway.number()
    known = gateway.number()
    sim.drift[number[1:]] = known[1:]
    sim.inbound(number, line.number, "hello")
    first = alice.inbox.wait()
    alice.reply(first, "Hi")
    sent = sim.wait_sent(number, "text", body="Hi")
    wait_provider_id(gateway, sent["id"])
    sim.inbound(known, line.number, "answer")
    assert alice.inbox.wait(lambda mail: mail.text == "answer")["UMP-Conversation-ID"] == first["UMP-Conversation-ID"]


@pytest.mark.cell("whatsapp_cloud", "whatsapp", "in", "notice")
def test_changed_number_is_told_and_linked(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "before")
    first = alice.inbox.wait()
    fresh = gateway.number()
    sim.inbound(contact, line.number, kind="system", body={
        "body": f"User Bob changed from {contact[1:]} to {fresh[1:]}", "wa_id": fresh[1:], "type": "user_changed_number"})
    notice = alice.inbox.wait(lambda mail: "changed from" in mail.text)
    sim.inbound(fresh, line.number, "after")
    third = alice.inbox.wait(lambda mail: mail.text == "after")
    assert {mail["UMP-Conversation-ID"] for mail in (first, notice, third)} == {first["UMP-Conversation-ID"]}


@pytest.mark.cell("whatsapp_cloud", "whatsapp", "in", "group message", "membership")
@pytest.mark.cell("whatsapp_cloud", "whatsapp", "out", "group message")
def test_group_is_answered_in_the_group(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "hi all", fields={"group_id": "GROUP_1=="}, name="Dan Okafor")
    mail = alice.inbox.wait()
    group = mail["Reply-To"].addresses[0].addr_spec
    assert group.startswith("g.") and mail["To"].addresses[0].addr_spec == group
    alice.reply(mail, "hello group")
    request = sim.wait_sent("GROUP_1==", "text", body="hello group")["request"]
    assert request["recipient_type"] == "group" and request["context"]
    value = {"messaging_product": "whatsapp", "metadata": sim.metadata(line.number), "groups": [
        {"timestamp": 1750000000, "group_id": "GROUP_1==", "type": "group_add_participants", "request_id": "r",
         "added_participants": [{"wa_id": "19175550123"}]}]}
    assert sim.post_value(line.number, value, field="group_participants_update")["status"] == 200
    joined = alice.inbox.wait(lambda mail: "joined the group" in mail.text)
    assert "+19175550123" in joined.text and joined["To"].addresses[0].addr_spec == group


@pytest.mark.cell("whatsapp_cloud", "whatsapp", "in", "own phone")
def test_sent_from_the_own_phone_is_in_sent_once(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "hello")
    first = alice.inbox.wait()
    for _ in range(2):
        assert sim.echo(contact, line.number, "On my way", id="wamid.ECHO")["status"] == 200
    mail = alice.box("Sent").wait()
    assert mail.text == "On my way" and "\\Seen" in mail.flags and mail["References"] == first["Message-ID"]
    assert mail["From"].addresses[0].addr_spec == alice.email
    sim.inbound(contact, line.number, "ok")
    alice.inbox.wait(lambda mail: mail.text == "ok")
    assert len(alice.box("Sent").uids()) == 1 and len(alice.inbox.uids()) == 2


CLICK = {"action_type": "marketing_messages_link_click", "timestamp": "1750000000", "marketing_messages_link_click_data": {
    "click_component": "cta", "product_id": "sku_id", "click_id": "AfcX", "tracking_token": "t"}}


def tell(sim, line, field="messages", **lists):
    """A webhook that is about people but is no message of theirs."""
    value = {"messaging_product": "whatsapp", "metadata": sim.metadata(line.number), **lists}
    assert sim.post_value(line.number, value, field=field)["status"] == 200


def test_click_of_nobody_is_told_by_whatsapp(gateway, sim, alice, line):
    tell(sim, line, user_actions=[CLICK])
    tell(sim, line, user_actions=[CLICK])  # the same one
    tell(sim, line, user_actions=[{**CLICK, "timestamp": "1750000001", "marketing_messages_link_click_data": {}}])
    first, second = alice.inbox.wait_all(count=2)
    assert first.text == "Somebody followed the button of a marketing message (product sku_id).\nClick: AfcX"
    assert second.text == "Somebody followed the link of a marketing message."
    assert first["From"].addresses[0].addr_spec == "a.whatsapp@whatsapp.msgs.test" and "type=group-event" in first["UMP-Header"]
    assert second["UMP-Conversation-ID"] == first["UMP-Conversation-ID"]
    with pytest.raises(Refused) as refused:
        alice.reply(first, "Who was it?")
    assert "nobody can answer it" in str(refused.value)
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.jobs WHERE endpoint_id = %s", line.id) == [(0,)], "all to be read")
    assert len(alice.inbox.uids()) == 2


def test_click_of_somebody_is_in_his_thread_and_opens_no_window(gateway, sim, alice, line, contact):
    tell(sim, line, user_actions=[{**CLICK, "wa_id": contact[1:]}], contacts=[{"profile": {"name": "Bob Jones"}, "wa_id": contact[1:]}])
    mail = alice.inbox.wait()
    assert mail.text.startswith("Followed the button of a marketing message") and "Bob Jones" in str(mail["From"])
    assert mail["From"].addresses[0].addr_spec == line.address(contact)
    with pytest.raises(Refused) as refused:
        alice.reply(mail, "Do you like it?")
    assert "24 hours" in str(refused.value)


def test_clicks_are_kept_where_the_endpoint_says_so(gateway, sim, alice, line):
    gateway.umpctl("endpoint", "set", line.id, "--set", "user_actions=keep")
    wait_until(lambda: tell(sim, line, user_actions=[{**CLICK, "timestamp": str(time.time_ns())}]) or gateway.sql(
        "SELECT 1 FROM ump.provider_events WHERE endpoint_id = %s AND kind = 'other'", line.id), "the setting to be in force")


def test_marketing_preference_is_told_in_the_thread(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "hello")
    first = alice.inbox.wait()
    for number, value in enumerate(("stop", "resume")):
        tell(sim, line, "user_preferences", contacts=[{"profile": {"name": "Bob Jones"}, "wa_id": contact[1:]}], user_preferences=[{
            "wa_id": contact[1:], "detail": "User requested it", "category": "marketing_messages", "value": value,
            "timestamp": 1750000000 + number}])
    stop = alice.inbox.wait(lambda mail: "no more marketing messages" in mail.text)
    again = alice.inbox.wait(lambda mail: "marketing messages again" in mail.text)
    assert {mail["UMP-Conversation-ID"] for mail in (first, stop, again)} == {first["UMP-Conversation-ID"]}
    assert gateway.sql("SELECT count(*) FROM ump.message_opt_outs WHERE identifier = %s", contact) == [(0,)]
    alice.reply(stop, "Of course.")
    sim.wait_sent(contact, "text", body="Of course.")


def test_webhooks_without_a_person_are_acknowledged_and_kept(gateway, sim, line):
    for field in ("message_template_status_update", "account_update", "history", "something_new"):
        assert sim.post_value(line.number, {"event": "APPROVED", "about": field}, field=field)["status"] == 200
    assert gateway.sql("SELECT count(*) FROM ump.provider_events WHERE endpoint_id = %s AND kind = 'other'", line.id) == [(4,)]


EXAMPLES = ROOT.parent / "shared" / "specs" / "whatsapp" / "examples"


def test_every_published_webhook_is_acknowledged_and_shown(gateway, sim, alice):
    """All but the answers of the API; which is which the unit tests list."""
    if not EXAMPLES.is_dir():
        pytest.skip("../shared/specs/whatsapp is not at hand")
    line = gateway.declare(whatsapp, sim, alice, "106540352242922")
    shown = 0
    for index, path in enumerate(sorted(EXAMPLES.glob("*.json"))):
        if path.name.startswith("api_"):
            continue
        body = json.loads(path.read_text())
        value = body["entry"][0]["changes"][0]["value"]
        for item in value.get("messages", []) + value.get("message_echoes", []):
            item["id"] = f"wamid.example{index}"  # several of them are the same message
        shown += len(value.get("messages", []) + value.get("user_actions", []))
        wait_until(lambda body=body: sim.post_body(line.webhook_url, body) == 200, f"{path.name} to be taken")
    mails = alice.inbox.wait_all(count=shown, timeout=60)
    assert len(mails) == shown == 9
    for mail in mails:
        assert str(mail["Subject"]).strip() and (mail.text or mail.attachments), mail
    alice.box("Sent").wait(lambda mail: "Here's the info you requested!" in mail.text, timeout=60)


# --- sending
@pytest.mark.cell("whatsapp_cloud", "whatsapp", "out", "reaction", "reaction taken back")
def test_reaction_by_mail(gateway, sim, alice, line, contact):
    target = sim.inbound(contact, line.number, "Shall we?")
    mail = alice.inbox.wait()
    alice.react(mail, "👍")
    request = sim.wait_sent(contact, "reaction")["request"]
    assert request["reaction"] == {"message_id": target["message_id"], "emoji": "👍"}
    alice.react(mail, "")
    sim.wait_sent(contact, "reaction", message_id=target["message_id"], emoji="")


@pytest.mark.parametrize("name, content_type, text, kind", [
    ("dot.png", "image/png", "a picture", "image"), ("note.ogg", "audio/ogg", "", "audio"),
    ("invoice.pdf", "application/pdf", "", "document")])
def test_attachments_are_uploaded_without_https(gateway, sim, alice, line, contact, name, content_type, text, kind):
    sim.inbound(contact, line.number, "send it")
    alice.inbox.wait()
    content = PNG if kind == "image" else bytes(64)  # a type is known by its bytes
    alice.submit(line.address(contact), text, attachments=[(name, content_type, content)])
    entry = sim.wait_sent(contact, kind)
    sim.wait_for(lambda: entry["media"], what="the upload")
    assert entry["media"][0]["content"] == content and entry["media"][0]["type"] == content_type
    assert entry["request"][kind].get("caption", "") == text
    assert kind != "document" or entry["request"][kind]["filename"] == name


def test_attachments_go_as_links_where_the_endpoint_wants_it(gateway, sim, alice, contact):
    line = gateway.declare(whatsapp, sim, alice, media="link")
    sim.inbound(contact, line.number, "send it")
    alice.inbox.wait()
    alice.submit(line.address(contact), "look", attachments=[("dot.png", "image/png", PNG)])
    entry = sim.wait_sent(contact, "image")
    sim.wait_for(lambda: entry["media"], what="the fetch")
    assert base64.b64decode(entry["media"][0]["content"]) == PNG


@pytest.mark.guarantee
@pytest.mark.parametrize("kind", ["reaction", "quote", "ours"])
def test_a_new_owner_is_not_shown_what_was_said_before(gateway, sim, people, contact, kind):
    """An endpoint changes hands; the contact answers or reacts to what he and its former owner wrote."""
    alice, bob = people(), people()
    line = gateway.declare(whatsapp, sim, alice)
    target = sim.inbound(contact, line.number, "The code is 4711")["message_id"]
    mail = alice.inbox.wait()
    if kind == "ours":
        alice.reply(mail, "4711, thank you")
        target = wait_provider_id(gateway, sim.wait_sent(contact, "text", body="4711, thank you")["id"])
    gateway.umpctl("endpoint", "set", line.id, "--owner", bob.email)
    if kind == "quote":
        sim.inbound(contact, line.number, "Did it work?", fields={"context": {"from": line.number[1:], "id": target}})
    else:
        sim.inbound(contact, line.number, kind="reaction", body={"message_id": target, "emoji": "\U0001F44D"})
    shown = bob.inbox.wait()
    assert "4711" not in shown.raw.decode() and "4711" not in str(shown["Subject"])
    assert str(mail["Message-ID"]) not in shown.raw.decode()
    assert len(alice.inbox.uids()) == 1


@pytest.mark.cell("whatsapp_cloud", "whatsapp", "in", "failed")
def test_status_failed_is_a_report(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "hello")
    mail = alice.inbox.wait()
    sim.add_rule(error="131026", to=contact[1:], times=1)
    sent = alice.reply(mail, "you do not get this")
    report = alice.inbox.wait(is_report)
    assert "does not use WhatsApp" in report.text and sent["Message-ID"] in report["References"]
    assert "5.1.1" in report.raw.decode()


def test_lost_answer_is_settled_by_the_status(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "hello")
    mail = alice.inbox.wait()
    sim.add_rule(mode="accept-then-drop", to=contact[1:], times=1)
    sent = alice.reply(mail, "once only")
    wait_status(gateway, sent, "delivered")
    assert len([e for e in sim.accepted if e["request"].get("text", {}).get("body") == "once only"]) == 1


# --- the window, and templates
def test_outside_of_the_window_the_sender_is_told_which_templates_go(gateway, sim, alice, line, contact):
    gateway.umpctl("template", "add", line.id, "welcome", "--text", "Hello {{1}}, we are open until {{2}}.")
    with pytest.raises(Exception) as refused:
        alice.submit(line.address(contact), "Are you there?")
    assert refused.value.code == 550 and "has not written to you for 24 hours" in str(refused.value)
    assert "welcome (2 lines)" in str(refused.value)
    sim.inbound(contact, line.number, "now I have written")
    alice.inbox.wait()
    alice.submit(line.address(contact), "Good")
    sim.wait_sent(contact, "text", body="Good")
    gateway.sql("UPDATE ump.unified_messages SET occurred_at = occurred_at - interval '25 hours' WHERE endpoint_id = %s", line.id)
    with pytest.raises(Exception) as refused:
        alice.submit(line.address(contact), "And a day later?")
    assert refused.value.code == 550


@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [["lmtp.facts_lifetime=10s"]], indirect=True)
def test_the_window_is_each_contacts_own_within_a_burst(own_gateway, simulator):
    """What ump-lmtp remembers of a sender for a moment says nothing of when this contact last wrote."""
    gateway, person = own_gateway, own_gateway.user("alice")
    simulator.reset()
    line = gateway.declare(whatsapp, simulator, person)
    near, far = gateway.number(), gateway.number()
    for contact in near, far:
        simulator.inbound(contact, line.number, "hello")
    person.inbox.wait_all(count=2)
    pid = gateway.pid("ump-lmtp")
    person.submit(line.address(near), "first")
    simulator.wait_sent(near, "text", body="first")
    # ump-milter sees an open window; until ump-lmtp looks, it has closed.
    os.kill(pid, signal.SIGSTOP)
    try:
        for contact, text in ((near, "second"), (far, "too late")):
            person.submit(line.address(contact), text)
        gateway.sql("UPDATE ump.unified_messages SET occurred_at = occurred_at - interval '25 hours' WHERE direction = 'inbound'"
                    " AND from_address = %s", far)
    finally:
        os.kill(pid, signal.SIGCONT)
    simulator.wait_sent(near, "text", body="second")
    report = person.inbox.wait(is_report)
    assert "has not written to you for 24 hours" in " ".join(report.raw.decode().split())
    assert "too late" not in [entry["request"].get("text", {}).get("body") for entry in simulator.accepted]


def test_template_is_chosen_in_the_address(gateway, sim, alice, line, contact):
    gateway.umpctl("template", "add", line.id, "welcome", "--text", "Hello {{1}}, we are open until {{2}}.")
    gateway.umpctl("template", "add", line.id, "plain", "--text", "We are open.", "--language", "de")
    alice.submit(line.address(f"{contact}+welcome"), "Bob\n6 pm\n")
    request = sim.wait_sent(contact, "template", name="welcome")["request"]
    assert request["template"]["language"] == {"code": "en_US"}
    assert request["template"]["components"] == [{"type": "body", "parameters": [
        {"type": "text", "text": "Bob"}, {"type": "text", "text": "6 pm"}]}]
    alice.submit(line.address(f"{contact}+plain"), "")
    assert sim.wait_sent(contact, "template", name="plain")["request"]["template"]["language"] == {"code": "de"}
    for recipient, text, words in ((f"{contact}+welcome", "Bob", "has 2 variables"), (f"{contact}+nothing", "x", "no approved template")):
        with pytest.raises(Exception) as refused:
            alice.submit(line.address(recipient), text)
        assert refused.value.code == 550 and words in str(refused.value)


@pytest.mark.cell("whatsapp_cloud", "whatsapp", "out", "template")
def test_template_is_chosen_by_the_field(gateway, sim, alice, line, contact):
    gateway.umpctl("template", "add", line.id, "order", "--text", "Order {{number}} is {{state}}.", "--language", "en")
    alice.submit(line.address(contact), "", UMP_Template='order; language=en; v1="17"; v2="on its way"')
    parameters = sim.wait_sent(contact, "template", name="order")["request"]["template"]["components"][0]["parameters"]
    assert parameters == [{"type": "text", "text": "17", "parameter_name": "number"},
                          {"type": "text", "text": "on its way", "parameter_name": "state"}]


def test_reopening_template_carries_the_text(gateway, sim, alice, contact):
    line = gateway.declare(whatsapp, sim, alice, reopen_template="news")
    gateway.umpctl("template", "add", line.id, "news", "--text", "There is news for you: {{1}}")
    alice.submit(line.address(contact), "The part has come.\n\nYou can fetch it.")
    parameters = sim.wait_sent(contact, "template", name="news")["request"]["template"]["components"][0]["parameters"]
    assert parameters == [{"type": "text", "text": "The part has come. / You can fetch it."}]


def test_templates_are_taken_over_from_the_provider(gateway, sim, line):
    sim.templates = [
        {"name": "promo", "language": "en_US", "status": "APPROVED", "category": "MARKETING", "components": [
            {"type": "HEADER", "format": "TEXT", "text": "Sale for {{1}}"}, {"type": "BODY", "text": "Hi {{1}}, use {{2}}"}]},
        {"name": "photo", "language": "en_US", "status": "APPROVED", "components": [{"type": "HEADER", "format": "IMAGE"},
                                                                                     {"type": "BODY", "text": "Look"}]},
        {"name": "waiting", "language": "en_US", "status": "PENDING", "components": [{"type": "BODY", "text": "Soon"}]}]
    shown = {entry["name"]: entry for entry in gateway.umpctl("template", "sync", line.id)}
    assert shown["promo"]["variables"] == 3 and shown["photo"]["missing"] and shown["waiting"]["status"] == "pending"
    sim.templates = sim.templates[:1]
    assert [entry["name"] for entry in gateway.umpctl("template", "sync", line.id)] == ["promo"]
    assert [entry["name"] for entry in gateway.umpctl("template", "list", line.id)] == ["promo"]


def test_health_says_whose_number_it_is(gateway, sim, line):
    assert gateway.umpctl("endpoint", "test", line.id)["result"] == "ok"
    gateway.umpctl("endpoint", "set", line.id, "--set", f"phone_number_id={whatsapp.phone_number_id('+12125550100')}")
    sim.own[whatsapp.phone_number_id("+12125550100")] = "+12125550100"
    with pytest.raises(ControlFailed) as failed:
        gateway.umpctl("endpoint", "test", line.id)
    assert "belongs to +12125550100" in str(failed.value)


def test_too_long_text_is_refused_with_the_limit(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "hello")
    alice.inbox.wait()
    for options in ({}, {"attachments": [("dot.png", "image/png", PNG)]}):
        with pytest.raises(Exception) as refused:
            alice.submit(line.address(contact), "word " * 1000, **options)
        assert refused.value.code == 552 and "4096" in str(refused.value)
