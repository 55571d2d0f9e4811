"""FAILURES T01: of UMP-* nothing survives but what an authenticated user may choose, and our stamp."""
import random
import re

import pytest

from tests.lib.dialogue import Dialogue
from tests.lib.sink import Sink
from tests.lib.wait import wait_until

NAMES = ("UMP-Stamp", "UMP-Header", "UMP-Conversation-ID", "UMP-Template", "UMP-From", "UMP-Channel-Preference", "UMP-Loop", "UMP-",
         "UMP-X-Y-Z", "UMP_Stamp")
KEPT = ("ump-template", "ump-from", "ump-channel-preference")
REPLAYED = ('v=1, k="k15f33f94", kind=milter, txn="01a1f8ca-8e21-76c7-819e-d0e1db40b420", t=1795175386,\r\n'
            ' l="p000@msgs.test", s="p000@msgs.test", f="p000@msgs.test",\r\n m="<1@msgs.test>", c=1,\r\n'
            " r=(:6qkkg1+QgMZM9iMy:), h=:Ko5k1X1Zi7KxneTo6BV9cQ==:")
VALUES = ("x", "", "1 2 3", 'v=1, id="x"', "a\r\n\tfolded\r\n over three", "x" * 900, "\xe9t\xe9", REPLAYED, "=?utf-8?q?=0D=0AUMP-X:?=",
          "UMP-Header: nested", ":", "\t ")


def forged(dice):
    """1–64 fields of ours among others, in any case, folded, blank before the colon, 8-bit."""
    lines = []
    for _ in range(dice.randrange(1, 65)):
        name = "".join(dice.choice((char.lower(), char.upper())) for char in dice.choice(NAMES))
        lines.append(name + dice.choice(("", "", "", " ")) + ":" + dice.choice((" ", "", "\t")) + dice.choice(VALUES))
        if dice.random() < 0.3:
            lines.append(f"X-Other-{dice.randrange(9)}: kept")
    return lines


def fields(raw):
    """Names of the header fields, lower case, in order."""
    head = raw.replace(b"\r\n", b"\n").split(b"\n\n")[0]
    return [line.split(b":")[0].strip().decode("latin-1").lower() for line in head.split(b"\n") if line[:1] not in (b" ", b"\t")]


def names_of(lines):
    return [line.split(":")[0].strip().lower() for line in lines]


def mail(index, lines, sender):
    return "\r\n".join([f"Subject: forged {index}", *lines, f"From: {sender}", "Message-ID: <%d@client.test>" % index, "", "body",
                        ""]).encode("latin-1")


@pytest.mark.sanitize
def test_a_thousand_sets_of_a_user(gateway, people):
    """Submitted with a login to somebody outside: the sink sees what would leave for the Internet."""
    alice, dice, count, outside = people(), random.Random(20261120), 1000, "sets@outside.test"
    sets = [forged(dice) for _ in range(count)]
    with Sink(gateway.ports["sink"]) as sink, Dialogue(gateway.ports["submission"], timeout=60) as dialogue:
        dialogue.login(alice.email, alice.password)
        for index, lines in enumerate(sets):
            assert dialogue.say(f"MAIL FROM:<{alice.email}>")[0] == 250
            assert dialogue.say(f"RCPT TO:<{outside}>")[0] == 250
            code, text = dialogue.data(mail(index, lines, alice.email))
            assert code == 250, text
        wait_until(lambda: len(sink.to(outside)) >= count, "all of them", 120, 0.3)
        seen = set()
        for raw in sink.to(outside):
            index = int(re.search(rb"^Subject: forged (\d+)", raw, re.M).group(1))
            seen.add(index)
            ours = [name for name in fields(raw) if name.startswith("ump-")]
            written = set(names_of(sets[index]))
            assert sorted(ours) == sorted(name for name in KEPT if name in written), (index, ours)
            # all else is as it was
            assert [n for n in fields(raw) if n.startswith("x-other")] == [n for n in names_of(sets[index]) if n.startswith("x-other")]
        assert len(seen) == count


@pytest.mark.sanitize
def test_sets_from_outside(gateway, people):
    """On port 25 to a mailbox: nothing but what ump-lmtp adds."""
    alice, dice, count = people(), random.Random(7), 100
    with Dialogue(gateway.ports["smtp"], timeout=60) as dialogue:
        for index in range(count):
            assert dialogue.say("MAIL FROM:<x@outside.test>")[0] == 250
            assert dialogue.say(f"RCPT TO:<{alice.email}>")[0] == 250
            code, text = dialogue.data(mail(index, forged(dice), "x@outside.test"))
            assert code == 250, text
    wait_until(lambda: len(alice.inbox.uids()) >= count, "all of them", 120, 0.3)
    for found in alice.inbox.all():
        ours = [name for name in fields(found.raw) if name.startswith("ump-")]
        assert ours in ([], ["ump-conversation-id"]), ours


def test_stamp_of_another_mail_is_replaced(gateway, alice, endpoint, contact):
    """A stamp that is written into a new mail is not there any more when it leaves."""
    with Sink(gateway.ports["sink"]) as sink:
        alice.submit_raw(["replay@outside.test"], mail(1, ["UMP-Stamp: " + REPLAYED] * 3, alice.email))
        wait_until(lambda: sink.to("replay@outside.test"), "the mail")
        assert [name for name in fields(sink.to("replay@outside.test")[0]) if name.startswith("ump-")] == []


def test_body_is_untouched(gateway, people):
    """Ordinary mail passes byte for byte: 8-bit, long lines, dots, what looks like a field."""
    alice = people()
    body = b"UMP-Stamp: not a field\r\n.dot\r\n..\r\n\xff\xfe\xe4\r\n" + b"y" * 900 + b"\r\n\r\nlast line\r\n"
    raw = b"Subject: bytes\r\nFrom: x@outside.test\r\nX-A:  two  blanks \r\nX-B: a\r\n\tb\r\nMessage-ID: <b@x>\r\nDate: Fri, 20 Nov 2026 11:00:00 +0000\r\n\r\n" + body
    with Dialogue(gateway.ports["smtp"]) as dialogue:
        dialogue.say("MAIL FROM:<x@outside.test> BODY=8BITMIME")
        dialogue.say(f"RCPT TO:<{alice.email}>")
        assert dialogue.data(raw)[0] == 250
    found = alice.inbox.wait(lambda mail: mail["Subject"] == "bytes")
    head, _, got = found.raw.partition(b"\r\n\r\n")
    assert got == body
    assert head.endswith(raw.partition(b"\r\n\r\n")[0])
