/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /dovecot/<word>: events of Dovecot's event exporter (conf/dovecot/92-ump-events.conf), one JSON object each:
 * somebody has changed flags.  Only whose mailbox it is is read; what has become \Seen the receipts role asks for
 * itself, so that a lost event, or one that is made up, does no harm.
 */
#include <string.h>

#include "bridge/channels/channel.h"
#include "bridge/web/web_internal.h"
#include "core/cleanup.h"
#include "core/db.h"
#include "core/hmac.h"
#include "core/log.h"

#define PREFIX "/dovecot/"
#define MAX_EVENT 65536
#define TIMEOUT_MS 2000

int web_dovecot_open(struct web *web, GError **error)
{
    const char *path = config_get_string(web->bridge->config, "dovecot", "events_key_file");

    if (!path || !*path)
        return 0;
    if (!g_file_get_contents(path, &web->dovecot_word, NULL, error))
        return -1;
    g_strstrip(web->dovecot_word);
    return 0;
}

bool web_dovecot_begin(struct web_request *request, const char *url)
{
    const char *word = request->web->dovecot_word;
    gsize length = word ? strlen(word) : 0;

    if (length == 0 || !g_str_has_prefix(url, PREFIX) || strlen(url + strlen(PREFIX)) != length ||
        !hmac_equal(url + strlen(PREFIX), word, length))
        return false;
    request->dovecot = true;
    request->body = g_string_sized_new(1024);
    return true;
}

static void hinted(void *data, struct db_rows *rows, const GError *error)
{
    (void)data;
    if (error && !db_error_is_temporary(error))
        log_warning("error", error->message, "status", "read-hint-lost");
    db_rows_free(rows);
}

enum MHD_Result web_dovecot_take(struct web_request *request)
{
    json_t *root = NULL;
    const char *user;
    struct db_params *params;

    if (request->body->len > MAX_EVENT)
        return web_reply(request->connection, 413, "the body is too large\n", true);
    if (channel_json_load(request->body->str, request->body->len, &root, NULL) != CHANNEL_PARSED)
        return web_reply(request->connection, 400, "no event of Dovecot's\n", true);
    user = json_string_value(json_object_get(json_object_get(root, "fields"), "user"));
    if (user) {
        params = db_params_new();
        db_params_text(params, user);
        (void)db_write_async(request->web->bridge->db, DB_STMT_READ_HINT, params, user, TIMEOUT_MS, hinted, NULL, NULL);
    }
    json_decref(root);
    return web_reply(request->connection, user ? 200 : 400, user ? "ok\n" : "no user in it\n", false);
}
