/* SPDX-License-Identifier: Apache-2.0 */
/* The dispatcher: claims from the outbox for whoever's turn it is. */
#include <math.h>
#include <string.h>

#include "bridge/metrics.h"
#include "bridge/outbound/internal.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/cond.h"
#include "core/error.h"
#include "core/log.h"
#include "core/quiet.h"

#define CLAIM_TIMEOUT_MS 5000
#define UNUSABLE_PAUSE (30 * CLOCK_SECOND)
#define BROKEN_PAUSE (CLOCK_SECOND / 2)

/* A number, or text that is one; "off" and "none" are 0.  False: the setting says nothing. */
static bool setting_number(const json_t *settings, const char *key, double *out)
{
    const json_t *value = json_object_get(settings, key);
    const char *text = json_string_value(value);
    char *end = NULL;
    double number;

    if (json_is_number(value)) {
        *out = json_number_value(value);
        return true;
    }
    if (!text || !*text)
        return false;
    if (g_ascii_strcasecmp(text, "off") == 0 || g_ascii_strcasecmp(text, "none") == 0) {
        *out = 0;
        return true;
    }
    number = g_ascii_strtod(text, &end);
    if (*end != '\0' || !isfinite(number) || number < 0)
        return false;
    *out = number;
    return true;
}

/* The adapter's pace, as the endpoint's settings change it.  rate 0 lifts the account's default too. */
static void find_pace(const struct channel_endpoint *channel, struct channel_pace *pace)
{
    const json_t *settings = channel->settings;

    *pace = (struct channel_pace){0};
    if (channel->ops->default_pace)
        channel->ops->default_pace(channel, pace);
    if (setting_number(settings, "rate", &pace->rate)) {
        pace->burst = 0;
        if (pace->rate <= 0)
            pace->account_rate = 0;
    }
    setting_number(settings, "burst", &pace->burst);
    setting_number(settings, "pair_rate", &pace->pair_rate);
    setting_number(settings, "pair_burst", &pace->pair_burst);
    if (setting_number(settings, "account_rate", &pace->account_rate))
        pace->account_burst = 0;
    setting_number(settings, "account_burst", &pace->account_burst);
}

static void add_rate(struct db_params *params, double value)
{
    if (value > 0)
        db_params_double(params, value);
    else
        db_params_null(params);
}

static struct db_params *claim_params(struct outbound *outbound, const struct channel_endpoint *channel, gint64 floor,
                                      guint limit)
{
    const struct channel_capabilities *can = channel_capabilities_of(channel->ops, channel->channel);
    struct db_params *params = db_params_new();
    struct channel_pace pace;

    find_pace(channel, &pace);
    db_params_text(params, outbound->bridge->worker);
    db_params_int(params, channel->account_id);
    db_params_uuid(params, channel->id);
    db_params_int(params, floor);
    db_params_int(params, limit);
    db_params_interval(params, outbound->lease);
    add_rate(params, pace.rate);
    add_rate(params, pace.burst);
    add_rate(params, pace.pair_rate);
    add_rate(params, pace.pair_burst);
    db_params_text(params, channel->provider);
    add_rate(params, pace.account_rate);
    add_rate(params, pace.account_burst);
    db_params_bool(params, can && (can->reply || can->reaction));
    return params;
}

/* ---- Rows ---- */

static void on_written(void *data, struct db_rows *rows, const GError *error)
{
    struct outbound *outbound = data;

    db_rows_free(rows);
    if (error)
        log_warning("what", "outbox", "error", error->message, "status", "deferred"); /* its lease runs out */
    outbound_lock(outbound);
    outbound->writes--;
    if (!error)
        sched_lanes_moved(outbound->sched);
    outbound_unlock(outbound);
    outbound_changed(outbound);
}

static void write_async(struct outbound *outbound, unsigned stmt, struct db_params *params)
{
    g_autoptr(GError) error = NULL;

    outbound_lock(outbound);
    outbound->writes++;
    outbound_unlock(outbound);
    if (db_write_async(outbound->bridge->db, stmt, params, NULL, 0, on_written, outbound, &error) < 0)
        on_written(outbound, NULL, error);
}

/* The message cannot be sent as it is: its sender is told. */
static void refuse(struct outbound *outbound, const struct db_rows *rows, unsigned row, const char *why)
{
    struct db_params *params = db_params_new();

    log_info("id", db_rows_text_of(rows, row, "message_id"), "error", why, "status", "failed");
    db_params_int(params, db_rows_int_of(rows, row, "id"));
    db_params_int(params, db_rows_int_of(rows, row, "fence"));
    db_params_text(params, "unsendable");
    db_params_text(params, why);
    write_async(outbound, DB_STMT_OUTBOX_REFUSE, params);
    metrics_inc(METRIC_OUTBOUND_FAILED);
}

/* The endpoint cannot send: everything of it waits. */
static void give_back(struct outbound *outbound, const struct db_rows *rows, unsigned row)
{
    gint64 id = db_rows_int_of(rows, row, "id"), fence = db_rows_int_of(rows, row, "fence");
    struct db_params *params = db_params_new();

    db_params_ints(params, &id, 1);
    db_params_ints(params, &fence, 1);
    db_params_interval(params, UNUSABLE_PAUSE);
    write_async(outbound, DB_STMT_OUTBOX_RELEASE, params);
}

static bool is_urgent(const struct db_rows *rows, unsigned row)
{
    const char *text = db_rows_text_of(rows, row, "metadata");
    g_autoptr(json_t) metadata = text ? json_loads(text, 0, NULL) : NULL;

    return json_is_true(json_object_get(metadata, "urgent"));
}

/* A machine's message whose recipient's quiet hours have begun since it was accepted: it waits until they are over. */
static bool wait_for_morning(struct outbound *outbound, const struct endpoint *endpoint, const struct db_rows *rows, unsigned row)
{
    const struct channel_endpoint *channel = &endpoint->channel;
    gint64 now = ump_clock_now_us(), until;
    g_autofree char *why = NULL;
    struct db_params *params;

    if (!json_object_get(channel->settings, "quiet_hours") || !db_rows_bool_of(rows, row, "bot"))
        return false;
    until = quiet_until(channel->settings, channel->account_settings, db_rows_text_of(rows, row, "recipient"),
                        is_urgent(rows, row), now, &why);
    if (until <= now)
        return false;
    log_info("id", db_rows_text_of(rows, row, "message_id"), "to", LOG_NUMBER(db_rows_text_of(rows, row, "recipient")), "for",
             LOG_MS(until - now), "reason", why, "status", "waits");
    params = db_params_new();
    db_params_int(params, db_rows_int_of(rows, row, "id"));
    db_params_int(params, db_rows_int_of(rows, row, "fence"));
    db_params_time(params, until);
    db_params_text(params, why);
    write_async(outbound, DB_STMT_OUTBOX_DEFER, params);
    return true;
}

static void take_row(struct outbound *outbound, struct sched_endpoint *place, const struct db_rows *rows, unsigned row,
                     struct sched_claimed *said)
{
    g_autoptr(GError) error = NULL;
    struct endpoint *endpoint = endpoints_get(outbound->bridge->endpoints, place->id);
    struct job *job;

    if (endpoint && wait_for_morning(outbound, endpoint, rows, row)) {
        endpoint_unref(endpoint);
        return;
    }
    job = endpoint ? job_new(outbound, endpoint, rows, row, &error) : NULL;
    if (job) {
        job->place = place;
        outbound_lock(outbound);
        g_queue_push_tail(&outbound->held, job);
        job->link = g_queue_peek_tail_link(&outbound->held);
        sched_add_job(outbound->sched, place, job);
        outbound_unlock(outbound);
        said->jobs++;
    } else if (g_error_matches(error, UMP_ERROR, UMP_ERROR_INVALID)) {
        refuse(outbound, rows, row, error->message);
    } else {
        log_error("endpoint", place->id, "id", db_rows_text_of(rows, row, "message_id"), "error",
                  error ? error->message : "the endpoint is gone", "status", "waits");
        give_back(outbound, rows, row);
        said->wait_us = UNUSABLE_PAUSE;
    }
}

static void read_control(const struct db_rows *rows, unsigned row, struct sched_claimed *said)
{
    said->floor = db_rows_int_of(rows, row, "floor");
    said->more = db_rows_bool_of(rows, row, "more");
    said->behind = db_rows_bool_of(rows, row, "behind");
    said->wait_us = MAX(said->wait_us, db_rows_int_of(rows, row, "wait_ms") * 1000);
}

static void claim(struct outbound *outbound, struct sched_endpoint *place, gint64 floor, guint limit,
                  struct sched_claimed *said)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(endpoint_t) endpoint = endpoints_get(outbound->bridge->endpoints, place->id);
    g_autoptr(db_rows) rows = NULL;

    *said = (struct sched_claimed){.floor = -1, .wait_us = BROKEN_PAUSE};
    if (!endpoint || endpoint->status != ENDPOINT_ENABLED) {
        *said = (struct sched_claimed){.floor = 0}; /* the slow scan finds it again once it is enabled */
        return;
    }
    if (!endpoint->channel.ops || !endpoint->channel.ops->build_request || endpoint->channel.unusable) {
        log_warning("endpoint", place->id, "error",
                    endpoint->channel.unusable ? endpoint->channel.unusable : "it cannot send", "status", "waits");
        said->wait_us = UNUSABLE_PAUSE;
        return;
    }
    if (db_query_once(outbound->bridge->db, DB_STMT_OUTBOX_CLAIM,
                      claim_params(outbound, &endpoint->channel, floor, limit), CLAIM_TIMEOUT_MS, &rows, &error) < 0) {
        log_warning("endpoint", place->id, "error", error->message, "status", "claim-failed");
        return;
    }
    *said = (struct sched_claimed){.floor = floor};
    for (unsigned row = 0; row < db_rows_count(rows); row++) {
        if (db_rows_is_null(rows, row, 0))
            read_control(rows, row, said);
        else
            take_row(outbound, place, rows, row, said);
    }
    metrics_add(METRIC_OUTBOUND_CLAIMED, said->jobs);
}

void *claim_run(void *data)
{
    struct outbound *outbound = data;

    outbound_lock(outbound);
    while (!outbound->stopping) {
        gint64 floor = 0, wake = outbound_now() + CLOCK_SECOND;
        guint limit = 0;
        struct sched_endpoint *place =
            outbound->rescued ? sched_next_claim(outbound->sched, outbound_now(), &floor, &limit, &wake) : NULL;
        if (place) {
            struct sched_claimed said;
            outbound_unlock(outbound);
            claim(outbound, place, floor, limit, &said);
            outbound_lock(outbound);
            sched_claimed(outbound->sched, place, outbound_now(), &said);
            outbound_unlock(outbound);
            send_start(outbound);
            outbound_lock(outbound);
            continue;
        }
        cond_wait_until(&outbound->changed, &outbound->lock, wake);
        outbound_unlock(outbound);
        send_start(outbound); /* a circuit may be tried again */
        outbound_lock(outbound);
    }
    outbound_unlock(outbound);
    return NULL;
}
