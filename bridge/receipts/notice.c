/* SPDX-License-Identifier: Apache-2.0 */
/* One job's mail: delivery report, preview, read report, team copy. */
#include <string.h>

#include "bridge/receipts/internal.h"
#include "core/clock.h"
#include "core/log.h"

/* The kind byte of notice tokens: what the answer is about. */
enum notice_kind { NOTICE_PREVIEW = 1, NOTICE_UNCERTAIN = 2 };

/* r.<token>@notice.<domain>; the token's subject is the message's uuid. */
static char *answer_address(const struct receipts *receipts, const struct report *report, enum notice_kind kind)
{
    struct ids_token token = { .kind = (uint8_t)kind,
                               .expires = (report->at + receipts->notice_ttl) / CLOCK_SECOND,
                               .subject_length = 16 };
    g_autofree char *text = NULL;
    ids_uuid uuid;

    if (!ids_uuid_parse(report->job->message_id, strlen(report->job->message_id), &uuid))
        return NULL;
    memcpy(token.subject, uuid.bytes, sizeof uuid.bytes);
    text = ids_token_make(receipts->bridge->ids, IDS_NOTICE, &token);
    return g_strdup_printf("r.%s@notice.%s", text, report->domain);
}

static GBytes *dsn(struct receipts *receipts, const struct report *report, enum mail_report_action action)
{
    struct mail_report_context context;
    struct mail_report_recipient recipient;
    struct report_words words;
    GBytes *mail;

    report_context(report, receipts->bridge, &context);
    report_recipient(report, action, &words, &recipient);
    mail = mail_report_dsn(&context, &recipient, 1);
    report_words_clear(&words);
    return mail;
}

static GBytes *preview(struct receipts *receipts, struct report *report)
{
    struct mail_report_context context;
    const char *why = json_string_value(json_object_get(report->job->payload, "why"));
    const char *body = db_rows_text_of(report->rows, 0, "body");
    const struct mail_report_held held = {
        .recipient = report->recipient_address,
        .text = body ? body : "",
        .why = why ? why : report_meta(report, "text_reason"),
        .attachments = (guint)json_array_size(json_object_get(report->metadata, "media")),
        .segments = report_segments(report),
    };

    report->from_address = answer_address(receipts, report, NOTICE_PREVIEW);
    report_context(report, receipts->bridge, &context);
    return mail_report_preview(&context, &held);
}

static GBytes *read_report(struct receipts *receipts, struct report *report)
{
    struct mail_report_context context;
    gint64 at = 0;
    const char *text = json_string_value(json_object_get(report->job->payload, "at"));

    if (!report_meta(report, "read_report_to"))
        return NULL;
    if (!text || !db_time_parse(text, &at))
        at = report->at;
    report_context(report, receipts->bridge, &context);
    return mail_report_mdn(&context, report->recipient_address, at);
}

GBytes *report_compose(struct receipts *receipts, struct report *report)
{
    const char *kind = report->job->kind;
    g_autoptr(GError) error = NULL;
    GBytes *mail = NULL;

    if (strcmp(kind, "failed") == 0 || strcmp(kind, "expired") == 0)
        return report_is_wanted(report, "FAILURE") ? dsn(receipts, report, MAIL_REPORT_FAILED) : NULL;
    if (strcmp(kind, "late-delivery") == 0) /* who was told of the failure is told of this */
        return report_is_wanted(report, "FAILURE") ? dsn(receipts, report, MAIL_REPORT_DELIVERED) : NULL;
    if (strcmp(kind, "success") == 0)
        return report_is_wanted(report, "SUCCESS") ? dsn(receipts, report, MAIL_REPORT_DELIVERED) : NULL;
    if (strcmp(kind, "uncertain") == 0) {
        report->from_address = answer_address(receipts, report, NOTICE_UNCERTAIN);
        return dsn(receipts, report, MAIL_REPORT_DELAYED);
    }
    if (strcmp(kind, "preview") == 0)
        return preview(receipts, report);
    if (strcmp(kind, "read") == 0)
        return read_report(receipts, report);
    if (strcmp(kind, "team-copy") == 0) {
        mail = team_copy_compose(receipts, report, &error);
        if (!mail)
            log_error("id", report->job->message_id, "error", error->message, "status", "no-team-copy");
        return mail;
    }
    log_error("id", report->job->message_id, "kind", kind, "status", "unknown-report");
    return NULL;
}
