"""Replies by people's own programs: neomutt, Roundcube in a browser, Thunderbird. The provider gets exactly the words typed."""
import pytest

from tests.lib.wait import wait_until
from tests.sim import whatsapp
from tests.stack.layout import PortLocks

QUESTION = "Could you tell Anna that the meeting on Thursday is moved to the small room, and that she should bring the blue folder?"
# Own words, or the head of a mail that was pasted without quote marks? Nobody can tell.
UNCERTAIN = "Hello\nFrom: Carol Hill\nSubject: the meeting\nI cannot come."


class Neomutt:
    def __init__(self, gateway, person, home):
        self.client, self.person = person.neomutt(home), person

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """It ends after each reply."""

    def answer(self, mail, words, way=None):
        self.client.reply(mail["Message-ID"], words)


class Roundcube:
    """way: Roundcube's settings for this reply."""

    def __init__(self, gateway, person, home):
        from tests.lib.roundcube import Roundcube as Program
        self.locks, self.person = PortLocks(), person
        self.program = Program(home, self.locks.take(["web"])["web"], gateway.ports["imap"], gateway.ports["submission"])

    def __enter__(self):
        self.program.__enter__()
        self.program.login(self.person.email, self.person.password, signature="Alice Smith\nmsgs.test Ltd")
        return self

    def __exit__(self, *_):
        self.program.__exit__()
        self.locks.release()

    def answer(self, mail, words, way=None):
        self.program.configure(way or {"reply_mode": 1})
        self.program.reply(mail.uid, words)


class Thunderbird:
    """way: Thunderbird's preferences for this reply."""

    def __init__(self, gateway, person, home):
        from tests.lib.thunderbird import Thunderbird as Program
        self.program = Program(home, person.email, person.password, gateway.ports["submission"], gateway.ports["imap"])

    def __enter__(self):
        self.program.__enter__()
        return self

    def __exit__(self, *_):
        self.program.__exit__()

    def answer(self, mail, words, way=None):
        self.program.prefer({"mail.identity.id1.reply_on_top": 1, "mail.default_send_format": 0, **(way or {})})
        self.program.reply(mail["Message-ID"], words)


# Each reply with its way: above and below the quotation, plain and HTML.
CLIENTS = {
    Neomutt: [(None, "Yes, I will tell her.\nThe folder is here: https://files.example/blue?id=7")],
    Roundcube: [({"reply_mode": 1}, "Yes, I will tell her.\nShe will be glad."),
                ({"reply_mode": 0}, "Anna is on holiday, I have asked Tom."),
                ({"reply_mode": 1, "htmleditor": 1}, "Done: 2 > 1 & all is well.")],
    Thunderbird: [({"mail.identity.id1.reply_on_top": 0}, "Yes, I will tell her."),
                  ({"mail.default_send_format": 3}, "Anna is on holiday, I have asked Tom."),
                  ({"mail.default_send_format": 2}, "Done: 2 > 1 & all is well.")],
}


def is_preview(mail):
    return "notice.msgs.test" in str(mail["Reply-To"] or mail["From"])


def accepted(gateway, contact):
    return [entry["request"]["text"] for entry in gateway.sim.accepted if entry["request"]["to"] == contact]


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__.lower())
def test_reply_is_exactly_what_was_typed(gateway, alice, endpoint, contact, tmp_path, client):
    gateway.sim.inbound(contact, endpoint.number, QUESTION)
    mail = alice.inbox.wait()
    with client(gateway, alice, tmp_path / "client") as program:
        for way, words in CLIENTS[client]:
            program.answer(mail, words, way)
            gateway.sim.wait_request(to=contact, text=words, timeout=60)
    assert accepted(gateway, contact) == [words for _, words in CLIENTS[client]]
    conversations = gateway.sql("SELECT count(DISTINCT conversation_id) FROM ump.unified_messages WHERE %s = ANY (to_addresses)"
                                " OR from_address = %s", contact, contact)
    assert conversations == [(1,)]


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__.lower())
def test_uncertain_reply_comes_back_and_leaves_after_send(gateway, alice, endpoint, contact, tmp_path, client):
    gateway.sim.inbound(contact, endpoint.number, QUESTION)
    mail = alice.inbox.wait()
    with client(gateway, alice, tmp_path / "client") as program:
        program.answer(mail, UNCERTAIN)
        preview = alice.inbox.wait(is_preview, 60)
        assert mail["Message-ID"] in preview["References"]
        assert not accepted(gateway, contact)
        program.answer(preview, "send")
        request = gateway.sim.wait_request(to=contact, timeout=60)["request"]
    # What went out is what was shown, and nothing that only the quotation held.
    assert request["text"].startswith("Hello") and QUESTION not in request["text"]
    assert all(line in preview.text for line in request["text"].splitlines())
    assert len(accepted(gateway, contact)) == 1


def test_group_is_answered_by_reply_all_without_a_private_copy(gateway, alice, contact, tmp_path):
    """Roundcube puts the member who wrote into To or Cc beside the group: he gets the group's message alone."""
    with whatsapp.Simulator(retry_base=0.2) as sim:
        number = gateway.declare(whatsapp, sim, alice).number
        sim.inbound(contact, number, "Who comes to the lake?", fields={"group_id": "LAKE=="}, name="Dan Okafor")
        mail = alice.inbox.wait()
        group, member = mail["Reply-To"].addresses[0].addr_spec, mail["From"].addresses[0].addr_spec
        with Roundcube(gateway, alice, tmp_path / "client") as client:
            client.program.configure({"reply_mode": 1})
            recipients = client.program.reply_all(mail.uid, "I do!")
        assert group in recipients and member in recipients
        sim.wait_sent("LAKE==", "text", timeout=60, body="I do!")
        # Whatever else was accepted with that mail would have been queued with it.
        wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.outbox WHERE recipient IN (%s, 'LAKE==')", contact) == [(0,)],
                   "an empty queue")
        assert [entry["request"]["to"] for entry in sim.accepted] == ["LAKE=="]
