"""umpctl refuses what it does not understand: a misspelt limit would be none."""
import contextlib
import json
import os
import pty
import subprocess
import unicodedata

import pytest

from tests.lib.gateway import ControlFailed
from tests.lib.wait import wait_until


@pytest.mark.parametrize("setting", ["user_per_hours=30", "user_per_hour=abc", "user_per_hour=-5", "opt_out_scope=all", "word"])
def test_account_settings_are_checked(gateway, setting):
    with pytest.raises(ControlFailed) as failed:
        gateway.umpctl("account", "set", "default", "--set", setting)
    assert failed.value.code == 64


@pytest.mark.parametrize("setting", ["countries=XX", "countries=US;CA", "base_url=javascript:x", "max_segments=0", "colour=red",
                                     "uncertain=maybe", "national_shift=tr,de", "on_uncertain=send", "poll=often", "poll=2d", "poll=100ms"])
def test_endpoint_settings_are_checked(gateway, endpoint, setting):
    with pytest.raises(ControlFailed) as failed:
        gateway.umpctl("endpoint", "set", endpoint.id, "--set", setting)
    assert failed.value.code in (1, 64)


@pytest.mark.parametrize("key", ["short", "A" * 44])
def test_a_key_that_verifies_no_webhook_is_refused(gateway, endpoint, alice, key):
    before = gateway.umpctl("endpoint", "show", endpoint.id)
    for words in (["set", endpoint.id, "--secret", f"public_key={key}"],
                  ["set", endpoint.id, "--secret", f"public_key_previous={key}"],
                  ["add", "sms", "telnyx", gateway.number(), "--owner", alice.email, "--secret", "api_key=K",
                   "--set", f"public_key={key}"]):
        with pytest.raises(ControlFailed) as failed:
            gateway.umpctl("endpoint", *words)
        assert failed.value.code == 64 and "key" in str(failed.value)
    assert gateway.umpctl("endpoint", "show", endpoint.id) == before


@pytest.mark.parametrize("words, code", [(["--help"], 0), (["help"], 0), (["account", "--help"], 0), (["account"], 64),
                                         ([], 64), (["frob", "--help"], 64)])
def test_help_lists_the_commands(gateway, words, code):
    done = subprocess.run([gateway.layout.umpctl, *words], capture_output=True, text=True)
    assert done.returncode == code
    text = done.stdout + done.stderr
    assert ("account add" in text) == (words[:1] != ["frob"])


def test_endpoint_test_asks_the_provider(gateway, endpoint):
    assert gateway.umpctl("endpoint", "test", endpoint.number)["result"] == "ok"
    gateway.umpctl("endpoint", "set", endpoint.id, "--secret", "api_key=KEY_OF_SOMEBODY")
    with pytest.raises(ControlFailed) as failed:
        gateway.umpctl("endpoint", "test", endpoint.number)
    assert failed.value.code == 1


def test_doctor_finds_nothing_wrong_with_the_stack(gateway):
    done = subprocess.run([gateway.layout.umpctl, "doctor"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "\nwrong" not in done.stdout
    assert "its sandbox holds" in done.stdout


@pytest.mark.parametrize("state,deny,allow,status", [
    ("loaded", "10.0.0.0/8 ::/0 0.0.0.0/0", "", "wrong"),
    ("loaded", "::/0 0.0.0.0/0", "::/0 0.0.0.0/0", "ok"),
    ("loaded", "", "", "ok"),
    ("not-found", "::/0 0.0.0.0/0", "", None)])
def test_doctor_knows_whether_the_resolver_is_shut_out(gateway, tmp_path, state, deny, allow, status):
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(f"#!/bin/sh\necho LoadState={state}\necho 'IPAddressAllow={allow}'\necho 'IPAddressDeny={deny}'\n")
    systemctl.chmod(0o755)
    done = subprocess.run([gateway.layout.umpctl, "--json", "doctor", "--offline"], capture_output=True, text=True,
                          env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    rows = [row for row in json.loads(done.stdout) if row["check"] == "resolver"]
    assert {row["status"] for row in rows} == ({status} if status else set())
    assert done.returncode == (1 if status == "wrong" else 0)
    assert all("IPAddressAllow=" in row["mend"] for row in rows if row["status"] == "wrong")


@pytest.mark.parametrize("words", [
    "queue cancel xyz", "queue cancel 0", "queue cancel -- -1", "queue cancel 99999999999999999999", "queue cancel 1x",
    "queue show outbox xyz", "queue retry inbound xyz", "queue show elsewhere 1", "queue retry elsewhere 1", "queue list elsewhere",
    "queue answer xyz send", "queue answer ump:msg:1 cancel", "queue list --limit -1", "conversation list --limit 0",
    "contact list --limit -5", "search word --user alice@msgs.test --limit 0", "stats --days 0"])
def test_a_bad_argument_is_told_in_words(gateway, words):
    done = subprocess.run([gateway.layout.umpctl, *words.split()], capture_output=True, text=True)
    assert done.returncode == 64, done.stderr
    assert done.stderr.startswith("umpctl: ") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [
    "endpoint show xyz", "endpoint set xyz --disable", "endpoint remove xyz", "endpoint test xyz", "conversation show xyz", "trace xyz",
    "contact show xyz", "user set xyz --disable", "user show xyz", "team show xyz", "team remove xyz", "sender remove xyz",
    "template list xyz", "queue cancel 9000000000", "queue answer ump:msg:0190a0e0-0000-7000-8000-000000000001 send", "stats --endpoint xyz"])
def test_what_is_not_there_is_told_in_words(gateway, words):
    """Nothing of SQL reaches the administrator, whatever he takes for an id."""
    done = subprocess.run([gateway.layout.umpctl, *words.split()], capture_output=True, text=True)
    assert done.returncode in (1, 64), done.stderr
    assert not [word for word in ("syntax", "bigint", "uuid:", "SQLSTATE", "ERROR") if word in done.stderr], done.stderr


EVIL = "Eve\x1b]0;owned\x07\x1b[2J\x7f\x9b31m\u202egnp"
SHOWN = "Eve\\u001b]0;owned\\u0007\\u001b[2J\\u007f\\u009b31m\\u202egnp"


def test_control_characters_do_not_reach_the_terminal(gateway, alice, endpoint, contact):
    """Names, texts and errors come from outside: what would move the terminal is shown, not sent there."""
    gateway.sim.inbound(contact, endpoint.number, f"hello {EVIL}")
    alice.inbox.wait(lambda mail: "hello" in mail.text)
    gateway.umpctl("contact", "set", f"sms:{contact}", "--name", EVIL)
    message = gateway.sql("SELECT m.id FROM ump.unified_messages m WHERE m.body LIKE 'hello Eve%%' ORDER BY created_at DESC LIMIT 1")[0][0]
    alice.submit(gateway.address(contact), "an answer")
    gateway.sim.wait_request(to=contact, text="an answer")
    wait_until(lambda: gateway.sql("UPDATE ump.deliveries SET status = 'failed', failed_at = now(), error_code = %s, error_text = %s"
                                   " WHERE recipient = %s AND status = 'delivered' RETURNING 1", EVIL, EVIL, contact), "its delivery")
    answer = gateway.sql("SELECT message_id FROM ump.deliveries WHERE recipient = %s", contact)[0][0]
    wait_until(lambda: gateway.umpctl("search", "hello", "--user", alice.email), "the search's index", 30)
    for words in (["contact", "show", f"sms:{contact}"], ["contact", "list"], ["conversation", "show", f"ump:msg:{message}"],
                  ["search", "hello", "--user", alice.email], ["trace", f"ump:msg:{answer}"], ["stats", "--endpoint", endpoint.number],
                  ["contact", "show", f"no {EVIL}"]):
        for option in ([], ["--json"]):
            done = subprocess.run([gateway.layout.umpctl, *option, *words], capture_output=True, text=True)
            told = done.stdout + done.stderr
            assert not [c for c in told if unicodedata.category(c) == "Cc" and c != "\n" or c == "\u202e"], (words, told)
            assert "owned" in told, (words, told)
    shown = subprocess.run([gateway.layout.umpctl, "contact", "show", f"sms:{contact}"], capture_output=True, text=True).stdout
    assert SHOWN in shown
    assert gateway.umpctl("contact", "show", f"sms:{contact}")["name"] == EVIL


def test_text_is_plain_on_a_terminal_and_as_it_is_elsewhere(gateway, tmp_path):
    """umpctl text shows strangers' mail: escaped on a terminal; a pipe gets what would be sent."""
    mail = tmp_path / "mail.eml"
    mail.write_text("From: a@b.test\nContent-Type: text/plain; charset=utf-8\n\nred \u009b31m text\n", encoding="utf-8")
    command = [gateway.layout.umpctl, "text", str(mail)]
    assert "\u009b" in subprocess.run(command, capture_output=True, text=True).stdout
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL):
        os.close(theirs)
        told = b""
        with contextlib.suppress(OSError):  # EIO: the other side has closed
            while some := os.read(ours, 4096):
                told += some
    os.close(ours)
    assert told.decode().strip() == "red \\u009b31m text"
    explained = subprocess.run([*command, "--explain"], capture_output=True, text=True).stdout
    assert "red \\u009b31m text" in explained and "\u009b" not in explained


def test_migrate_brings_the_limits_of_this_version(gateway, alice):
    """An endpoint keeps what its adapter carried when it was added: an upgrade may carry more."""
    number = gateway.number()
    record = gateway.umpctl("endpoint", "add", "whatsapp", "telnyx", number, "--owner", alice.email, "--secret", "api_key=K",
                            "--secret", "public_key=" + "A" * 43 + "=", "--set", "max_segments=3")
    limits = record["settings"]["limits"]
    assert limits["split_media"] == 30
    gateway.sql("UPDATE ump.endpoints SET settings = settings || '{\"limits\": {\"max_media\": 1}}' WHERE id = %s", record["id"])
    gateway.umpctl("migrate")
    shown = gateway.umpctl("endpoint", "show", record["id"])["settings"]
    assert shown["limits"] == limits and shown["max_segments"] == 3
    [(before,)] = gateway.sql("SELECT version FROM ump.endpoints WHERE id = %s", record["id"])
    gateway.umpctl("migrate")
    assert gateway.sql("SELECT version FROM ump.endpoints WHERE id = %s", record["id"]) == [(before,)]      # nothing to do
