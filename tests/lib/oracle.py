"""One checker for everything: what was acknowledged must have arrived, once.

Four logs that know nothing of each other - the generator's, the provider's
(flushed before it answers), the mailboxes and the database - are brought
together as Facts; check() is pure and says what is wrong.
"""
import dataclasses
import json
import re
from collections import Counter, defaultdict

TOKEN = re.compile(r"\b(?:ki|ko)-[0-9]+-[0-9a-f]{8}\b")
INVARIANTS = {
    "sending without a lease": "SELECT count(*) FROM ump.outbox WHERE state = 3 AND lease_until < now() - interval '75 s'",
    "leased for too long": "SELECT count(*) FROM ump.jobs WHERE state = 2 AND lease_until < now() - interval '75 s'",
    "two attempts of one message not known to be safe":
        "SELECT count(*) FROM (SELECT 1 FROM ump.attempts WHERE outcome IS DISTINCT FROM 'retry'"
        " AND outcome IS DISTINCT FROM 'failed' GROUP BY account_id, message_id, recipient HAVING count(*) > 1) x",
    "two messages of one provider id":
        "SELECT count(*) FROM (SELECT 1 FROM ump.unified_messages WHERE direction = 'inbound' AND provider_id IS NOT NULL"
        " GROUP BY account_id, endpoint_id, provider_id HAVING count(*) > 1) x",
    "dead jobs": "SELECT count(*) FROM ump.jobs WHERE state = 6",
    "opted out and sent all the same":
        "SELECT count(*) FROM ump.deliveries d JOIN ump.message_opt_outs o ON o.account_id = d.account_id"
        " AND o.identifier = d.recipient AND o.created_at < d.sending_at",
}


@dataclasses.dataclass
class Facts:
    inbound_attempted: set = dataclasses.field(default_factory=set)
    inbound_acked: set = dataclasses.field(default_factory=set)
    outbound_attempted: set = dataclasses.field(default_factory=set)
    outbound_acked: set = dataclasses.field(default_factory=set)
    # token → the Message-IDs of the mails that show it
    mailbox: dict = dataclasses.field(default_factory=dict)
    # token → how often the provider accepted it
    provider: Counter = dataclasses.field(default_factory=Counter)
    # tokens whose sender was told, in a final report
    reported: set = dataclasses.field(default_factory=set)
    # token → status of its delivery
    status: dict = dataclasses.field(default_factory=dict)
    waiting: int = 0
    invariants: dict = dataclasses.field(default_factory=dict)
    # tokens whose sender was asked, because it may have been sent
    asked: set = dataclasses.field(default_factory=set)


@dataclasses.dataclass
class Findings:
    lost: list
    sent_twice: list
    shown_twice: list
    shown_as_two: list
    ghosts: list
    stuck: list
    uncertain: list
    unresolved: list
    broken: dict

    @property
    def faults(self):
        """What must never be; shown_twice (the same mail again) has an allowance of its own."""
        return {name: value for name, value in dataclasses.asdict(self).items()
                if value and name not in ("shown_twice", "uncertain")}


TERMINAL = {"sent", "delivered", "read", "failed", "expired", "cancelled"}


def check(facts):
    shown = {token: ids for token, ids in facts.mailbox.items() if token.startswith("ki-")}
    lost = [token for token in sorted(facts.inbound_acked) if not shown.get(token)]
    lost += [token for token in sorted(facts.outbound_acked)
             if not facts.provider[token] and token not in facts.reported
             and not (facts.status.get(token) == "uncertain" and token in facts.asked)]
    return Findings(
        lost=lost,
        sent_twice=sorted(token for token, count in facts.provider.items() if count > 1),
        shown_twice=sorted(token for token, ids in shown.items() if len(ids) > 1 and len(set(ids)) == 1),
        shown_as_two=sorted(token for token, ids in shown.items() if len(set(ids)) > 1),
        ghosts=sorted((set(shown) - facts.inbound_attempted) | (set(facts.provider) - facts.outbound_attempted)),
        stuck=sorted(token for token, status in facts.status.items() if status not in TERMINAL | {"uncertain"})
        + ["(in a queue)"] * facts.waiting,
        # the request never left: nobody can tell, so the sender was asked
        uncertain=sorted(token for token, status in facts.status.items() if status == "uncertain" and not facts.provider[token]),
        # the provider has it and has called back
        unresolved=sorted(token for token, status in facts.status.items() if status == "uncertain" and facts.provider[token]),
        broken={name: count for name, count in facts.invariants.items() if count})


def tokens_in(text):
    return TOKEN.findall(text)


def mailbox_tokens(mail_root):
    """{token: [Message-ID, …]}, the tokens of final reports and of questions, over all Maildirs."""
    shown, reported, asked = defaultdict(list), set(), set()
    for path in mail_root.glob("*/Maildir/*/*"):
        _read_mail(path, shown, reported, asked)
    for path in mail_root.glob("*/Maildir/.*/*/*"):
        _read_mail(path, shown, reported, asked)
    return dict(shown), reported, asked


def _read_mail(path, shown, reported, asked):
    if path.parent.name not in ("cur", "new") or not path.is_file():
        return
    # Soft line breaks of quoted-printable may stand within a token.
    text = path.read_bytes().decode(errors="replace").replace("=\r\n", "").replace("=\n", "")
    message_id = re.search(r"^Message-ID: *(<[^>]*>)", text, re.M | re.I)
    found = set(tokens_in(text))
    if re.search(r"^Content-Type: *multipart/report", text, re.M | re.I):
        if re.search(r"^Action: *failed", text, re.M | re.I):
            reported |= found
        elif re.search(r"^Action: *delayed", text, re.M | re.I):
            asked |= found
        return
    for token in found:
        shown[token].append(message_id.group(1) if message_id else str(path))


def collect(gateway, sim, inbound_attempted, inbound_acked, outbound_attempted, outbound_acked):
    """All four logs of a gateway at rest."""
    facts = Facts(set(inbound_attempted), set(inbound_acked), set(outbound_attempted), set(outbound_acked))
    facts.mailbox, facts.reported, facts.asked = mailbox_tokens(gateway.layout.mail)
    with open(sim.log_path, encoding="utf-8") as log:
        for line in log:
            for token in set(tokens_in(sim.text_of(json.loads(line)["request"]))):
                facts.provider[token] += 1
    for body, status in gateway.sql("SELECT m.body, d.status FROM ump.deliveries d JOIN ump.unified_messages m"
                                    " ON m.account_id = d.account_id AND m.id = d.message_id"):
        for token in set(tokens_in(body)):
            facts.status[token] = status
    facts.waiting = gateway.sql("SELECT (SELECT count(*) FROM ump.outbox WHERE state <> 5)"
                                " + (SELECT count(*) FROM ump.jobs WHERE state <> 6)")[0][0] + len(gateway.queue())
    facts.invariants = {name: gateway.sql(query)[0][0] for name, query in INVARIANTS.items()}
    return facts


def story(gateway, token, lines=60):
    """Everything that the database, the logs and the mail store still know of one token: what a person needs who is to
    find out where it went."""
    told = [f"--- {token}"]
    events = gateway.sql("SELECT id, event_key, kind, received_at FROM ump.provider_events"
                         " WHERE position(convert_to(%s, 'UTF8') IN body) > 0", token)
    told += [f"event {row}" for row in events]
    words = {token, *(str(row[1]) for row in events)}
    for number, *_ in events:
        told += [f"job {row}" for row in gateway.sql("SELECT id, kind, state, attempts, error FROM ump.jobs WHERE event_id = %s", number)]
    for message, status, created in gateway.sql("SELECT m.id, d.status, m.created_at FROM ump.unified_messages m LEFT JOIN ump.deliveries d"
                                                " ON d.account_id = m.account_id AND d.message_id = m.id"
                                                " WHERE position(%s IN m.body) > 0", token):
        told.append(f"message {message} {status} {created}")
        words.add(str(message))
        told += [f"mail {row}" for row in gateway.sql("SELECT delivery_key, state, reply, created_at, settled_at FROM"
                                                      " ump.mail_deliveries WHERE message_id = %s", message)]
    for path in sorted(gateway.layout.mail.rglob("*")):
        if path.is_file() and token.encode() in path.read_bytes().replace(b"=\r\n", b"").replace(b"=\n", b""):
            told.append(f"file {path}")
    for path in sorted(gateway.layout.log.glob("*.log")):
        told += [f"{path.name}: {line}" for line in path.read_text(errors="replace").splitlines()
                 if any(word in line for word in words)][:lines]
    return "\n".join(told)
