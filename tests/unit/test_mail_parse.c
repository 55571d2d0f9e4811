/* SPDX-License-Identifier: Apache-2.0 */
/* Raw mail → struct: headers, text in all its wrappings, attachments, reactions; and the cheap form for the index. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/mail_index.h"
#include "core/mail_parse.h"

static struct parsed_mail *parse(const char *raw)
{
    struct parsed_mail *mail = NULL;
    assert_int_equal(mail_parse(raw, strlen(raw), NULL, &mail, NULL), 0);
    return mail;
}

static void headers(void **state)
{
    g_autoptr(parsed_mail) m = parse(
        "From: =?utf-8?Q?J=C3=B6rg?= <joerg@example.org>\r\nSender: team@example.org\r\nTo: +15551234567@sms.example.org,\r\n"
        " \"Bob, B.\" <bob@example.org>, group: c@example.org, d@example.org;\r\nCc: e@example.org\r\nReply-To: f@example.org\r\n"
        "Subject: =?iso-8859-1?Q?Gr=FC=DFe?= =?utf-8?B?8J+RjQ==?=\r\nMessage-ID: <m@x>\r\nIn-Reply-To: <p@x>\r\n"
        "References: <a@x>\r\n <b@x> <p@x>\r\nDate: Thu, 28 May 2026 22:26:40 +0200\r\nImportance: High\r\n"
        "Disposition-Notification-To: joerg@example.org\r\nDeferred-Delivery: Fri, 29 May 2026 09:00:00 +0000\r\n"
        "UMP-From: +15550100001\r\nUMP-Template: welcome\r\nUMP-Channel-Preference: signal, whatsapp\r\n\r\nHi\r\n");
    assert_string_equal(m->from, "joerg@example.org");
    assert_string_equal(m->from_name, "Jörg");
    assert_string_equal(m->sender, "team@example.org");
    assert_int_equal(m->to->len, 4);
    const struct mail_address *bob = m->to->pdata[1];
    assert_string_equal(bob->name, "Bob, B.");
    assert_string_equal(((struct mail_address *)m->to->pdata[0])->address, "+15551234567@sms.example.org");
    assert_int_equal(m->cc->len, 1);
    assert_int_equal(m->reply_to->len, 1);
    assert_string_equal(m->subject, "Grüße👍");
    assert_string_equal(m->message_id, "<m@x>");
    assert_string_equal(m->in_reply_to, "<p@x>");
    assert_int_equal(g_strv_length(m->references), 3);
    assert_string_equal(m->references[0], "<a@x>");
    assert_true(m->date == G_GINT64_CONSTANT(1780000000000000));
    assert_true(m->deferred_until == G_GINT64_CONSTANT(1780045200000000));
    assert_true(m->urgent && m->read_report);
    assert_string_equal(m->read_report_to, "joerg@example.org");
    assert_string_equal(m->ump_from, "+15550100001");
    assert_string_equal(m->ump_template, "welcome");
    assert_string_equal(m->channel_preference[0], "signal");
    assert_int_equal(g_strv_length(m->channel_preference), 2);
    assert_int_equal(m->auto_class, MAIL_AUTO_NONE);
    assert_string_equal(m->text, "Hi\n");
    assert_null(m->html);
}

static void nothing(void **state)
{
    g_autoptr(GError) error = NULL;
    struct parsed_mail *mail = NULL;
    assert_int_equal(mail_parse("", 0, NULL, &mail, &error), -1);
    assert_non_null(error);
    assert_null(mail);
    g_autoptr(parsed_mail) m = parse("X: y\r\n\r\n");
    assert_int_equal(m->from_state, MAIL_FROM_MISSING);
    assert_null(m->from);
    assert_null(m->subject);
    assert_int_equal(m->date, 0);
    assert_non_null(m->references);
    assert_non_null(m->channel_preference);
    g_autoptr(GString) bomb = g_string_new("From: a@b\r\nX: ");
    for (int i = 0; i < 70000; i++)
        g_string_append_c(bomb, 'x');
    assert_int_equal(mail_parse(bomb->str, bomb->len, NULL, &mail, NULL), MIME_LIMITS_HEADER);
    assert_null(mail);
}

static void texts(void **state)
{
    static const struct {
        const char *head, *body, *text;
    } cases[] = {
        {"", "plain\r\ntext\r\n", "plain\ntext\n"},
        {"Content-Type: text/plain; charset=iso-8859-15\r\n", "\xa4 5\r\n", "€ 5\n"},
        {"Content-Type: text/plain; charset=iso-8859-1\r\n", "\x93quoted\x94\r\n", "“quoted”\n"},
        {"Content-Type: text/plain; charset=windows-1251\r\n", "\xcf\xf0\xe8\xe2\xe5\xf2\r\n", "Привет\n"},
        {"Content-Type: text/plain; charset=koi8-r\r\n", "\xf0\xd2\xc9\xd7\xc5\xd4\r\n", "Привет\n"},
        {"Content-Type: text/plain; charset=Shift_JIS\r\n", "\x82\xb1\x82\xf1\r\n", "こん\n"},
        {"Content-Type: text/plain; charset=iso-2022-jp\r\n", "\x1b$B$3$s\x1b(B\r\n", "こん\n"},
        {"Content-Type: text/plain; charset=gb2312\r\n", "\xc4\xe3\r\n", "你\n"},
        {"Content-Type: text/plain; charset=utf-8\r\n", "ok \xff bad\r\n", "ok \xef\xbf\xbd bad\n"},
        {"Content-Type: text/plain; charset=x-nonsense\r\n", "caf\xe9\r\n", "café\n"},
        {"", "caf\xe9\r\n", "café\n"},
        {"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n", "Gr=C3=BC=\r\n=C3=9Fe\r\n", "Grüße\n"},
        {"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n", "R3LDvMOfZQo=\r\n", "Grüße\n"},
        {"Content-Type: text/plain; format=flowed\r\n", "one \r\ntwo\r\n-- \r\nsig\r\n", "one two\n-- \nsig\n"},
        {"Content-Type: text/plain; format=flowed; delsp=yes\r\n", "one  \r\ntwo\r\n", "one two\n"},
        {"Content-Type: text/plain; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n", "/v8ASABp\r\n", "Hi"},
        {"", "a\0b", "a"},
        {"", "-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nHi\r\n- -- \r\nme\r\n-----BEGIN PGP SIGNATURE-----\r\nx\r\n-----END PGP SIGNATURE-----\r\n", "Hi\n-- \nme\n\n"},
        {"Content-Type: multipart/alternative; boundary=none\r\n", "no parts at all\r\n", "no parts at all\n"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *raw = g_strconcat("From: a@b.org\r\nMIME-Version: 1.0\r\n", cases[i].head, "\r\n", cases[i].body, NULL);
        g_autoptr(parsed_mail) m = parse(raw);
        if (g_strcmp0(m->text, cases[i].text) != 0)
            fail_msg("%s%s\n→ \"%s\"", cases[i].head, cases[i].body, m->text);
        assert_true(g_utf8_validate(m->text, -1, NULL));
    }
}

static const char mixed[] =
    "From: a@b.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\npreamble\r\n"
    "--o\r\nContent-Type: multipart/related; boundary=r\r\n\r\n"
    "--r\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n"
    "--i\r\nContent-Type: text/plain\r\n\r\nplain\r\n--i\r\nContent-Type: text/html\r\n\r\n<p>html</p>\r\n--i--\r\n"
    "--r\r\nContent-Type: image/png; name=\"../logo.png\"\r\nContent-ID: <logo@x>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw==\r\n--r--\r\n"
    "--o\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename*=utf-8''%C3%9Cbersicht.pdf\r\n\r\n%PDF\r\n"
    "--o\r\nContent-Type: text/plain\r\n\r\nfooter\r\n"
    "--o\r\nContent-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\n"
    "--o\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner text\r\n--o--\r\n";

static void attachments(void **state)
{
    g_autoptr(parsed_mail) m = parse(mixed);
    assert_string_equal(m->text, "plain\nfooter");
    assert_non_null(strstr(m->html, "<p>html</p>"));
    assert_int_equal(m->attachments->len, 4);
    const struct mail_attachment *logo = m->attachments->pdata[0], *pdf = m->attachments->pdata[1], *mail = m->attachments->pdata[3];
    assert_string_equal(logo->name, "logo.png");
    assert_string_equal(logo->type, "image/png");
    assert_string_equal(logo->content_id, "logo@x");
    assert_true(logo->is_inline);
    assert_int_equal(g_bytes_get_size(logo->content), 4);
    assert_string_equal(pdf->name, "Übersicht.pdf");
    assert_false(pdf->is_inline);
    assert_memory_equal(g_bytes_get_data(pdf->content, NULL), "%PDF", 4);
    assert_string_equal(mail->type, "message/rfc822");
    assert_string_equal(mail->name, "inner.eml");
    assert_true(m->is_forward && m->is_calendar);
    assert_false(m->is_encrypted || m->is_signed || m->is_report);
}

static void kinds(void **state)
{
    g_autoptr(parsed_mail) reaction = parse("From: a@b.org\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Disposition: reaction\r\n\r\n👍🏽\r\n");
    assert_string_equal(reaction->reaction, "👍🏽");
    assert_null(reaction->text);
    assert_false(reaction->reaction_removed);
    static const char *const nothing[] = {"", "\r\n", "-\r\n", " - \r\n"};
    for (gsize i = 0; i < G_N_ELEMENTS(nothing); i++) {
        g_autofree char *mail = g_strconcat("From: a@b.org\r\nContent-Type: text/plain\r\nContent-Disposition: reaction\r\n\r\n", nothing[i], NULL);
        g_autoptr(parsed_mail) back = parse(mail);
        assert_true(back->reaction_removed);
        assert_string_equal(back->reaction, "-");
    }
    g_autoptr(parsed_mail) wordy = parse("From: a@b.org\r\nContent-Type: text/plain\r\nContent-Disposition: reaction\r\n\r\nnot an emoji\r\n");
    assert_null(wordy->reaction);
    assert_string_equal(wordy->text, "not an emoji\n");
    g_autoptr(parsed_mail) encrypted = parse("From: a@b.org\r\nContent-Type: multipart/encrypted; boundary=x\r\n\r\n--x\r\n\r\n--x--\r\n");
    assert_true(encrypted->is_encrypted);
    g_autoptr(parsed_mail) pgp = parse("From: a@b.org\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nabc\r\n-----END PGP MESSAGE-----\r\n");
    assert_true(pgp->is_encrypted);
    g_autoptr(parsed_mail) smime = parse("From: a@b.org\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nx\r\n");
    assert_true(smime->is_encrypted);
    g_autoptr(parsed_mail) is_signed = parse("From: a@b.org\r\nContent-Type: multipart/signed; boundary=x\r\n\r\n--x\r\n\r\nhi\r\n--x\r\nContent-Type: application/pgp-signature\r\n\r\nsig\r\n--x--\r\n");
    assert_true(is_signed->is_signed);
    assert_string_equal(is_signed->text, "hi");
    assert_int_equal(is_signed->attachments->len, 0);
    g_autoptr(parsed_mail) report = parse("From: a@b.org\r\nContent-Type: multipart/report; boundary=x; report-type=delivery-status\r\n\r\n--x\r\n\r\nfailed\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n--x--\r\n");
    assert_true(report->is_report);
    assert_int_equal(report->auto_class, MAIL_AUTO_REPLIED);
    g_autoptr(parsed_mail) tnef = parse("From: a@b.org\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\n\r\nx\r\n");
    assert_true(tnef->has_tnef);
    g_autoptr(parsed_mail) two = parse("From: a@b.org\r\nFrom: c@d.org\r\n\r\n");
    assert_int_equal(two->from_state, MAIL_FROM_MULTIPLE_FIELDS);
}

static void index_form(void **state)
{
    struct mail_index x;
    static const char simple[] = "From: Bob <bob@example.org>\r\nSubject: Hi\r\nMessage-ID: <1@x>\r\nIn-Reply-To: <0@x>\r\nReferences: <a@x> <0@x>\r\n"
                                 "Date: Thu, 28 May 2026 20:26:40 +0000\r\nList-Id: <l>\r\n\r\nGr\xc3\xbc\xc3\x9f" "e\r\nend\r\n";
    mail_parse_index(simple, strlen(simple), 6, &x);
    assert_string_equal(x.from, "bob@example.org");
    assert_string_equal(x.from_name, "Bob");
    assert_string_equal(x.subject, "Hi");
    assert_string_equal(x.message_id, "<1@x>");
    assert_string_equal(x.in_reply_to, "<0@x>");
    assert_int_equal(g_strv_length(x.references), 2);
    assert_true(x.date == G_GINT64_CONSTANT(1780000000000000));
    assert_string_equal(x.text, "Grüß"); /* cut at a character */
    assert_int_equal(x.auto_class, MAIL_AUTO_GENERATED);
    mail_index_clear(&x);
    mail_parse_index(mixed, strlen(mixed), 16384, &x);
    assert_string_equal(x.text, "plain\nfooter");
    mail_index_clear(&x);
    static const char html[] = "From: a@b.org\r\nContent-Type: text/html\r\n\r\n<style>p{x}</style><p>Hello &amp; <b>goodbye</b></p><script>alert(1)</script>";
    mail_parse_index(html, strlen(html), 16384, &x);
    g_strstrip(x.text);
    assert_string_equal(x.text, "Hello & goodbye");
    mail_index_clear(&x);
    static const char *const encoded[] = {
        "From: a@b.org\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\nGr=FC=\r\n=DFe\r\n",
        "From: a@b.org\r\nContent-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: base64\r\n\r\nR3LDvMOfZQo=\r\n",
        "From: a@b.org\r\nContent-Type: text/plain; charset=utf-8; format=flowed; delsp=yes\r\n\r\nGr\303\274 \r\n\303\237e\r\n",
    };
    for (guint i = 0; i < G_N_ELEMENTS(encoded); i++) {
        mail_parse_index(encoded[i], strlen(encoded[i]), 100, &x);
        assert_string_equal(x.text, "Grüße\n");
        mail_index_clear(&x);
    }
    mail_parse_index("", 0, 100, &x);
    assert_null(x.from);
    assert_non_null(x.references);
    mail_index_clear(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers),     cmocka_unit_test(nothing), cmocka_unit_test(texts),
        cmocka_unit_test(attachments), cmocka_unit_test(kinds),   cmocka_unit_test(index_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
