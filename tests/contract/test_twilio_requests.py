"""Every kind of request that the gateway makes of Twilio is valid by Twilio's own description, and the simulator agrees."""
import base64
import json
import re
import urllib.error
import urllib.parse
import urllib.request

import pytest

from tests.contract.conftest import SPECS
from tests.lib.conversation import PNG
from tests.lib.wait import wait_until
from tests.sim import twilio

OURS, THEIRS = "+12125550100", "+12125550123"


@pytest.fixture
def sim():
    with twilio.Simulator() as simulator:
        yield simulator


@pytest.fixture
def description(tmp_path):
    """Twilio's own, but for one thing: it says that the URIs of lists are whole, where its own examples are paths."""
    known = SPECS / "twilio" / "openapi.json"
    if not known.exists():
        pytest.skip("twilio/openapi.json is not at hand")
    whole = json.loads(known.read_text())

    def relax(value, name=""):
        if isinstance(value, dict):
            if re.fullmatch("(first_page_|next_page_|previous_page_)?uri", name) and value.get("format") == "uri":
                del value["format"]
            for key, inner in value.items():
                relax(inner, key)
        elif isinstance(value, list):
            for inner in value:
                relax(inner)
    for path in whole["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                relax(operation.get("responses"))
    relax(whole["components"]["schemas"])
    amended = tmp_path / "twilio.json"
    amended.write_text(json.dumps(whole))
    return amended


# The description wants URLs with a name: 127.0.0.1 is none.
@pytest.mark.parametrize("own_gateway", [["gateway.public_url=http://gateway.msgs.test", "outbound.uncertain_notice=6s",
                                          "outbound.request_timeout=2s"]], indirect=True)
def test_requests_are_valid(prism_for, description, own_gateway, sim):
    gateway = own_gateway
    sim.hosts["gateway.msgs.test"] = ("127.0.0.1", gateway.ports["http"])
    prism = prism_for(description, sim.url)
    alice = gateway.user("alice")
    lines = {channel: gateway.declare(twilio, sim, alice, channel, number=OURS, base_url=f"{prism.url}/2010-04-01")
             for channel in ("sms", "whatsapp")}
    first, second, third = (gateway.number() for _ in range(3))

    alice.submit(gateway.address(first), "Zażółć gęślą jaźń 🙂 & a=b")
    alice.submit(gateway.address(second), "With a picture", attachments=[("dot.png", "image/png", PNG)])
    sim.inbound(f"whatsapp:{third}", f"whatsapp:{OURS}", "write to me")
    alice.inbox.wait(lambda mail: mail.text == "write to me")
    alice.submit(gateway.address(third, "whatsapp"), "By WhatsApp")
    assert sim.wait_request(To=first)["request"]["Body"] == "Zażółć gęślą jaźń 🙂 & a=b"
    assert len(sim.wait_request(To=second)["request"]["MediaUrl"]) == 1
    assert sim.wait_request(To=f"whatsapp:{third}")["request"]["From"] == f"whatsapp:{OURS}"
    # the look-up and the poll, with a list of media
    sim.statuses_on = False
    sim.add_rule(mode="accept-then-drop", to=first, times=1)
    alice.submit(gateway.address(first), "Answer lost")
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.deliveries WHERE recipient = %s AND provider_id IS NOT NULL", first)
               == [(2,)], "it to be found", 30)
    sim.inbound(second, OURS, "Lost with its picture", media=[("a.png", PNG, "image/png")], lost=True)
    gateway.umpctl("endpoint", "set", lines["sms"].id, "--set", "poll=1s")
    alice.inbox.wait(lambda mail: mail.text.startswith("Lost with its picture"))
    assert gateway.umpctl("endpoint", "test", lines["sms"].id)["result"] == "ok"
    # What is invalid never reaches the simulator: Prism answers 422, which is a failure report.
    assert "iolation" not in prism.output().decode(), prism.output().decode()


def ask(sim, url, form=None):
    key = base64.b64encode(f"{sim.account_sid}:{sim.auth_token}".encode()).decode()
    request = urllib.request.Request(url, urllib.parse.urlencode(form, doseq=True).encode() if form is not None else None,
                                     headers={"Authorization": f"Basic {key}"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_answers_of_the_simulator_agree_with_the_description(prism_for, description, sim):
    prism = prism_for(description, sim.url)
    messages = f"{prism.url}/2010-04-01/Accounts/{sim.account_sid}/Messages"
    status, body = ask(sim, f"{messages}.json", {"From": OURS, "To": THEIRS, "Body": "hello", "MediaUrl": ["https://a.example.org/x"]})
    assert status == 201, json.dumps(body)
    status, shown = ask(sim, f"{messages}/{body['sid']}.json")
    assert status == 200 and shown["body"] == "hello", json.dumps(shown)
    status, listed = ask(sim, f"{messages}.json?To={urllib.parse.quote(THEIRS)}&PageSize=1")
    assert status == 200 and [entry["sid"] for entry in listed["messages"]] == [body["sid"]], json.dumps(listed)
    status, media = ask(sim, f"{messages}/{body['sid']}/Media.json")
    assert status == 200 and media["media_list"] == [], json.dumps(media)
    assert ask(sim, f"{messages}.json", {"From": OURS, "Body": "to nobody"})[0] == 422
    status, refused = ask(sim, f"{sim.base_url}/Accounts/{sim.account_sid}/Messages.json", {"From": OURS, "Body": "to nobody"})
    assert status == 400 and refused["code"] == 21211
    status, refused = ask(sim, f"{sim.base_url}/Accounts/{sim.account_sid}/Messages.json", {"From": OURS, "To": THEIRS, "Bdy": "x"})
    assert status == 400 and refused["code"] == 20001
