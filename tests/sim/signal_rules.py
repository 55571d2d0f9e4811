"""What signal-cli's daemon and signal-cli-rest-api accept, and how they refuse."""
import json
import re
from pathlib import Path

import jsonschema

SWAGGER = Path(__file__).resolve().parents[3] / "shared" / "specs" / "signal" / "rest-api.swagger.json"
E164 = re.compile(r"^\+[1-9][0-9]{6,14}$")
UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
DATA_URI = re.compile(r"^data:[^;,]+;filename=[^;,]+;base64,[A-Za-z0-9+/]+={0,2}$")
STYLE = re.compile(r"^\d+:\d+:(BOLD|ITALIC|STRIKETHROUGH|MONOSPACE|SPOILER)$")
MENTION = re.compile(r"^\d+:\d+:(\+\d+|[0-9a-f-]{36})$")


def person(value):
    return isinstance(value, str) and bool(E164.match(value) or UUID.match(value))


def people(value):
    return isinstance(value, list) and len(value) > 0 and all(person(item) for item in value)


def group(value):
    return isinstance(value, str) and len(value) > 8


def stamp(value):
    return isinstance(value, int) and 10**12 < value < 10**14


def text(value):
    return isinstance(value, str)


def each(pattern):
    return lambda value: isinstance(value, list) and all(isinstance(item, str) and pattern.match(item) for item in value)


# Parameters of each method as signal-cli-jsonrpc(5) names them: (check, required).
METHODS = {
    "send": {"account": (person, False), "recipient": (people, False), "groupId": (group, False), "message": (text, False),
             "attachments": (each(DATA_URI), False), "quoteTimestamp": (stamp, False), "quoteAuthor": (person, False),
             "quoteMessage": (text, False), "editTimestamp": (stamp, False), "textStyle": (each(STYLE), False),
             "mention": (each(MENTION), False)},
    "sendReaction": {"account": (person, False), "recipient": (people, False), "groupId": (group, False), "emoji": (text, True),
                     "targetAuthor": (person, True), "targetTimestamp": (stamp, True), "remove": (lambda v: isinstance(v, bool), False)},
    "sendReceipt": {"account": (person, False), "recipient": (person, True), "type": (text, False),
                    "targetTimestamp": (lambda v: isinstance(v, list) and all(map(stamp, v)), True)},
    "getAttachment": {"account": (person, False), "id": (text, True), "recipient": (person, False), "groupId": (group, False)},
    "getSticker": {"account": (person, False), "packId": (text, True), "stickerId": (lambda v: isinstance(v, int), True)},
    "subscribeReceive": {"account": (person, False)},
    "unsubscribeReceive": {"subscription": (lambda v: isinstance(v, int), True)},
    "listGroups": {"account": (person, False), "groupId": (lambda v: isinstance(v, list) and all(map(group, v)), False)},
    "listAccounts": {}, "startLink": {}, "finishLink": {"deviceLinkUri": (text, True), "deviceName": (text, False)},
    "version": {},
}


def utf16(value):
    return len(value.encode("utf-16-le")) // 2


def check(method, params):
    """None, or what is wrong with a request: (code, message)."""
    if method not in METHODS:
        return -32601, f"Method not implemented: {method}"
    known = METHODS[method]
    for name, value in params.items():
        if name not in known:
            return -32602, f"Unknown parameter {name}"
        if not known[name][0](value):
            return -32602, f"Invalid value of {name}: {value!r:.80}"
    for name, (_, required) in known.items():
        if required and name not in params:
            return -32602, f"Missing parameter {name}"
    if method in ("send", "sendReaction") and ("recipient" in params) == ("groupId" in params):
        return -32602, "Either recipients or a group"
    if method == "send" and not params.get("message") and not params.get("attachments"):
        return -1, "No message or attachment"
    for item in params.get("textStyle", []) + params.get("mention", []):
        start, length = map(int, item.split(":")[:2])
        if length < 1 or start + length > utf16(params.get("message", "")):
            return -32602, f"Range beyond the message: {item}"
    return None


CODES = {"IDENTITY_FAILURE": (-4, "Failed to send message due to untrusted identities"),
         "RATE_LIMIT_FAILURE": (-5, "Failed to send message due to rate limiting"),
         "PROOF_REQUIRED": (-5, "Failed to send message due to rate limiting"),
         "UNREGISTERED_FAILURE": (-1, "Failed to send message"),
         "NETWORK_FAILURE": (-3, "Failed to send message")}
TOKEN = "4e9a9f1c-8b2a-4b33-9d8e-000000000000"


def failure(recipient, word):
    """One recipient's result."""
    result = {"recipientAddress": recipient, "type": "RATE_LIMIT_FAILURE" if word == "PROOF_REQUIRED" else word}
    if word == "PROOF_REQUIRED":
        result.update(token=TOKEN, retryAfterSeconds=86400)
    return result


class Swagger:
    """The REST API's own description; without it (../shared is not at hand) anything passes."""

    def __init__(self):
        self.description = json.loads(SWAGGER.read_text()) if SWAGGER.exists() else None

    def wrong(self, method, path, body):
        """None, or why the description does not know such a request."""
        if self.description is None:
            return None
        for template, operations in self.description["paths"].items():
            if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path) and method.lower() in operations:
                return self._body(operations[method.lower()], body)
        return f"{method} {path} is not in the description"

    def _body(self, operation, body):
        schemas = [p["schema"] for p in operation.get("parameters", []) if p["in"] == "body"]
        for schema in schemas:
            problem = jsonschema.exceptions.best_match(jsonschema.Draft4Validator(
                {**schema, "definitions": self.description["definitions"]}).iter_errors(body))
            if problem:
                return problem.message
            name = schema["$ref"].rpartition("/")[2]
            extra = set(body) - set(self.description["definitions"][name]["properties"])
            if extra:
                return f"{name} has no {', '.join(sorted(extra))}"
        return None if schemas or not body else "no body is expected"
