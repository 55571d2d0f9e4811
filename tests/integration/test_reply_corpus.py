"""`umpctl text` over mails with the text that should leave: our own corpus, and the given one."""
import os
from pathlib import Path

import pytest

from tests.lib.reply_score import HEADLINE, Judge, manifest, score

ROOT = Path(__file__).resolve().parents[2]
OWN = ROOT / "tests" / "data" / "reply"
GIVEN = ROOT.parent / "shared" / "reply-corpus"
BUILD = Path(os.environ.get("UMP_BUILD", ROOT / "build"))
COMMAND = [str(BUILD / "ctl" / "umpctl"), "text"]


@pytest.fixture(scope="module")
def own():
    return score(OWN, COMMAND)


@pytest.fixture(scope="module")
def given():
    if not GIVEN.exists():
        pytest.skip(f"{GIVEN} is absent")
    return score(GIVEN, COMMAND)


def test_own_corpus(own):
    assert not own.errors, own
    assert own.right >= 0.99, own


def test_own_corpus_leaks_nothing_long(own):
    assert own.worst_leak < 160, own


def test_given_corpus(given):
    """The headline categories; in the others the projects that own the mails disagree."""
    headline = given.headline
    assert not given.errors, given
    assert headline.right >= 0.97, headline
    assert headline.leaking <= 0.02 and headline.worst_leak < 160, headline
    assert headline.losing < 0.01, headline
    assert headline.held < 0.04, headline


def test_explain_decides_alike(own):
    """--explain comes to the same end on every mail."""
    explained = score(OWN, [*COMMAND, "--explain"])
    assert not explained.errors, explained.errors[:3]
    assert [one.code for one in explained.verdicts] == [one.code for one in own.verdicts]


def test_own_corpus_is_what_it_claims():
    cases = manifest(OWN)
    assert len(cases) >= 150
    assert len({case["lang"] for case in cases}) >= 25
    assert {case["category"] for case in cases} >= set(HEADLINE)
    listed = {OWN / name for case in cases for name in case["files"].values()}
    present = {path for path in OWN.glob("*/*") if path.parent.name != "make"}
    assert listed == present, sorted(map(str, listed ^ present))
    assert sum(path.stat().st_size for path in listed) < 2_000_000


@pytest.mark.parametrize("corpus", [OWN, GIVEN], ids=["own", "given"])
def test_judge_knows_right_from_wrong(corpus):
    """What is expected is right; a mail sent whole leaks if it held more than that; an empty answer loses."""
    if not corpus.exists():
        pytest.skip(f"{corpus} is absent")
    for case in manifest(corpus):
        judge = Judge(corpus, case)
        if case["expected"] is None:
            continue
        assert judge.verdict(case["expected"]).right, case["id"]
        nothing = judge.verdict("")
        assert nothing.right == (case["expected"].strip() == "" or "" in case["alts"]), case["id"]
        assert nothing.right or nothing.lost > 0, case["id"]
        assert judge.verdict("", 3).held != case.get("held", False), case["id"]
        assert judge.verdict("", 1).error
