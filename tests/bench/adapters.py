"""Each kind of adapter under the same load: what is accepted from its provider, and what is asked of it."""
import signal
import statistics
import time
import urllib.request

from tests.bench.rig import Rig, free_port, measure, tool, until
from tests.stack.layout import DOMAIN

WEBHOOKS = ("telnyx", "twilio", "whatsapp_cloud")
CHANNELS = {"telnyx": "sms", "twilio": "sms", "whatsapp_cloud": "whatsapp", "signal_cli": "signal"}
# How a name of the table is written, and which of Signal's ways in it is.
STREAMS = {"signal_cli, SSE": "sse", "signal_cli, socket": "lines"}
FIRST = 100  # of the contacts' numbers, in all generators


def in_turn(measures, rounds):
    """Each of {name: function giving a rate} once in every round: {name: (median rate, median ratio to the first)}."""
    rates = {name: [] for name in measures}
    for _ in range(rounds):
        for name, function in measures.items():
            rates[name].append(function())
    first = next(iter(rates.values()))
    return {name: (statistics.median(values), statistics.median(value / other for value, other in zip(values, first)))
            for name, values in rates.items()}


def no_errors(result):
    if result["errors"]:
        raise RuntimeError(str(result))
    return result


def metric(rig, name):
    with urllib.request.urlopen(f"http://127.0.0.1:{rig.layout.ports['http']}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return next(int(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} "))


def webhook_load(rig, kind, endpoint, **more):
    """Options of load_webhook for an endpoint's record."""
    return {"address": f"127.0.0.1:{rig.layout.ports['http']}", "url": endpoint["webhook_url"].partition("/webhooks/")[0], "kind": kind,
            "key": rig.signing_key(kind), "endpoints": f"{endpoint['id']}/{endpoint['address']}", **more}


def streamed(rig, source, messages):
    """The daemon writes so many events; their rate until the last is committed."""
    name = 'ump_streamed_total{result="new"}'
    before = metric(rig, name)
    source.send_signal(signal.SIGUSR1)
    begin = int(source.stdout.readline())
    until(lambda: metric(rig, name) >= before + messages, "the last event")
    return messages * 1e9 / (time.monotonic_ns() - begin)


def accepted(messages=10000, rounds=5):
    """Messages from providers stored and committed, a second; and the memory of ump-bridge, at the end and at most."""
    with Rig(settings=["bridge.roles=web"]) as rig:
        numbers = iter(range(100, 200))
        measures, endpoints = {}, {}
        for kind in WEBHOOKS:
            endpoints[kind] = rig.adapter(kind, f"+1212555{next(numbers):04d}", rig.users[0])
            load = webhook_load(rig, kind, endpoints[kind], connections=50)
            measures[kind] = lambda load=load: no_errors(measure("load_webhook", **load, requests=messages))["rate"]
        for name, kind in STREAMS.items():
            number, address = f"+1212555{next(numbers):04d}", f"127.0.0.1:{free_port()}"
            source = rig.start(*tool("push_signal", kind=kind, address=address, account=number, messages=messages))
            receive = {} if kind == "sse" else {"receive": f"tcp://{address}"}
            endpoints[name] = rig.adapter("signal_cli", number, rig.users[0], f"http://{address}", **receive)
            measures[name] = lambda source=source: streamed(rig, source, messages)
        until(lambda: metric(rig, "ump_streams_connected") == len(STREAMS), "the streams")
        for function in measures.values():  # past the first touch of every page
            function()
        result = in_turn(measures, rounds)
        for name, endpoint in endpoints.items():
            stored = int(rig.sql(f"SELECT count(*) FROM ump.provider_events WHERE endpoint_id = '{endpoint['id']}'"))
            if stored != messages * (rounds + 1):
                raise RuntimeError(f"{name}: {stored} events are stored of {messages * (rounds + 1)}")
        return result, rig.memory()["ump-bridge"]


def requested(messages=4000, rounds=5, numbers=500):
    """Submissions over LMTP that became requests at the provider, a second; and the memory of ump-bridge."""
    with Rig() as rig:
        measures = {}
        for index, (kind, channel) in enumerate(CHANNELS.items()):
            user, number, port = rig.users[index], f"+1212555{100 + index:04d}", free_port()
            sink = rig.start(*tool("sink_http", kind=kind, address=f"127.0.0.1:{port}"), ready=False)
            more = {}
            if kind == "signal_cli":  # its stream is not what is measured, and not the sink's
                source = f"127.0.0.1:{free_port()}"
                rig.start(*tool("push_signal", kind="lines", address=source, account=number))
                more["receive"] = f"tcp://{source}"
            endpoint = rig.adapter(kind, number, user, f"http://127.0.0.1:{port}", **more)
            if kind == "whatsapp_cloud":  # free text goes to who has written
                no_errors(measure("load_webhook", **webhook_load(rig, kind, endpoint, connections=8, requests=numbers, senders=numbers)))
                until(lambda: rig.sql("SELECT count(*) FROM ump.jobs WHERE queue = 'inbound'") == "0", "the contacts' messages")
            load = {"address": f"unix:{rig.layout.lmtp_socket}", "kind": "gateway", "login": user, "stamp_key": rig.layout.keys / "stamp.key",
                    "channel_domain": f"{channel}.{DOMAIN}", "numbers": numbers, "first": FIRST, "sessions": 20}
            measures[kind] = lambda sink=sink, load=load: submitted(sink, load, messages)
        for function in measures.values():
            function()
        result = in_turn(measures, rounds)
        until(lambda: rig.sql("SELECT count(*) FROM ump.deliveries WHERE status <> 'sent'") == "0", "all to be sent")
        return result, rig.memory()["ump-bridge"]


def submitted(sink, load, messages):
    def count():
        sink.send_signal(signal.SIGUSR1)
        return int(sink.stdout.readline().split()[0])
    before, begin = count(), time.monotonic()
    no_errors(measure("load_lmtp", **load, messages=messages))
    until(lambda: count() >= before + messages, "the last request")
    return messages / (time.monotonic() - begin)
