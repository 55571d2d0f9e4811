"""WhatsApp by Telnyx, both ways: every kind as mail in both forms of webhook, requests, window, templates, statuses."""
import base64
import time
from email.message import EmailMessage

import pytest

from tests.lib.conversation import MP4, OGG, PDF, PNG, is_report, of_type, wait_provider_id, wait_status
from tests.lib.gateway import ControlFailed
from tests.lib.wait import wait_until
from tests.sim import telnyx
from tests.sim.telnyx_whatsapp import wamid

FORMS = ["account", "profile"]


@pytest.fixture
def sim(gateway):
    sim = gateway.sim
    sim.reset()
    sim.enforce_window = sim.read_too = False
    sim.templates = []
    yield sim
    sim.enforce_window = sim.read_too = False


@pytest.fixture
def line(gateway, sim, alice):
    """A WhatsApp endpoint of alice's at Telnyx."""
    return gateway.declare(telnyx, sim, alice, "whatsapp")


@pytest.mark.cell("telnyx", "whatsapp", "in", "text", "delivered")
@pytest.mark.cell("telnyx", "whatsapp", "out", "text", "reply")
@pytest.mark.parametrize("form", FORMS)
def test_text_both_ways(gateway, sim, alice, line, contact, form):
    answer = sim.inbound_whatsapp(contact, line.number, "Are we on for lunch? 🍕", form)
    assert answer["status"] == 200
    mail = alice.inbox.wait()
    assert mail.text == "Are we on for lunch? 🍕"
    assert mail["From"].addresses[0].addr_spec == line.address(contact)
    assert mail["From"].addresses[0].display_name == "Bob Jones (WhatsApp)"
    for field in ("channel=whatsapp", "provider=telnyx", "type=text", f'external-id="{answer["message_id"]}"'):
        assert field in mail["UMP-Header"]
    sent = alice.reply(mail, "Yes, 12:30!")
    request = sim.wait_whatsapp(contact, "text", body="Yes, 12:30!")["request"]
    assert request["from"] == line.number and request["type"] == "WHATSAPP"
    assert request["whatsapp_message"]["context"] == {"message_id": answer["foreign_id"]}
    wait_status(gateway, sent, "delivered")


# --- every kind
@pytest.mark.cell("telnyx", "whatsapp", "in", "picture", "sound", "file", "sticker", "location", "contact card", "reaction",
                  "edit", "delete", "choice", "order", "notice", "unknown")
@pytest.mark.parametrize("form", FORMS)
def test_every_kind_is_readable(gateway, sim, alice, line, contact, form):
    first = sim.inbound_whatsapp(contact, line.number, "Does it come in blue?", form)
    target = alice.inbox.wait()
    fresh = gateway.number()
    kinds = {
        "image": sim.whatsapp_medium(PNG, "image/png", caption="Taj Mahal"),
        "audio": sim.whatsapp_medium(OGG, "audio/ogg; codecs=opus", voice=True),
        "document": sim.whatsapp_medium(b"%PDF-1.4 ", "application/pdf", filename="invoice.pdf"),
        "sticker": sim.whatsapp_medium(b"RIFF0000WEBP", "image/webp", animated=False),
        "location": {"latitude": "37.44221", "longitude": -122.161659, "name": "Philz Coffee", "address": "101 Forest Ave"},
        "contacts": [{"name": {"formatted_name": "Lucía Gómez", "first_name": "Lucía"}, "org": {"company": "Google"},
                      "phones": [{"phone": "+1 (983) 555-2319", "type": "MOBILE"}], "emails": [{"email": "lucia@example.org"}]}],
        "button": {"payload": "p1", "text": "Yes, please"},
        "interactive": {"type": "button_reply", "action": {}, "button_reply": {"id": "b1", "title": "Express"}},
        "order": {"catalog_id": "C1", "text": "Thanks", "product_items": [
            {"product_retailer_id": "di9ozb", "quantity": "2", "item_price": 30, "currency": "USD"}]},
        "reaction": {"message_id": first["message_id"], "emoji": "👍"},
        "edit": {"original_message_id": first["foreign_id"], "message": {"type": "text", "text": {"body": "In green?"}}},
        "revoke": {"original_message_id": first["foreign_id"]},
        "system": {"body": f"User Bob changed to {fresh[1:]}", "wa_id": fresh[1:], "type": "user_changed_number"},
        "unsupported": {"type": "poll_creation"},
        "hologram": {"title": "a kind of tomorrow"},
    }
    for kind, body in kinds.items():
        assert sim.inbound_whatsapp(contact, line.number, form=form, kind=kind, body=body)["status"] == 200
    mails = alice.inbox.wait_all(count=len(kinds) + 1, timeout=40)

    def one(kind, condition=lambda mail: True):
        return next(mail for mail in mails if of_type(mail, kind) and condition(mail))
    assert one("media", lambda mail: "Taj Mahal" in mail.text).attachments[0].get_content() == PNG
    voice = one("media", lambda mail: mail["Subject"] == "🎤 Voice message")
    assert voice.attachments[0].get_content_type() == "audio/ogg"
    assert one("media", lambda mail: "invoice.pdf" in str(mail["Subject"])).attachments[0].get_filename() == "invoice.pdf"
    assert one("media", lambda mail: mail.text == "Sticker").attachments[0].get_content_type() == "image/webp"
    assert "geo:37.442210,-122.161659" in one("location").text and "Philz Coffee" in one("location").text
    vcard = one("contact").attachments[0].get_content()
    assert "FN:Lucía Gómez" in vcard and "TEL:+1 (983) 555-2319" in vcard
    assert one("interactive", lambda mail: mail.text == "Yes, please") and one("interactive", lambda mail: mail.text == "Express")
    assert "2 × di9ozb at 30.00 USD" in one("interactive", lambda mail: mail.text.startswith("Order")).text
    reaction, edit, delete = one("reaction"), one("edit"), one("delete")
    assert reaction.message.get_content_disposition() == "reaction" and reaction.text == "👍"
    assert "In green?" in edit.text and "deleted by the sender" in delete.text
    for mail in (reaction, edit, delete):  # by Telnyx's id, and by the network's
        assert mail["In-Reply-To"] == target["Message-ID"]
    assert any("changed to" in mail.text for mail in mails)
    texts = [mail.text for mail in mails if of_type(mail, "unknown")]
    assert any("(unsupported)" in text for text in texts) and any("(hologram)" in text and "tomorrow" in text for text in texts)


@pytest.mark.cell("telnyx", "whatsapp", "in", "video")
def test_medium_that_the_payload_names_beside_the_body(gateway, sim, alice, line, contact):
    content = MP4
    made = sim.add_media("walk.mp4", content, "video/mp4")
    item = sim.whatsapp_item(contact, kind="video", body={"caption": "A walk"})
    event = sim._event("message.received", sim.profile_payload(line.number, item, media=[made]))
    assert sim.deliver_event([line.webhook_url], event) == 200
    mail = alice.inbox.wait()
    assert mail.text == "A walk" and mail.attachments[0].get_content() == content


def test_edit_that_bears_the_id_of_what_it_changes(gateway, sim, alice, line, contact):
    first = sim.inbound_whatsapp(contact, line.number, "Tusday?", "profile")
    target = alice.inbox.wait()
    again = sim.inbound_whatsapp(contact, line.number, form="profile", kind="edit", message_id=first["message_id"],
                                 foreign_id=first["foreign_id"], body={
                                     "original_message_id": first["foreign_id"],
                                     "message": {"type": "text", "text": {"body": "Tuesday?"}}})
    assert again["status"] == 200
    edit = alice.inbox.wait(lambda mail: of_type(mail, "edit"))
    assert "Tuesday?" in edit.text and edit["In-Reply-To"] == target["Message-ID"]


@pytest.mark.cell("telnyx", "whatsapp", "in", "reply", "reaction taken back", "read")
def test_what_refers_to_what_we_sent(gateway, sim, alice, line, contact):
    sim.read_too = True
    sim.inbound_whatsapp(contact, line.number, "hello")
    answer = alice.reply(alice.inbox.wait(), "Tuesday or Friday?")
    ours = wait_provider_id(gateway, sim.wait_whatsapp(contact, "text")["id"])
    wait_status(gateway, answer, "delivered", "read")
    sim.inbound_whatsapp(contact, line.number, "the second", fields={"context": {"from": line.number[1:], "id": ours}})
    assert alice.inbox.wait(lambda mail: "the second" in mail.text)["In-Reply-To"] == answer["Message-ID"]
    sim.inbound_whatsapp(contact, line.number, kind="reaction", body={"message_id": ours, "emoji": "❤️"})
    assert str(alice.inbox.wait(lambda mail: of_type(mail, "reaction"))["Subject"]) == "❤️ to “Tuesday or Friday?”"
    sim.inbound_whatsapp(contact, line.number, kind="reaction", body={"message_id": ours})
    gone = alice.inbox.wait(lambda mail: "taken back" in mail.text)
    assert gone["In-Reply-To"] == answer["Message-ID"]


def test_the_same_message_in_both_forms_is_one_mail(gateway, sim, alice, line, contact):
    item = {"message_id": "2a6f8ea0-355e-4b5f-a4e3-8283837ae317", "foreign_id": wamid(), "timestamp": "1750000000"}
    for form in FORMS * 2:
        assert sim.inbound_whatsapp(contact, line.number, "only once", form, **item)["status"] == 200
    sim.inbound_whatsapp(contact, line.number, "and another")
    alice.inbox.wait(lambda mail: mail.text == "and another")
    assert sorted(mail.text for mail in alice.inbox.all()) == ["and another", "only once"]


def test_a_batch_keeps_each_event_apart(gateway, sim, alice, line, contact):
    sim.inbound_whatsapp(contact, line.number, "hello")
    sent = alice.reply(alice.inbox.wait(), "Did you get it?")
    ours = wait_provider_id(gateway, sim.wait_whatsapp(contact, "text")["id"])
    people = [gateway.number() for _ in range(3)]
    value = sim.whatsapp_value(line.number, messages=[sim.whatsapp_item(who, f"from {who}") for who in people], statuses=[
        {"id": ours, "status": "read", "timestamp": "1750000000", "recipient_id": contact[1:],
         "biz_opaque_callback_data": "another gateway's"}])
    assert sim.deliver_event([line.webhook_url], sim._event("whatsapp.messages", value)) == 200
    for who in people:
        mail = alice.inbox.wait(lambda mail, who=who: mail.text == f"from {who}")
        assert mail["From"].addresses[0].addr_spec == line.address(who)
    wait_status(gateway, sent, "read")
    [(size,)] = gateway.sql("SELECT max(length(body)) FROM ump.provider_events WHERE endpoint_id = %s AND kind = 'message'", line.id)
    assert size < 1000


@pytest.mark.cell("telnyx", "whatsapp", "in", "own phone")
def test_sent_from_the_own_phone_is_in_sent_once(gateway, sim, alice, line, contact):
    sim.inbound_whatsapp(contact, line.number, "hello")
    first = alice.inbox.wait()
    for _ in range(2):
        answer = sim.echo_whatsapp(contact, line.number, "On my way", message_id="7a6f8ea0-355e-4b5f-a4e3-8283837ae317")
        assert answer["status"] == 200
    mail = alice.box("Sent").wait()
    assert mail.text == "On my way" and "\\Seen" in mail.flags and mail["References"] == first["Message-ID"]
    assert mail["From"].addresses[0].addr_spec == alice.email
    sim.inbound_whatsapp(contact, line.number, "ok")
    alice.inbox.wait(lambda mail: mail.text == "ok")
    assert len(alice.box("Sent").uids()) == 1 and len(alice.inbox.uids()) == 2


@pytest.mark.cell("telnyx", "whatsapp", "in", "STOP")
def test_stop_is_kept(gateway, sim, alice, line, contact):
    sim.inbound_whatsapp(contact, line.number, "STOP")
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.message_opt_outs WHERE identifier = %s", contact), "the opt-out")
    with pytest.raises(Exception) as refused:
        alice.submit(line.address(contact), "Are you there?")
    assert "STOP" in str(refused.value)


# --- whose it is
def test_sms_and_whatsapp_of_one_number_share_a_webhook(gateway, sim, alice, line, contact):
    """A messaging profile has one address: either endpoint's will do."""
    sms = gateway.endpoint(alice.email, line.number)
    for url in (sms.webhook_url, line.webhook_url):
        for form in FORMS:
            text = f"whatsapp {form} {url[-4:]}"
            assert sim.inbound_whatsapp(contact, line.number, text, form, urls=[url])["status"] == 200
            mail = alice.inbox.wait(lambda mail, text=text: mail.text == text)
            assert mail["From"].addresses[0].addr_spec == line.address(contact)
        assert sim.inbound(contact, line.number, f"sms {url[-4:]}", urls=[url])["status"] == 200
        mail = alice.inbox.wait(lambda mail, url=url: mail.text == f"sms {url[-4:]}")
        assert mail["From"].addresses[0].addr_spec == gateway.address(contact)
    assert len(alice.inbox.uids()) == 6


def test_numbers_of_one_business_share_a_webhook(gateway, sim, people, alice, line, contact):
    bob = people()
    other = gateway.declare(telnyx, sim, bob, "whatsapp")
    assert sim.inbound_whatsapp(contact, other.number, "for the other", urls=[line.webhook_url])["status"] == 200
    assert bob.inbox.wait().text == "for the other"
    stranger = gateway.number()
    assert sim.inbound_whatsapp(contact, stranger, "for nobody", urls=[line.webhook_url])["status"] == 200
    kept = gateway.sql("SELECT convert_from(body, 'UTF8') FROM ump.provider_events WHERE endpoint_id = %s AND kind = 'other'", line.id)
    assert len(kept) == 1 and "for nobody" in kept[0][0]
    assert alice.inbox.uids() == []


def test_whatsapp_without_an_endpoint_of_its_own_is_shown(gateway, sim, alice, contact):
    sms = gateway.endpoint(alice.email)
    assert sim.inbound_whatsapp(contact, sms.number, "by WhatsApp", urls=[sms.webhook_url])["status"] == 200
    assert alice.inbox.wait().text == "by WhatsApp"


def test_sms_to_a_number_that_is_here_for_whatsapp_only_is_shown_as_one(gateway, sim, alice, line, contact):
    assert sim.inbound(contact, line.number, "hi", urls=[line.webhook_url])["status"] == 200
    assert alice.inbox.wait().text == "[By SMS]\nhi"


# --- sending
@pytest.mark.cell("telnyx", "whatsapp", "out", "reaction")
def test_reaction_by_mail(gateway, sim, alice, line, contact):
    target = sim.inbound_whatsapp(contact, line.number, "Shall we?")
    mail = alice.inbox.wait()
    reaction = EmailMessage()
    reaction["From"], reaction["To"], reaction["Subject"] = alice.email, line.address(contact), "Re: Shall we?"
    reaction["In-Reply-To"] = reaction["References"] = mail["Message-ID"]
    reaction["Message-ID"] = "<reaction-telnyx@msgs.test>"
    reaction.set_content("👍\n", disposition="reaction")
    assert alice.submit_raw([line.address(contact)], reaction.as_bytes()) == {}
    message = sim.wait_whatsapp(contact, "reaction")["request"]["whatsapp_message"]
    assert message["reaction"] == {"message_id": target["foreign_id"], "emoji": "👍"}


@pytest.mark.cell("telnyx", "whatsapp", "out", "picture", "sound", "video", "file")
@pytest.mark.parametrize("name, content_type, text, kind, content", [
    ("dot.png", "image/png", "a picture", "image", PNG), ("note.ogg", "audio/ogg", "", "audio", OGG),
    ("walk.mp4", "video/mp4", "", "video", MP4),
    ("invoice.pdf", "application/pdf", "", "document", PDF)])
def test_attachments_are_fetched_here(gateway, sim, alice, line, contact, name, content_type, text, kind, content):
    sim.inbound_whatsapp(contact, line.number, "send it")
    alice.inbox.wait()
    alice.submit(line.address(contact), text, attachments=[(name, content_type, content)])
    entry = sim.wait_whatsapp(contact, kind)
    sim.wait_for(lambda: entry["media"], what="the fetch")
    assert base64.b64decode(entry["media"][0]["content"]) == content and entry["media"][0]["content_type"] == content_type
    sent = entry["request"]["whatsapp_message"][kind]
    assert sent.get("caption", "") == text and (kind != "document" or sent["filename"] == name)


@pytest.mark.cell("telnyx", "whatsapp", "in", "failed")
@pytest.mark.parametrize("code, detail, words", [
    ("40008", "Undeliverable (131026)", "does not use WhatsApp"), ("40008", "Undeliverable", "the provider does not say why"),
    ("131049", "Not delivered", "limits how many marketing")])
def test_status_failed_is_a_report(gateway, sim, alice, line, contact, code, detail, words):
    sim.inbound_whatsapp(contact, line.number, "hello")
    mail = alice.inbox.wait()
    sim.statuses_on = False
    sent = alice.reply(mail, "you do not get this")
    entry = sim.wait_whatsapp(contact, "text")
    sim.send_status(entry["id"], "delivery_failed", [{"code": code, "title": "Undeliverable", "detail": detail}])
    report = alice.inbox.wait(is_report)
    assert words in " ".join(report.text.split()) and sent["Message-ID"] in report["References"]


def test_cost_is_kept(gateway, sim, alice, line, contact):
    sim.inbound_whatsapp(contact, line.number, "hello")
    sim.statuses_on = False
    alice.reply(alice.inbox.wait(), "Here")
    message = sim.messages[wait_provider_id(gateway, sim.wait_whatsapp(contact, "text")["id"])]
    message["payload"]["cost"] = {"amount": "0.0240", "currency": "USD"}
    sim.send_status(message["payload"]["id"], "delivered")
    wait_until(lambda: gateway.sql("SELECT cost, currency FROM ump.deliveries WHERE recipient = %s", contact) == [(24000, "USD")],
               "the cost")


def test_lost_answer_is_settled_by_the_status(gateway, sim, alice, line, contact):
    sim.inbound_whatsapp(contact, line.number, "hello")
    mail = alice.inbox.wait()
    sim.add_rule(mode="accept-then-drop", to=contact, times=1)
    sent = alice.reply(mail, "once only")
    wait_status(gateway, sent, "delivered")
    assert len([e for e in sim.accepted if sim.text_of(e["request"]) == "once only"]) == 1


def test_too_long_text_is_refused_in_bytes(gateway, sim, alice, line, contact):
    sim.inbound_whatsapp(contact, line.number, "hello")
    alice.inbox.wait()
    for options in ({}, {"attachments": [("dot.png", "image/png", PNG)]}):
        with pytest.raises(Exception) as refused:
            alice.submit(line.address(contact), "wörd " * 814, **options)
        assert refused.value.code == 552 and "4096" in str(refused.value) and "bytes" in str(refused.value)
    alice.submit(line.address(contact), "ä" * 2048)
    assert sim.wait_whatsapp(contact, "text", body="ä" * 2048)


def test_several_attachments_and_a_text_too_long_for_a_caption_are_messages_of_their_own(gateway, sim, alice, line, contact):
    """A caption has 1,024 bytes."""
    sim.inbound_whatsapp(contact, line.number, "hello")
    alice.inbox.wait()
    alice.submit(line.address(contact), "ä" * 600, attachments=[("a.png", "image/png", PNG), ("b.png", "image/png", PNG)])
    sim.wait_for(lambda: [entry["request"]["whatsapp_message"]["type"] for entry in sim.accepted
                          if entry["request"].get("to") == contact] == ["text", "image", "image"], what="three messages")


def test_person_without_a_number_is_told_of(gateway, sim, alice, line):
    item = sim.whatsapp_item(None, "I have no number", user_id="US.13491208655302741918AbC")
    value = sim.whatsapp_value(line.number, messages=[item])
    assert sim.deliver_event([line.webhook_url], sim._event("whatsapp.messages", value)) == 200
    mail = alice.inbox.wait()
    assert mail["From"].addresses[0].addr_spec.startswith("u.")
    sent = alice.reply(mail, "Welcome")
    report = alice.inbox.wait(is_report)
    assert "phone numbers only" in report.text and sent["Message-ID"] in report["References"]


# --- the window, and templates
def test_outside_of_the_window_the_sender_is_told_which_templates_go(gateway, sim, alice, line, contact):
    sim.enforce_window = True
    gateway.umpctl("template", "add", line.id, "welcome", "--text", "Hello {{1}}, we are open until {{2}}.")
    with pytest.raises(Exception) as refused:
        alice.submit(line.address(contact), "Are you there?")
    assert refused.value.code == 550 and "has not written to you for 24 hours" in str(refused.value)
    assert "welcome (2 lines)" in str(refused.value)
    sim.inbound_whatsapp(contact, line.number, "now I have written")
    alice.inbox.wait()
    alice.submit(line.address(contact), "Good")
    sim.wait_whatsapp(contact, "text", body="Good")


@pytest.mark.cell("telnyx", "whatsapp", "out", "template")
def test_template_is_chosen_in_the_address_and_by_the_field(gateway, sim, alice, line, contact):
    gateway.umpctl("template", "add", line.id, "welcome", "--text", "Hello {{1}}, we are open until {{2}}.")
    gateway.umpctl("template", "add", line.id, "order", "--text", "Order {{number}} is {{state}}.", "--language", "en")
    alice.submit(line.address(f"{contact}+welcome"), "Bob\n6 pm\n")
    template = sim.wait_whatsapp(contact, "template", name="welcome")["request"]["whatsapp_message"]["template"]
    assert template["language"] == {"code": "en_US"} and template["components"] == [{"type": "body", "parameters": [
        {"type": "text", "text": "Bob"}, {"type": "text", "text": "6 pm"}]}]
    alice.submit(line.address(contact), "", UMP_Template='order; language=en; v1="17"; v2="on its way"')
    template = sim.wait_whatsapp(contact, "template", name="order")["request"]["whatsapp_message"]["template"]
    assert [parameter["text"] for parameter in template["components"][0]["parameters"]] == ["17", "on its way"]
    assert (line.number, contact) not in sim.window_questions


@pytest.mark.parametrize("is_open", [False, True], ids=["closed", "open"])
def test_window_is_asked_before_the_reopening_template_takes_the_text(gateway, sim, alice, contact, is_open):
    """Our own record has no message of the contact's; the provider may know better."""
    line = gateway.declare(telnyx, sim, alice, "whatsapp", reopen_template="news")
    sim.enforce_window = True
    gateway.umpctl("template", "add", line.id, "news", "--text", "There is news for you: {{1}}")
    if is_open:
        sim.last_inbound[(line.number, contact)] = time.time()
    alice.submit(line.address(contact), "The part has come.\n\nYou can fetch it.")
    if is_open:
        assert sim.wait_whatsapp(contact, "text", body="The part has come.\n\nYou can fetch it.")
    else:
        template = sim.wait_whatsapp(contact, "template", name="news")["request"]["whatsapp_message"]["template"]
        assert template["components"][0]["parameters"][0]["text"] == "The part has come. / You can fetch it."
    assert sim.window_questions.count((line.number, contact)) == 1
    assert len([entry for entry in sim.accepted if entry["request"]["to"] == contact]) == 1


def test_window_that_cannot_be_asked_leaves_the_template(gateway, sim, alice, contact):
    line = gateway.declare(telnyx, sim, alice, "whatsapp", reopen_template="news")
    sim.registered.discard(line.number)
    gateway.umpctl("template", "add", line.id, "news", "--text", "News: {{1}}")
    alice.submit(line.address(contact), "It has come.")
    assert sim.wait_whatsapp(contact, "template", name="news")


def test_templates_are_taken_over_and_their_state_follows_the_webhooks(gateway, sim, alice, line, contact):
    body = {"type": "BODY", "text": "Hi {{1}}"}
    sim.templates = [
        {"id": "019cd44b-3a1c-781b-956e-bd33e9fd2ac6", "name": "promo", "language": "en_US", "status": "APPROVED",
         "category": "MARKETING", "components": [{"type": "HEADER", "format": "TEXT", "text": "Sale for {{1}}"}, body]},
        {"id": "t2", "name": "photo", "language": "en_US", "status": "APPROVED", "components": [
            {"type": "HEADER", "format": "IMAGE"}, body]},
        {"id": "t3", "name": "waiting", "language": "en_US", "status": "PENDING", "components": [body]}]
    shown = {entry["name"]: entry for entry in gateway.umpctl("template", "sync", line.id)}
    assert shown["promo"]["variables"] == 2 and shown["photo"]["missing"] and shown["waiting"]["status"] == "pending"

    def status_of(name):
        return next(entry["status"] for entry in gateway.umpctl("template", "list", line.id) if entry["name"] == name)
    for event_type, payload, name, status in (
            ("whatsapp.template.approved", {"template_id": "t3", "template_name": "waiting", "status": "APPROVED"}, "waiting", "approved"),
            ("whatsapp.template.paused", {"template_id": "019cd44b-3a1c-781b-956e-bd33e9fd2ac6"}, "promo", "paused"),
            ("whatsapp.message_template_status_update", {
                "event": "REJECTED", "message_template_id": 17, "message_template_name": "photo",
                "message_template_language": "en_US", "reason": "INVALID_FORMAT"}, "photo", "rejected")):
        assert sim.deliver_event([line.webhook_url], sim._event(event_type, payload)) == 200
        wait_until(lambda name=name, status=status: status_of(name) == status, f"{name} to be {status}")
    alice.submit(line.address(f"{contact}+waiting"), "Bob")
    sim.wait_whatsapp(contact, "template", name="waiting")
    with pytest.raises(Exception) as refused:
        alice.submit(line.address(f"{contact}+promo"), "Bob\nBill")
    assert "no approved template" in str(refused.value)
    sim.templates = sim.templates[:1]
    assert [entry["name"] for entry in gateway.umpctl("template", "sync", line.id)] == ["promo"]


def test_events_without_a_person_are_acknowledged_and_kept(gateway, sim, line):
    for event_type, payload in (("whatsapp.account.update", {"event": "PARTNER_REMOVED", "waba_id": "1"}),
                                ("whatsapp.phone_number.quality_changed", {"phone_number": line.number, "quality": "YELLOW"}),
                                ("whatsapp.template.approved", {"template_id": "unknown", "status": "APPROVED"}),
                                ("whatsapp.messages", sim.whatsapp_value(line.number)), ("whatsapp.tomorrow", {})):
        assert sim.deliver_event([line.webhook_url], sim._event(event_type, payload)) == 200
    kept = gateway.sql("SELECT kind, count(*) FROM ump.provider_events WHERE endpoint_id = %s GROUP BY kind ORDER BY kind", line.id)
    assert kept == [("other", 4), ("template", 1)]


def test_health_says_how_the_number_stands(gateway, sim, line):
    found = gateway.umpctl("endpoint", "test", line.id)
    assert found["result"] == "ok" and "GREEN" in str(found)
    sim.registered.discard(line.number)
    with pytest.raises(ControlFailed) as failed:
        gateway.umpctl("endpoint", "test", line.id)
    assert f"not registered {line.number} at WhatsApp" in str(failed.value)
