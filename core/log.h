/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one line per event, key=value pairs, status last.
 *
 *     log_event(LOG_LEVEL_INFO, "id", id, "endpoint", LOG_NUMBER(from), "bytes", LOG_INT(n),
 *               "status", "delivered");
 *
 * Always with the id of the message, so that one grep follows it through all programs.  Never a
 * body, a token or a whole phone number above debug level.  Values are written as they are when
 * they are plain words, else in double quotes with escapes; a line never breaks.  A pair whose
 * value is NULL is left out.  Libraries return errors; only session and main code logs.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

enum log_level {
    LOG_LEVEL_ERROR,   /* someone must act */
    LOG_LEVEL_WARNING, /* unusual; handled */
    LOG_LEVEL_NOTICE,  /* start, stop, reload */
    LOG_LEVEL_INFO,    /* one line per event */
    LOG_LEVEL_DEBUG
};

/*
 * target: "stderr", "journal" or "file:/path".  Before this, events go to stderr at info level.
 * program is kept.  Also takes over GLib's own messages (a critical of a library becomes an error
 * line).  0, or -1: cannot open.
 */
int log_open(const char *program, const char *target, enum log_level level, GError **error);
/* Opens the file again (after rotation).  Async: no; any thread: yes. */
void log_reopen(void);
void log_close(void);
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);
/* "error", "warning", … → level; false when it is none. */
bool log_level_parse(const char *text, enum log_level *out);

/* Pairs of (const char *key, const char *value); the NULL at the end comes by itself. */
#define log_event(level, ...) log_event_pairs((level), __VA_ARGS__, NULL)
#define log_error(...) log_event(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_event(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_event(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_event(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_event(LOG_LEVEL_DEBUG, __VA_ARGS__)
void log_event_pairs(enum log_level level, ...) G_GNUC_NULL_TERMINATED;

/* The text of a value, in a buffer that lives as long as the surrounding block. */
#define LOG_INT(n) log_format_int((char[24]){0}, 24, (n))
#define LOG_MS(us) log_format_ms((char[24]){0}, 24, (us)) /* microseconds → "12.3ms" */
#define LOG_NUMBER(s) log_mask_number((char[40]){0}, 40, (s))
#define LOG_ADDRESS(s) log_mask_address((char[128]){0}, 128, (s))
const char *log_format_int(char *buffer, size_t size, gint64 value);
const char *log_format_ms(char *buffer, size_t size, gint64 microseconds);

/* "+15551234567" → "+1555…4567"; what has fewer than 8 digits, or is no number, stays.  NULL → NULL. */
const char *log_mask_number(char *buffer, size_t size, const char *number);
/* A mail address: its local part masked when it is a number ("+1555…4567@sms.example.org"). */
const char *log_mask_address(char *buffer, size_t size, const char *address);
/* The same, allocated. */
char *log_number(const char *number);
