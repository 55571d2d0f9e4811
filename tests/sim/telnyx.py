#!/usr/bin/python3
"""A simulated Telnyx: takes messages as its API does, signs webhooks as it does, fails on demand.

A library (class Simulator) and a command. It is no part of the product. Each
accepted request is appended to a log and flushed to disk before the answer
leaves, so that an oracle can compare what was sent with what was accepted.

Control, JSON over HTTP, beside the provider's own paths under /v2:
  POST /sim/inbound     {from, to, text, media, cc, ...} an SMS, MMS or group MMS arrives
  POST /sim/number      {number, webhook_url, failover_url} where inbound of a number goes
  POST /sim/modes       {name: probability} failures of sending and of webhooks
  POST /sim/rules       [{mode|error, to, text, times, when}] failures of chosen requests
  GET  /sim/requests    what was accepted       GET /sim/attempts    all that was asked
  GET  /sim/webhooks    what was delivered      GET /sim/public_key
  POST /sim/reset       forget rules, modes and opt-outs
A recipient +1 212 66C CCCC fails with the error number CCCCC.
"""
import asyncio
import base64
import json
import sys
import time
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from nacl.signing import SigningKey  # noqa: E402

from tests.sim import telnyx_rules as rules  # noqa: E402
from tests.sim.provider import Provider, arguments_of_main, declare, run_as_program, stamp  # noqa: E402
from tests.sim.server import HangUp, Response, fetch  # noqa: E402
from tests.sim.telnyx_whatsapp import WhatsApp  # noqa: E402


class Simulator(WhatsApp, Provider):
    MAGIC = rules.MAGIC

    def __init__(self, log_path=None, api_key="KEY_SIMULATED", port=0, seed=None, retry_base=0.5,
                 status_delay=0.03, host="127.0.0.1"):
        super().__init__(log_path, port, seed, retry_base, status_delay, host)
        self.api_key = api_key
        self.key = SigningKey.generate()
        self.public_key = base64.b64encode(bytes(self.key.verify_key)).decode()
        self.validators = rules.validators()
        self.opt_out_times, self.list_page = {}, 2
        self.init_whatsapp()

    @property
    def base_url(self):
        return f"http://{self.host}:{self.port}/v2"

    @staticmethod
    def text_of(request):
        message = request.get("whatsapp_message")
        return rules.whatsapp_text(message) if message else request.get("text") or ""

    # --- for tests
    def inbound(self, from_, to, text="", wait=True, timeout=30, **options):
        """An SMS (with media: MMS, with cc: group MMS) arrives. Returns {event_id, message_id, status, ...}."""
        future = asyncio.run_coroutine_threadsafe(self._inbound({"from": from_, "to": to, "text": text, **options}, wait),
                                                  self.loop)
        return future.result(timeout)

    def post_event(self, url, event, timeout=30, **options):
        """Delivers one signed event as it is, once; the status of the answer."""
        return asyncio.run_coroutine_threadsafe(self._post(url, json.dumps(event).encode(), **options),
                                                self.loop).result(timeout)

    def send_status(self, message_id, status, errors=(), event_type="message.finalized", wait=True, timeout=30):
        future = asyncio.run_coroutine_threadsafe(
            self._status(self.messages[message_id], event_type, status, list(errors)), self.loop)
        return future.result(timeout) if wait else future

    def replay_failed(self, timeout=60):
        """Once more every webhook that nobody took, as an operator may ask the provider to."""
        async def replay():
            failed, self.failed_deliveries = self.failed_deliveries, []
            return await asyncio.gather(*(self._deliver(entry["urls"], entry["webhook"]) for entry in failed))
        return asyncio.run_coroutine_threadsafe(replay(), self.loop).result(timeout)

    # --- the API
    async def handle(self, request):
        if request.path.startswith("/sim/"):
            return await self._control(request)
        if request.path in self.media:
            content, content_type = self.media[request.path]
            if self.media_delay:
                await asyncio.sleep(self.media_delay)
            return Response(200, content, content_type)
        if not request.path.startswith("/v2/"):
            return Response(404, rules.error("10005")[1])
        if request.headers.get("authorization") != f"Bearer {self.api_key}":
            return Response(*rules.error("10009", "The API key looks malformed or is unknown."))
        path = request.path[3:]
        if request.method == "POST" and path in self.validators:
            return await self._send(request, path)
        if request.method == "GET" and path == "/messaging_optouts":
            return self._opt_outs(request)
        if request.method == "GET" and path == "/webhook_deliveries":
            return self._failed_deliveries(request)
        if request.method == "GET" and path in ("/messaging_profiles", "/phone_numbers", "/balance", "/whoami"):
            return Response(200, {"data": []})
        if request.method == "GET" and path.startswith("/whatsapp/"):
            return self.get_whatsapp(request, path)
        if path.startswith("/messages/"):
            return self._one_message(request, path)
        return Response(*rules.error("10005"))

    def _failed_deliveries(self, request):
        """The webhooks that nobody took, of the whole account."""
        number, since = int(request.query.get("page[number]") or 1), request.query.get("filter[started_at][gte]") or ""
        shown = [{"record_type": "webhook_delivery", "id": str(uuid.uuid4()), "status": "failed", "started_at": entry["started_at"],
                  "webhook": entry["webhook"]["data"], "attempts": [
                      {"status": "failed", "http": {"request": {"url": url}, "response": {"status": entry["status"]}}}
                      for url in entry["urls"]]}
                 for entry in self.failed_deliveries if entry["started_at"] >= since[:19]]
        pages = max(1, -(-len(shown) // self.list_page))
        return Response(200, {"data": shown[(number - 1) * self.list_page:number * self.list_page], "meta": {
            "page_number": number, "page_size": self.list_page, "total_pages": pages, "total_results": len(shown)}})

    def _opt_outs(self, request):
        """What is blocked now: nothing goes from our number to theirs."""
        ours, number = request.query.get("filter[from]"), int(request.query.get("page[number]") or 1)
        blocks = [{"from": block[0], "to": block[1], "keyword": "STOP", "messaging_profile_id": None,
                   "created_at": self.opt_out_times.setdefault(block, stamp().replace("T", " "))}
                  for block in sorted(self.opt_outs) if ours in (None, block[0])]
        pages = max(1, -(-len(blocks) // self.list_page))
        return Response(200, {"data": blocks[(number - 1) * self.list_page:number * self.list_page], "meta": {
            "page_number": number, "page_size": self.list_page, "total_pages": pages, "total_results": len(blocks)}})

    def _one_message(self, request, path):
        name = path.removeprefix("/messages/")
        if name.startswith("group/"):
            group = [m["payload"] for m in self.messages.values() if m["group"] == name.removeprefix("group/")]
            return Response(200, {"data": group}) if group else Response(*rules.error("10005"))
        message = self.messages.get(name)
        if message is None:
            return Response(*rules.error("10005"))
        if request.method == "DELETE":
            if message["payload"]["to"][0]["status"] != "scheduled":
                return Response(403, rules.error("10015", "Only a scheduled message can be cancelled")[1])
            message["cancelled"] = True
            for recipient in message["payload"]["to"]:
                recipient["status"] = "cancelled"
            return Response(200, {**message["payload"], "status": "cancelled"})
        return Response(200, {"data": message["payload"]})

    async def _send(self, http, path):
        try:
            request = http.json()
        except ValueError:
            return self._refused(http, None, "bad json", rules.error("10015", "The body is not JSON"))
        refusal = rules.check(path, request, self.validators[path])
        if refusal:
            return self._refused(http, request, "invalid", refusal)
        recipients = request["to"] if isinstance(request["to"], list) else [request["to"]]
        if any((request.get("from"), recipient) in self.opt_outs for recipient in recipients):
            return self._refused(http, request, "opted out",
                                 rules.error("40300", "The recipient has opted out by STOP", "/to"))
        refusal = self.whatsapp_refusal(request) if "whatsapp_message" in request else None
        if refusal:
            return self._refused(http, request, "refused by Meta", refusal)
        mode, code, when = self._mode(request)
        late = when == "finalized" or (when is None and code in rules.LATE_CODES)
        if code and not late:
            return self._refused(http, request, f"error {code}", rules.error(code))
        if mode == "429":
            return self._refused(http, request, mode, rules.error("10011"), {
                "Retry-After": "1", "x-ratelimit-limit": "50", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"})
        if mode == "500-before-accept":
            return self._refused(http, request, mode, (500, {"errors": [{"code": "10007", "title": "Unexpected error"}]}))
        if mode == "503-before-accept":
            return self._refused(http, request, mode, (503, b"upstream connect error"), {"Retry-After": "1"})
        if mode == "reset-before-accept":
            self._refused(http, request, mode, (0, b""))
            raise HangUp(reset=True)
        if mode == "slow":
            await asyncio.sleep(self.slow_seconds)
        message = self._accept(path, request, recipients, mode)
        self._spawn(self._progress(message, code if late else None))
        answer = Response(200, {"data": message["payload"]})
        return await self._play(mode, answer, {"errors": [{"code": "10007", "title": "Unexpected error"}]})

    def _accept(self, path, request, recipients, mode):
        now = datetime.now(timezone.utc)
        content = request.get("whatsapp_message")
        media = request.get("media_urls") or rules.links(content)
        text = self.text_of(request)
        scheduled = bool(request.get("send_at"))
        payload = {
            "record_type": "message", "direction": "outbound", "id": str(uuid.uuid4()),
            "type": "WHATSAPP" if content else "MMS" if media or path == "/messages/group_mms" else "SMS",
            "organization_id": "47a530f8-4362-4526-829b-bcee17fd9f7a",
            "messaging_profile_id": "740572b6-099c-44a1-89b9-6c92163bc68d",
            "from": {"phone_number": request.get("from"), "carrier": "Telnyx", "line_type": "Wireless"},
            "to": [{"phone_number": recipient, "status": "scheduled" if scheduled else "queued",
                    "carrier": "T-MOBILE USA, INC.", "line_type": "Wireless"} for recipient in recipients],
            "cc": [], "text": text, "subject": request.get("subject"),
            "media": [{"url": url, "content_type": None, "sha256": None, "size": None} for url in media],
            "webhook_url": request.get("webhook_url"), "webhook_failover_url": request.get("webhook_failover_url"),
            "encoding": rules.encoding(text), "parts": rules.parts(text), "tags": [], "cost": None,
            "received_at": stamp(now), "sent_at": None, "completed_at": None, "errors": [],
            "valid_until": stamp(now + timedelta(hours=1)), "wait_seconds": 0.0}
        if content:
            payload["body"] = content
        entry = {"n": len(self.accepted), "at": stamp(now), "id": payload["id"], "path": path, "mode": mode,
                 "request": request}
        self._log(entry)
        message = {"payload": payload, "group": payload["id"] if path == "/messages/group_mms" else None,
                   "cancelled": False, "scheduled": scheduled, "entry": entry}
        self.messages[payload["id"]] = message
        entry["media"] = []
        self.accepted.append(entry)
        self._notify()
        return message

    # --- what follows a send
    async def _progress(self, message, code):
        if message["scheduled"]:
            return
        payload = message["payload"]
        if payload["media"] and self.fetch_media and not await self._fetch_all(message):
            code = "40317"
        if not self.statuses_on:
            return
        await asyncio.sleep(self.status_delay)
        errors = rules.error(code)[1]["errors"] if code else []
        last = "delivery_failed" if code else "delivered"
        if self.random.random() < self.modes.get("webhook-reorder", 0):
            await self._status(message, "message.finalized", last, errors)
            await self._status(message, "message.sent", "sent", [])
        else:
            await self._status(message, "message.sent", "sent", [])
            await asyncio.sleep(self.status_delay)
            await self._status(message, "message.finalized", last, errors)
            if self.read_too and payload["type"] == "WHATSAPP" and not code:
                await self._status(message, "message.read", "read", errors)

    async def _fetch_all(self, message):
        good = True
        for item in message["payload"]["media"]:
            record = await self._fetch_one(item["url"])
            good = good and record.get("status") == 200
            if "status" in record:
                item.update(size=record["size"], sha256=record["sha256"], content_type=record["content_type"])
            message["entry"]["media"].append(record)
        self._notify()
        return good

    async def _status(self, message, event_type, status, errors):
        """One status callback per recipient of a group, one in all otherwise."""
        payload = message["payload"]
        now = stamp()
        if event_type == "message.sent":
            payload["sent_at"] = now
        else:
            payload["completed_at"], payload["errors"] = now, errors
        urls = [url for url in (payload["webhook_url"], payload["webhook_failover_url"]) if url]
        urls = urls or self.numbers.get(payload["from"]["phone_number"], [])
        answers = []
        for index, recipient in enumerate(payload["to"]):
            recipient["status"] = status
            if index and not (message["group"] and event_type == "message.finalized"):
                continue
            shown = json.loads(json.dumps(payload))
            if message["group"]:
                shown["group_message_id"] = message["group"]
                if event_type == "message.finalized":
                    for other, entry in enumerate(shown["to"]):
                        entry["status"] = status if other == index else "unknown"
            elif event_type == "message.sent":
                shown["to"][0]["status"] = status
            event = self._event(event_type, shown)
            if self.random.random() < self.modes.get("webhook-lost", 0):
                continue
            if self.random.random() < self.modes.get("webhook-late", 0):
                await asyncio.sleep(self.late_seconds)
            answers.append(await self._deliver(urls, event))
        return answers

    @staticmethod
    def _event(event_type, payload, event_id=None, occurred_at=None):
        return {"data": {"event_type": event_type, "id": event_id or str(uuid.uuid4()),
                         "occurred_at": occurred_at or stamp(), "payload": payload, "record_type": "event"},
                "meta": {"attempt": 1, "delivered_to": ""}}

    # --- inbound
    async def _inbound(self, options, wait):
        sender, number, text = options["from"], options["to"], options.get("text", "")
        event = self.inbound_event(**options)
        word = text.strip().upper()
        if word in rules.STOP_WORDS:
            self.opt_outs.add((number, sender))
        elif word in rules.START_WORDS:
            self.opt_outs.discard((number, sender))
        urls = options.get("urls") or self.numbers.get(number, [])
        if not urls:
            raise ValueError(f"no webhook is registered for {number}")
        deliveries = [self._deliver(urls, event) for _ in range(options.get("times", 1))]
        result = {"event_id": event["data"]["id"], "message_id": event["data"]["payload"]["id"],
                  "occurred_at": event["data"]["occurred_at"]}
        if not wait:
            for delivery in deliveries:
                self._spawn(delivery)
            return result
        answers = await asyncio.gather(*deliveries)
        return {**result, "status": answers[0], "statuses": answers}

    def inbound_event(self, **options):
        """message.received as the provider writes it (cc as objects, or as strings: cc_style="strings")."""
        text = options.get("text", "")
        received = options.get("received_at") or stamp(datetime.now(timezone.utc) - timedelta(milliseconds=85))
        media = [dict(item) for item in options.get("media") or []]
        for item in media:
            if "content" in item:
                made = self.add_media(item.get("name", "file"), base64.b64decode(item["content"]),
                                      item.get("content_type", "application/octet-stream"))
                item.clear()
                item.update(made)
        others = options.get("cc") or []
        word = text.strip().upper()
        payload = {
            "completed_at": None, "cost": {"amount": "0.0000", "currency": "USD"}, "direction": "inbound",
            "encoding": rules.encoding(text), "errors": [],
            "from": {"carrier": "T-Mobile USA", "line_type": "long_code", "phone_number": options["from"]},
            "id": options.get("message_id") or str(uuid.uuid4()), "media": media,
            "messaging_profile_id": "740572b6-099c-44a1-89b9-6c92163bc68d",
            "organization_id": "47a530f8-4362-4526-829b-bcee17fd9f7a", "parts": rules.parts(text),
            "received_at": received, "record_type": "message", "sent_at": None, "tags": [], "text": text,
            "to": [{"carrier": "Telnyx", "line_type": "Wireless", "phone_number": options["to"],
                    "status": "webhook_delivered"}],
            "type": "MMS" if media or others else "SMS", "valid_until": None, "webhook_failover_url": None,
            "webhook_url": None}
        if others:
            payload["cc"] = others if options.get("cc_style") == "strings" else [
                {"carrier": "", "line_type": "", "phone_number": other} for other in others]
        for words, name in ((rules.STOP_WORDS, "STOP"), (rules.START_WORDS, "START"), (rules.HELP_WORDS, "HELP")):
            if word in words:
                payload["autoresponse_type"] = name
        payload.update(options.get("extra") or {})
        return self._event("message.received", payload, options.get("event_id"), options.get("occurred_at"))

    # --- webhooks, with the provider's rules of repetition
    async def _deliver(self, urls, event):
        """2 s per attempt, 3 attempts per URL; the status that ended it (0: nobody took it)."""
        if not self.webhooks_on:
            return 0
        status, attempt, started = 0, 0, stamp()
        repeats = 1 + (self.random.random() < self.modes.get("webhook-dup", 0))
        for url in urls:
            for _ in range(3):
                attempt += 1
                event["meta"] = {"attempt": attempt, "delivered_to": url}
                body = json.dumps(event, ensure_ascii=False).encode()
                for _ in range(repeats):
                    status = await self._post(url, body)
                if 200 <= status < 300:
                    return status
                await asyncio.sleep(self.retry_base * 2 ** ((attempt - 1) % 3))
        self.failed_deliveries.append({"id": event["data"]["id"], "status": status, "started_at": started, "webhook": event,
                                       "urls": urls})
        return status

    async def _post(self, url, body, headers=None, timestamp=None):
        timestamp = str(timestamp if timestamp is not None else int(time.time() + self.clock_offset))
        signature = base64.b64encode(self.key.sign(timestamp.encode() + b"|" + body).signature).decode()
        fields = {"Content-Type": "application/json", "User-Agent": "telnyx-webhooks",
                  "telnyx-signature-ed25519": signature, "telnyx-timestamp": timestamp, **(headers or {})}
        started = time.monotonic()
        try:
            status, _, _ = await fetch(url, "POST", body, fields, timeout=2.0, hosts=self.hosts)
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError, IndexError):
            status = 0
        self.webhooks.append({"at": stamp(), "url": url, "status": status, "ms": (time.monotonic() - started) * 1000,
                              "body": body.decode()})
        self._notify()
        return status

    def lists(self):
        return {**super().lists(), "public_key": lambda: {"public_key": self.public_key}}


def add_endpoint(simulator, umpctl, number, owner, channel="sms", **settings):
    """Declares the number to the gateway with this simulator as its provider, and its webhook to the simulator."""
    endpoint = declare(umpctl, channel, "telnyx", number, owner, {"base_url": simulator.base_url, **settings},
                       {"api_key": simulator.api_key, "public_key": simulator.public_key})
    if channel == "whatsapp":
        simulator.registered.add(number)
    simulator.register(number, endpoint["webhook_url"])
    return endpoint


def main():
    parser = arguments_of_main(__doc__)
    parser.add_argument("--api-key", default="KEY_SIMULATED")
    arguments = parser.parse_args()
    simulator = Simulator(arguments.log, arguments.api_key, arguments.port).start()
    run_as_program(simulator, arguments, {"base_url": simulator.base_url, "api_key": simulator.api_key,
                                          "public_key": simulator.public_key}, add_endpoint)


if __name__ == "__main__":
    main()
