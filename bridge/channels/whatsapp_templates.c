/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A template as Meta describes it.  A variable is {{1}} or {{name}} in the text of header or body; a button's
 * address may have one too.
 */
#include "bridge/channels/whatsapp.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/template_text.h"

/* What a mail has no place for. */
static const char *missing_of(const json_t *component, const char *type)
{
    g_autofree char *format = channel_json_text(component, "format");
    const json_t *button;
    size_t i;

    if (strcmp(type, "HEADER") == 0 && format && strcmp(format, "TEXT") != 0)
        return "a picture, video or document in its header";
    json_array_foreach(json_object_get(component, "buttons"), i, button) {
        g_autofree char *url = channel_json_text(button, "url"), *kind = channel_json_text(button, "type");
        if (url && strstr(url, "{{"))
            return "a variable in the address of a button";
        if (kind && (strcmp(kind, "OTP") == 0 || strcmp(kind, "COPY_CODE") == 0 || strcmp(kind, "FLOW") == 0))
            return "a code or a form in a button";
    }
    return NULL;
}

static json_t *read_body(const json_t *item)
{
    json_t *body = json_object(), *places = json_array();
    g_autofree char *category = channel_json_text(item, "category");
    GString *text = g_string_new(NULL);
    const json_t *component;
    size_t i;

    json_array_foreach(json_object_get(item, "components"), i, component) {
        g_autofree char *type = channel_json_text(component, "type"), *words = channel_json_text(component, "text");
        g_autofree char *upper = type ? g_ascii_strup(type, -1) : g_strdup("");
        const char *missing = missing_of(component, upper);
        if (missing)
            json_object_set_new(body, "missing", json_string(missing));
        if (strcmp(upper, "HEADER") == 0 || strcmp(upper, "BODY") == 0)
            template_add_places(places, strcmp(upper, "HEADER") == 0 ? "header" : "body", words);
        if (words)
            g_string_append_printf(text, "%s%s", text->len > 0 ? "\n" : "", words);
    }
    json_object_set_new(body, "text", json_string(text->str));
    json_object_set_new(body, "places", places);
    if (category)
        json_object_set_new(body, "category", json_string(category));
    g_string_free(text, TRUE);
    return body;
}

struct channel_template_info *whatsapp_read_template(const json_t *item)
{
    g_autofree char *name = channel_json_text(item, "name"), *language = channel_json_text(item, "language");
    g_autofree char *status = channel_json_text(item, "status");
    struct channel_template_info *info;

    if (!name || !language)
        return NULL;
    info = g_new0(struct channel_template_info, 1);
    info->name = g_steal_pointer(&name);
    info->language = g_steal_pointer(&language);
    info->status = g_ascii_strdown(status ? status : "unknown", -1);
    info->body = read_body(item);
    return info;
}
