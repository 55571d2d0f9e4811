/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Telnyx is asked for itself.  GET /webhook_deliveries has the webhooks that it gave up on, as they were: after
 * six tries, seconds apart, they do not come again.  GET /messaging_optouts has the opt-outs that it keeps: a STOP that
 * was lost, or that somebody entered at Telnyx, is then known here before a message is refused there.  The latter
 * list has what is blocked now, the oldest too, so that it is read whole each time; what was lifted comes as a
 * START.
 */
#include "bridge/channels/telnyx.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/error.h"

#define PAGE_SIZE 250
#define OPT_OUTS "/messaging_optouts?"

/* One page; query: of the list, without the page.  It is the context, for the next one. */
static int add_page(GPtrArray *requests, const struct channel_endpoint *endpoint, const char *query, gint64 page, GError **error)
{
    struct channel_poll *poll = channel_poll_new(query);

    g_ptr_array_add(requests, poll);
    poll->request.url = g_strdup_printf("%s%s&page%%5Bnumber%%5D=%" G_GINT64_FORMAT "&page%%5Bsize%%5D=%d",
                                        channel_base_url(endpoint), query, page, PAGE_SIZE);
    return telnyx_authorize(endpoint, &poll->request, error);
}

static int add_list(GPtrArray *requests, const struct channel_endpoint *endpoint, const char *list, const char *const *filters,
                    GError **error)
{
    GString *query = g_string_new(NULL);
    g_autofree char *whole = NULL;

    for (; filters[0] && filters[1]; filters += 2)
        channel_form_add(query, filters[0], filters[1]);
    whole = g_strconcat(list, query->str, NULL);
    g_string_free(query, TRUE);
    return add_page(requests, endpoint, whole, 1, error);
}

int telnyx_build_poll(const struct channel_endpoint *endpoint, gint64 since, GPtrArray *requests, GError **error)
{
    const char *profile = channel_setting(endpoint, "messaging_profile_id");
    char date[CLOCK_RFC3339_SIZE];

    ump_clock_rfc3339(since, date);
    const char *const lost[] = {"filter[status][eq]", "failed", "filter[started_at][gte]", date, NULL};
    /* a block is of the whole profile, where we know it */
    const char *const blocks[] = {profile ? "filter[messaging_profile_id]" : "filter[from]",
                                  profile ? profile : endpoint->address, NULL};
    if (add_list(requests, endpoint, "/webhook_deliveries?", lost, error) < 0)
        return -1;
    return strcmp(endpoint->channel, "sms") == 0 ? add_list(requests, endpoint, OPT_OUTS, blocks, error) : 0;
}

/* ---- Webhooks that were lost ---- */

static bool names(const json_t *list, const char *address)
{
    size_t count = json_is_array(list) ? json_array_size(list) : 1;

    for (size_t i = 0; i < count; i++) {
        g_autofree char *party = telnyx_json_party(json_is_array(list) ? json_array_get(list, i) : list);
        if (g_strcmp0(party, address) == 0)
            return true;
    }
    return false;
}

/* Is it about this endpoint?  The list is the account's. */
static bool is_ours(const json_t *webhook, const struct channel_endpoint *endpoint)
{
    const json_t *payload = json_object_get(webhook, "payload");
    const char *direction = json_string_value(json_object_get(payload, "direction"));
    bool whatsapp = strcmp(endpoint->channel, "whatsapp") == 0;

    if (telnyx_is_whatsapp(webhook) != whatsapp)
        return false;
    if (whatsapp)
        return telnyx_whatsapp_is_about(webhook, endpoint);
    if (g_strcmp0(direction, "outbound") == 0)
        return names(json_object_get(payload, "from"), endpoint->address);
    return names(json_object_get(payload, "to"), endpoint->address) || names(json_object_get(payload, "cc"), endpoint->address);
}

/* {"webhook": {event_type, id, occurred_at, payload}, "attempts"} */
static char *lost_body(const json_t *item, const struct channel_endpoint *endpoint)
{
    const json_t *webhook = json_object_get(item, "webhook");
    g_autoptr(json_t) body = NULL;

    if (!json_is_object(webhook) || !is_ours(webhook, endpoint))
        return NULL;
    body = json_pack("{s:O}", "data", webhook);
    return json_dumps(body, JSON_COMPACT);
}

/* ---- Opt-outs ---- */

/* {from, to, created_at}: nothing goes from our number to theirs.  As the webhook that we have not seen. */
static char *opt_out_body(const json_t *item)
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
    bool opt_outs = g_str_has_prefix(poll->context, OPT_OUTS);
    size_t i;

    if (response->status != 200 || !json_is_array(list)) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "Telnyx answered with status %ld instead of a list of %s",
                    response->status, opt_outs ? "opt-outs" : "lost webhooks");
        return -1;
    }
    json_array_foreach(list, i, item) {
        char *body = opt_outs ? opt_out_body(item) : lost_body(item, endpoint);
        if (body)
            g_ptr_array_add(bodies, body);
    }
    return page > 0 && page < pages ? add_page(more, endpoint, poll->context, page + 1, error) : 0;
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
