"""A simulated signal-cli and an endpoint that speaks through it, as fixtures: import simulator, sim and line."""
import os
import tempfile

import pytest

from tests.lib.conversation import declare_signal
from tests.sim import signal_cli


@pytest.fixture(scope="module")
def simulator():
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)  # the gateway has a user of its own
        with signal_cli.Simulator(unix_path=f"{directory}/socket") as sim:
            yield sim


@pytest.fixture
def sim(simulator):
    simulator.reset()
    simulator.groups.clear()
    simulator.titles.clear()
    return simulator


@pytest.fixture
def line(gateway, sim, alice):
    """A Signal endpoint of alice's."""
    return declare_signal(gateway, sim, alice)
