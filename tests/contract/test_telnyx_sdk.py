"""Telnyx's own SDK and the gateway agree on which webhooks are genuine (Twilio's vectors are in tests/data/twilio)."""
import base64
import http.client
import json
import shutil
import subprocess
import time
import urllib.parse
from pathlib import Path

from nacl.signing import SigningKey

HERE = Path(__file__).resolve().parent


def post(url, body, headers):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    connection.request("POST", parts.path, body.encode(), {"Content-Type": "application/json", **headers})
    return connection.getresponse().status


def variants(sim, event):
    """(name, headers, body): a genuine webhook first, then what others could make of it."""
    body, now = json.dumps(event, ensure_ascii=False), int(time.time())

    def signed(stamp=now, key=sim.key, over=body):
        signature = key.sign(f"{stamp}|{over}".encode()).signature
        return {"telnyx-timestamp": str(stamp), "telnyx-signature-ed25519": base64.b64encode(signature).decode()}
    good = signed()
    raw = base64.b64decode(good["telnyx-signature-ed25519"])
    word = "telnyx-signature-ed25519"
    return [
        ("genuine", good, body), ("a minute old", signed(now - 60), body), ("genuine, of another form", signed(over=body + " "), body + " "),
        ("of another key", signed(key=SigningKey.generate()), body), ("another body", good, body.replace("Zoë", "Zoe")),
        ("one space more", good, body + " "), ("another time", {**good, "telnyx-timestamp": str(now + 1)}, body),
        ("replayed after an hour", signed(now - 3600), body), ("from the future", signed(now + 3600), body),
        ("truncated", {**good, word: base64.b64encode(raw[:63]).decode()}, body),
        ("too long", {**good, word: base64.b64encode(raw + b"\0").decode()}, body),
        ("in hex", {**good, word: raw.hex()}, body), ("empty", {**good, word: ""}, body),
        ("without a time", {word: good[word]}, body), ("without a signature", {"telnyx-timestamp": good["telnyx-timestamp"]}, body),
        ("a time that is none", {**good, "telnyx-timestamp": "yesterday"}, body),
        ("zeros", {**good, word: base64.b64encode(bytes(64)).decode()}, body),
    ]


def test_the_sdk_and_the_gateway_agree(gateway, alice, endpoint, contact, prism_command):
    installed = prism_command.parents[2]
    shutil.copy(HERE / "verify_telnyx.js", installed / "verify_telnyx.js")
    event = gateway.sim.inbound_event(**{"from": contact, "to": endpoint.number, "text": "Zoë says: 1+1=2 & “ok” 🍕"})
    cases = variants(gateway.sim, event)
    questions = "".join(json.dumps({"key": gateway.sim.public_key, "headers": headers, "body": body}) + "\n"
                        for _, headers, body in cases)
    done = subprocess.run(["node", "verify_telnyx.js"], cwd=installed, input=questions, capture_output=True, text=True, check=True, timeout=60)
    sdk = [json.loads(line)["valid"] for line in done.stdout.splitlines()]
    ours = [post(endpoint.webhook_url, body, headers) for _, headers, body in cases]
    names = [name for name, _, _ in cases]
    assert dict(zip(names, sdk)) == {name: index < 3 for index, name in enumerate(names)}
    assert dict(zip(names, ours)) == {name: 200 if index < 3 else 401 for index, name in enumerate(names)}
    alice.inbox.wait()
