#!/usr/bin/python3
"""systemctl for a machine without systemd as process 1: what an administrator types works.

Debian's own services are started by their init scripts; ours as their units say
(ExecStartPre, ExecStart, User, Group, SupplementaryGroups, UMask, StateDirectory),
and the start waits for READY=1 as systemd does. Nothing is restarted, nothing shut in.
"""
import grp
import os
import pwd
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUN = Path("/run/units")
UNITS = (Path("/etc/systemd/system"), Path("/usr/lib/systemd/system"), Path("/lib/systemd/system"))
ACTIONS = ("start", "stop", "restart", "reload", "enable", "disable", "is-active", "daemon-reload", "status")
START_TIMEOUT = 30


def unit_file(name):
    """{key: [values]} of a unit that is not Debian's own, or None."""
    if not name.startswith("ump"):
        return None
    for folder in UNITS:
        path = folder / f"{name}.service"
        if path.exists():
            break
    else:
        sys.exit(f"Unit {name}.service not found.")
    values = {}
    for line in path.read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            values.setdefault(key.strip(), []).append(value.strip())
    return values


def running(name):
    try:
        pid = int((RUN / f"{name}.pid").read_text())
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return None if stat.read().rsplit(")", 1)[1].split()[0] == "Z" else pid
    except (OSError, ValueError):
        return None


def become(unit, notify):
    """In the child: who the unit says, with nothing of the caller's environment."""
    user = pwd.getpwnam(unit["User"][-1])
    group = grp.getgrnam(unit["Group"][-1])
    extra = [grp.getgrnam(word).gr_gid for line in unit.get("SupplementaryGroups", []) for word in line.split()]
    os.setgroups([*{*os.getgrouplist(user.pw_name, group.gr_gid), *extra}])
    os.setresgid(group.gr_gid, group.gr_gid, group.gr_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    os.umask(int(unit.get("UMask", ["0022"])[-1], 8))
    os.chdir("/")
    return {"PATH": os.environ["PATH"], "HOME": user.pw_dir, "USER": user.pw_name, "LC_ALL": "C.UTF-8", "NOTIFY_SOCKET": notify}


def spawn(unit, line, notify, log):
    null = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            os.dup2(null, 0), os.dup2(output, 1), os.dup2(output, 2)
            os.closerange(3, 256)
            argv = shlex.split(line)
            os.execve(argv[0], argv, become(unit, notify))
        except BaseException as error:  # the child must never return into the parent's code
            os.write(2, f"{line}: {error}\n".encode())
        os._exit(127)
    os.close(null), os.close(output)
    return pid


def start_ours(name, unit):
    if running(name):
        return
    for word in " ".join(unit.get("StateDirectory", [])).split():
        Path("/var/lib", word).mkdir(exist_ok=True)
    RUN.mkdir(mode=0o755, exist_ok=True)
    log = f"/var/log/{name}.log"
    notify = RUN / f"{name}.notify"
    notify.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
        ready.bind(str(notify))
        notify.chmod(0o666)
        ready.settimeout(0.2)
        for line in unit.get("ExecStartPre", []):
            if os.waitpid(spawn(unit, line, "", log), 0)[1]:
                fail(name, log, "ExecStartPre failed")
        pid = spawn(unit, unit["ExecStart"][-1], str(notify), log)
        (RUN / f"{name}.pid").write_text(f"{pid}\n")
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if os.waitpid(pid, os.WNOHANG)[0]:
                fail(name, log, "it ended")
            try:
                if b"READY=1" in ready.recv(4096):
                    return
            except TimeoutError:
                continue
    os.kill(pid, signal.SIGKILL)
    fail(name, log, "it did not get ready")


def fail(name, log, why):
    tail = "\n".join(Path(log).read_text(errors="replace").splitlines()[-20:])
    sys.exit(f"Job for {name}.service failed: {why}\n{tail}")


def stop_ours(name):
    pid = running(name)
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + START_TIMEOUT
    while running(name):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def act(action, name):
    name = name.removesuffix(".service")
    unit = unit_file(name)
    if unit is None:
        script = Path("/etc/init.d", name.split("@")[0])
        if action == "is-active":
            action = "status"
        # Into a file: daemons would hold a pipe of the caller's open.
        with tempfile.TemporaryFile() as said:
            code = subprocess.run([script, action], stdin=subprocess.DEVNULL, stdout=said, stderr=said).returncode
            said.seek(0)
            sys.stdout.write(said.read().decode(errors="replace"))
        return code
    if action in ("stop", "restart"):
        stop_ours(name)
    if action in ("start", "restart"):
        start_ours(name, unit)
    elif action == "reload":
        os.kill(running(name), signal.SIGUSR1)
    elif action in ("is-active", "status"):
        print("active" if running(name) else "inactive")
        return 0 if running(name) else 3
    return 0


def main():
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    if not words or words[0] not in ACTIONS:
        sys.exit(f"systemctl: this machine has no systemd; known are {' '.join(ACTIONS)}")
    action, units = words[0], words[1:]
    if action in ("enable", "disable"):
        if "--now" not in sys.argv:
            return 0
        action = "start" if action == "enable" else "stop"
    worst = 0
    for name in units:
        worst = act(action, name) or worst
    return worst


if __name__ == "__main__":
    sys.exit(main())
