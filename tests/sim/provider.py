"""What every simulated provider has: a life in a thread, what it was asked, failures on demand."""
import argparse
import asyncio
import base64
import hashlib
import json
import os
import random
import shlex
import subprocess
import threading
import time
import urllib.parse
import uuid
from datetime import datetime, timezone

from tests.lib.wait import PATIENCE, deadline
from tests.sim.server import HangUp, Response, fetch, serve_connection

SEND_MODES = ("accept-then-drop", "accept-then-reset", "accept-then-500", "accept-half-body", "500-before-accept",
              "503-before-accept", "429", "slow", "slow-after-accept", "reset-before-accept")
WEBHOOK_MODES = ("webhook-dup", "webhook-reorder", "webhook-late", "webhook-lost")


def stamp(moment=None):
    moment = moment or datetime.now(timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+00:00"


class Provider:
    """start() runs it in a thread; every method may be called from any thread.

    A subclass has handle(request), to_of(request) and text_of(request), and MAGIC: recipients that
    fail with the error number that they end in.
    """
    MAGIC = None

    def __init__(self, log_path=None, port=0, seed=None, retry_base=0.5, status_delay=0.03, host="127.0.0.1"):
        self.host, self.port = host, port
        self.retry_base, self.status_delay = retry_base, status_delay
        self.random = random.Random(seed)
        self.log_path = log_path
        self.log = open(log_path, "ab", buffering=0) if log_path else None
        self.clock_offset = 0.0
        self.slow_seconds = 3.0
        self.late_seconds = 2.0
        self.media_delay = 0.0
        self.fetch_media = True
        self.webhooks_on = True
        self.statuses_on = True
        self.numbers, self.media = {}, {}
        # Names that no resolver knows: {host: (address, port)}.
        self.hosts = {}
        self.accepted, self.attempts, self.webhooks, self.failed_deliveries = [], [], [], []
        self.messages, self.opt_outs, self.modes, self.rules = {}, set(), {}, []
        self.changed = threading.Condition()
        self.loop = self.server = self.thread = None
        self.tasks = set()

    # --- life
    def start(self):
        started = threading.Event()

        def run():
            self.loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self.loop)
            self.loop.run_until_complete(self._open())
            started.set()
            self.loop.run_forever()
        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        if not started.wait(10):
            raise RuntimeError("the simulator did not start")
        return self

    async def _open(self):
        self.server = await asyncio.start_server(
            lambda reader, writer: serve_connection(reader, writer, self.handle),
            self.host, self.port, backlog=1024, limit=1 << 20)
        self.port = self.server.sockets[0].getsockname()[1]

    def stop(self):
        if self.loop is None:
            return

        async def close():
            self.server.close()
            for task in asyncio.all_tasks():
                if task is not asyncio.current_task():
                    task.cancel()
        asyncio.run_coroutine_threadsafe(close(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        if self.log:
            self.log.close()
        self.loop = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    # --- for tests: what came, what to do with the next
    def wait_for(self, condition, timeout=20, what="the simulator to see it"):
        """The first true value of condition(); condition is looked at whenever something arrives."""
        end = deadline(timeout)
        with self.changed:
            while True:
                value = condition()
                if value:
                    return value
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"waited {timeout * PATIENCE} s for {what}; accepted: {self.accepted[-5:]}")
                self.changed.wait(min(left, 0.5))

    def wait_request(self, timeout=20, **fields):
        """The first accepted request whose fields are these (text, to, from)."""
        def find():
            return next((entry for entry in self.accepted
                         if all(entry["request"].get(key.rstrip("_")) == value for key, value in fields.items())), None)
        return self.wait_for(find, timeout, f"a request with {fields}")

    def register(self, number, webhook_url, failover_url=None):
        self.numbers[number] = [url for url in (webhook_url, failover_url) if url]

    def set_modes(self, **modes):
        self.modes = {name.replace("_", "-"): probability for name, probability in modes.items()}
        unknown = set(self.modes) - set(SEND_MODES) - set(WEBHOOK_MODES)
        if unknown:
            raise ValueError(f"no such mode: {', '.join(sorted(unknown))}")

    def add_rule(self, mode=None, error=None, to=None, text=None, times=None, when=None, skip=0):
        """After skip of them the next `times` matching requests fail: by mode, or with an error number (when: request|finalized)."""
        self.rules.append({"mode": mode, "error": error, "to": to, "text": text, "times": times, "when": when, "skip": skip})

    def reset(self):
        self.modes, self.rules = {}, []
        self.opt_outs.clear()
        self.webhooks_on = self.statuses_on = True

    def add_media(self, name, content, content_type):
        path = f"/media/{uuid.uuid4().hex}/{urllib.parse.quote(name)}"
        self.media[path] = (content, content_type)
        return {"url": self.url + path, "content_type": content_type, "size": len(content),
                "sha256": hashlib.sha256(content).hexdigest()}

    def _notify(self):
        with self.changed:
            self.changed.notify_all()

    def _spawn(self, coroutine):
        task = self.loop.create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    # --- what is to go wrong
    @staticmethod
    def to_of(request):
        to = request.get("to")
        return to if isinstance(to, list) else [to]

    @staticmethod
    def text_of(request):
        return request.get("text") or ""

    def _mode(self, request):
        """What is to go wrong with this request: (mode, error, when)."""
        recipients = self.to_of(request)
        for rule in self.rules:
            if (rule["to"] in (None, *recipients) and (rule["text"] or "") in self.text_of(request)
                    and (rule["times"] is None or rule["times"] > 0)):
                if rule.get("skip", 0) > 0:
                    rule["skip"] -= 1
                    continue
                if rule["times"] is not None:
                    rule["times"] -= 1
                return rule["mode"] or "ok", rule["error"], rule["when"]
        for recipient in recipients:
            magic = self.MAGIC and self.MAGIC.match(recipient or "")
            if magic:
                return "ok", magic.group(1), None
        dice = self.random.random()
        for name in SEND_MODES:
            dice -= self.modes.get(name, 0)
            if dice < 0:
                return name, None, None
        return "ok", None, None

    async def _play(self, mode, answer, error):
        """The answer of a request that was accepted, as far as the mode lets it through."""
        if mode == "slow-after-accept":
            await asyncio.sleep(self.slow_seconds)
        if mode == "accept-then-drop":
            raise HangUp()
        if mode == "accept-then-reset":
            raise HangUp(reset=True)
        if mode == "accept-half-body":
            encoded = answer.encode()
            raise HangUp(partial=encoded[:len(encoded) - len(answer.body) // 2])
        return Response(500, error) if mode == "accept-then-500" else answer

    def _refused(self, http, request, outcome, refusal, headers=None):
        status, body = refusal
        self._attempt(http, request, outcome, status)
        return Response(status, body, headers=headers)

    def _attempt(self, http, request, outcome, status):
        self.attempts.append({"at": stamp(), "path": http.path, "request": request, "outcome": outcome,
                              "status": status, "body": http.body.decode(errors="replace")})
        self._notify()

    def _log(self, entry):
        """On disk before the answer leaves."""
        if self.log:
            self.log.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
            os.fsync(self.log.fileno())

    async def _fetch_one(self, url):
        """What the provider sees when it fetches an attachment."""
        record = {"url": url}
        try:
            status, headers, content = await fetch(url, timeout=10, hosts=self.hosts)
            record.update(status=status, size=len(content), sha256=hashlib.sha256(content).hexdigest(),
                          content_type=headers.get("content-type"), content=base64.b64encode(content).decode())
        except (OSError, asyncio.TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            record["error"] = f"{type(error).__name__}: {error}"
        return record

    # --- control
    def lists(self):
        """What GET /sim/<name> shows."""
        return {"requests": lambda: self.accepted, "attempts": lambda: self.attempts, "webhooks": lambda: self.webhooks,
                "optouts": lambda: sorted(self.opt_outs)}

    async def _control(self, request):
        name = request.path.removeprefix("/sim/")
        try:
            if request.method == "GET":
                return Response(200, self.lists()[name]())
            body = request.json()
            if name == "inbound":
                return Response(200, await self._inbound(body, body.get("wait", True)))
            if name == "number":
                self.register(body["number"], body["webhook_url"], body.get("failover_url"))
            elif name == "modes":
                self.set_modes(**body)
            elif name == "rules":
                for rule in body:
                    self.add_rule(**rule)
            elif name == "reset":
                self.reset()
            else:
                return Response(404, {"error": f"no such control: {name}"})
            return Response(200, {"ok": True})
        except (KeyError, TypeError, ValueError) as error:
            return Response(400, {"error": f"{type(error).__name__}: {error}"})


def declare(umpctl, channel, provider, number, owner, settings, secrets):
    """umpctl endpoint add: one line; the endpoint's record."""
    words = [word for option, pairs in (("--set", settings), ("--secret", secrets)) for key, value in pairs.items()
             for word in (option, f"{key}={value}")]
    done = subprocess.run([*shlex.split(str(umpctl)), "--json", "endpoint", "add", channel, provider, number, "--owner", owner,
                           *words], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"umpctl endpoint add: {done.stderr or done.stdout}")
    return json.loads(done.stdout)


def arguments_of_main(description):
    """The options that every simulator has when it runs as a program."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", help="append accepted requests here, one JSON object per line")
    parser.add_argument("--umpctl", help="the gateway's umpctl: declare --endpoint there")
    parser.add_argument("--endpoint", help="our number, E.164")
    parser.add_argument("--owner", help="its owner")
    return parser


def run_as_program(simulator, arguments, known, add_endpoint, *more):
    """Prints what a gateway has to know of the simulator, with the endpoint if one is to be declared; serves until it is interrupted.
    more: what add_endpoint takes behind the owner."""
    if arguments.endpoint:
        known["endpoint"] = add_endpoint(simulator, arguments.umpctl, arguments.endpoint, arguments.owner, *more)
    print(json.dumps(known, indent=1), flush=True)
    try:
        simulator.thread.join()
    except KeyboardInterrupt:
        simulator.stop()
