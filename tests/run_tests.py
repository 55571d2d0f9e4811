"""Runs everything and sums it up: unit tests, pytest, fuzz smoke, sanitizer runs.

The last line is "N passed, N failed". A skipped test counts as failed when the
shared material lies beside the repository: there nothing is missing that a
test could need.
"""
import argparse
import base64
import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
OUT = BUILD / "test-results"
SHARED = ROOT.parent / "shared"
SANITIZED_ENV = {"ASAN_OPTIONS": "detect_leaks=1:exitcode=99",
                 "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
                 "TSAN_OPTIONS": "halt_on_error=1:exitcode=66:second_deadlock_stack=1:ignore_noninstrumented_modules=1"}
VARIANTS = {
    "asan": (["-Db_sanitize=address,undefined", "-Db_lundef=false"], "ccache gcc", "ccache g++"),
    "tsan": (["-Db_sanitize=thread", "-Db_lundef=false"], "ccache gcc", "ccache g++"),
    "fuzz": (["-Dfuzz=true", "-Db_sanitize=address,undefined", "-Db_lundef=false"], "ccache clang", "ccache clang++"),
}
INPUT_MAX = 16384  # bytes of a fuzz target's input that are printed
MAX_AGAIN = 5  # more failures than this are no accident
SUITES = ("unit", "pytest", "asan", "tsan", "fuzz")


class Tally:
    def __init__(self):
        self.passed, self.failures, self.skipped, self.unsteady = 0, [], [], []

    def good(self, count=1):
        self.passed += count

    def bad(self, name, why=""):
        self.failures.append(name)
        print(f"FAILED {name}" + (f"\n{why}" if why else ""), flush=True)


def say(text):
    print(f"==> [{time.strftime('%H:%M:%S')}] {text}", flush=True)


def run(argv, log, **options):
    with open(log, "wb") as output:
        return subprocess.run([str(word) for word in argv], stdout=output, stderr=subprocess.STDOUT, cwd=ROOT, **options).returncode


def tail(path, lines=40):
    text = Path(path).read_text(errors="replace").splitlines()
    return "\n".join(text[-lines:])


def finding(log, work):
    """What a fuzz target died of: the report from its first line on, and the input that did it."""
    text = Path(log).read_text(errors="replace").splitlines()
    said = [n for n, line in enumerate(text) if "ERROR: " in line or "runtime error: " in line or "assertion failed" in line]
    lines = text[said[0]:said[0] + 40] if said else text[-40:]
    for path in sorted(work.glob("*-*")):
        if path.name.split("-")[0] in ("crash", "leak", "timeout", "oom"):
            data = path.read_bytes()
            lines.append(f"{path.name}, {len(data)} bytes, in base64:" + ("" if len(data) <= INPUT_MAX else f" (its first {INPUT_MAX})"))
            lines.append(base64.b64encode(data[:INPUT_MAX]).decode())
    return "\n".join(lines)


def build_variant(name):
    """Builds build/variants/NAME; returns its directory, or None with the log printed."""
    directory = BUILD / "variants" / name
    options, cc, cxx = VARIANTS[name]
    directory.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "CC": cc, "CXX": cxx, "CCACHE_DIR": os.environ.get("CCACHE_DIR", str(BUILD / ".ccache"))}
    log = OUT / f"build-{name}.log"
    if not (directory / "build.ninja").exists():
        if run(["meson", "setup", directory, ROOT, *options], log, env=environment):
            print(tail(log))
            return None
    if run(["ninja", "-C", directory], log, env=environment):
        print(tail(log, 60))
        return None
    return directory


def unit_tests(tally, directory, label, multiplier=1):
    """meson test; each test of each binary counts as meson counts it."""
    log = OUT / f"unit-{label}.log"
    results = directory / "meson-logs" / "testlog.json"
    results.unlink(missing_ok=True)
    environment = {**os.environ, **SANITIZED_ENV}
    code = run(["meson", "test", "-C", directory, "--no-rebuild", "--print-errorlogs", "-t", multiplier], log, env=environment)
    if not results.exists():
        if "No tests defined" not in log.read_text(errors="replace"):
            tally.bad(f"{label}: meson test", tail(log))
        return
    bad = False
    for line in results.read_text().splitlines():
        test = json.loads(line)
        name = f"{label}: {test['name']}"
        if test["result"] in ("OK", "EXPECTEDFAIL"):
            tally.good()
        elif test["result"] == "SKIP":
            tally.skipped.append(name)
        else:
            bad = True
            tally.bad(name, f"{test.get('stdout', '')[-3000:]}\n{test.get('stderr', '')[-3000:]}")
    if code and not bad:
        tally.bad(f"{label}: meson test", tail(log))


def pytest(report, arguments, build):
    """The exit code, and what the report says of each test; None when there is no report."""
    report.unlink(missing_ok=True)
    environment = dict(os.environ)
    if build:
        environment["UMP_BUILD"] = str(build)
    code = subprocess.run([sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *arguments], cwd=ROOT, env=environment).returncode
    return code, list(ElementTree.parse(report).iter("testcase")) if report.exists() else None


def has_failed(case):
    return case.find("failure") is not None or case.find("error") is not None


def identity(case):
    return case.get("classname"), case.get("name")


def again(label, cases, build):
    """Those of the failed tests that pass when each runs once more, alone on the machine.

    Load makes a test fail now and then that waits for something of another program.  What tells of lost,
    doubled or leaked messages is marked as a guarantee: there one failure in a thousand runs is what is sought.
    """
    nodes = [f"{classname.replace('.', '/')}.py::{name}" for classname, name in map(identity, cases) if classname]
    if not nodes or len(nodes) > MAX_AGAIN:
        return set()
    say(f"once more, alone: {len(nodes)}")
    _, second = pytest(OUT / f"pytest-{label}-again.xml", ["-m", "not guarantee", *nodes], build)
    seen = [identity(case) for case in second or []]
    return {identity(case) for case in second or []
            if not has_failed(case) and case.find("skipped") is None and seen.count(identity(case)) == 1}


def python_tests(tally, label, arguments, build=None, workers=2):
    code, cases = pytest(OUT / f"pytest-{label}.xml", ["-n", str(workers), "--dist", "load", *arguments], build)
    if cases is None:
        tally.bad(f"{label}: pytest", f"exit {code}")
        return
    unsteady = again(label, [case for case in cases if has_failed(case)], build)
    bad = 0
    for case in cases:
        name = f"{label}: {case.get('classname')}.{case.get('name')}"
        if has_failed(case):
            bad += 1
            if identity(case) in unsteady:
                tally.unsteady.append(name)
                tally.good()
            else:
                tally.bad(name)
        elif case.find("skipped") is not None:
            tally.skipped.append(name)
        else:
            tally.good()
    # 5: nothing was collected for this build.
    if code not in (0, 5) and not bad:
        tally.bad(f"{label}: pytest", f"exit {code}")


def fuzz(tally, directory, seconds, seed):
    """
    Each target over its kept corpus and the torture mails, then for some seconds; two at a time.  The seed is the
    same in every run unless another is asked for: what a tree passed, it passes again.
    """
    targets = sorted(path for path in (directory / "tests" / "fuzz").glob("fuzz_*")
                     if os.access(path, os.X_OK) and path.is_file())

    def one(target):
        work = OUT / "fuzz" / target.name
        work.mkdir(parents=True, exist_ok=True)
        kept = ROOT / "tests" / "fuzz" / "corpus" / target.name.removeprefix("fuzz_")
        seeds = [path for path in (kept, SHARED / "mime-torture" if "mime" in target.name or "mail" in target.name else None)
                 if path and path.exists()]
        log = OUT / f"{target.name}.log"
        code = run([target, f"-max_total_time={seconds}", f"-seed={seed}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
                    f"-artifact_prefix={work}/", work, *seeds], log,
                   env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1", "G_SLICE": "always-malloc"})
        return target.name, code, log
    with ThreadPoolExecutor(2) as pool:
        for name, code, log in pool.map(one, targets):
            if code:
                tally.bad(f"fuzz: {name}", finding(log, OUT / "fuzz" / name))
            else:
                tally.good()
    if not targets:
        tally.bad("fuzz: no target was built")


def main():
    parser = argparse.ArgumentParser(prog="./run test", description=__doc__.splitlines()[0])
    parser.add_argument("--only", help=f"suites, comma separated, of {','.join(SUITES)}")
    parser.add_argument("--fuzz-seconds", type=int, default=30)
    parser.add_argument("--fuzz-seed", type=int, default=1, help="0: another one each time")
    parser.add_argument("-n", "--workers", type=int, default=2)
    parser.add_argument("arguments", nargs="*", help="passed on to pytest")
    options, passed_on = parser.parse_known_args()
    passed_on = options.arguments + passed_on
    suites = options.only.split(",") if options.only else list(SUITES)
    OUT.mkdir(parents=True, exist_ok=True)
    tally, started = Tally(), time.monotonic()
    if "unit" in suites:
        say("unit tests")
        unit_tests(tally, BUILD, "unit")
    if "pytest" in suites:
        say("integration and contract tests")
        python_tests(tally, "pytest", passed_on or ["tests"], workers=options.workers)
    for name, mark in (("asan", "sanitize"), ("tsan", "threads")):
        if name in suites:
            say(f"{name} build and tests")
            directory = build_variant(name)
            if directory is None:
                tally.bad(f"{name}: build")
                continue
            unit_tests(tally, directory, name, 4)
            python_tests(tally, name, ["tests", "-m", mark], directory, options.workers)
    if "fuzz" in suites:
        say(f"clang build; fuzz targets, {options.fuzz_seconds} s each")
        directory = build_variant("fuzz")
        if directory is None:
            tally.bad("fuzz: build")
        else:
            tally.good()
            fuzz(tally, directory, options.fuzz_seconds, options.fuzz_seed)
    minutes = (time.monotonic() - started) / 60
    if SHARED.exists():
        for name in tally.skipped:
            tally.bad(f"{name} (skipped)")
    elif tally.skipped:
        say(f"skipped: {len(tally.skipped)}")
    say(f"{minutes:.1f} minutes")
    for name in tally.unsteady:
        print(f"  unsteady, passed when run again: {name}")
    for name in tally.failures:
        print(f"  failed: {name}")
    print(f"{tally.passed} passed, {len(tally.failures)} failed", flush=True)
    return 1 if tally.failures or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
