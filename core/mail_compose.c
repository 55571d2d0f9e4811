/* SPDX-License-Identifier: Apache-2.0 */
/* One chat message → one mail, see mail_compose.h. */
#include "core/mail_compose.h"

#include <string.h>

#include "core/error.h"
#include "core/mail_clean.h"
#include "core/mail_compose_text.h"
#include "core/mail_flow.h"
#include "core/mail_write.h"
#include "core/ump_header.h"

#define BOUNDARY_MARK "=_ump-" /* cannot stand in quoted-printable or base64 */

int mail_subject_style_from_name(const char *name)
{
    static const char *const names[] = {"words", "stable", "private"};
    for (guint i = 0; name && i < G_N_ELEMENTS(names); i++)
        if (strcmp(name, names[i]) == 0)
            return (int)i;
    return -1;
}

char *mail_compose_message_id(const char *uuid, const char *domain)
{
    return g_strdup_printf("<ump.%s@%s>", uuid, domain);
}

/* "Bob Jones (SMS)", in a group "Dan Okafor (Ski trip 2027)" */
static char *display_of(const struct ump_message *msg, const struct ump_party *party)
{
    g_autofree char *name = mail_clean_name(party->name, party->address);
    g_autofree char *label = msg->group.id && msg->group.title ? mail_clean_name(msg->group.title, NULL) : NULL;
    if (!label || label[0] == '\0') {
        g_free(label);
        label = mail_channel_label(msg->channel);
    }
    return g_strdup_printf("%s (%s)", name[0] ? name : "unknown", label);
}

static void write_people(GString *out, const struct ump_message *msg, const struct mail_compose_context *context)
{
    g_autofree char *title = mail_compose_partner(msg);
    const char *user = context->user_name;
    if (msg->direction == UMP_OUTBOUND) {
        mail_write_address(out, "From", user, context->user_address);
        if (context->sender_address)
            mail_write_address(out, "Sender", NULL, context->sender_address);
        if (context->group_address) {
            mail_write_address(out, "To", title, context->group_address);
            return;
        }
        const struct ump_party *to = msg->recipients->len > 0 ? msg->recipients->pdata[0] : &msg->sender;
        g_autofree char *display = display_of(msg, to);
        mail_write_address(out, "To", display, context->contact_address);
        return;
    }
    g_autofree char *display = display_of(msg, &msg->sender);
    mail_write_address(out, "From", display, context->contact_address ? context->contact_address : context->group_address);
    if (context->group_address) {
        mail_write_address(out, "Reply-To", title, context->group_address);
        mail_write_address(out, "To", title, context->group_address);
        mail_write_address(out, "Cc", user, context->user_address);
    } else {
        mail_write_address(out, "To", user, context->user_address);
    }
}

static void write_thread(GString *out, const struct ump_message *msg, const struct mail_compose_context *context)
{
    g_autofree char *own = mail_compose_message_id(msg->id, context->domain);
    g_autofree char *partner = mail_compose_partner(msg);
    g_autofree char *topic = g_strdup_printf("Chat with %s", partner);
    g_autofree char *subject = mail_compose_subject(msg, context);
    bool is_anchor = !context->anchor || strcmp(context->anchor, own) == 0;
    mail_write_text(out, "Thread-Topic", topic);
    mail_write_text(out, "Subject", subject);
    mail_write_message_id(out, "Message-ID", own);
    if (context->target || !is_anchor)
        mail_write_message_id(out, "In-Reply-To", context->target ? context->target : context->anchor);
    if (!is_anchor)
        mail_write_message_id(out, "References", context->anchor);
}

static void write_protocol(GString *out, const struct ump_message *msg, const struct mail_compose_context *context)
{
    bool amends = msg->type == UMP_MESSAGE_EDIT || msg->type == UMP_MESSAGE_DELETE;
    struct ump_header header = {
        .version = 1,
        .id = msg->id,
        .channel = msg->channel,
        .provider = msg->provider,
        .endpoint = msg->endpoint_address,
        .direction = (char *)ump_direction_name(msg->direction),
        .type = (char *)ump_message_type_name(msg->type),
        .external_id = msg->external_id,
        .reply_to = amends ? NULL : msg->reply_to ? msg->reply_to : msg->reply_to_external_id,
        .edited = amends ? msg->reply_to : NULL,
        .contact = msg->contact_new ? (char *)"new" : NULL,
        .group = msg->group.id,
        .from = msg->sender.address && msg->sender.address[0] != '+' ? msg->sender.address : NULL,
    };
    g_autofree char *value = ump_header_format(&header);
    mail_write_structured(out, UMP_HEADER_FIELD, value ? value : "v=1");
    if (msg->conversation_id)
        mail_write_structured(out, UMP_HEADER_CONVERSATION, msg->conversation_id);
    const char *const own[] = {msg->channel, NULL};
    g_autofree char *preference = ump_preference_format(context->channel_preference ? context->channel_preference : own);
    if (preference && preference[0])
        mail_write_structured(out, UMP_HEADER_PREFERENCE, preference);
}

static bool fits_76(const char *text)
{
    for (const char *p = text; *p != '\0';) {
        gsize len = strcspn(p, "\n");
        if (len > 76)
            return false;
        p += len + (p[len] == '\n');
    }
    return true;
}

/* A text part with its headers; type without parameters of its own. */
static void write_text_part(GString *out, const char *type, const char *text)
{
    mail_write_structured(out, "Content-Type", type);
    if (mail_text_is_7bit(text) && fits_76(text) && !strstr(text, BOUNDARY_MARK)) {
        mail_write_structured(out, "Content-Transfer-Encoding", "7bit");
        g_string_append(out, "\r\n");
        for (const char *p = text; *p != '\0';) {
            gsize len = strcspn(p, "\n");
            g_string_append_len(out, p, (gssize)len);
            g_string_append(out, "\r\n");
            p += len + (p[len] == '\n');
        }
    } else {
        mail_write_structured(out, "Content-Transfer-Encoding", "quoted-printable");
        g_string_append(out, "\r\n");
        mail_write_quoted_printable(out, text, strlen(text));
    }
}

static void write_flowed_part(GString *out, const char *body)
{
    g_autofree char *flowed = mail_flow(body);
    write_text_part(out, "text/plain; charset=utf-8; format=flowed; delsp=yes", flowed);
}

static void write_media_part(GString *out, const struct ump_media *media, guint number)
{
    g_autofree char *type = mail_clean_type(media->type), *name = mail_compose_media_name(media, number);
    bool image = g_str_has_prefix(type, "image/") && !g_str_has_prefix(type, "image/svg");
    mail_write_param(out, "Content-Type", type, "name", name);
    mail_write_param(out, "Content-Disposition", image ? "inline" : "attachment", "filename", name);
    if (media->caption && media->caption[0])
        mail_write_text(out, "Content-Description", media->caption);
    mail_write_structured(out, "Content-Transfer-Encoding", "base64");
    g_string_append(out, "\r\n");
    gsize size;
    const void *data = g_bytes_get_data(media->content, &size);
    mail_write_base64(out, data, size);
}

static void append_vcard_text(GString *out, const char *text)
{
    g_autofree char *line = mail_clean_line(text, 200);
    for (const char *p = line; *p != '\0'; p++) {
        if (*p == ',' || *p == ';' || *p == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *p);
    }
}

static void write_card_part(GString *out, const struct ump_card *card, guint number)
{
    g_autofree char *given = card->vcard ? g_utf8_make_valid(card->vcard, -1) : NULL;
    g_autoptr(GString) made = g_string_new("BEGIN:VCARD\nVERSION:3.0\nFN:");
    append_vcard_text(made, card->name ? card->name : "unnamed");
    g_string_append(made, "\nN:");
    append_vcard_text(made, card->name ? card->name : "unnamed");
    g_string_append(made, ";;;;\n");
    for (guint i = 0; i < card->phones->len; i++) {
        g_string_append(made, "TEL:");
        append_vcard_text(made, card->phones->pdata[i]);
        g_string_append_c(made, '\n');
    }
    g_string_append(made, "END:VCARD\n");
    g_autofree char *clean = mail_clean_filename(card->name);
    g_autofree char *name = clean[0] ? g_strdup_printf("%s.vcf", clean) : g_strdup_printf("contact-%u.vcf", number);
    const char *text = given ? given : made->str;
    mail_write_param(out, "Content-Type", "text/vcard; charset=utf-8", "name", name);
    mail_write_param(out, "Content-Disposition", "attachment", "filename", name);
    mail_write_structured(out, "Content-Transfer-Encoding", "quoted-printable");
    g_string_append(out, "\r\n");
    mail_write_quoted_printable(out, text, strlen(text));
}

static guint parts_of(const struct ump_message *msg)
{
    guint n = msg->cards->len;
    for (guint i = 0; i < msg->media->len; i++)
        n += ((const struct ump_media *)msg->media->pdata[i])->content != NULL;
    return n;
}

static void write_multipart(GString *out, const struct ump_message *msg, const char *body)
{
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, msg->id, -1);
    g_autofree char *boundary = g_strdup_printf(BOUNDARY_MARK "%.32s", digest);
    mail_write_param(out, "Content-Type", "multipart/mixed", "boundary", boundary);
    g_string_append_c(out, '\r');
    g_string_append_c(out, '\n');
    if (body[0] != '\0') {
        g_string_append_printf(out, "--%s\r\n", boundary);
        write_flowed_part(out, body);
    }
    for (guint i = 0; i < msg->media->len; i++) {
        const struct ump_media *media = msg->media->pdata[i];
        if (!media->content)
            continue;
        g_string_append_printf(out, "\r\n--%s\r\n", boundary);
        write_media_part(out, media, i + 1);
    }
    for (guint i = 0; i < msg->cards->len; i++) {
        g_string_append_printf(out, "\r\n--%s\r\n", boundary);
        write_card_part(out, msg->cards->pdata[i], i + 1);
    }
    g_string_append_printf(out, "\r\n--%s--\r\n", boundary);
}

/* RFC 9078: one single part whose body is the emoji; what cannot be one is told in words. */
static bool write_reaction(GString *out, const struct ump_message *msg)
{
    g_autofree char *emoji = mail_clean_line(msg->reaction, 16);
    if (msg->type != UMP_MESSAGE_REACTION || msg->reaction_removed || emoji[0] == '\0' || strchr(emoji, ' '))
        return false;
    mail_write_structured(out, "Content-Disposition", "reaction");
    write_text_part(out, "text/plain; charset=utf-8", emoji);
    return true;
}

static int missing(const struct ump_message *msg, const struct mail_compose_context *context, GError **error)
{
    const struct {
        const char *value, *name;
    } needed[] = {{msg->id, "id"},
              {msg->channel, "channel"},
              {context->domain, "domain"},
              {context->user_address, "user address"},
              {context->contact_address ? context->contact_address : context->group_address, "contact address"}};
    for (guint i = 0; i < G_N_ELEMENTS(needed); i++)
        if (!needed[i].value || needed[i].value[0] == '\0') {
            g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "cannot compose a mail without %s", needed[i].name);
            return -1;
        }
    return 0;
}

int mail_compose(const struct ump_message *msg, const struct mail_compose_context *context, GBytes **mail, GError **error)
{
    if (missing(msg, context, error) < 0)
        return -1;
    GString *out = g_string_sized_new(4096);
    if (context->stamp)
        mail_write_structured(out, "UMP-Stamp", context->stamp);
    mail_write_date(out, "Date", msg->occurred_at);
    write_people(out, msg, context);
    write_thread(out, msg, context);
    if (msg->urgent)
        mail_write_structured(out, "Importance", "high");
    write_protocol(out, msg, context);
    mail_write_structured(out, "MIME-Version", "1.0");
    if (!write_reaction(out, msg)) {
        g_autofree char *body = mail_compose_body(msg, context);
        if (parts_of(msg) > 0)
            write_multipart(out, msg, body);
        else
            write_flowed_part(out, body);
    }
    *mail = g_string_free_to_bytes(out);
    return 0;
}
