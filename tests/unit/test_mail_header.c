/* SPDX-License-Identifier: Apache-2.0 */
/* The raw header scan: fields, unfolding, ids, and taking fields out without touching another byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/mail_header.h"

static const char mail[] = "Received: by a\r\nSubject: one\r\n two\r\n\tthree\r\nUMP-Stamp: x\r\n y\r\nump-header : z\r\n"
                           "From: a@example.org\r\n\r\nUMP-Stamp: body\r\n\r\nend";

static void scans(void **state)
{
    g_auto(mail_header) h = {0};
    mail_header_scan(&h, mail, strlen(mail));
    assert_int_equal(h.fields->len, 5);
    assert_true(h.crlf);
    assert_string_equal(mail + h.body_offset, "UMP-Stamp: body\r\n\r\nend");
    g_autofree char *subject = mail_header_get(&h, "sUBJECT");
    assert_string_equal(subject, "one two\tthree");
    g_autofree char *spaced = mail_header_get(&h, "UMP-Header");
    assert_string_equal(spaced, "z");
    assert_null(mail_header_find(&h, "To", NULL));
    assert_int_equal(mail_header_count(&h, "From"), 1);
}

static void rewrites(void **state)
{
    g_auto(mail_header) h = {0};
    mail_header_scan(&h, mail, strlen(mail));
    g_autoptr(GBytes) same = mail_header_rewrite(&h, NULL, NULL, NULL);
    assert_int_equal(g_bytes_get_size(same), strlen(mail));
    assert_memory_equal(g_bytes_get_data(same, NULL), mail, strlen(mail));
    g_autoptr(GBytes) out = mail_header_rewrite(&h, "UMP-New: 1\r\n", mail_field_drop_ump, NULL);
    static const char expected[] = "UMP-New: 1\r\nReceived: by a\r\nSubject: one\r\n two\r\n\tthree\r\n"
                                   "From: a@example.org\r\n\r\nUMP-Stamp: body\r\n\r\nend";
    assert_int_equal(g_bytes_get_size(out), strlen(expected));
    assert_memory_equal(g_bytes_get_data(out, NULL), expected, strlen(expected));
}

/* Whatever stands around it, no UMP- field survives, and nothing else is lost. */
static void drops_all_forged(void **state)
{
    static const char *const names[] = {"UMP-Stamp", "ump-header", "UMP-", "Ump-X \t", "UMP-\xff", "uMP-Conversation-ID"};
    static const char *const ends[] = {"\r\n", "\n", "\r\n folded\r\n", "\r", "\n\tfolded\n"};
    GRand *rand = g_rand_new_with_seed(7);
    for (int round = 0; round < 10000; round++) {
        g_autoptr(GString) raw = g_string_new(NULL);
        guint others = 0, n = (guint)g_rand_int_range(rand, 1, 24);
        for (guint i = 0; i < n; i++) {
            gboolean ump = g_rand_boolean(rand);
            others += !ump;
            g_string_append_printf(raw, "%s:%d%s", ump ? names[g_rand_int_range(rand, 0, 6)] : "X-Kept", round,
                                   ends[g_rand_int_range(rand, 0, 5)]);
        }
        g_string_append(raw, raw->str[raw->len - 1] == '\r' ? "\n\nbody" : "\nbody");
        g_auto(mail_header) h = {0};
        mail_header_scan(&h, raw->str, raw->len);
        g_autoptr(GBytes) out = mail_header_rewrite(&h, "Top: 1\r\n", mail_field_drop_ump, NULL);
        gsize len;
        const char *data = g_bytes_get_data(out, &len);
        g_auto(mail_header) again = {0};
        mail_header_scan(&again, data, len);
        assert_int_equal(again.fields->len, others + 1);
        for (guint i = 0; i < again.fields->len; i++)
            assert_false(mail_field_has_prefix(&g_array_index(again.fields, struct mail_field, i), "ump-"));
        assert_memory_equal(data + len - 4, "body", 4);
    }
    g_rand_free(rand);
}

/* A message that begins with a continuation cannot continue our field. */
static void leading_blank(void **state)
{
    static const char bad[] = " evil\r\nTo: x\r\n\r\n";
    g_auto(mail_header) h = {0};
    mail_header_scan(&h, bad, strlen(bad));
    g_autoptr(GBytes) out = mail_header_rewrite(&h, "UMP-New: 1\r\n", mail_field_drop_ump, NULL);
    assert_int_equal(g_bytes_get_size(out), strlen("UMP-New: 1\r\nTo: x\r\n\r\n"));
    assert_memory_equal(g_bytes_get_data(out, NULL), "UMP-New: 1\r\nTo: x\r\n\r\n", g_bytes_get_size(out));
}

static void message_ids(void **state)
{
    static const struct {
        const char *value, *joined;
    } cases[] = {
        {"<a@b>", "<a@b>"},
        {" <a@b>  <c@d>\t<e@f> ", "<a@b> <c@d> <e@f>"},
        {"<a@b><c@d>", "<a@b> <c@d>"},
        {"a@b c@d", "<a@b> <c@d>"},
        {"<a@\r\n b>", "<a@b>"},
        {"<a@b", ""},
        {"<>", ""},
        {"words only", ""},
        {"<no-at-sign>", "<no-at-sign>"},
        {"Message of Monday from <a@b>", "<a@b>"},
        {"<<a@b>>", "<a@b>"},
        {"", ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) ids = mail_message_ids(cases[i].value, 100);
        g_autofree char *joined = g_strjoinv(" ", ids);
        assert_string_equal(joined, cases[i].joined);
    }
    g_auto(GStrv) two = mail_message_ids("<a@b> <c@d> <e@f>", 2);
    assert_int_equal(g_strv_length(two), 2);
}

static void odd_messages(void **state)
{
    static const struct {
        const char *raw;
        guint fields;
        gsize body;
    } cases[] = {
        {"", 0, 0}, {"\r\n", 0, 2}, {"\n\n", 0, 1}, {"a", 1, 1}, {"To: x", 1, 5}, {"From x\nTo: y\n\nb", 1, 14},
        {"no colon\nTo: x\n\n", 2, 16}, {"\nTo: x", 0, 1}, {"A:1\r\n\nbody", 1, 6},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(mail_header) h = {0};
        mail_header_scan(&h, cases[i].raw, strlen(cases[i].raw));
        assert_int_equal(h.fields->len, cases[i].fields);
        assert_int_equal(h.body_offset, cases[i].body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scans),         cmocka_unit_test(rewrites),    cmocka_unit_test(drops_all_forged),
        cmocka_unit_test(leading_blank), cmocka_unit_test(message_ids), cmocka_unit_test(odd_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
