/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Silent channels: the provider is asked, every so often (setting watch of the endpoint), whether it is well,
 * and it is a fault too when it told us nothing for longer than silent_after.  The database keeps what was
 * found, and tells the owner (ump.watch_end).
 */
#include "bridge/inbound/internal.h"
#include "bridge/metrics.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/endpoint_settings.h"
#include "core/log.h"

#define TICK CLOCK_SECOND
#define EVERY_DEFAULT (15 * 60) /* seconds */
#define QUERY_TIMEOUT_MS 5000

/* The health request under way. */
struct health {
    const struct channel_endpoint *endpoint;
    GPtrArray *findings; /* char *, sentences */
    int sick;
};

static void on_answer(void *data, const struct http_response *response)
{
    struct health *health = data;

    if (response->curl_code != 0)
        g_ptr_array_add(health->findings, g_strdup_printf("%s does not answer: %s", health->endpoint->provider, response->error));
    else
        health->sick = health->endpoint->ops->parse_health(response, health->endpoint, NULL, health->findings);
}

/* The fault in words; NULL: there is none.  *known false: nothing can be said, we are to stop. */
static char *fault_of(struct asker *asker, const struct channel_endpoint *endpoint, bool silent, bool *known)
{
    g_autoptr(GPtrArray) findings = g_ptr_array_new_with_free_func(g_free);
    struct health health = {.endpoint = endpoint, .findings = findings, .sick = 1};
    g_auto(channel_request_t) request;
    g_autoptr(GError) error = NULL;

    channel_request_init(&request);
    *known = true;
    if (endpoint->unusable)
        g_ptr_array_add(findings, g_strdup(endpoint->unusable));
    else if (!endpoint->ops->build_health)
        health.sick = 0;
    else if (endpoint->ops->build_health(endpoint, &request, &error) < 0)
        g_ptr_array_add(findings, g_strdup(error->message));
    else
        *known = asker_ask(asker, endpoint, &request, on_answer, &health) && !asker_is_stopped(asker);
    if (health.sick == 0)
        g_ptr_array_set_size(findings, 0); /* hints, of what is not perfect */
    if (silent)
        g_ptr_array_add(findings, g_strdup("the provider has told us nothing for longer than silent_after"));
    if (health.sick == 0 && !silent)
        return NULL;
    if (findings->len == 0)
        g_ptr_array_add(findings, g_strdup("the provider says that it is not well"));
    g_ptr_array_add(findings, NULL);
    return g_strjoinv("; ", (char **)findings->pdata);
}

/* 1: our turn; 0: not; *silent is set. */
static bool begin(struct asker *asker, const struct channel_endpoint *endpoint, gint64 every, bool *silent)
{
    gint64 silent_after = endpoint_setting_int(endpoint->settings, "silent_after", 0) * CLOCK_SECOND;
    struct db_params *params = db_params_new();
    g_autoptr(db_rows) rows = NULL;
    g_autoptr(GError) error = NULL;

    db_params_int(params, endpoint->account_id);
    db_params_uuid(params, endpoint->id);
    db_params_interval(params, every);
    if (silent_after > 0)
        db_params_interval(params, silent_after);
    else
        db_params_null(params);
    if (db_write_within(asker_bridge(asker)->db, DB_STMT_WATCH_BEGIN, params, endpoint->id, QUERY_TIMEOUT_MS, &rows, &error) < 0) {
        log_warning("endpoint", endpoint->id, "error", error->message, "status", "watch-deferred");
        return false;
    }
    *silent = db_rows_bool_of(rows, 0, "silent");
    return db_rows_bool_of(rows, 0, "due");
}

static void end(struct asker *asker, const struct channel_endpoint *endpoint, const char *fault)
{
    struct db_params *params = db_params_new();
    g_autoptr(db_rows) rows = NULL;
    g_autoptr(GError) error = NULL;

    db_params_int(params, endpoint->account_id);
    db_params_uuid(params, endpoint->id);
    db_params_text(params, fault);
    if (db_write_within(asker_bridge(asker)->db, DB_STMT_WATCH_END, params, endpoint->id, QUERY_TIMEOUT_MS, &rows, &error) < 0) {
        log_warning("endpoint", endpoint->id, "error", error->message, "status", "watch-deferred"); /* found again next time */
        return;
    }
    metrics_inc(fault ? METRIC_ENDPOINTS_FAULTY : METRIC_ENDPOINTS_WELL);
    const char *told = db_rows_text(rows, 0, 0);
    if (told || fault)
        log_warning("endpoint", endpoint->id, "error", fault, "told", told, "status", fault ? "faulty" : "well-again");
}

static void look(struct asker *asker, const struct channel_endpoint *endpoint, gint64 every)
{
    bool silent = false, known = true;

    if (!begin(asker, endpoint, every, &silent))
        return;
    g_autofree char *fault = fault_of(asker, endpoint, silent, &known);
    if (known)
        end(asker, endpoint, fault);
}

const struct asker_duty inbound_watch = {.setting = "watch", .every = EVERY_DEFAULT, .tick = TICK, .look = look};
