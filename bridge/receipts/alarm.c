/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What those who administer the account are to know, one mail to each: a sender reached a cap (FAILURES T04), an event
 * could not be made a mail (I7); they and the owner of an endpoint: it is cut off, and well again; the owner
 * alone: what it did yesterday.
 */
#include <string.h>

#include "bridge/receipts/internal.h"
#include "core/cleanup.h"
#include "core/log.h"

static const char *sentence_of(const char *cap)
{
    static const struct {
        const char *cap, *sentence;
    } table[] = {
        { "cap-user", "has sent as many messages in this hour as one person may" },
        { "cap-machine", "has sent as many messages as its rate allows" },
        { "cap-spend", "met the limit of what may be spent on messages in a day" },
        { "cap-range", "has written to many new numbers that are close to each other, as somebody does who pumps traffic" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
        if (g_strcmp0(cap, table[i].cap) == 0)
            return table[i].sentence;
    return "met a limit";
}

static const char *payload_text(const struct queue_job *job, const char *key)
{
    return json_string_value(json_object_get(job->payload, key));
}

static GBytes *compose_cap(const struct mail_report_context *context, const struct queue_job *job)
{
    const char *who = payload_text(job, "who");
    g_autofree char *subject = g_strdup_printf("Limit reached: %s", who ? who : "a sender");
    g_autofree char *text = g_strdup_printf(
        "%s %s. What goes beyond it is refused.\n\nIf that is not expected, the password may be stolen: change it, or "
        "disable the user, the machine sender or the endpoint with umpctl. If it is, raise the limit with umpctl account "
        "set or sender add.\n",
        who ? who : "A sender", sentence_of(payload_text(job, "cap")));

    return mail_report_notice(context, "cap", subject, text, NULL);
}

static GBytes *compose_dead_event(const struct mail_report_context *context, const struct queue_job *job)
{
    const char *endpoint = payload_text(job, "endpoint"), *error = payload_text(job, "error");
    gint64 id = json_integer_value(json_object_get(job->payload, "job"));
    g_autofree char *subject = g_strdup_printf("A message to %s could not be shown", endpoint ? endpoint : "an endpoint");
    g_autofree char *text = g_strdup_printf(
        "The provider told us something for %s that did not become a mail: %s.\n\n%s It is kept: umpctl queue show "
        "inbound %" G_GINT64_FORMAT " tells more, umpctl queue retry inbound %" G_GINT64_FORMAT " tries it once more.\n",
        endpoint ? endpoint : "an endpoint", error ? error : "no reason is known",
        job->body ? "What it sent is in the file with this mail." : "What it sent is older than events are kept.", id, id);
    gsize len = 0;
    const void *data = job->body ? g_bytes_get_data(job->body, &len) : NULL;
    const struct mail_report_file file = { "event.txt", "application/octet-stream", data, len };

    return mail_report_notice(context, "dead-event", subject, text, data ? &file : NULL);
}

static GBytes *compose_silent(const struct mail_report_context *context, const struct queue_job *job)
{
    const char *endpoint = payload_text(job, "endpoint"), *provider = payload_text(job, "provider");
    const char *fault = payload_text(job, "fault");
    g_autofree char *subject = g_strdup_printf("%s seems to be cut off", endpoint ? endpoint : "An endpoint");
    g_autofree char *text = g_strdup_printf(
        "Messages to %s at %s may not arrive at present, or none may leave: %s.\n\numpctl endpoint test %s asks the provider "
        "again and says more; umpctl doctor checks this side. Nothing that was accepted is lost: it waits. You get one more "
        "mail when it is well again.\n",
        endpoint ? endpoint : "an endpoint", provider ? provider : "its provider", fault ? fault : "no reason is known",
        endpoint ? endpoint : "ENDPOINT");

    return mail_report_notice(context, "endpoint-silent", subject, text, NULL);
}

static GBytes *compose_back(const struct mail_report_context *context, const struct queue_job *job)
{
    const char *endpoint = payload_text(job, "endpoint");
    g_autofree char *subject = g_strdup_printf("%s is well again", endpoint ? endpoint : "An endpoint");
    g_autofree char *text = g_strdup_printf("The provider answers for %s as it should.\n", endpoint ? endpoint : "the endpoint");

    return mail_report_notice(context, "endpoint-back", subject, text, NULL);
}

/* By the kind of the job. */
static const struct {
    const char *kind;
    GBytes *(*compose)(const struct mail_report_context *context, const struct queue_job *job);
} alarms[] = {
    { "alarm", compose_cap },
    { "dead-event", compose_dead_event },
    { "endpoint-silent", compose_silent },
    { "endpoint-back", compose_back },
    { "daily-digest", daily_compose },
};

static gsize alarm_of(const struct queue_job *job)
{
    gsize i = 0;

    while (i < G_N_ELEMENTS(alarms) && strcmp(job->kind, alarms[i].kind) != 0)
        i++;
    return i;
}

static GBytes *compose(const struct receipts *receipts, const struct queue_job *job, const char *id, const char *to)
{
    const char *const *domains = config_get_list(receipts->bridge->config, "gateway", "domains");
    const struct mail_report_context context = {
        .id = id,
        .domain = domains[0],
        .hostname = receipts->bridge->hostname,
        .to_address = to,
        .at = job->created_at,
    };

    return alarms[alarm_of(job)].compose(&context, job);
}

bool alarm_is(const struct queue_job *job)
{
    return alarm_of(job) < G_N_ELEMENTS(alarms);
}

/* Its id is derived: the mail again is the same mail. */
static void tell(struct receipts *receipts, const struct queue_job *job, const char *to, struct deliver_result *result)
{
    g_autofree char *account = g_strdup_printf("%" G_GINT64_FORMAT, job->account_id);
    g_autofree char *what = g_strdup_printf("%" G_GINT64_FORMAT "/%s", job->id, to);
    g_autofree char *id = NULL;
    g_autoptr(GBytes) mail = NULL;
    ids_uuid uuid;

    ids_uuid_derive(&uuid, receipts->bridge->ids, job->created_at, account, "report/alarm", what);
    id = ids_uuid_text(&uuid);
    mail = compose(receipts, job, id, to);
    if (deliver_is_local(receipts->bridge, to))
        deliver_local(receipts->bridge, receipts->lmtp, mail, id, job->account_id, "", to, job->created_at, result);
    else
        deliver_smtp(receipts->bridge, mail, to, result);
    log_info("id", id, "report", job->kind, "to", LOG_ADDRESS(to), "reply", result->reply, "status",
             result->outcome == DELIVERED      ? "reported"
             : result->outcome == DELIVER_LATER ? "deferred"
                                                : "refused");
}

bool alarm_work(struct receipts *receipts, struct queue_job *job)
{
    json_t *to = json_object_get(job->payload, "to");
    bool later = false;

    if (json_array_size(to) == 0)
        log_warning("account", LOG_INT(job->account_id), "who", payload_text(job, "who"), "alarm",
                    payload_text(job, "cap") ? payload_text(job, "cap") : job->kind, "reason",
                    "no user has the role owner or admin", "status", "alarm-not-told");
    for (gsize i = 0; i < json_array_size(to); i++) {
        struct deliver_result result;
        tell(receipts, job, json_string_value(json_array_get(to, i)), &result);
        later = later || result.outcome == DELIVER_LATER;
        g_free(result.reply);
    }
    return !later;
}
