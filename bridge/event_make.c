/* SPDX-License-Identifier: Apache-2.0 */
/* From what an adapter read to what is stored. */
#include <string.h>

#include "bridge/event_make.h"
#include "core/hmac.h"
#include "core/ids.h"

static struct stored_event *event_base(const struct channel_endpoint *endpoint, GBytes *body)
{
    struct stored_event *event = g_new0(struct stored_event, 1);

    event->account_id = endpoint->account_id;
    event->endpoint_id = g_strdup(endpoint->id);
    event->keep_days = endpoint->ops->keep_days > 0 ? endpoint->ops->keep_days : 400;
    event->channel = g_strdup(endpoint->channel);
    event->body = g_bytes_ref(body);
    return event;
}

struct stored_event *event_make_odd(const struct channel_endpoint *endpoint, GBytes *body, const char *kind)
{
    struct stored_event *event = event_base(endpoint, body);
    gsize size;
    const void *data = g_bytes_get_data(body, &size);
    uint8_t hash[32];
    g_autofree char *hex = NULL;

    hmac_sha256(data, size, hash);
    hex = hmac_hex(hash, sizeof hash);
    event->key = g_strconcat("sha256:", hex, NULL);
    event->kind = g_strdup(kind);
    event->lane = g_strconcat("odd/", hex, NULL);
    return event;
}

/* STOP and START of a person; and a failure by which the provider says that it knows of a STOP. */
static void set_opt(struct stored_event *event, const struct channel_event *from, const struct channel_ops *ops)
{
    const struct channel_error *known = channel_error_find(ops, from->error_code);
    const char *who = from->opt_identifier ? from->opt_identifier
                      : from->message      ? from->message->sender.address
                                           : from->recipient;

    if (from->opt == CHANNEL_OPT_START)
        event->opt = "start";
    else if (from->opt == CHANNEL_OPT_STOP ||
             (from->kind == CHANNEL_EVENT_STATUS && from->status == CHANNEL_STATUS_FAILED && known && known->opted_out))
        event->opt = "stop";
    if (event->opt)
        event->identifier = g_strdup(who);
}

struct stored_event *event_make(const struct channel_endpoint *endpoint, GBytes *body, const struct channel_event *from)
{
    struct stored_event *event = event_base(endpoint, from->body ? from->body : body);
    ids_uuid attempt;

    event->key = g_strdup(from->key);
    event->kind = g_strdup(channel_event_kind_name(from->kind));
    event->lane = g_strdup(from->lane ? from->lane : from->key);
    if (from->attempt_id && ids_uuid_parse(from->attempt_id, strlen(from->attempt_id), &attempt))
        event->attempt = ids_uuid_text(&attempt);
    set_opt(event, from, endpoint->ops);
    return event;
}
