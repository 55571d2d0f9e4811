/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the network says of a message as a keyword of its copy in Sent: $Delivered, $Read; and \Seen, on what came and
 * was read on the user's own phone, in whatever folder it is.  Dovecot is told by its
 * doveadm HTTP API.  The mail program saves that copy in its own time, or never: it is looked for a few times.
 */
#include <string.h>

#include "bridge/receipts/internal.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/log.h"

#define LOOK_FOR (10 * CLOCK_MINUTE) /* so long for a copy that is not there */
#define TRY_FOR CLOCK_DAY            /* so long to reach Dovecot */

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
    return folder ? json_pack("[s, s, s, s, s]", "mailbox", folder, "header", "Message-ID", mail_id)
                  : json_pack("[s, s, s]", "header", "Message-ID", mail_id);
}

/* Two commands in one request: which mails it is, so that we know whether there is one; and the keyword. */
static json_t *commands(const struct receipts *receipts, const struct queue_job *job)
{
    bool everywhere = json_is_true(json_object_get(job->payload, "everywhere"));
    const char *folder = everywhere ? NULL : config_get_string(receipts->bridge->config, "dovecot", "sent");
    const char *user = payload_text(job, "user"), *mail_id = payload_text(job, "mail_id");

    return json_pack("[[s, {s:s, s:o}, s], [s, {s:s, s:[s], s:o}, s]]", "search", "user", user, "query",
                     query_of(folder, mail_id), "found", "flagsAdd", "user", user, "flag", payload_text(job, "keyword"),
                     "query", query_of(folder, mail_id), "set");
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
    g_autoptr(json_t) results = NULL;
    g_autoptr(GError) error = NULL;

    if (!receipts->doveadm) { /* the setting has gone since */
        queue_done(job);
        return;
    }
    results = doveadm_run(receipts->doveadm, commands(receipts, job), &error);
    if (!results) {
        log_warning("id", job->message_id, "error", error->message, "status", "doveadm-failed");
        later(job, age, TRY_FOR, error->message);
    } else if (json_array_size(json_array_get(results, 0)) == 0) {
        later(job, age, LOOK_FOR, json_object_get(job->payload, "everywhere") ? "the mail is not there" : "there is no copy in the folder of sent mail");
    } else {
        log_info("id", job->message_id, "keyword", payload_text(job, "keyword"), "status", "keyword-set");
        queue_done(job);
    }
}
