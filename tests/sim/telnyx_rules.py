"""What the provider refuses: the shape of requests, lengths, and its error numbers."""
import json
import os
import re
from pathlib import Path

import jsonschema

ERRORS = {
    "10005": (404, "Resource not found"),
    "10009": (401, "Authentication failed"),
    "10011": (429, "Too many requests"),
    "10015": (400, "Bad request"),
    "40001": (400, "Not routable"),
    "40002": (400, "Blocked as spam - temporary"),
    "40004": (400, "Rejected by destination"),
    "40006": (400, "Recipient server unavailable"),
    "40008": (400, "Undeliverable"),
    "40010": (400, "Not 10DLC registered"),
    "40012": (400, "Invalid messaging destination number"),
    "40300": (400, "Blocked due to STOP message"),
    "40302": (400, "Message too large"),
    "40304": (400, "Invalid combination of message content"),
    "40305": (400, "Invalid 'from' address"),
    "40310": (400, "Invalid 'to' address"),
    "40317": (400, "Invalid MMS content"),
    "40318": (400, "Message queue full"),
    "40333": (400, "Spend limit reached"),
}
# Reported later, by message.finalized, as the carrier's answer.
LATE_CODES = {"40001", "40002", "40004", "40006", "40008", "40012"}
STOP_WORDS = {"STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"}
START_WORDS = {"START", "UNSTOP"}
HELP_WORDS = {"HELP", "INFO"}
E164 = re.compile(r"^\+[1-9][0-9]{6,14}$")
SENDER = re.compile(r"^(\+[1-9][0-9]{6,14}|[0-9]{3,8}|[A-Za-z0-9 ]{3,11})$")
MAGIC = re.compile(r"^\+121266([0-9]{5})$")
GSM = set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
          "¿abcdefghijklmnopqrstuvwxyzäöñüà")
GSM_EXTENDED = set("^{}\\[~]|€\f")

_SEND = {"from": {"type": "string"}, "text": {"type": "string"}, "subject": {"type": "string"},
         "media_urls": {"type": "array", "items": {"type": "string"}},
         "webhook_url": {"type": "string"}, "webhook_failover_url": {"type": "string"},
         "use_profile_webhooks": {"type": "boolean"}}
_ONE = {**_SEND, "to": {"type": "string"}, "type": {"enum": ["SMS", "MMS"]}, "messaging_profile_id": {"type": "string"},
        "auto_detect": {"type": "boolean"}, "encoding": {"enum": ["auto", "gsm7", "ucs2"]},
        "send_at": {"type": ["string", "null"]}}
_WHATSAPP = {"from": {"type": "string"}, "to": {"type": "string"}, "type": {"const": "WHATSAPP"},
             "whatsapp_message": {"type": "object"}, "messaging_profile_id": {"type": "string"},
             "webhook_url": {"type": "string"}}
WHATSAPP_MEDIA = ("image", "video", "audio", "document", "sticker")
_GROUP = {**_SEND, "to": {"type": "array", "items": {"type": "string"}}}


def _closed(properties, required):
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def description_file():
    """The provider's own description, where it is at hand."""
    named = os.environ.get("UMP_TELNYX_OPENAPI")
    beside = Path(__file__).resolve().parents[3] / "shared" / "specs" / "telnyx" / "openapi.json"
    path = Path(named) if named else beside
    return path if path.exists() else None


def validators():
    """{path: validator of its request}: from the provider's description, else from the short form above."""
    path = description_file()
    if path is None:
        schemas = {f"/messages{kind}": _closed(_ONE, ["to"]) for kind in
                   ("", "/long_code", "/short_code", "/number_pool", "/alphanumeric_sender_id", "/schedule")}
        schemas["/messages/group_mms"] = _closed(_GROUP, ["from", "to"])
        schemas["/messages/whatsapp"] = _closed(_WHATSAPP, ["from", "to", "whatsapp_message"])
        return {name: jsonschema.Draft202012Validator(schema) for name, schema in schemas.items()}
    description = json.loads(path.read_text())
    known = {}
    for name, operations in description["paths"].items():
        body = operations.get("post", {}).get("requestBody")
        if body:
            schema = dict(body["content"]["application/json"]["schema"])
            schema["components"] = description["components"]
            known[name] = jsonschema.Draft202012Validator(schema)
    return known


def encoding(text):
    return "GSM-7" if all(char in GSM or char in GSM_EXTENDED for char in text) else "UTF-16"


def parts(text):
    if encoding(text) == "GSM-7":
        length, one, many = sum(2 if char in GSM_EXTENDED else 1 for char in text), 160, 153
    else:
        length, one, many = len(text.encode("utf-16-be")) // 2, 70, 67
    return 1 if length <= one else -(-length // many)


def error(code, detail="", pointer=None):
    """(HTTP status, body) of a refusal."""
    status, title = ERRORS.get(code, (400, "Error"))
    entry = {"code": code, "title": title, "detail": detail or title}
    if pointer:
        entry["source"] = {"pointer": pointer}
    return status, {"errors": [entry]}


def links(message):
    """URLs of the media of a WhatsApp message; none of another."""
    kind = (message or {}).get("type")
    return [message[kind]["link"]] if kind in WHATSAPP_MEDIA else []


def whatsapp_text(message):
    content = message.get(message.get("type"))
    return (content.get("body") or content.get("caption") or "") if isinstance(content, dict) else ""


def check_whatsapp(request):
    """What the description leaves open: the object of the type, lengths in bytes."""
    message = request["whatsapp_message"]
    kind = message.get("type")
    if not E164.match(request["to"]):
        return error("40310", "The 'to' address is not E.164", "/to")
    if not E164.match(request["from"]):
        return error("40305", "The 'from' address is not usable", "/from")
    if kind not in message:
        return error("10015", f"whatsapp_message.{kind} is missing", "/whatsapp_message")
    if kind in WHATSAPP_MEDIA and not message[kind].get("link"):
        return error("10015", "A link is missing", f"/whatsapp_message/{kind}")
    if kind == "reaction" and not str(message[kind].get("message_id", "")).startswith("wamid."):
        return error("10015", "A reaction names the network's id", "/whatsapp_message/reaction")
    length = len(whatsapp_text(message).encode())
    if kind == "text" and not 1 <= length <= 4096 or kind in WHATSAPP_MEDIA and length > 1024:
        return error("40302", "The text is empty or too long", f"/whatsapp_message/{kind}")
    return None


def check(path, request, validator):
    """None, or the refusal of a request that has the wrong shape or size."""
    problem = next(iter(validator.iter_errors(request)), None)
    if problem is not None:
        return error("10015", problem.message, "/" + "/".join(map(str, problem.absolute_path)))
    if path == "/messages/whatsapp":
        return check_whatsapp(request)
    group = path == "/messages/group_mms"
    recipients = request["to"] if group else [request["to"]]
    media, text = request.get("media_urls") or [], request.get("text") or ""
    if not recipients or len(recipients) > 8:
        return error("40310", "between 1 and 8 destinations", "/to")
    for recipient in recipients:
        if not E164.match(recipient):
            return error("40310", "The 'to' address is not E.164", "/to")
    if not SENDER.match(request.get("from") or "") and not request.get("messaging_profile_id"):
        return error("40305", "The 'from' address is not usable", "/from")
    if not text and not media:
        return error("40304", "Neither text nor media", "/text")
    if media and request.get("type") == "SMS":
        return error("40304", "Media in a message of type SMS", "/type")
    if len(media) > 10:
        return error("40317", "More than 10 media", "/media_urls")
    if not media and parts(text) > 10:
        return error("40302", "More than 10 parts", "/text")
    if request.get("encoding") == "gsm7" and encoding(text) != "GSM-7":
        return error("40304", "Not encodable in GSM-7", "/text")
    return None
