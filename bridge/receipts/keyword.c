/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the network says of a message as a keyword of its copy in Sent: $Delivered, $Read.  Dovecot is told by its
 * doveadm HTTP API.  The mail program saves that copy in its own time, or never: it is looked for a few times.
 */
#include <string.h>

#include "bridge/receipts/internal.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/error.h"
#include "core/log.h"

#define LOOK_FOR (10 * CLOCK_MINUTE) /* so long for a copy that is not there */
#define TRY_FOR CLOCK_DAY            /* so long to reach Dovecot */
#define TIMEOUT_MS 10000

bool keyword_is(const struct queue_job *job)
{
    return strcmp(job->kind, "keyword") == 0;
}

static const char *payload_text(const struct queue_job *job, const char *key)
{
    return json_string_value(json_object_get(job->payload, key));
}

static json_t *query_of(const char *folder, const char *mail_id)
{
    return json_pack("[s, s, s, s, s]", "mailbox", folder, "header", "Message-ID", mail_id);
}

/* Two commands in one request: which mails it is, so that we know whether there is one; and the keyword. */
static GBytes *commands(const struct receipts *receipts, const struct queue_job *job)
{
    const char *folder = config_get_string(receipts->bridge->config, "dovecot", "sent");
    const char *user = payload_text(job, "user"), *mail_id = payload_text(job, "mail_id");
    g_autoptr(json_t) list = json_pack("[[s, {s:s, s:o}, s], [s, {s:s, s:[s], s:o}, s]]", "search", "user", user, "query",
                                       query_of(folder, mail_id), "found", "flagsAdd", "user", user, "flag",
                                       payload_text(job, "keyword"), "query", query_of(folder, mail_id), "set");

    char *text = list ? json_dumps(list, JSON_COMPACT) : NULL;

    return text ? g_bytes_new_with_free_func(text, strlen(text), free, text) : NULL;
}

enum answer { ANSWER_SET, ANSWER_NO_COPY, ANSWER_ERROR };

/* [["doveadmResponse", [{mailbox-guid, uid}], "found"], ["doveadmResponse", [], "set"]], or ["error", {type}, tag]. */
static enum answer read_answer(const struct http_response *response)
{
    gsize length;
    const char *data = g_bytes_get_data(response->body, &length);
    g_autoptr(json_t) list = response->status == 200 ? json_loadb(data, length, 0, NULL) : NULL;
    const json_t *found = json_array_get(list, 0), *set = json_array_get(list, 1);

    if (g_strcmp0(json_string_value(json_array_get(found, 0)), "doveadmResponse") != 0)
        return ANSWER_ERROR;
    if (json_array_size(json_array_get(found, 1)) == 0)
        return ANSWER_NO_COPY;
    return g_strcmp0(json_string_value(json_array_get(set, 0)), "doveadmResponse") == 0 ? ANSWER_SET : ANSWER_ERROR;
}

static struct http_response *ask(struct receipts *receipts, GBytes *body)
{
    const char *url = config_get_string(receipts->bridge->config, "dovecot", "doveadm_url");
    g_autofree char *authorization = g_strconcat("Authorization: X-Dovecot-API ", receipts->doveadm_key, NULL);
    const char *headers[] = {authorization, "Content-Type: application/json", NULL};
    const struct http_request request = {
        .method = "POST", .url = url, .base_url = url, .headers = headers, .body = body, .timeout_ms = TIMEOUT_MS};

    return http_send_wait(receipts->http, &request);
}

static void later(struct queue_job *job, gint64 age, gint64 at_most, const char *why)
{
    if (age < at_most) {
        queue_retry(job, CLAMP(age, CLOCK_SECOND, CLOCK_HOUR), why, false);
        return;
    }
    log_notice("id", job->message_id, "keyword", payload_text(job, "keyword"), "reason", why, "status", "keyword-not-set");
    queue_done(job);
}

void keyword_work(struct receipts *receipts, struct queue_job *job)
{
    gint64 age = ump_clock_now_us() - ump_clock_offset() - job->created_at;
    g_autoptr(GBytes) body = receipts->http ? commands(receipts, job) : NULL;

    if (!body) { /* the setting has gone since */
        queue_done(job);
        return;
    }
    struct http_response *response = ask(receipts, body);
    switch (read_answer(response)) {
    case ANSWER_SET:
        log_info("id", job->message_id, "keyword", payload_text(job, "keyword"), "status", "keyword-set");
        queue_done(job);
        break;
    case ANSWER_NO_COPY:
        later(job, age, LOOK_FOR, "there is no copy in the folder of sent mail");
        break;
    case ANSWER_ERROR:
        log_warning("id", job->message_id, "http", LOG_INT(response->status), "error", response->error, "status", "doveadm-failed");
        later(job, age, TRY_FOR, "Dovecot's doveadm service does not do it");
        break;
    }
    http_response_free(response);
}

/* base64 of the key, as the header wants it; NULL with error. */
static char *read_key(const struct config *config, GError **error)
{
    const char *path = config_get_string(config, "dovecot", "doveadm_key_file");
    g_autofree char *text = NULL;
    gsize length;

    if (!path || !*path) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "[dovecot] doveadm_url needs doveadm_key_file");
        return NULL;
    }
    if (!g_file_get_contents(path, &text, &length, error))
        return NULL;
    g_strstrip(text);
    return g_base64_encode((const guchar *)text, strlen(text));
}

int keyword_open(struct receipts *receipts, GError **error)
{
    const struct config *config = receipts->bridge->config;
    const char *url = config_get_string(config, "dovecot", "doveadm_url");
    const struct http_client_options options = {.max_total = 8};

    if (!url || !*url)
        return 0;
    receipts->doveadm_key = read_key(config, error);
    receipts->http = receipts->doveadm_key ? http_client_new(&options, error) : NULL;
    return receipts->http ? 0 : -1;
}

void keyword_close(struct receipts *receipts)
{
    http_client_free(receipts->http, 0);
    g_free(receipts->doveadm_key);
}
