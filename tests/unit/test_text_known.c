/* SPDX-License-Identifier: Apache-2.0 */
/* Which lines are known to have been delivered, however they are decorated or wrapped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/text_known.h"

static const char delivered[] =
    "Are you coming to the harbour on Friday evening? We could take the small boat.\n"
    "yes\n"
    "Ich freue mich sehr darauf!\n"
    "明天下午三点在车站见面可以吗\n";

static void lines(void **state)
{
    static const struct {
        const char *line;
        enum text_known_verdict verdict;
    } cases[] = {
        {"Are you coming to the harbour on Friday evening? We could take the small boat.", TEXT_KNOWN_LINE},
        {"> > are you coming to the *harbour* on", TEXT_KNOWN_LINE},
        {"| Friday evening?  We could take the small boat.", TEXT_KNOWN_LINE},
        {"boat. yes Ich freue mich sehr", TEXT_KNOWN_LINE},
        {"Ich freue mich sehr darauf", TEXT_KNOWN_LINE},
        {"明天下午三点在", TEXT_KNOWN_LINE},
        {"yes", TEXT_KNOWN_SHORT},
        {">yes!", TEXT_KNOWN_SHORT},
        {"BJ> Ich freue mich sehr darauf!", TEXT_KNOWN_LINE},
        {"Bob said: Are you coming to the harbour on", TEXT_KNOWN_LINE},
        {"[28.05.2026 10:15] Bob Jones: Friday evening? We could take the small boat.", TEXT_KNOWN_LINE},
        {"* Ich freue mich sehr darauf!", TEXT_KNOWN_LINE},
        {"Bob: yes", TEXT_KNOWN_PREFIXED},
        {"Bob: yes and no", TEXT_KNOWN_NOT},
        {"no", TEXT_KNOWN_NOT},
        {"yes yes", TEXT_KNOWN_NOT},
        {"Are you coming to the harbour on Saturday evening?", TEXT_KNOWN_NOT},
        {"coming to the harbour on Friday evening, with my brother", TEXT_KNOWN_NOT},
        {"", TEXT_KNOWN_NOT},
        {"> ---", TEXT_KNOWN_NOT},
        {"\xff\xfe", TEXT_KNOWN_NOT},
    };
    g_autoptr(text_known) known = text_known_new();
    assert_int_equal(text_known_size(known), 0);
    assert_int_equal(text_known_line(known, "yes", 3), TEXT_KNOWN_NOT);
    text_known_add(known, delivered);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        if (text_known_line(known, cases[i].line, strlen(cases[i].line)) != cases[i].verdict)
            fail_msg("case %u: %s", i, cases[i].line);
    assert_int_equal(text_known_line(NULL, "yes", 3), TEXT_KNOWN_NOT);
    text_known_free(NULL);
}

static void bounded(void **state)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < 400000; i++)
        g_string_append_printf(text, "%u ", i);
    g_autoptr(text_known) known = text_known_new();
    for (guint i = 0; i < 40; i++)
        text_known_add(known, text->str);
    assert_true(text_known_size(known) > 10000);
    assert_true(text_known_size(known) < 100000); /* what is beyond the bound was not read */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
