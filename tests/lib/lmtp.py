"""LMTP over a raw socket: what a hostile or odd client says, byte for byte."""
import socket


class Lmtp:
    def __init__(self, path, timeout=20, greet=True):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.pending = b""
        self.greeting = self.reply() if greet else ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def line(self):
        """One line without its end; "" when the server has closed."""
        while b"\r\n" not in self.pending:
            data = self.socket.recv(65536)
            if not data:
                return ""
            self.pending += data
        line, self.pending = self.pending.split(b"\r\n", 1)
        return line.decode()

    def reply(self):
        """The last line of one reply."""
        line = self.line()
        while line[3:4] == "-":
            line = self.line()
        return line

    def replies(self, count):
        return [self.reply() for _ in range(count)]

    def say(self, command):
        self.send(command + "\r\n" if isinstance(command, str) else command + b"\r\n")
        return self.reply()

    def hello(self):
        assert self.say("LHLO tests").startswith("250")
        return self

    def closed(self):
        """True when the server ends the session; what it still says is left out."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionResetError:
            pass
        return True

    def deliver(self, recipients, content, sender="someone@outside.test", ident=None, mail_options="", rcpt_options=""):
        """One transaction, pipelined as Postfix does it; {recipient: reply}."""
        recipients = [recipients] if isinstance(recipients, str) else recipients
        content = content if isinstance(content, bytes) else content.encode()
        if ident:
            assert self.say(f"XFORWARD NAME=localhost IDENT={ident}").startswith("250")
        self.send(f"MAIL FROM:<{sender}>{mail_options}\r\n" + "".join(f"RCPT TO:<{r}>{rcpt_options}\r\n" for r in recipients)
                  + "DATA\r\n")
        assert self.reply().startswith("250")
        answers = dict(zip(recipients, self.replies(len(recipients))))
        taken = [r for r in recipients if answers[r].startswith("250")]
        data = self.reply()
        if not taken:
            assert data.startswith("503"), data
            return answers
        assert data.startswith("354"), data
        stuffed = content.replace(b"\r\n.", b"\r\n..")
        stuffed = b"." + stuffed if stuffed.startswith(b".") else stuffed
        self.send(stuffed + (b"" if stuffed.endswith(b"\r\n") or not stuffed else b"\r\n") + b".\r\n")
        for recipient in taken:
            answers[recipient] = self.reply()
        return answers
