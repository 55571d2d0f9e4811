/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a member sent from the team's number, filed in the team's mailbox with Sender: the member.
 * Its UMP-Header says direction=outbound: by this the Sieve sample marks it \Seen.
 */
#include <string.h>

#include "bridge/gateway.h"
#include "bridge/receipts/internal.h"
#include "core/error.h"
#include "core/mail_compose.h"

static void add_media(struct receipts *receipts, const struct report *report, struct ump_message *message)
{
    const json_t *list = json_object_get(report->metadata, "media"), *item;
    size_t i;

    json_array_foreach(list, i, item) {
        struct ump_media *media = ump_media_new();
        media->sha256 = g_strdup(json_string_value(json_object_get(item, "sha256")));
        media->type = g_strdup(json_string_value(json_object_get(item, "type")));
        media->name = g_strdup(json_string_value(json_object_get(item, "name")));
        if (media->sha256)
            media->content = media_store_read(receipts->bridge->media, media->sha256, NULL);
        if (!media->content)
            media->error = g_strdup("it is no longer kept");
        g_ptr_array_add(message->media, media);
    }
}

static struct ump_message *message_of(struct receipts *receipts, const struct report *report)
{
    struct ump_message *message = ump_message_new();
    int type = ump_message_type_from_name(report_text(report, "type"));

    message->id = g_strdup(report->id);
    message->account_id = g_strdup_printf("%" G_GINT64_FORMAT, report->job->account_id);
    message->conversation_id = g_strdup(report_text(report, "conversation_id"));
    message->endpoint_id = g_strdup(report_text(report, "endpoint_id"));
    message->endpoint_address = g_strdup(report_text(report, "endpoint_address"));
    message->channel = g_strdup(report_text(report, "channel"));
    message->provider = g_strdup(report_text(report, "provider"));
    message->direction = UMP_OUTBOUND;
    message->type = type >= 0 ? (enum ump_message_type)type : UMP_MESSAGE_TEXT;
    message->sender.address = g_strdup(report_text(report, "endpoint_address"));
    message->sender.name = g_strdup(report_text(report, "sender_name"));
    message->text = g_strdup(report_text(report, "body"));
    message->occurred_at = db_rows_time_of(report->rows, 0, "occurred_at");
    g_ptr_array_add(message->recipients, ump_party_new(report->recipient, report_text(report, "contact_name")));
    add_media(receipts, report, message);
    return message;
}

GBytes *team_copy_compose(struct receipts *receipts, const struct report *report, GError **error)
{
    g_autoptr(ump_message) message = message_of(receipts, report);
    const char *anchor = report_text(report, "mail_anchor");
    const bool group = g_str_has_prefix(report->recipient_address, "g.");
    const struct mail_compose_context context = {
        .domain = report->domain,
        .user_address = report_text(report, "owner_mailbox"),
        .user_name = report_text(report, "owner_name"),
        .contact_address = report->recipient_address,
        .group_address = group ? report->recipient_address : NULL,
        .sender_address = report_text(report, "sender_mailbox"),
        .anchor = anchor ? anchor : report_text(report, "mail_message_id"),
        .target = report_meta(report, "in_reply_to"),
    };
    GBytes *mail = NULL;

    if (mail_compose(message, &context, &mail, error) < 0)
        return NULL;
    return mail;
}
