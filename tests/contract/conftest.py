"""Prism, which validates requests and answers against a provider's own description."""
import json
import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.lib.wait import wait_until
from tests.stack.layout import ROOT, PortLocks

HERE = Path(__file__).resolve().parent
SPECS = ROOT.parent / "shared" / "specs"
INSTALLED = ROOT / "build" / "prism"


def ask(url, body, method="POST", *, key):
    """A request with that bearer key and, unless body is None, JSON: the status, and the JSON of the answer."""
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), method=method,
                                     headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


@pytest.fixture(scope="session")
def prism_command():
    """Installed once, by the lock file, into the build directory."""
    command = INSTALLED / "node_modules" / ".bin" / "prism"
    INSTALLED.mkdir(parents=True, exist_ok=True)
    lock = INSTALLED / ".lock"
    with open(lock, "w", encoding="ascii") as handle:
        import fcntl
        fcntl.flock(handle, fcntl.LOCK_EX)
        lists = [directory / "package-lock.json" for directory in (HERE, INSTALLED)]
        if not command.exists() or lists[0].read_bytes() != lists[1].read_bytes():
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(HERE / name, INSTALLED / name)
            subprocess.run(["npm", "ci", "--no-progress"], cwd=INSTALLED, check=True, capture_output=True, timeout=600)
    return command


class Prism:
    def __init__(self, command, description, upstream, log):
        self.locks = PortLocks()
        self.port = self.locks.take(["prism"])["prism"]
        self.log_path = log
        self.log = open(log, "wb")
        self.process = subprocess.Popen(
            [command, "proxy", "-h", "127.0.0.1", "-p", str(self.port), "--errors", str(description), upstream],
            stdout=self.log, stderr=subprocess.STDOUT, env={**os.environ, "NO_COLOR": "1"}, start_new_session=True)
        wait_until(lambda: self.process.poll() is not None or b"Prism is listening" in self.output(), "Prism", 60)
        assert self.process.poll() is None, self.output().decode()

    def output(self):
        return Path(self.log_path).read_bytes()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def close(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(20)
        self.log.close()
        self.locks.release()


@pytest.fixture
def prism_for(prism_command, tmp_path):
    """prism_for("telnyx/openapi.json", upstream) starts a validating proxy."""
    started = []

    def start(description, upstream):
        path = SPECS / description
        if not path.exists():
            pytest.skip(f"{description} is not at hand")
        started.append(Prism(prism_command, path, upstream, tmp_path / f"prism-{len(started)}.log"))
        return started[-1]
    yield start
    for prism in started:
        prism.close()
