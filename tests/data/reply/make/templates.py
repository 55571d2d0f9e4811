#!/usr/bin/env python3
"""Rebuilds template/: mails after the structure of programs that do not run here, sent by swaks through a loopback server.

Usage: templates.py    (from anywhere; needs swaks)
"""
import re
import socketserver
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import cases_after  # noqa: E402
import cases_forms  # noqa: E402
import cases_last  # noqa: E402
import cases_more  # noqa: E402
import cases_odd  # noqa: E402
import cases_rare  # noqa: E402
import cases_text  # noqa: E402
import cases_web  # noqa: E402
import clients  # noqa: E402
from mailbox import Case, Multi, compose, start, store  # noqa: E402

MAILERS = {"yahoo": "WebService/1.1.24481 YMailNorrin", "yahoo-android": "WebService/1.1.24481 YMailAndroid", "outlook": "Microsoft Outlook 16.0",
           "apple": "Apple Mail (2.3826.700.81)", "iphone": "iPhone Mail (22F76)", "qq": "QQMail 2.x", "netease": "Coremail Webmail Server",
           "zimbra": "Zimbra 9.0.0_GA_4583", "zoho": "Zoho Mail", "evolution": "Evolution 3.52.3", "claws": "Claws Mail 4.1.1", "mailru": "Mail.Ru Mailer 1.0",
           "gnus": "Gnus/5.13", "emclient": "eM_Client/9.2.2307", "notes": "Lotus Notes Release 9.0.1"}


class Sink(socketserver.StreamRequestHandler):
    """Speaks as much SMTP as swaks needs; keeps the data."""

    def handle(self):
        self.wfile.write(b"220 sink\r\n")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go\r\n")
                lines = []
                for data in self.rfile:
                    if data == b".\r\n":
                        break
                    lines.append(data[1:] if data.startswith(b".") else data)
                self.server.taken.append(b"".join(lines))
            self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250-sink\r\n250 8BITMIME\r\n" if verb == b"EHLO" else b"250 ok\r\n")
            if verb == b"QUIT":
                return


def by_swaks(server, mail, addr):
    """The mail as swaks delivers it."""
    # The at sign before a name means a file to swaks; '-' reads standard input.
    done = subprocess.run(["swaks", "--server", f"127.0.0.1:{server.server_address[1]}", "--from", "alice@msgs.test", "--to", f"<{addr}>",
                           "--data", "-", "--suppress-data"], input=mail, capture_output=True, timeout=30)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    return server.taken.pop().replace(b"\r\n", b"\n")


def envelope(number, case_id, who, addr, me, subject, charset, mailer=None, answers=True):
    fields = [("Date", "Thu, 28 May 2026 22:41:07 +0200"), ("From", f"{start(me, charset)} <alice@msgs.test>"),
              ("To", f"{encoded_name(who)} <{addr}>"), ("Subject", start(("Re: " if answers else "") + subject)),
              ("Message-ID", f"<t{number:04d}.{case_id}@client.msgs.test>")]
    if answers:
        anchor = f"<ump.018f0000-0000-7000-8000-{number:012d}@msgs.test>"
        fields += [("In-Reply-To", anchor), ("References", anchor)]
    return fields + ([("X-Mailer", mailer)] if mailer else [])


def encoded_name(name):
    return f'"{name}"' if name.isascii() else start(name)


def words(text, limit=50):
    return textwrap.shorten(text, limit, placeholder=" …") if " " in text else text[:limit]


def web_case(number, spec):
    name, client, lang, category, typed, quoted, more = spec
    more = dict(more)
    alts, app, below = more.pop("alts", ()), more.pop("app", None), more.pop("below", None)
    wrap, shown = more.pop("wrap", None), more.pop("plain", None)
    reply = clients.Reply(typed, quoted, lang, subject=words(quoted), **more)
    body = client(reply, **({"app": app} if app else {}), **({"below": below} if below else {}))
    if isinstance(body, Multi) and (wrap or shown):
        plain = body.parts[0]
        plain.body = plain.body.replace(typed, textwrap.fill(typed, wrap) if wrap else shown, 1)
    program = re.sub(r"^(outlook|apple|iphone|yahoo-android|\w+).*", r"\1", name)
    fields = envelope(number, name, reply.who, reply.addr, reply.me, reply.subject, reply.charset, MAILERS.get(program))
    return Case(name, f"structure of {client.__name__}", lang.split("-")[0] if lang == "en-gb" else lang, category, typed, compose(fields, body), alts,
                tags=("html" if not isinstance(body, Multi) and body.kind == "text/html" else "alternative" if isinstance(body, Multi) else "plain",)), reply.addr


def text_case(number, spec):
    name, client, lang, category, typed, body = spec
    body, more = body if isinstance(body, tuple) else (body, {})
    answers = not name.startswith("fresh")
    addr = "+15551234567@sms.msgs.test"
    fields = envelope(number, name, "Bob Jones (SMS)", addr, "Alice Smith", "x" if answers else "A word", "utf-8", None, answers)
    return Case(name, "swaks", lang, category, typed, compose(fields, body), **more), addr


def main():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Sink) as server:
        server.taken = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        built = [web_case(number, spec) for number, spec in enumerate(cases_web.CASES, 1)]
        built += [text_case(number, spec) for number, spec in enumerate(cases_text.CASES, 1001)]
        built += [web_case(number, spec) for number, spec in enumerate(cases_more.WEB, 1301)]
        built += [text_case(number, spec) for number, spec in enumerate(cases_more.TEXT, 1501)]
        built += [web_case(number, spec) for number, spec in enumerate(cases_last.WEB, 1701)]
        built += [text_case(number, spec) for number, spec in enumerate(cases_last.TEXT, 1801)]
        written = cases_forms.CASES + cases_odd.CASES + cases_rare.CASES + cases_after.CASES
        built += [text_case(number, spec) for number, spec in enumerate(written, 2001)]
        for case, addr in built:
            case.mail = by_swaks(server, case.mail, addr)
        server.shutdown()
    store("template", [case for case, _ in built])


if __name__ == "__main__":
    main()
