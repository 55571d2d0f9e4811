/* SPDX-License-Identifier: Apache-2.0 */
#include "core/parts.h"

#include <string.h>

#include "core/endpoint_settings.h"
#include "core/media_type.h"

static bool is_blank(const char *text)
{
    return !text || text[strspn(text, " \t\r\n")] == '\0';
}

static gint64 size_of(const json_t *medium)
{
    return endpoint_setting_int(medium, "size", 0);
}

/* Can the text go with this attachment? */
static bool takes_text(const json_t *limits, const char *text, const json_t *medium)
{
    gint64 most = endpoint_setting_int(limits, "max_caption", G_MAXINT64);
    const char *type = endpoint_setting_string(medium, "type", "");

    return !media_type_listed(endpoint_setting_string(limits, "uncaptioned", ""), type, size_of(medium)) &&
           (endpoint_setting_bool(limits, "text_in_octets", false) ? (gint64)strlen(text) : g_utf8_strlen(text, -1)) <= most;
}

/* A new part without anything; borrowed from parts. */
static json_t *add_part(json_t *parts)
{
    json_t *part = json_object();

    json_object_set_new(part, "media", json_array());
    json_array_append_new(parts, part);
    return part;
}

static void share_media(const json_t *limits, const json_t *media, json_t *parts)
{
    gsize most = (gsize)MAX(endpoint_setting_int(limits, "max_media", 1), 1);
    gint64 room = endpoint_setting_int(limits, "max_media_total", G_MAXINT64), used = 0;
    json_t *list = json_object_get(add_part(parts), "media");
    const json_t *medium;
    size_t i;

    json_array_foreach(media, i, medium) {
        if (json_array_size(list) > 0 && (json_array_size(list) >= most || used + size_of(medium) > room)) {
            list = json_object_get(add_part(parts), "media");
            used = 0;
        }
        json_array_append_new(list, json_integer((json_int_t)i));
        used += size_of(medium);
    }
}

json_t *parts_plan(const json_t *limits, const char *text, const json_t *media)
{
    json_t *parts;

    if (endpoint_setting_int(limits, "split_media", 0) <= 1 || json_array_size(media) == 0)
        return NULL;
    parts = json_array();
    if (!is_blank(text) && !takes_text(limits, text, json_array_get(media, 0)))
        json_object_set_new(add_part(parts), "text", json_true());
    share_media(limits, media, parts);
    if (json_array_size(parts) > 1) {
        if (!is_blank(text))
            json_object_set_new(json_array_get(parts, 0), "text", json_true());
        return parts;
    }
    json_decref(parts);
    return NULL;
}

static const json_t *part_of(const json_t *parts, guint part)
{
    return part > 0 ? json_array_get(parts, part - 1) : NULL;
}

bool parts_has_text(const json_t *parts, guint part)
{
    const json_t *one = part_of(parts, part);

    return !one || json_is_true(json_object_get(one, "text"));
}

bool parts_has_medium(const json_t *parts, guint part, guint medium)
{
    const json_t *one = part_of(parts, part), *item;
    size_t i;

    if (!one)
        return true;
    json_array_foreach(json_object_get(one, "media"), i, item)
        if (json_integer_value(item) == (json_int_t)medium)
            return true;
    return false;
}
