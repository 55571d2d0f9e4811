/* SPDX-License-Identifier: Apache-2.0 */
#include "core/program.h"

#include "core/config.h"
#include "core/log.h"

#include "unit.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static const struct program_spec DAEMON = {.name = "ump-test", .summary = "A test."};
static const struct program_spec TOOL = {.name = "ump-tool", .summary = "A tool.", .arguments = "COMMAND", .command = true};

struct fixture {
    char *dir, *config, *log;
};

static int setup(void **state)
{
    struct fixture *f = g_new0(struct fixture, 1);

    f->dir = unit_new_dir();
    f->config = g_build_filename(f->dir, "ump.conf", NULL);
    f->log = g_build_filename(f->dir, "log", NULL);
    g_autofree char *text = g_strdup_printf("[gateway]\nlog_target = file:%s\nregion = DE\n", f->log);
    g_file_set_contents(f->config, text, -1, NULL);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    unit_remove_dir(f->dir);
    g_free(f->config);
    g_free(f->log);
    g_free(f);
    return 0;
}

static struct program *start(const struct program_spec *spec, int *status, char **words)
{
    return program_start(spec, (int)g_strv_length(words), words, status);
}

static char *word(const char *text)
{
    return (char *)(uintptr_t)text;
}

static void note(void *data)
{
    atomic_fetch_add((_Atomic int *)data, 1);
}

static void wait_for(_Atomic int *value, int wanted)
{
    for (int i = 0; i < 500 && atomic_load(value) != wanted; i++)
        g_usleep(10000);
    assert_int_equal(atomic_load(value), wanted);
}

static void test_daemon(void **state)
{
    struct fixture *f = *state;
    char *words[] = {word("ump-test"), word("-c"), f->config, NULL};
    static _Atomic int reloads, stops;
    struct rlimit limit;
    int status = -1;

    struct program *program = start(&DAEMON, &status, words);
    assert_non_null(program);
    assert_string_equal(config_get_string(program_config(program), "gateway", "region"), "DE");
    assert_int_equal(prctl(PR_GET_DUMPABLE), UMP_DUMPABLE);
    assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
    assert_int_equal(limit.rlim_max, 0);
    program_on_reload(program, note, &reloads);
    program_on_stop(program, note, &stops);
    program_ready(program);
    assert_false(program_stopping(program));
    struct pollfd fd = {.fd = program_stop_fd(program), .events = POLLIN};
    assert_int_equal(poll(&fd, 1, 0), 0);

    g_autofree char *old = g_strconcat(f->log, ".1", NULL), *text = NULL;
    g_rename(f->log, old);
    kill(getpid(), SIGUSR1);
    wait_for(&reloads, 1);
    kill(getpid(), SIGTERM);
    program_wait(program);
    wait_for(&stops, 1);
    assert_true(program_stopping(program));
    assert_int_equal(poll(&fd, 1, 0), 1);
    program_free(program);
    assert_true(g_file_get_contents(f->log, &text, NULL, NULL));
    assert_non_null(strstr(text, "status=reload"));
    assert_non_null(strstr(text, "status=stopped"));
    prctl(PR_SET_DUMPABLE, 1);
}

static void test_stop_from_inside(void **state)
{
    struct fixture *f = *state;
    char *words[] = {word("ump-test"), word("-c"), f->config, NULL};
    int status = -1;

    struct program *program = start(&DAEMON, &status, words);
    program_stop(program);
    program_wait(program);
    program_free(program);
}

static void test_command_lines(void **state)
{
    struct fixture *f = *state;
    char *bad_option[] = {word("x"), word("--nonsense"), NULL}, *argument[] = {word("x"), word("more"), NULL};
    char *absent[] = {word("x"), word("-c"), word("/nonexistent/ump.conf"), NULL};
    char *version[] = {word("x"), word("--version"), NULL};
    char *print[] = {word("x"), word("-c"), f->config, word("--print"), NULL};
    int status;

    assert_null(start(&DAEMON, &status, bad_option));
    assert_int_equal(status, 64);
    assert_null(start(&DAEMON, &status, argument));
    assert_int_equal(status, 64);
    assert_null(start(&DAEMON, &status, absent));
    assert_int_equal(status, 1);
    assert_null(start(&DAEMON, &status, version));
    assert_int_equal(status, 0);
    assert_null(start(&DAEMON, &status, print));
    assert_int_equal(status, 0);
}

/* A subcommand's options are left for the subcommand. */
static void test_tool(void **state)
{
    struct fixture *f = *state;
    char *words[] = {word("x"), word("-c"), f->config, word("endpoint"), word("add"), word("--owner"), word("a"), NULL};
    int status;

    struct program *program = start(&TOOL, &status, words);
    assert_non_null(program);
    char **rest = program_arguments(program);
    assert_int_equal(g_strv_length(rest), 4);
    assert_string_equal(rest[2], "--owner");
    program_free(program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_daemon, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop_from_inside, setup, teardown),
        cmocka_unit_test_setup_teardown(test_command_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tool, setup, teardown),
    };

    return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
