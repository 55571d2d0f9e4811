/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration: an INI file, checked against one table of options (config_options.c), from
 * which also the sample file, the manual page, --check and --print are made.
 *
 * Reading is safe from any number of threads; a struct config never changes after config_load().
 * Asking for an option that is not in the table, or by the wrong type, is a bug of ours and aborts:
 * look up once at start, keep the value.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

enum config_type {
    CONFIG_STRING,   /* any text; config_get_string() */
    CONFIG_PATH,     /* absolute path; config_get_string() */
    CONFIG_SECRET,   /* absolute path of a file (key ends in _file) that holds a secret; its name
                      * is printed, its content never; config_get_string() gives the path */
    CONFIG_LIST,     /* words separated by commas or white space; config_get_list() */
    CONFIG_CHOICE,   /* one of the words in .unit, separated by '|'; config_get_string() */
    CONFIG_BOOL,     /* yes/no, true/false, on/off, 1/0; config_get_bool() */
    CONFIG_INT,      /* config_get_int() */
    CONFIG_DURATION, /* "300ms 5s 10m 2h 30d", sums like "1h30m"; stored in microseconds */
    CONFIG_SIZE,     /* "4096", "64KiB", "4MiB", "1GiB"; stored in bytes */
    CONFIG_URL       /* http:// or https://, no trailing slash kept; config_get_string() */
};

/* One row of the table.  min and max count for INT, DURATION (written as text) and SIZE. */
struct config_option {
    const char *section;
    const char *key;
    enum config_type type;
    const char *initial; /* as it would be written in the file; NULL: no default */
    const char *min;     /* as written in the file; NULL: no bound.  Of text with a default: "": it may be set to nothing */
    const char *max;
    const char *unit;    /* CHOICE: the words; else a word for the manual page, or NULL */
    const char *doc;     /* one to three plain sentences */
};

struct config_section {
    const char *name;
    const char *doc;
};

/* The tables, in the order in which they are documented; each ends with a row of NULLs. */
extern const struct config_option config_options[];
extern const struct config_section config_sections[];

struct config;

/*
 * Reads and checks a file.  Unknown sections and keys, duplicate keys and bad values are errors
 * "FILE:LINE: …"; all of them are collected into the one message, separated by newlines.
 * Options that are derived from others when unset ([media] dir from [gateway] state_dir, …) are
 * filled in.  NULL path: defaults only.  NULL on error.
 */
struct config *config_load(const char *path, GError **error);
/* The same from memory; name stands in messages. */
struct config *config_parse(const char *text, size_t length, const char *name, GError **error);
void config_free(struct config *config);

/* Borrowed; NULL when the option is unset and has no default, or is set to nothing. */
const char *config_get_string(const struct config *config, const char *section, const char *key);
/* Borrowed, NULL-terminated, never NULL. */
const char *const *config_get_list(const struct config *config, const char *section, const char *key);
bool config_get_bool(const struct config *config, const char *section, const char *key);
gint64 config_get_int(const struct config *config, const char *section, const char *key);
/* Microseconds. */
gint64 config_get_duration(const struct config *config, const char *section, const char *key);
/* Milliseconds, rounded up: for poll(), curl and libpq. */
int config_get_duration_ms(const struct config *config, const char *section, const char *key);
/* Bytes. */
gint64 config_get_size(const struct config *config, const char *section, const char *key);
/* True when the file itself sets the option. */
bool config_is_set(const struct config *config, const char *section, const char *key);

/* What lies outside the file: do the *_file keys name readable files that the world cannot read,
 * does state_dir exist …  Appends one sentence per problem; returns how many. */
guint config_check_files(const struct config *config, const char *const *sections, GPtrArray *problems);

/* The effective configuration as an INI file, defaults included. */
void config_print(const struct config *config, GString *out);
/* conf/ump.conf: every option, commented out at its default, with its documentation. */
void config_write_sample(GString *out);
/* man/ump.conf.5 in roff (man macros). */
void config_write_man(GString *out);

/* A number as it would be written in the file: "30d", "4MiB". */
void config_format_number(enum config_type type, gint64 number, GString *out);

/* The value parsers, pure; false and *out unchanged when the text is wrong. */
bool config_parse_duration(const char *text, gint64 *out_us);
bool config_parse_size(const char *text, gint64 *out_bytes);
bool config_parse_bool(const char *text, bool *out);

typedef struct config config_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(config_t, config_free)
