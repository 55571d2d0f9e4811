"""Quiet hours: what a machine sends waits until it is morning where the recipient is; what a person sends does not.
The hours are laid around the present, so that the tests do not depend on the time of day at which they run."""
import datetime
import zoneinfo

import pytest

from tests.lib.gateway import ControlFailed
from tests.lib.wait import wait_until

NEW_YORK, TOKYO = "America/New_York", "Asia/Tokyo"
NIGHT, DAY = (-60, 120), (120, 300)     # minutes from now
TOKYO_NUMBER = "+81335570123"


def hours(start, end, zone=NEW_YORK):
    """As the endpoint's setting: from so many minutes from now to so many, by the clock in that zone."""
    now = datetime.datetime.now(zoneinfo.ZoneInfo(zone))
    return "-".join(f"{now + datetime.timedelta(minutes=minutes):%H:%M}" for minutes in (start, end))


class Robot:
    """A declared machine sender and the endpoint from which it sends, which is its owner's too."""

    def __init__(self, gateway, owner, login, **settings):
        self.gateway, self.owner, self.login = gateway, owner, login
        self.endpoint = owner.endpoint(**settings)
        gateway.umpctl("sender", "add", "--login", login.email, "--endpoint", self.endpoint.id)

    def set(self, **settings):
        self.gateway.umpctl("endpoint", "set", self.endpoint.id, *(word for key, value in settings.items()
                                                                   for word in ("--set", f"{key}={value}")))

    def remind(self, contact, text, **fields):
        return self.login.submit(self.gateway.address(contact), text, Auto_Submitted="auto-generated", **fields)["Message-ID"]

    def waiting(self, mail_id):
        """The event by which trace says that it waits."""
        return wait_until(lambda: next((event for event in self.gateway.trace(mail_id) if event["status"] == "waiting"), None),
                          "it to wait", 20)

    def sent(self, contact):
        return [entry["request"]["text"] for entry in self.gateway.sim.accepted if entry["request"]["to"] == contact]


@pytest.fixture
def robot(gateway, people, alice):
    return Robot(gateway, alice, people(), countries="US,JP")


@pytest.mark.sanitize
def test_a_reminder_waits_for_the_morning_and_a_person_does_not(gateway, robot, alice, contact):
    night = hours(*NIGHT)
    robot.set(quiet_hours=night)
    mail_id = robot.remind(contact, "Your appointment")
    event = robot.waiting(mail_id)
    assert event["detail"]["why"] == f"quiet hours {night} in {NEW_YORK}"
    until = datetime.datetime.fromisoformat(event["detail"]["until"])
    assert f"{until.astimezone(zoneinfo.ZoneInfo(NEW_YORK)):%H:%M:%S}" == f"{night.split('-')[1]}:00"
    assert datetime.timedelta(0) < until - datetime.datetime.now(datetime.timezone.utc) < datetime.timedelta(hours=4)
    [entry] = [entry for entry in gateway.umpctl("queue", "list") if entry.get("recipient") == contact]
    assert entry["state"] == "later" and entry["waits"] == event["detail"]["why"]
    assert datetime.datetime.fromisoformat(entry["due_at"]) == until
    # Neither is his mail delayed, nor does the one that waits stand in its way.
    alice.submit(gateway.address(contact), "See you!")
    gateway.sim.wait_request(to=contact, text="See you!")
    assert robot.sent(contact) == ["See you!"]
    # It does not expire while it waits: the day that it has is counted from then on.
    [(left,)] = gateway.sql("SELECT extract(epoch FROM expires_at - due_at) FROM ump.outbox WHERE recipient = %s AND due_at > now()", contact)
    assert left >= 86400 - 1


def test_outside_of_the_hours_it_goes_at_once(gateway, robot, contact):
    robot.set(quiet_hours=hours(*DAY))
    mail_id = robot.remind(contact, "Your appointment")
    gateway.sim.wait_request(to=contact, text="Your appointment")
    assert not [event for event in gateway.trace(mail_id) if event["status"] == "waiting"]


def test_it_is_the_clock_of_the_recipient(gateway, robot, contact):
    """Night in New York is day in Tokyo."""
    robot.set(quiet_hours=hours(*NIGHT))
    late, early = robot.remind(contact, "good night"), robot.remind(TOKYO_NUMBER, "good day")
    gateway.sim.wait_request(to=TOKYO_NUMBER, text="good day")
    assert robot.waiting(late) and robot.sent(contact) == []
    robot.set(quiet_hours=hours(*NIGHT, zone=TOKYO))
    # The milter and ump-lmtp keep what they know of an endpoint for a second or two.
    wait_until(lambda: [e for e in gateway.trace(robot.remind(TOKYO_NUMBER, "good night")) if e["status"] == "waiting"],
               "the new hours to hold", 30)
    robot.remind(contact, "good day")
    gateway.sim.wait_request(to=contact, text="good day")
    assert early and robot.sent(contact) == ["good day"]


@pytest.mark.parametrize("mark", [{"Importance": "high"}, {"X_Priority": "1 (Highest)"}])
@pytest.mark.parametrize("exempt", ["no", "yes"])
def test_urgent_is_an_exception_only_where_the_endpoint_says_so(gateway, robot, contact, mark, exempt):
    robot.set(quiet_hours=hours(*NIGHT), quiet_urgent=exempt)
    mail_id = robot.remind(contact, "The boiler is on fire", **mark)
    if exempt == "yes":
        gateway.sim.wait_request(to=contact, text="The boiler is on fire")
    else:
        assert robot.waiting(mail_id) and robot.sent(contact) == []


def test_a_time_of_the_author_within_the_hours_is_put_off(gateway, robot, contact):
    """+at, when it will be night: at their end."""
    now = datetime.datetime.now(datetime.timezone.utc)
    robot.set(quiet_hours=hours(30, 90))
    at = f"{now + datetime.timedelta(minutes=60):%Y%m%dT%H%MZ}"
    mail_id = robot.remind(f"{contact}+at.{at}", "later still")
    until = datetime.datetime.fromisoformat(robot.waiting(mail_id)["detail"]["until"])
    assert datetime.timedelta(minutes=88) < until - now < datetime.timedelta(minutes=91)


def test_what_was_accepted_by_day_and_is_late_waits_too(gateway, robot, contact):
    """Accepted, but held up by the pace until the night has begun."""
    robot.set(pair_rate="0.001", pair_burst=1)
    robot.remind(contact, "the first")
    gateway.sim.wait_request(to=contact, text="the first")
    mail_id = robot.remind(contact, "the second")
    [(row,)] = wait_until(lambda: gateway.sql("SELECT id FROM ump.outbox WHERE recipient = %s AND state = 4", contact),
                          "it to be put aside")
    assert not [event for event in gateway.trace(mail_id) if event["status"] == "waiting"]
    robot.set(quiet_hours=hours(*NIGHT), pair_rate=0)
    gateway.umpctl("queue", "retry", "outbox", row)
    assert robot.waiting(mail_id)["detail"]["why"].startswith("quiet hours ")
    assert "reason=\"quiet hours" in gateway.log("ump-bridge")
    [entry] = [entry for entry in gateway.umpctl("queue", "list") if entry.get("recipient") == contact]
    assert entry["state"] == "later" and "quiet hours" in entry["waits"]
    # What comes behind it in its lane is not held up by it.
    robot.set(quiet_hours="")
    wait_until(lambda: robot.remind(contact, "by day") and "by day" in robot.sent(contact), "the hours to be gone", 30)
    assert "the second" not in robot.sent(contact)


def test_several_attachments_wait_together(gateway, people, alice, contact):
    """A machine's MMS; and none of it goes before the morning."""
    robot = Robot(gateway, alice, people())
    robot.set(quiet_hours=hours(*NIGHT))
    mail_id = robot.remind(contact, "the plan", attachments=[("plan.txt", "text/plain", b"plan")])
    assert robot.waiting(mail_id) and robot.sent(contact) == []


@pytest.mark.parametrize("value", ["21-8", "21:00", "21:00-21:00", "25:00-08:00", "night"])
def test_the_setting_is_checked(gateway, endpoint, value):
    with pytest.raises(ControlFailed) as failed:
        gateway.umpctl("endpoint", "set", endpoint.id, "--set", f"quiet_hours={value}")
    assert failed.value.code == 64 and "21:00-08:00" in str(failed.value)


@pytest.mark.destructive
def test_in_the_morning_it_is_sent_once(own_gateway):
    """The clock of the programs, and of their database sessions, is put forward to the end of the hours."""
    gateway = own_gateway
    contact = gateway.number()
    robot = Robot(gateway, gateway.user("alice"), gateway.user("bob"))
    robot.set(quiet_hours=hours(*NIGHT))
    mail_id = robot.remind(contact, "Your appointment")
    assert robot.waiting(mail_id) and robot.sent(contact) == []
    conf = gateway.layout.conf
    conf.write_text(conf.read_text().replace("[gateway]\n", "[gateway]\nclock_offset = 119m\n", 1))
    gateway.kill("ump-bridge")
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.outbox WHERE recipient = %s AND state = 4", contact), "it to wait")
    assert robot.sent(contact) == []
    conf.write_text(conf.read_text().replace("clock_offset = 119m\n", "clock_offset = 121m\n", 1))
    gateway.kill("ump-bridge")
    gateway.sim.wait_request(to=contact, text="Your appointment", timeout=30)
    wait_until(lambda: gateway.sql("SELECT 1 FROM ump.outbox WHERE recipient = %s", contact) == [], "the queue to be empty")
    assert robot.sent(contact) == ["Your appointment"]
