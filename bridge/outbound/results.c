/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of attempts, on its way into the database: in batches while it answers, through a
 * journal of our own while it does not (FAILURES O10), so that neither a long outage nor our end
 * turns an answer that we have into an uncertain one.
 */
#include <string.h>

#include "bridge/outbound/internal.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/log.h"

#define STORE_BATCH 64
#define STORE_TIMEOUT_MS 5000
#define RESULT_RECORD 1 /* type of the journal's record: JSON as outbox_finish takes it */

struct store {
    struct outbound *outbound;
    GPtrArray *lines; /* char * */
};

static void set_text(json_t *object, const char *key, const char *text)
{
    json_t *value = text ? json_string(text) : NULL;

    if (text && !value) { /* not UTF-8 */
        g_autofree char *valid = g_utf8_make_valid(text, -1);
        value = json_string(valid);
    }
    if (value)
        json_object_set_new(object, key, value);
}

static char *record_text(const struct result_record *record)
{
    g_autoptr(json_t) object = json_object();
    g_autofree char *text = record->text ? g_strndup(record->text, 500) : NULL;

    json_object_set_new(object, "id", json_integer(record->id));
    json_object_set_new(object, "fence", json_integer(record->fence));
    json_object_set_new(object, "account", json_integer(record->account));
    set_text(object, "attempt", record->attempt);
    set_text(object, "outcome", record->outcome);
    if (record->http > 0)
        json_object_set_new(object, "http", json_integer(record->http));
    set_text(object, "provider_id", record->provider_id);
    set_text(object, "code", record->code);
    set_text(object, "text", text);
    if (record->segments >= 0)
        json_object_set_new(object, "segments", json_integer(record->segments));
    if (record->cost >= 0)
        json_object_set_new(object, "cost", json_integer(record->cost));
    set_text(object, "currency", record->currency);
    set_text(object, "alias", record->alias);
    if (record->members)
        json_object_set_new(object, "members", json_deep_copy(record->members));
    if (record->opt_out)
        json_object_set_new(object, "opt_out", json_true());
    if (record->after_us > 0)
        json_object_set_new(object, "after_ms", json_integer(record->after_us / 1000));
    return json_dumps(object, JSON_COMPACT);
}

void results_put(struct outbound *outbound, const struct result_record *record)
{
    char *line = record_text(record);

    outbound_lock(outbound);
    g_queue_push_tail(&outbound->results, line);
    outbound_unlock(outbound);
}

static struct db_params *array_params(char *const *lines, guint n)
{
    struct db_params *params = db_params_new();
    g_autoptr(GString) array = g_string_new("[");

    for (guint i = 0; i < n; i++)
        g_string_append_printf(array, "%s%s", i > 0 ? "," : "", lines[i]);
    g_string_append_c(array, ']');
    db_params_textn(params, array->str, array->len);
    return params;
}

/* ---- The journal ---- */

struct journaled {
    struct outbound *outbound;
    char *line;
};

static void on_journaled(bool ok, void *data)
{
    struct journaled *journaled = data;
    struct outbound *outbound = journaled->outbound;

    outbound_lock(outbound);
    outbound->writes--;
    if (ok) {
        outbound->journaled = true;
        g_free(journaled->line);
    } else { /* the disk is full as well: memory it is */
        g_queue_push_tail(&outbound->results, journaled->line);
        outbound->results_wait = outbound_now() + CLOCK_SECOND;
    }
    outbound_unlock(outbound);
    if (!ok)
        log_error("what", "result journal", "status", "failed");
    outbound_changed(outbound);
    g_free(journaled);
}

/* line is taken. */
static void to_journal(struct outbound *outbound, char *line)
{
    struct journaled *journaled = g_new0(struct journaled, 1);

    journaled->outbound = outbound;
    journaled->line = line;
    outbound_lock(outbound);
    outbound->writes++;
    outbound_unlock(outbound);
    if (outbound->journal)
        journal_append_async(outbound->journal, RESULT_RECORD, line, strlen(line), on_journaled, journaled);
    else
        on_journaled(false, journaled);
}

static int replay_one(const struct journal_record *record, void *data, GError **error)
{
    struct outbound *outbound = data;
    g_autofree char *line = g_strndup((const char *)record->payload, record->length);
    g_autoptr(GError) why = NULL;

    if (record->type != RESULT_RECORD ||
        db_write_within(outbound->bridge->db, DB_STMT_OUTBOX_FINISH, array_params(&line, 1), NULL, STORE_TIMEOUT_MS, NULL,
                        &why) == 0)
        return 0;
    if (db_error_is_temporary(why)) {
        g_propagate_error(error, g_steal_pointer(&why));
        return -1;
    }
    log_error("what", "result journal", "result", line, "error", why->message, "status", "refused");
    return 0; /* it will not get better; the message becomes uncertain when its lease ends */
}

int results_replay(struct outbound *outbound)
{
    struct journal_handler handler = {.record = replay_one, .data = outbound};
    g_autoptr(GError) error = NULL;
    guint64 n = 0;

    if (!outbound->journal)
        return 0;
    outbound_lock(outbound);
    outbound->journaled = false;
    outbound_unlock(outbound);
    if (journal_replay(outbound->journal, &handler, &n, &error) < 0) {
        log_warning("what", "result journal", "error", error->message, "status", "deferred");
        outbound_lock(outbound);
        outbound->journaled = true;
        outbound_unlock(outbound);
        return -1;
    }
    if (n > 0)
        log_notice("what", "result journal", "results", LOG_INT((gint64)n), "status", "replayed");
    return 0;
}

/* ---- The database ---- */

static void on_stored(void *data, struct db_rows *rows, const GError *error)
{
    struct store *store = data;
    struct outbound *outbound = store->outbound;

    db_rows_free(rows);
    if (error)
        log_warning("what", "results", "n", LOG_INT(store->lines->len), "error", error->message, "status", "journaled");
    for (guint i = 0; i < store->lines->len; i++) {
        if (error)
            to_journal(outbound, store->lines->pdata[i]);
        else
            g_free(store->lines->pdata[i]);
    }
    g_ptr_array_unref(store->lines);
    g_free(store);
    outbound_lock(outbound);
    outbound->storing--;
    outbound->writes--;
    if (!error)
        sched_lanes_moved(outbound->sched);
    outbound_unlock(outbound);
    results_flush(outbound);
    outbound_changed(outbound);
}

void results_flush(struct outbound *outbound)
{
    g_autoptr(GError) error = NULL;
    struct store *store = NULL;

    outbound_lock(outbound);
    if (outbound->storing == 0 && !g_queue_is_empty(&outbound->results) && outbound_now() >= outbound->results_wait) {
        store = g_new0(struct store, 1);
        store->outbound = outbound;
        store->lines = g_ptr_array_new();
        for (guint n = 0; n < STORE_BATCH && !g_queue_is_empty(&outbound->results); n++)
            g_ptr_array_add(store->lines, g_queue_pop_head(&outbound->results));
        outbound->storing++;
        outbound->writes++;
    }
    outbound_unlock(outbound);
    if (!store)
        return;
    if (db_write_async(outbound->bridge->db, DB_STMT_OUTBOX_FINISH,
                       array_params((char *const *)store->lines->pdata, store->lines->len), NULL, STORE_TIMEOUT_MS,
                       on_stored, store, &error) < 0)
        on_stored(store, NULL, error);
}

void results_spill(struct outbound *outbound)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;

    outbound_lock(outbound);
    while (!g_queue_is_empty(&outbound->results))
        g_ptr_array_add(lines, g_queue_pop_head(&outbound->results));
    outbound_unlock(outbound);
    for (guint i = 0; i < lines->len; i++)
        if (!outbound->journal ||
            journal_append(outbound->journal, RESULT_RECORD, lines->pdata[i], strlen(lines->pdata[i]), &error) < 0) {
            log_error("what", "result journal", "error", error ? error->message : "none", "status", "lost");
            g_clear_error(&error);
        }
}
