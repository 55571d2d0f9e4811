/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what a network says of a message (FAILURES T29): the mail has exactly the headers that it should. */
#include <stdint.h>
#include <string.h>

#include "core/mail_compose.h"
#include "core/mail_header.h"
#include "core/mail_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const char *p, *end;
};

/* The next piece up to 0xF8, a byte that is in no UTF-8. */
static char *take(struct input *in)
{
    const char *stop = memchr(in->p, 0xF8, (size_t)(in->end - in->p));
    const char *end = stop ? stop : in->end;
    char *piece = g_strndup(in->p, (gsize)(end - in->p));
    in->p = stop ? stop + 1 : in->end;
    return piece;
}

static struct ump_message *make(struct input *in)
{
    struct ump_message *msg = ump_message_new();
    msg->id = g_strdup("01890000-0000-7000-8000-000000000001");
    msg->channel = g_strdup("sms");
    g_autofree char *kind = take(in);
    msg->type = (enum ump_message_type)((guchar)kind[0] % (UMP_MESSAGE_GROUP_EVENT + 1));
    msg->direction = (guchar)kind[0] & 0x80 ? UMP_OUTBOUND : UMP_INBOUND;
    char **fields[] = {&msg->text, &msg->sender.name, &msg->sender.address, &msg->subject, &msg->external_id, &msg->reaction, &msg->group.title,
                       &msg->group.id, &msg->native_type, &msg->provider, &msg->endpoint_address, &msg->reply_to, &msg->conversation_id,
                       &msg->location.name};
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
        *fields[i] = take(in);
    struct ump_media *media = ump_media_new();
    media->type = take(in);
    media->name = take(in);
    media->caption = take(in);
    media->error = take(in);
    if (!media->error[0])
        media->content = g_bytes_new_static("x", 1);
    g_ptr_array_add(msg->media, media);
    return msg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const allowed[] = {
        "Date", "From", "To", "Reply-To", "Cc", "Thread-Topic", "Subject", "Message-ID", "In-Reply-To", "References", "UMP-Header",
        "UMP-Conversation-ID", "UMP-Channel-Preference", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Content-Disposition"};
    struct input in = {(const char *)data, (const char *)data + size};
    g_autoptr(ump_message) msg = make(&in);
    g_autofree char *name = take(&in), *target = take(&in), *quoted = take(&in);
    const struct mail_compose_context context = {.domain = "example.org", .user_address = "alice@example.org", .user_name = name,
                                                 .contact_address = "+1@sms.example.org", .anchor = target, .target = target, .target_text = quoted};
    g_autoptr(GBytes) mail = NULL;
    g_assert(mail_compose(msg, &context, &mail, NULL) == 0);
    gsize len;
    const char *text = g_bytes_get_data(mail, &len);
    g_auto(mail_header) header = {0};
    mail_header_scan(&header, text, len);
    for (guint i = 0; i < header.fields->len; i++) {
        const struct mail_field *field = &g_array_index(header.fields, struct mail_field, i);
        bool known = false;
        for (guint k = 0; k < G_N_ELEMENTS(allowed) && !known; k++)
            known = mail_field_is(field, allowed[k]) && mail_header_count(&header, allowed[k]) == 1;
        g_assert(known);
    }
    g_autoptr(parsed_mail) parsed = NULL;
    g_assert(mail_parse(text, len, NULL, &parsed, NULL) == 0);
    g_assert(parsed->from_state == MAIL_FROM_OK && parsed->auto_class == MAIL_AUTO_NONE);
    return 0;
}
