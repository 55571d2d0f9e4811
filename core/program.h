/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every program does alike before it starts to work: command line, configuration, log,
 * no core dumps, signals, readiness.
 *
 * Standard command line: -c/--config FILE, --check, --print, -v/--verbose, --help, --version; then
 * the program's own options and arguments.
 *
 * Signals: all of them are blocked in every thread; one thread waits for them.  SIGTERM and SIGINT
 * ask for a stop, SIGUSR1 (and SIGHUP) reopen the log and call the reload functions.  SIGPIPE is
 * ignored.  libmilter takes SIGHUP for itself and ends: the milter is reloaded with SIGUSR1 only.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct config;
struct program;

struct program_spec {
    const char *name;             /* "ump-lmtp" */
    const char *summary;          /* one line for --help */
    const char *arguments;        /* "[ROLE…]" for the usage line, or NULL: no arguments allowed */
    const char *more;             /* further text at the end of --help, or NULL */
    const char *const *sections;  /* the sections that it reads; NULL: all */
    const GOptionEntry *options;  /* further options, or NULL */
    bool command;                 /* a tool that runs and ends (umpctl): default configuration may
                                   * be absent, log at warning on stderr, no signal thread, usage
                                   * errors exit 64 */
    bool no_config;               /* reads no configuration file, its defaults hold */
};

/*
 * Call first in main(), before any thread exists.  NULL: nothing left to do (--help, --check, a
 * wrong command line, a bad configuration; what was to be said is said): exit with *status.
 */
struct program *program_start(const struct program_spec *spec, int argc, char **argv, int *status);
void program_free(struct program *program);

const struct config *program_config(const struct program *program);
/* What is left of the command line after the options; NULL-terminated, never NULL, borrowed. */
char **program_arguments(const struct program *program);

/* Tells the service manager that the program serves; logs status=ready. */
void program_ready(struct program *program);
/* One line for "systemctl status". */
void program_status(struct program *program, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* An eventfd that becomes and stays readable when the program is to stop: poll it beside work. */
int program_stop_fd(const struct program *program);
bool program_stopping(const struct program *program);
/* Asks for the stop from inside; any thread. */
void program_stop(struct program *program);
/* Blocks until a stop is asked for. */
void program_wait(struct program *program);

typedef void (*program_func)(void *data);
/* Called in the signal thread at each SIGUSR1/SIGHUP, after the log was reopened.  Register before
 * program_ready(). */
void program_on_reload(struct program *program, program_func func, void *data);
/* Called once in the signal thread when a stop is asked for by a signal (smfi_stop(), …). */
void program_on_stop(struct program *program, program_func func, void *data);
