/* SPDX-License-Identifier: Apache-2.0 */
/* GET /healthz and /metrics: from memory alone, so that they answer when the database does not. */
#include "bridge/maintenance.h"
#include "bridge/metrics.h"
#include "bridge/web/web_internal.h"
#include "core/cleanup.h"
#include "core/journal.h"

static json_t *journal_json(const struct journal_stats *stats)
{
    json_t *object = json_object();

    json_object_set_new(object, "segments", json_integer(stats->segments));
    json_object_set_new(object, "bytes", json_integer(stats->bytes));
    json_object_set_new(object, "appended", json_integer((json_int_t)stats->appended));
    json_object_set_new(object, "failed", json_integer((json_int_t)stats->failed));
    json_object_set_new(object, "disk_full", json_boolean(stats->reserve_released));
    return object;
}

/* 200 as long as a webhook can be made durable: "ok", or "degraded" when only in the journal. */
enum MHD_Result web_healthz(struct web *web, struct MHD_Connection *connection)
{
    struct bridge *bridge = web->bridge;
    bool up = db_is_up(bridge->db), loaded = endpoints_loaded(bridge->endpoints);
    struct journal_stats stats = { 0 };
    g_autoptr(json_t) root = json_object();
    const char *status;
    char *text;

    journal_stats(bridge->journal, &stats);
    status = !loaded || (!up && stats.reserve_released) ? "down" : up && !stats.reserve_released ? "ok" : "degraded";
    json_object_set_new(root, "status", json_string(status));
    json_object_set_new(root, "version", json_string(UMP_VERSION));
    json_object_set_new(root, "database", json_string(up ? "up" : "down"));
    json_object_set_new(root, "endpoints", json_integer(endpoints_count(bridge->endpoints)));
    json_object_set_new(root, "journal", journal_json(&stats));
    json_object_set_new(root, "queues", maintenance_depths());
    text = json_dumps(root, JSON_INDENT(2));
    char *copy = g_strconcat(text ? text : "{}", "\n", NULL);
    g_free(text);
    return web_reply_text(connection, g_str_equal(status, "down") ? 503 : 200, "application/json", copy);
}

static void line(GString *out, const char *type, const char *name, const char *help, gint64 value)
{
    g_string_append_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %" G_GINT64_FORMAT "\n", name, help, name, type, name,
                           value);
}

enum MHD_Result web_metrics(struct web *web, struct MHD_Connection *connection)
{
    struct bridge *bridge = web->bridge;
    GString *out = g_string_new(NULL);
    struct journal_stats journal = { 0 };
    struct db_stats db = { 0 };

    journal_stats(bridge->journal, &journal);
    db_get_stats(bridge->db, &db);
    metrics_write(out);
    line(out, "gauge", "ump_database_up", "The writer has a connection", db_is_up(bridge->db));
    line(out, "counter", "ump_database_writes_total", "Statements committed", (gint64)db.writes);
    line(out, "counter", "ump_database_batches_total", "Transactions that they shared", (gint64)db.batches);
    line(out, "counter", "ump_database_retries_total", "Batches said again", (gint64)db.retries);
    line(out, "counter", "ump_database_reconnects_total", "Connections made anew", (gint64)db.reconnects);
    line(out, "counter", "ump_database_timeouts_total", "Statements past their deadline", (gint64)db.timeouts);
    line(out, "gauge", "ump_database_queued", "Statements waiting", db.queued);
    line(out, "gauge", "ump_journal_bytes", "Bytes that wait in the journal", journal.bytes);
    line(out, "counter", "ump_journal_appended_total", "Records written", (gint64)journal.appended);
    line(out, "counter", "ump_journal_failed_total", "Records refused", (gint64)journal.failed);
    line(out, "gauge", "ump_web_waiting", "Webhooks that wait for a commit",
         __atomic_load_n(&web->waiting, __ATOMIC_RELAXED));
    maintenance_write_depths(out);
    return web_reply_text(connection, 200, "text/plain; version=0.0.4; charset=utf-8", g_string_free(out, FALSE));
}
