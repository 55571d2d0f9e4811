"""What a gateway has stored outlives it: restored from a backup into a fresh database, and brought up from the first schema.

Each test lets a gateway live a little, puts its data elsewhere and back, and goes on where it was."""
import base64
import subprocess
from dataclasses import dataclass

import pytest

from tests.lib.conversation import PNG, arrived, is_report, wait_status
from tests.lib.gateway import ControlFailed, Endpoint
from tests.lib.smtp import Refused
from tests.lib.wait import wait_until
from tests.stack.layout import ROOT
from tests.stack.lifecycle import PROGRAMS

pytestmark = [pytest.mark.destructive, pytest.mark.guarantee]
FIRST = ROOT / "sql" / "migrations" / "0001-data-model.sql"
# As `umpctl migrate` of that time left it, but for the functions, which every version makes anew.
BOOTSTRAP = """CREATE SCHEMA ump;
CREATE TABLE ump.schema_version (version integer PRIMARY KEY, oldest_program integer NOT NULL, name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now());
INSERT INTO ump.schema_version VALUES (1, 1, 'data-model');
"""


@dataclass
class Life:
    """What somebody remembers of it."""
    endpoint: Endpoint
    team: Endpoint
    contact: str
    stopped: str
    conversation: str
    known: object  # the mail that the contact sent


def live(gateway):
    alice = gateway.user("alice")
    endpoint = gateway.endpoint(alice)
    gateway.umpctl("team", "add", "support", "--mailbox", "support@msgs.test", "--member", "alice@msgs.test", "--member", "bob@msgs.test")
    team = gateway.endpoint("team:support")
    contact, stopped, other = gateway.number(), gateway.number(), gateway.number()
    gateway.sim.inbound(contact, endpoint.number, "a tab\there, a \\ and a line\nEND of it \\. ")
    known = arrived(alice, "text")
    gateway.sim.inbound(contact, endpoint.number, "look",
                        media=[{"name": "p.png", "content_type": "image/png", "content": base64.b64encode(PNG).decode()}])
    arrived(alice, "media")
    answer = alice.reply(known, "an answer")
    gateway.sim.wait_request(text="an answer")
    wait_status(gateway, answer, "delivered")
    gateway.sim.inbound(other, team.number, "for all of you")
    arrived(gateway.user("support"), "text", lambda mail: mail.text == "for all of you")
    gateway.sim.inbound(stopped, endpoint.number, "STOP")
    arrived(alice, "text", lambda mail: mail.text.startswith("STOP"))
    gateway.umpctl("contact", "set", other, "--name", "Zoë \"Z\" O'Hara; DROP")
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.jobs WHERE state < 3") == [(0,)], "quiet")
    return Life(endpoint, team, contact, stopped, str(known["UMP-Conversation-ID"]), known)


def go_on(gateway, life):
    """The same people at the same endpoints, with the same secrets, in the same conversations."""
    alice, support = gateway.user("alice"), gateway.user("support")
    gateway.sim.inbound(life.contact, life.endpoint.number, "I am still here")
    mail = arrived(alice, "text", lambda mail: mail.text == "I am still here")
    assert str(mail["UMP-Conversation-ID"]) == life.conversation
    assert life.known["Message-ID"] in mail["References"]
    alice.reply(life.known, "so are we")
    assert gateway.sim.wait_request(text="so are we")["request"]["to"] == life.contact
    with pytest.raises(Refused) as refused:
        alice.submit(life.endpoint.address(life.stopped), "more")
    assert "STOP" in str(refused.value)
    gateway.sim.inbound(life.contact, life.team.number, "and the team?")
    arrived(support, "text", lambda mail: mail.text == "and the team?")
    told = gateway.umpctl("conversation", "show", life.conversation)
    assert [line for line in ("an answer", "I am still here", "so are we") if line not in str(told)] == []
    wait_until(lambda: gateway.umpctl("search", "--user", alice.email, "answer"), "the search to find it")


def stop(gateway):
    for name in PROGRAMS:
        gateway.stop_service(name)


def start(gateway):
    for name in PROGRAMS:
        gateway.start_service(name)


def columns(gateway):
    """Table → its columns."""
    return dict(gateway.sql("SELECT c.relname::text, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c JOIN pg_attribute a"
                            " ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE c.relnamespace = 'ump'::regnamespace"
                            " AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'schema_version' GROUP BY c.oid, c.relname"))


def psql(url, *arguments, **options):
    return subprocess.run(["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", url, *arguments], check=True, stdout=subprocess.PIPE, **options).stdout


def contents(gateway, tables, database="ump"):
    """Table → its rows in these columns, as COPY writes them, in a fixed order."""
    return {table: psql(gateway.layout.database_url("postgres", database), "-c",
                        f"COPY (SELECT * FROM (SELECT {', '.join(names)} FROM ump.{table}) t ORDER BY t::text) TO STDOUT").splitlines()
            for table, names in tables.items()}


def put_aside(gateway):
    """The database of the gateway becomes `aside`, and an empty one takes its place."""
    stop(gateway)
    gateway.close_database()
    psql(gateway.layout.database_url("postgres", "postgres"), "-c", "ALTER DATABASE ump RENAME TO aside",
         "-c", "CREATE DATABASE ump OWNER ump")


@pytest.mark.parametrize("queue", ["ask", "send"])
@pytest.mark.parametrize("own_gateway", [["outbound.uncertain_notice=3s"]], indirect=True)
def test_a_gateway_goes_on_from_its_backup(own_gateway, tmp_path, queue):
    gateway, file = own_gateway, tmp_path / "index.backup"
    life = live(gateway)
    gateway.stop_service("ump-bridge")
    alice = gateway.user("alice")
    waiting = alice.reply(life.known, "it waits")
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.outbox"), "it to be queued")
    stop(gateway)
    tables = columns(gateway)
    before = contents(gateway, tables)
    assert before["unified_messages"] and before["media"] and before["message_opt_outs"] and before["endpoints"]
    record = gateway.umpctl("backup", file)
    assert record["rows"] == sum(map(len, before.values())) and "key files" in record["note"]
    assert oct(file.stat().st_mode)[-3:] == "600"

    put_aside(gateway)
    gateway.umpctl("migrate")
    damaged, cut = tmp_path / "damaged", tmp_path / "cut"
    whole = file.read_bytes()
    damaged.write_bytes(whole.replace(b"an answer", b"no answer"))
    cut.write_bytes(whole[:len(whole) // 2])
    for path, words in ((damaged, "damaged"), (cut, "not a whole backup"), (tmp_path / "nothing", "No such file")):
        with pytest.raises(ControlFailed) as failed:
            gateway.umpctl("restore", path)
        assert words in failed.value.text
        assert gateway.sql("SELECT count(*) FROM ump.accounts") == [(0,)]
    with pytest.raises(ControlFailed) as failed:
        gateway.umpctl("restore", "--queue", "perhaps", file)
    assert "ask or send" in failed.value.text
    assert gateway.umpctl("restore", "--queue", queue, file)["asked"] == (queue == "ask")
    after = contents(gateway, tables)
    assert {table for table in tables if before[table] != after[table]} == ({"outbox", "deliveries"} if queue == "ask" else set())
    with pytest.raises(ControlFailed) as failed:
        gateway.umpctl("restore", file)
    assert "not empty" in failed.value.text
    start(gateway)
    if queue == "ask":  # it may have been sent since the backup was written
        report = alice.inbox.wait(is_report)
        assert waiting["Message-ID"] in report["References"] and "not known whether the message was sent" in report.text.replace(" \n", "")
        assert not [entry for entry in gateway.sim.accepted if entry["request"]["text"] == "it waits"]
        alice.reply(report, "resend")
    gateway.sim.wait_request(text="it waits")
    go_on(gateway, life)
    assert len([entry for entry in gateway.sim.accepted if entry["request"]["text"] == "it waits"]) == 1


def copy_back(gateway, rows, tables):
    for table, names in tables.items():
        psql(gateway.layout.database_url("postgres"), "-c", "SET session_replication_role = replica", "-c", f"DELETE FROM ump.{table}", "-c",
             f"COPY ump.{table} ({', '.join(names)}) FROM STDIN", input=b"".join(row + b"\n" for row in rows[table]))


def test_data_of_the_first_schema_is_brought_up(own_gateway):
    gateway = own_gateway
    life = live(gateway)
    stop(gateway)
    newest = columns(gateway)
    sequences = gateway.sql("SELECT sequencename::text, last_value FROM pg_sequences WHERE schemaname = 'ump' AND last_value IS NOT NULL")
    put_aside(gateway)
    psql(gateway.layout.database_url(), "-1", "-f", "-", text=True, input=BOOTSTRAP + FIRST.read_text())
    tables = columns(gateway)
    assert {table: set(names) - set(newest[table]) for table, names in tables.items() if not set(names) <= set(newest[table])} == {}
    before = contents(gateway, tables, "aside")
    copy_back(gateway, before, tables)
    for name, value in sequences:
        if gateway.sql("SELECT to_regclass(%s)", f"ump.{name}") != [(None,)]:
            gateway.sql("SELECT setval(%s, %s)", f"ump.{name}", value)
    # Programs of this version do not touch an older schema, and say what to do.
    gateway.start_service("ump-bridge", wait=False)
    wait_until(lambda: "umpctl migrate" in gateway.log("ump-bridge"), "ump-bridge to refuse the old schema")
    gateway.stop_service("ump-bridge")
    gateway.umpctl("migrate")
    assert {table: set(names) for table, names in columns(gateway).items()} == {table: set(names) for table, names in newest.items()}
    after = contents(gateway, tables)
    assert {table for table in tables if before[table] != after[table]} == set()
    start(gateway)
    go_on(gateway, life)
