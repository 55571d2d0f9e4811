"""Where everything of one stack lives, who owns it, and which ports it holds."""
import json
import os
import pwd
import random
import shlex
import socket
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOMAIN = "msgs.test"
CHANNELS = ("sms", "whatsapp", "signal", "telegram", "any", "notice")
GATEWAY_DOMAINS = tuple(f"{channel}.{DOMAIN}" for channel in CHANNELS)
USERS = ("alice", "bob", "carol")
# A mailbox for a team's own address; no user of the gateway.
TEAM_MAILBOXES = ("support",)
PORT_NAMES = ("smtp", "submission", "imap", "http", "sink", "doveadm")
# sun_path holds 107 bytes; the longest socket below the directory takes about 35.
MAX_DIR = 70

# Numeric ids: the stack needs no entry in /etc/passwd, as the systemd units do (one user per program).
UID_MAIL = 5000
GID_UMP = 5100
UID_MILTER, UID_LMTP, UID_BRIDGE = 5101, 5102, 5103
PG_BIN = Path("/usr/lib/postgresql/15/bin")


def user_ids(name):
    entry = pwd.getpwnam(name)
    return entry.pw_uid, entry.pw_gid


class Layout:
    def __init__(self, directory):
        self.dir = Path(os.path.abspath(os.path.join(os.environ.get("UMP_CALLED_FROM", "."), directory)))
        self.etc = self.dir / "etc"
        self.conf = self.etc / "ump.conf"
        self.postfix = self.etc / "postfix"
        self.dovecot = self.etc / "dovecot"
        self.keys = self.etc / "keys"
        self.log = self.dir / "log"
        self.run = self.dir / "run"
        self.mail = self.dir / "mail"
        self.state = self.dir / "state"
        self.pg_data = self.dir / "pg" / "data"
        self.pg_sock = self.dir / "pg" / "sock"
        self.spool = self.dir / "postfix" / "spool"
        self.postfix_data = self.dir / "postfix" / "data"
        self.dovecot_run = self.dir / "dovecot" / "run"
        self.dovecot_state = self.dir / "dovecot" / "state"
        self.milter_socket = self.spool / "ump" / "milter.sock"
        self.lmtp_socket = self.spool / "ump" / "lmtp.sock"
        self.dovecot_lmtp = self.dovecot_run / "lmtp"
        self.control = self.run / "control.sock"
        self.status = self.run / "status.json"
        self.umpctl = self.dir / "bin" / "umpctl"
        self.env_file = self.dir / "env"

    def maildir(self, user):
        return self.mail / user / "Maildir"

    def database_url(self, role="ump", database="ump"):
        return f"postgresql://{role}@/{database}?host={self.pg_sock}"

    # Ports and the build directory are chosen at the first start and kept.
    def load(self):
        path = self.run / "stack.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def save(self, **values):
        known = self.load()
        known.update(values)
        (self.run / "stack.json").write_text(json.dumps(known, indent=1) + "\n")

    @property
    def ports(self):
        return self.load()["ports"]

    def environment(self):
        """The lines of D/env: the interface for everyone outside."""
        ports = self.ports
        return {
            "UMP_DIR": str(self.dir),
            "UMP_CONF": str(self.conf),
            "UMP_DOMAIN": DOMAIN,
            "UMP_SMTP_PORT": str(ports["smtp"]),
            "UMP_SUBMISSION_PORT": str(ports["submission"]),
            "UMP_IMAP_PORT": str(ports["imap"]),
            "UMP_LMTP_SOCKET": str(self.lmtp_socket),
            "UMP_HTTP_URL": f"http://127.0.0.1:{ports['http']}",
            "UMP_DATABASE_URL": self.database_url(),
            "UMPCTL": str(self.umpctl),
        }

    def write_environment(self):
        lines = [f"{key}={shlex.quote(value)}\n" if " " in value else f"{key}={value}\n"
                 for key, value in self.environment().items()]
        self.env_file.write_text("".join(lines))


class PortLocks:
    """Ports below the ephemeral range, each locked by an abstract socket: the kernel lets go when the holder dies."""

    def __init__(self):
        self.held = {}

    def _lock(self, port):
        lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            lock.bind(f"\0ump-port-{port}")
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            return False
        lock.set_inheritable(False)
        self.held[port] = lock
        return True

    def take(self, names, remembered=None):
        """{name: port}: the remembered one where it is free, else another."""
        chosen = {}
        for name in names:
            port = (remembered or {}).get(name)
            while not (port and port not in chosen.values() and self._lock(port)):
                port = random.randrange(20000, 32000)
            chosen[name] = port
        return chosen

    def release(self):
        for lock in self.held.values():
            lock.close()
        self.held.clear()
