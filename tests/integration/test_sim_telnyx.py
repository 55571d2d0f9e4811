"""The simulated provider does what it is relied on for: it refuses, logs, signs, repeats and fails."""
import base64
import http.client
import json

import pytest
from nacl.signing import VerifyKey

from tests.sim.telnyx import Simulator

OURS, THEIRS = "+12125550100", "+12125550123"


@pytest.fixture
def sim(tmp_path):
    with Simulator(str(tmp_path / "log"), retry_base=0.01, status_delay=0.01) as simulator:
        yield simulator


class Receiver(Simulator):
    """A second server that takes webhooks, and says what the test wants."""

    def __init__(self):
        super().__init__()
        self.got, self.answers = [], []

    async def handle(self, request):
        from tests.sim.server import Response
        self.got.append(request)
        self._notify()
        return Response(self.answers.pop(0) if self.answers else 200)


@pytest.fixture
def receiver():
    with Receiver() as other:
        yield other


def ask(sim, request, key="KEY_SIMULATED", path="/v2/messages", method="POST"):
    connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=5)
    connection.request(method, path, json.dumps(request) if request is not None else None,
                       {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read() or b"null")


def code(answer):
    return answer[0], answer[1]["errors"][0]["code"]


def test_accepts_logs_and_shows(sim):
    status, body = ask(sim, {"from": OURS, "to": THEIRS, "text": "hello"})
    assert status == 200 and body["data"]["to"][0]["status"] == "queued"
    with open(sim.log_path, encoding="utf-8") as log:
        assert json.loads(log.readline())["request"]["text"] == "hello"
    assert ask(sim, None, path=f"/v2/messages/{body['data']['id']}", method="GET")[1]["data"]["text"] == "hello"


@pytest.mark.parametrize("request_,expected", [
    ({"from": OURS, "to": THEIRS, "tex": "x"}, (400, "10015")),
    ({"from": OURS, "text": "x"}, (400, "10015")),
    ({"from": OURS, "to": "12125550123", "text": "x"}, (400, "40310")),
    ({"from": "nobody at all, far too long", "to": THEIRS, "text": "x"}, (400, "40305")),
    ({"from": OURS, "to": THEIRS}, (400, "40304")),
    ({"from": OURS, "to": THEIRS, "text": "x" * 1600}, (400, "40302")),
    ({"from": OURS, "to": THEIRS, "text": "日本", "encoding": "gsm7"}, (400, "40304")),
    ({"from": OURS, "to": THEIRS, "media_urls": ["http://x/y"] * 11}, (400, "40317")),
    ({"from": OURS, "to": "+12126640310", "text": "x"}, (400, "40310")),
])
def test_refuses(sim, request_, expected):
    assert code(ask(sim, request_)) == expected
    assert not sim.accepted


def test_refuses_a_wrong_key(sim):
    assert code(ask(sim, {"from": OURS, "to": THEIRS, "text": "x"}, key="WRONG")) == (401, "10009")


def test_webhooks_are_signed_and_keep_the_query(sim, receiver):
    ask(sim, {"from": OURS, "to": THEIRS, "text": "hello", "webhook_url": receiver.url + "/webhooks/1?a=b&c=d"})
    receiver.wait_for(lambda: len(receiver.got) >= 2)
    assert [json.loads(r.body)["data"]["event_type"] for r in receiver.got] == ["message.sent", "message.finalized"]
    for request in receiver.got:
        assert (request.path, request.query) == ("/webhooks/1", {"a": "b", "c": "d"})
        VerifyKey(base64.b64decode(sim.public_key)).verify(
            request.headers["telnyx-timestamp"].encode() + b"|" + request.body,
            base64.b64decode(request.headers["telnyx-signature-ed25519"]))


def test_webhooks_are_repeated_three_times_per_url(sim, receiver):
    receiver.answers = [500] * 5
    sim.register(OURS, receiver.url + "/first", receiver.url + "/second")
    assert sim.inbound(THEIRS, OURS, "hello")["status"] == 200
    assert [r.path for r in receiver.got] == ["/first"] * 3 + ["/second"] * 3
    assert [json.loads(r.body)["meta"]["attempt"] for r in receiver.got] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("mode,accepted", [
    ("accept-then-drop", 1), ("accept-then-reset", 1), ("accept-half-body", 1), ("reset-before-accept", 0)])
def test_broken_connections(sim, mode, accepted):
    sim.add_rule(mode=mode, times=1)
    with pytest.raises((OSError, http.client.HTTPException)):
        ask(sim, {"from": OURS, "to": THEIRS, "text": "x"})
    assert len(sim.accepted) == accepted
    assert ask(sim, {"from": OURS, "to": THEIRS, "text": "x"})[0] == 200


@pytest.mark.parametrize("mode,status,accepted", [
    ("429", 429, 0), ("500-before-accept", 500, 0), ("503-before-accept", 503, 0), ("accept-then-500", 500, 1)])
def test_error_answers(sim, mode, status, accepted):
    sim.add_rule(mode=mode, times=1)
    connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=5)
    connection.request("POST", "/v2/messages", json.dumps({"from": OURS, "to": THEIRS, "text": "x"}),
                       {"Authorization": "Bearer KEY_SIMULATED"})
    assert connection.getresponse().status == status
    assert len(sim.accepted) == accepted


def test_stop_blocks_and_start_lifts(sim, receiver):
    sim.register(OURS, receiver.url + "/hook")
    sim.inbound(THEIRS, OURS, " stop ")
    assert json.loads(receiver.got[-1].body)["data"]["payload"]["autoresponse_type"] == "STOP"
    assert code(ask(sim, {"from": OURS, "to": THEIRS, "text": "x"})) == (400, "40300")
    sim.inbound(THEIRS, OURS, "START")
    assert ask(sim, {"from": OURS, "to": THEIRS, "text": "x"})[0] == 200


def test_late_failure_is_reported_by_finalized(sim, receiver):
    ask(sim, {"from": OURS, "to": "+12126640001", "text": "x", "webhook_url": receiver.url + "/hook"})
    receiver.wait_for(lambda: len(receiver.got) >= 2)
    payload = json.loads(receiver.got[-1].body)["data"]["payload"]
    assert payload["to"][0]["status"] == "delivery_failed" and payload["errors"][0]["code"] == "40001"


def test_group_mms_reports_per_recipient(sim, receiver):
    members = [THEIRS, "+12125550124", "+12125550125"]
    assert ask(sim, {"from": OURS, "to": members, "text": "all", "webhook_url": receiver.url + "/hook"},
               path="/v2/messages/group_mms")[0] == 200
    receiver.wait_for(lambda: len(receiver.got) >= 4)
    finals = [json.loads(r.body)["data"]["payload"] for r in receiver.got[1:]]
    for index, payload in enumerate(finals):
        assert [to["status"] for to in payload["to"]] == [
            "delivered" if other == index else "unknown" for other in range(3)]


def test_media_is_served_and_fetched(sim):
    picture = sim.add_media("a b.png", b"\x89PNG", "image/png")
    ask(sim, {"from": OURS, "to": THEIRS, "media_urls": [picture["url"]]})
    fetched = sim.wait_for(lambda: sim.accepted[-1]["media"])
    assert (fetched[0]["status"], fetched[0]["sha256"]) == (200, picture["sha256"])


def test_it_runs_as_a_command():
    """As ./run up tells people to start it."""
    import json
    import subprocess
    from pathlib import Path
    script = Path(__file__).resolve().parents[1] / "sim" / "telnyx.py"
    with subprocess.Popen(["/usr/bin/python3", script], stdout=subprocess.PIPE, text=True, cwd="/") as process:
        try:
            lines = ""
            while "}" not in lines:
                line = process.stdout.readline()
                assert line, "it ended"
                lines += line
            assert json.loads(lines)["base_url"].startswith("http://127.0.0.1:")
        finally:
            process.kill()
