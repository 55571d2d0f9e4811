/* SPDX-License-Identifier: Apache-2.0 */
/* The templates of a WhatsApp Business account: GET /<WABA id>/message_templates. */
#include "bridge/channels/whatsapp_cloud.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/error.h"

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
        struct channel_template_info *info = whatsapp_read_template(item);
        if (info)
            g_ptr_array_add(templates, info);
    }
    *next = json_object_get(paging, "next") ? channel_json_text(json_object_get(paging, "cursors"), "after") : NULL;
    return 0;
}
