/* SPDX-License-Identifier: Apache-2.0 */
/* The variables of templates: where they stand, and the lines that fill them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/template_text.h"

static void test_places(void **state)
{
    static const struct {
        const char *text, *places;
    } cases[] = {
        {NULL, ""}, {"", ""}, {"no variable {1}", ""}, {"{{1}} and {{2}} and {{1}}", "b.1 b.2"}, {"{{ name }}", "b.name"},
        {"{{1", ""}, {"{{{{1}}}}", "b.{{1 b.1"}, {"}}{{1}}", "b.1"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        json_t *places = json_array();
        GString *found = g_string_new(NULL);
        template_add_places(places, "b", cases[i].text);
        for (size_t k = 0; k < json_array_size(places); k++)
            g_string_append_printf(found, "%s%s", k > 0 ? " " : "", json_string_value(json_array_get(places, k)));
        assert_string_equal(found->str, cases[i].places);
        g_string_free(found, TRUE);
        json_decref(places);
    }
}

static void test_variables(void **state)
{
    static const struct {
        const char *text;
        guint count;
        const char *found; /* NULL: none fit */
    } cases[] = {
        {NULL, 0, ""}, {"", 0, ""}, {" \r\n ", 0, ""}, {"x", 0, NULL}, {"", 1, NULL}, {" a\n\nb ", 1, "a\n\nb"},
        {"a\r\nb", 2, "a|b"}, {"a\n \n b\t", 2, "a|b"}, {"a", 2, NULL}, {"a\nb\nc", 2, NULL},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) found = template_variables(cases[i].text, cases[i].count);
        g_autoptr(GString) joined = g_string_new(NULL);
        assert_int_equal(found != NULL, cases[i].found != NULL);
        for (guint k = 0; found != NULL && k < found->len; k++)
            g_string_append_printf(joined, "%s%s", k > 0 ? "|" : "", (const char *)found->pdata[k]);
        assert_string_equal(joined->str, cases[i].found != NULL ? cases[i].found : "");
    }
    assert_int_equal(template_lines("a\n\n b\n"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_places), cmocka_unit_test(test_variables)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
