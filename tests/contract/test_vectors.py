"""The stored vectors of webhook signatures are what the providers' own SDKs make, and say. (The unit tests hold our verifiers
against them.)"""
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.stack.layout import ROOT

HERE = Path(__file__).resolve().parent
DATA = ROOT / "tests" / "data"


def stored(provider):
    return json.loads((DATA / provider / "signatures.json").read_text())


@pytest.fixture
def make(prism_command):
    """make(what, stdin): the answer of make_vectors.js, where the SDKs are installed."""
    installed = prism_command.parents[2]
    shutil.copy(HERE / "make_vectors.js", installed / "make_vectors.js")

    def run(what, stdin=""):
        done = subprocess.run(["node", "make_vectors.js", what], cwd=installed, input=stdin, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    return run


def test_twilio_s_sdk_makes_the_stored_vectors(make):
    assert make("twilio") == stored("twilio")


def test_telnyx_s_sdk_says_of_the_stored_vectors_what_is_stored(make):
    vectors = stored("telnyx")["vectors"]
    said = make("telnyx-verdicts", json.dumps({"vectors": vectors}))
    wrong = [vector["name"] for vector, valid in zip(vectors, said, strict=True) if vector["valid"] != valid]
    assert not wrong
    # Made anew, with other keys, they are the same otherwise.
    fresh = make("telnyx")["vectors"]
    assert [(vector["name"], vector["valid"]) for vector in fresh] == [(vector["name"], vector["valid"]) for vector in vectors]
    assert not {vector["key"] for vector in fresh} & {vector["key"] for vector in vectors}
