"""Rarer programs and texts: The Bat!, Eudora, Pine, KMail, Open-Xchange, eM Client, Postbox, trackers; header blocks with
wrapped or single lines; cards and notices without a mark. Written before any extractor saw them."""
from cases_forms import above, html, whole
from mailbox import Multi, Part


def both(category, *rows):
    """(id, language, typed, plain, HTML): the two forms of one mail."""
    return [(name, "swaks", lang, category, typed, Multi("multipart/alternative", [Part("text/plain", text), Part("text/html", page)]))
            for name, lang, typed, text, page in rows]


ATTRIBUTIONS = above(
    "quote",
    ("rare-bat-en", "en", "The ladder is in the shed.", "Thursday, May 28, 2026, 10:26:31 PM, you wrote:\n\nBJ> Where is the ladder?\nBJ> I need it today."),
    ("rare-bat-ru", "ru", "Лестница в сарае.", "Вы писали 28 мая 2026 г., 22:26:31:\n\n> Где лестница?\n> Она нужна сегодня."),
    ("rare-eudora", "en", "In the garage.", "At 10:26 PM 5/28/2026, you wrote:\n>Where is the ladder?"),
    ("rare-eudora-zone", "en", "In the cellar.", "At 10:26 PM -0700 5/28/26, Bob Jones wrote:\n>Where is the ladder?\n>Bob"),
    ("rare-pine", "en", "On the roof.", "On Thu, 28 May 2026, Bob Jones wrote:\n\n> Where is the ladder?"),
    ("rare-vm", "en", "Behind the house.", "Bob Jones writes:\n > Where is the ladder?\n > I looked everywhere."),
    ("rare-according", "en", "Under the stairs.", "According to Bob Jones:\n> Where is the ladder?\n> I looked everywhere."),
    ("rare-kmail-de", "de", "Unter der Treppe.", "Am Donnerstag, 28. Mai 2026, 22:26:31 CEST schrieb Karin Vogel:\n> Wo ist die Leiter?"),
    ("rare-evolution-de", "de", "Hinter dem Haus.", "Am Donnerstag, dem 28.05.2026 um 22:26 +0200 schrieb Karin Vogel:\n> Wo ist die Leiter?"),
    ("rare-ox-de", "de", "Im Keller.", "> Karin Vogel <karin@msgs.test> hat am 28.05.2026 22:26 geschrieben:\n> \n>  \n> Wo ist die Leiter?"),
    ("rare-ox-en-bare", "en", "At Dan's.", "On 05/28/2026 10:26 PM CEST Bob Jones <bob@msgs.test> wrote:\n \n \nWhere is the ladder?"),
    ("rare-mailbird", "en", "At Carol's.", "On 28/05/2026 22:26:31, Bob Jones <bob@msgs.test> wrote:\nWhere is the ladder?"),
    ("rare-emclient-no-colons", "en", "It is broken.", "------ Original Message ------\nFrom \"Bob Jones\" <bob@msgs.test>\nTo \"Alice Smith\" <alice@msgs.test>\nDate 28/05/2026 22:26:31\nSubject ladder\n\n>Where is the ladder?"),
    ("rare-salesforce", "en", "Please close the case.", "--------------- Original Message ---------------\nFrom: Help Desk [help@desk.example]\nSent: 28/05/2026 22:26\nTo: alice@msgs.test\nSubject: Case 4711\n\nMay we close it?\nref:_00D4711._500:ref"),
    ("rare-ios-bom", "en", "Both of them.", "Sent from my iPhone\n\nOn May 28, 2026, at 10:26 PM, Bob Jones <bob@msgs.test> wrote:\n\n\ufeffWhich ladder?\nBob"),
    ("rare-bold-attribution", "en", "The long one.", "*On Thu, May 28, 2026 at 10:26 PM, Bob Jones <bob@msgs.test> wrote:*\n\n> Which ladder?"),
    ("rare-mailto-twice", "en", "The short one.", "From: Bob Jones <bob@msgs.test<mailto:bob@msgs.test>>\nSent: Thursday, May 28, 2026 10:26 PM\nTo: Alice Smith <alice@msgs.test<mailto:alice@msgs.test>>\nSubject: ladder\n\nWhich ladder?"),
    ("rare-raw-headers", "en", "The steel one.", "Received: from mx.msgs.test\nMessage-ID: <10b3x@msgs.test>\nDate: Thu, 28 May 2026 22:26:31 +0200\nFrom: Bob Jones <bob@msgs.test>\nMIME-Version: 1.0\nTo: alice@msgs.test\nSubject: ladder\n\nWhich ladder?"),
    ("rare-long-to", "en", "The wooden one.", "From: Bob Jones <bob@msgs.test>\nSent: Thursday, May 28, 2026 10:26 PM\nTo: Alice Smith <alice@msgs.test>; Carol Hill <carol@msgs.test>;\nDan Moore <dan@msgs.test>; Erin Fox <erin@msgs.test>;\nFrank Gray <frank@msgs.test>; Grace Hunt <grace@msgs.test>;\nHarry Ives <harry@msgs.test>\nCc: Irene Jay <irene@msgs.test>\nSubject: ladder\n\nWhich ladder?"),
    ("rare-one-line-header", "en", "The red one.", "From: Bob Jones <bob@msgs.test> Sent: Thursday, May 28, 2026 10:26 PM To: Alice Smith Subject: ladder\n\nWhich ladder?"),
    ("rare-fa", "fa", "بله، حتما.", "در تاریخ پنجشنبه ۲۸ مهٔ ۲۰۲۶ ساعت ۲۲:۲۶ رضا احمدی <reza@msgs.test> نوشت:\n\n> فردا می‌آیی؟"),
    ("rare-hi", "hi", "हाँ, ज़रूर।", "गुरु, 28 मई 2026 को 10:26 pm बजे को राम कुमार <ram@msgs.test> ने लिखा:\n\n> कल आओगे?"),
    ("rare-sr-cyrl", "sr", "Долазим.", "чет, 28. мај 2026. у 22:26 Марко Марковић <marko@msgs.test> је написао/ла:\n\n> Долазиш сутра?"),
    ("rare-sl", "sl", "Pridem.", "V V čet., 28. maj 2026 ob 22:26 je oseba Janez Novak <janez@msgs.test> napisala:\n\n> Prideš jutri?"),
    ("rare-is", "is", "Ég kem.", "fim., 28. maí 2026 kl. 22:26 skrifaði Jón Jónsson <jon@msgs.test>:\n\n> Kemur þú á morgun?"),
    ("rare-eu", "eu", "Bai, banoa.", "Jon Etxea <jon@msgs.test> igorleak hau idatzi zuen (2026(e)ko mai. 28(a), og. (22:26)):\n\n> Bihar etorriko zara?"),
    ("rare-gl", "gl", "Vou.", "O xov, 28 maio 2026 ás 22:26, Uxía Castro (<uxia@msgs.test>) escribiu:\n\n> Vés mañá?"),
    ("rare-ka", "ka", "მოვდივარ.", "ხუთ, 28 მაი, 2026, 22:26 ნინო ბერიძე <nino@msgs.test> ავტორი წერს:\n\n> მოდიხარ ხვალ?"),
    ("rare-ms", "ms", "Boleh.", "Pada Kha, 28 Mei 2026 pada 10:26 PTG Siti Aminah <siti@msgs.test> menulis:\n\n> Boleh esok?"),
    ("rare-tl", "tl", "Sige.", "Noong Huw, May 28, 2026 nang 10:26 PM, sinulat ni Jose Cruz <jose@msgs.test> ang:\n\n> Bukas na?"),
    ("rare-mk", "mk", "Доаѓам.", "На чет, 28 мај 2026 г. во 22:26 Марија Петрова <marija@msgs.test> напиша:\n\n> Доаѓаш утре?"),
    ("rare-af", "af", "Ja, ek kom.", "Op Do. 28 Mei 2026 om 22:26 het Piet Nel <piet@msgs.test> geskryf:\n\n> Kom jy môre?"),
    ("rare-bn", "bn", "আসছি।", "বৃহস্পতিবার, ২৮ মে, ২০২৬ তারিখে ১০:২৬ PM টায় রহিম <rahim@msgs.test> লিখেছেন:\n\n> কাল আসবে?"),
    ("rare-sq", "sq", "Po vij.", "Në enj, 28 maj 2026 në 22:26, Arben Hoxha <arben@msgs.test> shkroi:\n\n> Vjen nesër?"),
    ("rare-zh-hotmail", "zh", "知道了。", "王芳 <fang@msgs.test> 于2026年5月28日周四 22:26写道：\n\n> 知道吗？"),
    ("rare-zh-apple", "zh", "马上到。", "> 在 2026年5月28日，下午10:26，王芳 <fang@msgs.test> 写道：\n> \n> 到了吗？"),
    ("rare-ja-apple", "ja", "着きました。", "> 2026/05/28 22:26、田中太郎 <taro@msgs.test>のメール:\n> \n> 着きましたか。"),
    ("rare-ja-outlook", "ja", "着いています。", "________________________________\n差出人: 田中太郎 <taro@msgs.test>\n送信日時: 2026年5月28日木曜日 22:26:31\n宛先: alice@msgs.test <alice@msgs.test>\n件名: 到着\n\n着きましたか。"),
    ("rare-ko-outlook", "ko", "도착했어요.", "________________________________\n보낸 사람: 김하나 <hana@msgs.test>\n보낸 시간: 2026년 5월 28일 목요일 오후 10:26\n받는 사람: alice@msgs.test\n제목: 도착\n\n도착했어요?"),
    ("rare-es-header-fecha", "es", "Ya llegué.", "De: Luis Prado <luis@msgs.test>\nFecha: jueves, 28 de mayo de 2026, 22:26\nPara: Alice Smith <alice@msgs.test>\nAsunto: llegada\n\n¿Ya llegaste?"),
    ("rare-pt-original", "pt", "Já cheguei.", "-----Mensagem Original-----\nDe: João Lima\nEnviada em: quinta-feira, 28 de maio de 2026 22:26\nPara: Alice\nAssunto: chegada\n\nJá chegou?"),
    ("rare-it-original", "it", "Sono arrivata.", "----Messaggio originale----\nDa: paolo@msgs.test\nData: 28-mag-2026 22.26\nA: <alice@msgs.test>\nOgg: arrivo\n\nSei arrivata?"),
    ("rare-fr-original", "fr", "Je suis là.", "-----Message d'origine-----\nDe : Amélie Tour [mailto:amelie@msgs.test]\nEnvoyé : jeudi 28 mai 2026 22:26\nÀ : Alice\nObjet : arrivée\n\nTu es là ?"),
    ("rare-nl-original", "nl", "Ik ben er.", "-----Oorspronkelijk bericht-----\nVan: Joost de Wit\nVerzonden: donderdag 28 mei 2026 22:26\nAan: Alice\nOnderwerp: aankomst\n\nBen je er?"),
    ("rare-pl-original", "pl", "Jestem.", "-----Oryginalna wiadomość-----\nFrom: Ewa Nowak\nSent: Thursday, May 28, 2026 10:26 PM\nTo: Alice\nSubject: przyjazd\n\nJesteś?"),
    ("rare-fi-original", "fi", "Perillä.", "-----Alkuperäinen viesti-----\nLähettäjä: Matti Laine\nLähetetty: 28. toukokuuta 2026 22:26\nVastaanottaja: Alice\nAihe: perillä\n\nOletko perillä?"),
    ("rare-hu-original", "hu", "Megjöttem.", "-----Eredeti üzenet-----\nFeladó: Kovács Anna\nKüldve: 2026. május 28. 22:26\nCímzett: Alice\nTárgy: érkezés\n\nMegjöttél?"),
    ("rare-sk-original", "sk", "Som tu.", "-----Pôvodná správa-----\nOd: Peter Novák\nOdoslané: štvrtok 28. mája 2026 22:26\nKomu: Alice\nPredmet: príchod\n\nSi tu?"),
    ("rare-hr-header", "hr", "Stigla sam.", "Šalje: Ivan Horvat <ivan@msgs.test>\nPoslano: četvrtak, 28. svibnja 2026. 22:26\nPrima: Alice Smith\nPredmet: dolazak\n\nJesi li stigla?"),
    ("rare-et-header", "et", "Olen kohal.", "Saatja: Mari Tamm <mari@msgs.test>\nSaadetud: neljapäev, 28. mai 2026 22:26\nAdressaat: Alice Smith\nTeema: kohal\n\nOled kohal?"),
    ("rare-lt-header", "lt", "Aš čia.", "Nuo: Jonas Kazlauskas <jonas@msgs.test>\nIšsiųsta: 2026 m. gegužės 28 d., ketvirtadienis 22:26\nKam: Alice Smith\nTema: atvykimas\n\nAr tu čia?"),
    ("rare-bg-header", "bg", "Тук съм.", "От: Иван Петров <ivan@msgs.test>\nИзпратено: четвъртък, 28 май 2026 г. 22:26\nДо: Alice Smith\nОтносно: пристигане\n\nТук ли си?"),
)

TEXTS = whole(
    "quote",
    ("rare-bat-whole", "en", "Hello Bob,\n\nIn the shed.", "Hello Bob,\n\nThursday, May 28, 2026, 10:26:31 PM, you wrote:\n\n> Where is the ladder?\n\nIn the shed.\n\n-- \nBest regards,\n Alice                            mailto:alice@msgs.test\n"),
    ("rare-between-three", "de", "Montag.\n\nZu Hause.\n\nNein.", "Am 28.05.26 um 22:26 schrieb Karin Vogel:\n> Wann?\n\nMontag.\n\n> Wo?\n\nZu Hause.\n\n> Mit Hund?\n\nNein.\n\n> Karin\n"),
    ("rare-summary-then-inline", "en", "Short answer: no.\n\nBecause of the rain.", "Short answer: no.\n\nOn 28/05/2026 22:26, Bob Jones wrote:\n> Do you come, and if not, why?\n\nBecause of the rain.\n\n> Bob\n"),
    ("rare-three-lines-blank", "en", "No ladder.", "No ladder.\n\n\n\n\n\nOn 28/05/2026 22:26, Bob Jones wrote:\n\n\n> Ladder?\n\n\n"),
    ("rare-own-quote-marks", "en", "He said \"> is greater\" and a > b.", "He said \"> is greater\" and a > b.\n\nOn 28/05/2026 22:26, Bob Jones wrote:\n> What did he say?\n"),
) + above(
    "signature",
    ("rare-card-signoff", "en", "The form is attached.\n\nBest regards,\n\nAlice Smith", "Transport Desk | Portsea Boats Ltd\nHarbour Road 5, Portsea\nT +44 20 7946 0000 | M +44 7700 900000\nalice@msgs.test | www.boats.example"),
    ("rare-legal-fi", "fi", "Lomake on liitteenä.", "Tämä viesti on luottamuksellinen ja tarkoitettu vain vastaanottajalle. Jos olet saanut viestin erehdyksessä, ilmoita siitä lähettäjälle ja poista viesti."),
    ("rare-legal-sv", "sv", "Blanketten är bifogad.", "Detta meddelande är konfidentiellt och endast avsett för mottagaren. Om du har fått det av misstag, vänligen meddela avsändaren och radera det."),
    ("rare-legal-pl", "pl", "Formularz w załączniku.", "Ta wiadomość i jej załączniki są poufne i przeznaczone wyłącznie dla adresata. Jeśli otrzymali ją Państwo przez pomyłkę, prosimy o powiadomienie nadawcy i usunięcie wiadomości."),
    ("rare-legal-cs", "cs", "Formulář je v příloze.", "Tato zpráva je důvěrná a určena pouze adresátovi. Pokud jste ji obdrželi omylem, informujte prosím odesílatele a zprávu smažte."),
    ("rare-legal-hu", "hu", "Az űrlap mellékelve.", "Ez az üzenet bizalmas, és kizárólag a címzettnek szól. Ha tévedésből kapta meg, kérjük, értesítse a feladót, és törölje az üzenetet."),
    ("rare-legal-ru", "ru", "Бланк приложен.", "Это сообщение и вложения являются конфиденциальными и предназначены исключительно для адресата. Если вы получили его по ошибке, сообщите отправителю и удалите письмо."),
    ("rare-legal-tr", "tr", "Form ektedir.", "Bu e-posta ve ekleri gizlidir ve yalnızca alıcısı içindir. Yanlışlıkla aldıysanız lütfen göndereni bilgilendirin ve mesajı silin."),
    ("rare-legal-ja", "ja", "書類を添付します。", "このメールには機密情報が含まれている場合があります。誤って受信された場合は、送信者に連絡のうえ、直ちに削除してください。"),
    ("rare-legal-zh", "zh", "表格见附件。", "本邮件及其附件含有保密信息，仅限于发送给上面地址中列出的收件人。如果您错收了本邮件，请立即通知发件人并删除本邮件。"),
    ("rare-legal-ko", "ko", "양식을 첨부합니다.", "본 메일은 지정된 수신인만을 위한 것이며 비밀 정보를 포함하고 있을 수 있습니다. 잘못 수신된 경우 발신자에게 알려 주시고 즉시 삭제하여 주시기 바랍니다."),
    ("rare-legal-da", "da", "Blanketten er vedhæftet.", "Denne e-mail er fortrolig og kun beregnet til modtageren. Hvis du har modtaget den ved en fejl, bedes du underrette afsenderen og slette den."),
    ("rare-cid", "en", "The plan is attached.", "-- \n[cid:image001.png@01DC1234.56789ABC]\nAlice Smith\nDesk"),
    ("rare-github-foot", "en", "I reviewed it.", "—\nReply to this email directly, view it on GitHub, or unsubscribe.\nYou are receiving this because you were mentioned."),
    ("rare-get-app", "en", "It is in the mail.", "Sent from Spark (https://sparkmail.example)\n\nOn 28 May 2026 at 22:26 +0200, Bob Jones <bob@msgs.test>, wrote:\n> Where is it?"),
) + whole(
    "passthrough",
    ("rare-keep-addresses", "en", "The two addresses are:\nBob Jones <bob@msgs.test>\nCarol Hill <carol@msgs.test>\nWrite to both.", "The two addresses are:\nBob Jones <bob@msgs.test>\nCarol Hill <carol@msgs.test>\nWrite to both.\n"),
    ("rare-keep-poem", "en", "Roses are red,\n  violets are blue,\n\n    the boat is away\n      and so are you.", "Roses are red,\n  violets are blue,\n\n    the boat is away\n      and so are you.\n"),
    ("rare-keep-timetable", "de", "Fahrplan 28.05.2026:\n08:15 Kiel\n09:40 Lübeck\nAn: 11:05 Hamburg", "Fahrplan 28.05.2026:\n08:15 Kiel\n09:40 Lübeck\nAn: 11:05 Hamburg\n"),
    ("rare-keep-json", "en", "Put this in the file:\n{\n  \"from\": \"bob\",\n  \"to\": \"alice\"\n}", "Put this in the file:\n{\n  \"from\": \"bob\",\n  \"to\": \"alice\"\n}\n"),
    ("rare-keep-chat", "en", "Bob: are you there?\nMe: yes\nBob: good", "Bob: are you there?\nMe: yes\nBob: good\n"),
    ("rare-keep-signature-word", "en", "I need your signature below.\n____________________\nName, date", "I need your signature below.\n____________________\nName, date\n"),
    ("rare-keep-log", "en", "The log says:\n2026-05-28 22:26:31 started\n2026-05-28 22:27:02 failed", "The log says:\n2026-05-28 22:26:31 started\n2026-05-28 22:27:02 failed\n"),
    ("rare-keep-colon-brackets", "en", ": ) that is fine\n:-) really", ": ) that is fine\n:-) really\n"),
)

HTML = html(
    "html",
    ("rare-html-evolution", "en", "Lamp fixed.", '<html><head></head><body><div>Lamp fixed.</div><div><br></div><div>On Thu, 2026-05-28 at 22:26 +0200, Bob Jones wrote:</div><blockquote type="cite" style="margin:0 0 0 .8ex; border-left:2px #729fcf solid;padding-left:1ex"><div>Lamp?</div></blockquote><div><span></span></div></body></html>'),
    ("rare-html-superhuman", "en", "Lamp on.", '<div>Lamp on.</div><div class="sh-signature"><div>Sent via Superhuman</div></div><br><div class="gmail_quote sh-color-black">On Thu, May 28, 2026 at 10:26 PM, Bob Jones &lt;bob@msgs.test&gt; wrote:<br><blockquote class="gmail_quote">Lamp?</blockquote></div>'),
    ("rare-html-yahoo-old", "en", "Lamp off.", '<div style="color:#000">Lamp off.<br><br><div class="yahoo_quoted" style="display:block"> <div><div dir="ltr"><font size="2">On Thursday, May 28, 2026 10:26 PM, Bob Jones &lt;bob@msgs.test&gt; wrote:<br></font></div><br><div>Lamp?</div></div></div></div>'),
    ("rare-html-yahoo-hr", "en", "Lamp sold.", '<html><body><div>Lamp sold.<br><div><div style="font-family:times"><div dir="ltr"><hr size="1"><font size="2"><b><span>From:</span></b> Bob Jones &lt;bob@msgs.test&gt;<br><b><span>To:</span></b> Alice &lt;alice@msgs.test&gt;<br><b><span>Sent:</span></b> Thursday, May 28, 2026 10:26 PM<br><b><span>Subject:</span></b> lamp<br></font></div><br>Lamp?</div></div></div></body></html>'),
    ("rare-html-qq", "zh", "灯修好了。", '<div>灯修好了。</div><div><br></div><div><br></div><div style="font-size:12px;font-family:Arial Narrow;padding:2px 0">------------------&nbsp;原始邮件&nbsp;------------------</div><div style="font-size:12px;background:#efefef;padding:8px"><div><b>发件人:</b>&nbsp;"王芳"&lt;fang@msgs.test&gt;;</div><div><b>发送时间:</b>&nbsp;2026年5月28日(星期四) 晚上10:26</div><div><b>收件人:</b>&nbsp;"alice"&lt;alice@msgs.test&gt;;</div><div><b>主题:</b>&nbsp;灯</div></div><div><br></div>灯呢？'),
    ("rare-html-163", "zh", "灯关了。", '<div style="line-height:1.7">灯关了。<br><br><div style="position:relative"><br>At 2026-05-28 22:26:31, "王芳" &lt;fang@msgs.test&gt; wrote:<br><blockquote id="isReplyContent" style="PADDING-LEFT:1ex">灯呢？</blockquote></div></div>'),
    ("rare-html-outlook-ios", "en", "Lamp moved.", '<html><body><div dir="ltr">Lamp moved.</div><div id="ms-outlook-mobile-signature" dir="ltr"><div></div>Get <a href="https://aka.ms/o0ukef">Outlook for iOS</a></div><hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><b>From:</b> Bob Jones<br><b>Sent:</b> Thursday<br><b>To:</b> Alice<br><b>Subject:</b> lamp</div><div>Lamp?</div></body></html>'),
    ("rare-html-bare-attr", "en", "Lamp gone.", '<html><body><p>Lamp gone.</p><p>-----Original Message-----<br/>From: Bob Jones<br/>Sent: 28/05/2026 22:26<br/>To: Alice<br/>Subject: lamp</p><p>Lamp?</p></body></html>'),
    ("rare-html-zendesk", "en", "Lamp back.", '<div dir="ltr">Lamp back.</div><br><div class="gmail_quote"><div dir="ltr">On Thu, May 28, 2026 at 10:26 PM Help &lt;help@desk.example&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0px"><div style="color:#b5b5b5">##- Please type your reply above this line -##</div><p>Lamp?</p></blockquote></div>'),
    ("rare-html-signature-table", "en", "Lamp paid.", '<div>Lamp paid.</div><div><br></div><div>-- <br></div><table><tr><td><b>Alice Smith</b></td></tr><tr><td>Desk, Portsea Boats</td></tr></table>'),
    ("rare-html-nbsp-text", "fr", "Lampe réparée, voilà.", '<div>Lampe&nbsp;réparée,&nbsp;voilà.</div><div>&nbsp;</div><div>&nbsp;</div><div>Le&nbsp;jeudi&nbsp;28&nbsp;mai&nbsp;2026&nbsp;à&nbsp;22:26,&nbsp;Amélie&nbsp;Tour&nbsp;&lt;amelie@msgs.test&gt;&nbsp;a&nbsp;écrit&nbsp;:</div><div>&nbsp;</div><div>Lampe&nbsp;?</div>'),
    ("rare-html-thunderbird-below", "en", "Lamp here.", '<html><body><div class="moz-cite-prefix">On 28/05/2026 22:26, Bob Jones wrote:<br></div><blockquote type="cite" cite="mid:x@msgs.test">Lamp?</blockquote><p>Lamp here.</p><pre class="moz-signature" cols="72">-- \nAlice</pre></body></html>'),
) + both(
    "html",
    ("rare-both-outlook", "en", "Lamp left.", "Lamp left.\r\n\r\nFrom: Bob Jones <bob@msgs.test>\r\nSent: Thursday, May 28, 2026 10:26 PM\r\nTo: Alice Smith <alice@msgs.test>\r\nSubject: lamp\r\n\r\nLamp?\r\n",
     '<div class="WordSection1"><p class="MsoNormal">Lamp left.</p><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in"><p class="MsoNormal"><b>From:</b> Bob Jones<br><b>Sent:</b> Thursday, May 28, 2026 10:26 PM<br><b>To:</b> Alice<br><b>Subject:</b> lamp</p></div><p class="MsoNormal">Lamp?</p></div>'),
    ("rare-both-custom", "en", "Lamp right.", "Lamp right.\n\nOn Thu, May 28, 2026 at 10:26 PM Bob Jones <bob@msgs.test> wrote:\nLamp?\nBob\n",
     '<div>Lamp right.</div><div id="old-mail-x"><div>On Thu, May 28, 2026 at 10:26 PM Bob Jones &lt;bob@msgs.test&gt; wrote:</div><div>Lamp?</div><div>Bob</div></div>'),
    ("rare-both-inline", "en", "Red.\n\nTwo.", "On 28/05/2026 22:26, Bob Jones wrote:\n> Which lamp?\n\nRed.\n\n> How many?\n\nTwo.\n",
     '<div>On 28/05/2026 22:26, Bob Jones wrote:</div><blockquote type="cite">Which lamp?</blockquote><div>Red.</div><blockquote type="cite">How many?</blockquote><div>Two.</div>'),
)

CASES = ATTRIBUTIONS + TEXTS + HTML
