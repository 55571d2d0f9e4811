"""The story in a minute: both directions through a private stack, against a simulated provider.

Every step checks what it shows; the exit code is 0 only if all of them held.
"""
import argparse
import base64
import hashlib
import json
import os
import shutil
import struct
import sys
import textwrap
import time
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.lib.gateway import Gateway  # noqa: E402
from tests.lib.smtp import swaks  # noqa: E402
from tests.lib.wait import wait_until  # noqa: E402

OURS, BOB, CAROL, DEAD = "+12125550100", "+12125550123", "+16465550177", "+12126640001"
IN_KILLS = OUT_KILLS = 10


def show(text="", indent=4):
    for line in str(text).splitlines() or [""]:
        print(" " * indent + line, flush=True)


def command(text):
    print(f"\n    $ {text}", flush=True)


class Demo:
    def __init__(self, directory):
        self.gateway = Gateway(directory)
        self.number = 0
        self.play_started = None

    def step(self, title):
        self.number += 1
        elapsed = f"{time.monotonic() - self.play_started:.0f} s" if self.play_started else ""
        print(f"\n=== {self.number}. {title} {'=' * max(3, 66 - len(title))} {elapsed}", flush=True)

    def check(self, condition, what):
        print(f"    {'ok  ' if condition else 'FAIL'} {what}", flush=True)
        if not condition:
            raise AssertionError(what)

    # --- the scenes
    def run(self):
        print("=== Starting a private PostgreSQL, Postfix, Dovecot and our programs", flush=True)
        self.gateway.stack.say = lambda text: print(text, flush=True)
        self.gateway.start()
        self.sim, self.alice = self.gateway.sim, self.gateway.user("alice")
        self.play_started = time.monotonic()
        self.declare()
        first = self.sms_arrives()
        answer = self.answer(first)
        self.pictures()
        self.kills()
        self.stop_word()
        self.dead_number()
        self.trace(answer)
        print(f"\n=== The play took {time.monotonic() - self.play_started:.0f} s. Every check held.", flush=True)

    def declare(self):
        self.step("The administrator declares a number")
        command(f"umpctl endpoint add sms telnyx {OURS} --owner alice@msgs.test --set base_url=http://… "
                "--secret api_key=… --secret public_key=…")
        endpoint = self.gateway.endpoint("alice@msgs.test", OURS)
        show(json.dumps({key: endpoint.record[key] for key in ("id", "webhook_url")}, indent=2))
        # As a customer sets it up: the failover URL is the same; six attempts in all.
        self.sim.register(OURS, endpoint.webhook_url, endpoint.webhook_url)
        self.sim.retry_base = 0.7

    def sms_arrives(self):
        self.step("An SMS arrives, and is mail in alice's INBOX")
        text = "Hi Alice, Bob here. Are we still on for lunch on Thursday? 🙂"
        inbox = self.alice.inbox
        show(f"The provider posts message.received, signed with Ed25519: {text!r}")
        started = time.monotonic()
        result = self.sim.inbound(BOB, OURS, text)
        answered = time.monotonic()
        mail = inbox.wait(lambda mail: mail.text == text)
        seen = time.monotonic()
        self.check(result["status"] == 200, f"webhook answered 200 after {1000 * (answered - started):.0f} ms, once it was committed")
        self.check(True, f"visible to a polling IMAP session {1000 * (seen - started):.0f} ms after the provider called")
        command("curl imap://alice@…/INBOX;UID=1")
        show(mail.raw.decode("utf-8", "replace").replace("\r\n", "\n"))
        self.inbox_list()
        return mail

    def inbox_list(self):
        command("the list, as a mail program shows it")
        for mail in self.alice.inbox.all():
            show(f"{mail.uid:3}  {str(mail['From'])[:34]:34}  {str(mail['Subject'])[:48]}")

    def answer(self, mail):
        self.step("Alice answers, with quoted history and a signature")
        recipient = mail["From"].addresses[0].addr_spec
        body = ("Thursday is perfect - 12:30 at the usual place?\n\n"
                f"On {mail['Date']}, {mail['From']} wrote:\n> {mail.text}\n\n-- \nAlice Smith\nHead of Lunch, msgs.test Ltd\n")
        command(f"swaks --server 127.0.0.1:{self.gateway.ports['submission']} --auth-user alice@msgs.test … "
                f"--to '<{recipient}>' --body -")
        show(textwrap.indent(body, "| ", lambda line: True))
        code, transcript = swaks(
            "--server", f"127.0.0.1:{self.gateway.ports['submission']}", "--auth", "PLAIN", "--auth-user", "alice@msgs.test",
            "--auth-password", "alice", "--from", "alice@msgs.test",
            "--header", f"Subject: Re: {mail['Subject']}", "--header", f"In-Reply-To: {mail['Message-ID']}",
            "--header", f"References: {mail['References'] or ''} {mail['Message-ID']}".replace("  ", " "),
            "--header", "Message-Id: <answer-1@client.msgs.test>", "--body", body, to=recipient)
        self.check(code == 0, "accepted at the submission port")
        entry = self.sim.wait_request(to=BOB)
        show("What the provider was asked to send:")
        show(json.dumps(entry["request"], indent=2, ensure_ascii=False))
        self.check(entry["request"]["text"] == "Thursday is perfect - 12:30 at the usual place?", "only the new words were sent")
        if code:
            show(transcript)
        return entry

    def pictures(self):
        self.step("Pictures, both ways")
        picture = png(64, 48)
        self.sim.inbound(BOB, OURS, "The menu", media=[
            {"name": "menu.png", "content_type": "image/png", "content": base64.b64encode(picture).decode()}])
        mail = self.alice.inbox.wait(lambda mail: any(part.get_content_type() == "image/png" for part in mail.message.walk()))
        part = next(part for part in mail.message.walk() if part.get_content_type() == "image/png")
        show(f"Subject: {mail['Subject']}")
        for section in mail.message.walk():
            name = section.get_filename()
            show(f"  {section.get_content_type()}{f'  {name}' if name else ''}")
        self.check(part.get_payload(decode=True) == picture, f"the same {len(picture)} bytes in alice's mailbox")
        mine = png(48, 64)
        self.alice.submit(self.gateway.address(BOB), "And the map", attachments=[("map.png", "image/png", mine)])
        entry = self.sim.wait_request(to=BOB, text="And the map")
        self.sim.wait_for(lambda: entry["media"], 20, "the provider to fetch the picture")
        show(json.dumps({"text": entry["request"]["text"], "media_urls": entry["request"]["media_urls"]}, indent=2))
        self.check(entry["media"][0].get("sha256") == hashlib.sha256(mine).hexdigest(), "the provider fetched the same picture")

    def kills(self):
        self.step("Killed in between: our programs and PostgreSQL, with kill -9")
        inbox = self.alice.inbox
        victims = ["ump-bridge", "ump-lmtp", "postgres", "ump-milter", "ump-bridge"]
        show(f"before: {len(inbox.uids())} mails in INBOX, {len(self.sim.accepted)} messages at the provider")
        incoming = [f"in {index} {os.urandom(3).hex()}" for index in range(IN_KILLS)]
        outgoing = [f"out {index} {os.urandom(3).hex()}" for index in range(OUT_KILLS)]
        for index in range(max(IN_KILLS, OUT_KILLS)):
            self.sim.inbound(CAROL, OURS, incoming[index], wait=False)
            if index % 2 == 0 and victims:
                name = victims.pop(0)
                show(f"kill -9 {name} (pid {self.gateway.pid(name)})")
                self.gateway.kill(name, wait=False)
            self.submit_until_taken(CAROL, outgoing[index])
        wait_until(lambda: all(service["pid"] for service in self.gateway.services().values()), "all to run again")
        mails = inbox.wait_all(lambda mail: mail.text in incoming, IN_KILLS, 40, "messages in INBOX")
        self.sim.wait_for(lambda: {e["request"]["text"] for e in self.sim.accepted} >= set(outgoing), 40, "all to leave")
        texts, sent = [mail.text for mail in mails], [entry["request"]["text"] for entry in self.sim.accepted]
        show(f"after:  {len(inbox.uids())} mails in INBOX, {len(self.sim.accepted)} messages at the provider")
        self.check(sorted(texts) == sorted(incoming), f"{IN_KILLS} arrived: {len(set(texts))} in the mailbox, "
                                                      f"{len(texts) - len(set(texts))} twice, 0 lost")
        times = [sent.count(text) for text in outgoing]
        self.check(times == [1] * OUT_KILLS, f"{OUT_KILLS} were accepted from alice: {sum(times)} at the provider, "
                                             f"{sum(count > 1 for count in times)} twice, {times.count(0)} lost")

    def submit_until_taken(self, number, text):
        """As a mail program does: what is refused for a time, or broken off, is tried again."""
        def attempt():
            try:
                self.alice.submit(self.gateway.address(number), text, Message_ID=f"<{text.replace(' ', '.')}@client.msgs.test>")
                return True
            except Exception as error:
                if getattr(error, "code", 400) >= 500:
                    raise
                return False
        wait_until(attempt, f"{text!r} to be accepted", 30, 0.2)

    def stop_word(self):
        self.step("STOP is kept")
        self.sim.inbound(BOB, OURS, "STOP")
        self.alice.inbox.wait(lambda mail: mail.text.startswith("STOP"))
        refused = self.refusal(BOB, "One more thing")
        command(f"RCPT TO:<{self.gateway.address(BOB)}>")
        show(refused)
        self.check(refused.startswith("550 5.7.1"), "refused at RCPT, before anything was sent")
        self.sim.inbound(BOB, OURS, "START")
        self.alice.inbox.wait(lambda mail: mail.text.startswith("START"))
        self.check(self.refusal(BOB, "Welcome back") is None, "START lifts it")

    def refusal(self, number, text):
        try:
            self.alice.submit(self.gateway.address(number), text)
            return None
        except Exception as error:
            if not hasattr(error, "code"):
                raise
            return str(error)

    def dead_number(self):
        self.step("A dead number is reported in the thread")
        mail = self.alice.submit(self.gateway.address(DEAD), "Is anybody there?", subject="Hello")
        report = self.alice.inbox.wait(lambda report: report.message.get_content_type() == "multipart/report"
                                       and mail["Message-ID"] in str(report["References"]))
        show(f"From: {report['From']}\nSubject: {report['Subject']}\nReferences: {report['References']}\n")
        show(report.text)
        self.check(True, "a delivery report (RFC 3464), in the thread of the mail that failed")

    def trace(self, entry):
        self.step("What happened to the answer: umpctl trace")
        command("umpctl trace '<answer-1@client.msgs.test>'")
        events = wait_until(lambda: self._trace("<answer-1@client.msgs.test>", "delivered"), "the trace to be whole")
        first = None
        for event in events:
            moment = parse_time(event["at"])
            first = moment if first is None else first
            detail = ", ".join(f"{key}={value}" for key, value in (event.get("detail") or {}).items()
                               if not isinstance(value, (dict, list)))
            show(f"{1000 * (moment - first):8.1f} ms  {event['what']:<26} {event.get('status') or '':<10} {detail[:70]}".rstrip())
        self.check(any(entry["id"] in json.dumps(event) for event in events) or len(events) >= 3,
                   f"{len(events)} events, from the submission to the provider's delivery report")

    def _trace(self, message_id, last):
        events = self.gateway.trace(message_id)
        return events if any(event.get("status") == last for event in events) else None


def parse_time(text):
    from datetime import datetime
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def png(width, height):
    """A small picture, made here."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes((x * 4 % 256, y * 4 % 256, (x * y) % 256)[c] for x in range(width) for c in range(3))
                    for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def main():
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__.splitlines()[0])
    parser.add_argument("--dir", default=str(ROOT / f".run-demo-{os.getpid()}"), help="where to put the stack")
    parser.add_argument("--keep", action="store_true", help="leave the directory, for a look at its logs")
    arguments = parser.parse_args()
    demo, good = Demo(arguments.dir), False
    try:
        demo.run()
        good = True
    except Exception as error:
        print(f"\n=== FAILED: {type(error).__name__}: {error}", flush=True)
        for path in sorted(demo.gateway.layout.log.glob("ump-*.log")):
            print(f"--- end of {path}")
            print("\n".join(path.read_text(errors="replace").splitlines()[-15:]))
    finally:
        print("=== Stopping the stack", flush=True)
        demo.gateway.stop()
        if not arguments.keep:
            shutil.rmtree(demo.gateway.layout.dir, ignore_errors=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
