"""Sending mail: by AUTH on the submission port, from outside, by swaks, neomutt and sendmail(1)."""
import email.message
import email.utils
import os
import re
import smtplib
import subprocess

from tests.lib.wait import wait_until


class Refused(Exception):
    """What the server said: code, enhanced status code and sentence."""

    def __init__(self, code, text):
        super().__init__(f"{code} {text}")
        self.code, self.text = code, text
        words = text.split(maxsplit=1)
        self.enhanced = words[0] if words and words[0].count(".") == 2 else ""


def compose(sender, recipients, text="", subject="", attachments=(), html=None, **headers):
    """A mail as a mail program writes it. attachments: (name, type/subtype, bytes). headers: In_Reply_To=…"""
    message = email.message.EmailMessage()
    message["From"] = sender
    message["To"] = ", ".join(recipients)
    message["Subject"] = subject
    message["Date"] = email.utils.formatdate()
    message["Message-ID"] = email.utils.make_msgid(domain="client.msgs.test")
    for name, value in headers.items():
        name = name.replace("_", "-")
        del message[name]
        for one in value if isinstance(value, (list, tuple)) else [value]:
            message[name] = one
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    for name, content_type, content in attachments:
        main, sub = content_type.split("/")
        message.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return message


def send(port, sender, recipients, data, login=None, mail_options=(), rcpt_options=(), timeout=60):
    """One transaction. Returns {recipient: (code, text)} of the refused ones; raises Refused when all are.
    Bytes that hold no CRLF at all are written with CRLF."""
    data = data if isinstance(data, bytes) else data.as_bytes(policy=data.policy.clone(linesep="\r\n"))
    data = data if b"\r\n" in data else data.replace(b"\n", b"\r\n")
    with smtplib.SMTP("127.0.0.1", port, timeout=timeout) as session:
        if login:
            session.login(*login)
        try:
            return session.sendmail(sender, recipients, data, mail_options, rcpt_options)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            raise Refused(code, text.decode()) from None
        except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
            raise Refused(error.smtp_code, error.smtp_error.decode()) from None


def swaks(*arguments, to, timeout=60):
    """Runs swaks; returns (exit code, transcript). It takes an argument with a leading plus for an option,
    so the recipient stands in brackets."""
    done = subprocess.run(["swaks", "--to", f"<{to}>", *map(str, arguments)], capture_output=True, text=True, timeout=timeout)
    return done.returncode, done.stdout + done.stderr


NEOMUTT = """\
set realname="{name}"
set from="{user}"
set use_from=yes use_envelope_from=yes
set smtp_url="smtp://{login}@127.0.0.1:{smtp}/"
set smtp_pass="{password}"
set smtp_authenticators="plain"
set imap_user="{user}"
set imap_pass="{password}"
set folder="imap://{login}@127.0.0.1:{imap}/"
set spoolfile="imap://{login}@127.0.0.1:{imap}/INBOX"
set record="imap://{login}@127.0.0.1:{imap}/Sent"
set postponed="" header_cache="" message_cachedir="" tmpdir="{home}"
set ssl_starttls=no ssl_force_tls=no
set confirmappend=no delete=yes quit=yes fast_reply=yes include=yes abort_noattach=no abort_nosubject=no
set abort_unmodified=no wait_key=no mail_check=0 sort=mailbox-order
set signature="{home}/signature" sig_dashes=yes
set editor="{home}/editor"
unset mark_old
"""


class Neomutt:
    """neomutt with an account of the stack: its replies have history and a signature as people's have."""

    def __init__(self, home, user, password, smtp_port, imap_port, signature="Alice Smith\nmsgs.test Ltd", settings=""):
        self.home = home
        os.makedirs(home, exist_ok=True)
        self._write("signature", signature + "\n")
        self._write("muttrc", NEOMUTT.format(name=user.split("@")[0].capitalize(), user=user, password=password,
                                             login=user.replace("@", "%40"), smtp=smtp_port, imap=imap_port, home=home) + settings)

    def _write(self, name, text, mode=0o600):
        path = os.path.join(self.home, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)

    def _run(self, *arguments, stdin=None, timeout=60):
        environment = {**os.environ, "HOME": self.home, "TERM": "xterm", "LC_ALL": "C.UTF-8", "LINES": "24",
                       "COLUMNS": "80"}
        done = subprocess.run(["neomutt", "-n", "-F", os.path.join(self.home, "muttrc"), *arguments], input=stdin,
                              capture_output=True, text=True, timeout=timeout, env=environment)
        if done.returncode:
            raise AssertionError(f"neomutt: {done.returncode} {done.stdout[-2000:]} {done.stderr[-2000:]}")

    def send(self, recipients, text, subject="", attachments=()):
        attach = [word for path in attachments for word in ("-a", str(path))]
        self._run("-s", subject, *attach, "--", *recipients, stdin=text)

    def reply(self, message_id, text):
        """Opens the inbox, finds the mail and answers it above its quoted history, as the keys would."""
        self._prepare_editor(text)
        bare = message_id.strip("<>")
        keys = f"<search>~i {bare}<enter><reply><send-message><exit>"
        self._tty("-e", f"push '{keys}'")

    def threads(self, count):
        """The screen with the inbox as threads, once it shows so many mails."""
        socket = os.path.join(self.home, "tmux")
        environment = {**os.environ, "HOME": self.home, "LC_ALL": "C.UTF-8"}

        def tmux(*arguments):
            return subprocess.run(["tmux", "-S", socket, "-f", "/dev/null", "-u", *arguments], env=environment, check=True,
                                  capture_output=True, text=True, timeout=30).stdout
        tmux("new-session", "-d", "-x", "110", "-y", "24", "neomutt", "-n", "-F", os.path.join(self.home, "muttrc"),
             "-e", "set sort=threads sort_aux=date-received strict_threads=yes index_format='%4C %Z %{%H:%M} %-22.22L %s'")
        try:
            return wait_until(lambda: (lambda screen: len(re.findall(r"(?m)^ +\d+ ", screen)) >= count and screen)
                              (tmux("capture-pane", "-p")), f"{count} mails on neomutt's screen")
        finally:
            tmux("kill-server")

    def _prepare_editor(self, text):
        """An editor that puts the words above what neomutt gives it: the quotation and the signature."""
        self._write("editor", f'#!/bin/sh\n{{ cat "{self.home}/answer"; cat "$1"; }} > "$1.new" && mv "$1.new" "$1"\n', 0o700)
        self._write("answer", text + "\n\n")

    def _tty(self, *arguments, timeout=60):
        """neomutt wants a terminal: a pseudo terminal reads what it paints until it ends."""
        import pty
        import select
        import time
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ.update(HOME=self.home, TERM="xterm", LC_ALL="C.UTF-8", LINES="40", COLUMNS="120")
            os.execvp("neomutt", ["neomutt", "-n", "-F", os.path.join(self.home, "muttrc"), *arguments])
        painted, deadline = b"", time.monotonic() + timeout
        try:
            while time.monotonic() < deadline:
                ready, _, _ = select.select([terminal], [], [], 0.2)
                if ready:
                    try:
                        data = os.read(terminal, 65536)
                    except OSError:
                        data = b""
                    if not data:
                        break
                    painted += data
            else:
                os.kill(pid, 9)
                raise AssertionError(f"neomutt did not end: {painted[-2000:]!r}")
        finally:
            os.close(terminal)
            _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0, painted[-2000:]


def sendmail(config_directory, sender, recipients, data):
    """sendmail(1) of the stack's Postfix: passes no smtpd milter."""
    data = data if isinstance(data, bytes) else data.as_bytes()
    done = subprocess.run(["/usr/sbin/sendmail", "-C", str(config_directory), "-i", "-f", sender, "--", *recipients], input=data,
                          capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
