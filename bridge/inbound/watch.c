/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Silent channels: the provider is asked, every so often (setting watch of the endpoint), whether it is well,
 * and it is a fault too when it told us nothing for longer than silent_after.  The database keeps what was
 * found, and tells the owner (ump.watch_end).
 */
#include "bridge/asker.h"
#include "bridge/inbound/internal.h"
#include "bridge/metrics.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/endpoint_settings.h"
#include "core/log.h"

#define TICK CLOCK_SECOND
#define EVERY_DEFAULT (15 * 60) /* seconds */
#define QUERY_TIMEOUT_MS 5000

struct watch {
    struct bridge *bridge;
    struct asker *asker;
    GHashTable *due; /* endpoint id → struct due *, so that the database is not asked all the time */
};

/* When the database is asked next, monotonic µs; and the interval for which that holds. */
struct due {
    gint64 next, every;
};

/* The health request under way. */
struct look {
    const struct channel_endpoint *endpoint;
    GPtrArray *findings; /* char *, sentences */
    int sick;
};

static void on_answer(void *data, const struct http_response *response)
{
    struct look *look = data;

    if (response->curl_code != 0)
        g_ptr_array_add(look->findings, g_strdup_printf("%s does not answer: %s", look->endpoint->provider, response->error));
    else
        look->sick = look->endpoint->ops->parse_health(response, look->endpoint, NULL, look->findings);
}

/* The fault in words; NULL: there is none.  *known false: nothing can be said, we are to stop. */
static char *fault_of(struct watch *watch, const struct channel_endpoint *endpoint, bool silent, bool *known)
{
    g_autoptr(GPtrArray) findings = g_ptr_array_new_with_free_func(g_free);
    struct look look = {.endpoint = endpoint, .findings = findings, .sick = 1};
    g_auto(channel_request_t) request;
    g_autoptr(GError) error = NULL;

    channel_request_init(&request);
    *known = true;
    if (endpoint->unusable)
        g_ptr_array_add(findings, g_strdup(endpoint->unusable));
    else if (!endpoint->ops->build_health)
        look.sick = 0;
    else if (endpoint->ops->build_health(endpoint, &request, &error) < 0)
        g_ptr_array_add(findings, g_strdup(error->message));
    else
        *known = asker_ask(watch->asker, endpoint, &request, on_answer, &look) && !asker_is_stopped(watch->asker);
    if (look.sick == 0)
        g_ptr_array_set_size(findings, 0); /* hints, of what is not perfect */
    if (silent)
        g_ptr_array_add(findings, g_strdup("the provider has told us nothing for longer than silent_after"));
    if (look.sick == 0 && !silent)
        return NULL;
    if (findings->len == 0)
        g_ptr_array_add(findings, g_strdup("the provider says that it is not well"));
    g_ptr_array_add(findings, NULL);
    return g_strjoinv("; ", (char **)findings->pdata);
}

static bool is_due(struct watch *watch, const struct channel_endpoint *endpoint, gint64 every)
{
    gint64 now = ump_clock_mono_us();
    struct due *due = g_hash_table_lookup(watch->due, endpoint->id);

    if (due && due->every == every && due->next > now)
        return false;
    if (!due) {
        due = g_new0(struct due, 1);
        g_hash_table_insert(watch->due, g_strdup(endpoint->id), due);
    }
    *due = (struct due){.next = now + MAX(TICK, every / 4), .every = every}; /* the database decides; others may be at it */
    return true;
}

/* 1: our turn; 0: not; *silent is set. */
static bool begin(struct watch *watch, const struct channel_endpoint *endpoint, gint64 every, bool *silent)
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
    if (db_write_within(watch->bridge->db, DB_STMT_WATCH_BEGIN, params, endpoint->id, QUERY_TIMEOUT_MS, &rows, &error) < 0) {
        log_warning("endpoint", endpoint->id, "error", error->message, "status", "watch-deferred");
        return false;
    }
    *silent = db_rows_bool_of(rows, 0, "silent");
    return db_rows_bool_of(rows, 0, "due");
}

static void end(struct watch *watch, const struct channel_endpoint *endpoint, const char *fault)
{
    struct db_params *params = db_params_new();
    g_autoptr(db_rows) rows = NULL;
    g_autoptr(GError) error = NULL;

    db_params_int(params, endpoint->account_id);
    db_params_uuid(params, endpoint->id);
    db_params_text(params, fault);
    if (db_write_within(watch->bridge->db, DB_STMT_WATCH_END, params, endpoint->id, QUERY_TIMEOUT_MS, &rows, &error) < 0) {
        log_warning("endpoint", endpoint->id, "error", error->message, "status", "watch-deferred"); /* found again next time */
        return;
    }
    metrics_inc(fault ? METRIC_ENDPOINTS_FAULTY : METRIC_ENDPOINTS_WELL);
    const char *told = db_rows_text(rows, 0, 0);
    if (told || fault)
        log_warning("endpoint", endpoint->id, "error", fault, "told", told, "status", fault ? "faulty" : "well-again");
}

static void look_at(struct watch *watch, const struct channel_endpoint *endpoint)
{
    gint64 every = endpoint_setting_int(endpoint->settings, "watch", EVERY_DEFAULT) * CLOCK_SECOND;
    bool silent = false, known = true;

    if (every <= 0 || !endpoint->ops || !is_due(watch, endpoint, every) || !begin(watch, endpoint, every, &silent))
        return;
    g_autofree char *fault = fault_of(watch, endpoint, silent, &known);
    if (known)
        end(watch, endpoint, fault);
}

static void look_round(void *data)
{
    struct watch *watch = data;
    g_autoptr(GPtrArray) endpoints = endpoints_list(watch->bridge->endpoints);

    for (guint i = 0; i < endpoints->len && !asker_is_stopped(watch->asker); i++)
        look_at(watch, &((struct endpoint *)endpoints->pdata[i])->channel);
}

struct watch *watch_start(struct bridge *bridge, GError **error)
{
    struct watch *watch = g_new0(struct watch, 1);

    watch->bridge = bridge;
    watch->due = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    watch->asker = asker_new(bridge, TICK, look_round, watch, error);
    if (!watch->asker) {
        watch_free(watch);
        return NULL;
    }
    asker_start(watch->asker);
    return watch;
}

void watch_stop(struct watch *watch)
{
    asker_stop(watch->asker);
}

void watch_free(struct watch *watch)
{
    if (!watch)
        return;
    asker_free(watch->asker);
    g_hash_table_unref(watch->due);
    g_free(watch);
}
