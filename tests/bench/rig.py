"""A stack under load: caps and throttles off, mailboxes and endpoints of its own, processes watched."""
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from nacl.signing import SigningKey

from tests.stack.layout import DOMAIN
from tests.stack.lifecycle import PROGRAMS, Stack

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "build" / "tests" / "bench"
NICE = os.environ.get("UMP_BENCH_NICE", "")
roots = set()  # of the running stack
OFF = ["caps.user_per_hour=0", "caps.range_per_hour=0", "web.max_connections_per_address=100000"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tool(name, **options):
    return [str(TOOLS / f"bench_{name}"), *(f"{key}={value}" for key, value in options.items())]


def parents():
    """pid → (pid of its parent, CPU seconds of itself and of children that it has waited for)."""
    ticks = os.sysconf("SC_CLK_TCK")
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found[int(path.parent.name)] = (int(fields[1]), sum(map(int, fields[11:15])) / ticks)
    return found


def prioritise():
    """UMP_BENCH_NICE: on a machine that others use too, all that the bench started gets this priority, its peers and
    generators as well. (Sessions are scheduled as groups, and PostgreSQL makes one of every connection.)"""
    if not NICE:
        return
    above, mine = parents(), {os.getpid()}
    more = True
    while more:
        more = {pid for pid, (parent, _) in above.items() if pid not in mine and (parent in mine or pid in roots)}
        mine |= more
    for pid in mine:
        try:
            os.setpriority(os.PRIO_PROCESS, pid, int(NICE))
            Path(f"/proc/{pid}/autogroup").write_text(NICE)
        except OSError:
            pass


def measure(name, **options):
    """Runs a generator to its end; the JSON that it prints."""
    prioritise()
    done = subprocess.run(tool(name, **options), capture_output=True, text=True, timeout=600)
    if not done.stdout.strip():
        raise RuntimeError(f"{name}: {done.stderr}")
    result = json.loads(done.stdout.splitlines()[-1])
    if result["errors"]:
        result["stderr"] = done.stderr.strip()[:300]
    return result


class Rig:
    def __init__(self, mailboxes=20, settings=()):
        self.directory = tempfile.mkdtemp(prefix="ump-bench-")
        os.chmod(self.directory, 0o755)
        self.stack = Stack(self.directory, say=lambda text: None)
        self.users = [f"p{index:03d}@{DOMAIN}" for index in range(mailboxes)]
        self.stack.up(settings=[*OFF, *settings], extra_mailboxes=[user.split("@")[0] for user in self.users])
        self.layout = self.stack.layout
        self.seed = secrets.token_bytes(32)
        key = SigningKey(self.seed).verify_key
        import base64
        self.public_key = base64.b64encode(bytes(key)).decode()
        self.processes = []
        for user in self.users:
            self.umpctl("user", "add", user)
        roots.update(service["pid"] for service in self.stack.control.services().values() if service["pid"])

    def umpctl(self, *arguments):
        return self.stack.umpctl(*map(str, arguments))

    def endpoint(self, number, owner, base_url="http://127.0.0.1:9"):
        return self.adapter("telnyx", number, owner, base_url)["id"]

    def signing_key(self, kind):
        """What the generators sign the webhooks of an adapter with."""
        return self.seed.hex() if kind == "telnyx" else "5" * 32

    def adapter(self, kind, number, owner, base_url="http://127.0.0.1:9", **settings):
        """An endpoint of any kind, unthrottled; its record. base_url: the provider's, without its path."""
        key = self.signing_key(kind)
        channel, path, more, keys = {
            "telnyx": ("sms", "/v2", {}, {"api_key": "KEY", "public_key": self.public_key}),
            "twilio": ("sms", "/2010-04-01", {}, {"account_sid": "AC" + "5" * 32, "auth_token": key}),
            "whatsapp_cloud": ("whatsapp", "/v24.0", {"phone_number_id": f"10654{number.lstrip('+')}", "waba_id": "102290129340398"},
                               {"access_token": "TOKEN", "app_secret": key, "verify_token": "friend"}),
            "signal_cli": ("signal", "", {}, {}),
        }[kind]
        settings = {"base_url": base_url + path, "rate": 0, "pair_rate": 0, **more, **settings}
        return self.umpctl("endpoint", "add", channel, kind, number, "--owner", owner,
                           *(word for name, value in settings.items() for word in ("--set", f"{name}={value}")),
                           *(word for name, value in keys.items() for word in ("--secret", f"{name}={value}")))

    def start(self, *arguments, ready=True):
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        if ready and process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"{arguments[0]} does not start")
        return process

    def sql(self, statement):
        done = subprocess.run(["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", self.layout.database_url("postgres"), "-c", statement],
                              capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def pids(self):
        services = self.stack.control.services()
        return {name: services[name]["pid"] for name in PROGRAMS}

    def memory(self):
        """Resident and peak memory of our programs, MiB."""
        sizes = {}
        for name, pid in self.pids().items():
            text = Path(f"/proc/{pid}/status").read_text()
            sizes[name] = tuple(round(int(re.search(rf"{key}:\s+(\d+)", text)[1]) / 1024, 1) for key in ("VmRSS", "VmHWM"))
        return sizes

    def cpu(self):
        """CPU seconds so far: our programs, and all below PostgreSQL and Dovecot."""
        children, own = {}, {}
        for pid, (parent, seconds) in parents().items():
            children.setdefault(parent, []).append(pid)
            own[pid] = seconds
        def tree(pid):
            return own.get(pid, 0) + sum(tree(child) for child in children.get(pid, ()) if child in own)
        return {name: tree(service["pid"]) for name, service in self.stack.control.services().items() if service["pid"]}

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(10)
        roots.clear()
        self.stack.down(quiet=True)
        subprocess.run(["rm", "-rf", self.directory], check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def until(condition, what, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"waited {seconds} s for {what}")
        time.sleep(0.02)
