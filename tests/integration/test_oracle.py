"""The oracle can fail: each kind of fault, seeded into facts that are whole, is found and named."""
import copy
from collections import Counter

import pytest

from tests.lib.oracle import Facts, check, mailbox_tokens

IN, OUT = "ki-1-00000001", "ko-2-00000002"
OTHER_IN, OTHER_OUT = "ki-9-00000009", "ko-9-00000009"


def whole():
    return Facts({IN, "ki-3-00000003"}, {IN}, {OUT, "ko-4-00000004"}, {OUT}, {IN: ["<ump.1@x>"]}, Counter({OUT: 1}), set(),
                 {OUT: "delivered"}, 0, {"dead jobs": 0})


def test_no_fault_no_finding():
    findings = check(whole())
    assert not findings.faults and not findings.shown_twice and not findings.uncertain


FAULTS = {
    "an acknowledged SMS is in no mailbox": (lambda f: f.mailbox.clear(), "lost", [IN]),
    "an accepted mail never reached the provider": (lambda f: f.provider.clear(), "lost", [OUT]),
    "a message was sent twice": (lambda f: f.provider.update([OUT]), "sent_twice", [OUT]),
    "one SMS became two mails": (lambda f: f.mailbox[IN].append("<ump.2@x>"), "shown_as_two", [IN]),
    "a mail that nobody wrote": (lambda f: f.mailbox.update({OTHER_IN: ["<y>"]}), "ghosts", [OTHER_IN]),
    "a request that nobody wrote": (lambda f: f.provider.update([OTHER_OUT]), "ghosts", [OTHER_OUT]),
    "a message that stays in sending": (lambda f: f.status.update({OUT: "sending"}), "stuck", [OUT]),
    "something left in a queue": (lambda f: setattr(f, "waiting", 1), "stuck", ["(in a queue)"]),
    "an invariant that does not hold": (lambda f: f.invariants.update({"dead jobs": 2}), "broken", {"dead jobs": 2}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_found(fault):
    seed, name, expected = FAULTS[fault]
    facts = copy.deepcopy(whole())
    seed(facts)
    assert check(facts).faults == {name: expected}


def test_the_same_mail_twice_has_its_own_count():
    facts = whole()
    facts.mailbox[IN].append("<ump.1@x>")
    findings = check(facts)
    assert findings.shown_twice == [IN] and not findings.faults


def test_reported_failure_is_not_lost():
    facts = whole()
    facts.provider.clear()
    facts.reported.add(OUT)
    assert not check(facts).faults


def test_uncertain_ones_are_asked_about_or_resolved():
    facts = whole()
    facts.status[OUT] = "uncertain"
    assert check(facts).faults == {"unresolved": [OUT]}     # the provider has it, and called back
    facts.provider.clear()
    assert check(facts).faults == {"lost": [OUT]}           # it never left, and nobody was told
    facts.asked.add(OUT)
    findings = check(facts)
    assert not findings.faults and findings.uncertain == [OUT]


def test_maildirs_are_read_whole(tmp_path):
    def mail(folder, name, text):
        path = tmp_path / "alice" / "Maildir" / folder
        path.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    mail("new", "1", f"Message-ID: <a>\n\nhello {IN}\n")
    mail("cur", "2:2,S", f"Message-ID: <a>\n\nhello {IN}\n")
    mail(".Sent/cur", "3:2,S", f"Message-ID: <b>\n\nhello {OTHER_IN}\n")
    mail("tmp", "4", f"Message-ID: <c>\n\nhello {IN}\n")
    mail("new", "5", f"Content-Type: multipart/report\nMessage-ID: <d>\n\nAction: failed\n{OUT}\n")
    mail("new", "6", f"Content-Type: multipart/report\nMessage-ID: <e>\n\nAction: delayed\n{OTHER_OUT[:7]}=\n{OTHER_OUT[7:]}\n")
    assert mailbox_tokens(tmp_path) == ({IN: ["<a>", "<a>"], OTHER_IN: ["<b>"]}, {OUT}, {OTHER_OUT})
