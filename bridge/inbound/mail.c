/* SPDX-License-Identifier: Apache-2.0 */
/* The message's mail (MAIL.md), and its way into the mailbox. */
#include <string.h>

#include "bridge/gateway.h"
#include "bridge/inbound/internal.h"
#include "core/mail_compose.h"

/* What the database knows better than the event: names, conversation, whether the contact is new. */
static void complete(struct ump_message *message, const struct endpoint *endpoint, struct db_rows *stored)
{
    const char *name = db_rows_text_of(stored, 0, "contact_name");
    const char *title = db_rows_text_of(stored, 0, "group_title");
    struct ump_party *party = message->direction == UMP_OUTBOUND && message->recipients->len > 0
                                  ? message->recipients->pdata[0]
                                  : &message->sender;

    if (name) {
        g_free(party->name);
        party->name = g_strdup(name);
    }
    if (title) {
        g_free(message->group.title);
        message->group.title = g_strdup(title);
    }
    g_free(message->account_id);
    message->account_id = g_strdup_printf("%" G_GINT64_FORMAT, endpoint->channel.account_id);
    g_free(message->conversation_id);
    message->conversation_id = g_strdup(db_rows_text_of(stored, 0, "conversation_id"));
    g_free(message->reply_to);
    message->reply_to = g_strdup(db_rows_text_of(stored, 0, "reply_id"));
    message->contact_new = db_rows_bool_of(stored, 0, "contact_new");
}

void inbound_mail(struct inbound_item *item, struct ump_message *message, struct db_rows *stored,
                  struct deliver_result *result)
{
    struct inbound *inbound = item->lane->inbound;
    const struct channel_endpoint *endpoint = &item->endpoint->channel;
    const char *group = db_rows_text_of(stored, 0, "group_address");
    const char *mailbox = db_rows_text_of(stored, 0, "mailbox");
    const char *contact = message->direction == UMP_OUTBOUND && message->recipients->len > 0
                              ? ((struct ump_party *)message->recipients->pdata[0])->address
                              : message->sender.address;
    g_autofree char *contact_address = gateway_address(contact, message->channel, endpoint->domain);
    g_autofree char *group_address = group ? gateway_group_address(group, message->channel, endpoint->domain) : NULL;
    g_autoptr(GBytes) mail = NULL;
    g_autoptr(GError) error = NULL;
    int style = mail_subject_style_from_name(db_rows_text_of(stored, 0, "subject_style"));

    if (!mailbox) {
        *result = (struct deliver_result){ DELIVER_REFUSED, false, g_strdup("the endpoint's owner has no mailbox") };
        return;
    }
    inbound_media_fit(inbound, message);
    complete(message, item->endpoint, stored);
    const struct mail_compose_context context = {
        .domain = endpoint->domain,
        .user_address = mailbox,
        .user_name = db_rows_text_of(stored, 0, "owner_name"),
        .contact_address = contact_address,
        .group_address = group_address,
        .anchor = db_rows_text_of(stored, 0, "anchor"),
        .target = db_rows_text_of(stored, 0, "in_reply_to"),
        .target_text = db_rows_text_of(stored, 0, "reply_text"),
        .subject_style = style >= 0 ? (enum mail_subject_style)style : MAIL_SUBJECT_WORDS,
    };
    if (mail_compose(message, &context, &mail, &error) < 0) {
        *result = (struct deliver_result){ DELIVER_REFUSED, false, g_strdup(error->message) };
        return;
    }
    deliver_local(inbound->bridge, inbound->lmtp, mail, message->id, endpoint->account_id, contact_address, mailbox,
                  message->occurred_at, result);
}
