/* SPDX-License-Identifier: Apache-2.0 */
/* What a report is made of: the message as the database knows it, and the words for what happened. */
#include <string.h>

#include "bridge/gateway.h"
#include "bridge/receipts/internal.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/parts.h"

/* --- the facts --- */

const char *report_text(const struct report *report, const char *column)
{
    const char *text = db_rows_text_of(report->rows, 0, column);

    return text && *text ? text : NULL;
}

const char *report_meta(const struct report *report, const char *key)
{
    const char *text = json_string_value(json_object_get(report->metadata, key));

    return text && *text ? text : NULL;
}

static bool is_person(const char *recipient)
{
    return recipient[0] == '+' || recipient[strspn(recipient, "0123456789")] == '\0';
}

static int read_rows(struct receipts *receipts, struct report *report, GError **error)
{
    struct db_params *params = db_params_new();
    GError *problem = NULL;

    db_params_int(params, report->job->account_id);
    db_params_uuid(params, report->job->message_id);
    db_params_text(params, report->recipient);
    if (db_query_once(receipts->bridge->db, DB_STMT_MESSAGE_REPORT, params, 0, &report->rows, &problem) < 0) {
        int result = db_error_is_temporary(problem) ? 1 : -1;
        g_propagate_error(error, problem);
        return result;
    }
    if (db_rows_count(report->rows) > 0)
        return 0;
    g_set_error(error, UMP_ERROR, UMP_ERROR_NOT_FOUND, "the message is not known any more");
    return -1;
}

/* Deterministic: the report again is the same mail. */
static char *derive_id(const struct receipts *receipts, const struct report *report)
{
    g_autofree char *account = g_strdup_printf("%" G_GINT64_FORMAT, report->job->account_id);
    g_autofree char *kind = g_strconcat("report/", report->job->kind, NULL);
    json_t *parts = json_object_get(report->job->payload, "parts");
    g_autofree char *about = parts ? json_dumps(parts, JSON_COMPACT) : NULL;
    g_autofree char *what = g_strconcat(report->job->message_id, "/", report->recipient, about ? "/" : NULL, about, NULL);
    ids_uuid uuid;

    ids_uuid_derive(&uuid, receipts->bridge->ids, report->job->created_at, account, kind, what);
    return ids_uuid_text(&uuid);
}

int report_open(struct receipts *receipts, struct queue_job *job, struct report *report, GError **error)
{
    const char *recipient = json_string_value(json_object_get(job->payload, "recipient"));
    const char *const *domains = config_get_list(receipts->bridge->config, "gateway", "domains");
    const char *metadata, *endpoint;
    int result;

    *report = (struct report){ .job = job, .recipient = g_strdup(recipient ? recipient : "") };
    result = read_rows(receipts, report, error);
    if (result != 0)
        return result;
    metadata = report_text(report, "metadata");
    report->metadata = metadata ? json_loads(metadata, 0, NULL) : NULL;
    if (!report->metadata)
        report->metadata = json_object();
    endpoint = report_text(report, "endpoint_id");
    report->endpoint = endpoint ? endpoints_get(receipts->bridge->endpoints, endpoint) : NULL;
    report->domain = g_strdup(report->endpoint && report->endpoint->channel.domain ? report->endpoint->channel.domain
                                                                                   : domains[0]);
    report->recipient_address =
        is_person(report->recipient)
            ? gateway_address(report->recipient, report_text(report, "channel"), report->domain)
            : gateway_group_address(report->recipient, report_text(report, "channel"), report->domain);
    report->id = derive_id(receipts, report);
    report->to = report_text(report, "sender_mailbox");
    report->to_name = report_text(report, "sender_name");
    if (!report->to) {
        report->to = report_text(report, "owner_mailbox");
        report->to_name = report_text(report, "owner_name");
    }
    report->at = job->created_at;
    return 0;
}

void report_close(struct report *report)
{
    endpoint_unref(report->endpoint);
    db_rows_free(report->rows);
    json_decref(report->metadata);
    g_free(report->recipient);
    g_free(report->recipient_address);
    g_free(report->domain);
    g_free(report->id);
    g_free(report->from_address);
}

void report_context(const struct report *report, const struct bridge *bridge, struct mail_report_context *context)
{
    const char *anchor = report_text(report, "mail_anchor");

    *context = (struct mail_report_context){
        .id = report->id,
        .domain = report->domain,
        .hostname = bridge->hostname,
        .to_address = report->to,
        .to_name = report->to_name,
        .from_address = report->from_address,
        .anchor = anchor ? anchor : report_text(report, "mail_message_id"),
        .original_id = report_text(report, "mail_message_id"),
        .original_subject = report_meta(report, "subject"),
        .conversation_id = report_text(report, "conversation_id"),
        .at = report->at,
        .envid = report_meta(report, "envid"),
        .arrived = json_integer_value(json_object_get(report->metadata, "arrived")),
    };
}

guint report_segments(const struct report *report)
{
    bool wanted = db_rows_bool_of(report->rows, 0, "report_segments");

    return wanted ? (guint)db_rows_int_of(report->rows, 0, "segments") : 0;
}

/* Without NOTIFY: failures and delays are told, success is not. */
bool report_is_wanted(const struct report *report, const char *word)
{
    const char *notify = report_meta(report, "notify");

    if (!notify)
        return strcmp(word, "SUCCESS") != 0;
    return strstr(notify, word) != NULL;
}

/* --- the words --- */

/* "telnyx; 40300 Blocked due to STOP" */
static char *diagnostic_of(const struct report *report, const char *code)
{
    const char *text = report_text(report, "error_text"), *provider = report_text(report, "provider");

    if (!code && !text)
        return NULL;
    return g_strdup_printf("%s; %s%s%s", provider ? provider : "gateway", code ? code : "", code && text ? " " : "",
                           text ? text : "");
}

/* ---- Of a mail that went out as several messages ---- */

static const struct {
    const char *status, *words; /* in the order of telling */
} fates[] = {
    {"read", "Read: "},
    {"delivered", "Delivered: "},
    {"sent", "Sent, but not yet known to be delivered: "},
    {"sending", "Still being sent: "},
    {"queued", "Still to be sent: "},
    {"uncertain", "Perhaps sent: "},
    {"cancelled", "Cancelled: "},
    {"expired", "Not sent in time: "},
    {"failed", "Not delivered: "},
};

/* "the text, “boat.jpg”": what the message of that number carried. */
static void add_contents(GString *out, const struct report *report, guint part)
{
    const json_t *plan = json_object_get(report->metadata, "parts"), *media = json_object_get(report->metadata, "media"), *item;
    size_t i;
    bool text = parts_has_text(plan, part);

    if (text)
        g_string_append(out, "the text");
    json_array_foreach(media, i, item) {
        const char *name = json_string_value(json_object_get(item, "name"));
        if (!parts_has_medium(plan, part, (guint)i))
            continue;
        g_string_append_printf(out, "%s", text ? ", " : "");
        text = true;
        if (name && *name)
            g_string_append_printf(out, "\"%s\"", name);
        else
            g_string_append_printf(out, "attachment %zu", i + 1);
    }
}

/* "Delivered: the text, "a.jpg". Not delivered: "b.jpg"."; NULL: it went out as one. */
static char *fate_of_parts(const struct report *report)
{
    const char *text = report_text(report, "parts");
    g_autoptr(json_t) parts = text ? json_loads(text, 0, NULL) : NULL;
    GString *out = g_string_new(NULL);
    const json_t *part;
    size_t n;

    for (gsize i = 0; i < G_N_ELEMENTS(fates); i++) {
        bool any = false;
        json_array_foreach(parts, n, part) {
            if (g_strcmp0(json_string_value(json_object_get(part, "status")), fates[i].status) != 0)
                continue;
            g_string_append(out, any ? "; " : fates[i].words);
            any = true;
            add_contents(out, report, (guint)json_integer_value(json_object_get(part, "part")));
        }
        if (any)
            g_string_append(out, ". ");
    }
    g_string_truncate(out, out->len > 0 ? out->len - 1 : 0);
    return g_string_free(out, out->len == 0);
}

static void failure_words(const struct report *report, struct report_words *storage, struct mail_report_recipient *out)
{
    const char *code = report_text(report, "error_code"), *text = report_text(report, "error_text");
    const char *status = report_text(report, "status");
    const struct channel_error *error;

    if (!code && g_strcmp0(status, "expired") == 0)
        code = "expired";
    error = channel_error_any(report->endpoint ? report->endpoint->channel.ops : NULL, code);
    storage->diagnostic = diagnostic_of(report, code);
    out->diagnostic = storage->diagnostic;
    if (error) {
        /* a final failure is final, whatever class the code has while it is tried again */
        out->status = error->status[0] == '4' && g_strcmp0(status, "expired") != 0
                          ? (storage->status = g_strconcat("5", error->status + 1, NULL))
                          : error->status;
        out->reason = error->reason;
        out->advice = error->advice;
        return;
    }
    out->status = "5.0.0";
    storage->reason = text ? g_strdup_printf("The provider did not deliver the message: %s", text)
                           : g_strdup("The provider did not deliver the message and gave no reason.");
    out->reason = storage->reason;
    out->advice = "Check the number and send it again, or reach the person in another way.";
}

static bool report_is_about_parts(const struct report *report)
{
    return json_array_size(json_object_get(report->job->payload, "parts")) > 0;
}

void report_recipient(const struct report *report, enum mail_report_action action, struct report_words *storage,
                      struct mail_report_recipient *out)
{
    *storage = (struct report_words){ 0 };
    *out = (struct mail_report_recipient){
        .recipient = report->recipient_address,
        .original = report_meta(report, "orcpt"),
        .action = action,
        .remote = report->endpoint && report->endpoint->channel.ops ? report->endpoint->channel.ops->api_host : NULL,
        .final_log_id = report_text(report, "provider_id"),
        .segments = report_segments(report),
    };
    storage->parts = fate_of_parts(report);
    out->parts = storage->parts;
    switch (action) {
    case MAIL_REPORT_FAILED:
        failure_words(report, storage, out);
        out->at = db_rows_time_of(report->rows, 0, "failed_at");
        break;
    case MAIL_REPORT_DELAYED:
        out->status = "4.4.7";
        out->reason = mail_report_unknown_reason;
        out->advice = mail_report_unknown_advice;
        out->at = db_rows_time_of(report->rows, 0, "uncertain_at");
        break;
    case MAIL_REPORT_DELIVERED:
        out->status = "2.0.0";
        out->reason = strcmp(report->job->kind, "late-delivery") == 0
                          ? report_is_about_parts(report)
                                ? "What was reported as failed before reached the recipient after all."
                                : "The message reached the recipient after all, although it was reported as failed before."
                          : "The message reached the recipient.";
        out->at = db_rows_time_of(report->rows, 0, "delivered_at");
        break;
    case MAIL_REPORT_RELAYED:
        out->status = "2.0.0";
        out->reason = "The message was handed on; the network tells nothing more.";
        break;
    }
}

void report_words_clear(struct report_words *words)
{
    g_free(words->diagnostic);
    g_free(words->parts);
    g_free(words->reason);
    g_free(words->status);
}
