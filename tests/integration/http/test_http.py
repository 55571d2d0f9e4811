"""The HTTP client against a server of raw sockets that does what servers should not."""
import gzip
import os
import pathlib
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get('UMP_BUILD', ROOT / 'build'))
pytestmark = [pytest.mark.sanitize, pytest.mark.threads]


BOMB = gzip.compress(b'\0' * 50_000_000)  # 48 kB


class Server:
    """One thread per connection; what to do is in the path."""

    def __init__(self, tls=None):
        self.socket = socket.create_server(('127.0.0.1', 0), backlog=200)
        self.port = self.socket.getsockname()[1]
        self.tls = tls
        self.requests = []  # (method, path, headers, body)
        self.connections = 0
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            stream = connection.makefile('rb')
            while self.one(connection, stream):
                pass
        except OSError:
            pass
        finally:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()

    def one(self, connection, stream):
        line = stream.readline().decode()
        if not line:
            return False
        method, path, _ = line.split(' ', 2)
        headers = {}
        while (field := stream.readline().decode().rstrip('\r\n')):
            name, _, value = field.partition(':')
            headers[name.lower()] = value.strip()
        length = int(headers.get('content-length', 0))
        body = b''
        if headers.get('transfer-encoding') != 'chunked' and length:
            body = stream.read(length)
        with self.lock:
            self.requests.append((method, path, headers, body))
        url = urllib.parse.urlsplit(path)
        query = dict(urllib.parse.parse_qsl(url.query))
        return getattr(self, 'do_' + url.path.strip('/').replace('-', '_'))(connection, headers, body, query)

    @staticmethod
    def answer(connection, status='200 OK', body=b'{}', extra=''):
        connection.sendall(f'HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n'.encode() + body)
        return True

    def do_ok(self, connection, headers, body, query):
        return self.answer(connection, body=b'{"id":"1"}', extra='Content-Type: Application/JSON; charset=utf-8\r\n'
                                                                 'X-RateLimit-Remaining: 7\r\n')

    def do_echo(self, connection, headers, body, query):
        return self.answer(connection, body=body)

    def do_count(self, connection, headers, body, query):
        with self.lock:
            n = sum(1 for r in self.requests if r[1] == query['path'])
        return self.answer(connection, body=str(n).encode())

    def do_auth(self, connection, headers, body, query):
        return self.answer(connection, body=headers.get('authorization', 'none').encode())

    def do_drop(self, connection, headers, body, query):
        return False

    def do_half(self, connection, headers, body, query):
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"id"')
        return False

    def do_hang(self, connection, headers, body, query):
        time.sleep(3)
        return False

    def do_status(self, connection, headers, body, query):
        return self.answer(connection, status=query['code'] + ' X', extra=query.get('extra', '') + '\r\n'
                           if 'extra' in query else '')

    def do_large(self, connection, headers, body, query):
        return self.answer(connection, body=b'x' * int(query['size']))

    def do_chunked(self, connection, headers, body, query):
        connection.sendall(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
        for _ in range(2000):
            connection.sendall(b'10000\r\n' + b'x' * 65536 + b'\r\n')
        connection.sendall(b'0\r\n\r\n')
        return True

    def do_gzip(self, connection, headers, body, query):
        return self.answer(connection, body=BOMB, extra='Content-Encoding: gzip\r\n')

    def do_to(self, connection, headers, body, query):
        return self.answer(connection, status='302 Found', body=b'moved', extra=f"Location: {query['url']}\r\n")

    def do_loop(self, connection, headers, body, query):
        n = int(query['n'])
        if n == 0:
            return self.answer(connection, body=b'end')
        return self.answer(connection, status='307 X', body=b'', extra=f'Location: /loop?n={n - 1}\r\n')

    def do_drip(self, connection, headers, body, query):
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n')
        for _ in range(100):
            connection.sendall(b'x')
            time.sleep(0.1)
        return False


def certificate(directory):
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
                    '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
                    '-keyout', directory / 'key', '-out', directory / 'cert'],
                   check=True, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / 'cert', directory / 'key')
    return context


@pytest.mark.parametrize('proxy', [False, True])
def test_http_client(proxy):
    """With a proxy in the environment all is the same: it is never asked (T26)."""
    with tempfile.TemporaryDirectory(prefix='ump-http.') as name:
        directory = pathlib.Path(name)
        plain, secure = Server(), Server(certificate(directory))
        env = dict(os.environ, HTTP_TEST_URL=f'http://127.0.0.1:{plain.port}',
                   HTTPS_TEST_URL=f'https://127.0.0.1:{secure.port}', HTTPS_TEST_CA=str(directory / 'cert'),
                   HTTPS_TEST_PORT=str(secure.port), G_DEBUG='fatal-criticals', G_SLICE='always-malloc')
        trap = Server()
        if proxy:
            for variable in ('http_proxy', 'https_proxy', 'all_proxy', 'HTTPS_PROXY', 'ALL_PROXY'):
                env[variable] = f'http://127.0.0.1:{trap.port}'
        done = subprocess.run([BUILD / 'tests/integration/http/http_test'], env=env, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=120)
        assert done.returncode == 0, done.stdout[-6000:]
        assert 'Sanitizer' not in done.stdout
        assert 'runtime error' not in done.stdout
        assert trap.connections == 0
