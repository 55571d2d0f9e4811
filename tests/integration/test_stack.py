"""The private stack itself: side by side, supervised, and nothing lost by down and up."""
import email
import os
import signal
import smtplib
import subprocess
import time

import pytest

from tests.conftest import stack_directory
from tests.lib.wait import wait_until
from tests.stack.lifecycle import SERVERS, Stack, psql, ready


@pytest.fixture(scope="module")
def servers():
    """Two stacks of PostgreSQL, Postfix and Dovecot at once."""
    stacks = [Stack(stack_directory(), say=lambda text: None) for _ in range(2)]
    for stack in stacks:
        stack.up(servers_only=True)
    yield stacks
    for stack in stacks:
        stack.down(quiet=True)
        subprocess.run(["rm", "-rf", stack.layout.dir], check=True)


def test_side_by_side(servers):
    first, second = (stack.layout for stack in servers)
    assert not set(first.ports.values()) & set(second.ports.values())
    psql(first, "CREATE TABLE only_here ()", database="ump")
    assert psql(second, "SELECT to_regclass('only_here') IS NULL", database="ump") == "t"


def test_env_is_what_a_shell_can_source(servers):
    layout = servers[0].layout
    shown = subprocess.run(["sh", "-c", f". {layout.env_file}; set"], capture_output=True, text=True, check=True).stdout
    for key, value in layout.environment().items():
        assert f"{key}='{value}'" in shown
    assert list(layout.environment()) == ["UMP_DIR", "UMP_CONF", "UMP_DOMAIN", "UMP_SMTP_PORT", "UMP_SUBMISSION_PORT",
                                          "UMP_IMAP_PORT", "UMP_LMTP_SOCKET", "UMP_HTTP_URL", "UMP_DATABASE_URL", "UMPCTL"]


@pytest.mark.parametrize("name", SERVERS)
def test_killed_server_is_back_within_two_seconds(servers, name):
    stack = servers[0]
    before = stack.control.services()[name]["pid"]
    os.kill(before, signal.SIGKILL)
    started = time.monotonic()
    wait_until(lambda: stack.control.services()[name]["pid"] not in (None, before), "the restart", 5, 0.01)
    assert time.monotonic() - started < 2
    wait_until(lambda: _is_ready(stack, name), f"{name} to answer", 20)


def _is_ready(stack, name):
    try:
        return ready(stack.layout, name)
    except OSError:
        return False


def test_down_and_up_keep_queue_database_ports_and_configuration(servers):
    stack = servers[1]
    ports = stack.layout.ports
    changed = stack.layout.conf.read_text().replace("log_level = info", "log_level = debug") + "\n[caps]\nuser_per_hour = 7\n"
    stack.layout.conf.write_text(changed)
    psql(stack.layout, "CREATE TABLE kept AS SELECT 42 AS answer", database="ump")
    message = email.message.EmailMessage()
    message["Subject"] = "waits, for ump-lmtp does not run"
    with smtplib.SMTP("127.0.0.1", ports["smtp"]) as session:
        session.send_message(message, "x@outside.test", ["alice@msgs.test"])
    stack.down(quiet=True)
    stack.up(servers_only=True)
    assert stack.layout.ports == ports
    assert stack.layout.conf.read_text() == changed
    assert psql(stack.layout, "SELECT answer FROM kept", database="ump") == "42"
    queued = subprocess.run(["postqueue", "-c", stack.layout.postfix, "-j"], capture_output=True, text=True, check=True)
    assert queued.stdout.count("alice@msgs.test") == 1


def test_supervisor_killed_leaves_nothing_behind_for_the_next_up(servers):
    stack = servers[1]
    os.kill(stack.control.call("status")["supervisor"], signal.SIGKILL)
    wait_until(lambda: not stack.control.alive(), "the supervisor to be gone", 5)
    stack.up(servers_only=True)
    assert all(service["pid"] for service in stack.control.services().values())


def test_nothing_is_accepted_for_a_gateway_address_from_outside(servers):
    """Also without any of our programs: the check stands in Postfix."""
    layout = servers[0].layout
    psql(layout, "CREATE SCHEMA IF NOT EXISTS ump; CREATE ROLE ump_postfix LOGIN; GRANT USAGE ON SCHEMA ump TO ump_postfix;"
                 "CREATE OR REPLACE FUNCTION ump.postfix_machine_net(text) RETURNS SETOF text LANGUAGE sql"
                 " AS 'SELECT NULL::text WHERE false'", database="ump")
    for recipient in ("+12125550123@sms.msgs.test", "@a:+12125550123@sms.msgs.test", '"+12125550123"@sms.msgs.test',
                      "+12125550123@SMS.MSGS.TEST", "x@whatsapp.msgs.test", "r.x@notice.msgs.test"):
        with smtplib.SMTP("127.0.0.1", layout.ports["smtp"]) as session:
            session.ehlo()
            session.mail("x@outside.test")
            code, text = session.docmd(f"RCPT TO:<{recipient}>")
            assert (code, text[:5]) == (550, b"5.7.1"), (recipient, text)
