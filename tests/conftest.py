"""Fixtures: a stack per worker, people and endpoints of a test's own, logs that are read after each test."""
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.lib.gateway import Gateway

ROOT = Path(__file__).resolve().parents[1]


def pytest_configure(config):
    config.addinivalue_line("markers", "destructive: kills or stops servers; has a stack of its own")
    config.addinivalue_line("markers", "cell(provider, channel, direction, kind, ...): shows these cells of docs/CHANNELS.md")
    config.addinivalue_line("markers", "guarantee: counts what was lost, doubled or leaked; one failure is one too many")
    config.addinivalue_line("markers", "sanitize: also runs with the ASan and UBSan build")
    config.addinivalue_line("markers", "threads: also runs with the TSan build")


def stack_directory():
    base = os.environ.get("UMP_TEST_DIR") or tempfile.gettempdir()
    directory = tempfile.mkdtemp(prefix="ump-", dir=base)
    os.chmod(directory, 0o755)
    return directory


def finish(gateway):
    problems = []
    try:
        gateway.stop()
        problems = gateway.log_problems()
    finally:
        if problems or os.environ.get("UMP_KEEP"):
            kept = ROOT / "build" / "test-logs" / gateway.layout.dir.name
            shutil.copytree(gateway.layout.log, kept, dirs_exist_ok=True)
            print(f"logs kept in {kept}")
        gateway.remove()
    assert not problems, "\n".join(problems[:20])


@pytest.fixture(scope="session")
def shared_gateway():
    """One stack for all tests of this worker that break nothing."""
    gateway = Gateway(stack_directory()).start()
    yield gateway
    finish(gateway)


@pytest.fixture
def gateway(shared_gateway, request):
    """The worker's stack; faults in its logs fail the test during which they appeared."""
    shared_gateway.sim.reset()
    yield shared_gateway
    problems = shared_gateway.log_problems()
    if problems:
        pytest.fail("in the logs:\n" + "\n".join(problems[:20]))


@pytest.fixture
def own_gateway(request):
    """A stack of the test's own, for tests that kill and stop. Indirect parameters: settings of ump.conf."""
    gateway = Gateway(stack_directory(), settings=getattr(request, "param", ())).start()
    yield gateway
    finish(gateway)


@pytest.fixture
def people(gateway):
    """people() makes a fresh user with an empty mailbox."""
    made = []

    def make():
        made.append(gateway.person())
        return made[-1]
    yield make
    for person in made:
        person.close()


@pytest.fixture
def alice(people):
    """A fresh user; the name is for the reader."""
    return people()


@pytest.fixture
def endpoint(alice):
    """An SMS endpoint of alice's, with the simulator as its provider."""
    return alice.endpoint()


@pytest.fixture
def contact(gateway):
    """A phone number of somebody outside."""
    return gateway.number()
