"""A mailbox as an IMAP client sees it."""
import email
import email.policy
import imaplib
import re
import time

from tests.lib.wait import PATIENCE, deadline

POLICY = email.policy.default.clone(max_line_length=998)


class Mail:
    """One mail: its raw bytes, its parsed form, its flags and uid."""

    def __init__(self, uid, flags, raw):
        self.uid, self.flags, self.raw = uid, flags, raw
        self.message = email.message_from_bytes(raw, policy=POLICY)

    def __getitem__(self, name):
        return self.message[name]

    def all(self, name):
        return [str(value) for value in self.message.get_all(name, [])]

    @property
    def text(self):
        """The first text/plain part, without the line break at its end."""
        part = self.message.get_body(preferencelist=("plain",))
        return part.get_content().replace("\r\n", "\n").rstrip("\n") if part is not None else ""

    @property
    def attachments(self):
        return [part for part in self.message.walk()
                if not part.is_multipart() and not part.get_content_type().startswith("text/plain")]

    def __repr__(self):
        return f"<Mail {self.uid} {self['Subject']!r} from {self['From']!r}>"


class Mailbox:
    """One kept IMAP session over one folder; waits by polling NOOP."""

    def __init__(self, port, user, password, folder="INBOX"):
        self.folder = folder
        self.session = imaplib.IMAP4("127.0.0.1", port, timeout=30)
        self.session.login(user, password)
        self._select()

    def _select(self):
        status, data = self.session.select(f'"{self.folder}"')
        assert status == "OK", data

    def close(self):
        try:
            self.session.logout()
        except (OSError, imaplib.IMAP4.error):
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def uids(self, *criteria):
        self.session.noop()
        _, data = self.session.uid("SEARCH", *(criteria or ("ALL",)))
        return [int(uid) for uid in data[0].split()]

    def fetch(self, uid):
        _, data = self.session.uid("FETCH", str(uid), "(FLAGS BODY.PEEK[])")
        head, raw = next(item for item in data if isinstance(item, tuple))
        flags = re.search(rb"FLAGS \(([^)]*)\)", head + b" ".join(i for i in data if isinstance(i, bytes)))
        return Mail(uid, flags.group(1).decode().split() if flags else [], raw)

    def all(self):
        return [self.fetch(uid) for uid in self.uids()]

    def wait(self, condition=lambda mail: True, timeout=20, what="a mail"):
        """The first mail for which condition holds, old or new."""
        return self.wait_all(condition, 1, timeout, what)[0]

    def wait_all(self, condition=lambda mail: True, count=1, timeout=20, what="mails"):
        """At least `count` mails for which condition holds."""
        end, seen, found = deadline(timeout), set(), []
        while True:
            for uid in self.uids():
                if uid not in seen:
                    seen.add(uid)
                    mail = self.fetch(uid)
                    if condition(mail):
                        found.append(mail)
            if len(found) >= count:
                return found
            if time.monotonic() > end:
                raise AssertionError(f"waited {timeout * PATIENCE} s for {count} {what} in {self.folder}; "
                                     f"{len(found)} of {len(seen)}: {self.all()[-5:]}")
            time.sleep(0.02)

    def append(self, raw, flags="\\Seen"):
        self.session.append(f'"{self.folder}"', f"({flags})", imaplib.Time2Internaldate(time.time()), raw)

    def store(self, uid, change, flags):
        self.session.uid("STORE", str(uid), change, f"({flags})")

    def move(self, uid, folder):
        status, data = self.session.uid("MOVE", str(uid), f'"{folder}"')
        assert status == "OK", data

    def expunge(self, uid):
        self.store(uid, "+FLAGS", "\\Deleted")
        self.session.expunge()
