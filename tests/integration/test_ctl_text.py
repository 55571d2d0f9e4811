"""umpctl text: what would be sent of a mail, without database, configuration or stack."""
import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UMPCTL = Path(os.environ.get("UMP_BUILD", ROOT / "build")) / "ctl" / "umpctl"
SHARED = ROOT.parent / "shared"
HEAD = "From: a@b.org\nContent-Type: text/html; charset=utf-8\n\n"


def run(mail, *words):
    return subprocess.run([UMPCTL, "text", *words], input=mail.encode(), capture_output=True, timeout=60, env={})


def test_certain_and_formatted():
    mail = HEAD + "<p>a <b>b</b></p><blockquote type=cite>old</blockquote>"
    assert (run(mail).returncode, run(mail).stdout) == (0, b"a b\n")
    assert run(mail, "--to", "whatsapp").stdout == b"a *b*\n"
    assert run(mail, "--to", "signal").stdout == b"a *b*\n"  # the adapter makes a range of it
    record = json.loads(run(mail, "--json").stdout)
    assert record["certainty"] == "certain" and record["styles"] == [{"style": "bold", "start": 2, "length": 1}]


def test_uncertain_prints_its_best_reading():
    result = run("From: a@b.org\n\nok\n\nBob Jones, 3 Aug 2026 10:19:\nreally?\n")
    assert result.returncode == 3 and result.stdout.startswith(b"ok\n") and b"uncertain" in result.stderr


def test_explains_each_line(tmp_path):
    path = tmp_path / "mail"
    path.write_text("From: a@b.org\n\nyes\n\nOn Mon, 3 Aug 2026 at 10:19, Bob <b@x.org> wrote:\n> no?\n")
    lines = run("", "--explain", str(path)).stdout.decode().splitlines()
    assert [line[2:].split()[0] for line in lines] == ["text", "blank", "attribution", "quoted", "certain"]
    assert lines[0].startswith("+") and not lines[2].startswith("+")


def test_refuses_what_is_no_mail(tmp_path):
    assert run("", str(tmp_path / "none")).returncode == 1
    assert run("", "--no-such-option").returncode == 64


def test_given_corpus():
    """The headline figures of the reply corpus; uncertain is neither leak nor loss."""
    tool, corpus = SHARED / "tools" / "reply_score.py", SHARED / "reply-corpus"
    if not corpus.exists():
        pytest.skip("../shared/reply-corpus is not there")
    result = subprocess.run(["/usr/bin/python3", tool, corpus, "--quiet", "--", UMPCTL, "text"], capture_output=True, timeout=300, check=True)
    figures = next(line.split() for line in result.stdout.decode().splitlines() if line.startswith("HEADLINE"))
    right, leak, gross, loss, held = (float(word.rstrip("%")) for word in figures[2:7])
    assert right >= 97 and leak <= 2 and gross == 0 and loss < 1 and held < 4, figures
