/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log.h"

#include "unit.h"

static char *logged(const char *path)
{
    char *text = NULL;

    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

/* What follows "time program[pid] ". */
static const char *event_of(const char *line)
{
    const char *p = strstr(line, "] ");

    assert_non_null(p);
    return p + 2;
}

static void test_line(void **state)
{
    char *dir = unit_new_dir();
    g_autofree char *path = g_build_filename(dir, "log", NULL), *target = g_strconcat("file:", path, NULL);

    assert_int_equal(log_open("ump-test", target, LOG_LEVEL_INFO, NULL), 0);
    log_debug("status", "hidden");
    log_info("id", "x1", "none", NULL, "n", LOG_INT(-5), "text", "two words", "status", "sent");
    log_warning("odd", "a\"b\\c\nd\r\x01\xff", "empty", "", "status", "q");
    g_warning("library %d", 7);
    g_autofree char *text = logged(path);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    assert_int_equal(g_strv_length(lines), 4);
    assert_non_null(strstr(lines[0], " ump-test["));
    assert_string_equal(event_of(lines[0]), "info id=x1, n=-5, text=\"two words\", status=sent");
    assert_string_equal(event_of(lines[1]),
                        "warning odd=\"a\\\"b\\\\c\\nd\\u000d\\u0001\\xff\", empty=\"\", status=q");
    assert_non_null(strstr(lines[2], "text=\"library 7\""));
    log_close();
    unit_remove_dir(dir);
}

static void test_reopen(void **state)
{
    char *dir = unit_new_dir();
    g_autofree char *path = g_build_filename(dir, "log", NULL), *old = g_build_filename(dir, "old", NULL);
    g_autofree char *target = g_strconcat("file:", path, NULL);

    assert_int_equal(log_open("ump-test", target, LOG_LEVEL_INFO, NULL), 0);
    log_info("status", "one");
    g_rename(path, old);
    log_info("status", "two");
    log_reopen();
    log_info("status", "three");
    log_close();
    g_autofree char *before = logged(old), *after = logged(path);
    assert_non_null(strstr(before, "two"));
    assert_null(strstr(before, "three"));
    assert_non_null(strstr(after, "three"));
    unit_remove_dir(dir);
}

static void test_bad_target(void **state)
{
    g_autoptr(GError) error = NULL;

    assert_int_equal(log_open("x", "syslog", LOG_LEVEL_INFO, &error), -1);
    assert_non_null(error);
    assert_int_equal(log_open("x", "file:/nonexistent/x", LOG_LEVEL_INFO, NULL), -1);
}

static void test_mask(void **state)
{
    static const char *const cases[][2] = {
        {"+15551234567", "+1555\xe2\x80\xa6" "4567"},
        {"15551234567", "1555\xe2\x80\xa6" "4567"},
        {"12345", "12345"},
        {"Amazon", "Amazon"},
        {"", ""},
        {"+12345678", "+1234\xe2\x80\xa6" "5678"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_string_equal(LOG_NUMBER(cases[i][0]), cases[i][1]);
    assert_null(LOG_NUMBER(NULL));
    assert_string_equal(LOG_ADDRESS("+15551234567@sms.x.org"), "+1555\xe2\x80\xa6" "4567@sms.x.org");
    assert_string_equal(LOG_ADDRESS("+15551234567+hi@sms.x.org"), "+1555\xe2\x80\xa6" "4567+hi@sms.x.org");
    assert_string_equal(LOG_ADDRESS("alice@x.org"), "alice@x.org");
    assert_string_equal(LOG_ADDRESS("alice+2026@x.org"), "alice+2026@x.org");
    assert_string_equal(LOG_ADDRESS("*67+15551234567@sms.x.org"), "*67+\xe2\x80\xa6" "4567@sms.x.org");
    assert_string_equal(LOG_ADDRESS("+15551234567x5@sms.x.org"), "+1555\xe2\x80\xa6" "67x5@sms.x.org");
    assert_string_equal(LOG_MS(12345), "12.3ms");
    g_autofree char *number = log_number("+15551234567");
    assert_string_equal(number, "+1555\xe2\x80\xa6" "4567");
}

static void test_levels(void **state)
{
    enum log_level level;

    assert_true(log_level_parse("debug", &level) && level == LOG_LEVEL_DEBUG);
    assert_false(log_level_parse("loud", &level));
    log_set_level(LOG_LEVEL_ERROR);
    assert_false(log_enabled(LOG_LEVEL_WARNING));
    assert_true(log_enabled(LOG_LEVEL_ERROR));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line), cmocka_unit_test(test_reopen), cmocka_unit_test(test_bad_target),
        cmocka_unit_test(test_mask), cmocka_unit_test(test_levels),
    };

    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
