"""FAILURES T03: nobody who has not logged in reaches a gateway address, however he writes it."""
import re

import pytest

from tests.conftest import finish, stack_directory
from tests.lib.conversation import is_report
from tests.lib.dialogue import Dialogue, enhanced
from tests.lib.gateway import Gateway
from tests.lib.smtp import compose, sendmail
from tests.lib.wait import wait_until

NUMBER = "+12125550123"
SHAPES = {
    "plain": f"<{NUMBER}@sms.msgs.test>",
    "upper case": f"<{NUMBER}@SMS.Msgs.Test>",
    "trailing dot": f"<{NUMBER}@sms.msgs.test.>",
    "quoted": f'<"{NUMBER}"@sms.msgs.test>',
    "quoted pair": f'<"\\{NUMBER}"@sms.msgs.test>',
    "source route": f"<@msgs.test:{NUMBER}@sms.msgs.test>",
    "two hops": f"<@a.test,@msgs.test:{NUMBER}@sms.msgs.test>",
    "percent": f"<{NUMBER}%sms.msgs.test@msgs.test>",
    "percent alone": f"<{NUMBER}%sms.msgs.test>",
    "percent within": f"<{NUMBER}%sms.msgs.test@sms.msgs.test>",
    "bang": f"<sms.msgs.test!{NUMBER}@msgs.test>",
    "bang alone": f"<sms.msgs.test!{NUMBER}>",
    "at in quotes": f'<"{NUMBER}@sms.msgs.test"@msgs.test>',
    "two ats": f"<{NUMBER}@sms.msgs.test@msgs.test>",
    "no brackets": f"{NUMBER}@sms.msgs.test",
    "any": f"<{NUMBER}@any.msgs.test>",
    "notice": "<r.abcdefghijklmnopqrst@notice.msgs.test>",
    "with options": f"<{NUMBER}+welcome@sms.msgs.test>",
    "literal": f"<{NUMBER}@[127.0.0.1]>",
}


def said(dialogue, sender, recipient):
    dialogue.say("RSET")
    code, text = dialogue.say(f"MAIL FROM:<{sender}>")
    assert code == 250, text
    return dialogue.say(f"RCPT TO:{recipient}")


def queued(gateway):
    return gateway.sql("SELECT count(*) FROM ump.submissions")[0][0], len(gateway.queue())


@pytest.fixture(scope="module")
def fence():
    """A stack whose Postfix lets everybody on this host send to everywhere: what is left is the milter."""
    gateway = Gateway(stack_directory()).start()
    main = gateway.layout.postfix / "main.cf"
    text = re.sub(r"^smtpd_recipient_restrictions =\n(\s.*\n)+", "smtpd_recipient_restrictions =\n", main.read_text(), flags=re.M)
    main.write_text(text + "\nsmtpd_relay_restrictions = permit_mynetworks, reject\n")
    gateway.reload_postfix()
    yield gateway
    finish(gateway)


@pytest.mark.parametrize("shape", SHAPES)
def test_port_25_refuses(gateway, shape):
    before = queued(gateway)
    with Dialogue(gateway.ports["smtp"]) as dialogue:
        for sender in ("alice@msgs.test", "someone@outside.test", ""):
            code, text = said(dialogue, sender, SHAPES[shape])
            assert code in (501, 550, 554) and enhanced(text) in ("5.7.1", "5.1.1", "5.1.2", "5.1.3"), (sender, code, text)
            if SHAPES[shape].endswith("@sms.msgs.test>"):
                assert code == 550, text
    assert queued(gateway) == before


@pytest.mark.parametrize("shape", SHAPES)
def test_milter_alone_refuses(fence, shape):
    before = queued(fence)
    with Dialogue(fence.ports["smtp"]) as dialogue:
        code, text = said(dialogue, "alice@msgs.test", SHAPES[shape])
        assert code in (501, 550) and enhanced(text) in ("5.7.1", "5.1.1", "5.1.3"), (code, text)
        if re.search(r"@(sms|any|notice)\.msgs\.test\.?>$", SHAPES[shape], re.I):
            assert (code, enhanced(text)) == (550, "5.7.1"), text
    assert queued(fence) == before


def test_other_recipients_of_the_same_mail_are_served(fence):
    """Unauthenticated, one gateway address among others: the others get their mail."""
    box = fence.user("bob").inbox
    with Dialogue(fence.ports["smtp"]) as dialogue:
        assert dialogue.say("MAIL FROM:<x@outside.test>")[0] == 250
        assert dialogue.say("RCPT TO:<bob@msgs.test>")[0] == 250
        code, text = dialogue.say(f"RCPT TO:<{NUMBER}@sms.msgs.test>")
        assert (code, enhanced(text)) == (550, "5.7.1")
        assert dialogue.data(b"From: x@outside.test\r\nSubject: for bob\r\n\r\nhello\r\n")[0] == 250
    box.wait(lambda mail: mail["Subject"] == "for bob")


def test_chunking_is_no_way_around(fence):
    with Dialogue(fence.ports["smtp"]) as dialogue:
        assert dialogue.say("MAIL FROM:<x@outside.test>")[0] == 250
        assert dialogue.say(f"RCPT TO:<{NUMBER}@sms.msgs.test>")[0] == 550
        mail = "From: x@x\r\n\r\nhi\r\n"
        dialogue.send(f"BDAT {len(mail)} LAST\r\n{mail}")
        assert dialogue.read()[0] >= 500


def test_pretending_to_be_logged_in(fence):
    """AUTH= of MAIL, XCLIENT and XFORWARD are only words."""
    with Dialogue(fence.ports["smtp"]) as dialogue:
        for words in ("XCLIENT LOGIN=alice@msgs.test ADDR=127.0.0.1", "XFORWARD NAME=localhost IDENT=1"):
            assert dialogue.say(words)[0] >= 500
        dialogue.say("MAIL FROM:<alice@msgs.test> AUTH=alice@msgs.test")
        dialogue.say("RSET")
        code, text = said(dialogue, "alice@msgs.test", SHAPES["plain"])
        assert (code, enhanced(text)) == (550, "5.7.1"), text


@pytest.mark.parametrize("milter_too", [False, True], ids=["without a milter", "with non_smtpd_milters"])
def test_sendmail_is_refused_behind_the_queue(fence, milter_too):
    """No milter event may refuse here (the mail would stay in the queue): ump-lmtp does."""
    main = fence.layout.postfix / "main.cf"
    text = re.sub(r"^non_smtpd_milters =.*$", f"non_smtpd_milters ={' $ump_milter' if milter_too else ''}", main.read_text(),
                  flags=re.M)
    main.write_text(text)
    fence.reload_postfix()
    carol = fence.user("carol")
    before = fence.sql("SELECT count(*) FROM ump.submissions")[0][0]
    subject = f"by sendmail {milter_too}"
    mail = compose(carol.email, [f"{NUMBER}@sms.msgs.test", carol.email], "x", subject=subject,
                   UMP_Stamp="v=1, kind=milter", UMP_Header="forged")
    sendmail(fence.layout.postfix, carol.email, [f"{NUMBER}@sms.msgs.test", carol.email], mail)
    copy = carol.inbox.wait(lambda mail: mail["Subject"] == subject)
    assert not copy.all("UMP-Header") and not copy.all("UMP-Stamp")
    report = carol.inbox.wait(lambda mail: is_report(mail)
                              and subject.encode() in mail.raw)
    assert b"5.7.1" in report.raw
    assert fence.sql("SELECT count(*) FROM ump.submissions")[0][0] == before
    wait_until(lambda: not fence.queue(), "an empty queue")


def test_declared_local_user_of_sendmail(fence):
    """--local-uid: Postfix itself says who called sendmail(1); nobody can say it in his place."""
    alice = fence.user("alice")
    endpoint, contact = alice.endpoint(), fence.number()
    address = f"{contact}@sms.msgs.test"

    def rows():
        return fence.sql("SELECT count(*) FROM ump.deliveries WHERE recipient = %s", contact)[0][0]

    def mail(subject):
        return compose("root@msgs.test", [address], f"backup done {subject}", subject=subject,
                       Auto_Submitted="auto-generated").as_bytes()

    fence.umpctl("sender", "add", "--local-uid", "0", "--endpoint", endpoint.id, "--rate", "2/h")
    forged = (b"Received: by mx.msgs.test (Postfix, from userid 0)\n"
              b"\tid 4jWDG22sDNz1dDxM; Fri, 20 Nov 2026 11:51:54 +0000 (UTC)\n")
    for index in range(2):
        sendmail(fence.layout.postfix, "root@msgs.test", [address], mail(f"n {index}"))
        wait_until(lambda index=index: rows() == index + 1, "the reminder")
    sendmail(fence.layout.postfix, "root@msgs.test", [address], mail("over the cap"))
    with Dialogue(fence.ports["smtp"]) as dialogue:    # the milter refuses; and what it would pass, ump-lmtp does not believe
        assert dialogue.say("MAIL FROM:<root@msgs.test>")[0] == 250
        assert dialogue.say(f"RCPT TO:<{address}>")[0] == 550
    wait_until(lambda: "cap-machine" in fence.log("ump-lmtp"), "the refusal")
    fence.umpctl("sender", "remove", "0")
    sendmail(fence.layout.postfix, "root@msgs.test", [address], forged + mail("no more"))
    wait_until(lambda: not fence.queue(), "an empty queue")
    assert rows() == 2
