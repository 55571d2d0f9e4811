"""The stream of signal-cli's events: breaks, kills, changed settings, what cannot be read."""
import pytest

from tests.lib.conversation import declare_signal
from tests.lib.gateway import ControlFailed
from tests.lib.signal_fixtures import line, sim, simulator  # fixtures
from tests.lib.wait import wait_until
from tests.sim import signal_cli


@pytest.mark.parametrize("receive", ["sse", "tcp"])
def test_what_came_while_nobody_received_comes_later_in_order(gateway, sim, alice, contact, receive):
    """Committed in groups, of what one read brought; one that comes twice in a group, or that nobody can read, spoils none."""
    number, texts = gateway.number(), [f"message {index}" for index in range(60)]
    sim.accounts.add(number)
    for index, text in enumerate(texts):
        at = sim.inbound(contact, number, text)
        if index % 20 == 10:
            sim.inbound(contact, number, text, at=at)
            sim.deliver_body(number, {"no": f"envelope {index}", "account": number})
    record = signal_cli.add_endpoint(sim, gateway.layout.umpctl, number, alice.email, receive=sim.tcp_url if receive == "tcp" else "sse")
    alice.inbox.wait_all(count=60, timeout=60)
    rows = gateway.sql("SELECT body FROM ump.unified_messages WHERE endpoint_id = %s ORDER BY created_at, id", record["id"])
    assert [body for body, in rows if body in texts] == texts
    events = gateway.sql("SELECT kind, received_at FROM ump.provider_events WHERE endpoint_id = %s ORDER BY id", record["id"])
    assert [kind for kind, _ in events].count("message") == 60 and [kind for kind, _ in events].count("unparsed") == 3
    assert len({at for _, at in events}) < len(events)


@pytest.mark.parametrize("receive", ["sse", "tcp"])
def test_broken_connection_is_made_again(gateway, sim, alice, contact, receive):
    line = declare_signal(gateway, sim, alice, receive=sim.tcp_url if receive == "tcp" else "sse")
    sim.inbound(contact, line.number, "before")
    alice.inbox.wait(lambda mail: mail.text == "before")
    sim.drop_connections()
    wait_until(lambda: not sim.subscribers.get(line.number), "the end of the old one")
    sim.inbound(contact, line.number, "after")
    assert alice.inbox.wait(lambda mail: mail.text == "after")


def texts(box):
    return sorted(mail.text for mail in box.all())


def test_stream_goes_on_where_it_broke(gateway, sim, alice, contact):
    """What was lost with the connection comes after Last-Event-ID, and nothing comes twice."""
    sim.ids = True
    line = declare_signal(gateway, sim, alice)
    for index in range(3):
        sim.inbound(contact, line.number, f"before {index}")
    alice.inbox.wait_all(count=3)
    sim.losing = 2
    for index in range(2):
        sim.inbound(contact, line.number, f"lost {index}")
    wait_until(lambda: len(sim.history[line.number]) == 5, "both to be written to a connection that breaks")
    sim.drop_connections()
    mails = alice.inbox.wait_all(count=5)
    sim.wait_subscribed(line.number)
    assert [last for account, last in sim.last_ids if account == line.number] == [None, "3"]
    sim.inbound(contact, line.number, "after")
    alice.inbox.wait(lambda mail: mail.text == "after")
    assert texts(alice.inbox) == ["after", "before 0", "before 1", "before 2", "lost 0", "lost 1"] and len(mails) == 5


def test_position_of_a_stream_survives_other_settings(gateway, sim, alice, contact):
    sim.ids = True
    line = declare_signal(gateway, sim, alice)
    sim.inbound(contact, line.number, "one")
    alice.inbox.wait(lambda mail: mail.text == "one")
    gateway.umpctl("endpoint", "disable", line.id)
    wait_until(lambda: not sim.subscribers.get(line.number), "the end of the subscription")
    sim.losing = 1
    # somebody else receives it in the meantime
    sim.history[line.number].append((2, {"account": line.number, "envelope": sim.envelope(
        contact, dataMessage=sim.data(sim.now(), "two"))}))
    gateway.umpctl("endpoint", "enable", line.id)
    alice.inbox.wait(lambda mail: mail.text == "two")
    assert [last for account, last in sim.last_ids if account == line.number] == [None, "1"]
    # another daemon has ids of its own
    with signal_cli.Simulator() as other:
        other.ids = True
        other.accounts.add(line.number)
        gateway.umpctl("endpoint", "set", line.id, "--set", f"base_url={other.base_url}")
        other.wait_subscribed(line.number)
        assert other.last_ids == [(line.number, None)]
        other.inbound(contact, line.number, "three")
        alice.inbox.wait(lambda mail: mail.text == "three")
    assert texts(alice.inbox) == ["one", "three", "two"]


@pytest.mark.destructive
def test_stream_with_ids_loses_nothing_to_kill_9(own_gateway):
    gateway = own_gateway
    alice, contact = gateway.user("alice"), gateway.number()
    with signal_cli.Simulator() as sim:
        sim.ids, sim.pace = True, 0.005
        line = declare_signal(gateway, sim, alice)
        expected = [f"message {index:03d}" for index in range(300)]
        for text in expected:
            sim.inbound(contact, line.number, text)
            if text.endswith(("090", "180")):
                wait_until(lambda: gateway.sql("SELECT 1 FROM ump.provider_events WHERE endpoint_id = %s LIMIT 1", line.id), "events")
                gateway.kill("ump-bridge")
        alice.inbox.wait_all(count=300, timeout=120)
        wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.jobs WHERE endpoint_id = %s", line.id) == [(0,)], "all to be read", 60)
        assert texts(alice.inbox) == expected
        assert gateway.sql("SELECT count(*) FROM ump.unified_messages WHERE endpoint_id = %s", line.id) == [(300,)]


def test_changed_settings_move_the_stream_and_disabling_ends_it(gateway, sim, alice, line, contact):
    gateway.umpctl("endpoint", "set", line.id, "--set", f"receive={sim.tcp_url}")
    sim.inbound(contact, line.number, "moved")
    assert alice.inbox.wait(lambda mail: mail.text == "moved")
    gateway.umpctl("endpoint", "disable", line.id)
    wait_until(lambda: not sim.subscribers.get(line.number), "the end of the subscription")
    wait_until(lambda: gateway.sql("SELECT count(*) FROM ump.stream_leases WHERE endpoint_id = %s", line.id) == [(0,)], "the lease to be free")


def test_overlong_and_unreadable_lines_are_kept_and_passed_over(gateway, sim, alice, contact):
    line = declare_signal(gateway, sim, alice, receive=sim.tcp_url)
    sim.inbound(contact, line.number, "x" * 1_500_000)
    sim.deliver_body(line.number, {"no": "envelope", "account": line.number})
    sim.inbound(contact, line.number, "after")
    assert alice.inbox.wait(lambda mail: mail.text == "after")
    kinds = gateway.sql("SELECT kind FROM ump.provider_events WHERE endpoint_id = %s ORDER BY id", line.id)
    assert kinds == [("oversize",), ("unparsed",), ("message",)]


def test_health(gateway, sim, line):
    assert f"signal-cli has the account {line.number}." in gateway.umpctl("endpoint", "test", line.id)["findings"]
    gateway.umpctl("endpoint", "set", line.id, "--set", f"account={gateway.number()}")
    with pytest.raises(ControlFailed) as failed:
        gateway.umpctl("endpoint", "test", line.id)
    assert "link it" in str(failed.value)
