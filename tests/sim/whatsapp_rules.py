"""What the WhatsApp Cloud API refuses: the shape of requests, and its error numbers."""
import json
import os
from pathlib import Path

import jsonschema

ERRORS = {
    "0": (401, "AuthException", "We were unable to authenticate the app user."),
    "100": (400, "Invalid parameter", "The request included one or more unsupported or misspelled parameters."),
    "190": (401, "Access token has expired", "Your access token has expired."),
    "368": (403, "Temporarily blocked for policies violations", "The account was restricted."),
    "130429": (429, "Rate limit hit", "Cloud API message throughput has been reached."),
    "131000": (500, "Something went wrong", "Message failed to send due to an unknown error."),
    "131016": (503, "Service unavailable", "A service is temporarily unavailable."),
    "131026": (400, "Message undeliverable", "Unable to deliver message."),
    "131047": (400, "Re-engagement message", "Message failed to send because more than 24 hours have passed since the "
                                             "customer last replied to this number."),
    "131049": (400, "Meta chose not to deliver", "This message was not delivered to maintain healthy ecosystem engagement."),
    "131053": (400, "Media upload error", "Unable to upload the media used in the message."),
    "131056": (400, "(Business Account, Consumer Account) pair rate limit hit", "Too many messages sent from the sender."),
    "132000": (400, "Template Param Count Mismatch", "The number of variable parameter values does not match."),
    "132001": (404, "Template does not exist", "The template does not exist in the specified language."),
}
# Accepted, and refused later by a status.
LATE_CODES = {"131026", "131049"}

_TO = {"messaging_product": {"const": "whatsapp"}, "recipient_type": {"enum": ["individual", "group"]},
       "to": {"type": "string"}, "type": {"type": "string"}, "context": {"type": "object"},
       "biz_opaque_callback_data": {"type": "string", "maxLength": 512}}
KINDS = ("text", "image", "video", "audio", "document", "sticker", "location", "contacts", "interactive", "template",
         "reaction")


def error(code, details=None):
    """(HTTP status, body) of an error number."""
    status, message, said = ERRORS.get(code, (400, "Error", "An error."))
    return status, {"error": {"message": f"(#{code}) {message}", "type": "OAuthException", "code": int(code),
                              "error_data": {"messaging_product": "whatsapp", "details": details or said},
                              "fbtrace_id": "AbC123"}}


def description_file():
    """The provider's own description, where it is at hand."""
    named = os.environ.get("UMP_WHATSAPP_OPENAPI")
    beside = Path(__file__).resolve().parents[3] / "shared" / "specs" / "whatsapp" / "openapi.json"
    path = Path(named) if named else beside
    return path if path.exists() else None


def validator():
    """Of a request to send: by the provider's description, else by a short form of it."""
    path = description_file()
    if path is None:
        short = {"type": "object", "required": ["messaging_product"],
                 "properties": {**_TO, **{kind: {} for kind in KINDS}, "status": {"const": "read"},
                                "message_id": {"type": "string"}, "typing_indicator": {"type": "object"}},
                 "additionalProperties": False}
        return jsonschema.Draft202012Validator(short)
    description = json.loads(path.read_text())
    return jsonschema.Draft202012Validator({"$ref": "#/components/schemas/Message", "components": description["components"]})


def check(request, valid):
    """The refusal of a request, or None."""
    if not isinstance(request, dict):
        return error("100", "The body is not an object")
    shown = dict(request)
    if "recipient" in shown and "to" not in shown:  # newer than the description
        shown["to"] = shown.pop("recipient")
    problem = next(iter(valid.iter_errors(shown)), None)
    if problem is not None:
        return error("100", f"{'/'.join(map(str, problem.path))}: {problem.message[:200]}")
    kind = request.get("type")
    if kind is not None and kind not in request:
        return error("100", f"{kind} is missing")
    if kind == "text" and not 1 <= len(request["text"].get("body", "")) <= 4096:
        return error("100", "text.body must have 1 to 4096 characters")
    return None
