/* SPDX-License-Identifier: Apache-2.0 */
/* As which messages of its network a mail with several attachments goes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cleanup.h"
#include "core/parts.h"

#define ONE "\"max_media\": 1, \"max_media_total\": 1000, \"max_caption\": 10, \"uncaptioned\": \"audio/ogg image/webp:100\""
#define SPLIT "{\"split_media\": 30, " ONE "}"
#define PAIRS "{\"split_media\": 30, \"max_media\": 2, \"max_media_total\": 1000}"

#define JPEG(n) "{\"type\": \"image/jpeg\", \"size\": " #n "}"
#define OGG "{\"type\": \"audio/ogg\", \"size\": 9}"
#define WEBP(n) "{\"type\": \"image/webp\", \"size\": " #n "}"

static void test_plan(void **state)
{
    static const struct {
        const char *limits, *text, *media, *plan; /* plan: parts, "t" the text, digits the media */
    } cases[] = {
        {SPLIT, "hello", "[]", NULL},
        {SPLIT, "hello", "[" JPEG(1) "]", NULL},
        {SPLIT, "", "[" OGG "]", NULL},
        {"{" ONE "}", "hello", "[" JPEG(1) "," JPEG(1) "]", NULL}, /* is not split: the policy has refused it */
        {"{}", "hello", "[" JPEG(1) "," JPEG(1) "]", NULL},
        {SPLIT, "hello", "[" JPEG(1) "," JPEG(1) "," JPEG(1) "]", "t0 1 2"},
        {SPLIT, "", "[" JPEG(1) "," JPEG(1) "]", "0 1"},
        {SPLIT, " \r\n", "[" JPEG(1) "," JPEG(1) "]", "0 1"},
        {SPLIT, "0123456789", "[" JPEG(1) "," OGG "]", "t0 1"},
        {SPLIT, "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", "[" JPEG(1) "," OGG "]", "t0 1"}, /* characters, not octets */
        {"{\"text_in_octets\": true, \"split_media\": 30, " ONE "}", "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", "[" JPEG(1) "]", "t 0"},
        {SPLIT, "01234567890", "[" JPEG(1) "]", "t 0"},
        {SPLIT, "01234567890", "[" JPEG(1) "," JPEG(1) "]", "t 0 1"},
        {SPLIT, "hello", "[" OGG "]", "t 0"},
        {SPLIT, "hello", "[" OGG "," JPEG(1) "]", "t 0 1"},
        {SPLIT, "hello", "[" WEBP(100) "]", "t 0"},
        {SPLIT, "hello", "[" WEBP(101) "]", NULL}, /* goes as a document */
        {PAIRS, "hello", "[" JPEG(1) "," JPEG(1) "]", NULL},
        {PAIRS, "hello", "[" JPEG(1) "," JPEG(1) "," JPEG(1) "]", "t01 2"},
        {PAIRS, "hello", "[" JPEG(600) "," JPEG(600) "," JPEG(400) "]", "t0 12"},
        {PAIRS, "", "[" JPEG(2000) "," JPEG(1) "]", "0 1"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(json_t) limits = json_loads(cases[i].limits, 0, NULL), media = json_loads(cases[i].media, 0, NULL);
        g_autoptr(json_t) plan = parts_plan(limits, cases[i].text, media);
        g_autoptr(GString) found = g_string_new(NULL);
        for (guint part = 1; part <= json_array_size(plan); part++) {
            g_string_append(found, part > 1 ? " " : "");
            if (parts_has_text(plan, part))
                g_string_append_c(found, 't');
            for (guint medium = 0; medium < json_array_size(media); medium++)
                if (parts_has_medium(plan, part, medium))
                    g_string_append_printf(found, "%u", medium);
        }
        if (g_strcmp0(plan ? found->str : NULL, cases[i].plan) != 0)
            fail_msg("%zu: %s, not %s", i, plan ? found->str : "one", cases[i].plan ? cases[i].plan : "one");
    }
}

static void test_what_is_no_part_has_all(void **state)
{
    g_autoptr(json_t) plan = json_loads("[{\"media\": [1]}]", 0, NULL);

    assert_true(parts_has_text(NULL, 0) && parts_has_medium(NULL, 0, 3));
    assert_true(parts_has_text(plan, 0) && parts_has_medium(plan, 0, 0));
    assert_true(!parts_has_text(plan, 1) && !parts_has_medium(plan, 1, 0) && parts_has_medium(plan, 1, 1));
    assert_true(parts_has_text(plan, 2)); /* a plan that has lost its parts */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_plan), cmocka_unit_test(test_what_is_no_part_has_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
