"""Further cases, written after the others and before looking at how an extractor does on them: a check that classes were learned.

WEB as in cases_web.py, TEXT as in cases_text.py.
"""
import clients as c
from cases_text import BOB, ON, delsp, flowed, plain
from mailbox import Multi, Part

ADDR = "+15551234567@sms.msgs.test"


def gmail_plain(r):
    """Gmail's plain text mode: no HTML part."""
    return c.only_plain(r, f"{r.typed}\n\n{c.gmail_break(r.phrase(c.GMAIL))}\n\n{c.quoted_plain(r.quoted)}\n>\n")


def gmail_below(r):
    """The cursor moved below the quotation; the plain part is made from that."""
    attribution = r.phrase(c.GMAIL)
    html = f'<div dir="ltr"><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">{c.attribution_html(r, attribution)}<br></div>' \
           f'<blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">{c.brs(r.quoted)}</blockquote>' \
           f"<div><br></div>{c.divs(r.typed)}</div></div>"
    return c.alternative(r, f"{c.gmail_break(attribution)}\n\n{c.quoted_plain(r.quoted)}\n>\n\n{r.typed}\n", html)


def gmail_pairs(r):
    """Each quoted line answered by the typed line of the same number."""
    return c.gmail_inline(r, zip(r.quoted_lines, r.typed.split("\n")))


def apple_plain(r):
    return c.only_plain(r, f"{r.typed}\n\n{c.quoted_plain(r.phrase(c.APPLE))}\n> \n{c.quoted_plain(r.quoted)}\n", "; delsp=yes; format=flowed")


def outlook_mac(r):
    """Legacy Outlook for Mac: the block in a bordered div, the date in full, no Sent but Date."""
    block = "".join(f"<b>{key}: </b>{c.escape(value)}<br>" for key, value in (("From", f"{r.who} <{r.addr}>"), ("Date", "Thursday, 28 May 2026 at 22:26"),
                                                                          ("To", f"{r.me} <{r.mine}>"), ("Subject", r.subject)))
    html = f'<html><head></head><body lang="en-DE" link="#0563C1"><div class="WordSection1">{c.mso(r.typed)}<p class="MsoNormal"><o:p>&nbsp;</o:p></p><div id="mail-editor-reference-message-container">' \
           f'<div style="border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal" style="margin-bottom:12.0pt"><span style="font-size:12.0pt;color:black">{block}</span></p></div>' \
           f"{c.mso(r.quoted)}</div></div></body></html>"
    plain_text = f"{r.typed}\n\n\nFrom: {r.who} <{r.addr}>\nDate: Thursday, 28 May 2026 at 22:26\nTo: {r.me} <{r.mine}>\nSubject: {r.subject}\n{r.quoted}\n"
    return c.alternative(r, plain_text, html)


def outlook_stars(r):
    """The plain part made of HTML by others: the keys are bold, so they stand in asterisks."""
    return c.only_plain(r, f"{r.typed}\n\n" + "\n".join(f"*{key}:* {value}" for key, value in c.header_block(r)) + f"\n\n{r.quoted}\n")


def tutanota(r):
    html = f'<div>{c.divs(r.typed)}</div><div><br></div><div>--<br>Sent with Tuta; enjoy secure &amp; ad-free emails.<br></div><div><br></div>28 May 2026, 22:26 by {c.link(r.addr)}:<br>' \
           f'<blockquote class="tutanota_quote" style="border-left: 1px solid #93A3B8; padding-left: 10px; margin-left: 5px;">{c.brs(r.quoted)}</blockquote>'
    return c.only_html(r, html)


def airmail(r):
    html = f'<html><body><div id="bloop_customfont" style="font-family:Helvetica,Arial;font-size:13px;">{c.divs(r.typed)}</div> <br> <div class="gmail_signature"></div> <br>' \
           f'<p class="airmail_on">On 28 May 2026 at 22:26:40, {c.escape(r.who)} ({c.link(r.addr)}) wrote:</p> <blockquote type="cite" class="clean_bq"><span><div><div></div><div>{c.brs(r.quoted)}</div></div></span></blockquote></body></html>'
    return c.alternative(r, f"{r.typed}\n\nOn 28 May 2026 at 22:26:40, {r.who} ({r.addr}) wrote:\n\n{r.quoted}\n", html)


def libero(r):
    """An Italian webmail: dashes, bold keys, unquoted history."""
    return c.only_plain(r, f"{r.typed}\n\n----Messaggio originale----\nDa: {r.addr}\nData: 28-mag-2026 22.26\nA: <{r.mine}>\nOgg: {r.subject}\n\n{r.quoted}\n")


def daum(r):
    html = f'<div style="font-family:Gulim; font-size:10pt;">{c.divs(r.typed, "p")}<p><br></p><blockquote style="font-size:9pt;margin:0 0 0 10px;padding-left:10px;border-left:2px solid #D0D0D0">' \
           f"<div>--------- 원본 메일 ---------</div><div><b>보낸사람</b>: {c.escape(r.who)} &lt;{r.addr}&gt;</div><div><b>받는사람</b> : {r.me} &lt;{r.mine}&gt;</div><div><b>날짜</b>: 2026년 5월 28일 목요일, 22시 26분 40초 +0900</div>" \
           f"<div><b>제목</b>: {c.escape(r.subject)}</div><br>{c.brs(r.quoted)}</blockquote></div>"
    return c.only_html(r, html)


def hey(r):
    html = f'<div class="trix-content">{c.divs(r.typed)}<div><br></div></div><div class="trix-content"><div>On May 28, 2026, {c.escape(r.who)} &lt;{r.addr}&gt; wrote:</div><blockquote>{c.brs(r.quoted)}</blockquote></div>'
    return c.alternative(r, f"{r.typed}\n\nOn May 28, 2026, {r.who} <{r.addr}> wrote:\n{c.quoted_plain(r.quoted)}\n", html)


WEB = [
    ("gmail-plain-de", gmail_plain, "de", "quote", "Das Fahrrad steht im Hof, der Schlüssel hängt am Haken.", "Wo finde ich das Fahrrad?", {"who": "Annegret Süß (SMS)"}),
    ("gmail-plain-fr", gmail_plain, "fr", "quote", "La fenêtre est réparée depuis hier.", "La fenêtre ferme-t-elle de nouveau ?", {"who": "Timothée Prévost (SMS)"}),
    ("gmail-plain-tr", gmail_plain, "tr", "quote", "Evrakı salı günü imzaladım.", "Evrakı imzaladınız mı?", {"who": "Şükrü Çelik (SMS)"}),
    ("gmail-plain-hu", gmail_plain, "hu", "quote", "A kulcs a szomszédnál van.", "Hol találom a kulcsot?", {"who": "Ördög Ákos (SMS)"}),
    ("gmail-plain-ru", gmail_plain, "ru", "quote", "Машина в ремонте до пятницы.", "Вы на машине?", {"who": "Фёдор Ежов (SMS)", "charset": "koi8-r"}),
    ("gmail-plain-ja", gmail_plain, "ja", "quote", "資料は机の上に置きました。", "資料はどこですか。", {"who": "石井 誠 (SMS)"}),
    ("gmail-plain-ko", gmail_plain, "ko", "quote", "회의는 열 시로 옮겼습니다.", "회의가 몇 시죠?", {"who": "강다은 (SMS)"}),
    ("gmail-plain-zh", gmail_plain, "zh", "quote", "钥匙在门卫那里。", "钥匙在哪里？", {"who": "周涛 (SMS)"}),
    ("gmail-plain-lv", gmail_plain, "lv", "quote", "Brauciens ir pārcelts uz svētdienu.", "Kad brauksim?", {"who": "Ģirts Šmits (SMS)"}),
    ("gmail-below-en", gmail_below, "en", "html", "Gate B, next to the fountain.", "Which gate shall we use?", {}),
    ("gmail-below-es", gmail_below, "es", "html", "En la segunda planta, al fondo.", "¿Dónde está la oficina?", {"who": "Ramón Ibáñez (SMS)"}),
    ("gmail-inline-en", gmail_pairs, "en", "html", "A week at most.\nIn cash.", "How long will it take?\nHow shall I pay?", {}),
    ("gmail-inline-it", gmail_pairs, "it", "html", "Alle nove.\nNo, da solo.", "A che ora arrivi?\nVieni con Paola?", {"who": "Giosuè Conti (SMS)"}),
    ("gmail-inline-uk", gmail_pairs, "uk", "html", "О шостій.\nТак, візьму.", "О котрій приїдеш?\nВізьмеш парасольку?", {"who": "Євген Ґудзь (SMS)"}),
    ("apple-plain-en", apple_plain, "en", "quote", "The fuse is in the cellar, third from the left.", "The lights went out, where is the fuse?", {}),
    ("apple-plain-fi", apple_plain, "fi", "quote", "Avain on naapurilla.", "Missä avain on?", {"who": "Aino Järvi (SMS)"}),
    ("apple-plain-tr", apple_plain, "tr", "quote", "Toplantı saat ikide.", "Toplantı kaçta?", {"who": "Ömer Uçar (SMS)"}),
    ("apple-plain-ko", apple_plain, "ko", "quote", "주소는 문자로 보낼게요.", "주소가 뭐예요?", {"who": "서준 (SMS)"}),
    ("apple-sv", c.apple_mail, "sv", "html", "Nyckeln ligger under krukan.", "Var är nyckeln?", {"who": "Åke Ström (SMS)"}),
    ("apple-pl", c.apple_mail, "pl", "html", "Spotkanie przełożone na środę.", "Spotkanie aktualne?", {"who": "Błażej Górski (SMS)"}),
    ("apple-nl", c.apple_mail, "nl", "html", "De rekening is betaald.", "Is de rekening betaald?", {"who": "Thijs Kok (SMS)"}),
    ("iphone-no", c.iphone, "no", "signature", "Toget er i rute, sees snart.", "Er toget i rute?", {"who": "Øyvind Lie (SMS)"}),
    ("iphone-cs", c.iphone_plain, "cs", "signature", "Budu tam v sedm.", "V kolik přijdeš?", {"who": "Zdeňka Nová (SMS)", "attribution": f"28. 5. 2026 v 22:26, Zdeňka Nová (SMS) <{ADDR}>:"}),
    ("outlook-mac-en", outlook_mac, "en", "html", "We ship on Monday, the tracking number follows.", "When will you ship?", {}),
    ("outlook-stars-en", outlook_stars, "en", "quote", "The quote is valid for 30 days.", "How long is the offer valid?", {}),
    ("outlook-stars-nl", outlook_stars, "nl", "quote", "De offerte is dertig dagen geldig.", "Hoe lang geldt de offerte?", {"who": "Femke Bakker (SMS)"}),
    ("outlook-it", c.outlook_desktop, "it", "html", "La consegna è prevista per venerdì.", "Quando consegnate?", {"who": "Nicolò Ferrè (SMS)"}),
    ("outlook-da", c.outlook_desktop, "da", "html", "Vi lukker klokken fire på fredage.", "Hvornår lukker I?", {"who": "Bjørn Skov (SMS)"}),
    ("outlook-th", c.outlook_desktop, "th", "html", "ใบเสร็จส่งไปแล้วเมื่อวานนี้ค่ะ", "ขอใบเสร็จด้วยค่ะ", {"who": "สุดา แสงดี (SMS)"}),
    ("outlook-vi", c.owa, "vi", "html", "Hóa đơn đã được gửi hôm qua.", "Khi nào có hóa đơn?", {"who": "Trần Văn Đức (SMS)"}),
    ("outlook-zh-tw", c.outlook_desktop, "zh-tw", "html", "報價單今天下午會寄出。", "報價單何時寄出？", {"who": "陳怡安 (SMS)", "charset": "big5", "cte": "base64"}),
    ("outlook-sl", c.owa, "sl", "html", "Naročilo je na poti.", "Kje je moje naročilo?", {"who": "Žiga Čuk (SMS)"}),
    ("outlook-plain-sv", c.outlook_plain, "sv", "quote", "Vi har öppet till sex.", "Hur länge har ni öppet?", {"who": "Märit Ås (SMS)"}),
    ("outlook-plain-pt", c.outlook_plain, "pt", "quote", "A peça chega na terça.", "Quando chega a peça?", {"who": "Inácio Leão (SMS)"}),
    ("outlook-plain-tr", c.outlook_plain, "tr", "quote", "Fiyat listesi ektedir.", "Fiyat listesi var mı?", {"who": "Gökçe Ünal (SMS)", "charset": "iso-8859-9", "cte": "8bit"}),
    ("outlook-ios-nl", c.outlook_mobile, "nl", "signature", "Akkoord, ga je gang.", "Mag ik het bestellen?", {"who": "Loïs Smit (SMS)"}),
    ("outlook-ios-pl", c.outlook_mobile, "pl", "signature", "Zgoda, proszę zamówić.", "Zamówić?", {"who": "Grażyna Łoś (SMS)"}),
    ("tutanota-en", tutanota, "en", "signature", "I moved the boxes into the attic.", "Where did the boxes go?", {}),
    ("airmail-en", airmail, "en", "html", "The second draft is much better.", "What do you think of the draft?", {}),
    ("libero-it", libero, "it", "quote", "Il treno parte dal binario quattro.", "Da quale binario parte?", {"who": "Ginevra Rossi (SMS)"}),
    ("daum-ko", daum, "ko", "html", "사진은 내일 보낼게요.", "사진 좀 보내 주세요.", {"who": "임채원 (SMS)", "cte": "base64"}),
    ("hey-en", hey, "en", "html", "Not this month, I am afraid.", "Do you have a slot for us?", {}),
    ("samsung-es", c.samsung, "es", "signature", "Ya lo he comprado", "¿Compras tú el pan?", {"who": "Iñaki Goñi (SMS)"}),
    ("samsung-pl", c.samsung, "pl", "signature", "Jestem na miejscu", "Gdzie jesteś?", {"who": "Stanisław Łęcki (SMS)"}),
    ("k9-fr", c.k9, "fr", "signature", "Le code est 7 puis étoile.", "Quel est le code ?", {"who": "Maëlle Roux (SMS)"}),
    ("horde-es", c.horde, "es", "quote", "La llave está en recepción.", "¿Dónde está la llave?", {"who": "Aitana Gómez (SMS)"}),
    ("zimbra-de", c.zimbra, "de", "html", "Das Büro ist bis Mittwoch geschlossen.", "Ist das Büro offen?", {"who": "Elfriede Maß (SMS)"}),
    ("yahoo-de", c.yahoo, "de", "html", "Heute leider nicht mehr.", "Hast du noch Zeit?", {"who": "Rüdiger Kühl (SMS)",
     "attribution": f"Am Donnerstag, 28. Mai 2026 um 22:26:40 MESZ hat Rüdiger Kühl (SMS) <{ADDR}> Folgendes geschrieben:"}),
]

FOOTERS = [("ro", "Ajung în zece minute.", "Trimis de pe iPhone-ul meu"), ("uk", "Зателефоную ввечері.", "Надіслано з iPhone"), ("id", "Saya sudah di jalan.", "Dikirim dari iPhone saya"),
           ("hu", "Már úton vagyok.", "Az iPhone készülékemről küldve"), ("sk", "Som na ceste.", "Odoslané z iPhonu"), ("hr", "Stižem za pet minuta.", "Poslano s mog iPhonea"),
           ("th", "กำลังไปค่ะ", "ส่งจาก iPhone ของฉัน"), ("ar", "أنا في الطريق.", "تم الإرسال من الـ iPhone الخاص بي"), ("ca", "Ja hi soc.", "Enviat des del meu iPhone"),
           ("bg", "Идвам след малко.", "Изпратено от моя iPhone")]
LEGAL = {
    "it": ("L'appuntamento è confermato.", "Le informazioni contenute in questo messaggio di posta elettronica sono riservate e destinate esclusivamente al destinatario. Qualora abbiate ricevuto questo messaggio per errore, vi preghiamo di informare il mittente e di cancellarlo."),
    "nl": ("De afspraak staat.", "De informatie in dit e-mailbericht is vertrouwelijk en uitsluitend bestemd voor de geadresseerde. Als u dit bericht per abuis heeft ontvangen, verzoeken wij u de afzender te informeren en het bericht te verwijderen."),
    "pt": ("A visita está confirmada.", "Esta mensagem e os seus anexos podem conter informação confidencial e destinam-se exclusivamente ao destinatário. Se a recebeu por engano, por favor informe o remetente e elimine-a."),
    "pl": ("Wizyta potwierdzona.", "Ta wiadomość oraz załączniki mogą zawierać informacje poufne i są przeznaczone wyłącznie dla adresata. Jeśli otrzymali Państwo tę wiadomość omyłkowo, prosimy o powiadomienie nadawcy i jej usunięcie."),
    "ru": ("Встреча подтверждена.", "Это сообщение и все вложения содержат конфиденциальную информацию и предназначены исключительно для адресата. Если вы получили это сообщение по ошибке, пожалуйста, сообщите об этом отправителю и удалите его."),
    "sv": ("Besöket är bokat.", "Detta meddelande och bifogade filer är konfidentiella och avsedda endast för mottagaren. Om du har fått meddelandet av misstag, vänligen meddela avsändaren och radera det."),
}


def own(name, text, lang="en", **more):
    """A new mail: all of it is the writer's."""
    return (f"fresh-{name}", "swaks", lang, "passthrough", text, (plain(text + "\n"), more))


TEXT = [
    *((f"footer-{lang}", "swaks", lang, "signature", typed, plain(f"{typed}\n\n{footer}\n")) for lang, typed, footer in FOOTERS),
    *((f"legal-{lang}", "swaks", lang, "signature", typed, plain(f"{typed}\n\n{legal}\n")) for lang, (typed, legal) in LEGAL.items()),
    own("weekdays", "Opening hours\nFrom Monday to Friday: 8 to 18\nOn Saturday: 9 to 12"),
    own("to-do", "To do: paint the fence.\nTo buy: two brushes.\nDate: tomorrow, if it is dry."),
    own("subject-to", "Subject to change: the trip leaves on Friday at 7:30.\nFrom the bus station, not from the school."),
    own("heart", "Sent from my heart, happy birthday!"),
    own("wrote-a-song", "Yesterday at 10:30 PM Tom wrote a song:\nit is about a river and a boat."),
    own("le-3-juin", "Le 3 juin, Paul a écrit : « non ».\nLe 4 juin, il a dit oui.", "fr"),
    own("json", "Send exactly this:\n{\n  \"to\": \"+15551234567\",\n  \"from\": \"me\",\n  \"text\": \"hi\"\n}"),
    own("double-dash-list", "Still missing:\n-- the keys\n-- the papers\n-- the money"),
    own("poem", "the river\n   runs\n      away\n\n-\n\nand we stay"),
    own("minutes", "Minutes\n=======\n\n10:00 start\n10:15 Anna wrote the report\n11:00 end"),
    own("phone-list", "Anna: +1 555 010 0101\nBen: +1 555 010 0102\nCall Ben first."),
    own("mail-address-end", "New address from June on:\nalice.smith@harbour.example"),
    own("disclaimer-word", "This message is confidential: the party is on Friday, do not tell her!"),
    own("regards-in", "Best wishes to your mother, and kind regards to Tom!"),
    own("gruesse-in", "Liebe Grüße soll ich dir von Oma ausrichten.", "de"),
    own("original-message", "Your original message said six, the poster says seven. Which is right?"),
    own("underscores", "Fill in: name ________ age ____\nand bring it along."),
    own("equation", "x > 3 and y > 4\nz > x\nso all is well"),
    own("question-mark", "?"),
    own("ja-own", "田中さんは昨日こう書きました：明日は休みます。", "ja"),
    own("ru-own", "Вчера в 10:30 Иван написал: буду поздно.", "ru"),
    ("quote-html-colours", "swaks", "en", "html", "Agreed, let us do it on the 12th.", Multi("multipart/alternative", [plain(f"Agreed, let us do it on the 12th.\n\n{ON}\n> Shall we say the 12th?\n"),
     Part("text/html", f'<p style="color:#1f497d">Agreed, let us do it on the <b>12th</b>.</p><p>{ON.replace("<", "&lt;").replace(">", "&gt;")}</p><blockquote>Shall we say the 12th?</blockquote>')])),
    ("quote-three-levels", "swaks", "en", "quote", "Let us leave it at that.", plain(f"Let us leave it at that.\n\n{ON}\n> I would rather not.\n>\n> > On Wed, 27 May 2026, Alice Smith <alice@msgs.test> wrote:\n> > Would you?\n> >\n> > > On Tue, 26 May 2026, {BOB} wrote:\n> > > I could.\n")),
    ("quote-mixed-block", "swaks", "en", "quote", "Please close the ticket.", plain(f"Please close the ticket.\n\n{ON}\n> It works now.\n>\n> From: Alice Smith <alice@msgs.test>\n> Sent: Wednesday, 27 May 2026 09:00\n> To: Bob Jones\n> Subject: ticket\n>\n> Does it work?\n")),
    ("quote-crlf-tabs", "swaks", "en", "quote", "Left, then left again.", plain(f"Left, then left again.\n\n{ON}\n>\tHow do I get there?\n>\n>\tBob\n")),
    ("quote-empty-lines", "swaks", "en", "quote", "Nothing to add.", plain(f"\n\n\nNothing to add.\n\n\n\n\n{ON}\n\n\n\n> Anything to add?\n\n\n\n")),
    ("quote-reply-with-colon", "swaks", "en", "quote", "Two things:\n1. The door was open.\n2. Nobody was there.", plain(f"Two things:\n1. The door was open.\n2. Nobody was there.\n\n{ON}\n> What did you see?\n")),
    ("quote-between-paragraphs", "swaks", "en", "quote", "It is.\nWe opened it on Monday.\n\nIt costs four pounds.\nChildren are free.", plain(f"{ON}\n> Is the pool open?\n\nIt is.\nWe opened it on Monday.\n\n> And what does it cost?\n\nIt costs four pounds.\nChildren are free.\n\n-- \nAlice\n")),
    ("quote-greeting-above", "swaks", "en", "quote", "Hello Bob,\n\nyes, that is right.", plain(f"Hello Bob,\n\n{ON}\n> Is it on the third floor?\n\nyes, that is right.\n")),
    ("quote-dashes-attribution", "swaks", "en", "quote", "It is done.", plain(f"It is done.\n\n--- {BOB} wrote (28.05.2026 22:26):\n\n> Is it done?\n")),
    ("quote-arrow-attribution", "swaks", "sv", "quote", "Det är klart.", plain(f"Det är klart.\n\n2026-05-28 22:26 skrev {BOB}:\n> Är det klart?\n")),
    ("flowed-between", "swaks", "en", "quote", "We have thought about it for a long time and we would like to take the smaller of the two rooms.\n\nNo.",
     flowed(f"{ON}\n> Which of the rooms would you like to have, the one with the view or \n> the smaller one?\n\nWe have thought about it for a long time and we would like to take the \nsmaller of the two rooms.\n\n> Any pets?\n\nNo.\n")),
    ("delsp-zh", "swaks", "zh", "mime", "这是一个很长的句子，为了传输被分成了几行，但是收到之后应该重新合并成一段。", delsp("这是一个很长的句子，为了传输被 \n分成了几行，但是收到之后应该 \n重新合并成一段。\n")),
    ("html-nested-signature", "swaks", "en", "signature", "The keys are with the porter.", Multi("multipart/alternative", [plain(f"The keys are with the porter.\n\n-- \nAlice Smith\nHarbour Ltd\n\n{ON}\n> Where are the keys?\n"),
     Part("text/html", f'<div>The keys are with the porter.</div><div class="moz-signature">-- <br>Alice Smith<br>Harbour Ltd</div><div class="moz-cite-prefix">{ON.replace("<", "&lt;").replace(">", "&gt;")}<br></div><blockquote type="cite">Where are the keys?</blockquote>')])),
    ("html-strikethrough-list", "swaks", "en", "html", "First wash\nThen dry", (Part("text/html", "<ol><li>First wash</li><li>Then dry</li></ol>"), {"alts": ("1. First wash\n2. Then dry",)})),
    ("html-divs-no-breaks", "swaks", "en", "html", "one\ntwo\n\nthree", Part("text/html", "<html><body><div>one</div><div>two</div><div><br></div><div>three</div></body></html>")),
    ("html-entity-quotes", "swaks", "fr", "html", "J’ai dit « oui » à 18 h 30.", Part("text/html", "<p>J&rsquo;ai dit &laquo;&nbsp;oui&nbsp;&raquo; &agrave; 18&nbsp;h&nbsp;30.</p>")),
    ("html-mobile-viewport", "swaks", "en", "html", "See you at the pier.", Part("text/html", '<!DOCTYPE html><html><head><meta name="viewport" content="width=device-width"><title>Re: pier</title><style>p{margin:0}</style></head><body><p>See you at the pier.</p></body></html>')),
    ("mixed-photo-only-caption", "swaks", "en", "mime", "The broken pipe", Multi("multipart/mixed", [Multi("multipart/alternative", [plain("The broken pipe\n"), Part("text/html", "<div>The broken pipe</div><div><img src=\"cid:a\"></div>")]),
     Part("image/jpeg", bytes.fromhex("ffd8ffe0"), None, "base64", '; name="IMG_2031.jpg"', (("Content-Disposition", 'inline; filename="IMG_2031.jpg"'),))])),
    ("mixed-vcard", "swaks", "en", "mime", "Her card is attached.", Multi("multipart/mixed", [plain("Her card is attached.\n"), Part("text/vcard", "BEGIN:VCARD\nVERSION:4.0\nFN:Anna Example\nEND:VCARD\n", "utf-8", "7bit", '; name="anna.vcf"', (("Content-Disposition", 'attachment; filename="anna.vcf"'),))])),
    ("mixed-two-texts", "swaks", "en", "mime", "Above the picture.\n\nBelow the picture.", Multi("multipart/mixed", [plain("Above the picture.\n"), Part("image/png", bytes.fromhex("89504e470d0a1a0a"), None, "base64", "", (("Content-Disposition", "inline"),)), plain("Below the picture.\n")])),
]
