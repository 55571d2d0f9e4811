/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that a statement returned, owned by whom they were handed to.  Columns count from 0.
 * Values out of range, or SQL NULL, read as the neutral value that each function names. */
#pragma once

#include <glib.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db_rows;
typedef struct db_rows db_rows; /* for g_autoptr(db_rows) */

struct db_rows *db_rows_new(PGresult *result); /* takes result; used by the database layer and by tests */
void db_rows_free(struct db_rows *rows);

/* Rows in the set; NULL counts 0. */
unsigned db_rows_count(const struct db_rows *rows);

/* Rows that INSERT, UPDATE or DELETE touched; -1 when the server did not say. */
int64_t db_rows_affected(const struct db_rows *rows);

/* The number of the column of that name, -1 if there is none. */
int db_rows_column(const struct db_rows *rows, const char *name);

bool db_rows_is_null(const struct db_rows *rows, unsigned row, unsigned column);
const char *db_rows_text(const struct db_rows *rows, unsigned row, unsigned column); /* borrowed; NULL for SQL NULL */
size_t db_rows_length(const struct db_rows *rows, unsigned row, unsigned column);    /* of that text */
char *db_rows_dup(const struct db_rows *rows, unsigned row, unsigned column);        /* g_free; NULL for SQL NULL */
int64_t db_rows_int(const struct db_rows *rows, unsigned row, unsigned column);      /* NULL: 0 */
double db_rows_double(const struct db_rows *rows, unsigned row, unsigned column);    /* NULL: 0 */
bool db_rows_bool(const struct db_rows *rows, unsigned row, unsigned column);        /* NULL: false */
GBytes *db_rows_bytea(const struct db_rows *rows, unsigned row, unsigned column);    /* owned; NULL for SQL NULL */
int64_t db_rows_time(const struct db_rows *rows, unsigned row, unsigned column);     /* µs since 1970; NULL: 0 */
char **db_rows_texts(const struct db_rows *rows, unsigned row, unsigned column);     /* an array; g_strfreev; NULL: NULL */

/* The same for the first row and a column called by its name; a column that does not exist reads as SQL NULL. */
const char *db_rows_text_of(const struct db_rows *rows, unsigned row, const char *name);
int64_t db_rows_int_of(const struct db_rows *rows, unsigned row, const char *name);
bool db_rows_bool_of(const struct db_rows *rows, unsigned row, const char *name);
int64_t db_rows_time_of(const struct db_rows *rows, unsigned row, const char *name);

/* "2026-11-20 11:06:52.123456+00" → µs since 1970.  ±infinity → INT64_MAX/INT64_MIN.  false: not a time. */
bool db_time_parse(const char *text, int64_t *us);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(db_rows, db_rows_free)
