"""The simulated Telnyx against the provider's own description: its answers are valid, its refusals agree."""
import functools
import json

import pytest

from tests.contract import conftest
from tests.sim.telnyx import Simulator

ask = functools.partial(conftest.ask, key="KEY_SIMULATED")
OURS, THEIRS = "+12125550100", "+12125550123"


@pytest.fixture
def sim():
    with Simulator() as simulator:
        yield simulator


def test_answers_and_refusals_agree_with_the_description(prism_for, sim):
    prism = prism_for("telnyx/openapi.json", sim.base_url)
    status, body = ask(f"{prism.url}/messages", {"from": OURS, "to": THEIRS, "text": "hello", "type": "SMS"})
    assert status == 200, json.dumps(body)
    status, shown = ask(f"{prism.url}/messages/{body['data']['id']}", None, "GET")
    assert status == 200 and shown["data"]["text"] == "hello"
    status, body = ask(f"{prism.url}/messages/group_mms",
                       {"from": OURS, "to": [THEIRS, "+12125550124"], "text": "all", "media_urls": ["https://media.example.org/x"]})
    assert status == 200, json.dumps(body)
    accepted = len(sim.accepted)
    for wrong in ({"from": OURS, "to": THEIRS, "tex": "x"}, {"from": OURS, "text": "x"},
                  {"from": OURS, "to": THEIRS, "text": "x", "type": "FAX"}):
        assert ask(f"{prism.url}/messages", wrong)[0] == 422, wrong
        assert ask(f"{sim.base_url}/messages", wrong)[0] == 400, wrong
    assert len(sim.accepted) == accepted
