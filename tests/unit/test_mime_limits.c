/* SPDX-License-Identifier: Apache-2.0 */
/* Bombs (FAILURES T14) are refused before a parser sees them, in linear time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>
#include <time.h>

#include "core/mime_limits.h"

static double cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check(GString *mail, enum mime_limits_outcome expected)
{
    double start = cpu();
    enum mime_limits_outcome got = mime_limits_check(mail->str, mail->len, NULL);
    assert_int_equal(got, expected);
    assert_true(cpu() - start < 1.0);
    assert_true(mime_limits_sentence(got)[0] == (got == MIME_LIMITS_OK ? '2' : '5'));
    g_string_free(mail, TRUE);
}

static GString *nested(guint depth)
{
    GString *s = g_string_new("From: a@b\r\n");
    for (guint i = 0; i < depth; i++)
        g_string_append_printf(s, "Content-Type: multipart/mixed; boundary=\"b%u\"\r\n\r\n--b%u\r\n", i, i);
    g_string_append(s, "\r\ntext\r\n");
    return s;
}

static GString *repeat(const char *head, const char *what, guint n, const char *tail)
{
    GString *s = g_string_new(head);
    for (guint i = 0; i < n; i++)
        g_string_append(s, what);
    g_string_append(s, tail);
    return s;
}

static void nesting(void **state)
{
    check(nested(49), MIME_LIMITS_OK);
    check(nested(51), MIME_LIMITS_NESTING);
    check(nested(100000), MIME_LIMITS_NESTING);
    check(repeat("", "Content-Type: message/rfc822\r\n\r\n", 100000, ""), MIME_LIMITS_NESTING);
    /* the boundary hidden in RFC 2231 pieces */
    check(repeat("", "Content-Type: multipart/mixed; boundary*0=a;\r\n boundary*1=b\r\n\r\n--ab\r\n", 60, ""), MIME_LIMITS_NESTING);
    check(repeat("", "Content-Type: multipart/mixed; boundary*=utf-8''a%62\r\n\r\n--ab\r\n", 60, ""), MIME_LIMITS_NESTING);
}

/* One level written in each way that GMime reads as a part with parts: the pre-scan sees what the parser would. */
static void nesting_in_disguise(void **state)
{
    static const char *const levels[] = {
        "Content-Type: (c) multipart/mixed; boundary=b%u\n\n--b%u\n",
        "Content-Type: multipart(c)/ mixed; boundary=b%u\n\n--b%u\n",
        "Content-Type: multipart/mixed; (c) boundary(c)=(c)\"b%u\"\n\n--b%u\n",
        "Content-Type: multipart/mixed; boundary=\"b%u\"; boundary=z\n\n--b%u\n",
        "Content-Type: multipart/mixed; boundary*1=%u; boundary*0=b\n\n--b%u\n",
        "Content-Type: multipart/mixed; boundary=\"=?us-ascii?q?b%u?=\"\n\n--b%u\n",
        "Content-Type: text/plain\nContent-Type: multipart/mixed; boundary=b%u\n\n--b%u\n",
        "Content-Type : multipart/mixed; boundary=b%u\n\n--b%u \t\r\n",
        "no field\nContent-Type:\n multipart/mixed;\n boundary=b%u\n\n--b%u\n",
        "Content-Type: multipart/digest; boundary=b%u\n\n--b%u\n\n",
        "Content-Type: multipart/digest; boundary=b%u\n\n--b%u\nX: y\n\n",
        "Content-Type: multipart/digest; boundary=b%u\n\n--b%u\nContent-Type: no type\n\n",
        "Content-Type: message/rfc2822\nX: %u %u\n\n",
        "Content-Type: (c)message/global\nX: %u %u\n\n",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(levels); i++) {
        GString *s = g_string_new("From: a@b\n");
        for (guint n = 0; n < 60; n++) {
            g_auto(GStrv) pieces = g_strsplit(levels[i], "%u", -1);
            g_autofree char *number = g_strdup_printf("%u", n);
            g_autofree char *level = g_strjoinv(number, pieces);
            g_string_append(s, level);
        }
        check(s, MIME_LIMITS_NESTING);
    }
}

static void parts(void **state)
{
    check(repeat("Content-Type: multipart/mixed; boundary=x\n\n", "--x\n\nhi\n", 990, "--x--\n"), MIME_LIMITS_OK);
    check(repeat("Content-Type: multipart/mixed; boundary=x\n\n", "--x\n\nhi\n", 1000000, ""), MIME_LIMITS_PARTS);
    /* boundaries after the end are text */
    check(repeat("Content-Type: multipart/mixed; boundary=x\n\n--x\n\nhi\n--x--\n", "--x\n", 5000, ""), MIME_LIMITS_OK);
    check(repeat("Content-Type: text/plain; boundary=x\n\n", "--x\n", 5000, ""), MIME_LIMITS_OK);
}

static void headers(void **state)
{
    check(repeat("Subject: ", "x", 65000, "\n\nbody"), MIME_LIMITS_OK);
    check(repeat("Subject: ", "x", 50000000, "\n\nbody"), MIME_LIMITS_HEADER);
    check(repeat("Subject: ", "x\n ", 50000, "\n\nbody"), MIME_LIMITS_HEADER);
    check(repeat("", "X-A: 012345678901234567890123456789012345678901234567890123456789\n", 8000, "\nbody"), MIME_LIMITS_HEADERS);
    check(repeat("", "A:b\n", 1000000, "\nbody"), MIME_LIMITS_HEADERS);
    check(repeat("Content-Type: text/plain", ";\n name*1=a", 10000, "\n\nbody"), MIME_LIMITS_HEADER);
    check(repeat("Content-Type: text/plain", ";\n name*1=a", 1000, "\n\nbody"), MIME_LIMITS_PARAMETERS);
    check(repeat("Content-Disposition: attachment", ";a=b", 300, "\n\nbody"), MIME_LIMITS_PARAMETERS);
    check(repeat("Content-Type: multipart/mixed; boundary=", "x", 300, "\n\nbody"), MIME_LIMITS_BOUNDARY);
    check(g_string_new(""), MIME_LIMITS_OK);
}

/* Many open boundaries and many lines of dashes: compares stay cheap. */
static void dashes(void **state)
{
    GString *s = nested(48);
    for (guint i = 0; i < 2000000; i++)
        g_string_append(s, "--b9x-but-none\n");
    check(s, MIME_LIMITS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nesting),
        cmocka_unit_test(nesting_in_disguise),
        cmocka_unit_test(parts),
        cmocka_unit_test(headers),
        cmocka_unit_test(dashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
