/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Polls: a provider that gives up on a webhook after seconds is asked itself, every so often (setting
 * poll of the endpoint).  What it lists becomes events under the same keys as its webhooks', so that
 * only what was lost is new.  One program polls an endpoint at a time (ump.poll_begin).
 */
#include <string.h>

#include "bridge/event_make.h"
#include "bridge/event_store_internal.h"
#include "bridge/inbound/internal.h"
#include "bridge/metrics.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/log.h"

#define TICK (CLOCK_SECOND / 2)
#define MAX_REQUESTS 200       /* of one round */
#define OVERLAP CLOCK_HOUR     /* statuses come long after their message, and lists lag behind */
#define QUERY_TIMEOUT_MS 5000

/* ---- One round ---- */

struct round {
    struct asker *asker;
    const struct channel_endpoint *endpoint;
    GQueue requests; /* struct channel_poll * */
    guint asked, fresh, repeated;
};

static int store_body(struct round *round, const char *body)
{
    const struct channel_endpoint *endpoint = round->endpoint;
    g_autoptr(GPtrArray) events = g_ptr_array_new_with_free_func((GDestroyNotify)channel_event_free);
    const struct channel_webhook webhook = {.body = body, .length = strlen(body)};
    g_autoptr(GBytes) bytes = g_bytes_new(body, strlen(body));
    g_autoptr(GError) error = NULL;

    if (endpoint->ops->parse_webhook(&webhook, endpoint, events, &error) != CHANNEL_PARSED) {
        log_warning("endpoint", endpoint->id, "error", error ? error->message : NULL, "status", "polled-unparsed");
        return 0;
    }
    for (guint i = 0; i < events->len; i++) {
        struct stored_event *event = event_make(endpoint, bytes, events->pdata[i]);
        g_autoptr(db_rows) rows = NULL;
        int result = db_write_within(asker_bridge(round->asker)->db, DB_STMT_ACCEPT_EVENT, event_store_params(event), event->lane,
                                     QUERY_TIMEOUT_MS, &rows, &error);
        stored_event_free(event);
        if (result < 0) {
            log_warning("endpoint", endpoint->id, "error", error->message, "status", "poll-not-stored");
            return -1;
        }
        if (db_rows_bool_of(rows, 0, "is_new"))
            round->fresh++;
        else
            round->repeated++;
    }
    return 0;
}

static void add_requests(struct round *round, GPtrArray *requests)
{
    for (guint i = 0; i < requests->len; i++)
        g_queue_push_tail(&round->requests, requests->pdata[i]);
    g_ptr_array_set_free_func(requests, NULL);
    g_ptr_array_set_size(requests, 0);
}

/* One request under way. */
struct asking {
    struct round *round;
    const struct channel_poll *poll;
    GPtrArray *bodies, *more;
    GError *error;
    int result;
};

static void on_answer(void *data, const struct http_response *response)
{
    struct asking *asking = data;
    const struct channel_endpoint *endpoint = asking->round->endpoint;

    asking->result =
        endpoint->ops->parse_poll(response, asking->poll, endpoint, asking->bodies, asking->more, &asking->error);
}

static int store_bodies(struct round *round, const GPtrArray *bodies)
{
    for (guint i = 0; i < bodies->len; i++)
        if (store_body(round, bodies->pdata[i]) < 0)
            return -1;
    return 0;
}

static int ask(struct round *round, struct channel_poll *poll)
{
    const struct channel_endpoint *endpoint = round->endpoint;
    g_autoptr(GPtrArray) bodies = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) more = g_ptr_array_new_with_free_func((GDestroyNotify)channel_poll_free);
    struct asking asking = {.round = round, .poll = poll, .bodies = bodies, .more = more, .result = -1};

    round->asked++;
    asker_ask(round->asker, endpoint, &poll->request, on_answer, &asking);
    if (asking.error) {
        log_warning("endpoint", endpoint->id, "error", asking.error->message, "status", "poll-failed");
        g_error_free(asking.error);
    }
    if (asking.result < 0 || store_bodies(round, bodies) < 0)
        return -1;
    add_requests(round, more);
    return 0;
}

/* 0: everything since then is stored. */
static int run_round(struct round *round, gint64 since)
{
    g_autoptr(GPtrArray) first = g_ptr_array_new_with_free_func((GDestroyNotify)channel_poll_free);
    g_autoptr(GError) error = NULL;
    struct channel_poll *poll;
    int result = 0;

    if (round->endpoint->ops->build_poll(round->endpoint, since, first, &error) < 0) {
        log_warning("endpoint", round->endpoint->id, "error", error->message, "status", "poll-failed");
        return -1;
    }
    add_requests(round, first);
    while (result == 0 && round->asked < MAX_REQUESTS && !asker_is_stopped(round->asker) &&
           (poll = g_queue_pop_head(&round->requests))) {
        result = ask(round, poll);
        channel_poll_free(poll);
    }
    if (result == 0 && round->requests.length > 0 && round->asked == MAX_REQUESTS)
        log_error("endpoint", round->endpoint->id, "requests", LOG_INT(round->asked), "error",
                  "there is more than one poll can read: what is older is passed over", "status", "poll-overrun");
    else if (round->requests.length > 0)
        result = -1;
    g_queue_clear_full(&round->requests, (GDestroyNotify)channel_poll_free);
    return result;
}

/* ---- Whose turn it is ---- */

/* Since when to ask; 0: not now. */
static gint64 begin(struct asker *asker, const struct channel_endpoint *endpoint, gint64 every)
{
    struct db_params *params = db_params_new();
    g_autoptr(db_rows) rows = NULL;
    g_autoptr(GError) error = NULL;

    db_params_int(params, endpoint->account_id);
    db_params_uuid(params, endpoint->id);
    db_params_interval(params, every);
    if (db_write_within(asker_bridge(asker)->db, DB_STMT_POLL_BEGIN, params, endpoint->id, QUERY_TIMEOUT_MS, &rows, &error) < 0) {
        log_warning("endpoint", endpoint->id, "error", error->message, "status", "poll-deferred");
        return 0;
    }
    return db_rows_time(rows, 0, 0);
}

static void done(struct asker *asker, const struct channel_endpoint *endpoint, gint64 until)
{
    struct db_params *params = db_params_new();
    g_autoptr(GError) error = NULL;

    db_params_uuid(params, endpoint->id);
    db_params_time(params, until);
    if (db_write_within(asker_bridge(asker)->db, DB_STMT_POLL_END, params, endpoint->id, QUERY_TIMEOUT_MS, NULL, &error) < 0)
        log_warning("endpoint", endpoint->id, "error", error->message, "status", "poll-deferred"); /* once more next time */
}

static void look(struct asker *asker, const struct channel_endpoint *endpoint, gint64 every)
{
    struct round round = {.asker = asker, .endpoint = endpoint};
    gint64 started, since;

    if (!endpoint->ops->build_poll || endpoint->unusable)
        return;
    started = ump_clock_now_us();
    since = begin(asker, endpoint, every);
    if (since == 0)
        return;
    if (run_round(&round, since) == 0)
        done(asker, endpoint, started - OVERLAP);
    metrics_add(METRIC_POLLED_NEW, round.fresh);
    metrics_add(METRIC_POLLED_REPEATED, round.repeated);
    log_event(round.fresh > 0 ? LOG_LEVEL_NOTICE : LOG_LEVEL_DEBUG, "endpoint", endpoint->id, "requests", LOG_INT(round.asked),
              "new", LOG_INT(round.fresh), "repeated", LOG_INT(round.repeated), "status", "polled");
}

const struct asker_duty inbound_poll = {.setting = "poll", .tick = TICK, .look = look};
