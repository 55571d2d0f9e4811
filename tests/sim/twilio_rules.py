"""What Twilio refuses: the parameters of requests, lengths, and its error numbers."""
import json
import os
import re
import urllib.parse
from pathlib import Path

ERRORS = {
    "20001": (400, "Unknown parameters"),
    "20003": (401, "Authenticate"),
    "20404": (404, "The requested resource was not found"),
    "20429": (429, "Too Many Requests"),
    "20500": (500, "Internal Server Error"),
    "21211": (400, "Invalid 'To' Phone Number"),
    "21408": (400, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number"),
    "21602": (400, "Message body is required."),
    "21606": (400, "The 'From' phone number provided is not a valid message-capable Twilio phone number for this destination."),
    "21609": (400, "Invalid 'StatusCallback' URL"),
    "21610": (400, "Attempt to send to unsubscribed recipient"),
    "21611": (429, "This 'From' number has exceeded the maximum number of queued messages"),
    "21617": (400, "The concatenated message body exceeds the 1600 character limit"),
    "21620": (400, "Invalid media URL(s)"),
    "21623": (400, "Number of media files exceeds allowed limit"),
    "63007": (400, "Twilio could not find a Channel with the specified From address"),
    "63016": (400, "Failed to send freeform message because you are outside the allowed window."),
}
# Reported later, by a status callback, as the network's answer.
LATE_CODES = {"30003", "30005", "30006", "30007", "30008", "63016", "63024"}
STOP_WORDS = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"}
START_WORDS = {"START", "UNSTOP", "YES"}
ADDRESS = re.compile(r"^(whatsapp:)?\+[1-9][0-9]{6,14}$")
MAGIC = re.compile(r"^(?:whatsapp:)?\+121266([0-9]{5})$")
_PARAMETERS = {"To", "From", "MessagingServiceSid", "Body", "MediaUrl", "StatusCallback", "ContentSid", "ContentVariables",
               "ValidityPeriod", "SendAt", "ScheduleType", "PersistentAction", "SendAsMms", "SmartEncoded"}
PATH = "/2010-04-01/Accounts/{AccountSid}/Messages.json"


def parameters():
    """The parameters that a request may have: of the provider's description, else of the short list above."""
    named = os.environ.get("UMP_TWILIO_OPENAPI")
    path = Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "specs" / "twilio" / "openapi.json"
    if not path.exists():
        return _PARAMETERS
    post = json.loads(path.read_text())["paths"][PATH]["post"]
    return set(post["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]["properties"])


def error(code, message=None):
    """(HTTP status, body) of a refusal."""
    status, title = ERRORS.get(code, (400, "Error"))
    return status, {"code": int(code), "message": message or title, "more_info": f"https://www.twilio.com/docs/errors/{code}",
                    "status": status}


def check(request, known):
    """None, or the refusal of a request that has the wrong shape or size. request: {name: [values]}."""
    unknown = set(request) - known
    if unknown:
        return error("20001", f"Unknown parameters: {', '.join(sorted(unknown))}")
    first = {name: values[0] for name, values in request.items()}
    media = request.get("MediaUrl", [])
    if not ADDRESS.match(first.get("To", "")):
        return error("21211")
    if not first.get("From") and not first.get("MessagingServiceSid"):
        return error("21606", "A 'From' phone number is required.")
    if first["To"].startswith("whatsapp:") != first.get("From", "").startswith("whatsapp:"):
        return error("63007")
    if not first.get("Body") and not media and not first.get("ContentSid"):
        return error("21602")
    if len(first.get("Body", "")) > 1600:
        return error("21617")
    if len(media) > (1 if first["To"].startswith("whatsapp:") else 10):
        return error("21623")
    if "_" in (urllib.parse.urlsplit(first.get("StatusCallback", "")).hostname or ""):
        return error("21609")
    if any(len(values) > 1 for name, values in request.items() if name not in ("MediaUrl", "PersistentAction")):
        return error("20001", "A parameter is there twice")
    return None
