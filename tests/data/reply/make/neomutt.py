#!/usr/bin/env python3
"""Rebuilds neomutt/: replies written in neomutt (on a pseudo terminal, with an editor that does what people do), in several settings.

Usage: neomutt.py    (needs the packages of tests/stack/; root)
"""
import itertools
import json
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import rig  # noqa: E402
from mailbox import Case, store  # noqa: E402
from tests.lib.smtp import Neomutt  # noqa: E402

# What people do in the editor: write above; below, before the signature; or between the lines.
EDITOR = """#!/usr/bin/env python3
import json, sys
plan = json.load(open(sys.argv[0] + ".json"))
text = open(sys.argv[1], encoding="utf-8").read()
body, mark, signature = text.partition("\\n-- \\n")
if plan["place"] == "above":
    body = plan["text"] + "\\n\\n" + body
elif plan["place"] == "alone":
    body = plan["text"] + "\\n"
elif plan["place"] == "below":
    body = body.rstrip("\\n") + "\\n\\n" + plan["text"] + "\\n"
elif plan["place"] == "below-tight":
    body = body.rstrip("\\n") + "\\n" + plan["text"] + "\\n"
else:
    for quoted, answer in plan["place"]:
        assert quoted in body, (quoted, body)
        head, found, tail = body.partition(quoted)
        body = head + found + "\\n\\n" + answer + "\\n" + tail
open(sys.argv[1], "w", encoding="utf-8").write(body + mark + signature)
"""
ASKED = "Is the room free on Monday?\nHow many chairs does it have?"
BETWEEN = [("free on Monday?", "Yes, from noon."), ("does it have?", "Twelve.")]
NONE = "unset signature\n"
FLOWED = "set text_flowed=yes\n"


def attribution(words):
    return f'set attribution="{words}"\n'


# (id, language, settings, what is answered, where, what, typed if not `what`, sender)
MAILS = [
    ("above", "en", "", "Are we still on for lunch?", "above", "Yes, at half past twelve.", None, {}),
    ("below", "en", "", "Which key is it?", "below", "The brass one with the green ring.", None, {}),
    ("below-tight", "en", "", "Can you hear me?", "below-tight", "Loud and clear.", None, {}),
    ("between", "en", "", ASKED, BETWEEN, "", "Yes, from noon.\n\nTwelve.", {}),
    ("alone", "en", "", "Good night!", "alone", "Sleep well!", None, {}),
    ("above-flowed", "en", FLOWED, "How was the trip?", "above", "Long.", None, {}),
    ("below-flowed", "en", FLOWED, "Do you have the minutes of the last meeting? I cannot find them anywhere in the folder where they used to be.", "below", "They are with the chairman.", None, {}),
    ("no-signature", "en", NONE, "What time is it there?", "above", "Four in the morning.", None, {}),
    ("indent-pipe", "en", 'set indent_string="| "\n', "Shall we paint it green?", "above", "No, blue like the door.", None, {}),
    ("indent-spaces", "en", 'set indent_string=">  "\n', "Shall we meet outside?", "below", "Inside, it is cold.", None, {}),
    ("indent-tight", "en", 'set indent_string=">"\n', "Is it heavy?", "below", "Two can carry it.", None, {}),
    ("initials", "en", 'set indent_string="bj> "\n', "Do you still play chess?", "above", "Every Thursday.", None, {}),
    ("attribution-writes", "en", attribution("%n writes:"), "Is the heating on?", "above", "Since this morning.", None, {}),
    ("attribution-iso", "en", attribution("On %{%Y-%m-%dT%H:%M:%S%z}, %f wrote:"), "May I call you?", "above", "After three, please.", None, {}),
    ("attribution-stars", "en", attribution("* %n <%a> [%{%Y-%m-%d %H:%M}]:"), "Where is the ladder?", "above", "In the garage.", None, {}),
    ("attribution-german", "de", attribution("Am %{%d.%m.%Y um %H:%M} schrieb %n:"), "Wann fährst du los?", "below", "Gegen sieben, vorher schaffe ich es nicht.", None, {"who": "Jürgen Groß (SMS)"}),
    ("attribution-german-quoth", "de", attribution("%f hat gesagt:"), "Was kostet das?", "above", "Ungefähr 80 Euro.", None, {"who": "Uwe Öttl (SMS)"}),
    ("attribution-french", "fr", attribution("Le %{%d/%m/%Y à %H:%M}, %n a écrit :"), "Tu as fini ?", "above", "Presque, encore une heure.", None, {"who": "Zoé Noël (SMS)"}),
    ("attribution-czech", "cs", attribution("%n píše v %{%H:%M dne %d. %m. %Y}:"), "Jdeme na pivo?", "above", "Jdeme, v šest u kašny.", None, {"who": "Jiří Kříž (SMS)"}),
    ("attribution-dutch", "nl", attribution("Op %{%d-%m-%Y %H:%M} schreef %n:"), "Is het af?", "below", "Morgen is het klaar.", None, {"who": "Sjaak Bär (SMS)"}),
    ("attribution-estonian", "et", attribution("%n kirjutas %{%d.%m.%Y %H:%M}:"), "Kas tuled?", "above", "Tulen, aga hiljem.", None, {"who": "Ülo Põder (SMS)"}),
    ("attribution-swedish", "sv", attribution("%n skrev den %{%d/%m %Y kl. %H.%M}:"), "Har du tid?", "below", "Ja, efter lunch.", None, {"who": "Åke Öst (SMS)"}),
    ("attribution-greek", "el", attribution("Στις %{%d/%m/%Y %H:%M}, ο/η %n έγραψε:"), "Πού είσαι;", "above", "Στο σπίτι, έλα.", None, {"who": "Άννα Λέκκα (SMS)"}),
    ("attribution-portuguese", "pt", attribution("Em %{%d/%m/%Y %H:%M}, %n escreveu:"), "Está pronto?", "above", "Está, pode vir buscar.", None, {"who": "Inês Conceição (SMS)"}),
    ("charset-latin1", "de", "set send_charset=us-ascii:iso-8859-1:utf-8\n", "Für wen ist das?", "above", "Für die Großmutter.", None, {"who": "Jörg (SMS)"}),
    ("charset-koi8-r", "ru", "set send_charset=us-ascii:koi8-r:utf-8\n", "Ты дома?", "above", "Нет, ещё на работе.", None, {"who": "Иван Орлов (SMS)"}),
    ("charset-iso-2022-jp", "ja", "set send_charset=us-ascii:iso-2022-jp:utf-8\n", "何時ですか。", "above", "もう九時です。", None, {"who": "森 幸子 (SMS)"}),
    ("charset-euc-kr", "ko", "set send_charset=us-ascii:euc-kr:utf-8\n", "밥 먹었어요?", "above", "아직 안 먹었어요.", None, {"who": "오민석 (SMS)"}),
    ("charset-gb18030", "zh", "set send_charset=us-ascii:gb18030:utf-8\n", "你吃饭了吗？", "below", "吃过了，谢谢。", None, {"who": "孙丽 (SMS)"}),
    ("charset-windows-1251", "uk", "set send_charset=us-ascii:windows-1251:utf-8\n", "Ти вже вдома?", "above", "Ще ні, їду автобусом.", None, {"who": "Їжак (SMS)"}),
    ("long-quote", "en", "", "\n".join(f"Point {number}: we talked about the {thing} and agreed." for number, thing in enumerate(("roof", "garden", "wall", "gate", "well", "path"), 1)),
     "above", "All of it is fine with me.", None, {}),
    ("diff", "en", "", "What did you change?", "above", "Only this:\n\n- limit = 10\n+ limit = 20", None, {}),
    ("he-wrote", "en", "", "And what happened then?", "below", "On Monday he wrote: I am sorry.\nOn Tuesday she wrote: too late.", None, {}),
    ("from-at-start", "en", "", "From where?", "below", "From the airport, by bus.", None, {}),
    ("numbers", "en", "", "Give me the numbers.", "above", "4 + 4 > 7\n3 * 3 = 9", None, {}),
]


class Client(Neomutt):
    """Sends to the server that keeps; edits as planned."""

    def __init__(self, stack, home, settings):
        super().__init__(home, "c000@msgs.test", "c000", stack.smtp_port, stack.ports["imap"],
                         settings=f'set smtp_url="smtp://127.0.0.1:{stack.smtp_port}/"\nunset smtp_authenticators\nset realname="Alice Smith"\n' + settings)

    def answer(self, message_id, place, text):
        self._write("editor", EDITOR, 0o700)
        self._write("editor.json", json.dumps({"place": place, "text": text}))
        self.reply(message_id, text)

    def _prepare_editor(self, text):
        """It is there already."""


def main():
    version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "neomutt"], capture_output=True, text=True, check=True).stdout
    cases, numbers = [], itertools.count(4001)
    with rig.Rig() as stack:
        for name, lang, settings, asked, place, text, typed, sender in MAILS:
            number, before = next(numbers), len(stack.sink.mails)
            Client(stack, stack.home(f"mutt-{name}"), settings).answer(stack.put(number, asked, **sender), place, text)
            mail = rig.stable(stack.sent(before), number)
            cases.append(Case(name, f"neomutt {version}", lang, "passthrough" if place == "alone" else "quote", typed or text, mail))
    store("neomutt", cases)


if __name__ == "__main__":
    main()
