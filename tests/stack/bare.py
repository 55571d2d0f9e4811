"""A bare Debian 12 in a directory, for tests that need a machine as an administrator has it.

    with bare_root(packages=["postfix"], prepare=function) as machine:
        machine.run("apt-get install -y nginx", network=True)
        machine.run("systemctl start nginx")

debootstrap runs once; its result, and each further layer (packages installed and
`prepare(machine)` done), is kept as a tar file in build/bare/, as are the package
files. Each machine is a copy of its own in namespaces of its own: its mounts are
seen by nobody else, its ports are its own (only `network=True` commands see the
host's network), and all its processes end with it. Where Debian's mirror is, the
host's own apt configuration says.
"""
import contextlib
import ctypes
import fcntl
import hashlib
import inspect
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .layout import ROOT

STORE = ROOT / "build" / "bare"
HOST_ARCHIVES = Path("/var/cache/apt/archives")
RELEASE = "bookworm"
CLONE_NEWNET = 0x40000000
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SHIM = Path(__file__).with_name("systemctl.py")
INIT = Path(__file__).with_name("bare_init.py")


class MachineError(Exception):
    """A command that failed, with the end of what it said."""


def _apt_targets():
    """[(uri, suite, component)] of what the host's apt reads."""
    done = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"],
                          capture_output=True, text=True, check=True)
    found = dict.fromkeys(tuple(line.split()) for line in done.stdout.splitlines() if len(line.split()) == 3)
    return [target for target in found if target[1] == RELEASE or target[1].startswith(f"{RELEASE}-")]


def _mirror():
    for uri, suite, component in _apt_targets():
        if suite == RELEASE and component == "main":
            return uri
    raise MachineError(f"the host's apt names no mirror of {RELEASE}; apt-get update, or mend /etc/apt/sources.list.d")


def _link_archives(source, target):
    """Package files of one cache into another, without copying them."""
    for package in source.glob("*.deb"):
        with contextlib.suppress(OSError):
            os.link(package, target / package.name)


class Machine:
    def __init__(self, root, binds=None):
        self.root = Path(root)
        self.binds = dict(binds or {})
        self.process = self.pid = None

    # --- life
    def start(self):
        words = [f"{source}={target}" for target, source in self.binds.items()]
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child", "--propagation", "unchanged",
             sys.executable, INIT, self.root, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.process.stdout.readline().strip()
        if not self.pid:
            raise MachineError("no namespaces of its own: is this root, with CAP_SYS_ADMIN?")
        _link_archives(STORE / "archives", self.root / "var/cache/apt/archives")
        self.write("/usr/local/bin/systemctl", SHIM.read_text(), 0o755)
        return self

    def stop(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait(30)
            self.process.stdout.close()
            self.process = None
        _link_archives(self.root / "var/cache/apt/archives", STORE / "archives")

    # --- use
    def command(self, argv, network=False):
        """argv inside the machine, as a command of the host."""
        # --root: a machine may be within another, whose root is not that of the mount namespace.
        return ["nsenter", "--target", self.pid, "--mount", "--root", "--pid", "--uts", "--ipc", *([] if network else ["--net"]),
                "chroot", str(self.root), "/usr/bin/env", "-i", f"PATH={PATH}", "HOME=/root", "LC_ALL=C.UTF-8",
                "DEBIAN_FRONTEND=noninteractive", *argv]

    def run(self, script, network=False, check=True, timeout=900, **options):
        """A bash script inside the machine, as root; → what it printed, both streams."""
        done = subprocess.run(self.command(["/bin/bash", "-c", script], network), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=timeout,
                              **{"stdin": subprocess.DEVNULL, **options})
        if check and done.returncode:
            raise MachineError(f"exit {done.returncode}: {script[:400]}\n{done.stdout[-4000:]}")
        return done.stdout

    def network(self):
        """An executor whose one thread (and threads that it starts) has the machine's network and the host's files."""
        def enter():
            with open(f"/proc/{self.pid}/ns/net", encoding="ascii") as namespace:
                if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
        return ThreadPoolExecutor(1, initializer=enter)

    def install(self, *packages):
        self.run(f"apt-get install -y --no-install-recommends -o Dpkg::Use-Pty=0 {shlex.join(packages)} || "
                 f"{{ apt-get update && apt-get install -y --no-install-recommends -o Dpkg::Use-Pty=0 {shlex.join(packages)}; }}",
                 network=True)

    def path(self, name):
        return self.root / name.lstrip("/")

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path


def _debootstrap(directory):
    archives = STORE / "archives"
    archives.mkdir(exist_ok=True)
    _link_archives(HOST_ARCHIVES, archives)
    log = STORE / "debootstrap.log"
    with open(log, "wb") as output:
        done = subprocess.run(["debootstrap", "--variant=minbase", f"--cache-dir={archives}", "--include=ca-certificates", RELEASE,
                               directory, _mirror()], stdout=output, stderr=subprocess.STDOUT)
    if done.returncode:
        raise MachineError(f"debootstrap failed:\n{log.read_text(errors='replace')[-3000:]}")
    _settle(directory)


def _settle(directory):
    """The host's package sources; no service starts by itself; a test needs no flushes of dpkg's."""
    machine = Machine(directory)
    sources = "".join(f"deb {uri} {suite} {component}\n" for uri, suite, component in _apt_targets())
    machine.write("/etc/apt/sources.list", sources)
    for folder in ("keyrings", "trusted.gpg.d"):
        if Path("/etc/apt", folder).is_dir():
            shutil.copytree(Path("/etc/apt", folder), machine.path(f"/etc/apt/{folder}"), dirs_exist_ok=True)
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    machine.write("/etc/apt/apt.conf.d/50host", "".join(
        f"{line}\n" for line in dump.splitlines() if line.startswith(("Acquire::http", "Acquire::Check-", "Acquire::Retries"))))
    machine.write("/etc/dpkg/dpkg.cfg.d/test", "force-unsafe-io\n")
    machine.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
    machine.write("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")
    shutil.copy("/etc/resolv.conf", machine.path("/etc/resolv.conf"), follow_symlinks=True)


def _layers(packages, prepare):
    """[(name, how to make it from the one before)]; a name changes with what goes into it."""
    base = hashlib.sha256(inspect.getsource(_settle).encode() + repr(_apt_targets()).encode()).hexdigest()[:12]
    layers = [(f"base-{base}", _debootstrap)]
    if packages or prepare:
        text = repr(sorted(packages)) + (inspect.getsource(inspect.getmodule(prepare)) if prepare else "")

        def make(directory):
            machine = Machine(directory).start()
            try:
                if packages:
                    machine.install(*packages)
                if prepare:
                    prepare(machine)
            finally:
                machine.stop()
        layers.append((f"layer-{hashlib.sha256((base + text).encode()).hexdigest()[:12]}", make))
    return layers


def _tar(*words):
    subprocess.run(["tar", "--numeric-owner", "--xattrs", *map(str, words)], check=True)


def _discard(directory):
    """Only plain files are left when the namespaces are gone; a mount still there is not walked into."""
    subprocess.run(["rm", "-rf", "--one-file-system", str(directory)], check=False)


def _tarball(packages, prepare):
    STORE.mkdir(parents=True, exist_ok=True)
    previous = None
    with open(STORE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name, make in _layers(packages, prepare):
            tarball = STORE / f"{name}.tar"
            if not tarball.exists():
                directory = Path(tempfile.mkdtemp(prefix="making-", dir=STORE))
                try:
                    directory.chmod(0o755)
                    if previous:
                        _tar("-xf", previous, "-C", directory)
                    make(directory)
                    if previous is None:
                        for outdated in STORE.glob("*.tar"):
                            outdated.unlink()
                    _tar("-cf", f"{tarball}.new", "--exclude=./var/cache/apt/archives/*.deb", "-C", directory, ".")
                    os.replace(f"{tarball}.new", tarball)
                finally:
                    _discard(directory)
            previous = tarball
    return previous


@contextlib.contextmanager
def bare_root(packages=(), prepare=None, binds=None):
    """A machine of one's own. binds: {path inside: directory of the host}."""
    tarball = _tarball(tuple(packages), prepare)
    directory = Path(tempfile.mkdtemp(prefix="root-", dir=STORE))
    machine = Machine(directory, binds)
    try:
        directory.chmod(0o755)
        _tar("-xf", tarball, "-C", directory)
        machine.start()
        yield machine
    finally:
        machine.stop()
        _discard(directory)
