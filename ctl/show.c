/* SPDX-License-Identifier: Apache-2.0 */
/* How records are shown: JSON, or tables and "key: value" lines for people; neither moves the terminal. */
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/utf8_text.h"
#include "ctl/ctl.h"

#define CELL_MAX 60

char *ctl_safe(const char *text, bool one_line)
{
    g_autofree char *valid = utf8_valid(text != NULL ? text : "-", -1);
    GString *out = g_string_new(NULL);
    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        bool layout = !one_line && (c == '\n' || c == '\t');
        if (!layout && (g_unichar_iscntrl(c) || utf8_is_bidi_control(c)))
            g_string_append_printf(out, "\\u%04x", c);
        else
            g_string_append_unichar(out, c);
    }
    return g_string_free(out, FALSE);
}

/* What jansson leaves as it is, beyond C0, stands in strings only, where \uXXXX says the same. */
static void print_json(const json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2) | CTL_REALS);
    g_autofree char *safe = ctl_safe(text, false);
    puts(safe);
    g_free(text);
}

/* One value on one line. */
static char *plain(const json_t *value)
{
    GString *out = g_string_new(NULL);
    if (json_is_string(value)) {
        g_auto(GStrv) lines = g_strsplit(json_string_value(value), "\n", -1);
        for (char **line = lines; *line != NULL; line++) {
            g_autofree char *safe = ctl_safe(*line, true);
            g_string_append_printf(out, "%s%s", line != lines ? " ⏎ " : "", safe);
        }
    } else if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            g_autofree char *item = plain(json_array_get(value, i));
            g_string_append_printf(out, "%s%s", i > 0 ? ", " : "", item);
        }
    } else if (json_is_null(value) || value == NULL) {
        g_string_append(out, "-");
    } else {
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | CTL_REALS);
        g_autofree char *safe = ctl_safe(text, true);
        g_string_append(out, safe);
        g_free(text);
    }
    return g_string_free(out, FALSE);
}

static bool is_list_of_records(const json_t *value)
{
    return json_is_array(value) && json_array_size(value) > 0 && json_is_object(json_array_get(value, 0));
}

static void print_table(const json_t *records);

static void print_record(const json_t *record)
{
    const char *key;
    json_t *value;
    int width = 0;
    json_object_foreach((json_t *)record, key, value)
        width = MAX(width, (int)strlen(key));
    json_object_foreach((json_t *)record, key, value) {
        g_autofree char *name = ctl_safe(key, true);
        if (is_list_of_records(value)) {
            printf("%s:\n", name);
            print_table(value);
            continue;
        }
        g_autofree char *text = plain(value);
        printf("%-*s  %s\n", width + 1, name, text);
    }
}

static char *cell(const json_t *value)
{
    char *text = plain(value);
    if (g_utf8_strlen(text, -1) > CELL_MAX) {
        char *cut = g_utf8_substring(text, 0, CELL_MAX - 1);
        g_free(text);
        text = g_strconcat(cut, "…", NULL);
        g_free(cut);
    }
    return text;
}

/* Columns are the keys of the first record; a column that is empty in all of them is left out. */
static void print_table(const json_t *records)
{
    size_t rows = json_array_size(records);
    if (rows == 0)
        return;
    g_autoptr(GPtrArray) columns = g_ptr_array_new();
    const char *key;
    json_t *value;
    json_object_foreach(json_array_get(records, 0), key, value) {
        bool used = false;
        for (size_t r = 0; r < rows && !used; r++) {
            const json_t *v = json_object_get(json_array_get(records, r), key);
            used = v != NULL && !json_is_null(v) && !(json_is_array(v) && json_array_size(v) == 0);
        }
        if (used)
            g_ptr_array_add(columns, (char *)key);
    }
    for (guint c = 0; c < columns->len; c++) {
        const char *name = columns->pdata[c];
        glong width = (glong)strlen(name);
        for (size_t r = 0; r < rows; r++) {
            g_autofree char *text = cell(json_object_get(json_array_get(records, r), name));
            width = MAX(width, g_utf8_strlen(text, -1));
        }
        columns->pdata[c] = g_strdup_printf("%ld:%s", width, name);
    }
    for (size_t r = 0; r <= rows; r++) {
        for (guint c = 0; c < columns->len; c++) {
            char *name = NULL;
            long width = strtol(columns->pdata[c], &name, 10);
            name++;
            g_autofree char *text = r == 0 ? g_utf8_strup(name, -1) : cell(json_object_get(json_array_get(records, r - 1), name));
            bool last = c + 1 == columns->len;
            printf("%s%*s%s", text, last ? 0 : (int)(width - g_utf8_strlen(text, -1)), "", last ? "\n" : "  ");
        }
    }
    for (guint c = 0; c < columns->len; c++)
        g_free(columns->pdata[c]);
}

static json_t *parse(const struct db_rows *rows, unsigned row, unsigned column)
{
    const char *text = db_rows_text(rows, row, column);
    return text != NULL ? json_loads(text, JSON_DECODE_ANY, NULL) : json_null();
}

void ctl_show_json(struct ctl *ctl, const json_t *record)
{
    if (ctl->json)
        print_json(record);
    else if (json_is_array(record))
        print_table(record);
    else
        print_record(record);
}

void ctl_show(struct ctl *ctl, const struct db_rows *rows, unsigned column)
{
    g_autoptr(json_t) record = parse(rows, 0, column);
    ctl_show_json(ctl, record);
}

void ctl_show_list(struct ctl *ctl, const struct db_rows *rows, unsigned column)
{
    g_autoptr(json_t) list = json_array();
    for (unsigned r = 0; r < db_rows_count(rows); r++)
        json_array_append_new(list, parse(rows, r, column));
    ctl_show_json(ctl, list);
}

void ctl_say(struct ctl *ctl, const char *format, ...)
{
    if (ctl->json)
        return;
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *safe = ctl_safe(text, false);
    puts(safe);
}
