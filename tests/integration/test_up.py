"""What `./run up` prints at its end works as it is typed."""
import re
import shlex
import subprocess

import pytest

from tests.lib.wait import wait_until
from tests.stack.layout import PortLocks
from tests.stack.lifecycle import how_to_try


def commands(text):
    """The lines to type, continued ones joined, by the number of their step."""
    found = {}
    for number, block in re.findall(r"^(\d)\. .*?\n((?: {3,}.*\n)+)", text, re.M):
        found[int(number)] = [line.strip() for line in block.replace("\\\n", " ").splitlines() if line.strip()]
    return found


@pytest.mark.destructive
def test_the_printed_commands_work(own_gateway):
    locks = PortLocks()
    port = str(locks.take(["provider"])["provider"])
    steps = commands(how_to_try(own_gateway.layout).replace("18080", port))
    assert sorted(steps) == [1, 2, 3, 4]
    provider = subprocess.Popen(shlex.split(steps[1][0]), stdout=subprocess.PIPE, text=True, cwd="/")
    try:
        first = provider.stdout.readline()
        assert first.startswith("{"), first

        def shell(line):
            return subprocess.run(line, shell=True, capture_output=True, text=True, timeout=60)
        assert '"status": 200' in shell(steps[2][0]).stdout
        wait_until(lambda: "Hello from the street" in shell(steps[3][0]).stdout, "the mail", 20, 0.2)
        swaks, requests = steps[4]
        assert shell(swaks).returncode == 0
        wait_until(lambda: "Hello from my desk" in shell(requests).stdout, "the request at the provider", 20, 0.2)
    finally:
        provider.terminate()
        provider.wait(10)
        locks.release()
