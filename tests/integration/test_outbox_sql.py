"""The outbox as the database keeps it: claims under an old snapshot, fences, opt-outs at the last moment, floors."""
import json
import uuid

import psycopg2
import pytest

from tests.conftest import finish, stack_directory
from tests.lib.gateway import Gateway
from tests.lib.outbox import Outbox
from tests.lib.wait import wait_until

CLAIM = "SELECT * FROM ump.outbox_claim(%s, %s, %s, %s, %s, '60 s', %s, %s, %s, %s, 'telnyx', %s, %s, true)"


@pytest.fixture(scope="module")
def idle_gateway():
    """A stack that sends nothing by itself."""
    gateway = Gateway(stack_directory(), settings=["bridge.roles=web"]).start()
    yield gateway
    finish(gateway)


class Worker:
    """What the outbound worker says to the database."""

    def __init__(self, gateway, endpoint, name="w"):
        self.gateway, self.endpoint, self.name, self.floor = gateway, endpoint, name, 0
        [(self.account,)] = gateway.sql("SELECT account_id FROM ump.endpoints WHERE id = %s", endpoint.id)
        self.control = None

    def parameters(self, limit, rate=None, burst=None, pair_rate=None, pair_burst=None, account_rate=None, account_burst=None):
        return (self.name, self.account, self.endpoint.id, self.floor, limit, rate, burst, pair_rate, pair_burst, account_rate,
                account_burst)

    def claim(self, limit=64, **pace):
        """[(id, fence, message, recipient)]; .control is (floor, more, behind, wait_ms)."""
        *rows, last = self.gateway.sql(CLAIM, *self.parameters(limit, **pace))
        assert last[0] is None
        self.control = last[-4:]
        return [(row[0], row[1], row[3], row[4]) for row in rows]

    def sending(self, jobs):
        attempts = [str(uuid.uuid4()) for _ in jobs]
        rows = self.gateway.sql("SELECT * FROM ump.outbox_sending(%s::bigint[], %s::bigint[], %s::uuid[])",
                                [job[0] for job in jobs], [job[1] for job in jobs], attempts)
        return attempts, dict(rows)

    def finish(self, jobs, attempts, outcome="accepted", **more):
        results = [{"id": job[0], "fence": job[1], "account": self.account, "attempt": attempt, "outcome": outcome, "http": 200,
                    "provider_id": f"p-{attempt}", **more} for job, attempt in zip(jobs, attempts)]
        return self.gateway.sql("SELECT ump.outbox_finish(%s::jsonb)", json.dumps(results))[0][0]


@pytest.fixture
def outbox(idle_gateway):
    return Outbox(idle_gateway, idle_gateway.endpoint(idle_gateway.person().email))


@pytest.fixture
def worker(idle_gateway, outbox):
    return Worker(idle_gateway, outbox.endpoint)


def buffers(gateway, statement, *parameters):
    """Pages that a statement touched, and its rows are thrown away."""
    [(plan,)] = gateway.sql("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) " + statement, *parameters)
    top = plan[0]["Plan"]
    return top["Shared Hit Blocks"] + top["Shared Read Blocks"]


def test_claims_under_an_old_snapshot(idle_gateway, outbox, worker):
    """FAILURES decision 7: one idle transaction, thousands of jobs; what a claim touches does not grow with them.
    (It does grow with what went to the same contact meanwhile: the lane is looked at.)"""
    old = psycopg2.connect(idle_gateway.layout.database_url("postgres"))
    cursor = old.cursor()
    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    cursor.execute("SELECT count(*) FROM ump.outbox")
    number = 0
    touched = {"claim": [], "scan": [], "rescue": []}
    for _ in range(30):
        idle_gateway.sql("SELECT count(*) FROM generate_series(%s, %s) g, ump.endpoints e, LATERAL ump.accept_submission(e.account_id,"
                         " 'old' || e.id || g, 'x', '\\x00', ump.uuid_v7(), e.owner_id, NULL, e.owner_kind, e.owner_id, e.id, e.channel,"
                         " '+1212' || 2000000 + g %% 9000, NULL, e.address, 'text', 'x', '{}', '<' || gen_random_uuid() || '@x>', '{}', 1,"
                         " NULL, ump.now() + interval '1 day', NULL, '{}', '30 days', 100, '7 days') WHERE e.id = %s",
                         number, number + 99, outbox.endpoint.id)
        number += 100
        for _ in range(2):
            touched["claim"].append(buffers(idle_gateway, "SELECT 1 FROM (" + CLAIM + ") c", *worker.parameters(1)))
            jobs = worker.claim(limit=64)
            # the one that EXPLAIN took is ours as well
            [(mine,)] = [idle_gateway.sql("SELECT array_agg(ARRAY[id, fence]) FROM ump.outbox WHERE worker = 'w' AND state = 2"
                                          " AND endpoint_id = %s", outbox.endpoint.id)[0]]
            jobs = [(job, fence) for job, fence in mine or []]
            attempts, verdicts = worker.sending(jobs)
            assert set(verdicts.values()) == {"send"}
            assert worker.finish(jobs, attempts) == len(jobs)
            worker.floor = worker.control[0]
        touched["scan"].append(buffers(idle_gateway, "SELECT * FROM ump.outbox_endpoints(%s::uuid[], %s::bigint[])",
                                       [outbox.endpoint.id], [worker.floor]))
        touched["rescue"].append(buffers(idle_gateway, "SELECT * FROM ump.outbox_rescue(NULL, '1 hour', clock_timestamp() - interval '1 s')"))
    old.close()
    assert idle_gateway.sql("SELECT count(*) FROM ump.deliveries WHERE endpoint_id = %s AND status = 'sent'", outbox.endpoint.id)[0][0] > 2500
    for what, counts in touched.items():
        early, late = sorted(counts[5:15])[5], sorted(counts[-10:])[5]
        assert late <= 2 * early + 60, (what, early, late, counts)


def test_opt_out_between_claim_and_sending(idle_gateway, outbox, worker):
    """FAILURES O15."""
    number = idle_gateway.number()
    message = outbox.add(number, "no more")
    jobs = worker.claim()
    idle_gateway.umpctl("optout", "add", "sms", number)
    _, verdicts = worker.sending(jobs)
    assert verdicts == {jobs[0][0]: "opted-out"} and outbox.rows() == []
    assert outbox.delivery(message, "status", "error_code") == ("failed", "opted-out")


def test_cancelled_between_claim_and_sending(idle_gateway, outbox, worker):
    message = outbox.add(idle_gateway.number(), "never mind")
    jobs = worker.claim()
    idle_gateway.sql("UPDATE ump.deliveries SET status = 'cancelled' WHERE message_id = %s", message)
    assert worker.sending(jobs)[1] == {jobs[0][0]: "cancelled"} and outbox.rows() == []


def test_fence(idle_gateway, outbox, worker):
    """A lease that was rescued cannot begin a request, and what it ends is no more than a fact."""
    message = outbox.add(idle_gateway.number(), "fenced")
    jobs = worker.claim()
    idle_gateway.sql("UPDATE ump.outbox SET lease_until = clock_timestamp() - interval '1 s' WHERE endpoint_id = %s", outbox.endpoint.id)
    idle_gateway.sql("SELECT * FROM ump.outbox_rescue(NULL, '1 hour', NULL)")
    assert worker.sending(jobs)[1] == {jobs[0][0]: "stale"}
    second = Worker(idle_gateway, outbox.endpoint, "second")
    again = second.claim()
    attempts, verdicts = second.sending(again)
    assert verdicts == {again[0][0]: "send"} and again[0][1] > jobs[0][1]
    idle_gateway.sql("UPDATE ump.outbox SET lease_until = clock_timestamp() - interval '1 s' WHERE endpoint_id = %s", outbox.endpoint.id)
    idle_gateway.sql("SELECT * FROM ump.outbox_rescue(NULL, '1 hour', NULL)")
    assert outbox.delivery(message) == "uncertain" and outbox.rows()[0][1] == 5
    assert second.finish(again, attempts) == 1 and second.finish(again, attempts) == 0
    assert outbox.delivery(message) == "sent" and outbox.rows() == []


@pytest.mark.parametrize("outcome,status,left", [("failed", "failed", 0), ("retry", "queued", 1), ("uncertain", "uncertain", 1)])
def test_late_word_of_a_lost_lease(idle_gateway, outbox, worker, outcome, status, left):
    message = outbox.add(idle_gateway.number(), "late")
    jobs = worker.claim()
    attempts, _ = worker.sending(jobs)
    idle_gateway.sql("SELECT * FROM ump.outbox_rescue('w', '1 hour', NULL)")
    assert outbox.delivery(message) == "uncertain"
    assert worker.finish(jobs, attempts, outcome, code="x", text="y", provider_id=None) == 1
    assert outbox.delivery(message) == status and len(outbox.rows()) == left


def test_repeated_statements_change_nothing(idle_gateway, outbox, worker):
    """After a lost connection the writer says everything again."""
    outbox.add(idle_gateway.number(), "twice")
    jobs = worker.claim()
    attempts, first = worker.sending(jobs)
    again = dict(idle_gateway.sql("SELECT * FROM ump.outbox_sending(%s::bigint[], %s::bigint[], %s::uuid[])",
                                  [jobs[0][0]], [jobs[0][1]], attempts))
    assert first == again == {jobs[0][0]: "send"}
    assert [count for _, _, _, count in outbox.rows()] == [1]
    assert worker.finish(jobs, attempts) == 1 and worker.finish(jobs, attempts) == 0


def test_lanes_and_floor(idle_gateway, outbox, worker):
    """Heads of lanes only; the floor waits for what will go on soon, and passes what is put aside."""
    one, two = idle_gateway.number(), idle_gateway.number()
    for text in ("1a", "1b", "1c"):
        outbox.add(one, text)
    outbox.add(two, "2a")
    ids = [row[0] for row in outbox.rows()]
    jobs = worker.claim()
    assert [job[0] for job in jobs] == [ids[0], ids[3]]
    floor, more, behind, wait = worker.control
    assert floor < ids[1] and not more and behind and wait is None
    worker.floor = floor
    assert worker.claim() == []
    # the head backs off: those behind it are put aside until then, and the floor goes on
    attempts, _ = worker.sending(jobs)
    worker.finish(jobs[:1], attempts[:1], "retry", code="429", text="later", provider_id=None, after_ms=3600000)
    assert worker.claim() == [] and worker.control[0] >= ids[2]
    assert [state for _, state, _, _ in outbox.rows()] == [4, 4, 4, 3]
    idle_gateway.sql("UPDATE ump.outbox SET due_at = now() WHERE endpoint_id = %s AND state = 4", outbox.endpoint.id)
    lowest = idle_gateway.sql("SELECT lowest FROM ump.outbox_rescue(NULL, '1 hour', NULL) WHERE endpoint_id = %s", outbox.endpoint.id)
    assert lowest == [(ids[0],)]
    worker.floor = ids[0] - 1
    assert [job[0] for job in worker.claim()] == [ids[0]]


def test_buckets(idle_gateway, outbox, worker):
    """Endpoint, account and pair: what is granted, and for how long to wait."""
    for index in range(8):
        outbox.add(idle_gateway.number(), str(index))
    assert len(worker.claim(rate=0.001, burst=3)) == 3
    assert 900_000 < worker.control[3] <= 1_000_000
    assert worker.claim(rate=0.001, burst=3) == []
    assert len(worker.claim(account_rate=0.001, account_burst=2)) == 2
    assert len(worker.claim()) == 3
    number = idle_gateway.number()
    first, second = outbox.add(number, "first"), outbox.add(number, "second")
    jobs = worker.claim(pair_rate=0.01, pair_burst=1)
    assert [job[2] for job in jobs] == [first]
    attempts, _ = worker.sending(jobs)
    worker.finish(jobs, attempts)
    assert worker.claim(pair_rate=0.01, pair_burst=1) == []
    assert outbox.rows()[-1][1] == 4 and outbox.delivery(second) == "queued"


def test_release_names_what_is_ready_again(idle_gateway, outbox, worker):
    outbox.add(idle_gateway.number(), "back")
    [job] = worker.claim()
    listener = psycopg2.connect(idle_gateway.layout.database_url("postgres"))
    listener.autocommit = True
    listener.cursor().execute("LISTEN ump_outbox")
    assert idle_gateway.sql("SELECT ump.outbox_release(%s::bigint[], %s::bigint[], '0')", [job[0]], [job[1]]) == [(1,)]
    assert idle_gateway.sql("SELECT ump.outbox_release(%s::bigint[], %s::bigint[], '0')", [job[0]], [job[1]]) == [(0,)]
    expected = f"{worker.account}/{outbox.endpoint.id}/{job[0]}"

    def told():  # the server passes a notice on in its own time
        listener.poll()
        return expected in [note.payload for note in listener.notifies]
    wait_until(told, "the notice of the release")
    listener.close()


def test_held_and_disabled_endpoints(idle_gateway, outbox, worker):
    outbox.add(idle_gateway.number(), "wait")
    hold = "SELECT ump.endpoint_hold(%s, %s, (SELECT version FROM ump.endpoints WHERE id = %s) - %s, '10 minutes', 'test')"
    arguments = (worker.account, outbox.endpoint.id, outbox.endpoint.id)
    assert idle_gateway.sql(hold, *arguments, 1) == [(False,)]      # it was changed since: what was wrong may be mended
    assert idle_gateway.sql(hold, *arguments, 0) == [(True,)]
    assert worker.claim() == [] and worker.control[3] == 60000
    idle_gateway.umpctl("endpoint", "set", outbox.endpoint.id, "--set", "rate=7")  # lifts the hold
    idle_gateway.umpctl("endpoint", "disable", outbox.endpoint.id)
    assert worker.claim() == []
    assert idle_gateway.sql("SELECT 1 FROM ump.outbox_endpoints('{}', '{}') WHERE endpoint_id = %s", outbox.endpoint.id) == []


def parts_of(gateway, message, recipient):
    """Status by part of what went to this recipient; 0 is the whole."""
    return dict(gateway.sql("SELECT part, status FROM ump.deliveries WHERE message_id = %s AND recipient = %s", message, recipient))


def in_parts(gateway, outbox, recipient, n):
    """A message that goes out as several of its network."""
    message = outbox.add(recipient, "in parts")
    gateway.sql("DELETE FROM ump.outbox WHERE message_id = %s", message)
    gateway.sql("SELECT ump.parts_queue(d.account_id, d.endpoint_id, d.recipient, d.message_id, %s, NULL, ump.now() + '1 day')"
                " FROM ump.deliveries d WHERE d.message_id = %s", n, message)
    return message


def test_parts_are_claimed_one_after_the_other_and_each_has_its_own_end(idle_gateway, outbox, worker):
    number = idle_gateway.number()
    message = in_parts(idle_gateway, outbox, number, 4)
    whole = []
    for outcome in ("accepted", "uncertain", "failed", "accepted"):
        jobs = worker.claim()
        assert len(jobs) == 1       # the lane
        attempts, verdicts = worker.sending(jobs)
        assert set(verdicts.values()) == {"send"}
        whole.append(parts_of(idle_gateway, message, number)[0])
        assert worker.finish(jobs, attempts, outcome, code="40310", cost=100, currency="USD") == 1
        if outcome != "uncertain":
            assert worker.finish(jobs, attempts, outcome) == 0      # repeated: nothing more
        whole.append(parts_of(idle_gateway, message, number)[0])
    assert worker.claim() == []
    assert whole == ["sending"] * 7 + ["uncertain"]
    assert parts_of(idle_gateway, message, number) == {0: "uncertain", 1: "sent", 2: "uncertain", 3: "failed", 4: "sent"}
    [(cost,)] = idle_gateway.sql("SELECT cost FROM ump.deliveries WHERE message_id = %s AND part = 0", message)
    assert cost == 200
    # One report, when all had been tried: of the third.
    assert idle_gateway.sql("SELECT part FROM ump.notices WHERE message_id = %s AND kind = 'failed'", message) == [(3,)]
    assert idle_gateway.sql("SELECT payload->'parts' FROM ump.jobs WHERE message_id = %s AND kind = 'failed'", message) == [([3],)]


def test_a_cancelled_part_leaves_the_others_as_they_are(idle_gateway, outbox, worker):
    number = idle_gateway.number()
    message = in_parts(idle_gateway, outbox, number, 2)
    [(last,)] = idle_gateway.sql("SELECT max(id) FROM ump.outbox WHERE message_id = %s", message)
    idle_gateway.umpctl("queue", "cancel", last)
    jobs = worker.claim()
    worker.finish(jobs, worker.sending(jobs)[0])
    assert parts_of(idle_gateway, message, number) == {0: "sent", 1: "sent", 2: "cancelled"}


def test_a_dead_worker_leaves_one_part_uncertain_and_the_rest_to_do(idle_gateway, outbox, worker):
    number = idle_gateway.number()
    message = in_parts(idle_gateway, outbox, number, 3)
    jobs = worker.claim()
    worker.finish(jobs, worker.sending(jobs)[0])
    worker.sending(worker.claim())
    idle_gateway.sql("SELECT * FROM ump.outbox_rescue(%s, '1 min', NULL)", worker.name)
    assert parts_of(idle_gateway, message, number) == {0: "sending", 1: "sent", 2: "uncertain", 3: "queued"}
    jobs = worker.claim()
    assert len(jobs) == 1
    worker.finish(jobs, worker.sending(jobs)[0])
    assert parts_of(idle_gateway, message, number) == {0: "uncertain", 1: "sent", 2: "uncertain", 3: "sent"}


class Group:
    """A message to a group of three, handed to the provider."""

    def __init__(self, gateway, outbox):
        self.gateway, self.endpoint = gateway, outbox.endpoint
        [(self.account,)] = gateway.sql("SELECT account_id FROM ump.endpoints WHERE id = %s", self.endpoint.id)
        self.address, self.provider_id = f"g{uuid.uuid4().hex[:8]}", f"group-{uuid.uuid4()}"
        self.members = [gateway.number() for _ in range(3)]
        gateway.sql("SELECT ump.group_for(%s, %s, 'sms', %s, %s, NULL, %s)", self.account, self.endpoint.id, uuid.uuid4().hex,
                    self.address, [*self.members, self.endpoint.number])
        self.message = outbox.add(self.members[0], "to a group")
        gateway.sql("DELETE FROM ump.outbox WHERE message_id = %s", self.message)
        gateway.sql("UPDATE ump.deliveries SET recipient = %s, status = 'sent', provider_id = %s WHERE message_id = %s",
                    self.address, self.provider_id, self.message)

    def status(self, member, status, code=None):
        return self.gateway.sql("SELECT outcome FROM ump.apply_status(%s, %s, NULL, %s, %s, %s, now(), %s, NULL, NULL, NULL, NULL)",
                                self.account, self.endpoint.id, self.provider_id, self.members[member], status, code)[0][0]

    def rows(self):
        return dict(self.gateway.sql("SELECT recipient, status FROM ump.deliveries WHERE message_id = %s", self.message))

    def whole(self):
        return self.rows()[self.address]


def test_group_moves_along_with_its_members(idle_gateway, outbox):
    group = Group(idle_gateway, outbox)
    assert [group.status(0, "delivered"), group.whole()] == ["applied", "sent"]
    assert [group.status(1, "delivered"), group.whole()] == ["applied", "sent"]
    assert [group.status(1, "delivered"), group.whole()] == ["stale", "sent"]
    assert [group.status(2, "delivered"), group.whole()] == ["applied", "delivered"]
    for member in range(3):
        assert group.whole() == "delivered"
        group.status(member, "read")
    assert group.whole() == "read"
    assert set(group.rows()) == {group.address, *group.members}


def test_group_that_not_everybody_got_is_delivered_and_the_failure_told_once(idle_gateway, outbox):
    group = Group(idle_gateway, outbox)
    group.status(0, "failed", "40310")
    group.status(1, "read")
    assert group.whole() == "sent"
    group.status(2, "delivered")
    assert group.whole() == "delivered" and group.rows()[group.members[0]] == "failed"
    told = idle_gateway.sql("SELECT recipient, kind FROM ump.notices WHERE message_id = %s", group.message)
    assert told == [(group.members[0], "failed")]


def test_group_that_nobody_got_has_failed_until_a_late_word(idle_gateway, outbox):
    group = Group(idle_gateway, outbox)
    for member in range(3):
        group.status(member, "failed", "40310")
    assert group.whole() == "failed"
    assert group.status(1, "delivered") == "applied"     # believed once, as of any delivery
    assert group.whole() == "delivered"


def test_a_group_that_gets_several_parts(idle_gateway, outbox):
    """Each part moves along with its members, the whole with its parts; a member who missed one is told of, and he alone."""
    group = Group(idle_gateway, outbox)
    idle_gateway.sql("INSERT INTO ump.deliveries (account_id, message_id, recipient, part, endpoint_id, status, provider_id)"
                     " SELECT account_id, message_id, recipient, n, endpoint_id, 'sent', provider_id || n"
                     " FROM ump.deliveries, generate_series(1, 2) n WHERE message_id = %s", group.message)
    provider_id = group.provider_id
    for part in (1, 2):
        assert parts_of(idle_gateway, group.message, group.address)[0] == "sent"
        group.provider_id = f"{provider_id}{part}"
        for member in range(3):
            group.status(member, "failed" if (part, member) == (2, 0) else "delivered", "40310")
    assert parts_of(idle_gateway, group.message, group.address) == {0: "delivered", 1: "delivered", 2: "delivered"}
    assert parts_of(idle_gateway, group.message, group.members[0]) == {1: "delivered", 2: "failed"}
    told = idle_gateway.sql("SELECT recipient, kind, part FROM ump.notices WHERE message_id = %s", group.message)
    assert told == [(group.members[0], "failed", 2)]


def test_a_clock_that_was_set_back_stops_no_bucket(idle_gateway):
    [(account,)] = idle_gateway.sql("SELECT min(id) FROM ump.accounts")
    key = f"pair:{uuid.uuid4()}"
    idle_gateway.sql("INSERT INTO ump.throttles (account_id, key, tokens, updated_at) VALUES (%s, %s, 0, clock_timestamp() + interval '1 hour')",
                     account, key)
    take = "SELECT taken FROM ump.throttle_take(%s, %s, 1000, 1, 1)"
    assert idle_gateway.sql(take, account, key) == [(0,)]
    wait_until(lambda: idle_gateway.sql(take, account, key) == [(1,)], "a token")
