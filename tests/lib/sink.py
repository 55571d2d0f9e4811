"""An SMTP server that keeps what it is given: what leaves Postfix for other hosts (outside.test)."""
import socketserver
import threading


class _Session(socketserver.StreamRequestHandler):
    def handle(self):
        self._say("220 sink.test ESMTP")
        recipients = []
        for line in self.rfile:
            verb = line.strip().split(b" ")[0].upper()
            if verb == b"EHLO":
                self._say("250-sink.test", "250-PIPELINING", "250-8BITMIME", "250-SMTPUTF8", "250 ENHANCEDSTATUSCODES")
            elif verb == b"RCPT":
                recipients.append(line.strip().decode())
                self._say("250 2.1.5 Ok")
            elif verb == b"DATA":
                self._say("354 go ahead")
                self.server.keep(recipients, self._content())
                recipients = []
                self._say("250 2.0.0 Ok")
            elif verb == b"QUIT":
                return self._say("221 2.0.0 Bye")
            else:
                self._say("250 2.0.0 Ok")
        return None

    def _content(self):
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def _say(self, *lines):
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


class Sink(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port):
        super().__init__(("127.0.0.1", port), _Session)
        self.mails, self.lock = [], threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def keep(self, recipients, raw):
        with self.lock:
            self.mails.append((recipients, raw))

    def to(self, address):
        """The mails for one recipient: what other tests' mail servers still had to say comes here too."""
        with self.lock:
            return [raw for recipients, raw in self.mails if any(f"<{address}>" in line for line in recipients)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
