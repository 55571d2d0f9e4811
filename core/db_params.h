/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of a statement.  A small builder: values are appended in the order $1, $2, …
 * Everything is copied.  A NULL pointer becomes SQL NULL.  Text that is not UTF-8, or holds NUL, has
 * the offending bytes replaced by U+FFFD, so that no input can make a statement fail by its encoding.
 * The functions that run a statement take the builder over, whether they succeed or not. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db_params;
typedef struct db_params db_params; /* for g_autoptr(db_params) */

struct db_params *db_params_new(void);
void db_params_free(struct db_params *params);

void db_params_null(struct db_params *params);
void db_params_text(struct db_params *params, const char *text); /* text, json, jsonb, inet, an enum … */
void db_params_textn(struct db_params *params, const char *text, size_t len);
void db_params_uuid(struct db_params *params, const char *uuid); /* as 36 characters of text */
void db_params_int(struct db_params *params, int64_t value);     /* any integer type, numeric */
void db_params_double(struct db_params *params, double value);
void db_params_bool(struct db_params *params, bool value);
void db_params_bytea(struct db_params *params, const void *data, size_t len);
void db_params_bytes(struct db_params *params, GBytes *bytes);
void db_params_time(struct db_params *params, int64_t us);         /* timestamptz, µs since 1970 */
void db_params_time_or_null(struct db_params *params, int64_t us); /* 0: SQL NULL */
void db_params_interval(struct db_params *params, int64_t us);
void db_params_texts(struct db_params *params, const char *const *strv); /* text[], uuid[] …; a NULL ends it */
void db_params_ints(struct db_params *params, const int64_t *values, size_t n); /* int8[] … */

unsigned db_params_count(const struct db_params *params);

/* Bytes that the values take on the wire, about. */
size_t db_params_size(const struct db_params *params);

/* The text of parameter `index` (from 0), borrowed; NULL for SQL NULL and for bytea. */
const char *db_params_peek(const struct db_params *params, unsigned index);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(db_params, db_params_free)
