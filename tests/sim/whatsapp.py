#!/usr/bin/python3
"""A simulated WhatsApp Cloud API: takes messages as Meta does, signs webhooks as it does, fails on demand.

A library (class Simulator) and a command; control over HTTP as with the other
providers (see telnyx.py), under /sim/. A recipient +1 212 66C CCCC fails with
the error number 1CCCCC.

Webhooks: anything but 200 is repeated, less and less often (here: up to 7
times instead of 7 days), so that the same message may come again, and later
ones before it. Statuses keep no order. Media: an id, whose description names
an address for five minutes, which wants the token too.
"""
import asyncio
import base64
import email
import email.policy
import hashlib
import hmac
import json
import re
import sys
import time
import urllib.parse
import uuid
from pathlib import Path

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.sim import whatsapp_rules as rules  # noqa: E402
from tests.sim.provider import Provider, arguments_of_main, declare, run_as_program, stamp  # noqa: E402
from tests.sim.server import Response, fetch  # noqa: E402

VERSION = "v23.0"
WABA = "102290129340398"
ATTEMPTS = 7
URL_SECONDS = 300


def wamid():
    return f"wamid.{uuid.uuid4().hex.upper()}="


def phone_number_id(number):
    """Of a number of ours: any digits will do."""
    return f"10654{number.lstrip('+')}"


def signature(secret, body):
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Simulator(Provider):
    MAGIC = re.compile(r"^121266([0-9]{5})$")

    def __init__(self, log_path=None, access_token="EAAsimulated", app_secret="5" * 32, verify_token="say friend", port=0,
                 seed=None, retry_base=0.5, status_delay=0.03, host="127.0.0.1"):
        super().__init__(log_path, port, seed, retry_base, status_delay, host)
        self.access_token, self.app_secret, self.verify_token = access_token, app_secret, verify_token
        self.valid = rules.validator()
        self.enforce_window = False
        self.read_too = False       # a status "read" follows "delivered"
        self.drift = {}             # wa_id as dialled → as the network knows it
        self.last_inbound = {}      # (phone number id, wa_id) → time
        self.templates = []         # as GET message_templates lists them
        self.uploads, self.described = {}, {}
        self.reads = []             # messages marked as read
        self.media_hits = []        # (path, Authorization)
        self.own = {}               # phone number id → number

    @property
    def base_url(self):
        return f"{self.url}/{VERSION}"

    @staticmethod
    def to_of(request):
        return [request.get("to") or request.get("recipient")]

    @staticmethod
    def text_of(request):
        return (request.get("text") or {}).get("body", "") or (request.get(request.get("type")) or {}).get("caption", "")

    # --- for tests
    def wait_sent(self, to, kind=None, timeout=20, **fields):
        """The first accepted request to this person (or group), of this kind, whose object has these fields."""
        want = to.lstrip("+")

        def find():
            return next((entry for entry in self.accepted
                         if want in self.to_of(entry["request"]) and kind in (None, entry["request"]["type"])
                         and all(entry["request"][entry["request"]["type"]].get(name) == value
                                 for name, value in fields.items())), None)
        return self.wait_for(find, timeout, f"{kind or 'a message'} to {want} with {fields}")

    def inbound(self, from_, to, text=None, timeout=30, **options):
        """A message arrives. Returns {message_id, status}; options: see message()."""
        value = self.message_value(to, self.message(from_, text, **options), from_, options.get("name", "Bob Jones"),
                                   options.get("user_id"))
        return self.post_value(to, value, timeout=timeout, message=value["messages"][0])

    def echo(self, to, number, text, timeout=30, **fields):
        """Sent from the business's own phone."""
        item = {"from": number.lstrip("+"), "to": to.lstrip("+"), "id": wamid(), "timestamp": str(int(time.time())),
                "type": "text", "text": {"body": text}, **fields}
        value = {"messaging_product": "whatsapp", "metadata": self.metadata(number), "message_echoes": [item]}
        return self.post_value(number, value, field="smb_message_echoes", timeout=timeout, message=item)

    def post_value(self, number, value, field="messages", timeout=30, message=None):
        body = self.envelope([(field, value)])
        status = asyncio.run_coroutine_threadsafe(self._deliver(self.numbers[number], body), self.loop).result(timeout)
        return {"status": status, "message_id": (message or {}).get("id")}

    def post_body(self, url, body, timeout=30, **options):
        """Delivers one body (bytes, or what JSON is made of), once; the status of the answer."""
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return asyncio.run_coroutine_threadsafe(self._post(url, body, **options), self.loop).result(timeout)

    def verify(self, url, token=None, challenge="1158201444", mode="subscribe", timeout=30):
        """The question at GET when the address is entered in the app: (status, answer)."""
        query = urllib.parse.urlencode({"hub.mode": mode, "hub.challenge": challenge,
                                        "hub.verify_token": self.verify_token if token is None else token})
        status, _, body = asyncio.run_coroutine_threadsafe(fetch(f"{url}?{query}", timeout=10), self.loop).result(timeout)
        return status, body.decode()

    def medium(self, content, content_type, **fields):
        """The object of a medium in a message: {id, mime_type, sha256, …}."""
        made = self.add_media("file", content, content_type)
        media_id = str(uuid.uuid4().int)[:16]
        digest = hashlib.sha256(content).digest()
        self.described[media_id] = {"messaging_product": "whatsapp", "url": made["url"], "mime_type": content_type,
                                    "sha256": digest.hex(), "file_size": str(len(content)), "id": media_id}
        return {"id": media_id, "mime_type": content_type, "sha256": base64.b64encode(digest).decode(), **fields}

    # --- what a webhook holds
    @staticmethod
    def metadata(number):
        return {"display_phone_number": number.lstrip("+"), "phone_number_id": phone_number_id(number)}

    @staticmethod
    def message(from_, text=None, kind=None, body=None, user_id=None, **options):
        """One message object; kind and body: another kind than text; fields: beside them."""
        kind = kind or "text"
        item = {"id": options.get("message_id") or wamid(), "timestamp": options.get("timestamp") or str(int(time.time())),
                "type": kind}
        if from_:
            item["from"] = from_.lstrip("+")
        if user_id:
            item["from_user_id"] = user_id
        item[kind] = {"body": text} if body is None and kind == "text" else body
        item.update(options.get("fields") or {})
        return {name: value for name, value in item.items() if value is not None}

    def message_value(self, number, message, from_, name, user_id=None):
        contact = {"profile": {"name": name}}
        if from_:
            contact["wa_id"] = from_.lstrip("+")
        if user_id:
            contact["user_id"] = user_id
        self.last_inbound[(phone_number_id(number), (from_ or user_id).lstrip("+"))] = time.time()
        return {"messaging_product": "whatsapp", "metadata": self.metadata(number), "contacts": [contact],
                "messages": [message]}

    @staticmethod
    def envelope(changes):
        return {"object": "whatsapp_business_account",
                "entry": [{"id": WABA, "changes": [{"value": value, "field": field}]} for field, value in changes]}

    # --- the API
    async def handle(self, request):
        if request.path.startswith("/sim/"):
            return await self._control(request)
        if request.headers.get("authorization") != f"Bearer {self.access_token}":
            return Response(*rules.error("190"))
        if request.path in self.media:
            self.media_hits.append((request.path, request.headers.get("authorization")))
            if self.media_delay:
                await asyncio.sleep(self.media_delay)
            content, content_type = self.media[request.path]
            return Response(200, content, content_type)
        parts = request.path.strip("/").split("/")
        if parts[0] != VERSION or len(parts) not in (2, 3):
            return Response(*rules.error("100", "Unknown path"))
        if len(parts) == 2:
            return self._node(parts[1])
        if parts[2] == "message_templates" and request.method == "GET":
            return self._templates(request)
        if request.method == "POST" and parts[2] == "media":
            return self._upload(request)
        if request.method == "POST" and parts[2] == "messages":
            return await self._send(request, parts[1])
        return Response(*rules.error("100", "Unknown path"))

    def _node(self, name):
        if name in self.described:
            return Response(200, self.described[name])
        if name in self.own:
            return Response(200, {"display_phone_number": self.own[name], "verified_name": "Example", "quality_rating": "GREEN",
                                  "id": name})
        return Response(*rules.error("100", "Object does not exist"))

    def _templates(self, request):
        start, size = int(request.query.get("after") or 0), 2
        page = {"data": self.templates[start:start + size], "paging": {"cursors": {"before": str(start), "after": str(start + size)}}}
        if start + size < len(self.templates):
            page["paging"]["next"] = f"{self.base_url}/{WABA}/message_templates?after={start + size}"
        return Response(200, page)

    def _upload(self, request):
        message = email.message_from_bytes(b"Content-Type: " + request.headers["content-type"].encode() + b"\r\n\r\n"
                                           + request.body, policy=email.policy.HTTP)
        fields = {part.get_param("name", header="content-disposition"): part for part in message.iter_parts()}
        if not {"messaging_product", "file"} <= set(fields):
            return Response(*rules.error("100", "messaging_product and file are required"))
        media_id = str(uuid.uuid4().int)[:16]
        part = fields["file"]
        self.uploads[media_id] = {"content": part.get_payload(decode=True), "type": part.get_content_type(),
                                  "name": part.get_filename()}
        return Response(200, {"id": media_id})

    async def _send(self, http, number_id):
        try:
            request = http.json()
        except ValueError:
            return self._refused(http, None, "bad json", rules.error("100", "The body is not JSON"))
        refusal = rules.check(request, self.valid)
        if refusal:
            return self._refused(http, request, "invalid", refusal)
        if request.get("status") == "read":
            self.reads.append(request)
            self._notify()
            return Response(200, {"success": True})
        mode, code, when = self._mode(request)
        code = f"1{code}" if code and len(code) == 5 else code
        to = self.to_of(request)[0]
        if code is None and self.enforce_window and request["type"] != "template" and \
                time.time() - self.last_inbound.get((number_id, to), 0) > 24 * 3600:
            code = "131047"
        late = when == "finalized" or (when is None and code in rules.LATE_CODES)
        if code and not late:
            return self._refused(http, request, f"error {code}", rules.error(code))
        if mode == "429":
            return self._refused(http, request, mode, rules.error("130429"))
        if mode in ("500-before-accept", "503-before-accept"):
            return self._refused(http, request, mode, rules.error("131000"))
        if mode == "slow":
            await asyncio.sleep(self.slow_seconds)
        message = self._accept(request, number_id, mode)
        self._spawn(self._progress(message, code if late else None))
        dialled, known = to, self.drift.get(to, to)
        answer = {"messaging_product": "whatsapp", "contacts": [{"input": dialled, "wa_id": known}],
                  "messages": [{"id": message["id"], "message_status": "accepted"}]}
        return await self._play(mode, Response(200, answer), rules.error("131000")[1])

    def _refused(self, http, request, outcome, refusal):
        self._attempt(http, request, outcome, refusal[0])
        return Response(*refusal)

    def _accept(self, request, number_id, mode):
        entry = {"n": len(self.accepted), "at": stamp(), "id": wamid(), "path": "/messages", "mode": mode, "from": number_id,
                 "request": request, "media": []}
        self._log({key: value for key, value in entry.items() if key != "media"})
        message = {"id": entry["id"], "number_id": number_id, "request": request, "entry": entry}
        self.messages[entry["id"]] = message
        self.accepted.append(entry)
        self._notify()
        return message

    # --- what follows a send
    async def _progress(self, message, code):
        request = message["request"]
        media = request.get(request["type"]) or {}
        if isinstance(media, dict) and "link" in media and self.fetch_media:
            record = await self._fetch_one(media["link"])
            message["entry"]["media"].append(record)
            self._notify()
            if record.get("status") != 200:
                code = "131053"
        elif isinstance(media, dict) and "id" in media and request["type"] in ("image", "video", "audio", "document", "sticker"):
            message["entry"]["media"].append(self.uploads.get(media["id"], {}))
            self._notify()
        words = ["failed"] if code else ["sent", "delivered"] + ["read"] * self.read_too
        if self.random.random() < self.modes.get("webhook-reorder", 0):
            words.reverse()
        for word in words if self.statuses_on else ():
            await asyncio.sleep(self.status_delay)
            await self._status(message, word, code)

    def status_value(self, message, word, code=None, **fields):
        request = message["request"]
        number = self.own.get(message["number_id"], "+0")
        item = {"id": message["id"], "status": word, "timestamp": str(int(time.time())), "recipient_id": self.to_of(request)[0],
                "conversation": {"id": "conv", "origin": {"type": "service"}},
                "pricing": {"billable": request["type"] == "template", "pricing_model": "PMP",
                            "category": "marketing" if request["type"] == "template" else "service"}}
        if "biz_opaque_callback_data" in request:
            item["biz_opaque_callback_data"] = request["biz_opaque_callback_data"]
        if code:
            said = rules.error(code)[1]["error"]
            item["errors"] = [{"code": int(code), "title": said["message"], "message": said["message"],
                               "error_data": {"details": said["error_data"]["details"]}}]
            del item["pricing"], item["conversation"]
        item.update(fields)
        return {"messaging_product": "whatsapp", "metadata": self.metadata(number), "statuses": [item]}

    async def _status(self, message, word, code=None):
        number = self.own.get(message["number_id"])
        if number not in self.numbers or self.random.random() < self.modes.get("webhook-lost", 0):
            return 0
        return await self._deliver(self.numbers[number], self.envelope([("messages", self.status_value(message, word, code))]))

    async def _inbound(self, options, wait):
        from_, to = options.pop("from"), options.pop("to")
        value = self.message_value(to, self.message(from_, options.get("text")), from_, options.get("name", "Bob Jones"))
        delivery = self._deliver(self.numbers[to], self.envelope([("messages", value)]))
        if not wait:
            self._spawn(delivery)
            return {"message_id": value["messages"][0]["id"]}
        return {"message_id": value["messages"][0]["id"], "status": await delivery}

    # --- webhooks, with the provider's rules of repetition
    async def _deliver(self, urls, body):
        """The status that ended it (0: nobody took it)."""
        if not self.webhooks_on:
            return 0
        status, content = 0, json.dumps(body).encode()  # Meta escapes all but ASCII
        if self.random.random() < self.modes.get("webhook-late", 0):
            await asyncio.sleep(self.late_seconds)
        repeats = 1 + (self.random.random() < self.modes.get("webhook-dup", 0))
        for attempt in range(ATTEMPTS):
            for _ in range(repeats):
                status = await self._post(urls[0], content)
            if status == 200:
                return status
            await asyncio.sleep(self.retry_base * 2 ** attempt)
        self.failed_deliveries.append({"urls": urls, "body": body})
        return status

    async def _post(self, url, body, headers=None, secret=None):
        fields = {"Content-Type": "application/json", "User-Agent": "facebookexternalua",
                  "X-Hub-Signature-256": signature(secret or self.app_secret, body), **(headers or {})}
        fields = {name: value for name, value in fields.items() if value is not None}
        started = time.monotonic()
        try:
            status, _, _ = await fetch(url, "POST", body, fields, timeout=10.0, hosts=self.hosts)
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError, IndexError):
            status = 0
        self.webhooks.append({"at": stamp(), "url": url, "status": status, "ms": (time.monotonic() - started) * 1000,
                              "body": body.decode(errors="replace")})
        self._notify()
        return status


def add_endpoint(simulator, umpctl, number, owner, own=None, **settings):
    """Declares the number to the gateway with this simulator as its provider, and its webhook to the simulator.
    own: its phone_number_id, where that matters."""
    own = own or phone_number_id(number)
    endpoint = declare(umpctl, "whatsapp", "whatsapp_cloud", number, owner,
                       {"base_url": simulator.base_url, "phone_number_id": own, "waba_id": WABA, **settings},
                       {"access_token": simulator.access_token, "app_secret": simulator.app_secret,
                        "verify_token": simulator.verify_token})
    simulator.own[own] = number
    simulator.register(number, endpoint["webhook_url"])
    return endpoint


def main():
    arguments = arguments_of_main(__doc__).parse_args()
    simulator = Simulator(arguments.log, port=arguments.port).start()
    run_as_program(simulator, arguments, {"base_url": simulator.base_url, "access_token": simulator.access_token,
                                          "app_secret": simulator.app_secret, "verify_token": simulator.verify_token}, add_endpoint)


if __name__ == "__main__":
    main()
