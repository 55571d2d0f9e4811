/* SPDX-License-Identifier: Apache-2.0 */
/* Which text is new: what must go, what must stay, and what must be held rather than sent. And HTML → text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "core/html_text.h"
#include "core/text_extract.h"
#include "core/text_format.h"
#include "core/text_join.h"

/* What was made of case i is so certain, and the expected text unless that is NULL. Clears it. */
static void judge(guint i, const char *source, struct extracted_text *out, enum text_certainty certainty, const char *expected)
{
    if (out->certainty != certainty || (expected && strcmp(out->text, expected) != 0))
        fail_msg("case %u: \"%s\"\n→ %d (%s) \"%s\"", i, source, out->certainty, out->reason, out->text);
    assert_true((out->reason != NULL) == (out->certainty == TEXT_UNCERTAIN));
    extracted_text_clear(out);
}

static void plain(void **state)
{
    static const struct {
        const char *text;
        enum text_certainty certainty;
        const char *expected;
    } cases[] = {
        {"just this\n", TEXT_CERTAIN, "just this"},
        {"", TEXT_EMPTY, ""},
        {" \n\n", TEXT_EMPTY, ""},
        {"two\n\nparagraphs\n- and\n- lists\n", TEXT_CERTAIN, "two\n\nparagraphs\n- and\n- lists"},
        /* above */
        {"yes\n\nOn Mon, 3 Aug 2026 at 10:19, Bob Jones <+15551234567@sms.example.org> wrote:\n> really?\n", TEXT_CERTAIN, "yes"},
        {"ja\n\nAm 03.08.2026 um 10:19 schrieb Bob Jones:\n> wirklich?\n> ja?\n", TEXT_CERTAIN, "ja"},
        {"oui\n\nLe lun. 3 août 2026 à 10:19, Bob <bob@x.fr> a écrit :\n\n> vraiment ?\n", TEXT_CERTAIN, "oui"},
        {"да\n\nпн, 3 авг. 2026 г. в 10:19, Боб <bob@x.ru>:\n\n> правда?\n", TEXT_CERTAIN, "да"},
        {"はい\n\n2026年8月3日(月) 10:19 Bob <bob@x.jp>:\n\n> 本当?\n", TEXT_CERTAIN, "はい"},
        {"ok\n\nOn Mon, 3 Aug 2026 at 10:19, Bob Jones\n<+15551234567@sms.example.org> wrote:\n> really?\n", TEXT_CERTAIN, "ok"},
        {"ok\n\nOn Mon, 3 Aug 2026 at 10:19, Bob <b@x.org> wrote:\nreally?\nwithout marks\n", TEXT_CERTAIN, "ok"},
        {"ok\n\n-----Original Message-----\nFrom: Bob <b@x.org>\nSent: Monday\nTo: me\nSubject: x\n\nold\n", TEXT_CERTAIN, "ok"},
        {"gut\n\nVon: Bob <b@x.org>\nGesendet: Montag, 3. August 2026 10:19\nAn: ich\nBetreff: x\n\nalt\n", TEXT_CERTAIN, "gut"},
        {"ok\n\n________________________________\nFrom: Bob\nSent: Monday\nTo: me\nSubject: x\n\nold\n", TEXT_CERTAIN, "ok"},
        {"see this\n\n---------- Forwarded message ---------\nFrom: Bob <b@x.org>\nold\n", TEXT_CERTAIN, "see this"},
        /* below and between */
        {"On Mon, 3 Aug 2026 at 10:19, Bob <b@x.org> wrote:\n> really?\n\nyes\n", TEXT_CERTAIN, "yes"},
        {"Hi\n\nBob wrote on 3 Aug 2026 10:19:\n> one?\n\n1\n\n> two?\n\n2\n", TEXT_CERTAIN, "Hi\n\n1\n\n2"},
        /* signatures and footers */
        {"text\n-- \nBob\nCEO\n", TEXT_CERTAIN, "text"},
        {"text\n--\nBob\n", TEXT_CERTAIN, "text"},
        {"text\n\n-- \nBob\n\nOn Mon, 3 Aug 2026 at 10:19, Bob <b@x.org> wrote:\n> old\n", TEXT_CERTAIN, "text"},
        {"text\n\nSent from my iPhone\n", TEXT_CERTAIN, "text"},
        {"text\n\nVon meinem iPhone gesendet\n\nAm 03.08.2026 um 10:19 schrieb Bob <b@x.org>:\n\n> alt\n", TEXT_CERTAIN, "text"},
        {"text\n\nEnvoyé de mon iPhone\n", TEXT_CERTAIN, "text"},
        {"text\n\nThis e-mail is confidential and intended solely for the addressee. If you have received it in error, please notify the sender and delete it.\n", TEXT_CERTAIN, "text"},
        {"-- this is no signature\n", TEXT_CERTAIN, "-- this is no signature"},
        {"ok\n\n2026/11/26 10:15 Bob Jones <bob@x.org>\nCan you come on Monday?\nBob\n", TEXT_CERTAIN, "ok"},
        {"ok\n\n2026/11/26 Bob Jones <bob@x.org>\n> Can you?\n", TEXT_CERTAIN, "ok"},
        {"ok\n\n[Bob Jones <bob@x.org>, 2026-11-26 10:15]\n> Can you?\n", TEXT_CERTAIN, "ok"},
        {"ok\n\n> Bob <mailto:b@x.org>\n> 3 Aug 2026 10:19\n> old\n", TEXT_CERTAIN, "ok"},
        {"ok\n\nBob <b@x.org> schrieb am\nDo., 28. Mai 2026, 22:26:\n\n> alt\n", TEXT_CERTAIN, "ok"},
        {"ok\n\nBob Jones\n3/8/2026 10:19\n\nTo\nme\ncc\n\nSubject\nchairs\n\nold\n", TEXT_CERTAIN, "ok"},
        {"ok\n\nبتاريخ ٢٨‏/٠٥‏/٢٠٢٦ ٢٢:٢٦ Bob <b@x.org> كتب:\nold\n", TEXT_CERTAIN, "ok"},
        {"text\n\n--Alice\n", TEXT_CERTAIN, "text"},
        {"text\n\nSent from my phone. Please excuse any typos or brevity.\n", TEXT_CERTAIN, "text"},
        /* held */
        {"see below\n\nOn Friday Bob Jones wrote:\nfoo bar\nyes\nbaz\n", TEXT_UNCERTAIN, NULL},
        {"ok\n\nQuoting Bob Jones <b@x.org>:\nold\n", TEXT_UNCERTAIN, NULL},
        {"Meeting:\nDate: Monday 5pm\nTo: all\nSubject: plans\n", TEXT_UNCERTAIN, "Meeting:\nDate: Monday 5pm\nTo: all\nSubject: plans"},
        {"> is that a joke?\n", TEXT_UNCERTAIN, "> is that a joke?"},
        {"a\n>>> this way >>>\nb\n", TEXT_UNCERTAIN, "a\n>>> this way >>>\nb"},
        {"ok\n\nBob Jones, 3 Aug 2026 10:19:\nreally?\n", TEXT_UNCERTAIN, NULL},
        {"On Mon, 3 Aug 2026 at 10:19, Bob <b@x.org> wrote:\nold words\nnew words?\n", TEXT_UNCERTAIN, ""},
        {"ok\n\nFrom: Bob <b@x.org>\nhello\n", TEXT_UNCERTAIN, NULL},
        {"ok\n\n--- alter text ---\nhello\n", TEXT_UNCERTAIN, NULL},
        {"see below in red\n\nOn Mon, 3 Aug 2026 at 10:19, Bob <b@x.org> wrote:\nold\n", TEXT_UNCERTAIN, NULL},
        {"> a long quoted line that goes on until it has to be broken by the client\nhere\n> and continues\n", TEXT_UNCERTAIN, NULL},
        {"text\n\nSent from my Wiko\n\nold words of another person\n", TEXT_UNCERTAIN, "text"},
        {"broken \xef\xbf\xbd text\n", TEXT_UNCERTAIN, NULL},
        /* not to be taken for anything else */
        {"The plan for Monday:\nmeet at 10:30\nbring: bread\n", TEXT_CERTAIN, "The plan for Monday:\nmeet at 10:30\nbring: bread"},
        {"On the one hand it is late.\nOn the other hand, yes.\n", TEXT_CERTAIN, "On the one hand it is late.\nOn the other hand, yes."},
        {"Meet at the harbour, 10:30.\nBob\n", TEXT_CERTAIN, "Meet at the harbour, 10:30.\nBob"},
        {"The log says:\n2026-05-28 22:26:31 started\n2026-05-28 22:27:02 failed\n", TEXT_CERTAIN,
         "The log says:\n2026-05-28 22:26:31 started\n2026-05-28 22:27:02 failed"},
        {"It was at 10:30 on 3 June 2026. Ask Carol (c@x.org), she wrote the list.\n", TEXT_CERTAIN,
         "It was at 10:30 on 3 June 2026. Ask Carol (c@x.org), she wrote the list."},
        {"See <https://x.org/7\n> before noon.\n", TEXT_CERTAIN, "See <https://x.org/7\n> before noon."},
        {"Sent from the airport: we land at ten.\n", TEXT_CERTAIN, "Sent from the airport: we land at ten."},
        {"Am 3. Juni 2026 um 14:00 Uhr tagt der Vorstand:\nbitte kommen.\n", TEXT_CERTAIN,
         "Am 3. Juni 2026 um 14:00 Uhr tagt der Vorstand:\nbitte kommen."},
        {"Hi\n\nI am home at 10:30\nBob Jones <b@x.org> wrote:\n> when?\n", TEXT_CERTAIN, "Hi\n\nI am home at 10:30"},
        {"I said:\nno\n", TEXT_CERTAIN, "I said:\nno"},
        {"a\n---\nb\n", TEXT_CERTAIN, "a\n---\nb"},
        {"* _ *\n", TEXT_CERTAIN, "* _ *"}, /* nothing but marks: was read before its start */
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct extracted_text out = {0};
        text_extract_plain(cases[i].text, &out);
        judge(i, cases[i].text, &out, cases[i].certainty, cases[i].expected);
    }
}

/* Lines of own that look like something else, languages and clients that the corpora do not have. */
static void more_plain(void **state)
{
    static const struct {
        const char *text;
        enum text_certainty certainty;
        const char *expected;
    } cases[] = {
        {"tak\n\ndne po 3. 8. 2026 v 10:19 odesílatel Bob Jones <bob@x.cz> napsal:\n\n> opravdu?\n", TEXT_CERTAIN, "tak"},
        {"evet\n\nBob Jones <bob@x.tr>, 3 Ağu 2026 Pzt, 10:19 tarihinde şunu yazdı:\n\ngerçekten mi?\n", TEXT_CERTAIN, "evet"},
        {"네\n\n2026년 8월 3일 (월) 오전 10:19, Bob <bob@x.kr>님이 작성:\n\n> 정말?\n", TEXT_CERTAIN, "네"},
        {"好的\n\n在 2026年8月3日，上午10:19，Bob <bob@x.cn> 写道：\n\n真的吗\n", TEXT_CERTAIN, "好的"},
        {"好\n\n发件人： Bob <bob@x.cn>\n发送时间： 2026年8月3日 10:19\n收件人： me\n主题： x\n\n真的吗\n", TEXT_CERTAIN, "好"},
        {"כן\n\n\xe2\x80\xab" "בתאריך יום ב׳, 3 באוג׳ 2026 ב-10:19 מאת Bob <bob@x.il>:\xe2\x80\xac\n\n> באמת?\n", TEXT_CERTAIN, "כן"},
        {"نعم\n\nفي الاثنين، ٣ أغسطس ٢٠٢٦ في ١٠:١٩ ص تمت كتابة ما يلي بواسطة Bob <bob@x.eg>:\n\n> حقا؟\n", TEXT_CERTAIN, "نعم"},
        {"ja\n\n\xc2\xa0On Mon, 3\xc2\xa0" "Aug 2026 at 10:19\xe2\x80\xaf" "AM Bob <bob@x.org> wrote:\n> x\n", TEXT_CERTAIN, "ja"},
        {"ok\n\nBob <bob@x.org> schrieb am 03.08.2026 10:19 CEST:\n\n\nwirklich?\n", TEXT_CERTAIN, "ok"},
        {"ok\n\nZitat von Bob <bob@x.org>:\n\n> wirklich?\n", TEXT_CERTAIN, "ok"},
        {"ok\n\n---- On Mon, 03 Aug 2026 10:19:00 +0200 Bob <bob@x.org> wrote ----\n\nreally?\n", TEXT_CERTAIN, "ok"},
        {"ok\n\n*From:* Bob <bob@x.org>\n*Sent:* Monday, August 3, 2026 10:19 AM\n*To:* me\n*Subject:* x\n\nold\n", TEXT_CERTAIN, "ok"},
        {"ok\n\n##- Please type your reply above this line -##\n\nTicket 12 was changed\n", TEXT_CERTAIN, "ok"},
        {"ok\n\nBob wrote on 3 Aug 2026 10:19:\n| really?\n| sure?\n", TEXT_CERTAIN, "ok"},
        {"ok\n\n| really?\n| sure?\n", TEXT_UNCERTAIN, "ok"},
        {"yes\n\nOn Mon, 3 Aug 2026, Bob wrote:\nBJ> really?\nBJ> sure?\n\nand no\n", TEXT_CERTAIN, "yes\n\nand no"},
        {">>> Bob <bob@x.org> 03.08.26 10:19 >>>\nreally?\n", TEXT_UNCERTAIN, ""},
        {"text\n\nGet Outlook for iOS<https://aka.ms/o0ukef>\n\nold words\n", TEXT_CERTAIN, "text"},
        {"text\n\nVon meinem Samsung Galaxy Smartphone gesendet.\n", TEXT_CERTAIN, "text"},
        {"текст\n\nОтправлено с iPhone\n", TEXT_CERTAIN, "текст"},
        {"文\n\niPhoneから送信\n", TEXT_CERTAIN, "文"},
        {"metin\n\niPhone'umdan gönderildi\n", TEXT_CERTAIN, "metin"},
        {"text\n\nKind regards\nBob Jones\nHead of Things\nTel. +49 30 1234567\nwww.x.org\n", TEXT_CERTAIN, "text\n\nKind regards\nBob Jones"},
        {"text\n\nThis message is confidential.\n", TEXT_UNCERTAIN, "text"},
        {"text\n\nDiese E-Mail ist vertraulich. Wenn Sie nicht der richtige Adressat sind, vernichten Sie sie.\n", TEXT_CERTAIN, "text"},
        {"We need\n> 100 pieces.\n", TEXT_UNCERTAIN, NULL},
        {"look:\n```\n> prompt\n-- \nFrom: x@y.z\n```\ndone\n", TEXT_CERTAIN, "look:\n```\n> prompt\n--\nFrom: x@y.z\n```\ndone"},
        {"Sent from my desk, which is so much easier to write at than any telephone.\n", TEXT_CERTAIN, NULL},
        {"Agenda:\n----\nFirst we eat, then we talk about the house.\n----\nBring bread.\n", TEXT_CERTAIN, NULL},
        {"Bob said:\nwe meet at noon\n", TEXT_CERTAIN, NULL},
        {"I wrote to bob@x.org:\nhe does not answer\n", TEXT_UNCERTAIN, NULL},
        {"Best regards from Berlin, it is warm here.\n", TEXT_CERTAIN, "Best regards from Berlin, it is warm here."},
        {"this text was broken by a program that cannot leave long lines alone, so\nit goes on here and ends\n", TEXT_CERTAIN,
         "this text was broken by a program that cannot leave long lines alone, so it goes on here and ends"},
        {"roses are red\nviolets are blue\n", TEXT_CERTAIN, "roses are red\nviolets are blue"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct extracted_text out = {0};
        text_extract_plain(cases[i].text, &out);
        if (out.certainty != cases[i].certainty || (cases[i].expected && strcmp(out.text, cases[i].expected) != 0))
            fail_msg("case %u: \"%s\"\n→ %d (%s) \"%s\"", i, cases[i].text, out.certainty, out.reason, out.text);
        if (!cases[i].expected && out.certainty == TEXT_CERTAIN) { /* all of it stays */
            g_autofree char *with_end = g_strconcat(out.text, "\n", NULL);
            assert_string_equal(with_end, cases[i].text);
        }
        extracted_text_clear(&out);
    }
}

static void extract_raw(const char *raw, const char *delivered, struct extracted_text *out)
{
    g_autoptr(parsed_mail) mail = NULL;
    g_autoptr(text_known) known = text_known_new();
    if (delivered)
        text_known_add(known, delivered);
    assert_int_equal(mail_parse(raw, strlen(raw), NULL, &mail, NULL), 0);
    text_extract(mail, known, out);
}

/* What was delivered is a quote, however it stands there. */
static void known_text(void **state)
{
    static const char delivered[] = "Shall we take the train at nine on Monday morning?\nyes or no\n";
    static const struct {
        const char *body;
        enum text_certainty certainty;
        const char *expected;
    } cases[] = {
        {"Shall we take the train at nine on Monday morning?\nyes or no\n\nyes\n", TEXT_CERTAIN, "yes"},
        {"yes\n\n* Shall we take the train\n* at nine on Monday morning?\n", TEXT_CERTAIN, "yes"},
        {"On Mon, 3 Aug 2026 at 10:19, Bob <b@x.org> wrote:\nShall we take the train at nine on Monday morning?\nyes or no\n\nI take the bus.\n", TEXT_CERTAIN, "I take the bus."},
        {"Bob said: Shall we take the train\nBob said: at nine on Monday morning?\n\nyes\n", TEXT_CERTAIN, "yes"},
        {"Bob said: Shall we take the train at nine on Monday morning?\nBob said: yes or no\n\nyes\n", TEXT_UNCERTAIN, "yes"},
        {"yes or no\n", TEXT_CERTAIN, "yes or no"}, /* too short to tell */
        {"The train is late.\n", TEXT_CERTAIN, "The train is late."},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *raw = g_strconcat("From: a@b.org\n\n", cases[i].body, NULL);
        struct extracted_text out;
        extract_raw(raw, delivered, &out);
        judge(i, raw, &out, cases[i].certainty, cases[i].expected);
    }
}

static void formats(void **state)
{
    static const char raw[] = "From: a@b.org\nContent-Type: text/html\n\n"
                              "<p>a <b>bold </b>and <i>it<s>al</s>ic</i> <code>x()</code></p><blockquote type=cite><b>old</b></blockquote>";
    struct extracted_text out;
    extract_raw(raw, NULL, &out);
    assert_string_equal(out.text, "a bold and italic x()");
    static const struct {
        const char *channel, *text;
    } cases[] = {{"whatsapp", "a *bold* and _it~al~ic_ ```x()```"}, {"sms", "a bold and italic x()"}, {"signal", "a *bold* and _it~al~ic_ `x()`"}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = text_format(&out, cases[i].channel);
        assert_string_equal(text, cases[i].text);
    }
    assert_int_equal(out.styles->len, 4);
    const struct text_style *bold = &g_array_index(out.styles, struct text_style, 0);
    assert_int_equal(bold->kind, TEXT_STYLE_BOLD);
    assert_memory_equal(out.text + bold->start, "bold", 4);
    extracted_text_clear(&out);
}

/* Kinds of mail whose text is not to be sent, or is in an unusual place. */
static void kinds(void **state)
{
    static const struct {
        const char *raw;
        enum text_certainty certainty;
        const char *expected;
    } cases[] = {
        {"Content-Type: application/ms-tnef; name=winmail.dat\n\nx", TEXT_UNCERTAIN, ""},
        {"Content-Type: multipart/alternative; boundary=x\n\n--x\n\nmeet\n--x\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\n--x--\n", TEXT_UNCERTAIN, "meet"},
        {"\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nsigned words\n-----BEGIN PGP SIGNATURE-----\n\niQ\n-----END PGP SIGNATURE-----\n", TEXT_CERTAIN, "signed words"},
        {"Content-Type: text/plain; format=flowed\n\n > is greater\nand so on\n", TEXT_CERTAIN, "> is greater\nand so on"},
        {"Content-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\n\x82\xb1\x82\xf1\x82\xc9\x82\xbf\x82\xcd\x81\x42\n", TEXT_CERTAIN, "こんにちは。"},
        {"Content-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\n\xcf\xf0\xe8\xe2\xe5\xf2, \xea\xe0\xea \xe4\xe5\xeb\xe0?\n", TEXT_CERTAIN, "Привет, как дела?"},
        {"Content-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\n\xf0\xd2\xc9\xd7\xc5\xd4, \xcb\xc1\xcb \xc4\xc5\xcc\xc1?\n", TEXT_CERTAIN, "Привет, как дела?"},
        {"Content-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\n\xb9\xdd\xb0\xa9\xbd\xc0\xb4\xcf\xb4\xd9.\n", TEXT_CERTAIN, "반갑습니다."},
        {"Content-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\n\xc4\xe3\xba\xc3\xa3\xac\xc3\xf7\xcc\xec\xbc\xfb\n", TEXT_CERTAIN, "你好，明天见"},
        {"Content-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\nGr\xfc\xdf" "e aus K\xf6ln\n", TEXT_CERTAIN, "Grüße aus Köln"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *raw = g_strconcat("From: a@b.org\n", cases[i].raw, NULL);
        struct extracted_text out;
        extract_raw(raw, NULL, &out);
        judge(i, raw, &out, cases[i].certainty, cases[i].expected);
    }
}

static void whole_mails(void **state)
{
    static const struct {
        const char *raw;
        enum text_certainty certainty;
        const char *expected;
    } cases[] = {
        {"Content-Type: text/html\n\n<div>yes</div><div class=gmail_quote><div class=gmail_attr>On Mon, 3 Aug 2026 at 10:19, Bob &lt;b@x.org&gt; wrote:<br></div><blockquote>really?</blockquote></div>",
         TEXT_CERTAIN, "yes"},
        {"Content-Type: text/html\n\n<p>yes</p><div id=\"appendonsend\"></div><hr><div id=\"divRplyFwdMsg\"><b>From:</b> Bob</div><div>old</div>", TEXT_CERTAIN, "yes"},
        {"Content-Type: text/html\n\n<div>yes</div><div class=\"gmail_signature\">Bob, CEO</div>", TEXT_CERTAIN, "yes"},
        {"Content-Type: text/html\n\n<div>yes</div><blockquote type=cite>old</blockquote><div>and no</div>", TEXT_CERTAIN, "yes\n\nand no"},
        {"Content-Type: multipart/alternative; boundary=x\n\n--x\n\nyes old words that are quoted in the other form, at some length\n--x\nContent-Type: text/html\n\n<p>yes</p><blockquote>old words that are quoted in the other form, at some length</blockquote>\n--x--\n",
         TEXT_UNCERTAIN, "yes"},
        {"Content-Type: multipart/alternative; boundary=x\n\n--x\n\nYour client does not support HTML\n--x\nContent-Type: text/html\n\n<p>yes</p>\n--x--\n", TEXT_CERTAIN, "yes"},
        {"Content-Type: multipart/encrypted; boundary=x\n\n--x\n\nx\n--x--\n", TEXT_UNCERTAIN, ""},
        {"Content-Type: image/png\n\nx", TEXT_EMPTY, ""},
        {"Content-Type: text/plain; format=flowed\n\nyes \nand no\n\nOn Mon, 3 Aug 2026 at 10:19, Bob <b@x.org> wrote:\n>> older \n>> words\n> old\n", TEXT_CERTAIN, "yes and no"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *raw = g_strconcat("From: a@b.org\n", cases[i].raw, NULL);
        g_autoptr(parsed_mail) mail = NULL;
        assert_int_equal(mail_parse(raw, strlen(raw), NULL, &mail, NULL), 0);
        struct extracted_text out = {0};
        text_extract(mail, NULL, &out);
        judge(i, raw, &out, cases[i].certainty, cases[i].expected);
    }
}

static void html(void **state)
{
    static const struct {
        const char *html, *text;
    } cases[] = {
        {"<p>one</p><p>two</p>", "one\n\ntwo\n"},
        {"<div>one</div><div>two</div><div><br></div><div>three</div>", "one\ntwo\n\nthree\n"},
        {"a<br>b<br><br>c", "a\nb\n\nc\n"},
        {"  lots \n of   blanks&nbsp; ", "lots of blanks \n"},
        {"<ul><li>a<li>b<ol><li>c</ol></ul>", "- a\n- b\n  1. c\n"},
        {"<a href=\"https://x.org/\">https://x.org</a> <a href='https://y.org/p'>here</a> <a href='javascript:x'>no</a>", "https://x.org here (https://y.org/p) no\n"},
        {"a<span style='display : none'>hidden</span><span hidden>h</span><style>s</style><script>s</script>b", "ab\n"},
        {"<div style='font-size:0px'>x</div><div style='font-size:0.9em'>y</div>", "y\n"},
        {"<p style=display>a</p><p style='x:y; display '>b</p><p style='display'>c", "a\n\nb\n\nc\n"}, /* no value: nothing behind it is read */
        {"<img src=x width=1 height=1><img alt='👍'><img alt='a long description'>", "👍\n"},
        {"<table><tr><td>a<td>b<tr><td>c<td>d</table>", "a b\nc d\n"},
        {"<pre>a\n  b</pre>", "a\n  b\n"},
        {"<blockquote>q<blockquote>qq</blockquote></blockquote>mine", "\2q\n\2qq\nmine\n"},
        {"<blockquote type=cite>q</blockquote>mine", "\1q\nmine\n"},
        {"<blockquote style='margin:0 0 0 40px;border:none'>mine</blockquote>", "mine\n"},
        {"<div>x</div><div class=gmail_signature>s</div><div id=appendonsend></div><div>old</div>", "x\n\1old\n"},
        {"<a href='https://y.org/p'>one</a> <a href='https://y.org/p'>two</a>", "one (https://y.org/p) two\n"},
        {"a&lt;b&gt;&amp;", "a<b>&\n"},
        {"", ""},
        {"unclosed <b><i>x", "unclosed x\n"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct html_text out;
        html_text(cases[i].html, strlen(cases[i].html), true, &out);
        g_autoptr(GArray) styles = g_array_new(FALSE, FALSE, sizeof(struct text_style));
        text_join_unmark(out.text, styles);
        if (strcmp(out.text, cases[i].text) != 0)
            fail_msg("\"%s\" → \"%s\"", cases[i].html, out.text);
        assert_false(out.cut);
        html_text_clear(&out);
    }
}

static double cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static char *times(const char *unit, guint n)
{
    g_autoptr(GString) s = g_string_new(NULL);
    for (guint i = 0; i < n; i++)
        g_string_append(s, unit);
    return g_strdup(s->str);
}

/* A unit, so often: what makes a parser slow that is not linear. */
struct repeated {
    const char *unit;
    guint n;
};

static void assert_quick(const struct repeated *cases, guint count, void (*read)(const char *text))
{
    for (guint i = 0; i < count; i++) {
        g_autofree char *text = times(cases[i].unit, cases[i].n);
        double start = cpu();
        read(text);
        double took = cpu() - start;
        if (took > 3.0) /* under sanitizers; far below a second without */
            fail_msg("%s took %.1f s", cases[i].unit, took);
    }
}

static void read_html(const char *text)
{
    struct html_text out;
    html_text(text, strlen(text), true, &out);
    html_text_clear(&out);
}

static void read_plain(const char *text)
{
    struct extracted_text out = {0};
    text_extract_plain(text, &out);
    extracted_text_clear(&out);
}

static void hostile_html(void **state)
{
    static const struct repeated cases[] = {
        {"<b>", 300000}, {"<div>", 100000}, {"<font color=a>x<p>", 60000}, {"<a href=x><table>", 50000}, {"<p></x>", 100000},
        {"<i></x>", 100000}, {"<table><tr><td>", 50000}, {"<blockquote>", 100000}, {"<ul><li>", 50000}, {"</p>", 200000}, {"<", 1000000},
        {"<svg><b>", 50000}, {"<!--", 200000}, {"&amp", 200000}, {"<x a=1 ", 100000}, {"<option>", 100000}, {"<button><p>", 50000},
        {"<div class=gmail_quote>", 40000}};
    assert_quick(cases, G_N_ELEMENTS(cases), read_html);
}

static void hostile_plain(void **state)
{
    static const struct repeated cases[] = {
        {"x", 1000000}, {"> ", 500000}, {">\n", 500000}, {"From: a@b\n", 100000}, {"On Mon, 3 Aug 2026 at 10:19 a@b.c\n", 30000},
        {"wrote:\n", 150000}, {":\n", 500000}, {"--\n", 300000}, {"____\n", 200000}, {"---x---\n", 120000}, {"Sent from my\n\n", 80000},
        {"a@b.c 10:10 2026:\n\n", 50000}, {"1:1.1/1-", 120000}, {"\xe2\x80\xae", 300000}};
    assert_quick(cases, G_N_ELEMENTS(cases), read_plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(more_plain),
        cmocka_unit_test(known_text),
        cmocka_unit_test(formats),
        cmocka_unit_test(kinds),
        cmocka_unit_test(whole_mails),
        cmocka_unit_test(html),
        cmocka_unit_test(hostile_html),
        cmocka_unit_test(hostile_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
