"""FAILURES T05: the login, and nothing that a mail says of itself, decides who sends."""
import smtplib

import pytest

from tests.lib.dialogue import Dialogue, enhanced

NUMBER = "+12125550123"

# From lines; {me} is the login's own address, {other} another user's
BAD_FROM = {
    "another user": ["From: {other}"],
    "another user by name": ['From: "{me}" <{other}>'],
    "an outsider": ["From: ceo@bank.test"],
    "empty": ["From:"],
    "two fields, mine first": ["From: {me}", "From: {other}"],
    "two fields, mine last": ["From: {other}", "From: {me}"],
    "the same twice": ["From: {me}", "From: {me}"],
    "two fields in other case": ["From: {me}", "FROM: {other}"],
    "two addresses": ["From: {me}, {other}"],
    "two addresses in brackets": ["From: Me <{me}>, Other <{other}>"],
    "two brackets": ["From: <{me}> <{other}>"],
    "comment in front": ["From: ({me}) {other}"],
    "comment with brackets": ["From: {me} (<{other}>)"],
    "group": ["From: Team: {me};"],
    "empty group": ["From: undisclosed-recipients:;"],
    "group of two": ["From: Team: {me}, {other};"],
    "encoded word as address": ["From: =?utf-8?q?{qme}?="],
    "encoded word in brackets": ["From: <=?utf-8?q?{qme}?=>"],
    "encoded word hides the other": ["From: =?utf-8?q?{qme}?= <{other}>"],
    "8-bit in the address": ["From: <p\xe4ul@msgs.test>"],
    "folded in between": ["From: {me},", "\t{other}"],
    "quoted local part with mine": ['From: "{me}"@evil.test'],
    "nothing but a name": ["From: Alice"],
    "local part alone": ["From: alice"],
    "null": ["From: <>"],
    "percent": ["From: <alice%msgs.test@evil.test>"],
    "Sender is mine": ["From: {other}", "Sender: {me}"],
    "Resent-From is mine": ["Resent-From: {me}", "From: {other}"],
    "Reply-To is mine": ["Reply-To: {me}", "From: {other}"],
}
GOOD_FROM = {
    "none: Postfix writes the envelope sender": [],
    "source route: Postfix cuts it": ["From: <@evil.test:{me}>"],
    "bare": ["From: {me}"],
    "name": ["From: Alice Smith <{me}>"],
    "quoted name with an at": ['From: "alice (at) home, Inc." <{me}>'],
    "encoded name": ["From: =?utf-8?q?Al=C3=ADce?= <{me}>"],
    "comment": ["From: {me} (Alice)"],
    "upper case": ["From: {upper}"],
    "folded": ["From: Alice", "\t<{me}>"],
    "Sender is another's": ["From: {me}", "Sender: {other}"],
    "Resent-From is another's": ["From: {me}", "Resent-From: {other}"],
}


def mail(lines, me, other):
    values = {"me": me, "other": other, "upper": me.upper(), "qme": me.replace("@", "=40")}
    return "\r\n".join([*(line.format(**values) for line in lines), "Subject: x", "", "hello", ""]).encode("latin-1")


def submit(person, recipients, raw, sender=None):
    with Dialogue(person.gateway.ports["submission"]) as dialogue:
        dialogue.login(person.email, person.password)
        code, text = dialogue.say(f"MAIL FROM:<{person.email if sender is None else sender}>")
        for recipient in recipients:
            if code == 250:
                code, text = dialogue.say(f"RCPT TO:<{recipient}>")
        return dialogue.data(raw) if code == 250 else (code, text)


@pytest.fixture(scope="module")
def pair(shared_gateway):
    one, two = shared_gateway.person(), shared_gateway.person()
    one.endpoint()
    two.endpoint()
    return one, two


@pytest.mark.parametrize("case", BAD_FROM)
def test_refused(gateway, pair, case):
    me, other = pair
    accepted = len(gateway.sim.accepted)
    code, text = submit(me, [f"{NUMBER}@sms.msgs.test"], mail(BAD_FROM[case], me.email, other.email))
    assert code == 550 and enhanced(text) in ("5.7.1", "5.6.0"), (code, text)
    # with an ordinary recipient beside it: the mail itself is at fault, nobody gets it
    code, text = submit(me, [other.email, f"{NUMBER}@sms.msgs.test"], mail(BAD_FROM[case], me.email, other.email))
    assert code == 550, (code, text)
    assert len(gateway.sim.accepted) == accepted


@pytest.mark.parametrize("case", GOOD_FROM)
def test_accepted(gateway, pair, case):
    me, other = pair
    gateway.sql("DELETE FROM ump.counters")
    code, text = submit(me, [f"{NUMBER}@sms.msgs.test"], mail(GOOD_FROM[case], me.email, other.email))
    assert code == 250, (code, text)


def test_ordinary_mail_is_none_of_our_business(gateway, pair):
    """No gateway address: a From that is not his is for Postfix' own rules."""
    me, other = pair
    code, text = submit(me, [other.email], mail(["From: list@elsewhere.test", "From: x@y.test"], me.email, other.email))
    assert code == 250, text


def test_envelope_of_another_login(gateway, pair):
    me, other = pair
    code, text = submit(me, [f"{NUMBER}@sms.msgs.test"], mail(["From: {other}"], me.email, other.email), sender=other.email)
    assert code == 553 and enhanced(text) == "5.7.1", text


def test_null_sender(gateway, pair):
    me, other = pair
    code, text = submit(me, [f"{NUMBER}@sms.msgs.test"], mail(["From: {me}"], me.email, other.email), sender="")
    assert code == 550 and enhanced(text) == "5.7.1", text


def test_alias_and_team(gateway, people):
    me, member = people(), people()
    me.endpoint()
    gateway.umpctl("user", "set", me.email, "--alias", f"alias.{me.email}")
    name = me.email.split("@")[0]
    gateway.umpctl("team", "add", f"team-{name}", "--mailbox", f"team.{name}@msgs.test", "--member", me.email)
    for address in (f"alias.{me.email}", f"team.{name}@msgs.test"):
        raw = mail([f"From: {address}"], me.email, "")
        assert submit(me, [f"{NUMBER}@sms.msgs.test"], raw)[0] == 250
        code, text = submit(member, [f"{NUMBER}@sms.msgs.test"], raw)
        assert code == 550, text


def test_endpoint_of_another_is_not_lent(gateway, people):
    """UMP-From chooses among his own."""
    me, other = people(), people()
    mine, theirs = me.endpoint(), other.endpoint()
    for number, expected in ((mine.number, 250), (theirs.number, 550)):
        code, text = submit(me, [f"{NUMBER}@sms.msgs.test"], mail(["From: {me}", f"UMP-From: {number}"], me.email, other.email))
        assert code == expected, text


def test_smtplib_sees_one_sentence(gateway, pair):
    me, _ = pair
    with smtplib.SMTP("127.0.0.1", gateway.ports["submission"]) as session:
        session.login(me.email, me.password)
        session.mail(me.email)
        code, text = session.rcpt("+1555@sms.msgs.test")
    assert (code, text) == (550, b"5.1.3 +1555 is not a complete phone number; write it as +<country><number>")
