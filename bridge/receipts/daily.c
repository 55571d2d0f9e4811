/* SPDX-License-Identifier: Apache-2.0 */
/* The daily digest: the records of ump.stats in words, one paragraph per endpoint and day. */
#include "bridge/receipts/internal.h"

static gint64 number(const json_t *record, const char *key)
{
    return json_integer_value(json_object_get(record, key));
}

static const char *word(const json_t *record, const char *key)
{
    const char *text = json_string_value(json_object_get(record, key));

    return text ? text : "";
}

static void add_seconds(GString *out, gint64 ms)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append(out, g_ascii_formatd(text, sizeof text, ms < 10000 ? "%.1f s" : "%.0f s", (double)ms / 1000));
}

/* ", taken by the provider after 0.2 s (95 of 100 within 0.9 s)" */
static void add_time(GString *out, const json_t *record, const char *what, const char *half, const char *most)
{
    if (!json_is_integer(json_object_get(record, half)))
        return;
    g_string_append_printf(out, ", %s after ", what);
    add_seconds(out, number(record, half));
    g_string_append(out, " (95 of 100 within ");
    add_seconds(out, number(record, most));
    g_string_append_c(out, ')');
}

static void add_amount(GString *out, double amount, const char *currency)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append(out, g_ascii_formatd(text, sizeof text, "%.4f", amount));
    g_string_append_printf(out, "%s%s", *currency ? " " : "", currency);
}

static void add_cost(GString *out, const json_t *record)
{
    json_t *cost = json_object_get(record, "cost"), *amount;
    const char *currency, *between = "";

    if (json_is_number(cost)) {
        g_string_append(out, "Cost: ");
        add_amount(out, json_number_value(cost), word(record, "currency"));
        g_string_append(out, ".\n");
    } else if (json_is_object(json_object_get(record, "costs"))) {
        g_string_append(out, "Cost: ");
        json_object_foreach(json_object_get(record, "costs"), currency, amount) {
            g_string_append(out, between);
            add_amount(out, json_number_value(amount), currency);
            between = ", ";
        }
        g_string_append(out, ".\n");
    }
}

static void add_failures(GString *out, const json_t *record)
{
    const struct channel_ops *ops = channel_find(word(record, "provider"));
    const char *code;
    json_t *count;

    if (number(record, "failed") > 0)
        g_string_append_printf(out, "Failed: %" G_GINT64_FORMAT ".\n", number(record, "failed"));
    json_object_foreach(json_object_get(record, "reasons"), code, count) {
        const struct channel_error *error = channel_error_any(ops, code);
        g_string_append_printf(out, "- %" JSON_INTEGER_FORMAT ": %s%s%s%s\n", json_integer_value(count),
                               error ? error->reason : "The provider says no more than ", error ? " (" : "",
                               g_str_equal(code, "?") ? "that" : code, error ? ")" : ".");
    }
}

static void add_rest(GString *out, const json_t *record)
{
    static const struct {
        const char *key, *words;
    } rest[] = {
        { "uncertain", "Perhaps sent, the provider did not say" },
        { "waiting", "Not sent yet" },
        { "cancelled", "Cancelled" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rest); i++)
        if (number(record, rest[i].key) > 0)
            g_string_append_printf(out, "%s: %" G_GINT64_FORMAT ".\n", rest[i].words, number(record, rest[i].key));
}

static void add_sent(GString *out, const json_t *record)
{
    g_string_append_printf(out, "Sent: %" G_GINT64_FORMAT, number(record, "sent"));
    if (json_is_integer(json_object_get(record, "segments")))
        g_string_append_printf(out, " (%" G_GINT64_FORMAT " SMS)", number(record, "segments"));
    add_time(out, record, "taken by the provider", "send_ms_p50", "send_ms_p95");
    g_string_append_printf(out, ".\nDelivered, as far as the network says: %" G_GINT64_FORMAT, number(record, "delivered"));
    add_time(out, record, "at the recipient's", "arrive_ms_p50", "arrive_ms_p95");
    g_string_append(out, ".\n");
    if (number(record, "read") > 0)
        g_string_append_printf(out, "Read: %" G_GINT64_FORMAT ".\n", number(record, "read"));
}

static void add_record(GString *out, const json_t *record)
{
    g_string_append_printf(out, "%s (%s), %s\nReceived: %" G_GINT64_FORMAT, word(record, "endpoint"), word(record, "provider"),
                           word(record, "day"), number(record, "received"));
    add_time(out, record, "in the mailbox", "inbound_ms_p50", "inbound_ms_p95");
    g_string_append(out, ".\n");
    add_sent(out, record);
    add_failures(out, record);
    add_rest(out, record);
    add_cost(out, record);
    g_string_append_c(out, '\n');
}

static char *subject_of(const json_t *records, const char *first, const char *last)
{
    gint64 received = 0, sent = 0, failed = 0;
    size_t i;
    json_t *record;

    json_array_foreach(records, i, record) {
        received += number(record, "received");
        sent += number(record, "sent");
        failed += number(record, "failed");
    }
    return g_strdup_printf("%s%s%s: %" G_GINT64_FORMAT " received, %" G_GINT64_FORMAT " sent, %" G_GINT64_FORMAT " failed", first,
                           g_str_equal(first, last) ? "" : " to ", g_str_equal(first, last) ? "" : last, received, sent, failed);
}

GBytes *daily_compose(const struct mail_report_context *context, const struct queue_job *job)
{
    const json_t *records = json_object_get(job->payload, "records");
    g_autofree char *subject = subject_of(records, word(job->payload, "first"), word(job->payload, "last"));
    g_autoptr(GString) text = g_string_new(NULL);
    size_t i;
    json_t *record;

    json_array_foreach(records, i, record)
        add_record(text, record);
    g_string_append_printf(text, "Days begin at midnight in %s. A message counts for the day on which it came to the gateway. Whoever "
                                 "administers it can end these mails: umpctl endpoint set ENDPOINT --set digest=no.\n",
                           word(job->payload, "zone"));
    return mail_report_notice(context, "daily-digest", subject, text->str, NULL);
}
