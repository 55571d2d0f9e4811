"""WhatsApp of the simulated Telnyx: messages in both of the forms in which they come, echoes, templates, the window."""
import asyncio
import time
import urllib.parse
import uuid
from datetime import datetime, timezone

from tests.sim import telnyx_rules as rules
from tests.sim.provider import stamp
from tests.sim.server import Response

WINDOW = 24 * 3600
PAGE = 2


def wamid():
    return f"wamid.{uuid.uuid4().hex.upper()}="


class WhatsApp:
    """What telnyx.Simulator has of it."""

    def init_whatsapp(self):
        self.enforce_window = False
        self.read_too = False       # message.read follows message.finalized
        self.last_inbound = {}      # (ours, theirs) → time
        self.templates = []         # as GET /whatsapp/message_templates lists them
        self.registered = set()     # our numbers that are at WhatsApp
        self.window_questions = []

    # --- for tests
    def wait_whatsapp(self, to, kind=None, timeout=20, **fields):
        """The first accepted message to this person, of this kind, whose object has these fields."""
        def find():
            for entry in self.accepted:
                message = entry["request"].get("whatsapp_message")
                if message and entry["request"]["to"] == to and kind in (None, message["type"]) and all(
                        message[message["type"]].get(name) == value for name, value in fields.items()):
                    return entry
            return None
        return self.wait_for(find, timeout, f"{kind or 'a message'} to {to} with {fields}")

    def whatsapp_item(self, from_, text=None, kind="text", body=None, user_id=None, **options):
        """One message as Meta writes it, with Telnyx's id beside the network's."""
        item = {"foreign_id": options.get("foreign_id") or wamid(), "from": from_, "id": options.get("message_id") or
                str(uuid.uuid4()), "timestamp": options.get("timestamp") or str(int(time.time())), "type": kind,
                kind: {"body": text} if body is None and kind == "text" else body}
        if user_id:
            item["from_user_id"] = user_id
        item.update(options.get("fields") or {})
        return {name: value for name, value in item.items() if value is not None}

    def whatsapp_value(self, number, name="Bob Jones", **lists):
        """The payload of whatsapp.messages: Meta's value."""
        value = {"messaging_product": "whatsapp", "contacts": [], "messages": [], "statuses": [],
                 "metadata": {"display_phone_number": number.lstrip("+"), "phone_number_id": "1305416552659363"}, **lists}
        for item in value["messages"]:
            if "from" in item:
                value["contacts"].append({"profile": {"name": name}, "wa_id": item["from"].lstrip("+")})
        return value

    def profile_payload(self, number, item, direction="inbound", **fields):
        """The payload of message.received and message.echo: the message is its body."""
        theirs = {"phone_number": item["from"], "carrier": "", "line_type": ""}
        ours = {"phone_number": number, "carrier": "Telnyx", "line_type": "Wireless"}
        return {"record_type": "message", "direction": direction, "id": item["id"], "type": "WHATSAPP",
                "messaging_profile_id": "740572b6-099c-44a1-89b9-6c92163bc68d",
                "organization_id": "47a530f8-4362-4526-829b-bcee17fd9f7a",
                "from": theirs if direction == "inbound" else ours, "to": [ours if direction == "inbound" else theirs],
                "body": item, "received_at": stamp(datetime.fromtimestamp(int(item["timestamp"]), timezone.utc)), **fields}

    def inbound_whatsapp(self, from_, to, text=None, form="account", name="Bob Jones", urls=None, timeout=30, **options):
        """A message arrives, in the form of the account's webhook or of the profile's. {status, message_id, foreign_id}"""
        item = self.whatsapp_item(from_, text, **options)
        self.last_inbound[(to, from_)] = time.time()
        if form == "account":
            event = self._event("whatsapp.messages", self.whatsapp_value(to, name, messages=[item]))
        else:
            event = self._event("message.received", self.profile_payload(
                to, item, contacts=[{"profile": {"name": name}, "wa_id": from_.lstrip("+")}]))
        status = self.deliver_event(urls or self.numbers[to], event, timeout)
        return {"status": status, "message_id": item["id"], "foreign_id": item["foreign_id"]}

    def echo_whatsapp(self, to, number, text, timeout=30, **options):
        """Sent from the business's own phone: from, in the body, is whom it went to."""
        item = self.whatsapp_item(to, text, **options)
        event = self._event("message.echo", self.profile_payload(number, item, "outbound", origin="whatsapp_business_app"))
        return {"status": self.deliver_event(self.numbers[number], event, timeout), "message_id": item["id"]}

    def deliver_event(self, urls, event, timeout=30):
        return asyncio.run_coroutine_threadsafe(self._deliver(urls, event), self.loop).result(timeout)

    def whatsapp_medium(self, content, content_type, **fields):
        """The object of a medium in a message."""
        made = self.add_media("file", content, content_type)
        return {"url": made["url"], "mime_type": content_type, "sha256": made["sha256"], **fields}

    # --- the API
    def get_whatsapp(self, request, path):
        parts = urllib.parse.unquote(path).strip("/").split("/")
        if parts == ["whatsapp", "message_templates"]:
            return self._templates(request)
        if parts[:2] != ["whatsapp", "phone_numbers"] or parts[2] not in self.registered:
            return Response(*rules.error("10005"))
        if len(parts) == 3:
            return Response(200, {"data": {"phone_number": parts[2], "status": "CONNECTED", "quality_rating": "GREEN"}})
        theirs = request.query["destination_number"]
        last = self.last_inbound.get((parts[2], theirs), 0)
        self.window_questions.append((parts[2], theirs))
        return Response(200, {"data": {"window_active": time.time() - last < WINDOW, "window_type": "24h",
                                       "window_expires_at": stamp(datetime.fromtimestamp(last + WINDOW, timezone.utc))}})

    def _templates(self, request):
        number = int(request.query.get("page[number]") or 1)
        pages = max(1, -(-len(self.templates) // PAGE))
        return Response(200, {"data": self.templates[(number - 1) * PAGE:number * PAGE],
                              "meta": {"page_number": number, "page_size": PAGE, "total_pages": pages,
                                       "total_results": len(self.templates)}})

    def whatsapp_refusal(self, request):
        """What Meta would say of a message that the description allows: (code, detail), or None."""
        closed = time.time() - self.last_inbound.get((request["from"], request["to"]), 0) > WINDOW
        if self.enforce_window and closed and request["whatsapp_message"]["type"] != "template":
            return rules.error("40008", "(#131047) Re-engagement message: more than 24 hours have passed")
        return None
