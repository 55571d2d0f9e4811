"""The benches of ./run bench. Each measures beside its peer or limit, in the same run; figures are ratios first,
because machines differ. Usage: ./run bench [NAME]…   (--list names them; --write puts the tables into docs/BENCHMARKS.md)"""
import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import adapters as by_kind
from tests.bench.rig import ROOT, Rig, free_port, measure, tool, until
from tests.stack.layout import DOMAIN

BENCHES = {}


def bench(function):
    BENCHES[function.__name__] = function
    return function


def row(what, value, limit, verdict=""):
    return [what, value, limit, verdict]


def verdict(ratio, aim, least):
    return "aim met" if ratio >= aim else "met" if ratio >= least else "MISSED"


def paired(one, other, rounds=3):
    """Runs two measurements in turn; the medians of their rates and of the ratio of neighbours."""
    pairs = [(one(), other()) for _ in range(rounds)]
    for a, b in pairs:
        if a["errors"] or b["errors"]:
            raise RuntimeError(f"errors: {a} {b}")
    return (statistics.median(a["rate"] for a, _ in pairs), statistics.median(b["rate"] for _, b in pairs),
            statistics.median(a["rate"] / b["rate"] for a, b in pairs))


@bench
def relay():
    """Relay of 2 KiB mail over 20 sessions to 20 mailboxes with index, beside Dovecot's LMTP alone."""
    rounds, messages = 9, 1000
    with Rig() as rig:
        common = {"sessions": 20, "messages": messages, "size": 2048, "users": ",".join(rig.users)}
        measure("load_lmtp", address=f"unix:{rig.layout.lmtp_socket}", **common)
        before = rig.cpu()
        ours, dovecot, ratio = paired(lambda: measure("load_lmtp", address=f"unix:{rig.layout.lmtp_socket}", **common),
                                      lambda: measure("load_lmtp", address=f"unix:{rig.layout.dovecot_lmtp}", **common), rounds)
        after = rig.cpu()
        cpu = {name: (after[name] - before[name]) / (rounds * messages) * 1000 for name in ("ump-lmtp", "postgres", "dovecot")}
        return [row("relay with index, 20 sessions", f"{ours:.0f}/s", f"Dovecot alone {dovecot:.0f}/s",
                    f"{ratio:.2f}× (aim 0.85, least 0.7): {verdict(ratio, 0.85, 0.7)}"),
                row("CPU a message", f"ump-lmtp {cpu['ump-lmtp']:.2f} ms + PostgreSQL {cpu['postgres']:.2f} ms",
                    f"Dovecot {cpu['dovecot'] / 2:.2f} ms", "")]


# What the absolute limits are meant for: Dovecot's LMTP alone takes this many 2 KiB mails a second there over 8 sessions.
REFERENCE_RATE = 1345


class Speed:
    """How fast this machine is at the moment, beside the one that the absolute limits are meant for: each look is one
    second of Dovecot's LMTP alone; benches look before and after what they measure."""

    def __init__(self, rig):
        self.rig, self.rates = rig, []
        measure("load_lmtp", address=f"unix:{rig.layout.dovecot_lmtp}", sessions=8, messages=200, size=2048, users=",".join(rig.users))
        self.look()

    def look(self):
        self.rates.append(measure("load_lmtp", address=f"unix:{self.rig.layout.dovecot_lmtp}", sessions=8, messages=600, size=2048,
                                  users=",".join(self.rig.users))["rate"])

    @property
    def factor(self):
        return statistics.mean(self.rates) / REFERENCE_RATE

    def row(self):
        return row("speed of the machine", f"Dovecot's LMTP alone, 8 sessions: {statistics.mean(self.rates):.0f}/s",
                   f"reference {REFERENCE_RATE}/s", f"{self.factor:.2f}× the reference")

    def rate(self, rate, aim, least):
        """Verdict on a rate, here and at the reference's speed."""
        here = verdict(rate, aim, least)
        scaled = rate / self.factor
        return here if here != "MISSED" else f"missed here; at the reference's speed {scaled:.0f}/s: {verdict(scaled, aim, least)}"

    def times(self, *pairs):
        """Verdict on (ms, limit) pairs."""
        if all(ms < limit for ms, limit in pairs):
            return "met"
        scaled = [ms * min(1, self.factor) for ms, _ in pairs]
        met = all(ms < limit for ms, (_, limit) in zip(scaled, pairs))
        return f"missed here; at the reference's speed {', '.join(f'{ms:.1f} ms' for ms in scaled)}: {'met' if met else 'MISSED'}"


def webhook_options(rig, endpoints, **more):
    return {"address": f"127.0.0.1:{rig.layout.ports['http']}", "endpoints": ",".join(endpoints), "key": rig.seed.hex(), **more}


def make_endpoints(rig, count):
    numbers = [f"+1212555{100 + index:04d}" for index in range(count)]
    return [f"{rig.endpoint(number, rig.users[index % len(rig.users)])}/{number}" for index, number in enumerate(numbers)]


@bench
def webhooks():
    """Telnyx-signed webhooks accepted durably at 50 connections, beside a bare server that verifies and inserts."""
    with Rig(settings=["bridge.roles=web"]) as rig:
        endpoints = make_endpoints(rig, 1)
        port = free_port()
        rig.sql("CREATE DATABASE peer")
        rig.start(*tool("peer_webhook", port=port, key=rig.public_key, database=rig.layout.database_url("postgres", "peer")))
        options = webhook_options(rig, endpoints, connections=50, requests=15000)
        beside = {**options, "address": f"127.0.0.1:{port}"}
        for warm in options, beside:  # past the first touch of every page after CREATE DATABASE's checkpoint
            measure("load_webhook", **{**warm, "requests": 10000})
        ours, peer, ratio = paired(lambda: measure("load_webhook", **options), lambda: measure("load_webhook", **beside), rounds=5)
        speed = Speed(rig)
        burst = measure("load_webhook", **{**options, "connections": 500, "requests": 10000})
        speed.look()
        slow = burst["p99_us"] / 1000
        return [row("webhooks accepted, 50 connections", f"{ours:.0f}/s", f"bare server {peer:.0f}/s",
                    f"{ratio:.2f}× (aim 0.8, least 0.6): {verdict(ratio, 0.8, 0.6)}"),
                row("burst of 10,000 over 500 connections", f"p99 {slow:.0f} ms, {burst['errors']} refused", "p99 < 250 ms, none refused",
                    "MISSED" if burst["errors"] else speed.times((slow, 250))),
                speed.row()]


def times(path):
    return {line.split()[0]: int(line.split()[1]) for line in Path(path).read_text().splitlines()}


def watched(rig, endpoints, users, mode, requests, prefix, pause_us=10000, **load):
    """Sends webhooks while IMAP sessions watch; the latencies from sent to seen, in ms, sorted, and the whole time."""
    passwords = ",".join(f"{user}:{user.split('@')[0]}" for user in users)
    with tempfile.TemporaryDirectory() as folder:
        seen_path, sent_path = f"{folder}/seen", f"{folder}/sent"
        watcher = rig.start(*tool("watch_imap", address=f"127.0.0.1:{rig.layout.ports['imap']}", users=passwords, count=requests,
                                  mode=mode, pause_us=pause_us, seconds=300))
        result = measure("load_webhook", **webhook_options(rig, endpoints, requests=requests, prefix=prefix, log=sent_path, **load))
        Path(seen_path).write_text(watcher.communicate(timeout=330)[0])
        sent, seen = times(sent_path), times(seen_path)
    missing = [token for token in sent if token not in seen]
    if result["errors"] or missing:
        raise RuntimeError(f"{result}, {len(missing)} of {requests} not seen")
    latency = sorted((seen[token] - sent[token]) / 1e6 for token in sent)
    return latency, (max(seen.values()) - min(sent.values())) / 1e9


def percentile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))]


@bench
def journey():
    """Webhook received → visible to another IMAP session; and the sustained rate of the whole journey."""
    with Rig() as rig:
        endpoints = make_endpoints(rig, 20)
        speed = Speed(rig)
        watched(rig, endpoints[:4], rig.users[:4], "noop", 100, "warm", rate=50, connections=8)
        noop, _ = watched(rig, endpoints[:4], rig.users[:4], "noop", 1500, "poll", rate=100, connections=16)
        idle, _ = watched(rig, endpoints[4:8], rig.users[4:8], "idle", 20, "idle", rate=4, connections=4)
        speed.look()
        _, seconds = watched(rig, endpoints, rig.users, "noop", 6000, "mass", connections=20, pause_us=1000000)
        speed.look()
        p50, p99, slow, rate = percentile(noop, 0.5), percentile(noop, 0.99), idle[-1], 6000 / seconds
        return [row("webhook → NOOP, at 100/s", f"p50 {p50:.1f} ms, p99 {p99:.1f} ms", "p50 < 20 ms, p99 < 100 ms",
                    speed.times((p50, 20), (p99, 100))),
                row("webhook → IDLE client", f"slowest of 20: {slow:.0f} ms", "< 600 ms (Dovecot waits 500)", "met" if slow < 600 else "MISSED"),
                row("whole journey, sustained", f"{rate:.0f}/s", "at least 600/s", speed.rate(rate, 600, 600)), speed.row()]


@bench
def submission():
    """Submission over LMTP → request at the provider, durable at every step."""
    with Rig() as rig:
        port = free_port()
        sink = rig.start(*tool("sink_http", address=f"127.0.0.1:{port}"), ready=False)
        rig.endpoint("+12125550100", rig.users[0], f"http://127.0.0.1:{port}")
        total = 15000

        def count():
            sink.send_signal(signal.SIGUSR1)
            return int(sink.stdout.readline().split()[0])
        options = {"address": f"unix:{rig.layout.lmtp_socket}", "kind": "gateway", "login": rig.users[0],
                   "stamp_key": rig.layout.keys / "stamp.key", "channel_domain": f"sms.{DOMAIN}", "numbers": 5000}
        measure("load_lmtp", **options, sessions=20, messages=500)
        until(lambda: count() == 500, "the warm-up")
        speed = Speed(rig)
        before, begin = rig.cpu(), time.monotonic()
        accepted = measure("load_lmtp", **options, sessions=20, messages=total)
        until(lambda: count() >= 500 + total, "the last request")
        seconds = time.monotonic() - begin
        after = rig.cpu()
        speed.look()
        cpu = ", ".join(f"{name} {(after[name] - before[name]) / total * 1000:.2f}" for name in ("ump-lmtp", "ump-bridge", "postgres"))
        rate = total / seconds
        if accepted["errors"]:
            raise RuntimeError(str(accepted))
        return [row("LMTP submission → request at the provider", f"{rate:.0f}/s (accepted {accepted['rate']:.0f}/s)", "aim 3,000/s, least 1,500/s",
                    speed.rate(rate, 3000, 1500)),
                row("CPU a message, ms", cpu, "", ""), speed.row()]


def kinds_rows(what, result, memory):
    """Rows of {kind: (rate, ratio to the first)}; memory: resident and peak of ump-bridge, MiB."""
    names = list(result)
    rows = [row(f"{what}, {names[0]}", f"{result[names[0]][0]:.0f}/s", "", "")]
    rows += [row(f"{what}, {name}", f"{result[name][0]:.0f}/s", f"{names[0]} {result[names[0]][0]:.0f}/s",
                 f"{result[name][1]:.2f}× (least 0.6): {'met' if result[name][1] >= 0.6 else 'MISSED'}") for name in names[1:]]
    return [*rows, row(f"ump-bridge after it ({what})", f"{memory[0]} MiB, peak {memory[1]} MiB", "< 150 MB", "met" if memory[1] < 150 else "MISSED")]


@bench
def adapters():
    """Webhooks and streams accepted, and submissions sent, through each kind of adapter beside Telnyx."""
    return kinds_rows("accepted", *by_kind.accepted()) + kinds_rows("requested", *by_kind.requested())


def commit_options(rig, endpoint, **more):
    return {"uri": rig.layout.database_url("ump_bridge"), "endpoint": endpoint, **more}


@bench
def commit():
    """Group commit by two writers on 20 hot conversations, beside one commit per statement."""
    with Rig(mailboxes=1, settings=["bridge.roles=web"]) as rig:
        endpoint = rig.endpoint("+12125550100", rig.users[0])
        options = commit_options(rig, endpoint, messages=15000, threads=32)
        before = rig.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = 'ump'")
        group, single, ratio = paired(lambda: measure("load_commit", mode="group", **options), lambda: measure("load_commit", mode="single", **options))
        rig.sql("SELECT pg_stat_clear_snapshot()")
        deadlocks = int(rig.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = 'ump'")) - int(before)
        return [row("group commit, 2 writers, 20 hot conversations", f"{group:.0f}/s, {deadlocks} deadlocks", f"one commit each {single:.0f}/s",
                    f"{ratio:.2f}×")]


@bench
def memory():
    """Resident memory of each program, idle and under load."""
    with Rig() as rig:
        idle = rig.memory()
        endpoints = make_endpoints(rig, 20)
        port = free_port()
        rig.start(*tool("sink_http", address=f"127.0.0.1:{port}"), ready=False)
        rig.endpoint("+12125559999", rig.users[0], f"http://127.0.0.1:{port}")
        rig.umpctl("endpoint", "set", "+12125559999", "--primary")
        measure("load_lmtp", address=f"unix:{rig.layout.lmtp_socket}", sessions=20, messages=4000, users=",".join(rig.users))
        measure("load_lmtp", address=f"unix:{rig.layout.lmtp_socket}", kind="gateway", login=rig.users[0], messages=8000, sessions=20,
                stamp_key=rig.layout.keys / "stamp.key")
        measure("load_webhook", **webhook_options(rig, endpoints, connections=500, requests=10000))
        loaded = rig.memory()
        worst_idle, worst = max(rss for rss, _ in idle.values()), max(peak for _, peak in loaded.values())
        return [row("resident, idle", ", ".join(f"{name} {rss} MiB" for name, (rss, _) in idle.items()), "< 50 MB each",
                    "met" if worst_idle < 50 else "MISSED"),
                row("resident, peak under load", ", ".join(f"{name} {peak} MiB" for name, (_, peak) in loaded.items()), "< 150 MB each",
                    "met" if worst < 150 else "MISSED")]


@bench
def scale():
    """Cost per message with a million stored, beside ten thousand."""
    with Rig(mailboxes=1, settings=["bridge.roles=web"]) as rig:
        endpoint = rig.endpoint("+12125550100", rig.users[0])
        options = commit_options(rig, endpoint, messages=20000, threads=16, contacts=2000)
        fill = (ROOT / "tests/bench/fill.sql").read_text()

        def cost(stored):
            rig.sql(fill.replace(":stored", str(stored)))
            rig.sql("VACUUM ANALYZE")
            rig.sql("CHECKPOINT")
            measure("load_commit", **{**options, "messages": 5000})
            runs = []
            for _ in range(3):
                before = rig.cpu()["postgres"]
                result = measure("load_commit", **options)
                runs.append(((rig.cpu()["postgres"] - before) / 20000 * 1000, result["rate"]))
            return statistics.median(cpu for cpu, _ in runs), statistics.median(rate for _, rate in runs)
        small, million = cost(10_000), cost(1_000_000)
        ratio = million[0] / small[0]
        return [row("stored: 1 million beside 10 thousand", f"{million[0]:.3f} ms, {million[1]:.0f}/s", f"{small[0]:.3f} ms, {small[1]:.0f}/s",
                    f"{ratio:.2f}× the cost (at most 1.2): {'met' if ratio <= 1.2 else 'MISSED'}")]


@bench
def text():
    """The text of a mail extracted, over the given reply corpus; the peers' medians over the same mails were 0.2 to 8 ms."""
    mails = ROOT.parent / "shared" / "reply-corpus"
    if not mails.is_dir():
        raise RuntimeError(f"{mails} is not there")
    alone, whole = (measure("load_text", mails=mails, parse=parse) for parse in (0, 1))
    if not alone["count"]:
        raise RuntimeError("no mail was read")
    median = alone["p50_us"] / 1000
    return [row("text extracted, median of a mail", f"{median:.3f} ms (p99 {alone['p99_us'] / 1000:.2f}, slowest {alone['max_us'] / 1000:.2f})",
                "peers 0.2–8 ms, ours under 1 ms", "met" if median < 1 else "MISSED"),
            row("with the reading of its MIME", f"{whole['p50_us'] / 1000:.3f} ms (p99 {whole['p99_us'] / 1000:.2f})", "", "")]


def table(rows):
    return "\n".join(["| what | measured | beside | verdict |", "|---|---|---|---|", *(f"| {' | '.join(r)} |" for r in rows)])


def write(results):
    path = ROOT / "docs" / "BENCHMARKS.md"
    text = path.read_text()
    for name, rows in results.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        head, rest = text.split(begin)
        text = head + begin + "\n" + table(rows) + "\n" + end + rest.split(end)[1]
    path.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="which (default: all)")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        for name, function in BENCHES.items():
            print(f"{name:<12} {function.__doc__}")
        return 0
    unknown = [name for name in arguments.names if name not in BENCHES]
    if unknown:
        parser.error(f"no such bench: {', '.join(unknown)}")
    results, failed = {}, 0
    for name in arguments.names or BENCHES:
        print(f"==> {name}: {BENCHES[name].__doc__}", flush=True)
        try:
            results[name] = BENCHES[name]()
        except (RuntimeError, subprocess.SubprocessError) as error:
            print(f"    FAILED: {error}", flush=True)
            failed += 1
            continue
        for what in results[name]:
            print("    " + " · ".join(cell for cell in what if cell), flush=True)
    if arguments.write:
        write(results)
    return 1 if failed else 0


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
