"""An option that is set to nothing fells no program: it is refused by its name, or the program starts and serves without it."""
import base64
import configparser
import re
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import finish, stack_directory
from tests.lib.gateway import BAD_LOG, Gateway
from tests.lib.lmtp import Lmtp
from tests.lib.wait import wait_until
from tests.stack.layout import ROOT
from tests.stack.lifecycle import PROGRAMS, service_definition

ALL = ("ump-milter", "ump-lmtp", "ump-bridge")
# Who reads a section; the sections themselves are those of the sample.
READERS = {"gateway": ALL, "database": ALL, "caps": ("ump-milter", "ump-lmtp"), "milter": ("ump-milter",), "lmtp": ("ump-lmtp",),
           "media": ("ump-lmtp", "ump-bridge"), "conversation": ("ump-lmtp", "ump-bridge"), "ctl": ()}


def options():
    """(section, key) of the sample: every option there is."""
    found, section = [], None
    for line in (ROOT / "conf" / "ump.conf").read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif match := re.match(r"#?([a-z_]+) =", line):
            found.append((section, match[1]))
    return found


CASES = [(program, section, key) for section, key in options() for program in READERS.get(section, ("ump-bridge",))]


@pytest.fixture(scope="module")
def servers():
    """A stack of which each test starts one program itself, with a configuration of its own."""
    gateway = Gateway(stack_directory()).start()
    for name in PROGRAMS:
        gateway.stop_service(name)
    yield gateway
    finish(gateway)


class Run:
    """One program with the stack's configuration, in which one option is empty."""

    def __init__(self, gateway, program, section, key):
        self.gateway, self.program = gateway, program
        conf = configparser.RawConfigParser()
        conf.read(gateway.layout.conf)
        if not conf.has_section(section):
            conf.add_section(section)
        conf.set(section, key, "")
        self.conf = Path(gateway.layout.run) / "empty.conf"
        with open(self.conf, "w", encoding="utf-8") as file:
            conf.write(file)
        self.conf.chmod(0o644)
        self.output = Path(gateway.layout.run) / "empty.log"
        definition = service_definition(gateway.layout, gateway.layout.load()["build"], program).definition()
        with open(self.output, "w", encoding="utf-8") as output:
            self.process = subprocess.Popen([definition["argv"][0], "--config", self.conf], stdout=output, stderr=output, cwd=definition["cwd"],
                                            user=definition["uid"], group=definition["gid"], extra_groups=definition["groups"],
                                            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **definition["env"]})

    @property
    def said(self):
        return self.output.read_text(errors="replace")

    def settle(self):
        """True: it is ready; False: it has ended."""
        wait_until(lambda: "status=ready" in self.said or self.process.poll() is not None, f"{self.program} to be ready: {self.said}", 30)
        return self.process.poll() is None

    def probe(self):
        layout = self.gateway.layout
        if self.program == "ump-lmtp":
            with Lmtp(layout.lmtp_socket) as session:
                session.hello()
        elif self.program == "ump-milter":
            with socket.socket(socket.AF_UNIX) as session:
                session.connect(str(layout.milter_socket))
        else:
            with urllib.request.urlopen(f"http://127.0.0.1:{layout.ports['http']}/healthz", timeout=10) as answer:
                assert answer.status == 200

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@pytest.mark.destructive
@pytest.mark.parametrize("program,section,key", CASES, ids=lambda value: value)
def test_an_empty_option_fells_no_program(servers, program, section, key):
    run = Run(servers, program, section, key)
    try:
        if run.settle():
            run.probe()
            assert run.end() == 0, run.said
        else:
            assert run.process.returncode == 1 and key in run.said, (run.process.returncode, run.said)
    finally:
        run.process.kill()
        run.process.wait()
    assert not BAD_LOG.search(run.said), run.said


PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(60)).decode()
# What may be empty, all at once: nothing of it is needed for a message each way and what is said of it.
WITHOUT = ["gateway.channels=", "lmtp.submit=", "lmtp.recipient_delimiter=", "web.trusted_proxies=", "dovecot.doveadm_url=",
           "dovecot.doveadm_key_file=", "dovecot.events_key_file=", "media.convert="]


@pytest.mark.destructive
@pytest.mark.parametrize("own_gateway", [WITHOUT], indirect=True)
def test_messages_go_both_ways_without_all_that_is_optional(own_gateway):
    gateway = own_gateway
    person, contact = gateway.user("alice"), gateway.number()
    endpoint = person.endpoint()
    gateway.sim.inbound(contact, endpoint.number, "anybody there?", media=[{"name": "dot.png", "content_type": "image/png", "content": PNG}])
    mail = person.inbox.wait(lambda mail: "anybody there?" in mail.text)
    person.reply(mail, "Yes.")
    gateway.sim.wait_request(to=contact, text="Yes.")
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.deliveries WHERE recipient = %s AND status = 'delivered'", contact), "the receipt")
    wait_until(lambda: not gateway.sql("SELECT 1 FROM ump.jobs"), "every job to be done")
