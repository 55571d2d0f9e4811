"""The web role as an attacker and a clumsy proxy see it: limits, deadlines, smuggling, media, health."""
import base64
import hashlib
import json
import re
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

import pytest

from tests.lib.wait import wait_until


def signed(sim, body, moment=None):
    stamp = str(int(time.time()) if moment is None else moment)
    signature = base64.b64encode(sim.key.sign(stamp.encode() + b"|" + body).signature).decode()
    return {"telnyx-timestamp": stamp, "telnyx-signature-ed25519": signature, "Content-Type": "application/json"}


def request(gateway, method, path, body=None, headers=None):
    """Status, headers, body."""
    ask = urllib.request.Request(gateway.url + path, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(ask, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def path_of(endpoint):
    return urllib.parse.urlsplit(endpoint.webhook_url).path


def post(gateway, endpoint, body, headers=None, query=""):
    return request(gateway, "POST", path_of(endpoint) + query, body, {**signed(gateway.sim, body), **(headers or {})})[0]


def raw(gateway, data, timeout=5.0, slowly=0.0):
    """Everything that comes back on a bare connection, and how long it stayed open."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", gateway.ports["http"]), timeout=timeout) as connection:
        answer = b""
        try:
            if slowly:
                for byte in data:
                    connection.sendall(bytes([byte]))
                    time.sleep(slowly)  # a slow peer
            else:
                connection.sendall(data)
            while chunk := connection.recv(65536):
                answer += chunk
        except (TimeoutError, ConnectionError):
            pass
    return answer, time.monotonic() - began


def dead_jobs(gateway, endpoint):
    return gateway.sql("SELECT kind FROM ump.jobs WHERE endpoint_id = %s AND state = 6", endpoint.id)


@pytest.mark.sanitize
def test_paths_and_methods(gateway, endpoint):
    assert request(gateway, "POST", f"/webhooks/{uuid.uuid4()}", b"{}")[0] == 404
    assert request(gateway, "POST", "/webhooks/not-an-id", b"{}")[0] == 404
    assert request(gateway, "POST", "/", b"{}")[0] == 404
    assert request(gateway, "GET", "/webhooks/")[0] == 404
    assert request(gateway, "PUT", path_of(endpoint), b"{}")[0] == 405
    assert request(gateway, "DELETE", path_of(endpoint))[0] == 405


def test_disabled_endpoint_is_gone(gateway, endpoint, contact):
    gateway.umpctl("endpoint", "disable", endpoint.id)
    body = json.dumps(gateway.sim.inbound_event(**{"from": contact, "to": endpoint.number, "text": "x"})).encode()
    wait_until(lambda: post(gateway, endpoint, body) == 410, "410")


@pytest.mark.sanitize
@pytest.mark.parametrize("body, kind", [
    (b"[" * 5000, "overlimit"),
    (b"[" + b"{}," * 60000 + b"{}]", "overlimit"),
    (b'["' + b"x" * 70000 + b'"]', "overlimit"),
    (b'{"data": 1, "data": 2}', "unparsed"),
    (b"not json", "unparsed"),
    (b'{"pad": "' + b"x" * 300_000 + b'"}', "oversize")],
    ids=["deep", "many", "string", "twice", "text", "large"])
def test_signed_but_odd_is_kept_for_the_operator(gateway, endpoint, body, kind):
    assert post(gateway, endpoint, body) == 200
    wait_until(lambda: (kind,) in dead_jobs(gateway, endpoint), "the job to be set aside")
    kept = gateway.sql("SELECT body FROM ump.provider_events WHERE endpoint_id = %s", endpoint.id)
    assert [bytes(row[0]) for row in kept] == [body]
    assert kind in gateway.log("ump-bridge")


def test_half_an_emoji_costs_a_character_and_not_the_message(gateway, alice, endpoint, contact):
    """A carrier that cuts an emoji in two makes JSON which UTF-8 cannot hold."""
    event = gateway.sim.inbound_event(**{"from": contact, "to": endpoint.number, "text": "See you HALF"})
    body = json.dumps(event).replace("HALF", r"\ud83d and caf\u0000").encode()
    assert post(gateway, endpoint, body) == 200
    assert alice.inbox.wait().text == "See you \ufffd and caf\ufffd"


def test_the_operator_gets_what_could_not_be_read(gateway, endpoint, people):
    """FAILURES I7: a mail to each administrator, with the raw event in it; once, and saying how to go on."""
    admin = people()
    gateway.umpctl("user", "set", admin.email, "--role", "admin")
    body = b'{"odd": "' + admin.email.encode() + b'", "odd": 2}'
    assert post(gateway, endpoint, body) == 200
    mail = admin.inbox.wait(lambda mail: body in [part.get_content() for part in mail.attachments])
    assert endpoint.number in mail["Subject"] and mail["Auto-Submitted"] == "auto-generated"
    job = gateway.sql("SELECT id FROM ump.jobs WHERE endpoint_id = %s AND state = 6", endpoint.id)[0][0]
    assert f"umpctl queue retry inbound {job}" in " ".join(mail.text.split())


def test_unsigned_of_any_size_is_401_or_413(gateway, endpoint):
    assert request(gateway, "POST", path_of(endpoint), b"{" * 100_000)[0] == 401
    answer, _ = raw(gateway, b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n" % path_of(endpoint).encode())
    assert answer.startswith(b"HTTP/1.1 413")
    assert gateway.sql("SELECT count(*) FROM ump.provider_events WHERE endpoint_id = %s", endpoint.id) == [(0,)]


SMUGGLING = [
    b"Content-Length: 5\r\nContent-Length: 6\r\n", b"Content-Length: 5\r\nContent-Length: 5\r\n",
    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: xchunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n", b"Content-Length: +5\r\n", b"Content-Length: -5\r\n",
    b"Content-Length: 5, 5\r\n", b"Content-Length: 0x5\r\n", b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n"]


@pytest.mark.sanitize
@pytest.mark.parametrize("fields", SMUGGLING, ids=lambda fields: fields.decode().replace("\r\n", "|")[:-1])
def test_two_lengths_are_refused_and_closed(gateway, endpoint, fields):
    """Nothing of what follows on the connection is taken as a request (FAILURES T25)."""
    path = path_of(endpoint).encode()
    data = b"POST %s HTTP/1.1\r\nHost: x\r\n%s\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" % (path, fields)
    answer, _ = raw(gateway, data, timeout=3)
    # libmicrohttpd says its own 400 twice before it closes
    assert set(re.findall(rb"HTTP/1\.1 (\d)", answer)) <= {b"4"}, answer
    assert b"Connection: close" in answer, answer
    assert b'"database"' not in answer


def test_content_encoding_is_415(gateway, endpoint):
    assert post(gateway, endpoint, b"{}", {"Content-Encoding": "gzip"}) == 415


def test_many_headers_are_431(gateway, endpoint):
    assert post(gateway, endpoint, b"{}", {f"X-{n}": "y" for n in range(60)}) == 431


def test_dripping_head_is_closed(gateway, endpoint):
    _, took = raw(gateway, b"POST %s HTTP/1.1\r\nX: " % path_of(endpoint).encode() + b"a" * 200, timeout=15, slowly=0.1)
    assert took < 8


def test_dripping_body_is_closed(gateway, endpoint):
    head = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n" % path_of(endpoint).encode()
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", gateway.ports["http"]), timeout=15) as connection:
        connection.sendall(head)
        with pytest.raises(ConnectionError):
            for _ in range(300):
                connection.sendall(b"x")
                time.sleep(0.05)  # a slow peer
                connection.setblocking(False)
                try:
                    if connection.recv(1000) == b"":
                        raise ConnectionResetError
                except BlockingIOError:
                    pass
                connection.setblocking(True)
    assert time.monotonic() - began < 8


def test_drips_do_not_hold_up_others(gateway, alice, endpoint):
    """A few hundred slow peers; whoever speaks properly is answered at once (FAILURES T24)."""
    slow = []
    for _ in range(300):
        connection = socket.create_connection(("127.0.0.1", gateway.ports["http"]))
        connection.sendall(b"POST %s HTTP/1.1\r\nHo" % path_of(endpoint).encode())
        slow.append(connection)
    times = []
    for n in range(60):
        began = time.monotonic()
        assert gateway.sim.inbound(gateway.number(), endpoint.number, f"quick {n}")["status"] == 200
        times.append(time.monotonic() - began)
    assert sorted(times)[56] < 1.0
    for connection in slow:
        connection.close()


def test_requests_of_one_forwarded_address_are_limited(gateway, endpoint):
    """Behind a trusted proxy, the address that it names counts: 20 at a time."""
    held = []
    head = (b"POST %s HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 10.9.9.9, 203.0.113.7\r\nContent-Length: 10000\r\n\r\n"
            % path_of(endpoint).encode()) + b"x" * 3000
    for _ in range(20):
        connection = socket.create_connection(("127.0.0.1", gateway.ports["http"]))
        connection.sendall(head)
        held.append(connection)
    metric = lambda: int(re.search(r"^ump_web_connections (\d+)", request(gateway, "GET", "/metrics")[2].decode(), re.M)[1])
    wait_until(lambda: metric() > len(held), "the server to hold them all")
    answer, _ = raw(gateway, head, timeout=3)
    assert answer.startswith(b"HTTP/1.1 429"), answer
    other, _ = raw(gateway, head.replace(b"203.0.113.7", b"203.0.113.8"), timeout=0.5)
    assert not other.startswith(b"HTTP/1.1 429")
    for connection in held:
        connection.close()


def test_keep_alive_and_parallel_repeats(gateway, alice, endpoint, contact):
    event = json.dumps(gateway.sim.inbound_event(**{"from": contact, "to": endpoint.number, "text": "once"})).encode()
    head = "".join(f"{name}: {value}\r\n" for name, value in signed(gateway.sim, event).items())
    one = f"POST {path_of(endpoint)} HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(event)}\r\n\r\n".encode() + event
    answer, _ = raw(gateway, one * 5, timeout=2)
    assert answer.count(b"HTTP/1.1 200") == 5
    alice.inbox.wait(lambda mail: mail.text == "once")
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.jobs WHERE endpoint_id = %s", endpoint.id) == [(0,)], "no job")
    assert len(alice.inbox.uids()) == 1


def media_url(gateway, alice, contact):
    alice.submit(gateway.address(contact), "Look", attachments=[("dot.png", "image/png", bytes(range(256)) * 8)])
    return urllib.parse.urlsplit(gateway.sim.wait_request(to=contact)["request"]["media_urls"][0]).path


@pytest.mark.sanitize
def test_media_whole_range_head_and_forged(gateway, alice, endpoint, contact):
    path, content = media_url(gateway, alice, contact), bytes(range(256)) * 8
    status, headers, body = request(gateway, "GET", path)
    assert (status, body) == (200, content)
    assert headers["Content-Type"] == "image/png" and headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"].startswith("attachment") and headers["Content-Length"] == str(len(content))
    assert headers["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    status, headers, body = request(gateway, "GET", path, headers={"Range": "bytes=100-199"})
    assert (status, body) == (206, content[100:200]) and headers["Content-Range"] == f"bytes 100-199/{len(content)}"
    assert request(gateway, "GET", path, headers={"Range": "bytes=99999-"})[0] == 416
    status, headers, body = request(gateway, "HEAD", path)
    assert (status, body) == (200, b"") and headers["Content-Length"] == str(len(content))
    forged = path[:-3] + ("aaa" if not path.endswith("aaa") else "bbb")
    for other in (forged, path + "a", "/media/", "/media/../../etc/passwd", "/media/%2e%2e%2fetc"):
        assert request(gateway, "GET", other)[0] == 404, other


def test_health_and_metrics(gateway, alice, endpoint, contact):
    gateway.sim.inbound(contact, endpoint.number, "count me")
    alice.inbox.wait()
    status, headers, body = request(gateway, "GET", "/healthz")
    health = json.loads(body)
    assert status == 200 and health["status"] == "ok" and health["database"] == "up" and health["journal"]["failed"] == 0
    status, headers, body = request(gateway, "GET", "/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
    text = body.decode()
    assert int(re.search(r'^ump_webhooks_total\{result="new"\} (\d+)$', text, re.M).group(1)) > 0
    for name in re.findall(r"^# TYPE (\S+)", text, re.M):
        assert len(re.findall(rf"^# TYPE {name} ", text, re.M)) == 1
    assert contact not in text
