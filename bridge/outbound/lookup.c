/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uncertain messages: requests that may have been processed, but whose answer was lost.  A status
 * callback that carries our attempt id settles most of them by itself (apply_status).  The others
 * are asked for, where the provider has a list: what is found is ours; what a complete list does
 * not hold, twice, was not sent.  The rest is the endpoint's word (FAILURES 4).
 */
#include <string.h>

#include "bridge/metrics.h"
#include "bridge/outbound/internal.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/endpoint_settings.h"
#include "core/log.h"

#define ABSENT_TWICE 2
#define ABSENT_MAX 10000 /* attempts that are remembered; forgetting one only means to ask its sender */

struct lookup {
    struct outbound *outbound;
    struct endpoint *endpoint;
    struct ump_message *message;
    gint64 id, began;
    char *attempt, *message_id, *recipient;
    bool late, over; /* a list that has not got it by now counts; patience has ended */
    enum channel_lookup answer;
    GPtrArray *found; /* struct channel_found * */
};

static void lookup_free(gpointer data)
{
    struct lookup *lookup = data;

    endpoint_unref(lookup->endpoint);
    ump_message_free(lookup->message);
    g_ptr_array_unref(lookup->found);
    g_free(lookup->attempt);
    g_free(lookup->message_id);
    g_free(lookup->recipient);
    g_free(lookup);
}

void lookup_init(struct outbound *outbound)
{
    g_queue_init(&outbound->lookups);
    outbound->absent = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

void lookup_clear(struct outbound *outbound)
{
    g_queue_clear_full(&outbound->lookups, lookup_free);
    g_hash_table_unref(outbound->absent);
}

/* ---- Ends ---- */

/* what: "ask", "never", "resend", "absent"; see ump.outbox_uncertain_end. */
static void end(struct lookup *lookup, const char *what, const char *why)
{
    struct db_params *params = db_params_new();

    db_params_int(params, lookup->id);
    db_params_text(params, what);
    if (care_query(lookup->outbound, DB_STMT_OUTBOX_UNCERTAIN_END, params, NULL) < 0)
        return;
    g_hash_table_remove(lookup->outbound->absent, lookup->attempt);
    log_warning("id", lookup->message_id, "to", LOG_NUMBER(lookup->recipient), "attempt", lookup->attempt, "reason", why,
                "on_unknown", what, "status", "unresolved");
}

static void end_if_over(struct lookup *lookup)
{
    if (lookup->over)
        end(lookup, lookup->endpoint ? endpoint_setting_string(lookup->endpoint->channel.settings, "on_unknown", "ask") : "ask",
            "nobody can say whether it was sent");
}

/* The provider has it under this id: as a status would say it. */
static void settle_found(struct lookup *lookup, const char *provider_id)
{
    const struct channel_endpoint *endpoint = &lookup->endpoint->channel;
    const struct channel_found *one = NULL;
    struct db_params *params = db_params_new();

    for (guint i = 0; i < lookup->found->len && !one; i++)
        if (strcmp(((struct channel_found *)lookup->found->pdata[i])->provider_id, provider_id) == 0)
            one = lookup->found->pdata[i];
    db_params_int(params, endpoint->account_id);
    db_params_uuid(params, endpoint->id);
    db_params_uuid(params, lookup->attempt);
    db_params_text(params, provider_id);
    db_params_null(params);
    db_params_text(params, channel_status_name(one && one->status != CHANNEL_STATUS_NONE ? one->status : CHANNEL_STATUS_SENT));
    db_params_time(params, ump_clock_now_us());
    db_params_text(params, one ? one->code : NULL);
    db_params_text(params, one ? one->text : NULL);
    for (guint i = 0; i < 3; i++)
        db_params_null(params); /* segments, cost, currency */
    if (care_query(lookup->outbound, DB_STMT_APPLY_STATUS, params, NULL) == 0) {
        g_hash_table_remove(lookup->outbound->absent, lookup->attempt);
        log_info("id", lookup->message_id, "to", LOG_NUMBER(lookup->recipient), "attempt", lookup->attempt, "provider_id",
                 provider_id, "status", "found");
    }
}

/* ---- Conclusions ---- */

static void add_ids(struct db_params *params, const GPtrArray *found, bool same)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();

    for (guint i = 0; i < found->len; i++) {
        const struct channel_found *one = found->pdata[i];
        if (one->same == same)
            g_ptr_array_add(ids, one->provider_id);
    }
    g_ptr_array_add(ids, NULL);
    db_params_texts(params, (const char *const *)ids->pdata);
}

/* Which of what was found is it?  FOUND: *id is owned. */
static enum channel_lookup identify(struct lookup *lookup, char **id)
{
    const struct channel_endpoint *endpoint = &lookup->endpoint->channel;
    struct db_params *params = db_params_new();
    g_autoptr(db_rows) rows = NULL;
    const char *text;

    db_params_int(params, endpoint->account_id);
    db_params_uuid(params, endpoint->id);
    db_params_uuid(params, lookup->attempt);
    add_ids(params, lookup->found, true);
    add_ids(params, lookup->found, false);
    if (care_query(lookup->outbound, DB_STMT_OUTBOX_FOUND, params, &rows) < 0)
        return CHANNEL_LOOKUP_UNKNOWN;
    text = db_rows_text(rows, 0, 0);
    if (!text)
        return CHANNEL_LOOKUP_NONE; /* all of them are others of ours */
    if (*text == '\0')
        return CHANNEL_LOOKUP_UNKNOWN; /* the provider may have altered the text */
    *id = g_strdup(text);
    return CHANNEL_LOOKUP_FOUND;
}

static void settle_absent(struct lookup *lookup)
{
    GHashTable *absent = lookup->outbound->absent;
    const struct channel_endpoint *endpoint = &lookup->endpoint->channel;
    int times = GPOINTER_TO_INT(g_hash_table_lookup(absent, lookup->attempt)) + 1;

    if (!lookup->late || !endpoint->ops->lookup_complete || !endpoint_setting_bool(endpoint->settings, "resend_absent", true)) {
        end_if_over(lookup);
        return;
    }
    if (times >= ABSENT_TWICE) {
        end(lookup, "absent", "the provider does not have it");
        return;
    }
    if (g_hash_table_size(absent) < ABSENT_MAX)
        g_hash_table_insert(absent, g_strdup(lookup->attempt), GINT_TO_POINTER(times));
    end_if_over(lookup);
}

static void settle(struct lookup *lookup)
{
    g_autofree char *id = NULL;
    enum channel_lookup answer =
        lookup->answer == CHANNEL_LOOKUP_FOUND ? identify(lookup, &id) : lookup->answer;

    metrics_inc(answer == CHANNEL_LOOKUP_FOUND  ? METRIC_LOOKUP_FOUND
                : answer == CHANNEL_LOOKUP_NONE ? METRIC_LOOKUP_NONE
                                                : METRIC_LOOKUP_UNKNOWN);
    if (answer == CHANNEL_LOOKUP_FOUND)
        settle_found(lookup, id);
    else if (answer == CHANNEL_LOOKUP_NONE)
        settle_absent(lookup);
    else
        end_if_over(lookup);
}

void lookup_settle(struct outbound *outbound)
{
    struct lookup *lookup;

    do {
        outbound_lock(outbound);
        lookup = g_queue_pop_head(&outbound->lookups);
        outbound_unlock(outbound);
        if (lookup) {
            settle(lookup);
            lookup_free(lookup);
        }
    } while (lookup);
}

/* ---- Asking ---- */

static void on_answer(void *data, const struct http_response *response)
{
    struct lookup *lookup = data;
    struct outbound *outbound = lookup->outbound;
    const struct channel_endpoint *endpoint = &lookup->endpoint->channel;
    const struct channel_send send = {.message = lookup->message, .attempt_id = lookup->attempt, .began = lookup->began};

    if (response->curl_code == 0)
        lookup->answer = endpoint->ops->parse_lookup(&send, response, endpoint, lookup->found);
    outbound_lock(outbound);
    g_queue_push_tail(&outbound->lookups, lookup);
    outbound_unlock(outbound);
    outbound_changed(outbound);
}

/* True: the request is under way and has the look-up. */
static bool ask(struct lookup *lookup)
{
    struct outbound *outbound = lookup->outbound;
    const struct channel_endpoint *endpoint = &lookup->endpoint->channel;
    const struct channel_send send = {.message = lookup->message, .attempt_id = lookup->attempt, .began = lookup->began};
    g_auto(channel_request_t) request;

    channel_request_init(&request);
    if (!endpoint->ops || !endpoint->ops->build_lookup || endpoint->unusable || lookup->began == 0 ||
        endpoint->ops->build_lookup(&send, NULL, endpoint, &request, NULL) < 0)
        return false;
    g_ptr_array_add(request.headers, NULL);
    const struct http_request wanted = {
        .method = request.method,
        .url = request.url,
        .base_url = channel_base_url_is_own(endpoint) ? channel_base_url(endpoint) : NULL,
        .headers = (const char *const *)request.headers->pdata,
        .body = request.body,
        .timeout_ms = outbound->request_timeout_ms,
        .connect_timeout_ms = outbound->connect_timeout_ms,
    };
    http_send(outbound->http, &wanted, on_answer, lookup);
    return true;
}

void lookup_begin(struct outbound *outbound, const struct db_rows *rows, unsigned row)
{
    struct lookup *lookup = g_new0(struct lookup, 1);
    gint64 age = db_rows_int_of(rows, row, "age_us"), patience = outbound->uncertain_notice;

    lookup->outbound = outbound;
    lookup->endpoint = endpoints_get(outbound->bridge->endpoints, db_rows_text_of(rows, row, "endpoint_id"));
    lookup->id = db_rows_int_of(rows, row, "id");
    lookup->began = db_rows_time_of(rows, row, "began");
    lookup->attempt = g_strdup(db_rows_text_of(rows, row, "attempt_id"));
    lookup->message_id = g_strdup(db_rows_text_of(rows, row, "message_id"));
    lookup->recipient = g_strdup(db_rows_text_of(rows, row, "recipient"));
    lookup->late = age >= patience / 3;
    lookup->over = age >= patience;
    lookup->answer = CHANNEL_LOOKUP_UNKNOWN;
    lookup->found = g_ptr_array_new_with_free_func((GDestroyNotify)channel_found_free);
    if (lookup->endpoint && lookup->attempt) {
        const struct job job = {.endpoint = lookup->endpoint, .message_id = lookup->message_id,
                                .recipient = lookup->recipient};
        lookup->message = job_message(&job, rows, row);
        if (ask(lookup))
            return;
    }
    end_if_over(lookup);
    lookup_free(lookup);
}
