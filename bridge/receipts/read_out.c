/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read receipts to the network: what came over an endpoint with the setting read_receipts waits in ump.read_waits
 * until Dovecot, asked by its doveadm API, says that the mail is \Seen.  Only what waits is asked for, by its
 * Message-ID, so that nothing is missed while one of us was down, and nobody else's mail is concerned.
 */
#include <string.h>

#include "bridge/channels/channel_common.h"
#include "bridge/metrics.h"
#include "bridge/receipts/internal.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/endpoint_settings.h"
#include "core/log.h"

#define TICK CLOCK_SECOND
#define BATCH 25 /* messages of one question to Dovecot */
#define ROUNDS 8 /* of one endpoint, before the next has its turn */
#define QUERY_TIMEOUT_MS 5000

/* ---- Dovecot is asked ---- */

/* Message-IDs are with or without their angle brackets. */
static char *bare(const char *mail_id)
{
    gsize length = strlen(mail_id);

    return length > 2 && mail_id[0] == '<' && mail_id[length - 1] == '>' ? g_strndup(mail_id + 1, length - 2) : g_strdup(mail_id);
}

/* Those of them that are \Seen. */
static json_t *question(const struct db_rows *rows)
{
    json_t *query = json_pack("[s, s]", "SEEN", "(");

    for (unsigned i = 0; i < db_rows_count(rows); i++) {
        g_autofree char *id = bare(db_rows_text_of(rows, i, "mail_id"));
        if (i > 0)
            json_array_append_new(query, json_string("OR"));
        json_array_append_new(query, json_string("HEADER"));
        json_array_append_new(query, json_string("Message-ID"));
        json_array_append_new(query, json_string(id));
    }
    json_array_append_new(query, json_string(")"));
    return json_pack("[[s, {s:s, s:[s], s:o}, s]]", "fetch", "user", db_rows_text_of(rows, 0, "mailbox"), "field", "hdr.message-id",
                     "query", query, "seen");
}

/* Adds the bare Message-IDs of what is \Seen.  False: nothing is known. */
static bool ask_dovecot(struct asker *asker, const struct db_rows *rows, GHashTable *seen)
{
    struct receipts *receipts = asker_data(asker);
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) results = doveadm_run(receipts->doveadm, question(rows), &error);
    const json_t *mail;
    size_t i;

    if (!results) {
        log_warning("mailbox", LOG_ADDRESS(db_rows_text_of(rows, 0, "mailbox")), "error", error->message, "status", "doveadm-failed");
        return false;
    }
    json_array_foreach(json_array_get(results, 0), i, mail) {
        const char *id = json_string_value(json_object_get(mail, "hdr.message-id"));
        if (id)
            g_hash_table_add(seen, bare(id));
    }
    return true;
}

/* ---- The network is told ---- */

struct telling {
    const struct channel_endpoint *endpoint;
    bool taken;
};

/* A 2xx, and no error in its body, where the protocol has its errors there. */
static void on_told(void *data, const struct http_response *response)
{
    struct telling *telling = data;
    g_autoptr(json_t) root = response->body ? channel_answer_json(response) : NULL;

    telling->taken = response->curl_code == 0 && response->status / 100 == 2 && !json_object_get(root, "error");
    if (!telling->taken)
        log_notice("endpoint", telling->endpoint->id, "http", LOG_INT(response->status), "error", response->error, "status",
                   "read-receipt-refused");
}

static bool tell(struct asker *asker, const struct channel_endpoint *endpoint, const char *provider_id)
{
    struct telling telling = {.endpoint = endpoint};
    g_auto(channel_request_t) request;
    g_autoptr(GError) error = NULL;

    channel_request_init(&request);
    if (endpoint->ops->build_read(provider_id, false, endpoint, &request, &error) < 0) {
        log_notice("endpoint", endpoint->id, "error", error->message, "status", "read-receipt-refused");
        return false;
    }
    return asker_ask(asker, endpoint, &request, on_told, &telling) && telling.taken;
}

static void settle(struct asker *asker, const struct channel_endpoint *endpoint, GPtrArray *messages, bool sent)
{
    struct db_params *params = db_params_new();
    g_autoptr(db_rows) rows = NULL;
    g_autoptr(GError) error = NULL;
    guint n = messages->len;

    g_ptr_array_add(messages, NULL);
    db_params_int(params, endpoint->account_id);
    db_params_uuid(params, endpoint->id);
    db_params_texts(params, (const char *const *)messages->pdata);
    db_params_bool(params, sent);
    if (db_write_within(asker_bridge(asker)->db, DB_STMT_READ_WAITS_SETTLE, params, endpoint->id, QUERY_TIMEOUT_MS, &rows, &error) < 0) {
        log_warning("endpoint", endpoint->id, "error", error->message, "status", "read-receipt-deferred"); /* told twice is no harm */
        return;
    }
    guint dropped = (guint)db_rows_int(rows, 0, 0);
    metrics_add(sent ? METRIC_READ_SENT : METRIC_READ_RETRIED, n - dropped);
    metrics_add(METRIC_READ_DROPPED, dropped);
    for (guint i = 0; i < n; i++)
        log_info("id", messages->pdata[i], "endpoint", endpoint->id, "status", sent ? "read-receipt-sent" : "read-receipt-failed");
}

/* Where one receipt covers what came before: those of a conversation together, by its latest. */
static void tell_all(struct asker *asker, const struct channel_endpoint *endpoint, const struct db_rows *rows, const GPtrArray *seen)
{
    const struct channel_capabilities *can = channel_capabilities_of(endpoint->ops, endpoint->channel);
    g_autoptr(GPtrArray) sent = g_ptr_array_new(), failed = g_ptr_array_new();
    g_autoptr(GHashTable) latest = g_hash_table_new(g_str_hash, g_str_equal); /* what stands for it → was it taken? */

    for (guint i = seen->len; i-- > 0 && !asker_is_stopped(asker);) {
        unsigned row = GPOINTER_TO_UINT(seen->pdata[i]);
        char *id = (char *)db_rows_text_of(rows, row, "message_id");
        char *of = (char *)db_rows_text_of(rows, row, can && can->read_covers_earlier ? "conversation_id" : "message_id");
        gpointer taken;
        if (!g_hash_table_lookup_extended(latest, of, NULL, &taken)) {
            taken = GINT_TO_POINTER(tell(asker, endpoint, db_rows_text_of(rows, row, "provider_id")));
            g_hash_table_insert(latest, of, taken);
        }
        g_ptr_array_add(GPOINTER_TO_INT(taken) ? sent : failed, id);
    }
    if (sent->len > 0)
        settle(asker, endpoint, sent, true);
    if (failed->len > 0 && !asker_is_stopped(asker))
        settle(asker, endpoint, failed, false);
}

/* ---- Whose turn it is ---- */

static struct db_rows *claim(struct asker *asker, const struct channel_endpoint *endpoint)
{
    struct db_params *params = db_params_new();
    struct db_rows *rows = NULL;
    g_autoptr(GError) error = NULL;

    db_params_int(params, endpoint->account_id);
    db_params_uuid(params, endpoint->id);
    db_params_int(params, BATCH);
    if (db_write_within(asker_bridge(asker)->db, DB_STMT_READ_WAITS_CLAIM, params, endpoint->id, QUERY_TIMEOUT_MS, &rows, &error) < 0) {
        log_warning("endpoint", endpoint->id, "error", error->message, "status", "read-receipt-deferred");
        return NULL;
    }
    return rows;
}

/* True: there may be more. */
static bool look_once(struct asker *asker, const struct channel_endpoint *endpoint)
{
    g_autoptr(db_rows) rows = claim(asker, endpoint);
    g_autoptr(GHashTable) found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) seen = g_ptr_array_new();

    if (!rows || db_rows_count(rows) == 0 || !ask_dovecot(asker, rows, found))
        return false;
    for (unsigned i = 0; i < db_rows_count(rows); i++) {
        g_autofree char *id = bare(db_rows_text_of(rows, i, "mail_id"));
        if (g_hash_table_contains(found, id))
            g_ptr_array_add(seen, GUINT_TO_POINTER(i));
    }
    tell_all(asker, endpoint, rows, seen);
    return db_rows_count(rows) == BATCH;
}

/* One question a second for all of them, however many have read receipts. */
static bool begin(struct asker *asker)
{
    struct receipts *receipts = asker_data(asker);
    g_autoptr(db_rows) rows = NULL;
    g_autoptr(GError) error = NULL;

    g_hash_table_remove_all(receipts->read_due);
    if (db_query_once(asker_bridge(asker)->db, DB_STMT_READ_WAITS_DUE, db_params_new(), QUERY_TIMEOUT_MS, &rows, &error) < 0) {
        log_warning("error", error->message, "status", "read-receipt-deferred");
        return false;
    }
    for (unsigned i = 0; i < db_rows_count(rows); i++)
        g_hash_table_add(receipts->read_due, g_strdup(db_rows_text_of(rows, i, "endpoint_id")));
    return db_rows_count(rows) > 0;
}

static void look(struct asker *asker, const struct channel_endpoint *endpoint, gint64 every)
{
    const struct receipts *receipts = asker_data(asker);

    (void)every;
    if (!g_hash_table_contains(receipts->read_due, endpoint->id) || !endpoint->ops->build_read || endpoint->unusable || !endpoint_setting_bool(endpoint->settings, "read_receipts", false))
        return;
    for (guint i = 0; i < ROUNDS && !asker_is_stopped(asker) && look_once(asker, endpoint); i++)
        ;
}

int read_out_start(struct receipts *receipts, GError **error)
{
    if (!receipts->doveadm) /* [dovecot] doveadm_url is not set */
        return 0;
    receipts->read_due = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    receipts->read_duty = (struct asker_duty){.every = 1, .tick = TICK, .begin = begin, .look = look, .data = receipts};
    receipts->read_out = asker_start(receipts->bridge, &receipts->read_duty, error);
    return receipts->read_out ? 0 : -1;
}
