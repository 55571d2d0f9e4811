"""umpctl endpoint link signal."""
import json
import subprocess

from tests.lib.signal_fixtures import line, sim, simulator  # fixtures


def start_link(gateway, *words):
    return subprocess.Popen([gateway.layout.umpctl, "--json", "endpoint", "link", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_link_shows_the_code_and_adds_the_endpoint(gateway, sim, alice, contact):
    number = gateway.number()
    linking = start_link(gateway, "signal", "--owner", alice.email, "--set", f"base_url={sim.base_url}")
    uri = sim.scan(number)
    out, err = linking.communicate(timeout=30)
    assert linking.returncode == 0 and json.loads(out)["address"] == number
    lines = err.splitlines()
    assert uri in lines and "Linked devices" in err
    code = [line for line in lines if "█" in line]
    assert len(code) >= 20 and len({len(line) for line in code}) == 1 and "▄" in err
    sim.wait_subscribed(number)
    sim.inbound(contact, number, "linked")
    assert alice.inbox.wait().text == "linked"


def test_link_of_an_endpoint_wants_its_own_phone(gateway, sim, line):
    linking = start_link(gateway, line.id)
    sim.scan(gateway.number())
    _, err = linking.communicate(timeout=30)
    assert linking.returncode == 1 and "scan with that phone" in err
    linking = start_link(gateway, line.id)
    sim.scan(line.number)
    out, _ = linking.communicate(timeout=30)
    assert linking.returncode == 0 and json.loads(out) == {"result": "linked", "number": line.number}


def test_link_without_a_daemon_says_so(gateway, sim, alice):
    linking = start_link(gateway, "signal", "--set", "base_url=http://127.0.0.1:1")
    _, err = linking.communicate(timeout=30)
    assert linking.returncode == 75 and "does not answer" in err
