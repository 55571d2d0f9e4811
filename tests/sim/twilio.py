#!/usr/bin/python3
"""A simulated Twilio: takes messages as its API does, signs webhooks as it does, fails on demand.

A library (class Simulator) and a command; control over HTTP as with the other
providers (see telnyx.py), under /sim/. A recipient +1 212 66C CCCC fails with
the error number CCCCC.

Webhooks are forms, sent once: a second time only when the connection failed,
all within 15 s, then to the fallback URL, then they are lost (the guide
"connection overrides"). A URL may say #rc=N&rp=all,...
"""
import asyncio
import base64
import hashlib
import hmac
import sys
import time
import urllib.parse
import uuid
from datetime import datetime, timezone
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.sim import twilio_rules as rules  # noqa: E402
from tests.sim.provider import Provider, arguments_of_main, declare, run_as_program, stamp  # noqa: E402
from tests.sim.server import Response, fetch  # noqa: E402
from tests.sim.telnyx_rules import parts  # noqa: E402

ACCOUNT = "AC" + "5" * 32
TOTAL_SECONDS = 15.0


def rfc2822(moment=None):
    return format_datetime((moment or datetime.now(timezone.utc)).replace(microsecond=0))


def sid(prefix):
    return prefix + uuid.uuid4().hex


def signature(token, url, pairs=()):
    """X-Twilio-Signature over a URL and the fields of a form."""
    text = url + "".join(name + value for name, value in sorted(set(pairs)))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


class Simulator(Provider):
    MAGIC = rules.MAGIC

    def __init__(self, log_path=None, auth_token="5" * 32, port=0, seed=None, retry_base=0.5, status_delay=0.03,
                 host="127.0.0.1"):
        super().__init__(log_path, port, seed, retry_base, status_delay, host)
        self.account_sid, self.auth_token = ACCOUNT, auth_token
        self.parameters = rules.parameters()
        self.page_size_limit = 1000
        self.list_delay = 0     # so many of the newest are not in lists yet
        self.media_hits = []    # (path, Authorization) of each fetch of a medium

    @property
    def base_url(self):
        return f"http://{self.host}:{self.port}/2010-04-01"

    @staticmethod
    def to_of(request):
        return [request.get("To")]

    @staticmethod
    def text_of(request):
        return request.get("Body") or ""

    # --- for tests
    def inbound(self, from_, to, text="", wait=True, timeout=30, **options):
        """A message arrives. Returns {message_id, status, ...}; extra: more fields of the webhook."""
        future = asyncio.run_coroutine_threadsafe(self._inbound({"from": from_, "to": to, "text": text, **options}, wait),
                                                  self.loop)
        return future.result(timeout)

    def post(self, url, pairs, timeout=30, **options):
        """Delivers one signed form, once; (status, body) of the answer."""
        return asyncio.run_coroutine_threadsafe(self._post(url, list(pairs), **options), self.loop).result(timeout)

    def send_status(self, message_id, status, code=None, timeout=30):
        return asyncio.run_coroutine_threadsafe(self._status(self.messages[message_id], status, code),
                                                self.loop).result(timeout)

    # --- the API
    async def handle(self, request):
        if request.path.startswith("/sim/"):
            return await self._control(request)
        if request.path in self.media:
            return await self._medium(request)
        prefix = f"/2010-04-01/Accounts/{self.account_sid}/Messages"
        if not request.path.startswith(prefix):
            return Response(*rules.error("20404"))
        wanted = base64.b64encode(f"{self.account_sid}:{self.auth_token.split()[0]}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {wanted}":
            return Response(*rules.error("20003"))
        rest = request.path.removeprefix(prefix)
        if rest == ".json":
            return await self._send(request) if request.method == "POST" else self._list(request)
        if rest.endswith("/Media.json"):
            return self._media_list(rest.split("/")[1])
        return self._one(request, rest.strip("/").removesuffix(".json"))

    async def _medium(self, request):
        self.media_hits.append((request.path, request.headers.get("authorization")))
        content, content_type = self.media[request.path]
        if self.media_delay:
            await asyncio.sleep(self.media_delay)
        return Response(200, content, content_type)

    def _one(self, request, name):
        message = self.messages.get(name)
        if message is None:
            return Response(*rules.error("20404"))
        if request.method == "POST" and dict(urllib.parse.parse_qsl(request.body.decode())).get("Status") == "canceled":
            message["shown"]["status"] = "canceled"
        return Response(200, message["shown"])

    def _media_list(self, name):
        message = self.messages.get(name)
        if message is None:
            return Response(*rules.error("20404"))
        uri = f"/2010-04-01/Accounts/{self.account_sid}/Messages/{name}/Media"
        items = [{"sid": path.rsplit("/", 1)[1], "account_sid": self.account_sid, "parent_sid": name, "content_type": kind,
                  "date_created": message["shown"]["date_created"], "date_updated": message["shown"]["date_updated"],
                  "uri": f"{path}.json"} for path, kind in message["media"]]
        return Response(200, {"media_list": items, "uri": f"{uri}.json", "page": 0, "page_size": 50, "start": 0,
                              "end": max(len(items) - 1, 0), "first_page_uri": f"{uri}.json?PageSize=50&Page=0",
                              "next_page_uri": None, "previous_page_uri": None})

    def _list(self, request):
        """Newest first, filtered, in pages."""
        query = request.query
        since = query.get("DateSent>")
        start = datetime.fromisoformat(since.replace("Z", "+00:00")) if since else None
        start = start.replace(tzinfo=start.tzinfo or timezone.utc) if start else None
        found = [m["shown"] for m in reversed(self.messages.values())
                 if query.get("To", m["shown"]["to"]) == m["shown"]["to"]
                 and query.get("From", m["shown"]["from"]) == m["shown"]["from"]
                 and (start is None or (m["shown"]["date_sent"]
                                        and parsedate_to_datetime(m["shown"]["date_sent"]) >= start))][self.list_delay:]
        size, page = min(int(query.get("PageSize", 50)), self.page_size_limit), int(query.get("Page", 0))
        here = found[page * size:(page + 1) * size]
        path = f"/2010-04-01/Accounts/{self.account_sid}/Messages.json?"
        filters = {key: value for key, value in query.items() if key not in ("Page", "PageToken", "PageSize")}

        def uri(number):
            return path + urllib.parse.urlencode({**filters, "PageSize": size, "Page": number})
        return Response(200, {"messages": here, "page": page, "page_size": size, "start": page * size,
                              "end": page * size + max(len(here) - 1, 0), "uri": uri(page), "first_page_uri": uri(0),
                              "next_page_uri": uri(page + 1) if len(found) > (page + 1) * size else None,
                              "previous_page_uri": uri(page - 1) if page else None})

    async def _send(self, http):
        form = urllib.parse.parse_qs(http.body.decode(), keep_blank_values=True)
        request = {name: values if name == "MediaUrl" else values[0] for name, values in form.items()}
        if http.headers.get("content-type") != "application/x-www-form-urlencoded":
            return self._refused(http, request, "no form", rules.error("20001", "Not a form"))
        refusal = rules.check(form, self.parameters)
        if refusal:
            return self._refused(http, request, "invalid", refusal)
        if (request.get("From"), request["To"]) in self.opt_outs:
            return self._refused(http, request, "opted out", rules.error("21610"))
        mode, code, when = self._mode(request)
        late = when == "finalized" or (when is None and code in rules.LATE_CODES)
        if code and not late:
            return self._refused(http, request, f"error {code}", rules.error(code))
        if mode == "429":
            return self._refused(http, request, mode, rules.error("20429"), {"Retry-After": "1"})
        if mode in ("500-before-accept", "503-before-accept"):
            return self._refused(http, request, mode, rules.error("20500"))
        if mode == "slow":
            await asyncio.sleep(self.slow_seconds)
        message = self._accept(request, mode)
        self._spawn(self._progress(message, code if late else None))
        return await self._play(mode, Response(201, message["shown"]), rules.error("20500")[1])

    def _shown(self, message_id, direction, from_, to, body, media, status, service=None):
        uri = f"/2010-04-01/Accounts/{self.account_sid}/Messages/{message_id}"
        now = rfc2822()
        return {"account_sid": self.account_sid, "api_version": "2010-04-01", "body": body, "date_created": now,
                "date_sent": now if direction == "inbound" else None, "date_updated": now, "direction": direction,
                "error_code": None, "error_message": None, "from": from_, "messaging_service_sid": service,
                "num_media": str(media), "num_segments": str(parts(body)), "price": None, "price_unit": "USD",
                "sid": message_id, "status": status, "to": to, "uri": f"{uri}.json",
                "subresource_uris": {"media": f"{uri}/Media.json"}}

    def _accept(self, request, mode):
        media = request.get("MediaUrl", [])
        message_id = sid("MM" if media else "SM")
        shown = self._shown(message_id, "outbound-api", request.get("From"), request["To"], request.get("Body", ""),
                            len(media), "accepted" if request.get("MessagingServiceSid") else "queued",
                            request.get("MessagingServiceSid"))
        entry = {"n": len(self.accepted), "at": stamp(), "id": message_id, "path": "/Messages.json", "mode": mode,
                 "request": request, "media": []}
        self._log({key: value for key, value in entry.items() if key != "media"})
        message = {"shown": shown, "media": [], "callback": request.get("StatusCallback"), "urls": media, "entry": entry}
        self.messages[message_id] = message
        self.accepted.append(entry)
        self._notify()
        return message

    # --- what follows a send
    async def _progress(self, message, code):
        for url in message["urls"] if self.fetch_media else ():
            record = await self._fetch_one(url)
            message["entry"]["media"].append(record)
            self._notify()
            if record.get("status") != 200:
                code = "63019" if message["shown"]["to"].startswith("whatsapp:") else "11200"
        await asyncio.sleep(self.status_delay)
        final = "undelivered" if code else "delivered"
        words = ["sending", "sent", final]
        if self.random.random() < self.modes.get("webhook-reorder", 0):
            words.reverse()
        for word in words:
            await self._status(message, word, code if word == final else None)
            await asyncio.sleep(self.status_delay)

    async def _status(self, message, word, code=None):
        """Updates the message, and calls its StatusCallback."""
        shown = message["shown"]
        if word in ("sent", "delivered", "undelivered", "failed"):
            shown["date_sent"] = shown["date_sent"] or rfc2822()
            shown["price"] = "-0.00750"
        shown.update(status=word, date_updated=rfc2822(), error_code=int(code) if code else shown["error_code"])
        if not message["callback"] or not self.statuses_on:
            return 0
        pairs = [("ApiVersion", "2010-04-01"), ("MessageStatus", word), ("SmsSid", shown["sid"]), ("SmsStatus", word),
                 ("To", shown["to"]), ("From", shown["from"] or ""), ("MessageSid", shown["sid"]),
                 ("AccountSid", self.account_sid)]
        if code:
            pairs.append(("ErrorCode", code))
        return await self._deliver([message["callback"]], pairs)

    # --- inbound
    def inbound_pairs(self, **options):
        """The webhook of a message as the provider writes it."""
        text, media = options.get("text", ""), options.get("media") or []
        message_id = options.get("message_id") or sid("MM" if media else "SM")
        pairs = {"ToCountry": "US", "ToState": "NY", "SmsMessageSid": message_id, "NumMedia": str(len(media)), "ToCity": "",
                 "FromZip": "", "SmsSid": message_id, "FromState": "", "SmsStatus": "received", "FromCity": "",
                 "Body": text, "FromCountry": "US", "To": options["to"], "ToZip": "", "NumSegments": str(parts(text)),
                 "MessageSid": message_id, "AccountSid": self.account_sid, "From": options["from"],
                 "ApiVersion": "2010-04-01"}
        if options["from"].startswith("whatsapp:"):
            pairs = {name: value for name, value in pairs.items() if name[:2] != "To" or name == "To"}
            pairs.update(ProfileName=options.get("name", "Bob"), WaId=options["from"].removeprefix("whatsapp:+"),
                         MessageType="image" if media else "text", ReferralNumMedia="0")
        pairs.update(options.get("extra") or {})
        shown = self._shown(message_id, "inbound", options["from"], options["to"], text, len(media), "received")
        kept = []
        for index, (name, content, content_type) in enumerate(media):
            path = f"/2010-04-01/Accounts/{self.account_sid}/Messages/{message_id}/Media/{sid('ME')}"
            self.media[path] = (content, content_type)
            kept.append((path, content_type))
            pairs[f"MediaUrl{index}"], pairs[f"MediaContentType{index}"] = self.url + path, content_type
        self.messages[message_id] = {"shown": shown, "media": kept, "callback": None, "urls": [], "entry": None}
        return list(pairs.items())

    async def _inbound(self, options, wait):
        pairs = self.inbound_pairs(**options)
        message_id, key = dict(pairs)["MessageSid"], (options["to"], options["from"])
        word = options.get("text", "").strip().upper()
        if word in rules.STOP_WORDS:
            self.opt_outs.add(key)
        elif word in rules.START_WORDS:
            self.opt_outs.discard(key)
        if options.get("lost"):
            return {"message_id": message_id, "status": 0}
        deliveries = [self._deliver(self.numbers[options["to"]], pairs) for _ in range(options.get("times", 1))]
        if not wait:
            for delivery in deliveries:
                self._spawn(delivery)
            return {"message_id": message_id}
        answers = await asyncio.gather(*deliveries)
        return {"message_id": message_id, "status": answers[0], "statuses": answers}

    # --- webhooks, with the provider's rules of repetition
    async def _deliver(self, urls, pairs):
        """The status that ended it (0: nobody took it): one retry and the fallback, within 15 s."""
        if not self.webhooks_on or self.random.random() < self.modes.get("webhook-lost", 0):
            return 0
        if self.random.random() < self.modes.get("webhook-late", 0):
            await asyncio.sleep(self.late_seconds)
        status, until, token = 0, time.monotonic() + TOTAL_SECONDS, str(uuid.uuid4())
        repeats = 1 + (self.random.random() < self.modes.get("webhook-dup", 0))
        for url in urls:
            overrides = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).fragment))
            for _ in range(1 + int(overrides.get("rc", 1))):
                for _ in range(repeats):
                    status, _ = await self._post(url, pairs, headers={"I-Twilio-Idempotency-Token": token},
                                                 timeout=max(until - time.monotonic(), 0.1))
                if 200 <= status < 300:
                    return status
                if time.monotonic() >= until or (status and "all" not in overrides.get("rp", "")):
                    break
                await asyncio.sleep(self.retry_base)
        self.failed_deliveries.append({"urls": urls, "pairs": pairs})
        return status

    async def _post(self, url, pairs, headers=None, timeout=TOTAL_SECONDS, token=None, signed_url=None):
        url = url.split("#")[0]
        body = urllib.parse.urlencode(pairs).encode()
        fields = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8", "User-Agent": "TwilioProxy/1.1",
                  "X-Twilio-Signature": signature(token or self.auth_token.split()[0], signed_url or url, pairs), **(headers or {})}
        started, content = time.monotonic(), b""
        try:
            status, _, content = await fetch(url, "POST", body, fields, timeout=timeout, hosts=self.hosts)
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError, IndexError):
            status = 0
        self.webhooks.append({"at": stamp(), "url": url, "status": status, "ms": (time.monotonic() - started) * 1000,
                              "body": body.decode(), "answer": content.decode(errors="replace")})
        self._notify()
        return status, content


def add_endpoint(simulator, umpctl, number, owner, channel="sms", **settings):
    """Declares the number to the gateway with this simulator as its provider, and its webhook to the simulator."""
    endpoint = declare(umpctl, channel, "twilio", number, owner, {"base_url": simulator.base_url, **settings},
                       {"account_sid": simulator.account_sid, "auth_token": simulator.auth_token})
    simulator.register(number if channel == "sms" else f"{channel}:{number}", endpoint["webhook_url"])
    return endpoint


def main():
    parser = arguments_of_main(__doc__)
    parser.add_argument("--channel", default="sms", choices=("sms", "whatsapp"))
    arguments = parser.parse_args()
    simulator = Simulator(arguments.log, port=arguments.port).start()
    run_as_program(simulator, arguments, {"base_url": simulator.base_url, "account_sid": simulator.account_sid,
                                          "auth_token": simulator.auth_token}, add_endpoint, arguments.channel)


if __name__ == "__main__":
    main()
