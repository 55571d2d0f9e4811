"""Process 1 of a machine of bare.py, in namespaces of its own: makes its mounts, says its process id,
collects orphans, and ends (and all its processes with it) when its standard input does.
"""
import os
import select
import signal
import subprocess
import sys


def mount(*words):
    subprocess.run(["mount", *words], check=True)


def make_mounts(root, binds):
    mount("--make-rprivate", "/")
    mount("--bind", root, root)
    mount("-t", "proc", "proc", root + "/proc")
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", root + "/run")
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", root + "/dev")
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        with open(f"{root}/dev/{name}", "w", encoding="ascii"):
            pass
        mount("--bind", f"/dev/{name}", f"{root}/dev/{name}")
    for name in ("dev/pts", "dev/shm", "run/lock"):
        os.mkdir(f"{root}/{name}")
    mount("-t", "devpts", "-o", "newinstance,ptmxmode=0666,mode=620", "devpts", root + "/dev/pts")
    mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", root + "/dev/shm")
    os.chmod(root + "/run/lock", 0o1777)
    for name, target in (("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"),
                         ("stderr", "fd/2")):
        os.symlink(target, f"{root}/dev/{name}")
    for word in binds:
        source, target = word.split("=", 1)
        os.makedirs(root + target, exist_ok=True)
        mount("--bind", source, root + target)


def collect_until_end_of_input():
    wake, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    while True:
        ready = select.select([0, wake], [], [])[0]
        if 0 in ready and not os.read(0, 1):
            return
        if wake in ready:
            os.read(wake, 4096)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass


def main():
    # /proc is still the host's: the number by which the host knows this process.
    pid = os.readlink("/proc/self")
    make_mounts(sys.argv[1], sys.argv[2:])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    print(pid, flush=True)
    collect_until_end_of_input()


main()
