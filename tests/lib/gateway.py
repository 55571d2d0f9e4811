"""A running stack with its simulated provider, as a test uses it."""
import contextlib
import itertools
import json
import os
import random
import re
import shutil
import signal
import subprocess

import psycopg2

from tests.lib.imap import Mailbox
from tests.lib.smtp import Neomutt, Refused, compose, send
from tests.lib.wait import wait_until
from tests.sim import telnyx
from tests.stack.layout import DOMAIN
from tests.stack.lifecycle import PROGRAMS, SERVERS, Stack

POOL = 3000  # mailboxes that a stack has for people of tests: more than there are tests
BAD_LOG = re.compile(
    r"(AddressSanitizer|LeakSanitizer|ThreadSanitizer|MemorySanitizer|UndefinedBehavior|runtime error:|"
    r"Assertion .* failed|CRITICAL \*\*|-CRITICAL|ERROR:\S+:\d+:\S+:|stack smashing|double free|Segmentation|"
    r"PANIC:|TRAP:|Panic:|panic:|fatal: )")
# What servers say of our own kills is no fault.
HARMLESS = re.compile(r"(terminat(ed|ing) by signal|killed by signal 9|master.*Killed|fatal: watchdog|"
                      r"fatal: master_exit|fatal: lost connection|fatal: no SASL authentication mechanisms|fatal: the Postfix mail system is already running)")


class ControlFailed(Exception):
    """umpctl's refusal: exit code and what it printed."""

    def __init__(self, code, text):
        super().__init__(f"umpctl: exit {code}: {text}")
        self.code, self.text = code, text


class Person:
    """A user of the gateway with a mailbox of his own."""

    def __init__(self, gateway, email):
        self.gateway, self.email, self.password = gateway, email, email.split("@")[0]
        self._boxes = {}

    def box(self, folder="INBOX"):
        if folder not in self._boxes:
            self._boxes[folder] = Mailbox(self.gateway.ports["imap"], self.email, self.password, folder)
        return self._boxes[folder]

    @property
    def inbox(self):
        return self.box()

    def forget_sessions(self):
        """After Dovecot was killed: the next use connects again."""
        for box in self._boxes.values():
            with contextlib.suppress(OSError):
                box.session.shutdown()
        self._boxes.clear()

    def close(self):
        for box in self._boxes.values():
            box.close()
        self._boxes.clear()

    def submit(self, recipients, text="", sender=None, rcpt_options=(), mail_options=(), envelope=None, **fields):
        """Sends a mail with AUTH; returns the mail. Raises Refused with the server's answer."""
        recipients = [recipients] if isinstance(recipients, str) else list(recipients)
        mail = compose(sender or self.email, recipients, text, **fields)
        refused = self.submit_raw(envelope or recipients, mail, rcpt_options=rcpt_options, mail_options=mail_options)
        if refused:
            code, sentence = next(iter(refused.values()))
            raise Refused(code, sentence.decode())
        return mail

    def submit_raw(self, recipients, data, sender=None, rcpt_options=(), mail_options=()):
        return send(self.gateway.ports["submission"], self.email if sender is None else sender, recipients, data,
                    (self.email, self.password), mail_options, rcpt_options)

    def reply(self, mail, text, **fields):
        """Answers a mail as a mail program would: quoted history below, References carried on."""
        quoted = "".join(f"> {line}\n" for line in mail.text.splitlines())
        references = f"{mail['References'] or ''} {mail['Message-ID']}".strip()
        subject = fields.pop("subject", f"Re: {mail['Subject']}")
        return self.submit(fields.pop("to", None) or mail["Reply-To"] or mail["From"].addresses[0].addr_spec,
                           f"{text}\n\nOn {mail['Date']}, {mail['From']} wrote:\n{quoted}\n-- \nAlice Smith\nmsgs.test Ltd\n",
                           subject=subject, In_Reply_To=mail["Message-ID"], References=references, **fields)

    def react(self, mail, emoji, to=None):
        """A reaction to a mail (RFC 9078); "" or "-" takes it back."""
        to = to or mail["From"].addresses[0].addr_spec
        reaction = compose(self.email, [to], emoji, subject=f"Re: {mail['Subject']}", In_Reply_To=mail["Message-ID"],
                           References=mail["Message-ID"])
        reaction["Content-Disposition"] = "reaction"
        assert self.submit_raw([to], reaction) == {}
        return reaction

    def neomutt(self, home):
        return Neomutt(str(home), self.email, self.password, self.gateway.ports["submission"], self.gateway.ports["imap"])

    def endpoint(self, number=None, **settings):
        return self.gateway.endpoint(self.email, number, **settings)


class Endpoint:
    def __init__(self, gateway, record, number, owner):
        self.gateway, self.record, self.number, self.owner = gateway, record, number, owner
        self.id, self.webhook_url = record["id"], record["webhook_url"]

    def address(self, contact):
        """Where a mail to the contact goes that is to leave by this endpoint's channel."""
        return self.gateway.address(contact, self.record["channel"])


class Gateway:
    def __init__(self, directory, build=None, settings=(), environment=None):
        self.stack = Stack(directory, say=lambda text: None)
        self.layout = self.stack.layout
        self.build, self.settings, self.environment = build or os.environ.get("UMP_BUILD"), settings, environment
        self.sim = None
        self.expected_restarts = {}
        self.positions = {}
        self.connection = None
        self._people = itertools.count()
        self._dice, self._numbers = random.Random(), set()

    # --- life
    def start(self):
        self.stack.up(build=self.build, settings=self.settings, environment={**sanitizer_options(), **(self.environment or {})},
                      extra_mailboxes=[f"p{index:03d}" for index in range(POOL)])
        if self.sim is None:
            self.sim = telnyx.Simulator(str(self.layout.log / "provider.jsonl"), retry_base=0.2).start()
        self.ports = self.layout.ports
        self.url = f"http://127.0.0.1:{self.ports['http']}"
        return self

    def restart_stack(self):
        self.close_database()
        self.stack.down(quiet=True)
        self.expected_restarts.clear()
        self.stack.up()

    def stop(self):
        self.close_database()
        if self.sim:
            self.sim.stop()
        self.stack.down(quiet=True)

    def remove(self):
        shutil.rmtree(self.layout.dir, ignore_errors=True)

    # --- people, numbers, endpoints
    def person(self):
        index = next(self._people)
        assert index < POOL, f"all {POOL} mailboxes of this stack are in use: raise POOL"
        email = f"p{index:03d}@{DOMAIN}"
        self.umpctl("user", "add", email)
        return Person(self, email)

    def user(self, name):
        """alice, bob or carol."""
        return Person(self, f"{name}@{DOMAIN}")

    def number(self):
        """A valid US number that no other test of this stack has, far from the others."""
        while True:
            number = f"+1{self._dice.choice(('212', '646', '917', '718'))}{self._dice.randrange(200, 999)}" \
                     f"{self._dice.randrange(10_000):04d}"
            if number not in self._numbers and number[6:8] != "11" and not number.startswith("+121266"):
                self._numbers.add(number)
                return number

    def endpoint(self, owner, number=None, **settings):
        """An SMS endpoint at the gateway's own simulator, Telnyx's."""
        return self.declare(telnyx, self.sim, owner, number=number, **settings)

    def declare(self, provider, sim, owner, *more, number=None, **settings):
        """An endpoint at a simulator. provider: its module in tests.sim; owner: a Person or a name;
        more: what the module's add_endpoint takes behind the owner; settings: of the endpoint, from its first moment on."""
        number, owner = number or self.number(), getattr(owner, "email", owner)
        record = provider.add_endpoint(sim, self.layout.umpctl, number, owner, *more, **settings)
        return Endpoint(self, record, number, owner)

    @staticmethod
    def address(number, channel="sms"):
        return f"{number}@{channel}.{DOMAIN}"

    # --- tools
    def umpctl(self, *arguments, stdin=None):
        done = subprocess.run([self.layout.umpctl, "--json", *map(str, arguments)], capture_output=True, text=True, input=stdin,
                              timeout=60)
        if done.returncode:
            raise ControlFailed(done.returncode, done.stderr.strip() or done.stdout.strip())
        return json.loads(done.stdout) if done.stdout.strip() else None

    def trace(self, message_id):
        """What is known of a message; [] as long as nothing is: it is on its way from Postfix."""
        try:
            return self.umpctl("trace", message_id)
        except ControlFailed as failed:
            if "nothing is known of" not in failed.text:
                raise
            return []

    def sql(self, statement, *parameters):
        """Rows of a query, as superuser; one connection is kept."""
        for attempt in range(2):
            try:
                if self.connection is None or self.connection.closed:
                    self.connection = psycopg2.connect(self.layout.database_url("postgres"))
                    self.connection.autocommit = True
                with self.connection.cursor() as cursor:
                    cursor.execute(statement, parameters or None)
                    return cursor.fetchall() if cursor.description else []
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                self.close_database()
                if attempt:
                    raise

    def close_database(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def deliver_outside(self, recipient, data, sender="someone@outside.test"):
        """A mail from outside, on port 25."""
        return send(self.ports["smtp"], sender, [recipient] if isinstance(recipient, str) else recipient, data)

    # --- the services
    def services(self):
        return self.stack.control.services()

    def pid(self, name):
        return self.services()[name]["pid"]

    def kill(self, name, wait=True):
        """kill -9; the supervisor starts it again."""
        before = self.services()[name]
        if before["pid"] is None:
            return
        self.expected_restarts[name] = self.expected_restarts.get(name, 0) + 1
        with contextlib.suppress(ProcessLookupError):
            os.kill(before["pid"], signal.SIGKILL)
        if name == "postgres":
            self.close_database()
        if wait:
            wait_until(lambda: self.services()[name]["pid"] not in (None, before["pid"]), f"{name} to be restarted", 10)
            self.stack.wait_ready(name, 30)

    def stop_service(self, name):
        if name == "postgres":
            self.close_database()
        self.stack.control.call("stop", service=name)
        wait_until(lambda: self.services()[name]["pid"] is None, f"{name} to stop", 60)

    def start_service(self, name, wait=True):
        self.stack.control.call("start", service=name)
        if wait:
            self.stack.wait_ready(name)

    def reload_postfix(self):
        subprocess.run(["/usr/sbin/postfix", "-c", self.layout.postfix, "reload"], check=True, capture_output=True)

    def queue(self):
        """Postfix's queue, one JSON object per mail."""
        done = subprocess.run(["/usr/sbin/postqueue", "-c", self.layout.postfix, "-j"], check=True, capture_output=True, text=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def flush_queue(self):
        subprocess.run(["/usr/sbin/postqueue", "-c", self.layout.postfix, "-f"], check=True, capture_output=True)

    # --- logs
    def log_problems(self):
        """New lines in any log that tell of a fault, and restarts that nobody asked for."""
        problems = []
        for path in sorted(self.layout.log.glob("*.log")):
            with open(path, "rb") as log:
                log.seek(self.positions.get(path, 0))
                new = log.read()
                self.positions[path] = log.tell()
            problems += [f"{path.name}: {line}" for line in new.decode(errors="replace").splitlines()
                         if BAD_LOG.search(line) and not HARMLESS.search(line)]
        if self.stack.control.alive():
            for name, service in self.services().items():
                expected = self.expected_restarts.get(name, 0)
                if service["restarts"] > expected and name in (*PROGRAMS, *SERVERS):
                    problems.append(f"{name} was restarted {service['restarts'] - expected} times by itself")
                    self.expected_restarts[name] = service["restarts"]
        return problems

    def log(self, name):
        path = self.layout.log / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""


def sanitizer_options():
    """What sanitizer builds of our programs are told; the others ignore it."""
    return {"ASAN_OPTIONS": "abort_on_error=0:exitcode=99:detect_leaks=1:handle_abort=1",
            "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
            "TSAN_OPTIONS": "halt_on_error=0:exitcode=66:second_deadlock_stack=1:ignore_noninstrumented_modules=1",
            "G_SLICE": "always-malloc"}  # GLib's own allocator passes memory between threads unseen
