#!/usr/bin/env python3
"""Rebuilds thunderbird/: replies written in Thunderbird (Debian's package, under Xvfb) by keys, in several languages and settings.

Usage: thunderbird.py    (needs the packages of tests/stack/, thunderbird, thunderbird-l10n-{de,fr,ja}, xvfb; root)
"""
import itertools
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import rig  # noqa: E402
from mailbox import Case, store  # noqa: E402
from tests.lib.thunderbird import Thunderbird  # noqa: E402

ABOVE = {"mail.identity.id1.reply_on_top": 1}
SIGN_ABOVE = {**ABOVE, "mail.identity.id1.sig_bottom": False}
BOTH, ONLY_HTML, ONLY_PLAIN = ({"mail.default_send_format": n} for n in (3, 2, 1))
NO_SIGNATURE = {"mail.identity.id1.attach_signature": False, "mail.identity.id1.htmlSigText": ""}
BODY_TEXT = {"mail.compose.default_to_paragraph": False}
DEFAULTS = {"mail.identity.id1.reply_on_top": 0, "mail.identity.id1.sig_bottom": True, "mail.default_send_format": 0,
            "mailnews.reply_header_type": None, "mail.compose.default_to_paragraph": None, "mailnews.reply_header_authorwrotesingle": None,
            "mail.identity.id1.htmlSigText": "Alice Smith\nmsgs.test Ltd", "mailnews.send_plaintext_flowed": None,
            "mailnews.reply_header_authorwroteondate": None, "mailnews.reply_header_ondateauthorwrote": None, "mailnews.wraplength": None}
ASKED = "Three things:\nWhen do you arrive?\nDo you need a bed?\nAny food that you do not eat?"
ANSWERS = [{"after": "do you arrive?"}, "\nOn Friday at ten.", {"after": "need a bed?"}, "\nNo, I bring my tent.", {"after": "do not eat?"}, "\nMushrooms."]

# (id, language of the program, of the words, preferences, html composer?, what is answered, steps, typed, quoted sender)
MAILS = [
    ("below", "en-US", "en", {}, True, "Are you free on Saturday? The ferry leaves at nine and we would like to have you on board.", ["Yes, gladly.\nSee you there!"], None, {}),
    ("above", "en-US", "en", ABOVE, True, "Could you feed the cat next week?", ["Of course, leave the key with the neighbour."], None, {}),
    ("above-signature-above", "en-US", "en", SIGN_ABOVE, True, "The printer is out of paper again.", ["There is a box of it under the stairs."], None, {}),
    ("below-plain", "en-US", "en", ONLY_PLAIN, False, "Which platform is it?", ["Platform 7, the far end."], None, {}),
    ("above-plain", "en-US", "en", {**ABOVE, **ONLY_PLAIN}, False, "Did you find my scarf?", ["Yes, it was in the car."], None, {}),
    ("above-both", "en-US", "en", {**ABOVE, **BOTH}, True, "How much is the deposit?", ["Two hundred, in cash please."], None, {}),
    ("below-both", "en-US", "en", BOTH, True, "Is the pool heated?", ["Only until September."], None, {}),
    ("above-html", "en-US", "en", {**ABOVE, **ONLY_HTML}, True, "Can you send the address again?", ["12 Quay Street, second bell from the top."], None, {}),
    ("below-html", "en-US", "en", ONLY_HTML, True, "Do we need tickets?", ["No, it is free for all."], None, {}),
    ("between", "en-US", "en", {}, True, ASKED, ANSWERS, "On Friday at ten.\n\nNo, I bring my tent.\n\nMushrooms.", {}),
    ("between-html", "en-US", "en", ONLY_HTML, True, ASKED, ANSWERS, "On Friday at ten.\n\nNo, I bring my tent.\n\nMushrooms.", {}),
    ("between-plain", "en-US", "en", {**ONLY_PLAIN, **NO_SIGNATURE}, False, ASKED, ANSWERS, "On Friday at ten.\n\nNo, I bring my tent.\n\nMushrooms.", {}),
    ("author-wrote", "en-US", "en", {**ABOVE, "mailnews.reply_header_type": 1}, True, "What was his name again?", ["Theodore, I believe."], None, {}),
    ("author-wrote-on-date", "en-US", "en", {**ABOVE, "mailnews.reply_header_type": 3}, True, "May I borrow the drill?", ["It is with my father until Sunday."], None, {}),
    ("no-attribution", "en-US", "en", {**NO_SIGNATURE, "mailnews.reply_header_type": 0}, True, "Does the offer still stand?", ["It does, until the end of the month."], None, {}),
    ("own-attribution", "en-US", "en", {"mailnews.reply_header_type": 2, "mailnews.reply_header_ondateauthorwrote": "At #2 on #3, #1 had this to say:"}, True,
     "The gate was open all night.", ["I will ask the caretaker to look into it."], None, {}),
    ("one-word", "en-US", "en", {**ABOVE, **BOTH, **NO_SIGNATURE}, True, "Shall I order the large one?", ["Yes"], None, {}),
    ("body-text", "en-US", "en", {**ABOVE, **BOTH, **BODY_TEXT}, True, "What do I write on the card?", ["All the best from\nthe whole team"], None, {}),
    ("long-paragraph", "en-US", "en", {**ABOVE, **ONLY_PLAIN}, False, "What happened?",
     ["The bus stopped in the middle of the bridge, the driver got out and looked at the engine for a long time, and then we all had to walk the rest of the way."], None, {}),
    ("looks-quoted", "en-US", "en", {**ONLY_PLAIN, **NO_SIGNATURE}, False, "What do the marks mean?", ["> is what we write for greater.\nOn Monday I wrote: see you soon."], None, {}),
    ("with-link", "en-US", "en", {**ABOVE, **BOTH}, True, "Where is the form?", ["Here: https://forms.example/rent?year=2026&step=2 and print it twice."], None, {}),
    ("german-below", "de", "de", {}, True, "Kommst du am Samstag zum Grillen? Wir fangen um fünf an.", ["Ja, sehr gern! Ich bringe Salat mit."], None, {"who": "Jürgen Groß (SMS)"}),
    ("german-above", "de", "de", {**ABOVE, **BOTH}, True, "Hast du die Rechnung bekommen?", ["Ja, sie ist gestern angekommen.\nIch überweise morgen."], None, {"who": "Björn Weiß (SMS)"}),
    ("german-between", "de", "de", {}, True, "Wann?\nWo genau?", [{"after": "Wann?"}, "\nUm sieben.", {"after": "Wo genau?"}, "\nVor dem Rathaus."], "Um sieben.\n\nVor dem Rathaus.", {"who": "Käthe Öhm (SMS)"}),
    ("german-html", "de", "de", {**ABOVE, **ONLY_HTML}, True, "Ist der Müll schon draußen?", ["Nein, das mache ich nachher."], None, {"who": "Mölle (SMS)"}),
    ("french-below", "fr", "fr", {}, True, "Tu viens dîner samedi ?", ["Avec plaisir, j'apporte le dessert."], None, {"who": "Hélène Dufour (SMS)"}),
    ("french-above", "fr", "fr", {**ABOVE, **BOTH}, True, "As-tu reçu le colis ?", ["Oui, ce matin. Merci beaucoup !"], None, {"who": "François Noël (SMS)"}),
    ("french-plain", "fr", "fr", {**ABOVE, **ONLY_PLAIN}, False, "Où es-tu ?", ["Déjà à l'hôtel, chambre 12."], None, {"who": "Zoé Benoît (SMS)"}),
    ("japanese-below", "ja", "ja", {}, True, "土曜日は空いていますか。", ["はい、午後なら大丈夫です。"], None, {"who": "田中 花子 (SMS)"}),
    ("japanese-above", "ja", "ja", {**ABOVE, **BOTH}, True, "資料は届きましたか。", ["届きました。ありがとうございます。"], None, {"who": "鈴木 一郎 (SMS)"}),
    ("japanese-plain", "ja", "ja", {**ONLY_PLAIN, **NO_SIGNATURE}, False, "何時に来ますか。", ["七時ごろ着きます。"], None, {"who": "佐藤 健 (SMS)"}),
]

# A signature above the quotation has no delimiter in Thunderbird: what is typed and what is signed cannot be told apart by shape.
KNOWN = {"above-signature-above": {"alts": ("There is a box of it under the stairs.\n\nAlice Smith\nmsgs.test Ltd",)}}


def main():
    cases, numbers = [], itertools.count(2001)
    with rig.Rig() as stack:
        for language, group in itertools.groupby(MAILS, lambda mail: mail[1]):
            with Thunderbird(stack.home(f"tb-{language}"), "c000@msgs.test", "c000", stack.smtp_port, stack.ports["imap"],
                             authenticated=False, language=language) as client:
                for name, _, lang, preferences, html, asked, steps, typed, sender in group:
                    number = next(numbers)
                    client.prefer({**DEFAULTS, **preferences})
                    before = len(stack.sink.mails)
                    client.reply(stack.put(number, asked, **sender), *steps, html=html)
                    typed = typed or "".join(step for step in steps if isinstance(step, str))
                    mail = rig.stable(stack.sent(before), number)
                    kind = "html" if b"text/html" in mail else "quote"
                    cases.append(Case(name, f"Thunderbird {client.version}", lang, kind, typed, mail, tags=(language,), **KNOWN.get(name, {})))
    store("thunderbird", cases)


if __name__ == "__main__":
    main()
