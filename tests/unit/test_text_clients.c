/* SPDX-License-Identifier: Apache-2.0 */
/* How mail programs introduce and mark quoted mail, in many languages: each form with a short answer that must come out
 * alone and certain.  Written down from the programs' own templates, with invented people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/mail_parse.h"
#include "core/text_extract.h"

struct form {
    const char *name, *body, *expected; /* expected NULL: held */
};

static const struct form plain_forms[] = {
    {"android", "Test reply\n\n---- John Smith wrote ----\n\n> quoted\n> text\n", "Test reply"},
    {"android2", "Test reply\n\n---- John Smith wrote ----\nquoted text\n", "Test reply"},
    {"vi", "Test\n\nVào 14:24 8 tháng 6, 2017, Hùng Nguyễn <hungnguyen@xxx.com> đã viết:\n\n> xin chào\n", "Test"},
    {"nl", "Test\n\nOp 13-02-2014 3:18 schreef Julius Caesar <pantheon@rome.com>:\n\nVeniVidiVici\n", "Test"},
    {"nl2", "Test\n\nOp 13 feb. 2014 om 03:18 heeft Julius Caesar <pantheon@rome.com> het volgende geschreven:\n\n> VeniVidiVici\n", "Test"},
    {"pl", "Test\n\nDnia 13 lutego 2014 3:18 Juliusz Cezar <pantheon@rome.com> napisał(a):\n\nVeni\n", "Test"},
    {"no", "Test\n\nPå 13 februar 2014 på 00:18:19, Julius Cæsar (j@rome.com) skrev:\n\n> Veni\n", "Test"},
    {"polymail", "Test\n\nOn Tue, Apr 11, 2017 at 10:07 PM John Smith\n\n<\nmailto:John Smith <johnsmith@gmail.com>\n> wrote:\nText quoted\n", "Test"},
    {"orig-bare", "Test reply\n\n-----Original Message-----\n\nTest\n", "Test reply"},
    {"below", "On 04/19/2011 07:10 AM, Roman Tkachenko wrote:\n\n>\n> Test.\n>\n> Roman\n\nTest reply\n", "Test reply"},
    {"wrap", "Test reply\n\nOn 04/19/2011 07:10 AM, Roman Tkachenko wrote:\n\n>\n> Test\n\nRegards, Roman\n", "Test reply\n\nRegards, Roman"},
    {"ctrl", "Test reply\n\nFrom: somebody@example.com\nTo: somebody-else@example.com\nDate: Tue, 11 Apr 2017 10:07\nSubject: Hi\n\nquoted\n", "Test reply"},
    {"from-star", "Test\n\n*From*: bob@example.com\n*Subject*: Hi\n\nold\n", "Test"},
    {"comma", "Test reply\n\nOn Wed, Mar 21, 2012 at 8:31 AM, 'Bob' via Group < \nbob@example.com> wrote:\n\n> old\n", "Test reply"},
    {"sv", "Svar\n\nDen 14 augusti 2015 11:32 skrev Bob <bob@x.se>:\n\n> gammal\n", "Svar"},
    {"sv2", "Svar\n\n14 aug 2015 kl. 11:32 skrev Bob <bob@x.se>:\n\ngammal\n", "Svar"},
    {"es", "Vale\n\nEl mié., 14 ago. 2019 a las 11:32, Bob (<bob@x.es>) escribió:\n\n> viejo\n", "Vale"},
    {"es2", "Vale\n\nEl 14/08/19 a las 11:32, Bob escribió:\n> viejo\n", "Vale"},
    {"pt", "Ok\n\nEm qua., 14 de ago. de 2019 às 11:32, Bob <bob@x.br> escreveu:\n\n> velho\n", "Ok"},
    {"pt2", "Ok\n\nNo dia 14 de agosto de 2019, Bob <bob@x.pt> escreveu:\nvelho\n", "Ok"},
    {"ro", "Da\n\nÎn mie., 14 aug. 2019 la 11:32, Bob <bob@x.ro> a scris:\n\n> vechi\n", "Da"},
    {"el", "Ναι\n\nΣτις Τετ, 14 Αυγ 2019 στις 11:32 π.μ., ο χρήστης Bob <bob@x.gr> έγραψε:\n\n> παλιό\n", "Ναι"},
    {"bg", "Да\n\nНа ср, 14.08.2019 г. в 11:32 ч. Bob <bob@x.bg> написа:\n\nстаро\n", "Да"},
    {"hr", "Da\n\nsri, 14. kol 2019. u 11:32 Bob <bob@x.hr> napisao je:\n\nstaro\n", "Da"},
    {"hr2", "Da\n\nDana 14.8.2019. u 11:32, Bob je napisao:\n> staro\n", "Da"},
    {"sl", "Da\n\nV V sre., 14. avg. 2019 ob 11:32 je oseba Bob <bob@x.si> napisala:\n\n> staro\n", "Da"},
    {"et", "Jah\n\nKontakt Bob (<bob@x.ee>) kirjutas kuupäeval K, 14. august 2019 kell 11:32:\n\n> vana\n", "Jah"},
    {"lv", "Jā\n\ntrešd., 2019. g. 14. aug., plkst. 11:32 — lietotājs Bob (<bob@x.lv>) rakstīja:\n\nvecs\n", "Jā"},
    {"lt", "Taip\n\n2019-08-14, tr, 11:32 Bob <bob@x.lt> rašė:\n\n> senas\n", "Taip"},
    {"id", "Ya\n\nPada tanggal Rab, 14 Agu 2019 pukul 11.32 Bob <bob@x.id> menulis:\n\n> lama\n", "Ya"},
    {"th", "ครับ\n\nในวันที่ พ. 14 ส.ค. 2019 เวลา 11:32 Bob <bob@x.th> เขียนว่า:\n\n> เก่า\n", "ครับ"},
    {"fa", "بله\n\nدر تاریخ چهارشنبه ۱۴ اوت ۲۰۱۹،‏ ۱۱:۳۲ Bob <bob@x.ir> نوشت:\n\n> قدیمی\n", "بله"},
    {"ca", "Sí\n\nMissatge de Bob <bob@x.cat> del dia dc., 14 d’ag. 2019 a les 11:32:\n\nvell\n", "Sí"},
    {"eu", "Bai\n\nHau idatzi du Bob (<bob@x.eus>) erabiltzaileak (2019 abu. 14, az. (11:32)):\n\n> zaharra\n", "Bai"},
    {"is", "Já\n\nÞann mið., 14. ágú. 2019 kl. 11:32 skrifaði Bob <bob@x.is>:\n\n> gamalt\n", "Já"},
    {"zh-tw", "好\n\nBob <bob@x.tw> 於 2019年8月14日 週三 上午11:32寫道：\n\n> 舊\n", "好"},
    {"zh-qq", "好\n\n------------------ 原始邮件 ------------------\n发件人: \"Bob\"<bob@x.cn>;\n发送时间: 2019年8月14日(星期三) 中午11:32\n收件人: \"me\"<me@x.cn>;\n主题: 你好\n\n旧\n", "好"},
    {"zh-163", "好\n\nAt 2019-08-14 11:32:00, \"Bob\" <bob@x.cn> wrote:\n>旧\n", "好"},
    {"zh-163b", "好\n\n在 2019-08-14 11:32:00，\"Bob\" <bob@x.cn> 写道：\n旧\n", "好"},
    {"ja-ol", "はい\n\n________________________________\n差出人: Bob <bob@x.jp>\n送信日時: 2019年8月14日 11:32\n宛先: me\n件名: Re: x\n\n古い\n", "はい"},
    {"ja2", "はい\n\n-----Original Message-----\nFrom: Bob\nSent: Wednesday\n\n古い\n", "はい"},
    {"ko-ol", "네\n\n보낸 사람: Bob <bob@x.kr>\n보낸 날짜: 2019년 8월 14일 수요일 오전 11:32\n받는 사람: me\n제목: x\n\n옛\n", "네"},
    {"ar-ol", "نعم\n\nمن: Bob <bob@x.eg>\nتاريخ الإرسال: الأربعاء، 14 أغسطس 2019\nإلى: me\nالموضوع: x\n\nقديم\n", "نعم"},
    {"he-ol", "כן\n\nמאת: Bob <bob@x.il>\nנשלח: יום רביעי 14 אוגוסט 2019\nאל: me\nנושא: x\n\nישן\n", "כן"},
    {"ru-ol", "Да\n\nОт: Bob <bob@x.ru>\nОтправлено: 14 августа 2019 г. 11:32\nКому: me\nТема: x\n\nстарое\n", "Да"},
    {"ru-mail", "Да\n\n>Среда, 14 августа 2019, 11:32 +03:00 от Bob <bob@x.ru>:\n>\n>старое\n", "Да"},
    {"ru-mail2", "Да\n\nСреда, 14 августа 2019, 11:32 +03:00 от Bob <bob@x.ru>:\nстарое\n", "Да"},
    {"ru-yandex", "Да\n\n14.08.2019, 11:32, \"Bob\" <bob@x.ru>:\n\nстарое\n", "Да"},
    {"seznam", "Ano\n\n---------- Původní e-mail ----------\nOd: Bob <bob@x.cz>\nKomu: me\nDatum: 14. 8. 2019 11:32:00\nPředmět: x\n\n\"staré\n\"\n", "Ano"},
    {"wp", "Tak\n\nDnia 14 sierpnia 2019 11:32 Bob <bob@x.pl> napisał(a):\n\nstare\n", "Tak"},
    {"o2", "Tak\n\n--- Original message ---\nFrom: Bob\n\nstare", "Tak"},
    {"gmx", "Ja\n\nGesendet: Mittwoch, 14. August 2019 um 11:32 Uhr\nVon: \"Bob\" <bob@x.de>\nAn: me\nBetreff: x\n\nalt\n", "Ja"},
    {"gmx2", "Ja\n\n--\nDiese Nachricht wurde von meinem Android Mobiltelefon mit GMX Mail gesendet.\n\nAm 14.08.19, 11:32, Bob <bob@x.de> schrieb:\n\nalt\n", "Ja"},
    {"orange", "Oui\n\n> Message du 14/08/19 11:32\n> De : \"Bob\" <bob@x.fr>\n> A : me\n> Copie à : \n> Objet : x\n> \n> vieux\n", "Oui"},
    {"libero", "Sì\n\nDa: \"Bob\" bob@x.it\nA: me@x.it\nCc: \nData: Wed, 14 Aug 2019 11:32:00 +0200\nOggetto: x\n\nvecchio\n", "Sì"},
    {"yahoo", "Yes\n\n--- On Wed, 8/14/19, Bob <bob@x.com> wrote:\n\nFrom: Bob <bob@x.com>\nSubject: x\nTo: me\nDate: Wednesday\n\nold\n", "Yes"},
    {"yahoo2", "Yes\n\nSent from Yahoo Mail on Android\n\n  On Wed, Aug 14, 2019 at 11:32 AM, Bob<bob@x.com> wrote:   old text\n", "Yes"},
    {"yahoo-it", "Sì\n\nInviato da Yahoo Mail su Android\n\n  Il mer, 14 ago, 2019 alle 11:32, Bob<bob@x.it> ha scritto:   vecchio\n", "Sì"},
    {"samsung", "Ok\n\nSent from my Galaxy\n\n\n-------- Original message --------\nFrom: Bob <bob@x.com> \nDate: 8/14/19  11:32 AM  (GMT+01:00) \nTo: me \nSubject: x \n\nold\n", "Ok"},
    {"bb", "Ok\n\nSent from my BlackBerry® wireless device\n\n-----Original Message-----\nFrom: Bob\nDate: Wed\nTo: me\n\nold", "Ok"},
    {"bb10", "Ok\n\nSent from my BlackBerry 10 smartphone on the Verizon Wireless 4G LTE network.\nFrom: Bob\nSent: Wednesday, August 14, 2019 11:32 AM\nTo: me\nSubject: x\n\nold", "Ok"},
    {"lotus", "Ok\n\n\n\nFrom:   Bob <bob@x.com>\nTo:     me\nDate:   14/08/2019 11:32\nSubject:        x\n\n\n\nold\n", "Ok"},
    {"lotus2", "Ok\n\nBob Jones/Acme wrote on 08/14/2019 11:32:00 AM:\n\n> From: Bob\n> old\n", "Ok"},
    {"lotus3", "Ok\n\nBob Jones ---08/14/2019 11:32:00 AM---old subject\n\nFrom: Bob\nTo: me\nDate: 08/14/2019\nSubject: x\n", "Ok"},
    {"oneline", "Ok\n\nFrom: Bob [mailto:bob@x.com] Sent: Wednesday, August 14, 2019 11:32 AM To: me Subject: RE: x\n\nold\n", "Ok"},
    {"apple-fw", "See this\n\nBegin forwarded message:\n\nFrom: Bob <bob@x.com>\nSubject: x\nDate: August 14, 2019\nTo: me\n\nold\n", "See this"},
    {"github", "Done\n\n—\nYou are receiving this because you are subscribed to this thread.\nReply to this email directly, view it on GitHub, or unsubscribe.\n", "Done"},
    {"group", "Hi\n\n-- \nYou received this message because you are subscribed to the Google Groups \"x\" group.\nTo unsubscribe from this group, send email to x+unsubscribe@googlegroups.com.\nFor more options, visit https://groups.google.com/d/optout.\n", "Hi"},
    {"zendesk", "Thanks!\n\n##- Bitte geben Sie Ihre Antwort über dieser Zeile ein. -##\n\nold\n", "Thanks!"},
    {"helpscout", "Thanks!\n\nOn Wed, Aug 14, 2019 at 11:32 AM EDT, Support <help@x.com> wrote:\n\n-- Please reply above this line --\n\nold\n", "Thanks!"},
    {"avast", "Hello\n\n---\nThis email has been checked for viruses by Avast antivirus software.\nhttps://www.avast.com/antivirus\n", "Hello"},
    {"avast2", "Hello\n\n<https://www.avast.com/sig-email?utm>\nVirus-free. www.avast.com\n<#DAB4FAD8-2DD7-40BB-A1B8-4E2AA1F9FDF2>\n", "Hello"},
    {"card", "Hello Jane,\n\nplease call me.\n\nKind regards,\n\nJohn Doe\nSales Manager\n\nAcme Inc.\n12 Main Street\nT: +1 555 123 4567\nE: john@acme.com\nwww.acme.com\n", "Hello Jane,\n\nplease call me.\n\nKind regards,\n\nJohn Doe"},
    {"mobile-q", "ok\n\nOn Aug 14, 2019 11:32 AM, \"Bob\" <bob@x.com> wrote:\n>\n> old\n", "ok"},
    {"said", "ok\n\nQuoting Bob <bob@x.com>:\n\n> old\n", "ok"},
    {"name-only", "ok\n\nBob Jones <bob@x.com> wrote:\n\nold text\n", "ok"},
    {"le", "ok\n\nLe mer. 14 août 2019 à 11:32, Bob\n<bob@x.fr> a\nécrit :\n\n> vieux\n", "ok"},
    {"fi", "ok\n\nBob <bob@x.fi> kirjoitti 14.8.2019 kello 11.32:\n\n> vanha\n", "ok"},
    {"fi2", "ok\n\nke 14. elok. 2019 klo 11.32 Bob (bob@x.fi) kirjoitti:\n\nvanha\n", "ok"},
    {"da", "ok\n\nDen ons. 14. aug. 2019 kl. 11.32 skrev Bob <bob@x.dk>:\n\ngammel\n", "ok"},
    {"hu", "ok\n\nBob <bob@x.hu> ezt írta (időpont: 2019. aug. 14., Sze, 11:32):\n\n> régi\n", "ok"},
    {"tr", "ok\n\n14 Ağu 2019 Çar 11:32 tarihinde Bob <bob@x.tr> şunu yazdı:\n\n> eski\n", "ok"},
    {"uk", "ok\n\nср, 14 серп. 2019 р. о 11:32 Bob <bob@x.ua> пише:\n\n> старе\n", "ok"},
    {"cs", "ok\n\nst 14. 8. 2019 v 11:32 odesílatel Bob <bob@x.cz> napsal:\n\nstaré\n", "ok"},
    {"proton", "ok\n\nSent with Proton Mail secure email.\n\n------- Original Message -------\nOn Wednesday, August 14th, 2019 at 11:32 AM, Bob <bob@x.com> wrote:\n\n> old\n", "ok"},
    {"tutanota", "ok\n\n-- \nSecured with Tuta Mail: \nhttps://tuta.com/free-email\n\n\nAug 14, 2019, 11:32 by bob@x.com:\n\n> old\n", "ok"},
    {"tutanota2", "ok\n\nAug 14, 2019, 11:32 by bob@x.com:\n\nold\n", "ok"},
    {"fastmail", "ok\n\nOn Wed, Aug 14, 2019, at 11:32 AM, Bob wrote:\n> old\n", "ok"},
    {"hey", "ok\n\nOn August 14, 2019, Bob <bob@x.com> wrote:\n> old\n", "ok"},
    {"em", "ok\n\n------ Original Message ------\nFrom \"Bob\" <bob@x.com>\nTo \"me\" <me@x.com>\nDate 14/08/2019 11:32:00\nSubject x\n\nold\n", "ok"},
    {"thebat", "Hello Bob,\n\nWednesday, August 14, 2019, 11:32:00 AM, you wrote:\n\n> old?\n\nyes\n", "Hello Bob,\n\nyes"},
    {"mutt", "* Bob <bob@x.com> [2019-08-14 11:32]:\n> old?\n\nyes\n", "yes"},
    {"gnus", "Bob <bob@x.com> writes:\n\n> old?\n\nyes\n", "yes"},
    {"kmail", "On Wednesday, 14 August 2019 11:32:00 CEST Bob wrote:\n> old?\n\nyes\n", "yes"},
    {"alpine", "On Wed, 14 Aug 2019, Bob Jones wrote:\n\n> old?\n\nyes\n", "yes"},
};

static const struct form html_forms[] = {
    {"talon-bq", "Reply<blockquote><div>On 11-Apr-2011, at 6:54 PM, Bob &lt;bob@example.com&gt; wrote:</div><div>Test</div></blockquote>", "Reply"},
    {"bq-attr", "<div>Reply</div><div>On 11-Apr-2011, at 6:54 PM, Bob wrote:</div><blockquote>Test</blockquote>", "Reply"},
    {"gmail", "<div dir=ltr>Reply</div><br><div class=gmail_quote><div dir=ltr class=gmail_attr>On Mon, Apr 11, 2011 at 6:54 PM Bob &lt;<a href='mailto:b@x.com'>b@x.com</a>&gt; wrote:<br></div><blockquote class=gmail_quote style='margin:0 0 0 .8ex'>Test</blockquote></div>", "Reply"},
    {"gmail-inline", "<div dir=ltr><div class=gmail_quote><div class=gmail_attr>On Mon, Apr 11, 2011 at 6:54 PM Bob &lt;b@x.com&gt; wrote:</div><blockquote class=gmail_quote>one?</blockquote><div>yes</div><blockquote class=gmail_quote>two?</blockquote><div>no</div></div></div>", "yes\n\nno"},
    {"gmail-fwd", "<div dir=ltr>See<br><br><div class=gmail_quote><div class=gmail_attr>---------- Forwarded message ---------<br>From: <b>Bob</b> &lt;b@x.com&gt;<br>Date: Mon<br>Subject: x<br>To: me<br></div><br><div>old<blockquote>older</blockquote>old too</div></div></div>", "See"},
    {"ol2003", "<div><p class=MsoNormal>Reply</p><div><div class=MsoNormal align=center><hr size=2 width='100%' align=center tabindex=-1></div><p class=MsoNormal><b>From:</b> Bob [mailto:b@x.com] <br><b>Sent:</b> Monday<br><b>To:</b> me<br><b>Subject:</b> x</p></div><p>old</p></div>", "Reply"},
    {"ol2010", "<div class=WordSection1><p class=MsoNormal>Reply</p><p class=MsoNormal>&nbsp;</p><div><div style='border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal><b>Von:</b> Bob <br><b>Gesendet:</b> Montag<br><b>An:</b> me<br><b>Betreff:</b> x</p></div></div><p>alt</p></div>", "Reply"},
    {"owa", "<div>Reply</div><div id=appendonsend></div><hr style='display:inline-block;width:98%' tabindex=-1><div id=divRplyFwdMsg dir=ltr><b>From:</b> Bob<br><b>Sent:</b> Mon<br></div><div>old</div>", "Reply"},
    {"owa-sig", "<div>Reply</div><div id=Signature><div>Bob</div></div><div id=x_divRplyFwdMsg><b>From:</b> Bob</div><div>old</div>", "Reply"},
    {"olmobile", "<div>Reply</div><div id=ms-outlook-mobile-signature><a href='https://aka.ms/o0ukef'>Get Outlook for iOS</a></div><hr><div id=divRplyFwdMsg><b>From:</b> Bob</div>old", "Reply"},
    {"winmail", "<div>Reply</div><div style='padding-top: 5px; border-top-color: rgb(229, 229, 229); border-top-width: 1px; border-top-style: solid;'><div><b>From:</b> <a href='mailto:b@x.com'>Bob</a><br><b>Sent:</b> Monday<br><b>To:</b> me</div></div><div>old</div>", "Reply"},
    {"apple", "<div>Reply<br><div><br><blockquote type=cite><div>On 11 Apr 2011, at 18:54, Bob &lt;b@x.com&gt; wrote:</div><br><div>old</div></blockquote></div></div>", "Reply"},
    {"ios", "Reply<br><br>Sent from my iPhone<div><br>On 11 Apr 2011, at 18:54, Bob &lt;b@x.com&gt; wrote:<br><br></div><blockquote type=cite><div>old</div></blockquote>", "Reply"},
    {"yahoo", "<div>Reply</div><div id=ydp1234abcdyahoo_quoted class='ydp1234abcdyahoo_quoted'><div>On Monday, Bob &lt;b@x.com&gt; wrote:</div><div>old</div></div>", "Reply"},
    {"tb", "<p>Reply</p><div class=moz-cite-prefix>Am 11.04.11 um 18:54 schrieb Bob:<br></div><blockquote type=cite cite='mid:x@y'><p>old</p></blockquote><p>more</p><pre class=moz-signature>-- \nBob</pre>", "Reply\n\nmore"},
    {"proton", "<div>Reply</div><div class='protonmail_signature_block'>Sent with Proton Mail secure email.</div><div class=protonmail_quote>------- Original Message -------<br>On Monday, Bob wrote:<br><blockquote class=protonmail_quote type=cite>old</blockquote></div>", "Reply"},
    {"zoho", "<div>Reply</div><div class=zmail_extra><div>---- On Mon, 11 Apr 2011 18:54:00 +0200 <b>Bob &lt;b@x.com&gt;</b> wrote ----</div><blockquote>old</blockquote></div>", "Reply"},
    {"mailru", "<div>Reply</div><br><blockquote style='border-left:1px solid #0857A6;margin:10px;padding:0 0 0 10px;'>Понедельник, 11 апреля 2011, 18:54 +03:00 от Bob &lt;b@x.ru&gt;:<br>old</blockquote>", "Reply"},
    {"yandex", "<div>Reply</div><div>11.04.2011, 18:54, \"Bob\" &lt;b@x.ru&gt;:</div><blockquote><p>old</p></blockquote>", "Reply"},
    {"qq", "<div>Reply</div><div><br></div><div style='font-size:12px'>------------------&nbsp;Original&nbsp;------------------</div><div><b>From:</b> \"Bob\" &lt;b@x.cn&gt;;</div><div><b>Date:</b> Mon</div><div><b>Subject:</b> x</div><div>old</div>", "Reply"},
    {"163", "<div>Reply</div><div>At 2011-04-11 18:54:00, \"Bob\" &lt;b@x.cn&gt; wrote:</div><blockquote id=isReplyContent style='PADDING-LEFT: 1ex'>old</blockquote>", "Reply"},
    {"spark", "<div name=messageBodySection>Reply</div><div name=messageSignatureSection><br>Bob</div><div name=messageReplySection>On Apr 11, Bob wrote:<blockquote type=cite>old</blockquote></div>", "Reply"},
    {"front", "<div>Reply</div><div>On April 11, 2011, Bob &lt;b@x.com&gt; wrote:</div><blockquote class=front-blockquote>old</blockquote>", "Reply"},
    {"hubspot", "<div>Reply</div><div class=hs_reply><div>On Mon, Apr 11, 2011 at 6:54 PM, Bob &lt;b@x.com&gt; wrote:</div><blockquote>old</blockquote></div>", "Reply"},
    {"gmx", "<div>Reply</div><div><div name=quote style='margin:10px 5px 5px 10px;border-left:2px solid #C3D9E5'><div><b>Gesendet:</b> Montag<br><b>Von:</b> Bob</div><div>alt</div></div></div>", "Reply"},
    {"roundcube", "<p>Reply</p><p id=reply-intro>On 2011-04-11 18:54, Bob wrote:</p><blockquote type=cite><div>old</div></blockquote><div><br></div><div id=_rc_sig>-- <br>Bob</div>", "Reply"},
    {"aol", "<div>Reply</div><div>-----Original Message-----<br>From: Bob &lt;b@x.com&gt;<br>To: me<br>Sent: Mon, Apr 11, 2011 6:54 pm<br>Subject: x<br><br>old</div>", "Reply"},
    {"samsung", "<div>Reply</div><div id=composer_signature><div>Sent from my Galaxy</div></div><div><br></div><div><div>-------- Original message --------</div><div>From: Bob &lt;b@x.com&gt; </div><div>Date: 4/11/11 6:54 PM (GMT+01:00) </div><div>To: me </div><div>Subject: x </div><div><br></div></div>old", "Reply"},
    {"mac-ol", "<div>Reply</div><span id=OLK_SRC_BODY_SECTION><div style='border-top:#b5c4df 1pt solid'><b>From: </b>Bob<br></div>old</span>", "Reply"},
    {"airmail", "<div>Reply</div><div class='bloop_sign'>Bob</div><p class=airmail_on>On April 11, 2011 at 18:54, Bob wrote:</p><blockquote type=cite class=clean_bq>old</blockquote>", "Reply"},
    {"list", "<p>Two things:</p><ol><li>one</li><li>two</li></ol><p>Thanks</p>", "Two things:\n\n1. one\n2. two\n\nThanks"},
    {"indent", "<div>x</div><blockquote style='margin: 0 0 0 40px; border: none; padding: 0px;'><div>indented</div></blockquote>", "x\nindented"},
    {"own-bq", "<p>He said:</p><blockquote>To be or not to be</blockquote><p>I agree.</p>", NULL},
    {"table", "<table><tr><td>a</td><td>1</td></tr><tr><td>b</td><td>2</td></tr></table>", "a 1\nb 2"},
    {"gt-entity", "<div>5 &gt; 3</div><div>&gt; is a sign</div>", NULL},
    {"outlook-fr", "<div>Bonjour</div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p><b>De&nbsp;:</b> Bob<br><b>Envoyé&nbsp;:</b> lundi<br><b>À&nbsp;:</b> moi<br><b>Objet&nbsp;:</b> x</p></div><p>vieux</p>", "Bonjour"},
    {"new-outlook", "<div class='elementToProof'>Reply</div><div class='elementToProof' id='Signature'>Bob</div><div id='mail-editor-reference-message-container'><hr><div><b>From:</b> Bob</div>old</div>", "Reply"},
    {"hidden", "<div style='display:none;max-height:0'>preheader text</div><div>Reply</div><img src='https://t.x/p.gif' width=1 height=1>", "Reply"},
    {"emclient", "<div>Reply</div><div>------ Original Message ------</div><div>From \"Bob\" &lt;b@x.com&gt;</div><div>To me</div><div>Date 4/11/2011 6:54:00 PM</div><div>Subject x</div><div><br></div><div>old</div>", "Reply"},
    {"zendesk", "<div style='color:#b5b5b5'>##- Please type your reply above this line -##</div><p>old</p>", NULL},
};

static guint read_forms(const struct form *forms, gsize n, const char *type)
{
    guint bad = 0;
    for (gsize i = 0; i < n; i++) {
        g_autofree char *raw = g_strdup_printf("From: a@b.org\nContent-Type: text/%s; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n%s", type, forms[i].body);
        g_autoptr(parsed_mail) mail = NULL;
        assert_int_equal(mail_parse(raw, strlen(raw), NULL, &mail, NULL), 0);
        struct extracted_text out;
        text_extract(mail, NULL, &out);
        bool good = forms[i].expected ? out.certainty == TEXT_CERTAIN && strcmp(out.text, forms[i].expected) == 0 : out.certainty == TEXT_UNCERTAIN;
        if (!good)
            print_error("%s → %d (%s) \"%s\"\n", forms[i].name, out.certainty, out.reason ? out.reason : "", out.text);
        bad += !good;
        extracted_text_clear(&out);
    }
    return bad;
}

static void plain(void **state)
{
    assert_int_equal(read_forms(plain_forms, G_N_ELEMENTS(plain_forms), "plain"), 0);
}

static void html(void **state)
{
    assert_int_equal(read_forms(html_forms, G_N_ELEMENTS(html_forms), "html"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(html),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
