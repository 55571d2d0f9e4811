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

#include "core/mail_gmime.h"
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
    assert_true(cpu() - start < 3.0); /* under sanitizers; far below a second without */
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
        "Content-Type: multipart/mixed; boundary=b%u\nContent-Type\n\n--b%u\n",
        "Content-Type: message/rfc822\nContent-Type\nX: %u %u\n\n",
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

/* The end of the outer boundary is the beginning of the one that the header above it names. */
static void boundary_that_ends_another(void **state)
{
    check(repeat("Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=\"a--\"\n--a--\n",
                 "Content-Type: message/rfc822\n\n", 60, ""), MIME_LIMITS_NESTING);
    check(repeat("Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=\"a--\"\n--a--\n",
                 "\nx\n--a--\n", 1100, ""), MIME_LIMITS_PARTS);
    check(g_string_new("Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\nx\n"), MIME_LIMITS_BOUNDARY);
    check(g_string_new("Content-Type: multipart/mixed; boundary=\" \"\n\n-- \n\nx\n"), MIME_LIMITS_BOUNDARY);
    check(g_string_new("Content-Type: multipart/mixed; boundary=\"a \"\n\n--a--\n--a \n\nx\n"), MIME_LIMITS_BOUNDARY);
    /* none at all: the parser takes it for text */
    check(g_string_new("Content-Type: multipart/mixed\n\n--\n\nx\n"), MIME_LIMITS_OK);
}

/* An attached message that some client has encoded: its lines are no fields. */
static void encoded_message(void **state)
{
    check(repeat("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n",
                 "UmVjZWl2ZWQ6IGZyb20gbWFpbC5leGFtcGxlLm9yZyBieSBteC5leGFtcGxlLm9yZyB3aXRoIEVT\n", 20000, ""), MIME_LIMITS_OK);
}

static size_t gmime_depth(GMimeObject *object)
{
    size_t deepest = 0;
    if (GMIME_IS_MULTIPART(object)) {
        for (int i = 0; i < g_mime_multipart_get_count(GMIME_MULTIPART(object)); i++) {
            size_t below = 1 + gmime_depth(g_mime_multipart_get_part(GMIME_MULTIPART(object), i));
            deepest = MAX(deepest, below);
        }
    } else if (GMIME_IS_MESSAGE_PART(object)) {
        GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
        if (inner && g_mime_message_get_mime_part(inner))
            deepest = 1 + gmime_depth(g_mime_message_get_mime_part(inner));
    }
    return deepest;
}

static size_t parser_depth(const GString *mail)
{
    g_autoptr(GObject) stream = (GObject *)g_mime_stream_mem_new_with_buffer(mail->str, mail->len);
    g_autoptr(GObject) parser = (GObject *)g_mime_parser_new_with_stream((GMimeStream *)stream);
    g_autoptr(GObject) message = (GObject *)g_mime_parser_construct_message((GMimeParser *)parser, mail_gmime_options());
    GMimeObject *part = message ? g_mime_message_get_mime_part((GMimeMessage *)message) : NULL;
    return part ? gmime_depth(part) : 0;
}

/* Lines of mails shuffled: what the parser sees of depth, the pre-scan has seen before. */
static void never_less_than_the_parser(void **state)
{
    static const char *const lines[] = {
        "Content-Type: multipart/mixed; boundary=a\n", "Content-Type: multipart/mixed; boundary=b\n", "Content-Type: multipart/digest; boundary=c\n",
        "Content-Type: multipart/mixed; boundary=ab\n", "Content-Type: multipart/mixed; boundary=\"a--\"\n", "Content-Type: multipart/mixed; boundary=-\n",
        "Content-Type: message/rfc822\n", "Content-Type: message/global\n", "Content-Type: message/external-body\n", "Content-Type: text/plain\n",
        "Content-Type: text/rfc822-headers\n", "Content-Type: foo\n", "Content-Type: \n", "Content-Type:multipart\n", "Content-Type\n", "Content-Type\n: x\n",
        " Content-Type: multipart/mixed; boundary=a\n", "content-type:\n multipart/mixed;\n boundary=b\n", "Content-Type: multipart/mixed\n",
        "Content-Transfer-Encoding: base64\n", "Subject: x\n", "no field\n", " folded\n", "\t\n", " \n", ": x\n", "a b: x\n", "From x\n", ">From x\n",
        "--a\n", "--b\n", "--c\n", "--ab\n", "--a--\n", "--b--\n", "--c--\n", "--a \n", "--a--\t\n", "--a----\n", "--\n", "---\n", "----\n", "--a\r\n", "--a",
        "\n", "\n", "\n", "\r\n", "\r", "text\n", "--a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n", "--a\nContent-Type: message/rfc822\n\n",
    };
    g_autoptr(GRand) dice = g_rand_new_with_seed(1);
    for (guint i = 0; i < 20000; i++) {
        g_autoptr(GString) mail = g_string_new(NULL);
        for (gint32 n = g_rand_int_range(dice, 2, 16); n > 0; n--)
            g_string_append(mail, lines[g_rand_int_range(dice, 0, G_N_ELEMENTS(lines))]);
        size_t depth = parser_depth(mail);
        struct mime_limits limits = mime_limits_default;
        limits.max_nesting = depth - 1;
        if (depth > 0 && mime_limits_check(mail->str, mail->len, &limits) == MIME_LIMITS_OK)
            fail_msg("the parser goes %zu deep in \"%s\"", depth, mail->str);
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
        cmocka_unit_test(boundary_that_ends_another),
        cmocka_unit_test(encoded_message),
        cmocka_unit_test(never_less_than_the_parser),
        cmocka_unit_test(parts),
        cmocka_unit_test(headers),
        cmocka_unit_test(dashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
