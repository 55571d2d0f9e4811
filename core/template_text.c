/* SPDX-License-Identifier: Apache-2.0 */
#include "core/template_text.h"

#include <stdbool.h>
#include <string.h>

#define PLACE_MAX 60

static bool has_place(const json_t *places, const char *place)
{
    for (size_t i = 0; i < json_array_size(places); i++)
        if (strcmp(json_string_value(json_array_get(places, i)), place) == 0)
            return true;
    return false;
}

void template_add_places(json_t *places, const char *component, const char *text)
{
    for (const char *p = text != NULL ? strstr(text, "{{") : NULL; p != NULL; p = strstr(p + 2, "{{")) {
        const char *end = strstr(p, "}}");
        if (end == NULL || end - p > PLACE_MAX)
            continue;
        g_autofree char *name = g_strndup(p + 2, (gsize)(end - p - 2));
        g_autofree char *place = g_strconcat(component, ".", g_strstrip(name), NULL);
        if (!has_place(places, place))
            json_array_append_new(places, json_string(place));
    }
}

static GPtrArray *lines_of(const char *text)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) all = g_strsplit_set(text != NULL ? text : "", "\r\n", -1);

    for (char **line = all; *line != NULL; line++)
        if (*g_strstrip(*line) != '\0')
            g_ptr_array_add(lines, g_strdup(*line));
    return lines;
}

guint template_lines(const char *text)
{
    g_autoptr(GPtrArray) lines = lines_of(text);

    return lines->len;
}

GPtrArray *template_variables(const char *text, guint count)
{
    g_autoptr(GPtrArray) lines = lines_of(text);

    if (count == 1 && lines->len > 0) {
        GPtrArray *whole = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(whole, g_strstrip(g_strdup(text)));
        return whole;
    }
    return lines->len == count ? g_steal_pointer(&lines) : NULL;
}
