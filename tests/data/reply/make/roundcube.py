#!/usr/bin/env python3
"""Rebuilds roundcube/: replies written in Roundcube (Debian's package, PHP's server, headless Chromium), in several languages and settings.

Usage: roundcube.py    (needs the packages of tests/stack/, roundcube-core, roundcube-sqlite3, php-cli, chromium-driver, python3-selenium; root)
"""
import itertools
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import rig  # noqa: E402
from mailbox import Case, store  # noqa: E402
from tests.lib.roundcube import Roundcube  # noqa: E402
from tests.stack.layout import PortLocks  # noqa: E402

ABOVE, HTML = {"reply_mode": 1}, {"htmleditor": 1}
ABOVE_HTML = {**ABOVE, **HTML}
UNFLOWED = {"send_format_flowed": False}
BELOW = {"below": True}
TWO = "Which day suits you?\nAnd shall I bring Tom?"
TWO_ANSWERS = [{"after": "suits you?"}, "\nWednesday.", {"after": "bring Tom?"}, "\nYes, and the dog."]
SIGNATURE = "Alice Smith\nmsgs.test Ltd"

# (id, language of the program, of the words, settings, what is answered, steps, typed if not the steps, sender, signature)
MAILS = [
    ("below", "en_US", "en", {}, "Are you free on Saturday? The ferry leaves at nine and we would like to have you on board.", ["Yes, gladly.\nSee you there!"], None, {}, SIGNATURE),
    ("above", "en_US", "en", ABOVE, "Could you water the plants?", ["I will, every second day."], None, {}, SIGNATURE),
    ("below-html", "en_US", "en", HTML, "What is the code of the gate?", [BELOW, "It is 2468 and then the bell."], None, {}, SIGNATURE),
    ("above-html", "en_US", "en", ABOVE_HTML, "Did the parcel arrive?", ["It did, thank you!"], None, {}, SIGNATURE),
    ("above-unsigned", "en_US", "en", ABOVE, "How many are you?", ["Seven, with the children."], None, {}, None),
    ("above-html-unsigned", "en_US", "en", ABOVE_HTML, "Where do we park?", ["Behind the church,\nthe first gate on the left."], None, {}, None),
    ("below-unflowed", "en_US", "en", UNFLOWED, "Can you tell me what went wrong with the order that I placed three weeks ago and never got?", ["The warehouse mixed up two labels."], None, {}, SIGNATURE),
    ("above-unflowed-long", "en_US", "en", {**ABOVE, **UNFLOWED}, "What does the doctor say?",
     ["He says that it will take two more weeks until the plaster comes off, and that I may walk a little before that if it does not hurt."], None, {}, None),
    ("above-flowed-long", "en_US", "en", ABOVE, "How did the exam go?",
     ["Much better than I feared, there were three questions about the part that I had learned by heart the evening before."], None, {}, SIGNATURE),
    ("between", "en_US", "en", {}, TWO, TWO_ANSWERS, "Wednesday.\nYes, and the dog.", {}, SIGNATURE),
    ("between-unsigned", "en_US", "en", UNFLOWED, TWO, TWO_ANSWERS, "Wednesday.\nYes, and the dog.", {}, None),
    ("original-message-block", "en_US", "en", {"reply_mode": 2}, "Is it the red one or the blue one?", ["The blue one."], None, {}, SIGNATURE),
    ("no-quotation", "en_US", "en", {"reply_mode": -1}, "Who won?", ["We did, three to one!"], None, {}, SIGNATURE),
    ("one-word", "en_US", "en", ABOVE, "Shall I come by at six?", ["OK"], None, {}, None),
    ("one-word-html", "en_US", "en", ABOVE_HTML, "Is the shop open?", ["Nope"], None, {}, SIGNATURE),
    ("comparison", "en_US", "en", ABOVE, "What is the rule?", ["If a < b & c > d then yes."], None, {}, None),
    ("comparison-html", "en_US", "en", ABOVE_HTML, "What was the formula?", ["E > m * c & \"more\" < 5"], None, {}, None),
    ("list-below", "en_US", "en", {}, "What is on the list?", ["- bread\n- butter\n- jam"], None, {}, SIGNATURE),
    ("german", "de_DE", "de", {}, "Kommst du am Samstag?", ["Ja, gegen fünf. Ich bringe Brötchen mit."], None, {"who": "Jürgen Groß (SMS)"}, SIGNATURE),
    ("german-above", "de_DE", "de", ABOVE, "Ist die Straße gesperrt?", ["Ja, bis Montag. Fahr über die Brücke."], None, {"who": "Björn Weiß (SMS)"}, SIGNATURE),
    ("german-above-html", "de_DE", "de", ABOVE_HTML, "Hast du Zeit?", ["Übermorgen, ab zehn."], None, {"who": "Käthe Öhm (SMS)"}, SIGNATURE),
    ("french-above", "fr_FR", "fr", ABOVE, "Où est la réunion ?", ["Au troisième étage, salle bleue."], None, {"who": "Hélène Dufour (SMS)"}, SIGNATURE),
    ("french-html", "fr_FR", "fr", ABOVE_HTML, "C'est à quelle heure ?", ["À huit heures, devant l'école."], None, {"who": "Zoé Benoît (SMS)"}, SIGNATURE),
    ("russian", "ru_RU", "ru", {}, "Вы завтра работаете?", ["Да, с девяти до шести."], None, {"who": "Анна Белова (SMS)"}, SIGNATURE),
    ("russian-html", "ru_RU", "ru", ABOVE_HTML, "Где встречаемся?", ["У фонтана, в семь."], None, {"who": "Олег Жданов (SMS)"}, SIGNATURE),
    ("japanese", "ja_JP", "ja", ABOVE, "駅に着きましたか。", ["はい、改札の前にいます。"], None, {"who": "田中 花子 (SMS)"}, SIGNATURE),
    ("chinese-html", "zh_CN", "zh", ABOVE_HTML, "周末有空吗？", ["有空，周六下午可以。"], None, {"who": "王芳 (SMS)"}, SIGNATURE),
    ("polish", "pl_PL", "pl", {}, "Masz chwilę?", ["Tak, zadzwoń za pięć minut."], None, {"who": "Łucja Wójcik (SMS)"}, SIGNATURE),
    ("hebrew-html", "he_IL", "he", ABOVE_HTML, "מתי הפגישה?", ["מחר בעשר בבוקר."], None, {"who": "דוד לוי (SMS)"}, SIGNATURE),
    ("finnish", "fi_FI", "fi", ABOVE, "Tuletko saunaan?", ["Tulen, mutta vasta kahdeksalta."], None, {"who": "Päivi Mäki (SMS)"}, SIGNATURE),
    ("spanish-html", "es_ES", "es", ABOVE_HTML, "¿Dónde estás?", ["En la estación, andén dos."], None, {"who": "Íñigo Peña (SMS)"}, SIGNATURE),
    ("turkish", "tr_TR", "tr", {}, "Yarın gelecek misin?", ["Evet, öğleden sonra geleceğim."], None, {"who": "Gülşah Işık (SMS)"}, SIGNATURE),
]


def main():
    version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "roundcube-core"], capture_output=True, text=True, check=True).stdout
    cases, numbers, ports = [], itertools.count(3001), PortLocks()
    with rig.Rig(mailboxes=40) as stack:
        users = dict(zip(dict.fromkeys((mail[1], bool(mail[8])) for mail in MAILS), stack.users))
        with Roundcube(stack.home("roundcube"), ports.take(["web"])["web"], stack.ports["imap"], stack.smtp_port, authenticated=False) as client:
            current = None
            for name, language, lang, settings, asked, steps, typed, sender, signature in sorted(MAILS, key=lambda mail: (mail[1], bool(mail[8]))):
                number, user = next(numbers), users[language, bool(signature)]
                client.configure({"language": language, **settings})
                # A user keeps the language of his first login.
                if user != current:
                    client.login(f"{user}@msgs.test", user, signature=signature)
                    current = user
                before = len(stack.sink.mails)
                message_id = stack.put(number, asked, user=user, **sender)
                client.reply(stack.uid(message_id, user), *steps)
                typed = typed or "".join(step for step in steps if isinstance(step, str))
                mail = rig.stable(stack.sent(before), number)
                kind = "html" if b"text/html" in mail else "quote"
                cases.append(Case(name, f"Roundcube {version}", lang, kind, typed, mail, tags=(language,)))
    ports.release()
    store("roundcube", cases)


if __name__ == "__main__":
    main()
