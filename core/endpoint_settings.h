/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings that every endpoint has, whatever its provider: policy and pace.  They live in
 * ump.endpoints.settings (JSON) beside the provider's own keys; this table is what the programs
 * agree on and what `umpctl endpoint set` checks.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

enum endpoint_setting_type {
    ENDPOINT_SETTING_STRING,
    ENDPOINT_SETTING_INT,
    ENDPOINT_SETTING_NUMBER,
    ENDPOINT_SETTING_BOOL,
    ENDPOINT_SETTING_DURATION, /* "5m", "1h30m" → seconds; min and max in seconds, 0 is allowed too */
    ENDPOINT_SETTING_LIST,  /* words separated by commas → JSON array of strings */
    ENDPOINT_SETTING_CHOICE, /* one of the words in .words, separated by '|' */
    ENDPOINT_SETTING_ZONE,   /* a time zone of the tz database, "Europe/Berlin" */
    ENDPOINT_SETTING_HOURS   /* a part of every day, "21:00-08:00" */
};

struct endpoint_setting {
    const char *key;
    enum endpoint_setting_type type;
    double min, max;   /* of INT and NUMBER */
    const char *words; /* of CHOICE; for the others a word for the manual page, or NULL */
    const char *doc;
};

/* Ends with a row whose key is NULL. */
extern const struct endpoint_setting endpoint_settings[];

const struct endpoint_setting *endpoint_setting_find(const char *key);

/*
 * text as it was written on the command line → its JSON value; "" → JSON null (back to the default).
 * Keys that are not in the table are the provider's: a string.  NULL with UMP_ERROR_INVALID and a
 * sentence for the administrator.
 */
json_t *endpoint_setting_parse(const char *key, const char *text, GError **error);

/* Does this machine know such a time zone, by its name in the tz database? */
bool endpoint_setting_zone_known(const char *name);

/* The settings of an account (ump.accounts.settings), and the same for them; an unknown key is refused. */
extern const struct endpoint_setting account_settings[];
json_t *account_setting_parse(const char *key, const char *text, GError **error);

/* Read from a settings object; fallback when absent or of another type. */
gint64 endpoint_setting_int(const json_t *settings, const char *key, gint64 fallback);
double endpoint_setting_number(const json_t *settings, const char *key, double fallback);
bool endpoint_setting_bool(const json_t *settings, const char *key, bool fallback);
/* Borrowed from settings. */
const char *endpoint_setting_string(const json_t *settings, const char *key, const char *fallback);
