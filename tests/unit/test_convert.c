/* SPDX-License-Identifier: Apache-2.0 */
/* The conversation with ump-convert, whatever it does; small programs stand in for it. */
#include "core/convert.h"

#include <signal.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/error.h"
#include "tests/unit/unit.h"

struct fixture {
    char *dir, *program;
};

static int setup(void **state)
{
    struct fixture *f = g_new0(struct fixture, 1);

    signal(SIGPIPE, SIG_IGN);
    f->dir = unit_new_dir();
    f->program = g_build_filename(f->dir, "convert", NULL);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    unit_remove_dir(f->dir);
    g_free(f->program);
    g_free(f);
    return 0;
}

static GBytes *run(struct fixture *f, const char *script, gsize size, gsize max, gint64 time_us, GError **error)
{
    g_autofree char *text = g_strconcat("#!/bin/sh\n", script, "\n", NULL);
    g_autoptr(GBytes) medium = g_bytes_new_take(g_malloc0(size), size);

    assert_true(g_file_set_contents(f->program, text, -1, NULL));
    assert_int_equal(chmod(f->program, 0700), 0);
    return convert_medium(f->program, medium, "audio/ogg", max, time_us, error);
}

static void test_what_it_writes_is_returned(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) made = run(*state, "/bin/cat >/dev/null; printf '%s %s' \"$1\" \"$2\"", 3000000, 5000, CLOCK_MINUTE, &error);
    gsize length = 0;
    const char *text = made ? g_bytes_get_data(made, &length) : NULL;

    assert_null(error);
    assert_int_equal(length, strlen("audio/ogg 5000"));
    assert_memory_equal(text, "audio/ogg 5000", length);
}

static void test_failures(void **state)
{
    static const struct {
        const char *script, *words;
        int code;
    } cases[] = {
        {"/bin/cat >/dev/null; echo 'it is damaged' >&2; exit 1", "it is damaged", UMP_ERROR_INVALID},
        {"echo 'at once' >&2; echo 'and more' >&2; exit 1", "at once", UMP_ERROR_INVALID},
        {"kill -9 $$", "ended by signal 9", UMP_ERROR_INVALID},
        {"exit 3", "ended with 3", UMP_ERROR_UNAVAILABLE},
        {"/bin/cat >/dev/null", "ended with 0", UMP_ERROR_UNAVAILABLE},
        {"printf half; exit 1", "ended with 1", UMP_ERROR_UNAVAILABLE},
        {"exec /usr/bin/head -c 200000 /dev/zero", "more than it may", UMP_ERROR_INVALID},
        {"exec /usr/bin/head -c 200000 /dev/zero >&2", "more than it may", UMP_ERROR_INVALID},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(run(*state, cases[i].script, 500000, 1000, CLOCK_MINUTE, &error));
        assert_true(g_error_matches(error, UMP_ERROR, cases[i].code));
        assert_non_null(strstr(error->message, cases[i].words));
    }
}

/* One that reads nothing, one that reads all and never answers, one that keeps talking. */
static void test_the_deadline_ends_it(void **state)
{
    static const char *const scripts[] = {"exec /usr/bin/tail -f /dev/null </dev/null",
                                          "/bin/cat >/dev/null; exec /usr/bin/tail -f /dev/null",
                                          "exec /usr/bin/yes >/dev/null"};

    for (size_t i = 0; i < G_N_ELEMENTS(scripts); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(run(*state, scripts[i], 500000, 1000, CLOCK_SECOND / 5, &error));
        assert_true(g_error_matches(error, UMP_ERROR, UMP_ERROR_INVALID));
        assert_non_null(strstr(error->message, "too long"));
    }
}

static void test_a_program_that_is_not_there(void **state)
{
    g_autoptr(GBytes) medium = g_bytes_new_static("x", 1);
    g_autoptr(GError) error = NULL;

    assert_null(convert_medium("/nonexistent/ump-convert", medium, "image/jpeg", 1000, CLOCK_MINUTE, &error));
    assert_true(g_error_matches(error, UMP_ERROR, UMP_ERROR_UNAVAILABLE));
    assert_non_null(strstr(error->message, "/nonexistent/ump-convert"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_it_writes_is_returned, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_deadline_ends_it, setup, teardown),
        cmocka_unit_test(test_a_program_that_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
