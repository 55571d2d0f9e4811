"""A mail with several attachments to a network that carries one in a message: several messages, one delivery."""
import urllib.request

import pytest

from tests.lib.conversation import PNG, is_report
from tests.lib.smtp import Refused
from tests.lib.wait import wait_until
from tests.sim import twilio, whatsapp

OGG = b"OggS\x00\x02" + bytes(22) + b"OpusHead" + bytes(100)
# Lines as of the header of another mail, and text below: nobody can be sure whose it is.
UNSURE = "Hello\n\nSubject: the offer\nTo: Alice\nI was told so\nI think so\n"
PICTURES = [(f"{name}.png", "image/png", PNG + name.encode()) for name in ("boat", "house", "tree")]


class Cloud:
    """What the tests want to know of requests to the Cloud API."""
    module, more, prefix = whatsapp, (), ""

    @staticmethod
    def shown(entry):
        request = entry["request"]
        thing = request[request["type"]]
        content = [record["content"] for record in entry["media"]] or [None]
        return (thing.get("body") or thing.get("caption") or "", content[0])

    @staticmethod
    def is_ready(entry):
        return entry["media"] or entry["request"]["type"] == "text"     # the upload is looked up after the answer

    @staticmethod
    def known_as(contact):
        return contact[1:]


class Twilio:
    """The same of Twilio's."""
    module, more, prefix = twilio, ("whatsapp",), "whatsapp:"

    @staticmethod
    def shown(entry):
        url = entry["request"].get("MediaUrl")
        if not url:
            return (entry["request"]["Body"], None)
        with urllib.request.urlopen(url[0] if isinstance(url, list) else url) as answer:
            return (entry["request"].get("Body") or "", answer.read())

    @staticmethod
    def is_ready(entry):
        return True

    @staticmethod
    def known_as(contact):
        return f"whatsapp:{contact}"


class Line:
    """A WhatsApp endpoint of one of them, and a contact who has written."""

    def __init__(self, gateway, network, sim, person, contact, **settings):
        self.gateway, self.network, self.sim, self.person, self.contact = gateway, network, sim, person, contact
        self.endpoint = gateway.declare(network.module, sim, person, *network.more, **settings)
        sim.inbound(network.prefix + contact, network.prefix + self.endpoint.number, "send it")
        person.inbox.wait()

    def send(self, text, attachments, **fields):
        mail = self.person.submit(self.gateway.address(self.contact, "whatsapp"), text, attachments=attachments, **fields)
        return mail["Message-ID"]

    def entries(self):
        return [entry for entry in self.sim.accepted if self.network.known_as(self.contact) in self.sim.to_of(entry["request"])]

    def shown(self, count):
        """(text, content) of what the network took, in its order."""
        def find():
            entries = self.entries()
            return len(entries) >= count and all(map(self.network.is_ready, entries)) and entries
        return [self.network.shown(entry) for entry in self.sim.wait_for(find, 30, f"{count} messages")]

    def deliveries(self, mail_id):
        """Status by part; 0 is the whole."""
        return dict(self.gateway.sql("SELECT d.part, d.status FROM ump.deliveries d JOIN ump.unified_messages m ON m.id = d.message_id"
                                     " WHERE m.mail_message_id = %s ORDER BY d.part", mail_id))

    def wait_whole(self, mail_id, *statuses, timeout=30):
        return wait_until(lambda: (status := self.deliveries(mail_id).get(0)) in statuses and status, f"the whole to be {statuses}",
                          timeout)


@pytest.fixture(scope="module")
def simulators():
    with whatsapp.Simulator(retry_base=0.2) as cloud, twilio.Simulator(retry_base=0.2) as other:
        yield {Cloud: cloud, Twilio: other}


@pytest.fixture(params=[Cloud, Twilio], ids=["whatsapp_cloud", "twilio"])
def line(request, gateway, simulators, alice, contact):
    sim = simulators[request.param]
    sim.reset()
    return Line(gateway, request.param, sim, alice, contact)


@pytest.mark.sanitize
def test_three_pictures_and_a_text(gateway, line):
    """Three messages in the mail's order, the text with the first; one delivery, and its cost is that of all."""
    mail_id = line.send("look at these", PICTURES)
    assert line.shown(3) == [("look at these", PICTURES[0][2]), ("", PICTURES[1][2]), ("", PICTURES[2][2])]
    line.wait_whole(mail_id, "delivered", "read")
    assert set(line.deliveries(mail_id)) == {0, 1, 2, 3}
    steps = [(event["what"], event["status"]) for event in gateway.trace(mail_id)]
    for part in (1, 2, 3):
        assert (f"request to {line.contact}, part {part}", "accepted") in steps
        assert (f"delivery to {line.contact}, part {part}", "delivered") in steps
    assert (f"delivery to {line.contact}", "delivered") in steps
    [(cost, parts)] = gateway.sql(
        "SELECT sum(cost) FILTER (WHERE part = 0), sum(cost) FILTER (WHERE part > 0) FROM ump.deliveries WHERE recipient = %s",
        line.contact)
    assert cost == parts
    assert len(line.entries()) == 3
    [conversation] = gateway.umpctl("conversation", "list", "--owner", line.person.email)
    messages = gateway.umpctl("conversation", "show", conversation["id"])["messages"]
    assert [message["status"] for message in messages if message["direction"] == "outbound"] == ["delivered"]


def test_a_text_too_long_beside_a_picture_goes_before_it(gateway, line):
    words = ("word " * (250 if line.network is Cloud else 100)).strip()
    line.send(words, PICTURES[:1])
    if line.network is Cloud:     # 1,024 characters beside an attachment, 4,096 alone
        assert line.shown(2) == [(words, None), ("", PICTURES[0][2])]
    else:                         # the same of both
        assert line.shown(1) == [(words, PICTURES[0][2])]


def test_with_sound_the_text_is_a_message_of_its_own(gateway, line):
    line.send("listen", [("note.ogg", "audio/ogg", OGG)])
    assert line.shown(2) == [("listen", None), ("", OGG)]
    if line.network is Cloud:
        assert [entry["request"]["type"] for entry in line.entries()] == ["text", "audio"]


def test_a_part_that_fails_is_reported_by_name(gateway, line):
    """What arrived, what did not, and why: one report when all have been tried."""
    line.sim.add_rule(error="131053" if line.network is Cloud else "12300", to=line.network.known_as(line.contact), times=1, skip=1,
                      when="request")
    mail_id = line.send("look", PICTURES)
    report = line.person.inbox.wait(is_report)
    assert [text for text, _ in line.shown(2)] == ["look", ""]
    text = " ".join(report.text.split())
    assert 'Not delivered: "house.png".' in text
    assert '"boat.png"' in text and '"tree.png"' in text and text.index('"boat.png"') < text.index("Not delivered:")
    assert report["In-Reply-To"] == mail_id
    assert line.wait_whole(mail_id, "failed")
    wait_until(lambda: line.deliveries(mail_id) == {0: "failed", 1: "delivered", 2: "failed", 3: "delivered"}, "the statuses")
    assert len([mail for mail in line.person.inbox.all() if is_report(mail)]) == 1


def test_a_failure_that_the_network_tells_later_is_reported_too(gateway, line):
    """The first report may be out already: each part that fails is told of, once."""
    late = {Cloud: "131026", Twilio: "63024"}[line.network]
    to = line.network.known_as(line.contact)
    line.sim.add_rule(error=late, to=to, times=1, skip=2, when="finalized")
    mail_id = line.send("look", PICTURES)
    report = line.person.inbox.wait(is_report)
    assert 'Not delivered: "tree.png".' in " ".join(report.text.split())
    wait_until(lambda: line.deliveries(mail_id) == {0: "failed", 1: "delivered", 2: "delivered", 3: "failed"}, "the statuses")


def test_all_parts_fail_one_report(gateway, line):
    line.sim.add_rule(error="131053" if line.network is Cloud else "12300", to=line.network.known_as(line.contact), when="request")
    mail_id = line.send("look", PICTURES)
    report = line.person.inbox.wait(is_report)
    assert 'Not delivered: the text, "boat.png"; "house.png"; "tree.png".' in " ".join(report.text.split())
    line.wait_whole(mail_id, "failed")
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.jobs j JOIN ump.unified_messages m ON m.id = j.message_id"
                                   " WHERE m.mail_message_id = %s", mail_id) == [(0,)], "all reports to be out")
    assert line.entries() == [] and len([mail for mail in line.person.inbox.all() if is_report(mail)]) == 1


def test_the_lost_answer_of_one_part_holds_up_no_other(gateway, line):
    """It is uncertain and never repeated; what the network says of it settles it."""
    line.sim.add_rule(mode="accept-then-drop", to=line.network.known_as(line.contact), times=1, skip=1)
    mail_id = line.send("look", PICTURES)
    assert len(line.shown(3)) == 3
    line.wait_whole(mail_id, "delivered")
    assert len(line.entries()) == 3


def test_what_follows_waits_for_all_parts(gateway, line):
    line.send("look", PICTURES)
    line.send("these were they", [])
    assert [text for text, _ in line.shown(4)] == ["look", "", "", "these were they"]


def test_a_report_of_success_when_all_have_arrived(gateway, line):
    mail_id = line.send("look", PICTURES, rcpt_options=["NOTIFY=SUCCESS,FAILURE"])
    report = line.person.inbox.wait(is_report)
    assert line.deliveries(mail_id)[0] == "delivered" and "reached the recipient" in report.text


def test_each_counts_for_the_caps(gateway, line):
    gateway.umpctl("account", "set", "default", "--set", "user_per_hour=3")
    try:
        line.send("look", PICTURES)
        assert len(line.shown(3)) == 3
        with pytest.raises(Refused) as refused:
            line.send("again", [])
        assert refused.value.code == 550 and "3 messages" in str(refused.value)
    finally:
        gateway.umpctl("account", "set", "default", "--set", "user_per_hour=")


def test_more_than_go_out_of_one_mail_are_refused(gateway, line):
    with pytest.raises(Refused) as refused:
        line.send("many", [(f"{n}.png", "image/png", PNG) for n in range(31)])
    assert refused.value.code == 552 and "at most 30 go out of one mail" in str(refused.value)


def test_held_text_goes_with_the_attachments_once_it_is_confirmed(gateway, line):
    """As which messages it goes out is known only then: the author's correction may be longer than a caption."""
    first = line.person.inbox.all()[0]
    line.send(UNSURE, PICTURES[:2], subject="Re: x", In_Reply_To=first["Message-ID"], References=first["Message-ID"])
    preview = line.person.inbox.wait(lambda mail: "Please confirm" in str(mail["Subject"]))
    assert line.entries() == []
    words = ("word " * 250).strip()
    line.person.reply(preview, words)
    long = line.network is Cloud
    assert line.shown(3 if long else 2) == ([(words, None), ("", PICTURES[0][2]), ("", PICTURES[1][2])] if long else
                                            [(words, PICTURES[0][2]), ("", PICTURES[1][2])])


def test_to_a_group(gateway, simulators, alice, contact):
    sim = simulators[Cloud]
    sim.reset()
    line = Line(gateway, Cloud, sim, alice, contact)
    sim.inbound(contact, line.endpoint.number, "hi all", fields={"group_id": "GROUP_2=="}, name="Dan Okafor")
    mail = alice.inbox.wait(lambda mail: mail.text == "hi all")
    sent = alice.reply(mail, "look", attachments=PICTURES[:2])
    sim.wait_for(lambda: [entry["request"]["type"] for entry in sim.accepted if entry["request"].get("to") == "GROUP_2=="] ==
                 ["image", "image"], 30, "two messages")
    line.wait_whole(sent["Message-ID"], "sent", "delivered")


SHORT = ["outbound.lease=6s", "outbound.heartbeat=1s", "outbound.poll=1s", "outbound.uncertain_notice=3s", "dovecot.doveadm_url="]


@pytest.mark.parametrize("own_gateway", [SHORT], indirect=True)
@pytest.mark.parametrize("word", ["resend", "cancel"])
def test_the_author_decides_about_the_one_that_is_not_certain(own_gateway, word):
    """Nobody can say whether the second was sent: asked about it by name, he has that one alone sent again, or left."""
    gateway = own_gateway
    person = gateway.user("alice")
    with whatsapp.Simulator(retry_base=0.5) as sim:
        line = Line(gateway, Cloud, sim, person, gateway.number())
        sim.add_rule(mode="500-before-accept", to=line.contact[1:], times=1, skip=1)
        mail_id = line.send("look", PICTURES)
        assert line.shown(2) == [("look", PICTURES[0][2]), ("", PICTURES[2][2])]
        assert line.wait_whole(mail_id, "uncertain")
        question = person.inbox.wait(is_report)
        assert 'Perhaps sent: "house.png".' in " ".join(question.text.split())
        person.reply(question, word)
        if word == "resend":
            assert line.shown(3)[2] == ("", PICTURES[1][2])
            line.wait_whole(mail_id, "delivered")
        else:
            line.wait_whole(mail_id, "delivered")
            assert line.deliveries(mail_id) == {0: "delivered", 1: "delivered", 2: "cancelled", 3: "delivered"}
            assert len(line.entries()) == 2


SETTINGS = ["outbound.lease=6s", "outbound.heartbeat=1s", "outbound.poll=1s", "outbound.retry_min=500ms",
            "outbound.uncertain_notice=60s", "dovecot.doveadm_url="]


@pytest.mark.guarantee
@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [SETTINGS], indirect=True)
@pytest.mark.parametrize("network", [Cloud, Twilio], ids=["whatsapp_cloud", "twilio"])
def test_kill_between_parts_repeats_nothing_and_loses_nothing(own_gateway, network):
    """Killed with the second request under way, then in the pause before the next ones."""
    gateway = own_gateway
    person = gateway.user("alice")
    with network.module.Simulator(retry_base=0.5) as sim:
        line = Line(gateway, network, sim, person, gateway.number())
        sim.slow_seconds, sim.fetch_media = 2, False    # nobody serves attachments while the bridge is dead
        sim.add_rule(mode="slow-after-accept", to=network.known_as(line.contact), times=1, skip=1)
        mail_id = line.send("look", PICTURES)
        sim.wait_for(lambda: len(line.entries()) == 2, 30, "the second to be under way")
        gateway.kill("ump-bridge")
        assert len(line.shown(3)) == 3
        line.wait_whole(mail_id, "delivered", timeout=60)

        gateway.umpctl("endpoint", "set", line.endpoint.id, "--set", "pair_rate=0.2", "--set", "pair_burst=1")
        gateway.sql("DELETE FROM ump.throttles WHERE key LIKE 'pair:%%'")
        second = line.send("and again", PICTURES)
        sim.wait_for(lambda: len(line.entries()) == 4, 30, "the first of the second mail")
        wait_until(lambda: line.deliveries(second)[1] in ("sent", "delivered"), "its answer to be stored")
        gateway.kill("ump-bridge")
        assert line.deliveries(second)[3] == "queued"
        texts = line.shown(6)
        line.wait_whole(second, "delivered", timeout=60)
        pictures = [picture for _, _, picture in PICTURES]
        assert texts == [("look", pictures[0]), ("", pictures[1]), ("", pictures[2]),
                         ("and again", pictures[0]), ("", pictures[1]), ("", pictures[2])]
        assert len(line.entries()) == 6
