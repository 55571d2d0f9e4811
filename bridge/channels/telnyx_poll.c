/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The opt-outs that Telnyx keeps: GET /messaging_optouts.  A STOP whose webhook was lost, or that somebody entered at
 * Telnyx, is then known here before a message is refused there.  The list has what is blocked now, the oldest
 * too, so that it is read whole each time; what was lifted comes as a START.
 */
#include "bridge/channels/telnyx.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/error.h"

#define PAGE_SIZE 250

static int add_page(GPtrArray *requests, const struct channel_endpoint *endpoint, gint64 page, GError **error)
{
    const char *profile = channel_setting(endpoint, "messaging_profile_id");
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, page), *size = g_strdup_printf("%d", PAGE_SIZE);
    struct channel_poll *poll = channel_poll_new(NULL);
    GString *query = g_string_new(NULL);

    g_ptr_array_add(requests, poll);
    /* a block is of the whole profile, where we know it */
    channel_form_add(query, profile ? "filter[messaging_profile_id]" : "filter[from]", profile ? profile : endpoint->address);
    channel_form_add(query, "page[number]", number);
    channel_form_add(query, "page[size]", size);
    poll->request.url = g_strconcat(channel_base_url(endpoint), "/messaging_optouts?", query->str, NULL);
    g_string_free(query, TRUE);
    return telnyx_authorize(endpoint, &poll->request, error);
}

int telnyx_build_poll(const struct channel_endpoint *endpoint, gint64 since, GPtrArray *requests, GError **error)
{
    if (strcmp(endpoint->channel, "sms") != 0)
        return 0; /* the list is that of SMS */
    return add_page(requests, endpoint, 1, error);
}

/* {from, to, created_at}: nothing goes from our number to theirs.  As the webhook that we have not seen. */
static char *body_of(const json_t *item)
{
    g_autofree char *from = channel_json_text(item, "from"), *to = channel_json_text(item, "to");
    g_autofree char *at = channel_json_text(item, "created_at"), *key = NULL;
    g_autoptr(json_t) body = NULL;

    if (!from || !to || strlen(from) + strlen(to) > 100 || (at && strlen(at) > 60))
        return NULL;
    key = g_strdup_printf("optout:%s:%s:%s", from, to, at ? at : "");
    body = json_pack("{s:{s:s, s:s, s:O}}", "data", "event_type", TELNYX_OPT_OUT, "id", key, "payload", item);
    return json_dumps(body, JSON_COMPACT);
}

int telnyx_parse_poll(const struct http_response *response, const struct channel_poll *poll,
                      const struct channel_endpoint *endpoint, GPtrArray *bodies, GPtrArray *more, GError **error)
{
    g_autoptr(json_t) root = channel_answer_json(response);
    const json_t *list = json_object_get(root, "data"), *meta = json_object_get(root, "meta"), *item;
    gint64 page = channel_json_int(meta, "page_number"), pages = channel_json_int(meta, "total_pages");
    size_t i;

    (void)poll;
    if (response->status != 200 || !json_is_array(list)) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "Telnyx answered with status %ld instead of a list of opt-outs",
                    response->status);
        return -1;
    }
    json_array_foreach(list, i, item) {
        char *body = body_of(item);
        if (body)
            g_ptr_array_add(bodies, body);
    }
    return page > 0 && page < pages ? add_page(more, endpoint, page + 1, error) : 0;
}

void telnyx_add_opt_out(GPtrArray *events, const json_t *payload, const char *key, const struct channel_endpoint *endpoint)
{
    g_autofree char *from = channel_json_text(payload, "from"), *to = channel_json_text(payload, "to");
    struct channel_event *event;

    channel_add_other(events, TELNYX_OPT_OUT, key);
    event = events->pdata[events->len - 1];
    if (strcmp(endpoint->channel, "sms") != 0)
        return;
    event->opt = CHANNEL_OPT_STOP;
    event->opt_identifier = g_strdup(g_strcmp0(to, endpoint->address) == 0 ? from : to);
    if (!event->opt_identifier)
        event->opt = CHANNEL_OPT_NONE;
}
