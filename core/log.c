/* SPDX-License-Identifier: Apache-2.0 */
/* The log: formats one line per event and writes it with one write(2). */
#include "core/log.h"

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/system.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum log_target { TARGET_STDERR, TARGET_JOURNAL, TARGET_FILE };

static struct {
    pthread_rwlock_t lock; /* guards what log_open() and log_reopen() change */
    _Atomic int level;
    enum log_target target;
    int fd;
    char *path;
    char *program;
    bool prefix; /* stderr goes to the journal: "<6>" in place of a time stamp */
} state = {.lock = PTHREAD_RWLOCK_INITIALIZER, .level = LOG_LEVEL_INFO, .fd = STDERR_FILENO};

static const char *const LEVELS[] = {"error", "warning", "notice", "info", "debug"};

static int priority_of(enum log_level level)
{
    return (int)level + 3;
}

bool log_level_parse(const char *text, enum log_level *out)
{
    for (size_t i = 0; i < G_N_ELEMENTS(LEVELS); i++)
        if (strcmp(text, LEVELS[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    return false;
}

void log_set_level(enum log_level level)
{
    atomic_store(&state.level, (int)level);
}

bool log_enabled(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&state.level, memory_order_relaxed);
}

/* --- The line --- */

static bool is_plain(const char *value)
{
    if (*value == '\0')
        return false;
    for (const unsigned char *p = (const unsigned char *)value; *p != '\0'; p++)
        if (*p <= ' ' || *p == '"' || *p == '\\' || *p == ',' || *p == 0x7f)
            return false;
    return g_utf8_validate(value, -1, NULL);
}

static void put_escaped(GString *line, const char *p)
{
    while (*p != '\0') {
        gunichar c = g_utf8_get_char_validated(p, -1);
        if (c == (gunichar)-1 || c == (gunichar)-2) {
            g_string_append_printf(line, "\\x%02x", (unsigned char)*p++);
            continue;
        }
        if (c == '"' || c == '\\')
            g_string_append_printf(line, "\\%c", (char)c);
        else if (c == '\n')
            g_string_append(line, "\\n");
        else if (g_unichar_iscntrl(c) || c == 0x2028 || c == 0x2029)
            g_string_append_printf(line, "\\u%04x", c);
        else
            g_string_append_unichar(line, c);
        p = g_utf8_next_char(p);
    }
}

static void put_value(GString *line, const char *value)
{
    if (is_plain(value)) {
        g_string_append(line, value);
        return;
    }
    g_string_append_c(line, '"');
    put_escaped(line, value);
    g_string_append_c(line, '"');
}

static void put_head(GString *line, enum log_level level)
{
    char time[CLOCK_RFC3339_SIZE];

    if (state.prefix)
        g_string_append_printf(line, "<%d>", priority_of(level));
    else
        g_string_append_printf(line, "%s ", ump_clock_rfc3339(ump_clock_now_us(), time));
    g_string_append_printf(line, "%s[%d] %s ", state.program != NULL ? state.program : "ump", getpid(),
                           LEVELS[level]);
}

static void write_line(const GString *line)
{
    for (size_t done = 0; done < line->len;) {
        ssize_t n = write(state.fd, line->str + done, line->len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* nowhere to say so */
        done += (size_t)n;
    }
}

static void emit(enum log_level level, const char *text)
{
    pthread_rwlock_rdlock(&state.lock);
    if (state.target != TARGET_JOURNAL ||
        !system_journal(priority_of(level), state.program != NULL ? state.program : "ump", text)) {
        GString *line = g_string_sized_new(256);
        put_head(line, level);
        g_string_append(line, text);
        g_string_append_c(line, '\n');
        write_line(line);
        g_string_free(line, TRUE);
    }
    pthread_rwlock_unlock(&state.lock);
}

void log_event_pairs(enum log_level level, ...)
{
    va_list pairs;
    const char *key;
    int saved = errno;

    if (!log_enabled(level))
        return;
    GString *text = g_string_sized_new(256);
    va_start(pairs, level);
    while ((key = va_arg(pairs, const char *)) != NULL) {
        const char *value = va_arg(pairs, const char *);
        if (value == NULL)
            continue;
        if (text->len > 0)
            g_string_append(text, ", ");
        g_string_append(text, key);
        g_string_append_c(text, '=');
        put_value(text, value);
    }
    va_end(pairs);
    emit(level, text->str);
    g_string_free(text, TRUE);
    errno = saved;
}

/* --- GLib's own messages --- */

static GLogWriterOutput write_glib(GLogLevelFlags flags, const GLogField *fields, gsize count, gpointer data)
{
    enum log_level level = flags & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL) ? LOG_LEVEL_ERROR
                           : flags & G_LOG_LEVEL_WARNING                     ? LOG_LEVEL_WARNING
                                                                             : LOG_LEVEL_DEBUG;
    const char *message = NULL, *domain = NULL;

    for (gsize i = 0; i < count; i++) {
        if (strcmp(fields[i].key, "MESSAGE") == 0)
            message = fields[i].value;
        else if (strcmp(fields[i].key, "GLIB_DOMAIN") == 0)
            domain = fields[i].value;
    }
    log_event(level, "library", domain != NULL ? domain : "glib", "text", message, "status",
              flags & G_LOG_LEVEL_CRITICAL ? "critical" : flags & G_LOG_LEVEL_ERROR ? "abort" : "message");
    /* G_DEBUG=fatal-criticals and g_error(): GLib's own writer would abort here. */
    if (flags & (G_LOG_FLAG_FATAL | G_LOG_LEVEL_ERROR))
        abort();
    return G_LOG_WRITER_HANDLED;
}

/* g_log_set_writer_func() may be called once only. */
static void log_take_glib(void)
{
    g_log_set_writer_func(write_glib, NULL, NULL);
}

/* --- Where to --- */

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
}

static void set_target(enum log_target target, int fd, const char *path)
{
    if (state.target == TARGET_FILE && state.fd != fd)
        close(state.fd);
    state.target = target;
    state.fd = fd;
    g_free(state.path);
    state.path = g_strdup(path);
    state.prefix = target == TARGET_STDERR && getenv("JOURNAL_STREAM") != NULL;
}

int log_open(const char *program, const char *target, enum log_level level, GError **error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const char *path = g_str_has_prefix(target, "file:") ? target + strlen("file:") : NULL;
    int fd = STDERR_FILENO;

    if (path != NULL && (fd = open_file(path)) < 0)
        return ump_error_errno(error, errno, "log file %s", path);
    if (path == NULL && strcmp(target, "stderr") != 0 && strcmp(target, "journal") != 0) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG,
                    "log_target is none of stderr, journal, file:/path: %s", target);
        return -1;
    }
    pthread_rwlock_wrlock(&state.lock);
    g_free(state.program);
    state.program = g_strdup(program);
    set_target(path != NULL                     ? TARGET_FILE
               : strcmp(target, "journal") == 0 ? TARGET_JOURNAL
                                                : TARGET_STDERR,
               fd, path);
    pthread_rwlock_unlock(&state.lock);
    log_set_level(level);
    pthread_once(&once, log_take_glib);
    return 0;
}

void log_reopen(void)
{
    pthread_rwlock_wrlock(&state.lock);
    if (state.target == TARGET_FILE) {
        int fd = open_file(state.path);
        if (fd >= 0) {
            close(state.fd);
            state.fd = fd;
        }
    }
    pthread_rwlock_unlock(&state.lock);
}

void log_close(void)
{
    pthread_rwlock_wrlock(&state.lock);
    set_target(TARGET_STDERR, STDERR_FILENO, NULL);
    g_clear_pointer(&state.program, g_free);
    pthread_rwlock_unlock(&state.lock);
}
