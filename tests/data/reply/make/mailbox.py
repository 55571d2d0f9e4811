"""Mails as bytes, and the corpus on disk: MANIFEST.json with, per mail, its files and the text that should leave."""
import base64
import email
import email.policy
import json
import quopri
from dataclasses import dataclass
from email.header import Header
from pathlib import Path

CORPUS = Path(__file__).resolve().parents[1]
# Python knows these charsets under other names than mail does.
CODECS = {"iso-8859-8-i": "iso-8859-8", "windows-874": "cp874", "gb2312": "gbk", "ks_c_5601-1987": "cp949",
          "windows-31j": "cp932", "iso-8859-1": "cp1252"}


@dataclass
class Part:
    """A leaf of a mail. body: text, encoded as charset says, or bytes as they are."""
    kind: str
    body: str | bytes
    charset: str | None = "utf-8"
    cte: str = "quoted-printable"
    params: str = ""
    fields: tuple = ()


@dataclass
class Multi:
    kind: str
    parts: list
    params: str = ""


@dataclass
class Case:
    """One mail of the corpus. typed: what the person typed, which is what should leave."""
    id: str
    client: str
    lang: str
    category: str
    typed: str
    mail: bytes = b""
    alts: tuple = ()
    held: bool = False  # to hold it back is right as well
    must_contain: tuple = ()
    must_not_contain: tuple = ()
    tags: tuple = ()
    note: str = ""


def encode(part):
    data = part.body if isinstance(part.body, bytes) else part.body.encode(CODECS.get(part.charset, part.charset or "ascii"))
    data = data.replace(b"\r\n", b"\n")
    if part.cte == "base64":
        return base64.encodebytes(data)
    if part.cte == "quoted-printable":
        return quopri.encodestring(data) + (b"" if data.endswith(b"\n") else b"\n")
    return data if data.endswith(b"\n") else data + b"\n"


_boundaries = iter(range(1, 1_000_000))


def render(part):
    """A part with its fields, ready to stand in a mail. Boundaries count up: a rebuild gives the same bytes."""
    if isinstance(part, Multi):
        boundary = f"=_part_{next(_boundaries):06d}"
        head = f"Content-Type: {part.kind}; boundary=\"{boundary}\"{part.params}\n\n".encode()
        inner = b"".join(b"--" + boundary.encode() + b"\n" + render(one) for one in part.parts)
        return head + inner + b"--" + boundary.encode() + b"--\n"
    charset = f"; charset={part.charset}" if part.charset else ""
    fields = "".join(f"{name}: {value}\n" for name, value in part.fields)
    cte = f"Content-Transfer-Encoding: {part.cte}\n" if part.cte else ""
    return f"Content-Type: {part.kind}{charset}{part.params}\n{cte}{fields}\n".encode() + encode(part)


def start(text, charset="utf-8"):
    """A field's value, as encoded words where it must be."""
    return text if text.isascii() else Header(text, "utf-8" if charset in (None, "us-ascii") else CODECS.get(charset, charset)).encode()


def compose(fields, body):
    """The whole mail. fields: (name, value) pairs, values encoded already."""
    head = "".join(f"{name}: {value}\n" for name, value in fields).encode()
    return head + b"MIME-Version: 1.0\n" + render(body)


def decoded_body(raw):
    """(text|html, what a reader sees first): the plain part, or the HTML part of a mail that has no other."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    for wanted in ("text/plain", "text/html"):
        for part in message.walk():
            if part.get_content_type() == wanted and part.get_content_disposition() != "attachment":
                charset = part.get_content_charset() or "utf-8"
                data = part.get_payload(decode=True)
                try:
                    text = data.decode(CODECS.get(charset, charset))
                except (LookupError, UnicodeDecodeError):
                    text = data.decode("utf-8", "replace")
                return wanted[5:].replace("plain", "text"), text.replace("\r\n", "\n")
    return "text", ""


def entry(case, source):
    kind, body = decoded_body(case.mail)
    stem = f"{source}/{case.id}"
    suffix = "html" if kind == "html" else "txt"
    files = {"eml": f"{stem}.eml", "body": f"{stem}.body.{suffix}", "expected": f"{stem}.expected.txt"}
    (CORPUS / source).mkdir(exist_ok=True)
    (CORPUS / files["eml"]).write_bytes(case.mail)
    (CORPUS / files["body"]).write_bytes(body.encode())
    (CORPUS / files["expected"]).write_bytes(case.typed.encode())
    return {"id": stem, "source": source, "client": case.client, "licence": "Apache-2.0", "lang": case.lang,
            "kind": "assert" if case.must_contain or case.must_not_contain else "exact",
            "expected": None if case.must_contain or case.must_not_contain else case.typed,
            "alts": list(case.alts), "must_contain": list(case.must_contain), "must_not_contain": list(case.must_not_contain),
            "starts_with": [], "ends_with": [], "category": case.category, "tags": list(case.tags), "nows": False,
            "held": case.held, "note": case.note, "body_ctype": kind, "eml": "native", "files": files}


def store(source, cases):
    """Replaces everything of one source, files and entries."""
    path = CORPUS / "MANIFEST.json"
    manifest = [one for one in json.loads(path.read_text()) if one["source"] != source] if path.exists() else []
    for old in (CORPUS / source).glob("*"):
        old.unlink()
    ids = [case.id for case in cases]
    assert len(ids) == len(set(ids)), f"an id twice: {sorted(i for i in ids if ids.count(i) > 1)}"
    manifest += [entry(case, source) for case in cases]
    manifest.sort(key=lambda one: one["id"])
    path.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")
    print(f"{source}: {len(cases)} mails; {len(manifest)} in all")
