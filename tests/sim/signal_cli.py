#!/usr/bin/python3
"""A simulated Signal: the daemon of signal-cli (HTTP with server-sent events, TCP and unix socket) and signal-cli-rest-api.

A library (class Simulator) and a command; control over HTTP as with the other providers (see telnyx.py), under /sim/.

The network keeps what comes for an account until somebody receives (as with --receive-mode=on-connection and manual).
What was written to a connection is gone for the daemon, whether or not it was read. Every subscriber gets everything.
With `ids`, server-sent events have ids, and who comes with a Last-Event-ID gets first what came after it (a proxy before
the daemon may do so).
With `early`, a subscription's first messages come before its answer, as can happen with the real one.
"""
import asyncio
import base64
import itertools
import json
import os
import sys
import time
import urllib.parse
import uuid
from pathlib import Path

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.sim import signal_rules as rules  # noqa: E402
from tests.sim.provider import Provider, arguments_of_main, declare, run_as_program, stamp  # noqa: E402
from tests.sim.server import HangUp, Response, fetch, read_request  # noqa: E402

KEEP_ALIVE = 15
SAID = {"SUCCESS"}


def uuid_of(number):
    """Somebody's uuid, the same each time."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"signal:{number}"))


class Subscriber:
    """A connection that gets an account's messages."""

    def __init__(self, write, wrap):
        self.write, self.wrap = write, wrap
        self.written = []  # texts, in order


class Simulator(Provider):
    def __init__(self, log_path=None, port=0, seed=None, status_delay=0.03, host="127.0.0.1", unix_path=None, retry_base=0.5):
        super().__init__(log_path, port, seed, retry_base, status_delay, host)
        self.unix_path, self.tcp_port = unix_path, None
        self.accounts, self.groups, self.titles = set(), {}, {}  # group id → members, title
        self.backlog, self.subscribers = {}, {}   # account → bodies, subscribers
        self.pumping, self.early, self.read_too, self.receipts_on = {}, False, False, True
        self.pace = 0.0                           # seconds between two messages of an account
        self.ids, self.history = False, {}        # account → [(id, body)]
        self.last_ids = []                        # (account, Last-Event-ID or None), as connections said
        self.losing = 0                           # so many events are written to nobody, as on a connection that breaks
        self.attachments, self.receipts, self.connections = {}, [], []
        self.every = []                           # subscribers, also those that are gone
        self.subscriptions = itertools.count()
        self.links = {}
        self.last_stamp = self.posting = 0
        self.swagger = rules.Swagger()
        self.webhook = None                       # of the REST API: RECEIVE_WEBHOOK_URL
        self.new_answers = True                   # of /v2/send: an array with errors, not an object

    # --- life
    async def _open(self):
        self.server = await asyncio.start_server(self._serve, self.host, self.port, backlog=1024, limit=64 << 20)
        self.port = self.server.sockets[0].getsockname()[1]
        self.tcp = await asyncio.start_server(self._serve_lines, self.host, 0, limit=64 << 20)
        self.tcp_port = self.tcp.sockets[0].getsockname()[1]
        if self.unix_path:
            self.unix = await asyncio.start_unix_server(self._serve_lines, self.unix_path, limit=64 << 20)
            os.chmod(self.unix_path, 0o777)

    def stop(self):
        if self.loop is not None:
            self.drop_connections()
        super().stop()

    @property
    def base_url(self):
        return self.url

    @property
    def tcp_url(self):
        return f"tcp://{self.host}:{self.tcp_port}"

    def reset(self):
        super().reset()
        self.early = self.read_too = self.ids = False
        self.losing = 0
        self.receipts.clear()
        self.receipts_on = self.new_answers = True
        self.pace = 0.0

    def now(self):
        """A time that no other message has, ms."""
        self.last_stamp = max(self.last_stamp + 1, int((time.time() + self.clock_offset) * 1000))
        return self.last_stamp

    def run(self, coroutine, timeout=30):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    @staticmethod
    def to_of(request):
        params = request.get("params") or request
        return params.get("recipient") or params.get("recipients") or [params.get("groupId")]

    @staticmethod
    def text_of(request):
        return (request.get("params") or request).get("message") or ""

    # --- for tests: what comes
    def envelope(self, from_, at=None, name="Bob Jones", hidden=False, **content):
        at = at or self.now()
        return {"source": uuid_of(from_) if hidden else from_, "sourceNumber": None if hidden else from_, "sourceUuid": uuid_of(from_),
                "sourceName": name, "sourceDevice": 1, "timestamp": at, "serverReceivedTimestamp": at + 5,
                "serverDeliveredTimestamp": at + 9, **content}

    @staticmethod
    def data(at, text=None, **fields):
        return {"timestamp": at, "message": text, "expiresInSeconds": 0, "isExpirationUpdate": False, "viewOnce": False, **fields}

    def inbound(self, from_, account, text=None, at=None, name="Bob Jones", hidden=False, group=None, **fields):
        """A dataMessage comes; its timestamp."""
        at = at or self.now()
        if group:
            fields["groupInfo"] = {"groupId": group, "groupName": fields.pop("title", "Team"), "revision": 7,
                                   "type": fields.pop("group_type", "DELIVER")}
        self.deliver(account, self.envelope(from_, at, name, hidden, dataMessage=self.data(at, text, **fields)))
        return at

    def edit(self, from_, account, target, text, **options):
        at = self.now()
        self.deliver(account, self.envelope(from_, at, editMessage={"targetSentTimestamp": target,
                                                                     "dataMessage": self.data(at, text, **options)}))
        return at

    def sync(self, account, to, text=None, group=None, **fields):
        """Sent with the account's own phone."""
        at = self.now()
        sent = {"destination": None if group else to, "destinationNumber": None if group else to,
                "destinationUuid": None if group else uuid_of(to), **self.data(at, text, **fields)}
        if group:
            sent["groupInfo"] = {"groupId": group, "groupName": "Team", "revision": 7, "type": "DELIVER"}
        self.deliver(account, self.envelope(account, at, name="Me", syncMessage={"sentMessage": sent}))
        return at

    def read_on_phone(self, account, from_, timestamps):
        """Messages of from_ were read with the account's own phone."""
        self.deliver(account, self.envelope(account, self.now(), name="Me", syncMessage={"readMessages": [
            {"sender": from_, "senderNumber": from_, "senderUuid": uuid_of(from_), "timestamp": at} for at in timestamps]}))

    def receipt(self, from_, account, timestamps, kind="isRead", **options):
        at = self.now()
        receipt = {"when": at, "isDelivery": False, "isRead": False, "isViewed": False, "timestamps": timestamps, kind: True}
        self.deliver(account, self.envelope(from_, at, receiptMessage=receipt, **options))

    def deliver(self, account, envelope, **beside):
        """An envelope, or anything else with its account, goes to who receives, now or later."""
        self.deliver_body(account, {"envelope": envelope, "account": account, **beside})

    def deliver_body(self, account, body):
        self.run(self._queue(account, body))

    def attachment(self, content, content_type, filename=None, **fields):
        """The object of an attachment in a message."""
        name = f"{uuid.uuid4().hex[:20]}.{content_type.split('/')[1]}"
        self.attachments[name] = content
        return {"contentType": content_type, "filename": filename, "id": name, "size": len(content), **fields}

    def wait_sent(self, to, text=None, method="send", timeout=20, **params):
        """The first accepted request of this kind to somebody (or a group)."""
        def find():
            return next((entry for entry in self.accepted if entry["request"].get("method", "send") == method
                         and to in self.to_of(entry["request"]) and (text is None or self.text_of(entry["request"]) == text)
                         and all((entry["request"].get("params") or entry["request"]).get(name) == value
                                 for name, value in params.items())), None)
        return self.wait_for(find, timeout, f"{method} to {to}: {text} {params}")

    def wait_subscribed(self, account, count=1, timeout=30):
        self.wait_for(lambda: len(self.subscribers.get(account, [])) >= count, timeout, f"{account} to be received")

    def drop_connections(self):
        """The daemon restarts, as it looks from outside."""
        async def drop():
            for writer in list(self.connections):
                writer.close()
        self.run(drop())

    # --- what comes goes to who receives
    async def _queue(self, account, body):
        self.backlog.setdefault(account, []).append(body)
        self._pump(account)

    def _pump(self, account):
        if not self.pumping.get(account):
            self.pumping[account] = True
            self._spawn(self._deliver_backlog(account))

    async def _deliver_backlog(self, account):
        """In order; what was written to somebody is gone."""
        try:
            backlog = self.backlog.setdefault(account, [])
            while backlog and (self.subscribers.get(account) or self.webhook):
                body = backlog[0]
                written = 0
                if self.ids:
                    history = self.history.setdefault(account, [])
                    history.append((len(history) + 1, body))
                    backlog.pop(0)
                    if self.losing:
                        self.losing -= 1
                        continue
                for subscriber in list(self.subscribers.get(account, [])):
                    try:
                        await subscriber.write(subscriber.wrap(body))
                        subscriber.written.append(((body.get("envelope") or {}).get("dataMessage") or {}).get("message"))
                        written += 1
                    except (ConnectionError, OSError, RuntimeError):
                        self._gone(subscriber)
                if self.webhook:
                    await self._post(body)
                    written += 1
                if written and not self.ids:
                    backlog.pop(0)
                self._notify()
                if self.pace:
                    await asyncio.sleep(self.pace)
        finally:
            self.pumping[account] = False

    def _gone(self, subscriber):
        for subscribers in self.subscribers.values():
            if subscriber in subscribers:
                subscribers.remove(subscriber)
        self._notify()

    def _add(self, account, subscriber):
        self.subscribers.setdefault(account, []).append(subscriber)
        self.every.append(subscriber)
        self._notify()
        self._pump(account)

    # --- HTTP
    async def _serve(self, reader, writer):
        self.connections.append(writer)
        try:
            while True:
                request = await read_request(reader, writer)
                if request is None:
                    break
                if request.path == "/api/v1/events":
                    await self._events(request, reader, writer)
                    break
                try:
                    answer = (await self.handle(request)).encode()
                except HangUp as hang_up:
                    writer.write(hang_up.partial)
                    if hang_up.reset:
                        writer.transport.abort()
                    break
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            self.connections.remove(writer)
            writer.close()

    async def _events(self, request, reader, writer):
        """Server-sent events, until the other side goes."""
        account = request.query.get("account")
        if account not in self.accounts:
            writer.write(Response(404, b"").encode())
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")

        async def write(text):
            if writer.is_closing():
                raise ConnectionResetError()
            data = text.encode()
            writer.write(b"%x\r\n%s\r\n" % (len(data), data))
            await writer.drain()
        await write(":\n")
        def wrap(body):
            number = next((f"id:{number}\n" for number, known in self.history.get(account, []) if known is body), "")
            return f"event:receive\n{number}data:{json.dumps(body, ensure_ascii=False)}\n\n"
        last = request.headers.get("last-event-id")
        self.last_ids.append((account, last))
        for _, body in [item for item in self.history.get(account, []) if last and item[0] > int(last)]:
            await write(wrap(body))
        subscriber = Subscriber(write, wrap)
        self._add(account, subscriber)
        try:
            while True:
                try:
                    if not await asyncio.wait_for(reader.read(1024), KEEP_ALIVE):
                        break
                except asyncio.TimeoutError:
                    await write(":\n")
        finally:
            self._gone(subscriber)

    async def handle(self, request):
        if request.path.startswith("/sim/"):
            return await self._control(request)
        if request.path == "/api/v1/rpc" and request.method == "POST":
            if request.headers.get("content-type") != "application/json":
                return Response(415, b"")
            try:
                asked = request.json()
            except ValueError:
                return Response(200, {"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": None})
            return Response(200, await self._rpc(asked, request))
        if request.path == "/api/v1/check":
            return Response(200, b"")
        return await self._rest(request)

    # --- lines
    async def _serve_lines(self, reader, writer):
        self.connections.append(writer)
        mine = {}

        async def write(body):
            if writer.is_closing():
                raise ConnectionResetError()
            writer.write(json.dumps(body, ensure_ascii=False).encode() + b"\n")
            await writer.drain()
        try:
            while line := await reader.readline():
                asked = json.loads(line)
                answer = {"jsonrpc": "2.0", "id": asked.get("id")}
                params = asked.get("params") or {}
                wrong = rules.check(asked.get("method"), params)
                if wrong:
                    await write({**answer, "error": {"code": wrong[0], "message": wrong[1]}})
                elif asked["method"] == "subscribeReceive":
                    await self._subscribe(params.get("account"), write, mine, answer)
                elif asked["method"] == "unsubscribeReceive":
                    subscriber = mine.pop(params["subscription"], None)
                    if subscriber:
                        self._gone(subscriber)
                    await write({**answer, "result": {}})
                else:
                    await write(await self._rpc(asked, None))
        except (ConnectionError, OSError, ValueError, asyncio.IncompleteReadError):
            pass
        finally:
            for subscriber in mine.values():
                self._gone(subscriber)
            self.connections.remove(writer)
            writer.close()

    async def _subscribe(self, account, write, mine, answer):
        if account not in self.accounts:
            await write({**answer, "error": {"code": -32602, "message": "Specified account does not exist"}})
            return
        number = next(self.subscriptions)
        subscriber = Subscriber(write, lambda body: {"jsonrpc": "2.0", "method": "receive",
                                                     "params": {"subscription": number, "result": body}})
        mine[number] = subscriber
        if self.early:
            self._add(account, subscriber)
            await asyncio.sleep(0.05)
            await write({**answer, "result": number})
        else:
            await write({**answer, "result": number})
            self._add(account, subscriber)

    # --- JSON-RPC
    async def _rpc(self, asked, http):
        answer = {"jsonrpc": "2.0", "id": asked.get("id")}
        method, params = asked.get("method"), asked.get("params") or {}
        wrong = rules.check(method, params)
        if not wrong and params.get("account") not in (None, *self.accounts):
            wrong = -32602, "Specified account does not exist"
        if wrong:
            if http:
                self._attempt(http, asked, "invalid", wrong[0])
            return {**answer, "error": {"code": wrong[0], "message": wrong[1]}}
        if method in ("send", "sendReaction"):
            return await self._send(asked, params, http, answer)
        if method == "sendReceipt":
            self.receipts.append(params)
            self._notify()
            return {**answer, "result": {"timestamp": self.now(), "results": []}}
        if method == "listGroups":
            return {**answer, "result": [{"id": group, "name": self.titles.get(group, "Team"), "isMember": True, "members": [
                self._address(who) for who in members]} for group, members in self.groups.items() if group in params["groupId"]]}
        if method == "listAccounts":
            return {**answer, "result": [{"number": number} for number in sorted(self.accounts)]}
        if method in ("getAttachment", "getSticker"):
            name = params.get("id") or f"{params['packId']}/{params['stickerId']}"
            if name not in self.attachments:
                return {**answer, "error": {"code": -1, "message": "Could not find attachment with ID: " + name}}
            return {**answer, "result": {"data": base64.b64encode(self.attachments[name]).decode()}}
        if method == "startLink":
            uri = f"sgnl://linkdevice?uuid={uuid.uuid4()}&pub_key={urllib.parse.quote(base64.b64encode(uuid.uuid4().bytes).decode())}"
            self.links[uri] = None
            self._notify()
            return {**answer, "result": {"deviceLinkUri": uri}}
        if method == "finishLink":
            while self.links.get(params["deviceLinkUri"]) is None:
                await asyncio.sleep(0.05)
            self.accounts.add(self.links[params["deviceLinkUri"]])
            return {**answer, "result": {"number": self.links[params["deviceLinkUri"]]}}
        return {**answer, "result": {}}

    def scan(self, number, timeout=20):
        """The user scans the QR code that was shown last."""
        uri = self.wait_for(lambda: next((uri for uri, who in self.links.items() if who is None), None), timeout, "a link")
        self.links[uri] = number
        return uri

    @staticmethod
    def _address(who):
        return {"uuid": who if not who.startswith("+") else uuid_of(who), "number": who if who.startswith("+") else None}

    def _results(self, params, error):
        group = params.get("groupId")
        failing = (error or "").split("=")                    # "UNREGISTERED_FAILURE", or of a member "+1…=UNREGISTERED_FAILURE"
        results = []
        for who in self.groups.get(group, []) if group else params["recipient"]:
            word = failing[-1] if error and (len(failing) == 1 or failing[0] == who) else "SUCCESS"
            result = rules.failure(self._address(who), word)
            results.append({**result, "groupId": group} if group else result)
        return results

    async def _send(self, asked, params, http, answer):
        mode, error, _ = self._mode(asked)
        if mode in ("500-before-accept", "503-before-accept", "reset-before-accept"):
            self._attempt(http, asked, mode, 500)
            raise HangUp(reset=True)
        if mode == "slow":
            await asyncio.sleep(self.slow_seconds)
        if error and error.lstrip("-").isdigit():
            self._attempt(http, asked, error, 200)
            return {**answer, "error": {"code": int(error), "message": "refused"}}
        at, results = self.now(), self._results(params, error)
        if error and not any(result["type"] in SAID for result in results) and "groupId" not in params:
            code, words = rules.CODES.get(error, (-1, "Failed to send message"))
            self._attempt(http, asked, error, 200)
            return {**answer, "error": {"code": code, "message": words, "data": {"response": {"timestamp": at, "results": results}}}}
        self._accept(asked, params.get("account"), at, mode, [r["recipientAddress"]["number"] or r["recipientAddress"]["uuid"]
                                                              for r in results if r["type"] in SAID])
        full = {**answer, "result": {"timestamp": at, "results": results}}
        await self._play(mode, Response(200, full), {})
        return full

    def _accept(self, request, account, at, mode, reached):
        entry = {"n": len(self.accepted), "at": stamp(), "id": str(at), "path": "/rpc", "mode": mode, "from": account, "request": request}
        self._log({**entry, "request": {**request, "text": self.text_of(request)}})
        self.accepted.append(entry)
        self._notify()
        if account and self.receipts_on:
            self._spawn(self._progress(account, at, reached))

    async def _progress(self, account, at, reached):
        for kind in ["isDelivery"] + ["isRead"] * self.read_too:
            await asyncio.sleep(self.status_delay)
            for who in reached:
                if who == account:
                    continue
                receipt = {"when": self.now(), "isDelivery": False, "isRead": False, "isViewed": False, "timestamps": [at], kind: True}
                await self._queue(account, {"envelope": self.envelope(who, receiptMessage=receipt) if who.startswith("+") else
                                            {**self.envelope("+0", receiptMessage=receipt), "source": who, "sourceNumber": None,
                                             "sourceUuid": who}, "account": account})

    async def _inbound(self, options, wait):
        at = self.now()
        await self._queue(options["to"], {"envelope": self.envelope(options["from"], at, dataMessage=self.data(at, options.get("text"))),
                                          "account": options["to"]})
        return {"message_id": str(at)}

    # --- the REST API
    async def _rest(self, request):
        body = request.json() if request.body else None
        path = urllib.parse.unquote(request.path)
        wrong = self.swagger.wrong(request.method, path, body)
        if wrong:
            self._attempt(request, body, "invalid", 400)
            return Response(400, {"error": wrong})
        if path == "/v1/accounts":
            return Response(200, sorted(self.accounts))
        if path.startswith("/v1/groups/"):
            group = base64.b64decode(path.rpartition("/")[2].removeprefix("group.")).decode()
            return Response(200, {"id": "group.x", "internal_id": group, "name": self.titles.get(group, "Team"),
                                  "members": self.groups[group]}) if group in self.groups else Response(400, {"error": "No group"})
        if path.startswith("/v1/attachments/"):
            name = path.rpartition("/")[2]
            return Response(200, self.attachments[name], "application/octet-stream") if name in self.attachments \
                else Response(404, {"error": "No attachment with that name"})
        if path.startswith("/v1/receipts/"):
            self.receipts.append(body)
            self._notify()
            return Response(204)
        if path.startswith("/v1/reactions/"):
            self._accept({**body, "method": f"{request.method} reaction", "recipients": [body["recipient"]]}, None, self.now(), "ok", [])
            return Response(204)
        if path == "/v2/send":
            return await self._rest_send(request, body)
        return Response(404, {"error": "not found"})

    async def _rest_send(self, http, body):
        """While a webhook of ours is not answered, this hangs: one goroutine does both."""
        while self.posting:
            await asyncio.sleep(0.01)
        mode, error, _ = self._mode(body)
        if error == "429":
            self._attempt(http, body, error, 429)
            return Response(429, {"error": "Failed to send message due to rate limiting", "challenge_tokens": [rules.TOKEN],
                                  "account": body["number"]})
        if error == "untrusted":
            self._attempt(http, body, error, 400)
            return Response(400, {"error": "Unable to complete request due to untrusted recipient keys", "account": body["number"]})
        recipient = body["recipients"][0]
        group = recipient.startswith("group.") and base64.b64decode(recipient[6:]).decode()
        results = self._results({"groupId": group} if group else {"recipient": [recipient]}, error)
        at = self.now()
        self._accept(body, body["number"], at, mode, [r["recipientAddress"]["number"] or r["recipientAddress"]["uuid"]
                                                      for r in results if r["type"] in SAID])
        failed = [{**r["recipientAddress"], "username": "", "reason": r["type"]} for r in results if r["type"] not in SAID]
        answer = [{"timestamp": str(at), **({"errors": {"recipients": failed}} if failed else {})}] if self.new_answers \
            else {"timestamp": str(at)}
        return await self._play(mode, Response(201, answer), {"error": "x"})

    async def _post(self, body):
        """RECEIVE_WEBHOOK_URL: once, whatever comes of it."""
        url = urllib.parse.urlsplit(self.webhook)
        headers = {"Content-Type": "application/json"}
        if url.username is not None:
            word = f"{urllib.parse.unquote(url.username)}:{urllib.parse.unquote(url.password or '')}"
            headers["Authorization"] = "Basic " + base64.b64encode(word.encode()).decode()
        plain = urllib.parse.urlunsplit(url._replace(netloc=url.netloc.rpartition("@")[2]))
        content = json.dumps({"jsonrpc": "2.0", "method": "receive", "params": body}).encode()
        self.posting += 1
        try:
            status, _, _ = await fetch(plain, "POST", content, headers, timeout=30, hosts=self.hosts)
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError, IndexError):
            status = 0
        finally:
            self.posting -= 1
        self.webhooks.append({"at": stamp(), "url": plain, "status": status, "body": content.decode()})
        if status not in (200, 201):
            self.failed_deliveries.append({"urls": [plain], "body": body})
        self._notify()
        return status


def add_endpoint(simulator, umpctl, number, owner, provider="signal_cli", secrets=None, **settings):
    """Declares the number to the gateway with this simulator as its daemon."""
    simulator.accounts.add(number)
    return declare(umpctl, "signal", provider, number, owner, {"base_url": simulator.base_url, **settings}, secrets or {})


def main():
    arguments = arguments_of_main(__doc__).parse_args()
    simulator = Simulator(arguments.log, port=arguments.port).start()
    run_as_program(simulator, arguments, {"base_url": simulator.base_url, "tcp": simulator.tcp_url}, add_endpoint)


if __name__ == "__main__":
    main()
