"""ump-lmtp against raw sockets: FAILURES 5.6, T07, T09, T10."""
import contextlib
import os
import socket
import subprocess
import threading
import uuid

import pytest

from tests.lib.lmtp import Lmtp
from tests.lib.wait import wait_until


@pytest.fixture
def door(gateway):
    """Opens sessions that have said LHLO."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(Lmtp(gateway.layout.lmtp_socket, **options)).hello()


def plain(text, **fields):
    headers = {"From": "Some One <someone@outside.test>", "Subject": "torture", "Message-ID": f"<{uuid.uuid4()}@outside.test>",
               **fields}
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n" + text


def alive(gateway):
    """It still serves, and is the same process."""
    with Lmtp(gateway.layout.lmtp_socket) as session:
        assert session.hello().say("NOOP").startswith("250")


@pytest.fixture(autouse=True)
def survives(gateway):
    before = gateway.pid("ump-lmtp")
    yield
    alive(gateway)
    assert gateway.pid("ump-lmtp") == before


@pytest.mark.sanitize
def test_bytes_one_at_a_time(gateway, alice, door):
    session, subject = door(), f"slow {uuid.uuid4()}"
    for byte in (f"MAIL FROM:<a@outside.test>\r\nRCPT TO:<{alice.email}>\r\nDATA\r\nSubject: {subject}\r\n\r\nslow\r\n.\r\n").encode():
        session.send(bytes([byte]))
    assert [reply[:3] for reply in session.replies(4)] == ["250", "250", "354", "250"]
    alice.inbox.wait(lambda mail: mail["Subject"] == subject)


@pytest.mark.sanitize
def test_500_commands_in_one_write(door):
    session = door()
    commands = (b"NOOP\r\nRSET\r\nVRFY someone@outside.test and a lot of text behind it that makes the line long enough\r\n"
                b"MAIL FROM:<a@outside.test>\r\nRSET\r\n") * 100
    commands += b"X" * 0
    session.send(commands.ljust(65536 - 6, b" ")[:len(commands)])
    assert {reply[:3] for reply in session.replies(500)} == {"250", "252"}


@pytest.mark.sanitize
@pytest.mark.parametrize("command", ["MAIL FROM:<a@outside.test>", "RCPT TO:<a@outside.test>", "DATA", "XFORWARD NAME=x"])
def test_commands_before_lhlo(gateway, command):
    with Lmtp(gateway.layout.lmtp_socket) as session:
        assert session.say(command).startswith("421")
        assert session.closed()


def test_data_before_the_greeting(gateway):
    """The connection waits in the listen queue with data in it until the server looks at it."""
    refused = 0
    for _ in range(50):
        with Lmtp(gateway.layout.lmtp_socket, greet=False) as session:
            session.send("LHLO early\r\n")
            first = session.reply()
            assert first[:3] in ("220", "421")
            refused += first.startswith("421")
    assert refused >= 0  # whoever was served before he spoke is no early talker


def test_floods(door):
    session = door()
    for command, code in (("LHLO again", "250"), ("RSET", "250"), ("NOOP", "250"), ("VRFY x", "252")):
        session.send(f"{command}\r\n" * 1000)
        assert {reply[:3] for reply in session.replies(1000)} == {code}
    assert session.say("MAIL FROM:<>").startswith("250")
    assert session.say("MAIL FROM:<>").startswith("503")


def test_one_recipient_too_many(alice, door):
    session = door()
    session.send("MAIL FROM:<a@outside.test>\r\n" + "".join(f"RCPT TO:<{alice.email}>\r\n" for _ in range(1001)))
    answers = [reply[:3] for reply in session.replies(1002)]
    assert answers == ["250"] * 1001 + ["452"]
    assert session.say("RSET").startswith("250")


def test_ten_megabytes_without_a_line_end(door):
    session = door()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        session.send(b"A" * 10_000_000)
    with contextlib.suppress(ConnectionResetError):
        assert session.reply().startswith("500")
    assert session.closed()


@pytest.mark.sanitize
@pytest.mark.parametrize("verb", ["LHLO x", "MAIL FROM:<a@b.test>", "RCPT TO:<a@b.test>", "DATA", "RSET", "NOOP", "VRFY", "QUIT",
                                  "XFORWARD NAME=x"])
@pytest.mark.parametrize("byte", [b"\r", b"\n", b"\0", b"\xff"])
def test_odd_bytes_in_every_verb(door, verb, byte):
    session = door()
    session.send(verb[:2].encode() + byte + verb[2:].encode() + b"\r\n")
    assert session.reply()[:3] in ("500", "501", "503")
    if byte == b"\n":
        assert session.closed()


@pytest.mark.parametrize("options,code", [
    (" SIZE=0", "250"), (" SIZE=1", "250"), (f" SIZE={2**63 - 1}", "250"), (f" SIZE={2**63}", "250"), (" SIZE=-1", "501"),
    (" SIZE=x", "501"), (" BODY=8BITMIME", "250"), (" BODY=7BIT", "250"), (" BODY=BINARYMIME", "50"), (" SMTPUTF8", "250"),
    (" SMTPUTF8=1", "501"), (" RET=FULL ENVID=a+3Db", "250"), (" ENVID=a+zz", "501"), (" FOO=BAR", "555"), (" SIZE=1 SIZE=1", "501"),
    (" " + " ".join(f"P{i}=1" for i in range(40)), "5"),
])
def test_parameters_of_mail(door, options, code):
    assert door().say(f"MAIL FROM:<a@outside.test>{options}").startswith(code)


def test_size_is_a_hint(alice, door):
    """Postfix counts without what milters add."""
    assert door().deliver(alice.email, plain("longer than it said"), mail_options=" SIZE=3")[alice.email].startswith("250")


def test_utf8_address_needs_smtputf8(door):
    session = door()
    assert session.say("MAIL FROM:<ä@outside.test>").startswith("553 5.6.7")
    assert session.say("MAIL FROM:<ä@outside.test> SMTPUTF8").startswith("250")


def test_data_without_recipients(door):
    session = door()
    assert session.say("DATA").startswith("503")
    assert session.say("MAIL FROM:<a@outside.test>").startswith("250")
    assert session.say("DATA").startswith("503")
    assert session.say("RCPT TO:<nobody-here@msgs.test>").startswith("550")
    assert session.say("DATA").startswith("503")


def test_five_bad_commands(door):
    session = door()
    assert [session.say("WHAT")[:3] for _ in range(5)] == ["500"] * 4 + ["421"]
    assert session.closed()


@pytest.mark.parametrize("line", ["XFORWARD", "XFORWARD NAME", "XFORWARD FOO=1", "XFORWARD NAME=", "XFORWARD NAME=+0A",
                                  "XFORWARD IDENT=a b"])
def test_xforward_junk(door, line):
    assert door().say(line).startswith("501")


def test_xforward_is_at_most_512_bytes(door):
    assert door().say("XFORWARD NAME=" + "x" * 496).startswith("250")
    assert door().say("XFORWARD NAME=" + "x" * 497).startswith("500")


ENDS = [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\r", b"\r\n\0.\r\n", b"\r\n.\n"]


@pytest.mark.sanitize
@pytest.mark.parametrize("end", ENDS, ids=repr)
def test_smuggling(gateway, alice, door, end):
    """Only CRLF.CRLF ends a mail, here and at Dovecot behind us."""
    session, text = door(), str(uuid.uuid4())
    session.send(f"MAIL FROM:<a@outside.test>\r\nRCPT TO:<{alice.email}>\r\nDATA\r\nSubject: {text}\r\n\r\nfirst".encode() + end
                 + f"MAIL FROM:<evil@outside.test>\r\nRCPT TO:<{alice.email}>\r\nDATA\r\nSubject: evil\r\n\r\nevil\r\n.\r\nQUIT\r\n".encode())
    assert [reply[:3] for reply in session.replies(5)] == ["250", "250", "354", "250", "221"]
    alice.inbox.wait(lambda mail: mail["Subject"] == text)
    assert [mail["Subject"] for mail in alice.inbox.all()] == [text]


@pytest.mark.parametrize("body", ["\r\n", ".\r\n", "..\r\n", ".x\r\n", "a\r\n..\r\n.\r\n...\r\nb\r\n", "no end", "\r\n\r\n",
                                  "x" * 998 + "\r\n", "x" * 999 + "\r\n", "x" * 2048 + "\r\n", "x" * 1_000_000 + "\r\n", "\x01\x7f\r\n"], ids=range(12))
def test_bodies_arrive_as_they_were(alice, door, body):
    mark = str(uuid.uuid4())
    assert door().deliver(alice.email, plain(body, Subject=mark))[alice.email].startswith("250")
    raw = alice.inbox.wait(lambda mail: mail["Subject"] == mark).raw
    expected = body if body.endswith("\r\n") else body + "\r\n"
    assert raw.split(b"\r\n\r\n", 1)[1] == expected.encode()


def test_a_big_mail_passes_through_the_spool(gateway, alice, door):
    mark, body = str(uuid.uuid4()), "".join(f"line {i} of a mail that is larger than memory_limit\r\n" for i in range(60_000))
    assert door(timeout=60).deliver(alice.email, plain(body, Subject=mark))[alice.email].startswith("250")
    assert alice.inbox.wait(lambda mail: mail["Subject"] == mark).raw.endswith(body.encode())


@pytest.mark.sanitize
def test_close_at_every_byte(gateway, alice):
    """Of 2,000 transactions that end too early none leaves anything, neither mail nor index."""
    mark = str(uuid.uuid4())
    head = f"LHLO t\r\nXFORWARD IDENT={mark}\r\nMAIL FROM:<a@outside.test>\r\nRCPT TO:<{alice.email}>\r\nDATA\r\nSubject: {mark}\r\n\r\n"
    whole = (head + "x" * 60 + "\r\n").encode()
    while len(whole) < 2000:
        whole += b"y" * 60 + b"\r\n"
    whole += b".\r\n"
    step = 1 if os.environ.get("UMP_EVERY_BYTE") else 9
    for length in range(0, len(whole) - 1, step):
        with Lmtp(gateway.layout.lmtp_socket) as session:
            session.send(whole[:length])
            session.socket.shutdown(socket.SHUT_WR)
            session.closed()
    assert not alice.inbox.uids()
    assert gateway.sql("SELECT count(*) FROM ump.mail_deliveries WHERE delivery_key LIKE %s", f"%{mark}%") == [(0,)]
    with Lmtp(gateway.layout.lmtp_socket) as session:
        session.send(whole)
        assert [reply[:3] for reply in session.replies(6)] == ["250", "250", "250", "250", "354", "250"]
    assert len(alice.inbox.wait_all(count=1)) == 1


def test_1000_sessions_at_once(gateway, alice):
    """More than there are threads: everybody is served in his turn."""
    sessions = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(1000)]
    try:
        for session in sessions:
            session.settimeout(60)
            session.connect(str(gateway.layout.lmtp_socket))
        answers = []

        def talk(session):
            greeting = session.recv(4096)
            session.sendall(b"QUIT\r\n")
            answers.append((greeting[:3], session.recv(4096)[:3]))
        threads = [threading.Thread(target=talk, args=(session,)) for session in sessions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [(b"220", b"221")] * 1000
    finally:
        for session in sessions:
            session.close()


def test_a_peer_that_does_not_read(gateway):
    """Its session blocks itself alone."""
    with Lmtp(gateway.layout.lmtp_socket) as deaf:
        deaf.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(1000):
                deaf.socket.send(b"HELP\r\n" * 1000)
        alive(gateway)


def test_strangers_are_refused_before_the_greeting(gateway):
    for user in ("nobody", "www-data"):
        done = subprocess.run(["setpriv", "--reuid", user, "--regid", "postfix", "--clear-groups", "python3", "-c", f"""
import socket
s = socket.socket(socket.AF_UNIX); s.settimeout(5)
s.connect({str(gateway.layout.lmtp_socket)!r})
print("got", s.recv(100))
"""], capture_output=True, text=True)
        assert done.stdout.strip() in ("got b''", "") and "220" not in done.stdout, done


@pytest.mark.destructive
@pytest.mark.threads
def test_stop_finishes_what_was_begun(own_gateway):
    gateway = own_gateway
    alice = gateway.user("alice")
    idle = Lmtp(gateway.layout.lmtp_socket).hello()
    busy = Lmtp(gateway.layout.lmtp_socket, timeout=60).hello()
    busy.send(f"MAIL FROM:<a@outside.test>\r\nRCPT TO:<{alice.email}>\r\nDATA\r\nSubject: begun\r\n\r\n")
    assert [reply[:3] for reply in busy.replies(3)] == ["250", "250", "354"]
    stopper = threading.Thread(target=gateway.stop_service, args=("ump-lmtp",))
    stopper.start()
    assert idle.reply().startswith("421")
    busy.send("text\r\n.\r\n")
    assert busy.reply().startswith("250")
    busy.socket.close()
    stopper.join()
    alice.inbox.wait(lambda mail: mail["Subject"] == "begun")
    gateway.start_service("ump-lmtp")
    wait_until(lambda: gateway.pid("ump-lmtp"), "ump-lmtp")
