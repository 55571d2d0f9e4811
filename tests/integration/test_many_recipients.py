"""One mail to people on several networks, to a mailbox here and to one outside: each gets it, once."""
import json
import os
import tempfile

from tests.lib.conversation import declare_signal
from tests.lib.sink import Sink
from tests.lib.wait import wait_until
from tests.sim import signal_cli, whatsapp


TEXT = "The office is closed on Monday."


def recipients(sim):
    """To whom the text went, once per request."""
    found = []
    for entry in sim.accepted:
        request = entry["request"]
        if TEXT in json.dumps(request):
            to = request.get("to") or request["params"]["recipient"]
            found += [f"+{number.lstrip('+')}" for number in (to if isinstance(to, list) else [to])]
    return found


def test_each_is_reached_once(gateway, people):
    alice, bob = people(), people()
    alice.endpoint()
    sms, other, chat, secret = (gateway.number() for _ in range(4))
    outside = "carol@outside.test"
    with tempfile.TemporaryDirectory() as directory, whatsapp.Simulator(retry_base=0.2) as cloud, \
            signal_cli.Simulator(unix_path=f"{directory}/socket") as daemon, Sink(gateway.ports["sink"]) as sink:
        os.chmod(directory, 0o755)
        line, account = gateway.declare(whatsapp, cloud, alice).number, declare_signal(gateway, daemon, alice).number
        cloud.inbound(chat, line, "hello")  # opens WhatsApp's window
        alice.inbox.wait(lambda mail: mail.text == "hello")

        written_to, written_cc = [gateway.address(sms), gateway.address(chat, "whatsapp"), bob.email], [
            gateway.address(other), gateway.address(secret, "signal"), outside]
        mail = alice.submit([*written_to, *written_cc], TEXT, subject="Monday", To=", ".join(written_to), Cc=", ".join(written_cc))
        bob.inbox.wait(lambda arrived: arrived["Message-ID"] == mail["Message-ID"])
        wait_until(lambda: sink.to(outside), "the mail outside")
        numbers = [sms, other, chat, secret]
        wait_until(lambda: sorted(gateway.sql("SELECT recipient FROM ump.deliveries WHERE recipient = ANY(%s) AND status IN ('sent', 'delivered')",
                                              numbers)) == sorted((number,) for number in numbers), "all to be sent")
        wait_until(lambda: not gateway.queue(), "Postfix to have handed all over")

        assert [sorted(recipients(sim)) for sim in (gateway.sim, cloud, daemon)] == [sorted([sms, other]), [chat], [secret]]
        assert len(sink.to(outside)) == 1 and len(bob.inbox.all()) == 1
        # the mailboxes see the mail as it was written, with nobody's address changed
        assert [bob.inbox.all()[0][name] for name in ("To", "Cc")] == [mail[name] for name in ("To", "Cc")]
