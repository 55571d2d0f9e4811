"""Keeps the stack's processes alive, as systemd would: what dies is started again at once.

One process per stack. It listens on D/run/control.sock for one JSON object per
line ({"cmd": "start|stop|restart|status|define|shutdown", "service": NAME}) and
writes D/run/status.json whenever something changes, so that tests find the
processes and count the restarts.
"""
import ctypes
import json
import os
import select
import signal
import socket
import sys
import time
import traceback

from .layout import ROOT, Layout, PortLocks

PR_SET_CHILD_SUBREAPER = 36
RESTART_DELAY = 0.1
RESTART_DELAY_MAX = 1.0
STOP_TIMEOUT = 30


def start_time(pid):
    """The kernel's start time of a process: with the pid it names it for good. None when gone or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
            return None if fields[0] == "Z" else int(fields[19])
    except (OSError, IndexError, ValueError):
        return None


class Service:
    """What to run (argv, user, environment) and what became of it."""

    def __init__(self, name, argv, uid=0, gid=0, groups=(), env=None, cwd="/", stop_signal=signal.SIGTERM):
        self.name, self.argv, self.uid, self.gid, self.groups = name, argv, uid, gid, tuple(groups)
        self.env, self.cwd, self.stop_signal = env or {}, cwd, int(stop_signal)
        self.pid = None
        self.wanted = False
        self.restarts = 0
        self.started_at = 0.0
        self.next_start = None
        self.delay = RESTART_DELAY

    def definition(self):
        return {key: getattr(self, key) for key in
                ("name", "argv", "uid", "gid", "groups", "env", "cwd", "stop_signal")}

    def spawn(self, log_path):
        log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        null = os.open(os.devnull, os.O_RDONLY)
        pid = os.fork()
        if pid == 0:
            try:
                os.setsid()
                os.dup2(null, 0), os.dup2(log, 1), os.dup2(log, 2)
                os.closerange(3, 256)
                for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGPIPE):
                    signal.signal(number, signal.SIG_DFL)
                os.chdir(self.cwd)
                os.setgroups(self.groups)
                os.setresgid(self.gid, self.gid, self.gid)
                os.setresuid(self.uid, self.uid, self.uid)
                environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                               "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", **self.env}
                os.execve(self.argv[0], self.argv, environment)
            except BaseException as error:  # the child must never return into the supervisor
                os.write(2, f"{self.argv[0]}: {error}\n".encode())
            os._exit(127)
        os.close(log), os.close(null)
        self.pid, self.started_at, self.next_start = pid, time.time(), None


class Supervisor:
    def __init__(self, layout):
        self.layout = layout
        self.services = {}
        self.stopping = None
        self.waiters = []
        self.locks = PortLocks()

    # --- life of the services
    def start(self, service):
        if service.pid is None:
            service.wanted = True
            service.spawn(self.layout.log / f"{service.name}.log")

    def stop(self, service):
        service.wanted, service.next_start = False, None
        if service.pid is not None:
            os.kill(service.pid, service.stop_signal)

    def reap(self):
        changed = False
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            for service in self.services.values():
                if service.pid == pid:
                    self.died(service)
                    changed = True
        return changed

    def died(self, service):
        pid, service.pid = service.pid, None
        # What a dead master leaves of its process group goes too, as with a control group.
        try:
            os.killpg(pid, signal.SIGTERM if service.wanted else service.stop_signal)
        except ProcessLookupError:
            pass
        if service.wanted:
            lived = time.time() - service.started_at
            service.delay = RESTART_DELAY if lived > 2 else min(service.delay * 2, RESTART_DELAY_MAX)
            service.restarts += 1
            service.next_start = time.monotonic() + service.delay

    def start_due(self):
        changed = False
        for service in self.services.values():
            if service.next_start is not None and service.next_start <= time.monotonic():
                self.start(service)
                changed = True
        return changed

    # --- what others see
    def state(self):
        return {"supervisor": os.getpid(), "services": {
            name: {"pid": service.pid, "wanted": service.wanted, "restarts": service.restarts,
                   "started_at": service.started_at,
                   "start_time": start_time(service.pid) if service.pid else None}
            for name, service in self.services.items()}}

    def publish(self):
        temporary = self.layout.status.with_suffix(".tmp")
        temporary.write_text(json.dumps(self.state(), indent=1) + "\n")
        os.replace(temporary, self.layout.status)

    # --- commands
    def command(self, request):
        name = request.get("cmd")
        if name == "status":
            return self.state()
        if name == "define":
            old = self.services.get(request["service"]["name"])
            service = Service(**request["service"])
            if old is not None:
                service.pid, service.wanted, service.restarts = old.pid, old.wanted, old.restarts
                service.started_at, service.next_start = old.started_at, old.next_start
            self.services[service.name] = service
            return {"ok": True}
        if name == "ports":
            self.locks.release()
            return {"ports": self.locks.take(request["names"], request.get("remembered"))}
        if name == "shutdown":
            self.stopping = request.get("order") or list(reversed(self.services))
            return {"ok": True}
        service = self.services[request["service"]]
        if name == "start":
            self.start(service)
        elif name == "stop":
            self.stop(service)
        elif name == "restart":
            service.wanted = True
            if service.pid is None:
                self.start(service)
            else:
                os.kill(service.pid, service.stop_signal)
        else:
            return {"error": f"unknown command {name}"}
        return {"ok": True, "pid": service.pid}

    def shutdown_step(self):
        """Stops one service after the other; true when none is left."""
        while self.stopping:
            service = self.services.get(self.stopping[0])
            if service is None or (service.pid is None and not service.wanted):
                self.stopping.pop(0)
                self.deadline = None
                continue
            if service.wanted:
                self.stop(service)
                self.deadline = time.monotonic() + STOP_TIMEOUT
            elif self.deadline and time.monotonic() > self.deadline and service.pid:
                os.kill(service.pid, signal.SIGKILL)
                self.deadline = None
            return False
        return True

    deadline = None

    def serve(self, listener, wakeup):
        clients = {}
        self.publish()
        while True:
            ready, _, _ = select.select([listener, wakeup, *clients], [], [], 0.05)
            changed = False
            for source in ready:
                if source is wakeup:
                    os.read(wakeup.fileno(), 4096)
                elif source is listener:
                    connection, _ = listener.accept()
                    clients[connection] = b""
                else:
                    data = source.recv(65536)
                    if not data:
                        source.close()
                        del clients[source]
                        continue
                    clients[source] += data
                    while b"\n" in clients[source]:
                        line, clients[source] = clients[source].split(b"\n", 1)
                        try:
                            answer = self.command(json.loads(line))
                        except Exception as error:  # a bad request must not end the supervision
                            answer = {"error": f"{type(error).__name__}: {error}"}
                        source.sendall(json.dumps(answer).encode() + b"\n")
                        changed = True
            changed |= self.reap()
            changed |= self.start_due()
            if changed:
                self.publish()
            if self.stopping is not None and self.shutdown_step():
                self.publish()
                return


class _Wakeup:
    """A pipe that SIGCHLD writes to, so that a death is seen at once."""

    def __init__(self):
        self.read_end, self.write_end = os.pipe()
        os.set_blocking(self.write_end, False)
        signal.set_wakeup_fd(self.write_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def fileno(self):
        return self.read_end


def main(directory):
    layout = Layout(directory)
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    supervisor = Supervisor(layout)
    signal.signal(signal.SIGTERM, lambda *_: supervisor.command({"cmd": "shutdown"}))
    if layout.control.exists():
        layout.control.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(layout.control))
    os.chmod(layout.control, 0o600)
    listener.listen(64)
    try:
        supervisor.serve(listener, _Wakeup())
    except Exception:
        traceback.print_exc()
        raise
    finally:
        layout.control.unlink(missing_ok=True)


def spawn(layout):
    """Starts the supervisor in a session of its own, detached from the caller."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    log = os.open(layout.log / "supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0), os.dup2(log, 1), os.dup2(log, 2)
    os.closerange(3, 1024)
    os.chdir(layout.dir)
    os.execve(sys.executable, [sys.executable, "-c",
                               "import sys; from tests.stack.supervisor import main; main(sys.argv[1])",
                               str(layout.dir)], {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"})


class Control:
    """Talks to a running supervisor."""

    def __init__(self, layout):
        self.layout = layout

    def alive(self):
        try:
            return "services" in self.call("status")
        except OSError:
            return False

    def call(self, cmd, **fields):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(10)
            connection.connect(str(self.layout.control))
            connection.sendall(json.dumps({"cmd": cmd, **fields}).encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                data = connection.recv(65536)
                if not data:
                    raise ConnectionError("the supervisor hung up")
                answer += data
        result = json.loads(answer)
        if "error" in result:
            raise RuntimeError(result["error"])
        return result

    def services(self):
        return self.call("status")["services"]
