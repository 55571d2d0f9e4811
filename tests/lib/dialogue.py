"""SMTP word by word: what smtplib would refuse to say, and what stands between two commands."""
import base64
import socket

from tests.lib.wait import wait_until


class Dialogue:
    """One session; say() returns (code, text of all lines)."""

    def __init__(self, port, greet=True, timeout=30):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")
        self.read()
        if greet:
            self.say("EHLO client.test")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def read(self):
        lines = []
        while True:
            line = self.file.readline()
            if not line:
                raise ConnectionError("the server closed the connection")
            lines.append(line[4:].decode("utf-8", "replace").strip())
            if line[3:4] != b"-":
                return int(line[:3]), " ".join(lines)

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode("utf-8", "surrogateescape"))

    def wait_taken(self):
        """Until the server has read all that was sent: nothing of it waits in either end's socket."""
        ours, theirs = (f"{end[1]:04X}" for end in (self.socket.getsockname(), self.socket.getpeername()))

        def taken():
            with open("/proc/net/tcp", encoding="ascii") as table:
                rows = [line.split() for line in table]
            waiting = {}
            for _, local, remote, _, queues, *_ in rows[1:]:
                waiting[local.split(":")[1], remote.split(":")[1]] = [int(length, 16) for length in queues.split(":")]
            return waiting[ours, theirs][0] == 0 and waiting[theirs, ours][1] == 0
        wait_until(taken, "the server to read what was sent")

    def say(self, command):
        self.send(command + "\r\n")
        return self.read()

    def login(self, user, password):
        code, text = self.say("AUTH PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()).decode())
        assert code == 235, text

    def data(self, raw):
        """DATA and the mail (bytes with CRLF, without the final dot)."""
        code, text = self.say("DATA")
        return (code, text) if code != 354 else self.content(raw)

    def content(self, raw):
        stuffed = raw.replace(b"\r\n.", b"\r\n..")
        self.send(stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n"))
        return self.say(".")


def enhanced(text):
    word = text.split(maxsplit=1)[0] if text else ""
    return word if word.count(".") == 2 else ""
