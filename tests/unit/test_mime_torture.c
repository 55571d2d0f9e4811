/* SPDX-License-Identifier: Apache-2.0 */
/* Every strange mail of ../shared/mime-torture goes through limits, parsing, extraction and the index: no crash, no
 * report of a sanitizer, under a second each; and big generated ones, with the memory that they may take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "core/mail_header.h"
#include "core/mail_index.h"
#include "core/mail_parse.h"
#include "core/text_extract.h"

static double cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long peak_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static void everything(const char *data, gsize len)
{
    struct mail_index index;
    mail_parse_index(data, len, 16384, &index);
    mail_index_clear(&index);
    g_auto(mail_header) header = {0};
    mail_header_scan(&header, data, len);
    g_autoptr(GBytes) rewritten = mail_header_rewrite(&header, "X: y\r\n", mail_field_drop_ump, NULL);
    assert_non_null(rewritten);
    g_autoptr(parsed_mail) mail = NULL;
    g_autoptr(GError) error = NULL;
    if (mail_parse(data, len, NULL, &mail, &error) != 0)
        return;
    struct extracted_text text = {0};
    text_extract(mail, NULL, &text);
    assert_true(g_utf8_validate(text.text, -1, NULL));
    assert_true(!mail->subject || g_utf8_validate(mail->subject, -1, NULL));
    extracted_text_clear(&text);
}

static guint directory(const char *path)
{
    guint n = 0;
    GDir *dir = g_dir_open(path, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *child = g_build_filename(path, name, NULL), *data = NULL;
        gsize len;
        if (g_file_test(child, G_FILE_TEST_IS_DIR)) {
            n += directory(child);
        } else if (!g_str_has_suffix(name, ".md") && g_file_get_contents(child, &data, &len, NULL)) {
            double start = cpu();
            everything(data, len);
            if (cpu() - start > 1.0)
                fail_msg("%s took %.1f s", name, cpu() - start);
            n++;
        }
    }
    if (dir)
        g_dir_close(dir);
    return n;
}

static void torture(void **state)
{
    const char *source = g_getenv("UMP_SOURCE_DIR");
    g_autofree char *path = g_build_filename(source ? source : ".", "..", "shared", "mime-torture", NULL);
    guint n = directory(path);
    if (n == 0) {
        printf("skipped: %s is not there\n", path);
        skip();
    }
    printf("%u strange mails read\n", n);
    assert_true(n >= 100);
}

static char *repeat(const char *head, const char *unit, guint n)
{
    GString *s = g_string_new(head);
    for (guint i = 0; i < n; i++)
        g_string_append(s, unit);
    return g_string_free(s, FALSE);
}

/* Reads the mail in a second (in five under sanitizers) and 64 MiB. */
static void assert_cheap(const char *name, const char *mail, gsize length)
{
    long before = peak_kib();
    double start = cpu();
    everything(mail, length);
    double took = cpu() - start;
    long grown = peak_kib() - before;
    printf("%.30s… %u octets: %.3f s, +%ld KiB\n", name, (guint)length, took, grown);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    assert_true(took < 5.0);
#else
    assert_true(took < 1.0);
    assert_true(grown < 65536);
#endif
}

static void generated(void **state)
{
    static const struct {
        const char *head, *unit;
        guint n;
    } cases[] = {
        {"From: a@b.org\n\n", "x", 1000000},
        {"From: a@b.org\n\n", "> ", 500000},
        {"From: a@b.org\nTo: ", "a@b.org, ", 7000},
        {"From: a@b.org\nTo: ", "g:", 30000},
        {"From: a@b.org\nTo: ", "(", 60000},
        {"From: a@b.org\nTo: ", "\"a\" <b@c>,", 6000},
        {"From: a@b.org\nReferences: ", "<a@b> ", 10000},
        {"From: a@b.org\nSubject: ", "=?utf-8?Q?a?= ", 4500},
        {"From: a@b.org\nSubject: ", "=?utf-8?B?", 6000},
        {"From: a@b.org\nSubject: ", "a\xcc\x81\xcc\xa3", 12000},
        {"From: ", "\"", 60000},
        {"From: ", "<", 60000},
        {"Content-Type: multipart/mixed; boundary=x\n\n", "--x\nContent-Type: text/plain\n\nhello\n", 999},
        {"Content-Type: text/html\n\n", "<div><b>", 100000},
        {"Content-Type: text/plain; charset=utf-16\n\n", "ab", 500000},
        {"Content-Type: text/plain; charset=iso-2022-jp\n\n", "\x1b$B!!", 200000},
        {"Content-Type: text/plain; charset=utf-7\n\n", "+AAA-", 200000},
        {"Content-Transfer-Encoding: quoted-printable\n\n", "=", 500000},
        {"Content-Transfer-Encoding: base64\n\n", "====", 200000},
        {"Content-Transfer-Encoding: x-uuencode\n\nbegin 644 x\n", "M\n", 200000},
        {"Content-Type: text/plain; format=flowed\n\n", ">>>> \n", 200000},
        {"From: a@b.org\n\n", "On Mon, 3 Aug 2026 at 10:19 ", 36000},
        {"From: a@b.org\n\n", "On Mon, 3 Aug 2026 at 10:19\n", 36000},
        {"From: a@b.org\n\n", "Bob <b@x.org>\n", 70000},
        {"From: a@b.org\n\n", "wrote:\n\n", 120000},
        {"From: a@b.org\n\n", "-", 1000000},
        {"From: a@b.org\n\n", "-\n", 500000},
        {"From: a@b.org\n\n", "____\nx\n", 140000},
        {"From: a@b.org\n\n", "From: b@x.org\n", 70000},
        {"From: a@b.org\n\n", "From: ", 160000},
        {"From: a@b.org\n\n", "```\n", 250000},
        {"From: a@b.org\n\n", "Sent from my iPhone\n\n", 47000},
        {"From: a@b.org\n\n", "confidential intended recipient\n\n", 30000},
        {"From: a@b.org\n\n", "Kind regards\n", 80000},
        {"From: a@b.org\n\n", "\xe3\x81\x82", 330000},
        {"From: a@b.org\n\n", "\xef\xbc\x9e", 330000},
        {"From: a@b.org\nContent-Type: text/html\n\n", "<a href=https://x.org/>x</a>", 36000},
        {"From: a@b.org\nContent-Type: text/html\n\n", "<blockquote type=cite>x", 45000},
        {"From: a@b.org\nContent-Type: text/html\n\n", "<div class=gmail_quote>x", 42000},
        {"From: a@b.org\nContent-Type: text/html\n\n", "<i>x</i><b>y</b>\n", 58000},
        {"From: a@b.org\nContent-Type: text/html\n\n", "<div style='border-top:solid;padding:3.0pt'>", 24000},
        {"From: a@b.org\nContent-Type: text/plain\n\n", "\x82\xb1\xff", 330000},
        {"Date: ", "1 ", 30000},
        {"Content-Type: message/rfc822\n\n", "Content-Type: message/rfc822\n\n", 40},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *mail = repeat(cases[i].head, cases[i].unit, cases[i].n);
        assert_cheap(cases[i].unit, mail, strlen(mail));
    }
}

/* Some whose parts are not alike: quote levels that grow, ten thousand parts. */
static void generated_by_rule(void **state)
{
    g_autoptr(GString) quotes = g_string_new("From: a@b.org\n\n"), parts = g_string_new("From: a@b.org\nContent-Type: multipart/mixed; boundary=x\n\n");
    for (guint i = 1; i <= 10000 && quotes->len < (8u << 20); i++) {
        for (guint k = 0; k < i; k++)
            g_string_append_c(quotes, '>');
        g_string_append(quotes, " x\n");
    }
    for (guint i = 0; i < 10000; i++)
        g_string_append(parts, "--x\n\nhello\n");
    const GString *const mails[] = {quotes, parts};
    for (guint i = 0; i < G_N_ELEMENTS(mails); i++)
        assert_cheap(i ? "parts" : "quotes", mails[i]->str, mails[i]->len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(torture),
        cmocka_unit_test(generated),
        cmocka_unit_test(generated_by_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
