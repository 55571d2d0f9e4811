"""Cases whose difficulty lies in the text: plain mails, own words that look quoted, charsets, structures of MIME.

Each is (id, client, language, category, typed, body or (body, more)); body is a Part, a Multi, or plain text.
"""
from mailbox import Multi, Part

BOB = "Bob Jones (SMS) <+15551234567@sms.msgs.test>"
ON = f"On Thu, 28 May 2026 at 22:26, {BOB} wrote:"


def plain(text, charset="utf-8", cte="quoted-printable", params=""):
    return Part("text/plain", text, charset, cte, params)


def flowed(text, charset="utf-8"):
    return Part("text/plain", text, charset, "7bit" if text.isascii() else "quoted-printable", "; format=flowed")


def delsp(text, charset="utf-8"):
    return Part("text/plain", text, charset, "7bit" if text.isascii() else "quoted-printable", "; format=flowed; delsp=yes")


LEGAL_EN = ("This e-mail and any files transmitted with it are confidential and intended solely for the use of the individual or entity to whom they are "
            "addressed. If you have received this e-mail in error, please notify the sender and delete it.")
LEGAL_DE = ("Diese E-Mail enthält vertrauliche und/oder rechtlich geschützte Informationen. Wenn Sie nicht der richtige Adressat sind oder diese E-Mail "
            "irrtümlich erhalten haben, informieren Sie bitte sofort den Absender und vernichten Sie diese E-Mail.")
LEGAL_FR = ("Ce message et toutes les pièces jointes sont confidentiels et établis à l'intention exclusive de ses destinataires. Si vous avez reçu ce "
            "message par erreur, merci d'en avertir immédiatement l'expéditeur et de le détruire.")
LEGAL_ES = ("Este mensaje y sus archivos adjuntos van dirigidos exclusivamente a su destinatario y pueden contener información confidencial. Si ha recibido "
            "este mensaje por error, le rogamos que nos lo comunique de inmediato y proceda a su eliminación.")

CASES = [
    # --- no reply at all: everything leaves
    ("fresh-short", "swaks", "en", "passthrough", "Hello from my desk", plain("Hello from my desk\n")),
    ("fresh-long", "swaks", "en", "passthrough", "Dear Bob,\n\nthe boiler man was here. He says:\n\n1. the pump is fine\n2. the valve is not\n3. it will cost about 120\n\nShall I order it?",
     plain("Dear Bob,\n\nthe boiler man was here. He says:\n\n1. the pump is fine\n2. the valve is not\n3. it will cost about 120\n\nShall I order it?\n")),
    ("fresh-url", "swaks", "en", "passthrough", "Look here: https://shop.example/item?id=42&colour=red#size\nIs that the one?",
     plain("Look here: https://shop.example/item?id=42&colour=red#size\nIs that the one?\n")),
    ("fresh-code", "swaks", "en", "passthrough", "Try this:\n\nfor i in 1 2 3; do\n    echo \"$i\" > out.$i\ndone\n\nThen tell me what happens.",
     plain("Try this:\n\nfor i in 1 2 3; do\n    echo \"$i\" > out.$i\ndone\n\nThen tell me what happens.\n")),
    ("fresh-dashes", "swaks", "en", "passthrough", "Agenda for tonight\n------------------\n\nopening\nmoney -- in short\nelections\n\nBring a pen!",
     plain("Agenda for tonight\n------------------\n\nopening\nmoney -- in short\nelections\n\nBring a pen!\n")),
    ("fresh-he-wrote", "swaks", "en", "passthrough", "On Monday he wrote: come at five.\nOn Tuesday he wrote nothing at all.",
     plain("On Monday he wrote: come at five.\nOn Tuesday he wrote nothing at all.\n")),
    ("fresh-from-to", "swaks", "en", "passthrough", "Train times\nFrom: Portsea, platform 2\nTo: Winchester, platform 5\nLeaves at 9:14",
     plain("Train times\nFrom: Portsea, platform 2\nTo: Winchester, platform 5\nLeaves at 9:14\n")),
    ("fresh-sent-from", "swaks", "en", "passthrough", "The parcel was sent from my office on Friday, it should be there by now.",
     plain("The parcel was sent from my office on Friday, it should be there by now.\n")),
    ("fresh-regards", "swaks", "en", "passthrough", "With regards to the rent: it was paid on the 3rd.", plain("With regards to the rent: it was paid on the 3rd.\n")),
    ("fresh-de-schrieb", "swaks", "de", "passthrough", "Am Montag schrieb er mir, dass er am 3. Juni um 10:00 Uhr kommt:\nich glaube ihm kein Wort.",
     plain("Am Montag schrieb er mir, dass er am 3. Juni um 10:00 Uhr kommt:\nich glaube ihm kein Wort.\n")),
    ("fresh-de-von-an", "swaks", "de", "passthrough", "Von mir aus gern. An Weihnachten sind wir ohnehin da.", plain("Von mir aus gern. An Weihnachten sind wir ohnehin da.\n")),
    ("fresh-fr-a-ecrit", "swaks", "fr", "passthrough", "Le voisin a écrit au maire, et le maire a répondu : non.", plain("Le voisin a écrit au maire, et le maire a répondu : non.\n")),
    ("fresh-comparison", "swaks", "en", "passthrough", "The rule is simple:\nprice > 100 needs a signature\nprice <= 100 does not", plain("The rule is simple:\nprice > 100 needs a signature\nprice <= 100 does not\n")),
    ("fresh-table", "swaks", "en", "passthrough", "Mon  08:00  Anna\nTue  09:30  Ben\nWed  08:00  Carla\n\nOK for you?", plain("Mon  08:00  Anna\nTue  09:30  Ben\nWed  08:00  Carla\n\nOK for you?\n")),
    ("fresh-dates", "swaks", "en", "passthrough", "Possible dates:\n2026-06-01 10:00\n2026-06-02 14:30\nThu, 4 June 2026 at 16:00\nPick one.",
     plain("Possible dates:\n2026-06-01 10:00\n2026-06-02 14:30\nThu, 4 June 2026 at 16:00\nPick one.\n")),
    ("fresh-address", "swaks", "en", "passthrough", "Write to my brother instead: Tom Smith <tom@msgs.test>, he knows more.", plain("Write to my brother instead: Tom Smith <tom@msgs.test>, he knows more.\n")),
    ("fresh-stars", "swaks", "en", "passthrough", "This is *very* important:\n* bring water\n* bring a hat", plain("This is *very* important:\n* bring water\n* bring a hat\n")),
    ("fresh-plus", "swaks", "en", "passthrough", "1 + 1 = 2\n# of seats: 40\n| pipe | is | fine |", plain("1 + 1 = 2\n# of seats: 40\n| pipe | is | fine |\n")),
    ("fresh-one-letter", "swaks", "en", "passthrough", "Y", plain("Y\n")),
    ("fresh-number", "swaks", "en", "passthrough", "4471", plain("4471\n")),
    ("fresh-emoji", "swaks", "en", "passthrough", "😂😂😂", plain("😂😂😂\n", cte="base64")),
    ("fresh-quote-marks", "swaks", "en", "passthrough", "She said \"come at 8\", he said “no, at 9”.", plain("She said \"come at 8\", he said “no, at 9”.\n")),
    ("fresh-signature", "swaks", "en", "signature", "The room is booked.", plain("The room is booked.\n\n-- \nAlice Smith\nFront desk, Hotel Anchor\nhttps://anchor.example\n")),
    ("fresh-signature-no-space", "swaks", "en", "signature", "The room is booked.", plain("The room is booked.\n\n--\nAlice Smith\nFront desk, Hotel Anchor\n")),
    ("fresh-legal", "swaks", "en", "signature", "Please call me back about the roof.", plain(f"Please call me back about the roof.\n\n{LEGAL_EN}\n")),
    ("fresh-legal-de", "swaks", "de", "signature", "Bitte rufen Sie mich wegen der Abnahme zurück.", plain(f"Bitte rufen Sie mich wegen der Abnahme zurück.\n\n-- \nAlice Schmidt\n\n{LEGAL_DE}\n")),
    ("fresh-legal-fr", "swaks", "fr", "signature", "Votre rendez-vous est confirmé pour lundi.", plain(f"Votre rendez-vous est confirmé pour lundi.\n\n{LEGAL_FR}\n")),
    ("fresh-legal-es", "swaks", "es", "signature", "Su cita queda confirmada para el lunes.", plain(f"Su cita queda confirmada para el lunes.\n\n{LEGAL_ES}\n")),
    ("fresh-signoff-en", "swaks", "en", "signoff", "The tickets are at the desk.\n\nBest regards,\nAlice", (plain("The tickets are at the desk.\n\nBest regards,\nAlice\n"), {"alts": ("The tickets are at the desk.",)})),
    ("fresh-signoff-de", "swaks", "de", "signoff", "Die Karten liegen an der Kasse.\n\nViele Grüße\nAlice", (plain("Die Karten liegen an der Kasse.\n\nViele Grüße\nAlice\n"), {"alts": ("Die Karten liegen an der Kasse.",)})),
    ("fresh-signoff-pl", "swaks", "pl", "signoff", "Bilety są w kasie.\n\nPozdrawiam\nAlicja", (plain("Bilety są w kasie.\n\nPozdrawiam\nAlicja\n"), {"alts": ("Bilety są w kasie.",)})),
    ("fresh-thanks", "swaks", "en", "passthrough", "Thanks!", plain("Thanks!\n")),
    ("fresh-thanks-quoted", "swaks", "de", "quote", "Danke", plain(f"Danke\n\nAm 28.05.26 um 22:26 schrieb {BOB}:\n> Der Schlüssel liegt unter der Matte.\n")),
    ("fresh-ps", "swaks", "en", "passthrough", "Yes, come at six.\n\nPS: bring the dog.", plain("Yes, come at six.\n\nPS: bring the dog.\n")),
    # --- flowed
    ("flowed-paragraph", "swaks", "en", "mime", "This sentence was typed as one paragraph and was broken by the program into several lines only for the journey, as the standard for flowed text says.",
     flowed("This sentence was typed as one paragraph and was broken by the program \ninto several lines only for the journey, as the standard for flowed text \nsays.\n")),
    ("flowed-stuffed", "swaks", "en", "mime", "> is the sign for greater, it is not a quotation here.\nFrom here on it is all mine.",
     flowed(" > is the sign for greater, it is not a quotation here.\n From here on it is all mine.\n")),
    ("flowed-reply", "swaks", "en", "quote", "I think that we should wait with the decision until everybody has seen the house and has had a night to sleep over it.",
     flowed(f"I think that we should wait with the decision until everybody has seen \nthe house and has had a night to sleep over it.\n\n{ON}\n> Shall we sign tomorrow? The other people who want it are in a \n> hurry too.\n")),
    ("flowed-below", "swaks", "en", "quote", "Then tell them that we take it, before somebody else comes and pays more for it.",
     flowed(f"{ON}\n> They will keep it for us until noon, not longer, and they want \n> an answer in writing.\n\nThen tell them that we take it, before somebody else comes and pays \nmore for it.\n\n-- \nAlice\n")),
    ("delsp-ja", "swaks", "ja", "mime", "長い文章は途中で改行されますが、受け取る側では一つの段落に戻さなければなりません。",
     delsp("長い文章は途中で改行されますが、 \n受け取る側では一つの段落に \n戻さなければなりません。\n", "iso-2022-jp")),
    ("delsp-url", "swaks", "en", "mime", "See https://example.org/a/very/long/path/that/does/not/fit/in/one/line/of/mail there.",
     delsp("See https://example.org/a/very/long/path/that/does/not/fit/ \nin/one/line/of/mail there.\n")),
    # --- charsets
    ("charset-iso-2022-jp", "swaks", "ja", "mime", "会議は三階です。", plain(f"会議は三階です。\n\n2026年5月28日 22:26 田中 <+15551234567@sms.msgs.test>:\n> どこですか\n", "iso-2022-jp", "7bit")),
    ("charset-shift-jis", "swaks", "ja", "mime", "表を添付します。能力は十分です。", plain("表を添付します。能力は十分です。\n", "shift_jis", "8bit")),
    ("charset-euc-jp", "swaks", "ja", "mime", "駅で待っています。", plain("駅で待っています。\n", "euc-jp", "8bit")),
    ("charset-gb18030", "swaks", "zh", "mime", "我明天上午来。", plain("我明天上午来。\n\n在 2026年5月28日，22:26，王芳 <+15551234567@sms.msgs.test> 写道：\n> 你什么时候来？\n", "gb18030", "8bit")),
    ("charset-big5", "swaks", "zh-tw", "mime", "我已經許可了，功課蓋好了。", plain("我已經許可了，功課蓋好了。\n", "big5", "8bit")),
    ("charset-euc-kr", "swaks", "ko", "mime", "세 시에 만나요.", plain("세 시에 만나요.\n\n2026년 5월 28일 (목) 오후 10:26, 김하나 <+15551234567@sms.msgs.test>님이 작성:\n> 몇 시에요?\n", "euc-kr", "8bit")),
    ("charset-koi8-r", "swaks", "ru", "mime", "Встретимся у входа.", plain("Встретимся у входа.\n\n28.05.2026 22:26, Анна <+15551234567@sms.msgs.test> пишет:\n> Где встретимся?\n", "koi8-r", "8bit")),
    ("charset-koi8-u", "swaks", "uk", "mime", "Її ще немає, зачекай.", plain("Її ще немає, зачекай.\n", "koi8-u", "8bit")),
    ("charset-windows-1251", "swaks", "bg", "mime", "Ще дойда в събота.", plain("Ще дойда в събота.\n", "windows-1251", "8bit")),
    ("charset-windows-1250", "swaks", "sk", "mime", "Žiaľ, dnes nestíham.", plain("Žiaľ, dnes nestíham.\n", "windows-1250", "8bit")),
    ("charset-windows-1257", "swaks", "lv", "mime", "Šodien nevaru, varbūt rīt.", plain("Šodien nevaru, varbūt rīt.\n", "windows-1257", "8bit")),
    ("charset-windows-1258", "swaks", "vi", "mime", "Tôi đến sau.", plain("Tôi đê\u0301n sau.\n", "windows-1258", "8bit")),
    ("charset-iso-8859-7", "swaks", "el", "mime", "Θα έρθω αύριο το πρωί.", plain("Θα έρθω αύριο το πρωί.\n", "iso-8859-7", "8bit")),
    ("charset-iso-8859-8", "swaks", "he", "mime", "נדבר מחר.", plain("נדבר מחר.\n", "iso-8859-8-i", "8bit")),
    ("charset-iso-8859-9", "swaks", "tr", "mime", "Şimdi çıkıyorum, beş dakikaya oradayım.", plain("Şimdi çıkıyorum, beş dakikaya oradayım.\n", "iso-8859-9", "8bit")),
    ("charset-tis-620", "swaks", "th", "mime", "พบกันพรุ่งนี้", plain("พบกันพรุ่งนี้\n", "windows-874", "8bit")),
    ("charset-latin1-euro", "swaks", "de", "mime", "Das kostet 40 € – „günstig“, oder?", plain("Das kostet 40 € – „günstig“, oder?\n", "iso-8859-1", "8bit")),
    ("charset-utf-8-bom", "swaks", "fr", "mime", "Déjà vu, merci.", plain("\ufeffDéjà vu, merci.\n", "utf-8", "base64")),
    ("charset-ascii-qp-soft", "swaks", "en", "mime", "a line of exactly the kind that quoted-printable has to break softly because it is longer than seventy-six characters = much",
     plain("a line of exactly the kind that quoted-printable has to break softly because it is longer than seventy-six characters = much\n", "us-ascii")),
    # --- quotations in plain text
    ("quote-below", "swaks", "en", "quote", "Yes, both of us.", plain(f"{ON}\n> Are you coming?\n\nYes, both of us.\n")),
    ("quote-below-signature", "swaks", "en", "quote", "Half past eight.", plain(f"{ON}\n> When does it start?\n\nHalf past eight.\n\n-- \nAlice Smith\n")),
    ("quote-between", "swaks", "en", "quote", "At the usual place.\n\nYes, a small one.", plain(f"{ON}\n> Where do we meet?\n\nAt the usual place.\n\n> Do you have a tent?\n\nYes, a small one.\n")),
    ("quote-between-tight", "swaks", "en", "quote", "Red.\nLarge.\nBy card.", plain(f"{ON}\n> Which colour?\nRed.\n> Which size?\nLarge.\n> How do you pay?\nBy card.\n")),
    ("quote-between-de", "swaks", "de", "quote", "Um acht.\n\nNein, den hat Paul.", plain(f"Am 28.05.26 um 22:26 schrieb {BOB}:\n> Wann kommst du?\n\nUm acht.\n\n> Hast du den Schlüssel?\n\nNein, den hat Paul.\n")),
    ("quote-above-and-below", "swaks", "en", "quote", "Short answer: yes.\n\nLong answer: only if it does not rain.", plain(f"Short answer: yes.\n\n{ON}\n> Is the match on?\n\nLong answer: only if it does not rain.\n")),
    ("quote-two-levels", "swaks", "en", "quote", "That is what I meant.", plain(f"That is what I meant.\n\n{ON}\n> You mean the old one?\n>\n> On Wed, 27 May 2026 at 09:00, Alice Smith <alice@msgs.test> wrote:\n>> Take the old one.\n>> It is in the shed.\n")),
    ("quote-two-levels-below", "swaks", "en", "quote", "Exactly, the green one.", plain(f"{ON}\n> > Take the old one.\n> \n> The green one?\n\nExactly, the green one.\n")),
    ("quote-wrapped-broken", "swaks", "en", "quote", "I will ask her.", plain(f"I will ask her.\n\n{ON}\n> Could you ask your colleague whether she still has the key of the cellar\nroom?\n> It would be needed on Monday.\n")),
    ("quote-indented", "swaks", "en", "quote", "The second from the left.", plain("The second from the left.\n\nBob Jones (SMS) <+15551234567@sms.msgs.test> wrote:\n\n| Which door is it?\n| There are six of them.\n")),
    ("quote-no-attribution", "swaks", "en", "quote", "No, only on weekdays.", plain("> Does the bus run on Sunday?\n\nNo, only on weekdays.\n")),
    ("quote-nbsp", "swaks", "en", "quote", "Fine with me.", plain(f"Fine with me.\n\n{ON}\n>\u00a0Shall we skip this week?\n>\u00a0I am tired.\n")),
    ("quote-wrapped-attribution", "swaks", "en", "quote", "The blue bin is on Thursdays.", plain("The blue bin is on Thursdays.\n\nOn Thursday, the 28th of May 2026, at 22:26:40\nin the evening, Bob Jones (SMS)\n<+15551234567@sms.msgs.test> wrote:\n> Which bin is it tomorrow?\n")),
    ("quote-cited-by-hand", "swaks", "en", "quote", "You asked for the name of the song. It is \"Harbour Lights\".", plain(f"You asked for the name of the song. It is \"Harbour Lights\".\n\n{ON}\n> What was the name of the song?\n")),
    ("quote-own-attribution-like", "swaks", "en", "quote", "On Friday the 5th at 8:30 we meet.\nBring what the doctor wrote: the paper.", plain(f"On Friday the 5th at 8:30 we meet.\nBring what the doctor wrote: the paper.\n\n{ON}\n> When is it?\n")),
    ("quote-address-in-reply", "swaks", "en", "quote", "Please write to office@harbour.example instead:\nthey answer within a day.", plain(f"Please write to office@harbour.example instead:\nthey answer within a day.\n\n{ON}\n> Whom should I ask?\n")),
    ("quote-long-history", "swaks", "en", "quote", "Deal.", plain(f"Deal.\n\n{ON}\n" + "".join(f"> point {n} of the list that we talked about\n" for n in range(1, 30)))),
    ("quote-code-reply", "swaks", "en", "quote", "Use this:\n\nif (a > b) {\n    swap(&a, &b);\n}", plain(f"Use this:\n\nif (a > b) {{\n    swap(&a, &b);\n}}\n\n{ON}\n> How do I sort two numbers?\n")),
    ("quote-only", "swaks", "en", "quote-only", "", (plain(f"{ON}\n> Are you there?\n"), {"held": True})),
    ("quote-only-footer", "swaks", "en", "quote-only", "", (plain(f"Sent from my iPhone\n\n{ON}\n> Are you there?\n"), {"held": True})),
    ("quote-only-signature", "swaks", "de", "quote-only", "", (plain(f"Am 28.05.26 um 22:26 schrieb {BOB}:\n> Bist du da?\n\n-- \nAlice\n"), {"held": True})),
    ("forward-comment", "swaks", "en", "forward", "Please see what the landlord writes.", (plain("Please see what the landlord writes.\n\n---------- Forwarded message ---------\nFrom: Tom Keeper <tom@houses.example>\nDate: Thu, May 28, 2026 at 10:26 PM\nSubject: rent\nTo: <alice@msgs.test>\n\nThe rent goes up by three percent.\n"),
     {"held": True, "alts": ("Please see what the landlord writes.\n\n---------- Forwarded message ---------\nFrom: Tom Keeper <tom@houses.example>\nDate: Thu, May 28, 2026 at 10:26 PM\nSubject: rent\nTo: <alice@msgs.test>\n\nThe rent goes up by three percent.",)})),
    ("forward-bare", "swaks", "en", "forward", "", (plain("---------- Forwarded message ---------\nFrom: Tom Keeper <tom@houses.example>\nDate: Thu, May 28, 2026 at 10:26 PM\nSubject: rent\nTo: <alice@msgs.test>\n\nThe rent goes up by three percent.\n"), {"held": True})),
    # --- MIME and HTML structure
    ("html-only-plain-words", "swaks", "en", "html", "Nothing but a paragraph.", Part("text/html", "<p>Nothing but a paragraph.</p>")),
    ("html-hidden", "swaks", "en", "html", "The visible words.", Part("text/html", '<div style="display:none;max-height:0">preheader that nobody reads</div><p>The visible words.</p><img src="https://track.example/p.gif?u=1" width="1" height="1" alt="">')),
    ("html-entities", "swaks", "en", "html", "Tom & Jerry: 5 < 7, \"quoted\", 3 € – café", Part("text/html", "<p>Tom &amp; Jerry: 5 &lt; 7, &quot;quoted&quot;, 3&nbsp;&euro; &ndash; caf&eacute;</p>", "us-ascii", "7bit")),
    ("html-link-same", "swaks", "en", "html", "See https://example.org/menu for the menu.", Part("text/html", '<div>See <a href="https://example.org/menu">https://example.org/menu</a> for the menu.</div>')),
    ("html-link-text", "swaks", "en", "html", "See the menu.", (Part("text/html", '<div>See <a href="https://example.org/menu">the menu</a>.</div>'), {"must_contain": ("the menu", "https://example.org/menu"), "must_not_contain": ("<a", "href")})),
    ("html-table", "swaks", "en", "html", "Day\tTime\nMon\t08:00\nTue\t09:30", (Part("text/html", "<table><tr><th>Day</th><th>Time</th></tr><tr><td>Mon</td><td>08:00</td></tr><tr><td>Tue</td><td>09:30</td></tr></table>"),
     {"alts": ("Day | Time\nMon | 08:00\nTue | 09:30",)})),
    ("html-stub-plain", "swaks", "en", "mime", "The words are in the HTML part only.", Multi("multipart/alternative", [plain("Your mail program does not show HTML.\n"), Part("text/html", "<p>The words are in the HTML part only.</p>")])),
    ("html-empty-plain", "swaks", "en", "mime", "The plain part is empty.", Multi("multipart/alternative", [plain("\n"), Part("text/html", "<p>The plain part is empty.</p>")])),
    ("html-pre", "swaks", "en", "html", "line one\n    indented\nline three", Part("text/html", "<pre>line one\n    indented\nline three</pre>")),
    ("html-unclosed", "swaks", "en", "html", "Bold and never closed\nnext line", (Part("text/html", "<div><b>Bold and never closed<br>next line"), {"alts": ("*Bold and never closed*\n*next line*", "*Bold and never closed\nnext line*")})),
    ("mixed-attachment", "swaks", "en", "mime", "The photo is attached.", Multi("multipart/mixed", [plain("The photo is attached.\n"), Part("image/png", bytes.fromhex("89504e470d0a1a0a"), None, "base64", '; name="photo.png"', (("Content-Disposition", 'attachment; filename="photo.png"'),))])),
    ("mixed-text-attachment", "swaks", "en", "mime", "The notes are attached.", Multi("multipart/mixed", [plain("The notes are attached.\n"), Part("text/plain", "these notes stay in the file\n", "utf-8", "7bit", '; name="notes.txt"', (("Content-Disposition", 'attachment; filename="notes.txt"'),))])),
    ("related-inline-image", "swaks", "en", "mime", "As you see, it leaks.", Multi("multipart/related", [Part("text/html", '<div>As you see, it leaks.<br><img src="cid:p1" alt=""></div>'), Part("image/png", bytes.fromhex("89504e470d0a1a0a"), None, "base64", "", (("Content-ID", "<p1>"), ("Content-Disposition", "inline")))])),
    ("list-footer", "swaks", "en", "mime", "I agree with the plan.", Multi("multipart/mixed", [plain(f"I agree with the plan.\n\n{ON}\n> Do we agree?\n"), Part("text/plain", "_______________________________________________\nPlanning mailing list\nhttps://lists.example/planning\n", "us-ascii", "7bit", "", (("Content-Disposition", "inline"),))])),
    ("signed-pgp-mime", "swaks", "en", "mime", "Signed, and readable for all.", Multi("multipart/signed", [plain("Signed, and readable for all.\n", "utf-8", "7bit"), Part("application/pgp-signature", "-----BEGIN PGP SIGNATURE-----\n\niQEzBAABCAAdFiEEinventedinventedinvented\n=abcd\n-----END PGP SIGNATURE-----\n", None, "7bit", '; name="signature.asc"')], '; micalg=pgp-sha256; protocol="application/pgp-signature"')),
    ("signed-pgp-clear", "swaks", "en", "mime", "I was here.\n- a list item, dash-escaped", plain("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nI was here.\n- - a list item, dash-escaped\n-----BEGIN PGP SIGNATURE-----\n\niQEzBAABCAAdFiEEinventedinventedinvented\n=abcd\n-----END PGP SIGNATURE-----\n")),
    ("encrypted-pgp", "swaks", "en", "mime-held", "", (Multi("multipart/encrypted", [Part("application/pgp-encrypted", "Version: 1\n", None, "7bit"), Part("application/octet-stream", "-----BEGIN PGP MESSAGE-----\n\nhQEMAinvented\n=abcd\n-----END PGP MESSAGE-----\n", None, "7bit", '; name="encrypted.asc"')], '; protocol="application/pgp-encrypted"'), {"held": True})),
    ("encrypted-inline", "swaks", "en", "mime-held", "", (plain("-----BEGIN PGP MESSAGE-----\n\nhQEMAinventedinventedinventedinventedinvented\n=abcd\n-----END PGP MESSAGE-----\n"), {"held": True})),
    # --- footers and notices of programs
    ("footer-huawei", "swaks", "en", "signature", "I am in the queue.", plain(f"I am in the queue.\n\nSent from my HUAWEI phone\n\n{ON}\n> Are you inside?\n")),
    ("footer-blackberry", "swaks", "en", "signature", "Call me at five.", plain(f"Call me at five.\n\nSent from my BlackBerry® wireless device\n\n-----Original Message-----\nFrom: {BOB}\nDate: Thu, 28 May 2026 20:26:40 \nTo: <alice@msgs.test>\nSubject: call\n\nWhen can I call?\n")),
    ("footer-virus", "swaks", "en", "signature", "The form is filled in.", plain("The form is filled in.\n\n-- \nThis email has been checked for viruses by Avast antivirus software.\nwww.avast.com\n")),
    ("footer-tablet-de", "swaks", "de", "signature", "Alles erledigt.", plain("Alles erledigt.\n\nGesendet mit der GMX Mail App\n\nAm 28.05.26 um 22:26 schrieb Bob Jones (SMS)\n\n> Ist alles erledigt?\n")),
    ("footer-printing", "swaks", "en", "signature", "Here is my answer: no.", plain("Here is my answer: no.\n\nPlease consider the environment before printing this e-mail.\n")),
    ("footer-in-text", "swaks", "en", "passthrough", "It says \"Sent from my iPhone\" under each of your mails.\nYou can turn that off.", plain("It says \"Sent from my iPhone\" under each of your mails.\nYou can turn that off.\n")),
    ("footer-hindi", "swaks", "hi", "signature", "मैं रास्ते में हूँ।", plain("मैं रास्ते में हूँ।\n\nमेरे iPhone से भेजा गया\n")),
    ("footer-greek", "swaks", "el", "signature", "Έρχομαι σε λίγο.", plain("Έρχομαι σε λίγο.\n\nΣτάλθηκε από το iPhone μου\n")),
    ("footer-vietnamese", "swaks", "vi", "signature", "Tôi đang trên đường.", plain("Tôi đang trên đường.\n\nĐã gửi từ iPhone của tôi\n")),
    # --- ordinary mails quoted (no gateway message)
    ("ordinary-colleague", "swaks", "en", "quote", "Tell him that the van is full.", plain("Tell him that the van is full.\n\nOn 28/05/2026 10:15, Carol Hill wrote:\n> Driver asks whether he can take the sofa too.\n>\n> Carol\n")),
    ("ordinary-swiss", "swaks", "de", "quote", "Grüezi, das passt so.", plain("Grüezi, das passt so.\n\n>>> Urs Keller <urs@msgs.test> 28.05.2026 10:15 >>>\nPasst der Termin?\n\nUrs Keller\n")),
    ("ordinary-romanian", "swaks", "ro", "quote", "Vin și eu.", plain("Vin și eu.\n\nPe data de 28.05.2026 la 10:15, Ana Radu a scris:\n> Mergem la film?\n")),
]
