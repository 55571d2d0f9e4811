/* SPDX-License-Identifier: Apache-2.0 */
/* Start of a program: command line, configuration, hardening, signals, readiness. */
#include "core/program.h"

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/log.h"
#include "core/system.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define DEFAULT_CONFIG "/etc/ump/ump.conf"
#define EXIT_USAGE 64
#define MAX_FUNCS 8

struct hook {
    program_func func;
    void *data;
};

struct program {
    const struct program_spec *spec;
    struct config *config;
    char **arguments;
    int stop_fd;
    _Atomic bool stopping;
    pthread_t signal_thread;
    bool has_thread;
    pthread_mutex_t lock; /* guards the hooks */
    struct hook reload[MAX_FUNCS], stop[MAX_FUNCS];
    guint reloads, stops;
};

struct command_line {
    char *config;
    gboolean check, print, verbose, version;
    char **rest;
};

/* --- The command line --- */

static int parse_arguments(const struct program_spec *spec, int argc, char **argv, struct command_line *line)
{
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &line->config, "Configuration (default " DEFAULT_CONFIG ")", "FILE"},
        {"check", 0, 0, G_OPTION_ARG_NONE, &line->check, "Check the configuration and end", NULL},
        {"print", 0, 0, G_OPTION_ARG_NONE, &line->print, "Print the effective configuration and end", NULL},
        {"verbose", 'v', 0, G_OPTION_ARG_NONE, &line->verbose, "Log at debug level", NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &line->version, "Print the version and end", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &line->rest, NULL, NULL},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context = g_option_context_new(spec->arguments);
    g_autoptr(GError) error = NULL;
    /* GLib moves pointers within the vector that it is given. */
    g_autofree char **copy = g_memdup2(argv, ((size_t)argc + 1) * sizeof *argv);

    g_option_context_set_summary(context, spec->summary);
    if (spec->more != NULL)
        g_option_context_set_description(context, spec->more);
    /* A subcommand's own options ("endpoint add --owner …") belong to the subcommand. */
    g_option_context_set_strict_posix(context, spec->command);
    g_option_context_add_main_entries(context, entries, NULL);
    if (spec->options != NULL)
        g_option_context_add_main_entries(context, spec->options, NULL);
    if (!g_option_context_parse(context, &argc, &copy, &error)) {
        fprintf(stderr, "%s: %s\nTry %s --help.\n", spec->name, error->message, spec->name);
        return -1;
    }
    if (line->rest == NULL)
        line->rest = g_new0(char *, 1);
    if (spec->arguments == NULL && line->rest[0] != NULL) {
        fprintf(stderr, "%s: takes no arguments: %s\nTry %s --help.\n", spec->name, line->rest[0], spec->name);
        return -1;
    }
    return 0;
}

static struct config *read_config(const struct program_spec *spec, const char *path)
{
    g_autoptr(GError) error = NULL;
    bool absent = path == NULL && (spec->no_config || access(DEFAULT_CONFIG, F_OK) != 0);

    struct config *config = config_load(path != NULL ? path : spec->command && absent ? NULL : DEFAULT_CONFIG, &error);
    if (config == NULL)
        fprintf(stderr, "%s: %s\n", spec->name, error->message);
    return config;
}

static int check_config(const struct program_spec *spec, const struct config *config)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);

    config_check_files(config, spec->sections, problems);
    for (guint i = 0; i < problems->len; i++)
        fprintf(stderr, "%s: %s\n", spec->name, (const char *)g_ptr_array_index(problems, i));
    if (problems->len == 0)
        printf("configuration is good\n");
    return problems->len == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* What ends the program at once; true with *status. */
static bool answer_at_once(const struct program_spec *spec, const struct command_line *line,
                           const struct config *config, int *status)
{
    if (line->print) {
        g_autoptr(GString) text = g_string_new(NULL);
        config_print(config, text);
        fputs(text->str, stdout);
        *status = EXIT_SUCCESS;
        return true;
    }
    if (line->check) {
        *status = check_config(spec, config);
        return true;
    }
    return false;
}

/* --- Hardening --- */

/* Keys and messages are in memory: no core dump, no ptrace by the same user. */
static void harden(void)
{
    const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, UMP_DUMPABLE, 0, 0, 0);
}

/* Before any thread exists: what libraries set up once. */
static void prepare_libraries(void)
{
    json_set_alloc_funcs(g_malloc, g_free);
    json_object_seed(0);
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static int open_log(const struct program_spec *spec, const struct command_line *line, const struct config *config)
{
    enum log_level level = LOG_LEVEL_INFO;
    g_autoptr(GError) error = NULL;

    log_level_parse(config_get_string(config, "gateway", "log_level"), &level);
    if (spec->command)
        level = LOG_LEVEL_WARNING;
    if (line->verbose)
        level = LOG_LEVEL_DEBUG;
    if (log_open(spec->name, spec->command ? "stderr" : config_get_string(config, "gateway", "log_target"),
                 level, &error) != 0) {
        fprintf(stderr, "%s: %s\n", spec->name, error->message);
        return -1;
    }
    return 0;
}

/* --- Signals --- */

static void run_hooks(struct program *program, const struct hook *hooks, const guint *count)
{
    struct hook copy[MAX_FUNCS];

    pthread_mutex_lock(&program->lock);
    guint n = *count;
    memcpy(copy, hooks, sizeof copy);
    pthread_mutex_unlock(&program->lock);
    for (guint i = 0; i < n; i++)
        copy[i].func(copy[i].data);
}

static void add_hook(struct program *program, struct hook *hooks, guint *count, program_func func, void *data)
{
    pthread_mutex_lock(&program->lock);
    g_assert(*count < MAX_FUNCS);
    hooks[(*count)++] = (struct hook){func, data};
    pthread_mutex_unlock(&program->lock);
}

static void watched_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGUSR1);
}

static void *wait_for_signals(void *data)
{
    struct program *program = data;
    sigset_t set;
    int number;

    watched_signals(&set);
    while (sigwait(&set, &number) == 0) {
        if (number == SIGUSR1 || number == SIGHUP) {
            log_reopen();
            log_notice("signal", g_strsignal(number), "status", "reload");
            run_hooks(program, program->reload, &program->reloads);
            continue;
        }
        if (atomic_load(&program->stopping)) /* asked before: our own SIGTERM of program_free() */
            return NULL;
        log_notice("signal", g_strsignal(number), "status", "stopping");
        system_notify("STOPPING=1");
        program_stop(program);
        run_hooks(program, program->stop, &program->stops);
    }
    return NULL;
}

static int start_signal_thread(struct program *program)
{
    sigset_t set;

    watched_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    int errnum = pthread_create(&program->signal_thread, NULL, wait_for_signals, program);
    if (errnum != 0) {
        log_error("reason", g_strerror(errnum), "status", "no-thread");
        return -1;
    }
    pthread_setname_np(program->signal_thread, "signals");
    program->has_thread = true;
    return 0;
}

/* --- Start and end --- */

static struct program *start(const struct program_spec *spec, struct command_line *line, int *status)
{
    if (line->version) {
        printf("%s %s\n", spec->name, UMP_VERSION);
        *status = EXIT_SUCCESS;
        return NULL;
    }
    *status = EXIT_FAILURE;
    g_autoptr(config_t) config = read_config(spec, line->config);
    if (config == NULL || answer_at_once(spec, line, config, status))
        return NULL;
    if (open_log(spec, line, config) != 0)
        return NULL;
    ump_clock_set_offset(config_get_duration(config, "gateway", "clock_offset"));
    prepare_libraries();

    struct program *program = g_new0(struct program, 1);
    program->spec = spec;
    program->config = g_steal_pointer(&config);
    program->arguments = g_steal_pointer(&line->rest);
    pthread_mutex_init(&program->lock, NULL);
    program->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (program->stop_fd < 0 || (!spec->command && start_signal_thread(program) != 0)) {
        program_free(program);
        return NULL;
    }
    return program;
}

struct program *program_start(const struct program_spec *spec, int argc, char **argv, int *status)
{
    struct command_line line = {0};
    struct program *program = NULL;

    harden();
    signal(SIGPIPE, SIG_IGN);
    if (parse_arguments(spec, argc, argv, &line) != 0)
        *status = EXIT_USAGE;
    else
        program = start(spec, &line, status);
    g_free(line.config);
    g_strfreev(line.rest);
    return program;
}

void program_free(struct program *program)
{
    if (program == NULL)
        return;
    if (program->has_thread) {
        atomic_store(&program->stopping, true);
        pthread_kill(program->signal_thread, SIGTERM);
        pthread_join(program->signal_thread, NULL);
        log_notice("status", "stopped");
    }
    if (program->stop_fd >= 0)
        close(program->stop_fd);
    pthread_mutex_destroy(&program->lock);
    config_free(program->config);
    g_strfreev(program->arguments);
    g_free(program);
    log_close();
}

const struct config *program_config(const struct program *program)
{
    return program->config;
}

char **program_arguments(const struct program *program)
{
    return program->arguments;
}

void program_ready(struct program *program)
{
    log_notice("version", UMP_VERSION, "status", "ready");
    system_notify("READY=1");
}

void program_status(struct program *program, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *state = g_strconcat("STATUS=", text, NULL);
    system_notify(state);
}

int program_stop_fd(const struct program *program)
{
    return program->stop_fd;
}

bool program_stopping(const struct program *program)
{
    return atomic_load(&program->stopping);
}

void program_stop(struct program *program)
{
    const uint64_t one = 1;

    atomic_store(&program->stopping, true);
    /* Cannot fail but by overflow, and then it is readable already. */
    if (write(program->stop_fd, &one, sizeof one) < 0)
        return;
}

void program_wait(struct program *program)
{
    struct pollfd fd = {.fd = program->stop_fd, .events = POLLIN};

    while (poll(&fd, 1, -1) < 0 && errno == EINTR)
        ;
}

void program_on_reload(struct program *program, program_func func, void *data)
{
    add_hook(program, program->reload, &program->reloads, func, data);
}

void program_on_stop(struct program *program, program_func func, void *data)
{
    add_hook(program, program->stop, &program->stops, func, data);
}
