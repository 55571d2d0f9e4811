"""A small HTTP/1.1 server and client over asyncio, close enough to the wire to fail on purpose."""
import asyncio
import json
import socket
import ssl
import struct
import urllib.parse


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.headers, self.body = method, headers, body
        url = urllib.parse.urlsplit(target)
        self.path, self.query = url.path, dict(urllib.parse.parse_qsl(url.query))

    def json(self):
        return json.loads(self.body) if self.body else {}


class Response:
    def __init__(self, status=200, body=b"", content_type="application/json", headers=None):
        self.status = status
        self.body = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        self.headers = {"Content-Type": content_type, **(headers or {})}

    def encode(self):
        head = f"HTTP/1.1 {self.status} {'OK' if self.status < 300 else 'Error'}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        return f"{head}Content-Length: {len(self.body)}\r\n\r\n".encode() + self.body


class HangUp(Exception):
    """Raised by a handler: write these bytes of an answer, then close or reset the connection."""

    def __init__(self, partial=b"", reset=False):
        super().__init__()
        self.partial, self.reset = partial, reset


async def read_request(reader, writer):
    """The next request of a connection, None at its end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError):
        return None
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in
               (line.partition(":") for line in lines[1:] if line)}
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = await _read_chunks(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length") or 0))
    return Request(method, target, headers, body)


async def _read_chunks(reader):
    body = b""
    while True:
        size = int((await reader.readline()).split(b";")[0], 16)
        body += await reader.readexactly(size)
        await reader.readline()
        if size == 0:
            return body


async def serve_connection(reader, writer, handler):
    try:
        while True:
            request = await read_request(reader, writer)
            if request is None:
                break
            try:
                response = await handler(request)
            except HangUp as hang_up:
                if hang_up.partial:
                    writer.write(hang_up.partial)
                    await writer.drain()
                if hang_up.reset:
                    linger = struct.pack("ii", 1, 0)
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                break
            writer.write(response.encode())
            await writer.drain()
            if request.headers.get("connection", "").lower() == "close":
                break
    except (ConnectionError, asyncio.IncompleteReadError, ValueError):
        pass
    finally:
        writer.close()


async def fetch(url, method="GET", body=b"", headers=None, timeout=5.0, limit=32 << 20, hosts=None):
    """(status, headers, body) of one request on a connection of its own. hosts: {name: (address, port)}."""
    return await asyncio.wait_for(_fetch(url, method, body, headers or {}, limit, hosts or {}), timeout)


async def _fetch(url, method, body, headers, limit, hosts):
    parts = urllib.parse.urlsplit(url)
    secure = parts.scheme == "https"
    address, port = hosts.get(parts.hostname, (parts.hostname, parts.port or (443 if secure else 80)))
    # SSL_CERT_FILE names what else is trusted.
    options = {"ssl": ssl.create_default_context(), "server_hostname": parts.hostname} if secure else {}
    reader, writer = await asyncio.open_connection(address, port, **options)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        head = f"{method} {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        answer = await reader.readuntil(b"\r\n\r\n")
        lines = answer.decode("latin-1").split("\r\n")
        fields = {name.strip().lower(): value.strip() for name, _, value in
                  (line.partition(":") for line in lines[1:] if line)}
        if fields.get("transfer-encoding", "").lower() == "chunked":
            content = await _read_chunks(reader)
        elif "content-length" in fields:
            content = await reader.readexactly(min(int(fields["content-length"]), limit))
        else:
            content = await reader.read(limit)
        return int(lines[0].split()[1]), fields, content
    finally:
        writer.close()
