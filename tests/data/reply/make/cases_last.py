"""A third list, blind as the second: WEB as in cases_web.py, TEXT as in cases_text.py."""
import clients as c
from cases_more import gmail_below, gmail_pairs, gmail_plain, own
from cases_text import BOB, ON, flowed, plain
from mailbox import Multi, Part


def outlook_new(r):
    """The new Outlook: divs of the editor, a reference container, the block below a ruled line."""
    block = "<br>\n".join(f"<strong>{key}:</strong>&nbsp;{c.escape(value)}" for key, value in c.header_block(r))
    html = f'<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body dir="ltr"><div class="elementToProof" style="font-family: Aptos, sans-serif;">{c.brs(r.typed)}</div>' \
           f'<div id="ms-outlook-mobile-body-separator-line" dir="ltr"><br></div><div id="mail-editor-reference-message-container"><div style="padding: 3pt 0in 0in; border-width: 1pt medium medium; border-style: solid none none; ' \
           f'border-color: rgb(181, 196, 223) currentcolor currentcolor;" dir="ltr"><span style="font-family: Aptos;">{block}</span></div><div class="WordSection1"><p>{c.brs(r.quoted)}</p></div></div></body></html>'
    return c.only_html(r, html)


def superhuman(r):
    html = f'<div><div>{c.divs(r.typed)}</div><div><br></div><div>Sent via <a href="https://sprh.mn">Superhuman</a></div><br><div class="sh-quoted-content"><div>On Thu, May 28, 2026 at 10:26 PM, {c.escape(r.who)} ' \
           f'<span dir="ltr">&lt;{c.link(r.addr)}&gt;</span> wrote:<br></div><blockquote style="margin:0 0 0 .8ex;border-left:1px #ccc solid;padding-left:1ex">{c.brs(r.quoted)}</blockquote></div></div>'
    return c.alternative(r, f"{r.typed}\n\nSent via Superhuman ( https://sprh.mn )\n\nOn Thu, May 28, 2026 at 10:26 PM, {r.who} < {r.addr} > wrote:\n\n{c.quoted_plain(r.quoted)}\n", html)


def front(r):
    html = f'<div>{c.divs(r.typed)}</div><br><div class="front-signature">Alice Smith<br>Harbour Ltd</div><br><div>On May 28, 2026 at 10:26 PM GMT+2 <a href="mailto:{r.addr}">{r.addr}</a> wrote:</div><blockquote type="cite" class="front-blockquote">{c.brs(r.quoted)}</blockquote>'
    return c.only_html(r, html)


def kmail(r):
    return c.only_plain(r, f"On Thursday, May 28, 2026 10:26:40 PM Central European Summer Time {r.who} wrote:\n{c.quoted_plain(r.quoted)}\n\n{r.typed}\n\n\n")


def alpine(r):
    return c.only_plain(r, f"On Thu, 28 May 2026, {r.who} wrote:\n\n{c.quoted_plain(r.quoted)}\n\n{r.typed}\n")


def web_de(r):
    return c.only_plain(r, f"{r.typed}\n-- \nDiese Nachricht wurde von meinem Android Mobiltelefon mit WEB.DE Mail gesendet.\n\nAm 28.05.26, 22:26, {r.who} <{r.addr}> schrieb:\n\n{c.quoted_plain(r.quoted)}\n")


def wp_pl(r):
    html = f'<div>{c.divs(r.typed)}</div><br><div class="nh_extra"><p>Dnia 28 maja 2026 22:26 {c.escape(r.who)} &lt;{r.addr}&gt; napisał(a):</p><blockquote style="margin-left: 7px; border-left: 2px solid orange; padding-left: 8px;"><p>{c.brs(r.quoted)}</p></blockquote></div>'
    return c.alternative(r, f"{r.typed}\n\nDnia 28 maja 2026 22:26 {r.who} <{r.addr}> napisał(a):\n\n{c.quoted_plain(r.quoted)}\n", html)


def seznam(r):
    html = f'<div>{c.divs(r.typed)}</div><br><aside>---------- Původní e-mail ----------<br>Od: {c.escape(r.who)} &lt;{r.addr}&gt;<br>Komu: {r.mine}<br>Datum: 28. 5. 2026 22:26:40<br>Předmět: {c.escape(r.subject)}</aside><br><blockquote data-email="{r.addr}">{c.brs(r.quoted)}</blockquote>'
    return c.only_html(r, html)


def orange_fr(r):
    return c.only_plain(r, f"{r.typed}\n\n> Message du 28/05/26 22:26\n> De : \"{r.who}\" <{r.addr}>\n> A : {r.mine}\n> Copie à : \n> Objet : {r.subject}\n> \n{c.quoted_plain(r.quoted)}\n")


WEB = [
    ("outlook-new-en", outlook_new, "en", "html", "The spare parts are in stock.", "Do you have spare parts?", {}),
    ("outlook-new-de", outlook_new, "de", "html", "Die Ersatzteile liegen bereit.", "Haben Sie Ersatzteile?", {"who": "Dörte Süßmilch (SMS)"}),
    ("superhuman-en", superhuman, "en", "signature", "Let us skip the call and decide here.", "Call at four?", {}),
    ("front-en", front, "en", "signature", "Your refund was issued today.", "Where is my refund?", {}),
    ("kmail-en", kmail, "en", "quote", "Version 5, since last week.", "Which version do you run?", {}),
    ("alpine-en", alpine, "en", "quote", "The archive is complete again.", "Is the archive complete?", {}),
    ("webde-android", web_de, "de", "signature", "Ich nehme den Bus um acht.", "Welchen Bus nimmst du?", {"who": "Lothar Käß (SMS)"}),
    ("wp-pl", wp_pl, "pl", "html", "Samochód będzie gotowy w piątek.", "Kiedy będzie gotowy samochód?", {"who": "Józef Żuraw (SMS)"}),
    ("seznam-cs", seznam, "cs", "html", "Balík dorazil v pořádku.", "Dorazil balík?", {"who": "Růžena Dvořáková (SMS)"}),
    ("orange-fr", orange_fr, "fr", "quote", "Le chèque est parti ce matin.", "Avez-vous envoyé le chèque ?", {"who": "Cédric Aubépine (SMS)"}),
    ("gmail-plain-cs", gmail_plain, "cs", "quote", "Vlak odjíždí z prvního nástupiště.", "Odkud jede vlak?", {"who": "Přemysl Hůlka (SMS)"}),
    ("gmail-plain-el", gmail_plain, "el", "quote", "Το κλειδί είναι κάτω από τη γλάστρα.", "Πού είναι το κλειδί;", {"who": "Σοφία Γεωργίου (SMS)"}),
    ("gmail-plain-ar", gmail_plain, "ar", "quote", "المفتاح عند الجار.", "أين المفتاح؟", {"who": "نور حسن (SMS)"}),
    ("gmail-plain-th", gmail_plain, "th", "quote", "กุญแจอยู่ใต้กระถางต้นไม้", "กุญแจอยู่ไหน", {"who": "มานี (SMS)"}),
    ("gmail-below-ja", gmail_below, "ja", "html", "鍵は植木鉢の下です。", "鍵はどこですか。", {"who": "小川 恵 (SMS)"}),
    ("gmail-below-pl", gmail_below, "pl", "html", "Klucz jest pod doniczką.", "Gdzie jest klucz?", {"who": "Róża Cień (SMS)"}),
    ("gmail-inline-ko", gmail_pairs, "ko", "html", "세 시요.\n둘이서요.", "몇 시에 와요?\n몇 명이에요?", {"who": "백현 (SMS)"}),
    ("iphone-ru-plain", c.iphone_plain, "ru", "signature", "Ключ под горшком.", "Где ключ?", {"who": "Жанна Цой (SMS)"}),
    ("iphone-pt", c.iphone, "pt", "signature", "A chave está com o porteiro.", "Onde está a chave?", {"who": "Antônio Falcão (SMS)"}),
    ("outlook-no", c.outlook_plain, "no", "quote", "Nøkkelen ligger i postkassen.", "Hvor er nøkkelen?", {"who": "Håkon Sæther (SMS)"}),
    ("outlook-ro", c.outlook_desktop, "ro", "html", "Cheia este la recepție.", "Unde este cheia?", {"who": "Iuliana Sârbu (SMS)"}),
    ("outlook-uk", c.outlook_desktop, "uk", "html", "Ключ у сусідки.", "Де ключ?", {"who": "Ґеля Їжакевич (SMS)"}),
    ("outlook-hu", c.owa, "hu", "html", "A kulcs a portán van.", "Hol van a kulcs?", {"who": "Bőgős Ödön (SMS)"}),
]
# Lines of one's own that begin with the sign of a quotation may be held.
TEXT = [
    own("schedule", "Tomorrow 9:00 Carla sends the list\nTomorrow 9:30 Ben answers\nThen we meet"),
    own("she-said", "At 8:15 AM she said: I am on my way.\nAt 9 she was still at home."),
    own("am-3-juni", "Am 3. Juni 2026 um 14:00 Uhr trifft sich der Vorstand:\nbitte pünktlich sein.", "de"),
    own("el-lunes", "El lunes 1 de junio a las 10:00 escribió el banco:\nnecesitan otra firma.", "es"),
    own("recipe", "500 g flour\n1 tsp salt\n---\nMix, wait an hour, bake.\n---\nEnjoy!"),
    own("sent-from-airport", "Sent from the airport: we land at ten."),
    own("get-outlook", "Get the ladder from the shed and come to the roof."),
    own("thanks-name", "Thanks Tom"),
    own("cheers", "Cheers! That was quick."),
    own("signature-word", "We need your signature:\n-- on page 2\n-- on page 7"),
    own("arrows", "start > middle > end\n>>> this way >>>\nand out", held=True),
    own("commands", "$ ls -l\n> cat file\n# reboot\nthat is all", held=True),
    own("contract-clause", "Please add this clause: the tenant shall notify the landlord in writing and delete all copies of the key code."),
    own("zh-own", "他昨天写道：我不来了。你知道为什么吗？", "zh"),
    own("long-line", "word " * 300 + "end"),
    ("quote-last-word-colon", "swaks", "en", "quote", "What he wants to know:", plain(f"What he wants to know:\n\n{ON}\n> Nothing at all.\n")),
    ("quote-paste-below", "swaks", "en", "quote", "Here is the log:\n\n10:31:02 start\n10:31:05 fail\n10:31:09 stop\n\nNo idea why.", plain(f"Here is the log:\n\n10:31:02 start\n10:31:05 fail\n10:31:09 stop\n\nNo idea why.\n\n{ON}\n> What does the log say?\n")),
    ("quote-between-no-blank-end", "swaks", "en", "quote", "Yes.\nNo.\nPerhaps.", plain(f"{ON}\n>Did you call?\nYes.\n>Did he answer?\nNo.\n>Will he?\nPerhaps.")),
    ("quote-bracket-attribution", "swaks", "en", "quote", "I like it.", plain(f"I like it.\n\n[{BOB}, 2026-05-28 22:26]\n> Do you like the new sign?\n")),
    ("quote-attribution-two-lines", "swaks", "de", "quote", "Das Dach ist dicht.", plain("Das Dach ist dicht.\n\nAm Donnerstag, 28. Mai 2026, 22:26:40 MESZ\nhat Bob Jones (SMS) <+15551234567@sms.msgs.test>\nFolgendes geschrieben:\n\n> Ist das Dach dicht?\n")),
    ("flowed-signature", "swaks", "en", "signature", "We will take the boat at seven and hope that the sea is calm, because my sister does not like waves at all.",
     flowed("We will take the boat at seven and hope that the sea is calm, because my \nsister does not like waves at all.\n\n-- \nAlice Smith\nHarbour Ltd\n")),
    ("html-body-text", "swaks", "en", "html", "Bare text in the body, no element around it.", Part("text/html", "<html><body>Bare text in the body, no element around it.</body></html>")),
    ("html-comment", "swaks", "en", "html", "Before and after.", Part("text/html", "<p>Before <!-- > not <b>this</b> -->and after.</p><!--[if mso]><p>only for Word</p><![endif]-->")),
    ("html-quote-in-own-text", "swaks", "en", "html", "My grandmother used to say:\nEvery pot finds its lid.\nShe was right.", Part("text/html", "<p>My grandmother used to say:</p><p>Every pot finds its lid.</p><p>She was right.</p>")),
]
