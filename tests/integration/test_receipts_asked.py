"""Reports of what the network tells: success and reading only to who asked for them, failure always; on every network
that tells them."""
import re

import pytest

from tests.lib.conversation import declare_signal, is_report, wait_status
from tests.lib.wait import wait_until
from tests.sim import signal_cli, whatsapp


class Line:
    """An endpoint of alice's on a network that tells who has read what, and its simulator."""

    def __init__(self, gateway, channel, sim, number):
        self.gateway, self.channel, self.sim, self.number = gateway, channel, sim, number

    def fail(self, contact):
        error, to = ("131026", contact[1:]) if self.channel == "whatsapp" else ("UNREGISTERED_FAILURE", contact)
        self.sim.add_rule(error=error, to=to, times=1)


@pytest.fixture(params=["whatsapp", "signal"])
def line(gateway, alice, request):
    with whatsapp.Simulator(retry_base=0.2) if request.param == "whatsapp" else signal_cli.Simulator() as sim:
        sim.read_too = True
        made = gateway.declare(whatsapp, sim, alice) if request.param == "whatsapp" else declare_signal(gateway, sim, alice)
        yield Line(gateway, request.param, sim, made.number)


def talk(alice, line, contact):
    """The contact writes first; his mail."""
    line.sim.inbound(contact, line.number, "hello")
    return alice.inbox.wait(lambda mail: mail.text == "hello")


def reports(alice, sent):
    return [mail for mail in alice.inbox.all()
            if is_report(mail) and sent["Message-ID"] in mail["References"]]


def told(gateway, sent, status):
    """The delivery has come so far, and no report of it is left to be written."""
    wait_status(gateway, sent, status)
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.jobs j JOIN ump.unified_messages m ON m.id = j.message_id"
                                   " WHERE j.queue = 'receipts' AND j.kind <> 'keyword' AND m.mail_message_id = %s",
                                   sent["Message-ID"]) == [(0,)], "the reports to be written")


def part(mail, content_type):
    """Its fields, unfolded."""
    [found] = [part for part in mail.message.walk() if part.get_content_type() == content_type]
    return re.sub(r"\s+", " ", found.as_string())


def test_read_report_for_who_asked_for_it(gateway, line, alice, contact):
    mail = talk(alice, line, contact)
    sent = alice.reply(mail, "Did you see it?", Disposition_Notification_To=f"Alice <{alice.email}>")
    told(gateway, sent, "read")
    [report] = reports(alice, sent)
    assert report.message.get_param("report-type") == "disposition-notification"
    assert "was read" in report.text and report["To"].addresses[0].addr_spec == alice.email
    fields = part(report, "message/disposition-notification")
    assert f"Final-Recipient: rfc822;{gateway.address(contact, line.channel)}" in fields
    assert f"Original-Message-ID: {sent['Message-ID']}" in fields
    assert "Disposition: automatic-action/MDN-sent-automatically; displayed" in fields
    # who did not ask is told nothing, though it was read as well
    other = alice.reply(mail, "And this?")
    told(gateway, other, "read")
    assert reports(alice, other) == []
    assert gateway.sql("SELECT count(*) FROM ump.notices n JOIN ump.unified_messages m ON m.id = n.message_id"
                       " WHERE m.mail_message_id = %s", other["Message-ID"]) == [(0,)]


def test_read_report_goes_to_nobody_but_the_sender(gateway, line, alice, contact):
    sent = alice.reply(talk(alice, line, contact), "Did you see it?", Disposition_Notification_To="victim@outside.test")
    told(gateway, sent, "read")
    [report] = reports(alice, sent)
    assert report["To"].addresses[0].addr_spec == alice.email


def test_success_report_for_who_asked_for_it(gateway, line, alice, contact):
    talk(alice, line, contact)
    asked = alice.submit(gateway.address(contact, line.channel), "tell me", rcpt_options=["NOTIFY=SUCCESS,FAILURE"])
    told(gateway, asked, "read")
    [report] = reports(alice, asked)  # one: being read is no second success
    assert report.message.get_param("report-type") == "delivery-status"
    fields = part(report, "message/delivery-status")
    assert "Action: delivered" in fields and f"Final-Recipient: rfc822;{gateway.address(contact, line.channel)}" in fields
    other = alice.submit(gateway.address(contact, line.channel), "do not tell me")
    told(gateway, other, "read")
    assert reports(alice, other) == []


def test_failure_report_for_everybody(gateway, line, alice, contact):
    talk(alice, line, contact)
    line.fail(contact)
    sent = alice.submit(gateway.address(contact, line.channel), "in vain")
    told(gateway, sent, "failed")
    [report] = reports(alice, sent)
    assert "Action: failed" in part(report, "message/delivery-status")
