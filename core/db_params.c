/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of a statement: see db_params.h. */
#include "core/db_params.h"

#include "core/db_internal.h"

#include <string.h>

struct value {
    size_t offset; /* into data */
    int length;    /* -1: SQL NULL */
    int format;    /* 0 text (NUL-terminated), 1 binary */
};

struct db_params {
    GByteArray *data;
    GArray *values;
};

struct db_params *db_params_new(void)
{
    struct db_params *params = g_new(struct db_params, 1);
    params->data = g_byte_array_new();
    params->values = g_array_sized_new(FALSE, FALSE, sizeof(struct value), 16);
    return params;
}

void db_params_free(struct db_params *params)
{
    if (!params)
        return;
    g_byte_array_unref(params->data);
    g_array_unref(params->values);
    g_free(params);
}

static void append(struct db_params *params, const void *data, size_t length, int format)
{
    g_assert(length < G_MAXINT32);
    struct value value = { params->data->len, (int)length, format };
    if (length)
        g_byte_array_append(params->data, data, (guint)length);
    g_byte_array_append(params->data, (const guint8 *)"", 1);
    g_array_append_val(params->values, value);
}

void db_params_null(struct db_params *params)
{
    struct value value = { params->data->len, -1, 0 };
    g_array_append_val(params->values, value);
}

void db_params_textn(struct db_params *params, const char *text, size_t len)
{
    if (!text) {
        db_params_null(params);
    } else if (g_utf8_validate(text, (gssize)len, NULL)) {
        append(params, text, len, 0);
    } else {
        g_autofree char *valid = g_utf8_make_valid(text, (gssize)len);
        append(params, valid, strlen(valid), 0);
    }
}

void db_params_text(struct db_params *params, const char *text)
{
    db_params_textn(params, text, text ? strlen(text) : 0);
}

void db_params_uuid(struct db_params *params, const char *uuid)
{
    db_params_text(params, uuid);
}

void db_params_int(struct db_params *params, int64_t value)
{
    char text[32];
    int n = g_snprintf(text, sizeof text, "%" G_GINT64_FORMAT, value);
    append(params, text, (size_t)n, 0);
}

void db_params_double(struct db_params *params, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_dtostr(text, sizeof text, value);
    append(params, text, strlen(text), 0);
}

void db_params_bool(struct db_params *params, bool value)
{
    append(params, value ? "t" : "f", 1, 0);
}

void db_params_bytea(struct db_params *params, const void *data, size_t len)
{
    if (data)
        append(params, data, len, 1);
    else
        db_params_null(params);
}

void db_params_bytes(struct db_params *params, GBytes *bytes)
{
    gsize len = 0;
    const void *data = bytes ? g_bytes_get_data(bytes, &len) : NULL;
    db_params_bytea(params, bytes && !data ? "" : data, len);
}

/* The server reads "epoch + interval" exactly; a time zone name never enters. */
void db_params_time(struct db_params *params, int64_t us)
{
    int64_t seconds = us / G_USEC_PER_SEC, rest = us % G_USEC_PER_SEC;
    if (rest < 0) {
        rest += G_USEC_PER_SEC;
        seconds--;
    }
    g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(seconds);
    if (!at) { /* beyond the year 9999 */
        append(params, us < 0 ? "-infinity" : "infinity", us < 0 ? 9 : 8, 0);
        return;
    }
    char text[64];
    int n = g_snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:%02d.%06d+00", g_date_time_get_year(at),
                       g_date_time_get_month(at), g_date_time_get_day_of_month(at), g_date_time_get_hour(at),
                       g_date_time_get_minute(at), g_date_time_get_second(at), (int)rest);
    append(params, text, (size_t)n, 0);
}

void db_params_time_or_null(struct db_params *params, int64_t us)
{
    if (us)
        db_params_time(params, us);
    else
        db_params_null(params);
}

void db_params_interval(struct db_params *params, int64_t us)
{
    char text[48];
    int n = g_snprintf(text, sizeof text, "%" G_GINT64_FORMAT " microseconds", us);
    append(params, text, (size_t)n, 0);
}

static void append_element(GString *list, const char *text)
{
    g_autofree char *valid = g_utf8_validate(text, -1, NULL) ? NULL : g_utf8_make_valid(text, -1);
    g_string_append_c(list, '"');
    for (const char *p = valid ? valid : text; *p; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_c(list, '\\');
        g_string_append_c(list, *p);
    }
    g_string_append_c(list, '"');
}

void db_params_texts(struct db_params *params, const char *const *strv)
{
    if (!strv) {
        db_params_null(params);
        return;
    }
    GString *list = g_string_new("{");
    for (size_t i = 0; strv[i]; i++) {
        if (i)
            g_string_append_c(list, ',');
        append_element(list, strv[i]);
    }
    g_string_append_c(list, '}');
    append(params, list->str, list->len, 0);
    g_string_free(list, TRUE);
}

void db_params_ints(struct db_params *params, const int64_t *values, size_t n)
{
    GString *list = g_string_new("{");
    for (size_t i = 0; i < n; i++)
        g_string_append_printf(list, "%s%" G_GINT64_FORMAT, i ? "," : "", values[i]);
    g_string_append_c(list, '}');
    append(params, list->str, list->len, 0);
    g_string_free(list, TRUE);
}

unsigned db_params_count(const struct db_params *params)
{
    return params ? params->values->len : 0;
}

size_t db_params_size(const struct db_params *params)
{
    return params ? params->data->len + 8 * (size_t)params->values->len : 0;
}

const char *db_params_peek(const struct db_params *params, unsigned index)
{
    if (!params || index >= params->values->len)
        return NULL;
    const struct value *value = &g_array_index(params->values, struct value, index);
    return value->length < 0 || value->format ? NULL : (const char *)params->data->data + value->offset;
}

void db_params_pointers(const struct db_params *params, const char **values, int *lengths, int *formats)
{
    for (unsigned i = 0; i < db_params_count(params); i++) {
        const struct value *value = &g_array_index(params->values, struct value, i);
        values[i] = value->length < 0 ? NULL : (const char *)params->data->data + value->offset;
        lengths[i] = value->length < 0 ? 0 : value->length;
        formats[i] = value->format;
    }
}
