"""The README's ten steps, typed literally on a bare Debian 12 with a Postfix and a Dovecot that exist already.

One machine, one story: ordinary mail before; the steps; a text message in and its
answer out; ordinary mail after, the administrator's own settings still in force;
taken out again. Only three things are not in the README: the domain, the two files
from the provider's portal, and that the provider is a simulator (base_url).
"""
import contextlib
import imaplib
import json
import re
import shutil
import smtplib
import ssl
import subprocess
import time
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from tests.lib import mailserver
from tests.lib.mailserver import DOMAIN, GATEWAY, OUTSIDE, USERS
from tests.lib.wait import wait_until
from tests.sim.telnyx import Simulator
from tests.stack.bare import ROOT, bare_root

ALICE = f"alice@{DOMAIN}"
NUMBER, STRANGER = "+12125550100", "+12125550123"


def blocks():
    """[(heading, script)] of the sh blocks of the README, in order."""
    text = (ROOT / "README.md").read_text()
    found = []
    for part in re.split(r"^### ", text, flags=re.M)[1:]:
        heading = part.splitlines()[0]
        found += [(heading, script) for script in re.findall(r"^```sh\n(.*?)^```$", part, flags=re.M | re.S)]
    return found


class Site:
    """The machine, its network, and what the story needs of both."""

    def __init__(self, machine, network):
        self.machine, self.network = machine, network
        self.sim = None

    def inside(self, function, *arguments):
        return self.network.submit(function, *arguments).result(120)

    # --- mail
    def _send(self, sender, recipient, mail, password):
        if password:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with smtplib.SMTP("127.0.0.1", 587, timeout=60) as session:
                session.starttls(context=context)
                session.login(sender, password)
                session.sendmail(sender, [recipient], mail.as_bytes(policy=policy.SMTP))
        else:
            with smtplib.SMTP("127.0.0.1", 25, timeout=60, source_address=(OUTSIDE, 0)) as session:
                session.sendmail(sender, [recipient], mail.as_bytes(policy=policy.SMTP))

    def send(self, sender, recipient, text, password=None, **fields):
        mail = EmailMessage()
        mail["From"], mail["To"] = sender, recipient
        mail["Subject"] = fields.pop("subject", text.splitlines()[0])
        mail["Message-ID"] = f"<{time.time_ns()}@{sender.split('@')[1]}>"
        for name, value in fields.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(text)
        self.inside(self._send, sender, recipient, mail, password)
        return mail

    def _mails(self, user, folder):
        with imaplib.IMAP4("127.0.0.1", 143) as session:
            session.login(user, USERS[user])
            if session.select(folder, readonly=True)[0] != "OK":
                return []
            numbers = session.search(None, "ALL")[1][0].split()
            return [message_from_bytes(session.fetch(number, "(RFC822)")[1][0][1], policy=policy.default) for number in numbers]

    def wait_mail(self, user, text, folder="INBOX", seconds=60):
        """The mail of the folder whose text holds `text`."""
        def found():
            for mail in self.inside(self._mails, user, folder):
                body = mail.get_body(("plain",))
                if body is not None and text in body.get_content():
                    return mail
            return None
        return self.wait_until(found, f"a mail with {text!r}", seconds)

    def wait_until(self, condition, what, seconds):
        """wait_until(), and the machine's logs where it was in vain."""
        try:
            return wait_until(condition, what, seconds, 0.3)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.logs()}") from None

    def logs(self):
        return self.machine.run("for f in /var/log/mail.log /var/log/dovecot.log /var/log/ump-*.log; do echo \"== $f\"; tail -n 30 $f; done; "
                                "postqueue -p", check=False)

    def umpctl(self, *words):
        done = subprocess.run(self.machine.command(["umpctl", "--json", *words]), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr + done.stdout
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def site():
    with bare_root(prepare=mailserver.mail_server) as machine, contextlib.ExitStack() as stack:
        mailserver.start(machine)
        network = stack.enter_context(machine.network())
        yield Site(machine, network)


def copy_sources(machine):
    """The clone that the administrator made: this tree as it is now, without what was made in it."""
    made = {"build", "__pycache__", ".git", "node_modules", ".pytest_cache"}
    shutil.copytree(ROOT, machine.path("/root/ump"), symlinks=True,
                    ignore=lambda folder, names: {name for name in names if name in made or name.startswith((".run", "build-"))})


class Shell:
    """The administrator's one root shell: what a step sets, the next step sees."""

    def __init__(self, machine, folder):
        self.machine, self.state = machine, "/root/.shell-state"
        machine.write(self.state, f"cd {folder}\n")

    def type(self, script, network=False):
        return self.machine.run(f"source {self.state}\nset -e\n{script}\nset +e\n"
                                f"{{ declare -p domain gateway 2>/dev/null; echo cd $PWD; }} > {self.state}", network=network)


def test_ten_steps_beside_an_existing_server(site, monkeypatch, tmp_path):
    machine = site.machine
    steps = blocks()
    assert [int(heading.split(".")[0]) for heading, _ in steps[:10]] == list(range(1, 11)), "a block for each of the ten steps"
    assert len(steps) == 11 and "# undo" in steps[10][1]

    # Before: mail goes in and out, a closed mailbox is closed.
    site.send("someone@outside.test", ALICE, "Before the gateway")
    site.wait_mail(ALICE, "Before the gateway")
    site.send(ALICE, f"bob@{DOMAIN}", "From alice to bob, before", USERS[ALICE])
    site.wait_mail(f"bob@{DOMAIN}", "From alice to bob, before")

    # The steps; the domain is the administrator's own.
    copy_sources(machine)
    (certificate := tmp_path / "certificate").write_bytes(machine.path(f"/etc/ssl/certs/{GATEWAY}.pem").read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    site.sim = sim = site.inside(Simulator(str(tmp_path / "provider.jsonl")).start)
    sim.hosts[GATEWAY] = ("127.0.0.1", 443)
    try:
        story(site, sim, machine, steps)
    finally:
        sim.stop()


def story(site, sim, machine, steps):
    shell = Shell(machine, "/root/ump")
    machine.write("/root/telnyx.key", sim.api_key + "\n", 0o600)
    machine.write("/root/telnyx.pub", sim.public_key + "\n", 0o600)
    for number, (heading, script) in enumerate(steps[:10], 1):
        if number == 1:
            assert "domain=example.org " in script
            script = script.replace("domain=example.org ", f"domain={DOMAIN} ")
        started = time.monotonic()
        printed = shell.type(script, network=number == 1)
        print(f"step {heading} ({time.monotonic() - started:.0f} s)")
        if number == 10:
            print(printed)
            assert f"https://{GATEWAY}/webhooks/" in printed and "wrong" not in printed
        if number in (6, 7):
            # A machine half way still takes mail.
            site.send("someone@outside.test", ALICE, f"After step {number}")
            site.wait_mail(ALICE, f"After step {number}")

    # The provider stands in for itself.
    endpoint = site.umpctl("endpoint", "set", NUMBER, "--set", f"base_url={sim.base_url}")
    sim.register(NUMBER, site.umpctl("endpoint", "show", NUMBER)["webhook_url"])
    assert endpoint

    # A text message becomes mail, through nginx with its certificate.
    site.inside(lambda: sim.inbound(STRANGER, NUMBER, "Is the shop open today?"))
    mail = site.wait_mail(ALICE, "Is the shop open today?")
    assert mail["From"].addresses[0].addr_spec == f"{STRANGER}@sms.{DOMAIN}"
    assert mail["UMP-Conversation-ID"] and mail["UMP-Header"]

    # Its answer becomes a text message.
    site.send(ALICE, f"{STRANGER}@sms.{DOMAIN}",
              f"Until six.\n\nOn Monday, {STRANGER} wrote:\n> Is the shop open today?\n", USERS[ALICE],
              subject=f"Re: {mail['Subject']}", In_Reply_To=mail["Message-ID"], References=mail["Message-ID"])
    site.wait_until(lambda: sim.accepted, "the answer to be sent", 30)
    assert [(item["from"], item["to"], item["text"]) for item in requests(sim)] == [(NUMBER, STRANGER, "Until six.")], site.logs()

    # Nobody else may write to the gateway, and a bad number is refused in words.
    with pytest.raises(smtplib.SMTPRecipientsRefused, match="log in to the submission port"):
        site.send("someone@outside.test", f"{STRANGER}@sms.{DOMAIN}", "From outside")
    with pytest.raises(smtplib.SMTPRecipientsRefused, match="not a complete"):
        site.send(ALICE, f"+1555@sms.{DOMAIN}", "Too short", USERS[ALICE])

    # After: ordinary mail, and what the administrator had configured.
    site.send("someone@outside.test", f"info@{DOMAIN}", "After the ten steps")
    assert site.wait_mail(ALICE, "After the ten steps")["UMP-Conversation-ID"]
    site.send(ALICE, f"bob@{DOMAIN}", "From alice to bob, after", USERS[ALICE])
    site.wait_mail(f"bob@{DOMAIN}", "From alice to bob, after")
    with pytest.raises(smtplib.SMTPRecipientsRefused, match="this mailbox is closed"):
        site.send("someone@outside.test", f"closed@{DOMAIN}", "Anybody there?")
    site.send("someone@outside.test", ALICE, "A wonderful offer", subject="[junk] offer")
    site.wait_mail(ALICE, "A wonderful offer", "Junk")
    once = machine.run("cat /etc/postfix/main.cf /etc/postfix/master.cf")
    machine.run(f"sh /usr/share/ump/postfix/merge.sh {DOMAIN}")
    assert machine.run("cat /etc/postfix/main.cf /etc/postfix/master.cf") == once, "merging again changes something"
    assert "warning" not in machine.run("postconf -n 2>&1 >/dev/null; postfix check 2>&1")

    # And out again.
    shell.type(steps[10][1])
    site.send("someone@outside.test", ALICE, "Without the gateway")
    assert not site.wait_mail(ALICE, "Without the gateway")["UMP-Conversation-ID"]
    assert "ump" not in machine.run("postconf -n; postconf -M")


def requests(sim):
    return [item.get("request", item) for item in sim.accepted]
