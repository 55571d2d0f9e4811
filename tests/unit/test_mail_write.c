/* SPDX-License-Identifier: Apache-2.0 */
/* The writer of headers: what strangers send never becomes a header of its own; cleaning of names; flowed text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/mail_clean.h"
#include "core/mail_flow.h"
#include "core/mail_gmime.h"
#include "core/mail_header.h"
#include "core/mail_write.h"
#include "core/utf8_text.h"

static const char *const hostile[] = {
    "\r", "\n", "\r\n", "a\r\nBcc: x@y", "a\nBcc: x@y", "\r\n\r\nbody", "a\xe2\x80\xa8" "Bcc: x", "a\xc2\x85" "Bcc: x", "a\x01\x02\x7f",
    "=?utf-8?Q?=0ABcc:?=", "=?utf-8?B?CkJjYzogeA==?=", "\"quote\\", "<a@b>", "a, b <c@d>", "\xff\xfe\xc3", "\xe2\x80\xae" "gpj.exe",
    "", " ", "( comment", "name;x=\"y\"", "\xf0\x9f\x91\x8d", "a:b", ";", ">", "\t\v\f",
};

static void one_field_each(void **state)
{
    g_autofree char *huge = g_strnfill(10000, 'x'), *wide = g_strnfill(10000, ' ');
    for (guint i = 0; i < G_N_ELEMENTS(hostile) + 2; i++) {
        const char *text = i < G_N_ELEMENTS(hostile) ? hostile[i] : i == G_N_ELEMENTS(hostile) ? huge : wide;
        g_autoptr(GString) out = g_string_new(NULL);
        mail_write_text(out, "Subject", text);
        mail_write_structured(out, "X-Struct", text);
        mail_write_address(out, "From", text, "a@example.org");
        mail_write_address(out, "To", "Bob", text);
        mail_write_param(out, "Content-Type", "text/plain", "name", text);
        mail_write_message_id(out, "Message-ID", "a@b");
        mail_write_date(out, "Date", 1780000000000000);
        g_string_append(out, "\r\nbody");
        g_auto(mail_header) h = {0};
        mail_header_scan(&h, out->str, out->len);
        assert_int_equal(h.fields->len, 7);
        assert_string_equal(out->str + h.body_offset, "body");
        static const char *const names[] = {"Subject", "X-Struct", "From", "To", "Content-Type", "Message-ID", "Date"};
        for (guint k = 0; k < 7; k++)
            assert_true(mail_field_is(&g_array_index(h.fields, struct mail_field, k), names[k]));
        g_autofree char *from = mail_header_get(&h, "From");
        assert_true(g_str_has_suffix(from, "<a@example.org>"));
    }
}

static void lines_are_short(void **state)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 0; i < 120; i++)
        g_string_append(text, i % 3 ? "Straße 道 " : "word ");
    g_autoptr(GString) out = g_string_new(NULL);
    mail_write_text(out, "Subject", text->str);
    mail_write_address(out, "From", "Ein sehr langer Name mit Ümläuten und vielen Wörtern darin, der umbrochen wird", "a@example.org");
    mail_write_param(out, "Content-Disposition", "attachment", "filename", "Ein sehr langer Dateiname mit Ümläuten und vielen Wörtern.pdf");
    g_auto(GStrv) lines = g_strsplit(out->str, "\r\n", -1);
    for (guint i = 0; lines[i]; i++)
        assert_true(strlen(lines[i]) <= 78);
    g_auto(mail_header) h = {0};
    mail_header_scan(&h, out->str, out->len);
    g_autofree char *subject = mail_header_get(&h, "Subject"), *decoded = mail_gmime_decode_text(subject);
    g_autofree char *expected = mail_clean_line(text->str, 900);
    assert_string_equal(decoded, expected);
}

static void clean_names(void **state)
{
    static const struct {
        const char *name, *clean;
    } cases[] = {
        {"Bob Jones", "Bob Jones"},
        {"  Bob \t Jones\r\n", "Bob Jones"},
        {NULL, "+15551234567"},
        {"", "+15551234567"},
        {"\xe2\x80\x8b\xe2\x80\xae", "+15551234567"},
        {"CEO <ceo@corp>", "CEO <ceo@corp> [+15551234567]"},
        {"ceo\xef\xbc\xa0" "corp", "ceo\xef\xbc\xa0" "corp [+15551234567]"},
        {"P\xd0\xb0yPal", "P\xd0\xb0yPal [+15551234567]"}, /* Cyrillic а */
        {"Анна Петрова", "Анна Петрова"},
        {"山田 Taro", "山田 Taro"},
        {"やまだ太郎", "やまだ太郎"},
        {"김철수", "김철수"},
        {"김やま", "김やま [+15551234567]"},
        {"Ev\xe2\x80\xaeil\xe2\x80\xac", "Evil"},
        {"Zero\xe2\x80\x8bWidth", "ZeroWidth"},
        {"A\xcc\x8a", "\xc3\x85"}, /* NFC */
        {"tag\xf3\xa0\x81\xa1", "tag"},
        {"Jo\xff", "Jo\xef\xbf\xbd"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *clean = mail_clean_name(cases[i].name, "+15551234567");
        assert_string_equal(clean, cases[i].clean);
    }
    g_autofree char *zalgo = g_strdup("Z");
    for (int i = 0; i < 6; i++) {
        char *twice = g_strconcat(zalgo, zalgo, "\xcc\x81\xcc\xa3", NULL);
        g_free(zalgo);
        zalgo = twice;
    }
    g_autofree char *clean = mail_clean_name(zalgo, "+1");
    assert_true(g_utf8_strlen(clean, -1) <= 80);
}

static void clean_files(void **state)
{
    static const struct {
        const char *name, *clean;
    } cases[] = {
        {"photo.jpg", "photo.jpg"},
        {"../../etc/passwd", "passwd"},
        {"C:\\temp\\x.doc", "x.doc"},
        {"..", ""},
        {".bashrc", "bashrc"},
        {"-rf", "rf"},
        {"exe\xe2\x80\xaegpj.exe", "exegpj.exe"},
        {"a:b|c?.txt", "a_b_c_.txt"},
        {"con.txt", "_con.txt"},
        {"COM1", "_COM1"},
        {"name. ", "name"},
        {"a\r\nb.txt", "a b.txt"},
        {"Übersicht 2027.pdf", "Übersicht 2027.pdf"},
        {NULL, ""},
        {"%2e%2e%2fx", "_2e_2e_2fx"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *clean = mail_clean_filename(cases[i].name);
        assert_string_equal(clean, cases[i].clean);
    }
    g_autofree char *x = g_strnfill(400, 'x'), *name = g_strconcat(x, ".jpeg", NULL), *clean = mail_clean_filename(name);
    assert_true(strlen(clean) <= 100 && g_str_has_suffix(clean, ".jpeg"));
}

static void clean_types(void **state)
{
    static const char *const cases[][2] = {
        {"image/png", "image/png"}, {"IMAGE/JPEG; x=y", "image/jpeg"}, {NULL, "application/octet-stream"},
        {"multipart/mixed", "application/octet-stream"}, {"message/rfc822", "application/octet-stream"},
        {"text/plain\r\nBcc: x", "application/octet-stream"}, {"nonsense", "application/octet-stream"}, {"a/b/c", "application/octet-stream"},
        {"audio/ogg; codecs=opus", "audio/ogg"}, {"/", "application/octet-stream"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *clean = mail_clean_type(cases[i][0]);
        assert_string_equal(clean, cases[i][1]);
    }
}

static void cuts(void **state)
{
    static const struct {
        const char *text;
        gsize columns;
        const char *cut;
    } cases[] = {
        {"short", 10, "short"},
        {"exactly ten", 11, "exactly ten"},
        {"one two three four", 10, "one two…"},
        {"abcdefghijklmnop", 10, "abcdefghi…"},
        {"  blanks \n and  lines ", 40, "blanks and lines"},
        {"日本語のとても長い文章です", 10, "日本語の…"},
        {"👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧", 5, "👨‍👩‍👧👨‍👩‍👧…"},
        {"🇩🇪🇫🇷🇮🇹", 3, "🇩🇪…"},
        {"👍🏽👍🏽👍🏽", 5, "👍🏽👍🏽…"},
        {"", 5, ""},
        {"e\xcc\x81" "e\xcc\x81" "e\xcc\x81", 2, "e\xcc\x81…"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *cut = utf8_cut(cases[i].text, cases[i].columns);
        assert_string_equal(cut, cases[i].cut);
        assert_true(utf8_columns(cut, strlen(cut)) <= cases[i].columns);
    }
}

/* Whatever is flowed comes back, but for blanks at line ends; lines stay short. */
static void flows(void **state)
{
    static const char *const texts[] = {
        "short\n",
        "> not a quote\nFrom here\n indented\n-- \nsignature\n\n\nend\n",
        "A long line of words that has to be broken somewhere because it is far longer than seventy-two columns, twice even, so it goes on.\n",
        "日本語の長い文章は空白がないのでどこでも折り返すことができますがそれでも元に戻らなければなりませんからここで試します。\n",
        "https://example.org/a/very/long/url/that/has/no/blank/in/it/and/must/not/be/broken/because/it/would/be/useless/then\n",
        "double  blanks   are kept, also where the line has to be broken, as it has to be somewhere near  here or  there\n",
        "emoji 👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽\n",
    };
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *flowed = mail_flow(texts[i]), *back = mail_unflow(flowed, true);
        assert_string_equal(back, texts[i]);
        g_auto(GStrv) lines = g_strsplit(flowed, "\n", -1);
        for (guint k = 0; lines[k]; k++)
            if (strchr(lines[k], ' '))
                assert_true(utf8_columns(lines[k], strlen(lines[k])) <= 78);
    }
    GRand *rand = g_rand_new_with_seed(3);
    static const char *const bits[] = {"a", "word ", " ", "\n", "-- ", ">", "From ", "道", "é", "👍🏽", "longer-words ", "  "};
    for (int round = 0; round < 3000; round++) {
        g_autoptr(GString) text = g_string_new(NULL);
        for (int n = g_rand_int_range(rand, 0, 120); n > 0; n--)
            g_string_append(text, bits[g_rand_int_range(rand, 0, G_N_ELEMENTS(bits))]);
        g_string_append_c(text, '\n');
        g_autofree char *flowed = mail_flow(text->str), *back = mail_unflow(flowed, true);
        g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
        for (guint k = 0; lines[k]; k++)
            if (strcmp(lines[k], "-- ") != 0)
                for (gsize len = strlen(lines[k]); len > 0 && lines[k][len - 1] == ' '; len--)
                    lines[k][len - 1] = '\0';
        g_autofree char *expected = g_strjoinv("\n", lines);
        assert_string_equal(back, expected);
    }
    g_rand_free(rand);
}

static void unflows(void **state)
{
    static const struct {
        const char *flowed;
        bool delsp;
        const char *text;
    } cases[] = {
        {"one \ntwo\nthree\n", false, "one two\nthree\n"},
        {"one \ntwo\n", true, "onetwo\n"},
        {">> quoted \n>> on\n> less\nmine\n", false, ">> quoted on\n> less\nmine\n"},
        {"> quoted \nmine\n", false, "> quoted \nmine\n"},
        {" From me\n", false, "From me\n"},
        {"text \n-- \nsig\n", false, "text \n-- \nsig\n"},
        {"ends flowed ", false, "ends flowed \n"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = mail_unflow(cases[i].flowed, cases[i].delsp);
        assert_string_equal(text, cases[i].text);
    }
}

static void encodings(void **state)
{
    g_autoptr(GString) qp = g_string_new(NULL);
    mail_write_quoted_printable(qp, "Gr\xc3\xbc\xc3\x9f = 1 \nFrom x\n.dot\n", strlen("Gr\xc3\xbc\xc3\x9f = 1 \nFrom x\n.dot\n"));
    assert_string_equal(qp->str, "Gr=C3=BC=C3=9F =3D 1=20\r\n=46rom x\r\n=2Edot\r\n");
    g_autoptr(GString) b64 = g_string_new(NULL);
    mail_write_base64(b64, "abcdef", 6);
    assert_string_equal(b64->str, "YWJjZGVm\r\n");
    assert_true(mail_text_is_7bit("abc\n"));
    assert_false(mail_text_is_7bit("\xc3\xbc"));
    g_autofree char *wide = g_strnfill(2000, 'x');
    assert_false(mail_text_is_7bit(wide));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_field_each), cmocka_unit_test(lines_are_short), cmocka_unit_test(clean_names),
        cmocka_unit_test(clean_files),    cmocka_unit_test(clean_types),     cmocka_unit_test(cuts),
        cmocka_unit_test(flows),          cmocka_unit_test(unflows),         cmocka_unit_test(encodings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
