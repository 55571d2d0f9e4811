/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The templates of a WhatsApp Business account: GET /<WABA id>/message_templates.  A variable is
 * {{1}} or {{name}} in the text of header or body; a button's address may have one too.
 */
#include "bridge/channels/whatsapp_cloud.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/error.h"
#include "core/template_text.h"

int whatsapp_build_templates(const char *cursor, const struct channel_endpoint *endpoint,
                             struct channel_request *request, GError **error)
{
    const char *account = channel_setting(endpoint, "waba_id");
    g_autofree char *id = account ? g_uri_escape_string(account, NULL, FALSE) : NULL;
    g_autofree char *after = cursor ? g_uri_escape_string(cursor, NULL, FALSE) : NULL;

    if (!id) {
        g_set_error_literal(error, UMP_ERROR, UMP_ERROR_CONFIG,
                            "waba_id is not set: the id of the WhatsApp Business account, in WhatsApp Manager under Settings");
        return -1;
    }
    if (whatsapp_authorize(endpoint, request, error) < 0)
        return -1;
    request->url = g_strconcat(channel_base_url(endpoint), "/", id, "/message_templates?limit=100",
                               after ? "&after=" : "", after, NULL);
    return 0;
}

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

int whatsapp_parse_templates(const struct http_response *response, GPtrArray *templates, char **next, GError **error)
{
    g_autoptr(json_t) root = channel_answer_json(response);
    const json_t *list = json_object_get(root, "data"), *item, *paging = json_object_get(root, "paging");
    size_t i;

    if (response->status != 200 || !json_is_array(list)) {
        g_autofree char *code = NULL, *text = NULL;
        whatsapp_error(json_object_get(root, "error"), &code, &text);
        g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "WhatsApp answered with status %ld: %s", response->status,
                    text ? text : "no list of templates");
        return -1;
    }
    json_array_foreach(list, i, item) {
        g_autofree char *name = channel_json_text(item, "name"), *language = channel_json_text(item, "language");
        g_autofree char *status = channel_json_text(item, "status");
        struct channel_template_info *info;
        if (!name || !language)
            continue;
        info = g_new0(struct channel_template_info, 1);
        info->name = g_steal_pointer(&name);
        info->language = g_steal_pointer(&language);
        info->status = g_ascii_strdown(status ? status : "unknown", -1);
        info->body = read_body(item);
        g_ptr_array_add(templates, info);
    }
    *next = json_object_get(paging, "next") ? channel_json_text(json_object_get(paging, "cursors"), "after") : NULL;
    return 0;
}
