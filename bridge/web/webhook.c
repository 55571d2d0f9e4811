/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One webhook: signature over the raw bytes, then parse, then durable, then 200.  What is signed is
 * never lost: what cannot be parsed, or is over a limit, is stored too, and the operator is told.
 */
#include <string.h>

#include "bridge/event_make.h"
#include "bridge/metrics.h"
#include "bridge/web/web_internal.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"

#define DEFAULT_MAX_WEBHOOK (256 * 1024)
#define MAX_EVENTS 20000 /* in one body: WhatsApp sends 3 MB at once */
#define MAX_ADDRESSES 1000

static char *attempt_of(struct web_request *request)
{
    const char *token = MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, "a");
    ids_uuid uuid;

    if (!token || !ids_callback_verify(request->web->bridge->ids, token, strlen(token), &uuid))
        return NULL;
    return ids_uuid_text(&uuid);
}

enum MHD_Result webhook_begin(struct web_request *request, const char *id)
{
    struct bridge *bridge = request->web->bridge;

    request->endpoint = endpoints_get(bridge->endpoints, id);
    if (!request->endpoint) {
        metrics_inc(METRIC_WEBHOOK_REFUSED);
        if (!endpoints_loaded(bridge->endpoints))
            return web_reply(request->connection, 503, "not ready\n", true);
        return web_reply(request->connection, 404, "no such endpoint\n", true);
    }
    if (request->endpoint->status != ENDPOINT_ENABLED) {
        metrics_inc(METRIC_WEBHOOK_REFUSED);
        return web_reply(request->connection, 410, "this endpoint is disabled\n", true);
    }
    if (!request->endpoint->channel.ops || !request->endpoint->channel.ops->verify_webhook) {
        metrics_inc(METRIC_WEBHOOK_REFUSED);
        return web_reply(request->connection, 404, "this provider sends no webhooks\n", true);
    }
    request->attempt = attempt_of(request);
    request->body = g_string_sized_new(4096);
    return MHD_YES;
}

/* --- the provider's question at GET --- */

static enum MHD_Result collect_parameter(void *data, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct channel_header parameter = { key, value ? value : "" };

    g_array_append_val((GArray *)data, parameter);
    return MHD_YES;
}

enum MHD_Result webhook_challenge(struct web *web, struct MHD_Connection *connection, const char *id)
{
    g_autoptr(endpoint_t) endpoint = endpoints_get(web->bridge->endpoints, id);
    g_autoptr(GArray) query = g_array_new(FALSE, FALSE, sizeof(struct channel_header));
    enum channel_verify verdict;
    char *answer = NULL;

    if (!endpoint && !endpoints_loaded(web->bridge->endpoints))
        return web_reply(connection, 503, "not ready\n", true);
    if (!endpoint || endpoint->status != ENDPOINT_ENABLED || !endpoint->channel.ops ||
        !endpoint->channel.ops->verify_challenge)
        return web_reply(connection, 404, "nothing is here\n", false);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, collect_parameter, query);
    verdict = endpoint->channel.ops->verify_challenge((const struct channel_header *)(void *)query->data, query->len,
                                                      &endpoint->channel, &answer);
    if (verdict != CHANNEL_VERIFIED) {
        metrics_inc(METRIC_WEBHOOK_UNSIGNED);
        log_warning("endpoint", endpoint->channel.id, "error", channel_verify_text(verdict), "status", "not-answered");
        return web_reply(connection, 403, "the verification is wrong\n", true);
    }
    log_notice("endpoint", endpoint->channel.id, "status", "address-verified");
    return web_reply_text(connection, 200, "text/plain; charset=utf-8", answer);
}

/* --- verify --- */

struct header_list {
    GArray *headers;
    GPtrArray *names;
};

static enum MHD_Result collect_header(void *data, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct header_list *list = data;
    struct channel_header header = { g_ascii_strdown(key, -1), value ? value : "" };

    g_ptr_array_add(list->names, (gpointer)(uintptr_t)header.name);
    g_array_append_val(list->headers, header);
    return MHD_YES;
}

/* What the provider asked for, by our own word: Host and X-Forwarded-* are the sender's. */
static char *configured_url(const struct web_request *request)
{
    const char *base = request->web->bridge->public_url;

    return base && *base ? g_strconcat(base, request->target, NULL) : NULL;
}

static enum channel_verify verify(struct web_request *request, const struct channel_endpoint *endpoint)
{
    g_autoptr(GArray) headers = g_array_new(FALSE, FALSE, sizeof(struct channel_header));
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    struct header_list list = { headers, names };

    g_autofree char *url = configured_url(request);

    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, collect_header, &list);
    const struct channel_webhook webhook = {
        .headers = (const struct channel_header *)(void *)headers->data,
        .header_count = headers->len,
        .content_type = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Content-Type"),
        .url = url,
        .body = request->body->str,
        .length = request->body->len,
    };
    return endpoint->ops->verify_webhook(&webhook, endpoint, ump_clock_now_us() / CLOCK_SECOND);
}

/* --- events --- */

static void add_event(GPtrArray *events, const struct web_request *request, struct stored_event *event)
{
    if (!event->attempt)
        event->attempt = g_strdup(request->attempt);
    g_ptr_array_add(events, event);
}

static bool has_address(const struct channel_endpoint *endpoint, GPtrArray *names)
{
    const char *key = endpoint->ops->address_setting, *own = key ? channel_setting(endpoint, key) : NULL;

    own = own ? own : endpoint->address;
    return own && g_ptr_array_find_with_equal_func(names, own, g_str_equal, NULL);
}

/* Of the names, those that no endpoint took: numbers of the provider's account that are not on this gateway. */
static guint count_unowned(const GPtrArray *endpoints, GPtrArray *names)
{
    guint owned = 0;

    for (guint i = 0; i < endpoints->len; i++)
        owned += has_address(&((const struct endpoint *)endpoints->pdata[i])->channel, names);
    return names->len > owned ? names->len - owned : 0;
}

/* Is a body that was sent to the first about this endpoint?  names: its addresses, where it tells them; channel: NULL when any. */
static bool is_about(const struct channel_endpoint *endpoint, const struct channel_endpoint *first, GPtrArray *names,
                     const char *channel)
{
    if (endpoint->ops != first->ops || strcmp(endpoint->id, first->id) == 0 ||
        (channel && strcmp(endpoint->channel, channel) != 0))
        return false;
    return names->len > 0 ? has_address(endpoint, names) : g_strcmp0(endpoint->address, first->address) == 0;
}

/* Those beside the first that the body is about, as far as their own keys verify it. */
static void add_others(struct web_request *request, GPtrArray *names, const char *channel, GPtrArray *found)
{
    const struct channel_endpoint *first = &request->endpoint->channel;
    g_autoptr(GPtrArray) all = endpoints_list(request->web->bridge->endpoints);

    for (guint i = 0; i < all->len; i++) {
        struct endpoint *other = all->pdata[i];
        if (is_about(&other->channel, first, names, channel) && verify(request, &other->channel) == CHANNEL_VERIFIED)
            g_ptr_array_add(found, endpoint_ref(other));
    }
}

/* The endpoint that was written to, and those that the body is about beside it: each only if its own keys
 * verify the body, so that nobody can speak into another tenant's. */
static GPtrArray *takers(struct web_request *request, const struct channel_webhook *webhook, guint *unowned)
{
    const struct channel_endpoint *first = &request->endpoint->channel;
    GPtrArray *found = g_ptr_array_new_with_free_func((GDestroyNotify)endpoint_unref);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    const char *channel = first->ops->webhook_channel ? first->ops->webhook_channel(webhook) : NULL;
    bool elsewhere = channel && strcmp(channel, first->channel) != 0;

    g_ptr_array_add(found, endpoint_ref(request->endpoint));
    if (first->ops->webhook_addresses)
        first->ops->webhook_addresses(webhook, names);
    if (!elsewhere && (names->len == 0 || (names->len == 1 && has_address(first, names))))
        return found;
    if (names->len > MAX_ADDRESSES) {
        *unowned = names->len;
        return found;
    }
    add_others(request, names, channel, found);
    *unowned = count_unowned(found, names);
    if (*unowned > 0 && endpoints_refresh(request->web->bridge->endpoints)) { /* one may have been added this moment */
        g_ptr_array_set_size(found, 1);
        add_others(request, names, channel, found);
        *unowned = count_unowned(found, names);
    }
    if (elsewhere && found->len > 1)
        g_ptr_array_remove_index(found, 0); /* of another channel: theirs alone */
    return found;
}

static const char *parse_for(GPtrArray *events, struct web_request *request, const struct channel_webhook *webhook,
                             const struct channel_endpoint *endpoint, GBytes *body, GError **error)
{
    g_autoptr(GPtrArray) parsed = g_ptr_array_new_with_free_func((GDestroyNotify)channel_event_free);
    enum channel_parse result = endpoint->ops->parse_webhook(webhook, endpoint, parsed, error);

    if (result == CHANNEL_OVER_LIMIT)
        return "overlimit";
    if (result != CHANNEL_PARSED || parsed->len > MAX_EVENTS)
        return "unparsed";
    for (guint i = 0; i < parsed->len; i++)
        add_event(events, request, event_make(endpoint, body, parsed->pdata[i]));
    return NULL;
}

static GPtrArray *parse(struct web_request *request, GBytes *body)
{
    const struct channel_endpoint *endpoint = &request->endpoint->channel;
    GPtrArray *events = g_ptr_array_new();
    g_autoptr(GError) error = NULL;
    size_t limit = endpoint->ops->max_webhook > 0 ? endpoint->ops->max_webhook : DEFAULT_MAX_WEBHOOK;
    const struct channel_webhook webhook = {
        .content_type = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Content-Type"),
        .body = request->body->str,
        .length = request->body->len,
    };
    const char *odd = NULL;
    guint unowned = 0;

    if (request->body->len > limit) {
        odd = "oversize";
    } else {
        g_autoptr(GPtrArray) endpoints = takers(request, &webhook, &unowned);
        for (guint i = 0; i < endpoints->len && !odd; i++)
            odd = parse_for(events, request, &webhook, &((struct endpoint *)endpoints->pdata[i])->channel, body, &error);
    }
    if (unowned > 0 && !odd) { /* kept as it came */
        log_warning("endpoint", endpoint->id, "addresses", LOG_INT(unowned), "status", "unowned");
        add_event(events, request, event_make_odd(endpoint, body, "other"));
    }
    if (odd) {
        metrics_inc(METRIC_WEBHOOK_ODD);
        log_error("endpoint", endpoint->id, "bytes", LOG_INT((gint64)request->body->len), "error",
                  error ? error->message : NULL, "status", odd);
        add_event(events, request, event_make_odd(endpoint, body, odd));
    }
    return events;
}

/* --- durable --- */

static void settle(struct web_request *request)
{
    struct web *web = request->web;
    struct MHD_Connection *connection = request->connection;

    if (__atomic_sub_fetch(&request->pending, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    request->answered = true;
    MHD_resume_connection(connection); /* the request may be gone after this */
    web_leave(web);
}

static void on_stored(void *data, enum event_outcome outcome)
{
    struct web_request *request = data;

    if (outcome == EVENT_LOST)
        __atomic_add_fetch(&request->lost, 1, __ATOMIC_RELAXED);
    else if (outcome == EVENT_JOURNALED)
        __atomic_add_fetch(&request->journaled, 1, __ATOMIC_RELAXED);
    else if (outcome == EVENT_REPEATED)
        __atomic_add_fetch(&request->repeated, 1, __ATOMIC_RELAXED);
    settle(request);
}

/* 200, in the words that this provider wants to hear. */
static enum MHD_Result accepted(struct web_request *request)
{
    const struct channel_ops *ops = request->endpoint->channel.ops;

    if (ops->webhook_reply)
        return web_reply_text(request->connection, 200, ops->webhook_reply_type, g_strdup(ops->webhook_reply));
    return web_reply(request->connection, 200, "ok\n", false);
}

enum MHD_Result webhook_take(struct web_request *request)
{
    struct web *web = request->web;
    enum channel_verify verdict = verify(request, &request->endpoint->channel);
    g_autoptr(GBytes) body = NULL;
    GPtrArray *events;

    if (verdict != CHANNEL_VERIFIED) {
        metrics_inc(METRIC_WEBHOOK_UNSIGNED);
        log_warning("endpoint", request->endpoint->channel.id, "error", channel_verify_text(verdict), "status",
                    "unsigned");
        return web_reply(request->connection, 401, "the signature is missing or wrong\n", true);
    }
    body = g_bytes_new(request->body->str, request->body->len);
    events = parse(request, body);
    if (events->len == 0) {
        g_ptr_array_unref(events);
        return accepted(request);
    }
    if (!web_enter(web)) {
        g_ptr_array_set_free_func(events, (GDestroyNotify)stored_event_free);
        g_ptr_array_unref(events);
        return web_reply(request->connection, 503, "the gateway is being restarted\n", true);
    }
    /* one more than there are events, so that nobody resumes before all are handed over */
    request->pending = (int)events->len + 1;
    MHD_suspend_connection(request->connection);
    event_store_put_all(web->store, events, on_stored, request);
    g_ptr_array_unref(events);
    settle(request);
    return MHD_YES;
}

enum MHD_Result webhook_answer(struct web_request *request)
{
    gint64 took = ump_clock_mono_us() - request->began;
    const char *status = request->lost ? "lost" : request->journaled ? "journaled" : request->repeated ? "repeated" : "stored";

    metrics_add(METRIC_WEBHOOK_US, took);
    metrics_inc(request->lost        ? METRIC_WEBHOOK_LOST
                : request->journaled ? METRIC_WEBHOOK_JOURNALED
                : request->repeated  ? METRIC_WEBHOOK_REPEATED
                                     : METRIC_WEBHOOK_NEW);
    log_event(request->lost ? LOG_LEVEL_ERROR : LOG_LEVEL_DEBUG, "endpoint", request->endpoint->channel.id, "delay",
              LOG_MS(took), "status", status);
    if (request->lost)
        return web_reply(request->connection, 503, "cannot be stored now\n", true);
    return accepted(request);
}
