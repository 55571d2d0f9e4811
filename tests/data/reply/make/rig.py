"""Where the clients that run here work: a private Postfix and Dovecot with mailboxes, and an SMTP server that keeps what they send."""
import quopri
import shutil
import sys
import tempfile
import os
import re
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

from tests.lib.imap import Mailbox  # noqa: E402
from tests.lib.sink import Sink  # noqa: E402
from tests.lib.wait import wait_until  # noqa: E402
from tests.stack.lifecycle import Stack  # noqa: E402

from mailbox import start  # noqa: E402

# Message-IDs and dates that differ at each run would make each rebuild a change of every file.
DATE = "Thu, 28 May 2026 20:26:40 +0000"


class Rig:
    def __init__(self, mailboxes=4):
        self.directory = tempfile.mkdtemp(prefix="ump-corpus-")
        os.chmod(self.directory, 0o755)
        self.stack = Stack(self.directory, say=lambda text: None)
        self.users = [f"c{number:03d}" for number in range(mailboxes)]

    def __enter__(self):
        self.stack.up(servers_only=True, extra_mailboxes=self.users)
        self.ports = self.stack.layout.ports
        self.sink = Sink(0)
        self.smtp_port = self.sink.server_address[1]
        return self

    def __exit__(self, *_):
        self.sink.__exit__()
        self.stack.down(quiet=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    def home(self, name):
        path = os.path.join(self.directory, name)
        os.makedirs(path, exist_ok=True)
        return path

    def box(self, user="c000"):
        return Mailbox(self.ports["imap"], f"{user}@msgs.test", user)

    def uid(self, message_id, user="c000"):
        with self.box(user) as box:
            return box.uids("HEADER", "Message-ID", message_id)[0]

    def put(self, number, text, who="Bob Jones (SMS)", addr="+15551234567@sms.msgs.test", user="c000", raw=None):
        """A message of the gateway's (or any mail, raw) into the inbox; its Message-ID."""
        message_id = f"<ump.018f0000-0000-7000-8000-{number:012d}@msgs.test>"
        with self.box(user) as box:
            box.append(raw(message_id) if raw else gateway_message(number, message_id, text, who, addr), "")
        return message_id

    def sent(self, count):
        """The next mail that a client sends, when `count` are there already."""
        wait_until(lambda: len(self.sink.mails) > count, "the mail to be sent", 60)
        return self.sink.mails[count][1].replace(b"\r\n", b"\n")


def flowed(text, width=72):
    """format=flowed with DelSp, as the gateway writes it (RFC 3676)."""
    lines = []
    for line in text.split("\n"):
        while len(line) > width and " " in line[:width]:
            cut = line.rindex(" ", 0, width) + 1
            lines.append(line[:cut] + " ")
            line = line[cut:]
        lines.append(f" {line}" if line.startswith((" ", ">", "From ")) else line)
    return "\n".join(lines) + "\n"


def gateway_message(number, message_id, text, who, addr):
    body = flowed(text).encode()
    encoded, cte = (body, "7bit") if text.isascii() else (quopri.encodestring(body), "quoted-printable")
    name = f'"{who}"' if who.isascii() else start(who)
    channel = re.search(r"@(\w+)\.", addr)[1]
    words = text.split("\n")[0][:50]
    return (f"Date: {DATE}\nFrom: {name} <{addr}>\nTo: \"Alice Smith\" <alice@msgs.test>\n"
            f"Thread-Topic: {start('Chat with ' + who)}\nSubject: {start(words)}\nMessage-ID: {message_id}\n"
            f'UMP-Header: v=1, id="{message_id[5:41]}", channel={channel}, provider=telnyx, endpoint="+15550100001",\n'
            f' direction=inbound, type=text, external-id="x{number}"\nUMP-Conversation-ID: 018f0000-0000-7000-8000-0000000000cc\n'
            f"UMP-Channel-Preference: {channel}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8; format=flowed; delsp=yes\n"
            f"Content-Transfer-Encoding: {cte}\n\n").encode().replace(b"\n", b"\r\n") + encoded.replace(b"\n", b"\r\n")


def stable(mail, number):
    """What the machine and the hour put into a mail, replaced: Message-ID, boundaries, Received; the rest is the client's."""
    head, _, body = mail.partition(b"\n\n")
    head = re.sub(rb"(?im)^(Received|X-Originating-IP):.*\n(?:[ \t].*\n)*", b"", head)
    boundaries = re.findall(rb'boundary="?([^";\n]+)', head + body)
    head = re.sub(rb"(?im)^Message-ID:.*(?:\n[ \t].*)*", b"Message-ID: <c%d@client.msgs.test>" % number, head)
    head = re.sub(rb"(?im)^Date:.*$", b"Date: Thu, 28 May 2026 22:41:07 +0200", head)
    mail = head + b"\n\n" + body
    for order, boundary in enumerate(boundaries):
        mail = mail.replace(boundary, b"=_client_%d_%d" % (number, order))
    return mail
