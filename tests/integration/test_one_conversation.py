"""One contact on several networks and by mail: one conversation, which reads as a transcript in people's programs."""
import re

import pytest

from tests.lib.conversation import declare_signal
from tests.lib.roundcube import Roundcube
from tests.lib.sink import Sink
from tests.lib.smtp import compose
from tests.lib.wait import wait_until
from tests.sim import signal_cli, whatsapp
from tests.stack.layout import ROOT, PortLocks

PICTURES = ROOT / "build" / "test-results"


@pytest.fixture
def whatsapp_sim(gateway):
    with whatsapp.Simulator(retry_base=0.2) as sim:
        yield sim


@pytest.fixture
def signal_sim(gateway):
    with signal_cli.Simulator() as sim:
        yield sim


def spoken(gateway, mail):
    """What the index says was said in the conversation of that mail: (channel, direction, text), in order."""
    story = gateway.umpctl("conversation", "show", mail["UMP-Conversation-ID"])
    return [(message["channel"], message["direction"], message["text"].rstrip("\n")) for message in story["messages"]]


def thread(box):
    """Dovecot's THREAD over the folder, RFC 5256's form."""
    _, data = box.session.uid("THREAD", "REFERENCES", "UTF-8", "ALL")
    return data[0].decode()


def picture(name):
    PICTURES.mkdir(parents=True, exist_ok=True)
    return PICTURES / name


def test_four_networks_are_one_conversation(gateway, whatsapp_sim, signal_sim, alice, contact, tmp_path):
    sms = alice.endpoint()
    chat, private = gateway.declare(whatsapp, whatsapp_sim, alice).number, declare_signal(gateway, signal_sim, alice).number
    gateway.umpctl("contact", "set", contact, "--name", "Bob Jones")
    said = []

    def hears(channel, text):
        mail = alice.inbox.wait(lambda mail: mail.text == text, what=f"“{text}” by {channel}")
        said.append((channel, "inbound", text))
        return mail

    def answers(mail, text, **fields):
        """Alice's program keeps what she answers in the folder of what it answers, as most can be told to."""
        sent = alice.reply(mail, text, **fields)
        alice.inbox.append(sent.as_bytes())
        return sent

    def uid_of(sent):
        return alice.inbox.uids("HEADER", "Message-ID", sent["Message-ID"])[0]

    # SMS
    gateway.sim.inbound(contact, sms.number, "Is the flat still free?")
    first = hears("sms", "Is the flat still free?")
    yes = answers(first, "Yes, from May on.")
    gateway.sim.wait_request(to=contact, text="Yes, from May on.")
    said.append(("sms", "outbound", "Yes, from May on."))
    # WhatsApp, from the same number
    whatsapp_sim.inbound(contact, chat, "Can I see it on Friday?", name="Bob Jones")
    second = hears("whatsapp", "Can I see it on Friday?")
    # To his WhatsApp and to his mail address at once: each gets it once.
    bob = "bob@outside.test"
    with Sink(gateway.ports["sink"]) as sink:
        answer = answers(second, "Friday at five. I put the plan on paper for you.",
                         to=[gateway.address(contact, "whatsapp"), bob])
        whatsapp_sim.wait_sent(contact, "text", body="Friday at five. I put the plan on paper for you.")
        wait_until(lambda: sink.to(bob), "the mail to Bob")
        assert len(sink.to(bob)) == 1
    said.append(("whatsapp", "outbound", "Friday at five. I put the plan on paper for you."))
    # By mail
    text = "Thank you, the plan is very clear."
    gateway.deliver_outside(alice.email, compose(bob, [alice.email], text, subject=answer["Subject"],
                                                 In_Reply_To=answer["Message-ID"],
                                                 References=f"{answer['References']} {answer['Message-ID']}"), sender=bob)
    third = hears("mail", text)
    # Signal
    signal_sim.inbound(contact, private, "Shall I bring my papers?")
    fourth = hears("signal", "Shall I bring my papers?")
    passport = answers(fourth, "Only your passport, please.")
    signal_sim.wait_sent(contact, "Only your passport, please.")
    said.append(("signal", "outbound", "Only your passport, please."))
    # and back to SMS
    gateway.sim.inbound(contact, sms.number, "See you at five!")
    fifth = hears("sms", "See you at five!")

    mails = [first, second, third, fourth, fifth]
    assert len({mail["UMP-Conversation-ID"] for mail in mails}) == 1
    assert spoken(gateway, first) == said
    # One thread, in the order in which it was said: what comes from the networks one step in, each answer below what it
    # answers; Bob's own mail names the mail that it answers, as mail does, and stands below that.
    one, two, three, four, five = (mail.uid for mail in mails)
    assert thread(alice.inbox) == (f"({one} ({uid_of(yes)})({two} {uid_of(answer)} {three})"
                                   f"({four} {uid_of(passport)})({five}))")
    me = alice.email
    order = [(0, "Bob Jones (SMS)"), (1, me), (1, "Bob Jones (WhatsApp)"), (2, me), (3, bob), (1, "Bob Jones (Signal)"), (2, me),
             (1, "Bob Jones (SMS)")]
    locks = PortLocks()
    screen = alice.neomutt(tmp_path / "neomutt").threads(len(order))
    with Roundcube(tmp_path / "roundcube", locks.take(["web"])["web"], gateway.ports["imap"], gateway.ports["submission"]) as page:
        page.login(alice.email, alice.password)
        rows = page.threads("INBOX", picture("one-conversation-roundcube.png"), len(order))
        page.picture_of_text(screen, picture("one-conversation-neomutt.png"))
    locks.release()
    assert [(row["depth"], row["from"]) for row in rows] == order
    lines = [line for line in screen.splitlines() if re.match(r" +\d+ ", line)]
    steps = [line.index("─>") if "─>" in line else 0 for line in lines]
    assert [sorted(set(steps)).index(step) for step in steps] == [depth for depth, _ in order], screen
    for line, (_, who) in zip(lines, order):
        assert ("To +" in line or "To Bob" in line) if who == me else who in line, screen
