/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a result: see db_rows.h. */
#include "core/db_rows.h"

#include <stdlib.h>
#include <string.h>

struct db_rows {
    PGresult *result;
};

struct db_rows *db_rows_new(PGresult *result)
{
    struct db_rows *rows = g_new(struct db_rows, 1);
    rows->result = result;
    return rows;
}

void db_rows_free(struct db_rows *rows)
{
    if (!rows)
        return;
    PQclear(rows->result);
    g_free(rows);
}

unsigned db_rows_count(const struct db_rows *rows)
{
    return rows ? (unsigned)PQntuples(rows->result) : 0;
}

int64_t db_rows_affected(const struct db_rows *rows)
{
    const char *text = rows ? PQcmdTuples(rows->result) : "";
    return *text ? g_ascii_strtoll(text, NULL, 10) : -1;
}

int db_rows_column(const struct db_rows *rows, const char *name)
{
    for (int i = 0; rows && i < PQnfields(rows->result); i++)
        if (!strcmp(PQfname(rows->result, i), name))
            return i;
    return -1;
}

bool db_rows_is_null(const struct db_rows *rows, unsigned row, unsigned column)
{
    return !rows || row >= (unsigned)PQntuples(rows->result) || column >= (unsigned)PQnfields(rows->result) ||
           PQgetisnull(rows->result, (int)row, (int)column);
}

const char *db_rows_text(const struct db_rows *rows, unsigned row, unsigned column)
{
    return db_rows_is_null(rows, row, column) ? NULL : PQgetvalue(rows->result, (int)row, (int)column);
}

size_t db_rows_length(const struct db_rows *rows, unsigned row, unsigned column)
{
    return db_rows_is_null(rows, row, column) ? 0 : (size_t)PQgetlength(rows->result, (int)row, (int)column);
}

char *db_rows_dup(const struct db_rows *rows, unsigned row, unsigned column)
{
    return g_strdup(db_rows_text(rows, row, column));
}

int64_t db_rows_int(const struct db_rows *rows, unsigned row, unsigned column)
{
    const char *text = db_rows_text(rows, row, column);
    return text ? g_ascii_strtoll(text, NULL, 10) : 0;
}

double db_rows_double(const struct db_rows *rows, unsigned row, unsigned column)
{
    const char *text = db_rows_text(rows, row, column);
    return text ? g_ascii_strtod(text, NULL) : 0;
}

bool db_rows_bool(const struct db_rows *rows, unsigned row, unsigned column)
{
    const char *text = db_rows_text(rows, row, column);
    return text && *text == 't';
}

GBytes *db_rows_bytea(const struct db_rows *rows, unsigned row, unsigned column)
{
    const char *text = db_rows_text(rows, row, column);
    if (!text)
        return NULL;
    size_t length = 0;
    unsigned char *raw = PQunescapeBytea((const unsigned char *)text, &length);
    if (!raw)
        g_error("out of memory");
    return g_bytes_new_with_free_func(raw, length, PQfreemem, raw);
}

int64_t db_rows_time(const struct db_rows *rows, unsigned row, unsigned column)
{
    const char *text = db_rows_text(rows, row, column);
    int64_t us = 0;
    return text && db_time_parse(text, &us) ? us : 0;
}

/* One element of an array literal; p stands behind its end afterwards. */
static char *array_element(const char **p)
{
    GString *element = g_string_new(NULL);
    const char *s = *p;
    bool quoted = *s == '"';
    if (quoted)
        s++;
    while (*s && (quoted ? *s != '"' : *s != ',' && *s != '}')) {
        if (*s == '\\' && s[1])
            s++;
        g_string_append_c(element, *s++);
    }
    if (quoted && *s)
        s++;
    *p = s;
    return g_string_free(element, FALSE);
}

char **db_rows_texts(const struct db_rows *rows, unsigned row, unsigned column)
{
    const char *p = db_rows_text(rows, row, column);
    if (!p)
        return NULL;
    GPtrArray *list = g_ptr_array_new();
    if (*p == '{')
        p++;
    while (*p && *p != '}') {
        g_ptr_array_add(list, array_element(&p));
        if (*p == ',')
            p++;
    }
    g_ptr_array_add(list, NULL);
    return (char **)g_ptr_array_free(list, FALSE);
}

/* UINT_MAX reads as SQL NULL everywhere. */
static unsigned named(const struct db_rows *rows, const char *name)
{
    return (unsigned)db_rows_column(rows, name);
}

const char *db_rows_text_of(const struct db_rows *rows, unsigned row, const char *name)
{
    return db_rows_text(rows, row, named(rows, name));
}

int64_t db_rows_int_of(const struct db_rows *rows, unsigned row, const char *name)
{
    return db_rows_int(rows, row, named(rows, name));
}

bool db_rows_bool_of(const struct db_rows *rows, unsigned row, const char *name)
{
    return db_rows_bool(rows, row, named(rows, name));
}

int64_t db_rows_time_of(const struct db_rows *rows, unsigned row, const char *name)
{
    return db_rows_time(rows, row, named(rows, name));
}

static bool digits(const char **p, int n, int *value)
{
    *value = 0;
    for (int i = 0; i < n; i++) {
        if (!g_ascii_isdigit(**p))
            return false;
        *value = *value * 10 + (*(*p)++ - '0');
    }
    return true;
}

/* Behind the seconds: ".123456" (any number of digits), then the zone "+00", "-03:30". */
static bool fraction_and_zone(const char *p, int *us, int *offset)
{
    int scale = 100000, hours = 0, minutes = 0;
    *us = *offset = 0;
    if (*p == '.')
        for (p++; g_ascii_isdigit(*p); p++, scale /= 10)
            *us += scale * (*p - '0');
    if (!*p || !strcmp(p, "Z"))
        return true;
    int sign = *p == '-' ? -1 : 1;
    if ((*p != '+' && *p != '-') || (p++, !digits(&p, 2, &hours)))
        return false;
    if (*p == ':' && (p++, !digits(&p, 2, &minutes)))
        return false;
    *offset = sign * (hours * 3600 + minutes * 60);
    return *p == '\0';
}

bool db_time_parse(const char *text, int64_t *us)
{
    int year, month, day, hour, minute, second, fraction, offset;
    const char *p = text;
    if (!strcmp(text, "infinity") || !strcmp(text, "-infinity")) {
        *us = *text == '-' ? INT64_MIN : INT64_MAX;
        return true;
    }
    if (!digits(&p, 4, &year) || *p++ != '-' || !digits(&p, 2, &month) || *p++ != '-' || !digits(&p, 2, &day) ||
        (*p != ' ' && *p != 'T') || (p++, !digits(&p, 2, &hour)) || *p++ != ':' || !digits(&p, 2, &minute) ||
        *p++ != ':' || !digits(&p, 2, &second) || !fraction_and_zone(p, &fraction, &offset))
        return false;
    g_autoptr(GDateTime) at = g_date_time_new_utc(year, month, day, hour, minute, second);
    if (!at)
        return false;
    *us = (g_date_time_to_unix(at) - offset) * G_USEC_PER_SEC + fraction;
    return true;
}
