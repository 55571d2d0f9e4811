"""What the store has taken is settled after the peer has its answer: at once, later from the journal, or at the end."""
import email.utils
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg2
import pytest

from tests.lib.lmtp import Lmtp
from tests.lib.wait import wait_until


def mail(text):
    return (f"From: Some One <someone@outside.test>\r\nSubject: x\r\nDate: {email.utils.formatdate()}\r\n"
            f"Message-ID: <{uuid.uuid4()}@outside.test>\r\n\r\n{text}\r\n")


def deliveries(gateway, key):
    return gateway.sql("SELECT state, reply, settled_at IS NOT NULL, settled_at >= created_at FROM ump.mail_deliveries"
                       " WHERE delivery_key = %s", key)


@contextmanager
def held(gateway, key):
    """The row of a delivery, pending again, and locked by somebody else."""
    connection = psycopg2.connect(gateway.layout.database_url("postgres"))
    try:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE ump.mail_deliveries SET state = 'pending', reply = NULL, settled_at = NULL"
                           " WHERE delivery_key = %s", (key,))
            connection.commit()
            cursor.execute("SELECT 1 FROM ump.mail_deliveries WHERE delivery_key = %s FOR UPDATE", (key,))
            yield
    finally:
        connection.close()


@pytest.mark.threads
def test_deliveries_of_many_sessions_are_settled(gateway, alice):
    def deliver(marks):
        with Lmtp(gateway.layout.lmtp_socket, timeout=60) as session:
            session.hello()
            return {f"tests/{mark}/{alice.email}": session.deliver(alice.email, mail(mark), ident=mark)[alice.email] for mark in marks}

    with ThreadPoolExecutor(8) as pool:
        replies = {key: reply for some in pool.map(deliver, [[uuid.uuid4().hex for _ in range(5)] for _ in range(8)])
                   for key, reply in some.items()}
    assert len(replies) == 40
    for key, reply in replies.items():
        wait_until(lambda: deliveries(gateway, key) == [("done", reply, True, True)], f"{key} to be settled")
    assert "settled-later" not in gateway.log("ump-lmtp")


@pytest.mark.destructive
@pytest.mark.threads
@pytest.mark.parametrize("own_gateway", [["lmtp.index_wait=500ms"]], indirect=True)
def test_what_cannot_be_settled_is_answered_all_the_same_and_settled_later(own_gateway):
    gateway = own_gateway
    bob = gateway.user("bob")
    key = f"tests/SLOW1/{bob.email}"
    content = mail("slow")
    with Lmtp(gateway.layout.lmtp_socket, timeout=60) as session:
        session.hello().deliver(bob.email, content, ident="SLOW1")
        wait_until(lambda: deliveries(gateway, key)[0][0] == "done", "the delivery to be settled")
        with held(gateway, key):
            started = time.monotonic()
            reply = session.deliver(bob.email, content, ident="SLOW1")[bob.email]
            assert reply.startswith("250 2.0.0") and time.monotonic() - started < 0.5
            # Its turn lasts until the journal has it; who comes again before waits.
            wait_until(lambda: any(path.stat().st_size for path in gateway.layout.state.rglob("lmtp*/*")
                                   if path.is_file() and b"SLOW1" in path.read_bytes()), "the journal to have it")
            assert deliveries(gateway, key)[0][0] == "pending" and "settled-later" in gateway.log("ump-lmtp")
        wait_until(lambda: deliveries(gateway, key) == [("done", reply, True, True)], "it to be settled from the journal")
        assert session.deliver(bob.email, content, ident="SLOW1")[bob.email] == "250 2.0.0 Delivered before"


@pytest.mark.destructive
def test_the_end_of_the_program_settles_what_is_left(own_gateway):
    gateway = own_gateway
    bob = gateway.user("bob")
    with Lmtp(gateway.layout.lmtp_socket, timeout=60) as session:
        session.hello()
        replies = {f"tests/END{index}/{bob.email}": session.deliver(bob.email, mail(index), ident=f"END{index}")[bob.email]
                   for index in range(5)}
    gateway.stop_service("ump-lmtp")
    assert [deliveries(gateway, key) for key in replies] == [[("done", reply, True, True)] for reply in replies.values()]
