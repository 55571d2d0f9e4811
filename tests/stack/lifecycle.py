"""up and down: the order in which a stack starts and stops, and when each part is ready."""
import grp
import imaplib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from . import config, supervisor
from .layout import (DOMAIN, GID_UMP, MAX_DIR, PG_BIN, PORT_NAMES, ROOT, UID_BRIDGE, UID_LMTP, UID_MILTER, USERS,
                     Layout, user_ids)

PROGRAMS = ("ump-lmtp", "ump-milter", "ump-bridge")
SERVERS = ("postgres", "dovecot", "postfix")
# Mail is taken last and refused first.
STOP_ORDER = ("postfix", "ump-milter", "ump-bridge", "ump-lmtp", "dovecot", "postgres")
UIDS = {"ump-milter": UID_MILTER, "ump-lmtp": UID_LMTP, "ump-bridge": UID_BRIDGE}
READY_TIMEOUT = 60


class StackError(Exception):
    pass


def wait_until(condition, what, timeout=READY_TIMEOUT, interval=0.05):
    """Waits for a condition to be true; what it says at the deadline is the last exception or nothing."""
    deadline, last = time.monotonic() + timeout, None
    while time.monotonic() < deadline:
        try:
            result = condition()
            if result:
                return result
        except (OSError, EOFError, StackError, imaplib.IMAP4.error, subprocess.SubprocessError) as error:
            last = error
        time.sleep(interval)
    raise StackError(f"waited {timeout} s for {what}" + (f": {last}" if last else ""))


# --- readiness: the first answer of each server

def _banner(port, start):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        return connection.recv(512).startswith(start)


def _unix_banner(path, start):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(5)
        connection.connect(str(path))
        return not start or connection.recv(512).startswith(start)


def _healthy(url):
    with urllib.request.urlopen(url + "/healthz", timeout=5) as answer:
        return answer.status == 200


def _postgres_ready(layout):
    return subprocess.run([PG_BIN / "pg_isready", "-q", "-U", "postgres", "-d", "postgres", "-h", layout.pg_sock], timeout=10).returncode == 0


def ready(layout, name):
    ports = layout.ports
    return {
        "postgres": lambda: _postgres_ready(layout),
        "dovecot": lambda: _banner(ports["imap"], b"* OK") and layout.dovecot_lmtp.exists(),
        "postfix": lambda: _banner(ports["smtp"], b"220") and _banner(ports["submission"], b"220"),
        "ump-lmtp": lambda: _unix_banner(layout.lmtp_socket, b"220"),
        "ump-milter": lambda: _unix_banner(layout.milter_socket, b""),
        "ump-bridge": lambda: _healthy(f"http://127.0.0.1:{ports['http']}"),
    }[name]()


# --- definitions

def find_program(build, name):
    folder = {"ump-milter": "milter", "ump-lmtp": "lmtp", "ump-bridge": "bridge", "umpctl": "ctl"}[name]
    return Path(build) / folder / name


def service_definition(layout, build, name, environment=None):
    postgres_uid, postgres_gid = user_ids("postgres")
    postfix_gid, postdrop_gid = user_ids("postfix")[1], grp.getgrnam("postdrop").gr_gid
    if name == "postgres":
        return supervisor.Service(name, [str(PG_BIN / "postgres"), "-D", str(layout.pg_data)], uid=postgres_uid,
                                  gid=postgres_gid, stop_signal=signal.SIGINT)
    if name == "dovecot":
        return supervisor.Service(name, ["/usr/sbin/dovecot", "-F", "-c", str(layout.dovecot / "dovecot.conf")])
    if name == "postfix":
        return supervisor.Service(name, ["/usr/lib/postfix/sbin/master", "-s", "-c", str(layout.postfix)],
                                  env={"MAIL_CONFIG": str(layout.postfix)}, cwd=str(layout.spool))
    uid = UIDS[name]
    return supervisor.Service(name, [str(find_program(build, name)), "--config", str(layout.conf)], uid=uid,
                              gid=GID_UMP, groups=(postfix_gid, postdrop_gid, GID_UMP) if name == "ump-lmtp" else (postfix_gid, GID_UMP), cwd=str(layout.state),
                              env={"G_DEBUG": "fatal-criticals", "HOME": str(layout.state), **(environment or {})})


# --- PostgreSQL

PG_SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{sock}'
unix_socket_permissions = 0777
max_connections = 120
shared_buffers = 128MB
synchronous_commit = on
fsync = on
max_wal_size = 2GB
logging_collector = off
log_line_prefix = '%m [%p] %q%u@%d '
"""


def as_postgres(*argv):
    uid, gid = user_ids("postgres")
    return subprocess.run(["setpriv", "--reuid", str(uid), "--regid", str(gid), "--clear-groups", "env", "HOME=/tmp",
                           "LC_ALL=C.UTF-8", *map(str, argv)], cwd="/", capture_output=True, text=True)


def init_postgres(layout):
    if (layout.pg_data / "PG_VERSION").exists():
        return False
    made = as_postgres(PG_BIN / "initdb", "-D", layout.pg_data, "-A", "trust", "-U", "postgres", "-E", "UTF8",
                       "--locale=C.UTF-8", "-k", "-N")
    if made.returncode:
        raise StackError(f"initdb failed: {made.stderr}")
    with open(layout.pg_data / "postgresql.conf", "a", encoding="utf-8") as settings:
        settings.write(PG_SETTINGS.format(sock=layout.pg_sock))
    return True


def psql(layout, sql, role="postgres", database="postgres"):
    done = subprocess.run([PG_BIN / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", layout.pg_sock, "-U", role,
                           "-d", database, "-c", sql], capture_output=True, text=True)
    if done.returncode:
        raise StackError(f"psql: {done.stderr.strip()}")
    return done.stdout.strip()


def create_database(layout):
    if psql(layout, "SELECT 1 FROM pg_database WHERE datname = 'ump'"):
        return
    psql(layout, "CREATE ROLE ump LOGIN CREATEROLE")
    psql(layout, "CREATE DATABASE ump OWNER ump")


# --- the directory

def make_reachable(directory):
    """PostgreSQL, Postfix and Dovecot run as users of their own: each parent has to let them pass."""
    for parent in directory.parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            os.chmod(parent, stat.S_IMODE(mode) | stat.S_IXOTH)
            print(f"    note: chmod o+x {parent}, so that the servers' own users can pass it")


class Stack:
    def __init__(self, directory, say=print):
        self.layout = Layout(directory)
        self.control = supervisor.Control(self.layout)
        self.say = say

    # --- up
    def up(self, build=None, settings=(), servers_only=False, environment=None, extra_mailboxes=None):
        layout = self.layout
        if len(str(layout.dir)) > MAX_DIR:
            raise StackError(f"--dir {layout.dir}: longer than {MAX_DIR} characters, its sockets could not be named")
        if os.geteuid() != 0:
            raise StackError("the stack needs root: its servers run as users of their own")
        if self.control.alive():
            if all(service["pid"] for service in self.control.services().values()):
                self.say(f"already up in {layout.dir}")
                return
            raise StackError(f"half a stack runs in {layout.dir}: run down first")
        layout.run.mkdir(parents=True, exist_ok=True)
        layout.log.mkdir(parents=True, exist_ok=True)
        make_reachable(layout.dir)
        self._clear_leftovers()
        known = layout.load()
        build = str(Path(build or known.get("build") or ROOT / "build").resolve())
        names = SERVERS if servers_only else ("postgres", "dovecot", *PROGRAMS, "postfix")
        for name in () if servers_only else (*PROGRAMS, "umpctl"):
            if not find_program(build, name).exists():
                raise StackError(f"{find_program(build, name)} is missing: ./run build")
        settings = [*known.get("settings", []), *settings]
        supervisor.spawn(layout)
        wait_until(self.control.alive, "the supervisor")
        ports = self.control.call("ports", names=PORT_NAMES, remembered=known.get("ports"))["ports"]
        layout.save(ports=ports, build=build, settings=settings,
                    extra_mailboxes=extra_mailboxes or known.get("extra_mailboxes", []))
        config.write_all(layout, build, settings)
        first = init_postgres(layout)
        for name in names:
            definition = service_definition(layout, build, name, environment)
            self.control.call("define", service=definition.definition())
        try:
            self._start_all(names, first, servers_only)
        except Exception:
            self.down(quiet=True)
            raise

    def _start_all(self, names, first, servers_only):
        for name in names:
            started = time.monotonic()
            if name == "postfix":
                self._check_postfix()
            if name == "dovecot":
                # The socket for Postfix's SASL lies in Postfix's queue directory.
                (self.layout.spool / "private").mkdir(mode=0o700, exist_ok=True)
                os.chown(self.layout.spool / "private", user_ids("postfix")[0], 0)
            self.control.call("start", service=name)
            self.wait_ready(name)
            if name == "postgres":
                create_database(self.layout)
                if not servers_only:
                    self.umpctl("migrate")
                    self._accounts()
            self.say(f"    {name:<11} up after {time.monotonic() - started:.1f} s")

    def _check_postfix(self):
        done = subprocess.run(["/usr/sbin/postfix", "-c", self.layout.postfix, "check"], capture_output=True, text=True)
        if done.returncode:
            raise StackError(f"postfix check: {done.stderr}")

    def _accounts(self):
        """The account `default` with the domain and the users; repeated at each start, so that a
        first start that was broken off is finished by the next."""
        accounts = {record.get("name") for record in self.umpctl("account", "list")}
        if "default" not in accounts:
            self.umpctl("account", "add", "default", "--domain", DOMAIN)
        users = {record.get("email") for record in self.umpctl("user", "list")}
        for user in USERS:
            if f"{user}@{DOMAIN}" not in users:
                self.umpctl("user", "add", f"{user}@{DOMAIN}", "--name", user.capitalize())

    def wait_ready(self, name, timeout=READY_TIMEOUT):
        before = self.control.services()[name]["restarts"]

        def condition():
            if self.control.services()[name]["restarts"] > before + 20:
                raise StackError("it dies again and again")
            return ready(self.layout, name)
        try:
            wait_until(condition, name, timeout)
        except StackError as error:
            log = self.layout.log / f"{name}.log"
            tail = "".join(log.read_text(errors="replace").splitlines(keepends=True)[-15:]) if log.exists() else ""
            raise StackError(f"{error}\n--- end of {log}\n{tail}") from None

    def umpctl(self, *arguments):
        done = subprocess.run([self.layout.umpctl, "--json", *arguments], capture_output=True, text=True)
        if done.returncode:
            raise StackError(f"umpctl {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    # --- down
    def down(self, quiet=False):
        if not self.control.alive():
            self._clear_leftovers()
            if not quiet:
                self.say(f"nothing runs in {self.layout.dir}")
            return
        pid = self.control.call("status")["supervisor"]
        started = supervisor.start_time(pid)
        self.control.call("shutdown", order=STOP_ORDER)
        wait_until(lambda: not self.layout.control.exists() or not self.control.alive(), "the stack to stop", 120)
        wait_until(lambda: supervisor.start_time(pid) != started or started is None, "the supervisor to end", 30)
        if not quiet:
            self.say(f"down: {self.layout.dir}")

    def _clear_leftovers(self):
        """After a supervisor that was killed: end what its status file names, if it is still the same process."""
        try:
            services = json.loads(self.layout.status.read_text())["services"]
        except (OSError, ValueError, KeyError):
            return
        for name in STOP_ORDER:
            service = services.get(name) or {}
            pid, started = service.get("pid"), service.get("start_time")
            if not pid or started is None or supervisor.start_time(pid) != started:
                continue
            os.kill(pid, signal.SIGINT if name == "postgres" else signal.SIGTERM)
            try:
                wait_until(lambda: supervisor.start_time(pid) != started, f"{name} to end", 30)
            except StackError:
                os.kill(pid, signal.SIGKILL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.down(quiet=True)


def how_to_try(layout):
    env = layout.environment()
    return f"""
The stack is up. Its interface is {layout.env_file}:  . {layout.env_file}

  mail from outside   smtp://127.0.0.1:{env['UMP_SMTP_PORT']}
  submission          smtp://127.0.0.1:{env['UMP_SUBMISSION_PORT']}   AUTH PLAIN/LOGIN
  mailboxes           imap://127.0.0.1:{env['UMP_IMAP_PORT']}   alice@{DOMAIN} (password alice), bob@{DOMAIN} (bob), carol@{DOMAIN} (carol)
  webhooks, media     {env['UMP_HTTP_URL']}
  database            {env['UMP_DATABASE_URL']}
  administration      {env['UMPCTL']} --help

1. A provider to play with (a simulator that signs its webhooks), in another shell:
   /usr/bin/python3 {ROOT}/tests/sim/telnyx.py --port 18080 --umpctl {env['UMPCTL']} --endpoint +12125550100 --owner alice@{DOMAIN}
2. An SMS to alice, as the provider would bring it (signed by the simulator):
   curl -sS http://127.0.0.1:18080/sim/inbound -d '{{"from":"+12125550123","to":"+12125550100","text":"Hello from the street"}}'
3. Her mailbox:
   curl -sS 'imap://alice%40{DOMAIN}:alice@127.0.0.1:{env['UMP_IMAP_PORT']}/INBOX;MAILINDEX=1'
4. An SMS from alice's mail program:
   swaks --server 127.0.0.1:{env['UMP_SUBMISSION_PORT']} --auth PLAIN --auth-user alice@{DOMAIN} --auth-password alice \\
         --from alice@{DOMAIN} --to '<+12125550123@sms.{DOMAIN}>' --body 'Hello from my desk'
   curl -sS http://127.0.0.1:18080/sim/requests

Stop it: ./run down --dir {layout.dir}
"""


def main_up(arguments):
    stack = Stack(arguments.dir, say=lambda text: print(text, flush=True))
    print(f"==> starting the stack in {stack.layout.dir}", flush=True)
    stack.up(build=arguments.build, settings=arguments.set or (), servers_only=arguments.servers_only)
    print(how_to_try(stack.layout))


def main_down(arguments):
    Stack(arguments.dir).down()


def main_status(arguments):
    stack = Stack(arguments.dir)
    if not stack.control.alive():
        print("down")
        sys.exit(1)
    print(json.dumps(stack.control.services(), indent=1))


def main_service(arguments):
    stack = Stack(arguments.dir)
    stack.control.call(arguments.command, service=arguments.service)
    if arguments.command != "stop":
        stack.wait_ready(arguments.service)
