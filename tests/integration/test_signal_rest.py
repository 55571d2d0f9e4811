"""Signal by signal-cli-rest-api: its webhook, both shapes of its answers, its traps. The kinds themselves: test_signal.py."""
import base64
import urllib.error
import urllib.parse
import urllib.request

import pytest

from tests.lib.conversation import MEDIA, SIGNAL_GROUP, arrived, is_report, wait_held, wait_status
from tests.lib.gateway import ControlFailed
from tests.lib.smtp import Refused
from tests.lib.wait import wait_until
from tests.sim import signal_cli
from tests.sim import signal_rules as rules
from tests.sim.signal_cli import uuid_of

SECRET = "say: friend@door"
REST_GROUP = "group." + base64.b64encode(SIGNAL_GROUP.encode()).decode()


@pytest.fixture(scope="module")
def simulator():
    with signal_cli.Simulator() as sim:
        yield sim


@pytest.fixture
def sim(simulator):
    simulator.reset()
    return simulator


def is_known(url):
    """The bridge has heard of the endpoint with that webhook: it asks for the secret."""
    try:
        urllib.request.urlopen(urllib.request.Request(url, b"{}", {"Content-Type": "application/json"}), timeout=10)
    except urllib.error.HTTPError as refused:
        assert refused.code in (401, 404), refused.code
        return refused.code == 401
    raise AssertionError("taken without its secret")


def declare(gateway, sim, owner):
    """Known to the bridge when it returns: what comes to another endpoint's address for one that is not is never shown."""
    line = gateway.declare(signal_cli, sim, owner, "signal_rest", {"webhook_secret": SECRET})
    wait_until(lambda: is_known(line.webhook_url), "the endpoint to be known")
    return line


def webhook_url(line, secret=SECRET):
    """RECEIVE_WEBHOOK_URL."""
    url = urllib.parse.urlsplit(line.webhook_url)
    return urllib.parse.urlunsplit(url._replace(netloc=f"gateway:{urllib.parse.quote(secret, safe='')}@{url.netloc}"))


@pytest.fixture
def line(gateway, sim, alice):
    """A Signal endpoint of alice's; the API posts there."""
    line = declare(gateway, sim, alice)
    sim.webhook = webhook_url(line)
    yield line
    sim.webhook = None


@pytest.mark.cell("signal_rest", "signal", "in", "text", "delivered", "read")
@pytest.mark.cell("signal_rest", "signal", "out", "text", "reply")
@pytest.mark.parametrize("shape", ["array", "object"])
def test_text_both_ways(gateway, sim, alice, line, contact, shape):
    sim.new_answers, sim.read_too = shape == "array", True
    at = sim.inbound(contact, line.number, "Are we on for lunch? 🍕", name="Bob Jones")
    mail = arrived(alice, "text")
    assert mail.text == "Are we on for lunch? 🍕" and mail["From"].addresses[0].addr_spec == line.address(contact)
    assert "provider=signal_rest" in mail["UMP-Header"]
    sent = alice.reply(mail, "🍕 *Yes*, 12:30!")
    request = sim.wait_sent(contact)["request"]
    assert request == {"number": line.number, "recipients": [contact], "message": "🍕 **Yes**, 12:30!", "text_mode": "styled",
                       "quote_timestamp": at, "quote_author": uuid_of(contact), "quote_message": "Are we on for lunch? 🍕"}
    wait_status(gateway, sent, "read")
    assert not sim.failed_deliveries


def test_style_that_its_marks_cannot_say_is_sent_plain(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "hello")
    alice.reply(arrived(alice, "text"), "*bold with _italic_ in it*")
    request = sim.wait_sent(contact)["request"]
    assert (request["message"], request["text_mode"]) == ("bold with italic in it", "normal")


@pytest.mark.parametrize("change", ["missing", "another", "user", "bearer"])
def test_forged_webhook_is_401_and_leaves_nothing(gateway, sim, alice, line, contact, change):
    url = urllib.parse.urlsplit(line.webhook_url)
    sim.webhook = {"missing": line.webhook_url, "another": webhook_url(line, "say foe"), "bearer": line.webhook_url,
                   "user": webhook_url(line).replace("gateway:", "root:")}[change]
    sim.inbound(contact, line.number, "forged")
    sim.wait_for(lambda: sim.webhooks and sim.webhooks[-1]["status"] == 401, what="the refusal")
    sim.webhook = webhook_url(line)
    sim.inbound(contact, line.number, "real")
    arrived(alice, "text", lambda mail: mail.text == "real")
    assert len(alice.inbox.uids()) == 1 and url.username is None


def test_one_address_serves_all_accounts(gateway, sim, people, alice, line, contact):
    bob = people()
    other = declare(gateway, sim, bob)
    sim.inbound(contact, other.number, "for bob")
    assert bob.inbox.wait(timeout=30).text == "for bob"
    sim.inbound(contact, gateway.number(), "for nobody here")
    # each account has a queue of its own at the API: what comes for another may overtake it
    sim.wait_for(lambda: any("for nobody here" in posted["body"] for posted in sim.webhooks), what="it to be posted")
    sim.inbound(contact, line.number, "for alice")
    assert arrived(alice, "text").text == "for alice" and len(alice.inbox.uids()) == 1
    kept = gateway.sql("SELECT kind FROM ump.provider_events WHERE endpoint_id = %s ORDER BY id", line.id)
    assert kept == [("other",), ("message",)]


@pytest.mark.cell("signal_rest", "signal", "in", "picture", "sound", "video", "file")
@pytest.mark.cell("signal_rest", "signal", "out", "picture", "sound", "video", "file")
def test_attachments_both_ways(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "look", attachments=[sim.attachment(content, kind, name) for name, kind, content in MEDIA.values()])
    mail = arrived(alice, "media")
    assert [(part.get_filename(), part.get_content_type(), part.get_payload(decode=True)) for part in mail.attachments] == \
        [(name, kind, content) for name, kind, content in MEDIA.values()]
    alice.submit(line.address(contact), "all of them", attachments=list(MEDIA.values()))
    request = sim.wait_sent(contact, "all of them")["request"]
    assert request["base64_attachments"] == [f"data:{kind};filename={name};base64,{base64.b64encode(content).decode()}"
                                             for name, kind, content in MEDIA.values()]


@pytest.mark.cell("signal_rest", "signal", "in", "reply", "reaction", "reaction taken back", "edit", "delete", "contact card", "poll",
                  "unknown", "notice", "membership", "own phone")
def test_every_kind_is_readable(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "The anchor of the thread")
    first = sim.inbound(contact, line.number, "Does it come in blue?")
    target = arrived(alice, "text", lambda mail: "blue" in mail.text)
    who = {"targetAuthor": contact, "targetAuthorNumber": contact, "targetAuthorUuid": uuid_of(contact)}
    for removed in (False, True):
        sim.inbound(contact, line.number, reaction={"emoji": "👍", **who, "targetSentTimestamp": first, "isRemove": removed})
    sim.edit(contact, line.number, first, "Green?")
    sim.inbound(contact, line.number, remoteDelete={"timestamp": first})
    sim.inbound(contact, line.number, "red", quote={"id": first, "author": contact, "authorUuid": uuid_of(contact), "text": "x"})
    sim.inbound(contact, line.number, contacts=[{"name": {"given": "Lucía"}, "phone": [{"value": "+19835552319"}]}])
    sim.inbound(contact, line.number, pollCreate={"question": "Lunch?", "allowMultiple": True, "options": ["pizza", "sushi"]})
    sim.inbound(contact, line.number, hologram={"title": "a kind of tomorrow"})
    sim.inbound(contact, line.number, isExpirationUpdate=True, expiresInSeconds=0)
    sim.inbound(contact, line.number, group=SIGNAL_GROUP, group_type="UPDATE", title="Ski trip")
    sim.sync(line.number, contact, "from my phone")
    mails = alice.inbox.wait_all(count=12, timeout=30)
    about = [mail for mail in mails if mail["In-Reply-To"] == target["Message-ID"]]
    assert len(about) == 5 and any("taken back" in mail.text for mail in about) and any("Green?" in mail.text for mail in about)
    texts = "\n".join(mail.text for mail in mails)
    for words in ("deleted by the sender", "Poll: Lunch?", "(hologram)", "no longer disappear", "“Ski trip” has changed"):
        assert words in texts
    assert any("FN:Lucía" in mail.attachments[0].get_content() for mail in mails if "type=contact" in mail["UMP-Header"])
    assert alice.box("Sent").wait().text == "from my phone"


@pytest.mark.cell("signal_rest", "signal", "out", "read")
def test_read_in_imap_is_read_on_signal(gateway, sim, alice, line, contact):
    gateway.umpctl("endpoint", "set", line.id, "--set", "read_receipts=yes")
    at = sim.inbound(contact, line.number, "signal here")
    mail = alice.inbox.wait(lambda mail: mail.text == "signal here")
    assert sim.receipts == []
    alice.inbox.session.uid("STORE", str(mail.uid), "+FLAGS", "(\\Seen)")
    sim.wait_for(lambda: sim.receipts, what="the receipt")
    assert sim.receipts == [{"receipt_type": "read", "recipient": uuid_of(contact), "timestamp": at}]


@pytest.mark.cell("signal_rest", "signal", "in", "group message")
@pytest.mark.cell("signal_rest", "signal", "out", "group message")
def test_group_is_answered_in_the_group(gateway, sim, alice, line, contact):
    other = gateway.number()
    sim.groups[SIGNAL_GROUP] = [contact, other]
    sim.inbound(contact, line.number, "hi all", group=SIGNAL_GROUP)
    mail = arrived(alice, "text")
    sim.add_rule(error=f"{other}=UNREGISTERED_FAILURE", to=REST_GROUP, times=1)
    alice.reply(mail, "hello group")
    assert sim.wait_sent(REST_GROUP, "hello group")
    assert "does not use Signal" in alice.inbox.wait(is_report).text


@pytest.mark.cell("signal_rest", "signal", "out", "reaction", "reaction taken back")
def test_reaction_by_mail(gateway, sim, alice, line, contact):
    at = sim.inbound(contact, line.number, "Shall we?")
    mail = arrived(alice, "text")
    alice.react(mail, "👍")
    request = sim.wait_sent(contact, method="POST reaction")["request"]
    assert (request["reaction"], request["target_author"], request["timestamp"]) == ("👍", uuid_of(contact), at)
    alice.react(mail, "-")
    assert sim.wait_sent(contact, method="DELETE reaction")["request"]["reaction"] == "👍"


@pytest.mark.cell("signal_rest", "signal", "in", "failed")
@pytest.mark.parametrize("error, words", [("untrusted", "compare the safety number"), ("UNREGISTERED_FAILURE", "does not use Signal")])
def test_failure_is_a_report(gateway, sim, alice, line, contact, error, words):
    sim.inbound(contact, line.number, "hello")
    mail = arrived(alice, "text")
    sim.add_rule(error=error, to=contact, times=1)
    alice.reply(mail, "you do not get this")
    assert words in alice.inbox.wait(is_report).text


def test_captcha_holds_the_endpoint(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "hello")
    mail = arrived(alice, "text")
    sim.add_rule(error="429", to=contact, times=1)
    alice.reply(mail, "wait for it")
    why = wait_held(gateway, line, '50 minutes')
    assert rules.TOKEN in why


@pytest.mark.cell("signal_rest", "signal", "in", "STOP")
def test_stop(gateway, sim, alice, line, contact):
    sim.inbound(contact, line.number, "STOP")
    arrived(alice, "text")
    with pytest.raises(Refused) as refused:
        alice.submit(line.address(contact), "more")
    assert "STOP" in str(refused.value)


def test_health(gateway, sim, line):
    findings = gateway.umpctl("endpoint", "test", line.id)["findings"]
    assert f"signal-cli-rest-api has the account {line.number}." in findings and any("RECEIVE_WEBHOOK_URL" in f for f in findings)
    sim.accounts.discard(line.number)
    with pytest.raises(ControlFailed):
        gateway.umpctl("endpoint", "test", line.id)
