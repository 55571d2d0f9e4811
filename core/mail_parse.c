/* SPDX-License-Identifier: Apache-2.0 */
/* Raw mail → plain struct, see mail_parse.h. */
#include "core/mail_parse.h"

#include <string.h>

#include "core/convert.h"
#include "core/error.h"
#include "core/mail_body.h"
#include "core/mail_clean.h"
#include "core/mail_gmime.h"
#include "core/mail_header.h"
#include "core/media_type.h"
#include "core/ump_header.h"

enum { ADDRESSES_MAX = 1000, REFERENCES_MAX = 100, IDS_SCANNED_MAX = 4000 };

void mail_address_free(struct mail_address *address)
{
    if (!address)
        return;
    g_free(address->name);
    g_free(address->address);
    g_free(address);
}

static void attachment_free(struct mail_attachment *attachment)
{
    g_free(attachment->name);
    g_free(attachment->type);
    g_free(attachment->content_id);
    g_bytes_unref(attachment->content);
    g_free(attachment);
}

bool mail_attachment_is_media(const struct mail_attachment *attachment)
{
    static const char *const never[] = {"application/pgp-signature", "application/pkcs7-signature",
                                        "application/x-pkcs7-signature", "application/ms-tnef", "text/calendar",
                                        "application/pgp-keys", NULL};

    return !g_strv_contains(never, attachment->type);
}

const char *mail_attachment_type(const struct mail_attachment *attachment)
{
    gsize length;
    const void *data = g_bytes_get_data(attachment->content, &length);

    return media_type_of(attachment->type, data, length);
}

static bool is_convertible(const struct mail_attachment *attachment)
{
    return convert_kind_of(mail_attachment_type(attachment)) != CONVERT_NOTHING;
}

gint64 parsed_mail_convertible(const struct parsed_mail *mail)
{
    gint64 bytes = 0;

    for (guint i = 0; i < mail->attachments->len; i++) {
        const struct mail_attachment *attachment = g_ptr_array_index(mail->attachments, i);
        if (mail_attachment_is_media(attachment) && is_convertible(attachment))
            bytes += (gint64)g_bytes_get_size(attachment->content);
    }
    return bytes;
}

gint64 parsed_mail_largest(const struct parsed_mail *mail)
{
    gint64 largest = 0;

    for (guint i = 0; i < mail->attachments->len; i++) {
        const struct mail_attachment *attachment = g_ptr_array_index(mail->attachments, i);
        if (mail_attachment_is_media(attachment) && !is_convertible(attachment))
            largest = MAX(largest, (gint64)g_bytes_get_size(attachment->content));
    }
    return largest;
}

guint parsed_mail_media(const struct parsed_mail *mail, gint64 *bytes)
{
    guint count = 0;

    *bytes = 0;
    for (guint i = 0; i < mail->attachments->len; i++) {
        const struct mail_attachment *attachment = g_ptr_array_index(mail->attachments, i);
        if (!mail_attachment_is_media(attachment))
            continue;
        count++;
        *bytes += (gint64)g_bytes_get_size(attachment->content);
    }
    return count;
}

void parsed_mail_free(struct parsed_mail *mail)
{
    if (!mail)
        return;
    char *strings[] = {mail->from, mail->from_name, mail->sender, mail->subject, mail->message_id, mail->in_reply_to,
               mail->read_report_to, mail->ump_from, mail->ump_template, mail->text, mail->html, mail->reaction};
    for (guint i = 0; i < G_N_ELEMENTS(strings); i++)
        g_free(strings[i]);
    GPtrArray *arrays[] = {mail->to, mail->cc, mail->reply_to, mail->attachments};
    for (guint i = 0; i < G_N_ELEMENTS(arrays); i++)
        g_ptr_array_unref(arrays[i]);
    g_strfreev(mail->references);
    g_strfreev(mail->channel_preference);
    g_free(mail);
}

static GPtrArray *addresses_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)mail_address_free);
}

static void read_from(const struct mail_header *header, struct parsed_mail *mail)
{
    g_autofree char *value = mail_header_get(header, "From");
    mail->from_state = mail_from_check(value, mail_header_count(header, "From"), &mail->from);
    if (mail->from_state != MAIL_FROM_OK)
        return;
    g_autoptr(GPtrArray) list = addresses_new();
    mail_gmime_addresses(value, list, 2);
    const struct mail_address *first = list->len == 1 ? list->pdata[0] : NULL;
    if (first && g_ascii_strcasecmp(first->address, mail->from) == 0)
        mail->from_name = g_strdup(first->name);
}

static char *first_address(const struct mail_header *header, const char *name)
{
    g_autofree char *value = mail_header_get(header, name);
    g_autoptr(GPtrArray) list = addresses_new();
    if (value)
        mail_gmime_addresses(value, list, 1);
    return list->len > 0 ? g_strdup(((struct mail_address *)list->pdata[0])->address) : NULL;
}

static void read_addresses(const struct mail_header *header, const char *name, GPtrArray *out)
{
    for (const struct mail_field *f = mail_header_find(header, name, NULL); f && out->len < ADDRESSES_MAX;
         f = mail_header_find(header, name, f)) {
        g_autofree char *value = mail_field_value(f);
        mail_gmime_addresses(value, out, ADDRESSES_MAX);
    }
}

static char *first_id(const struct mail_header *header, const char *name)
{
    g_autofree char *value = mail_header_get(header, name);
    g_auto(GStrv) ids = value ? mail_message_ids(value, 1) : NULL;
    return ids && ids[0] ? g_strdup(ids[0]) : NULL;
}

static char **read_references(const struct mail_header *header)
{
    g_autofree char *value = mail_header_get(header, "References");
    g_auto(GStrv) ids = mail_message_ids(value ? value : "", IDS_SCANNED_MAX);
    guint n = g_strv_length(ids), from = n > REFERENCES_MAX ? n - REFERENCES_MAX : 0;
    return g_strdupv(ids + from);
}

static char *clean_value(const struct mail_header *header, const char *name, gsize max_chars)
{
    g_autofree char *value = mail_header_get(header, name);
    if (!value)
        return NULL;
    g_autofree char *decoded = mail_gmime_decode_text(value);
    return mail_clean_line(decoded, max_chars);
}

static gint64 date_value(const struct mail_header *header, const char *name)
{
    g_autofree char *value = mail_header_get(header, name);
    return value ? mail_gmime_date(value) : 0;
}

static bool is_urgent(const struct mail_header *header)
{
    g_autofree char *importance = mail_header_get(header, "Importance");
    g_autofree char *priority = mail_header_get(header, "X-Priority");
    g_autofree char *plain = mail_header_get(header, "Priority");
    return (importance && g_ascii_strncasecmp(importance, "high", 4) == 0) ||
           (priority && (priority[0] == '1' || priority[0] == '2')) ||
           (plain && g_ascii_strncasecmp(plain, "urgent", 6) == 0);
}

static void classify(const struct mail_header *header, struct parsed_mail *mail)
{
    struct mail_auto state;
    mail_auto_init(&state, NULL);
    for (guint i = 0; i < header->fields->len; i++) {
        const struct mail_field *field = &g_array_index(header->fields, struct mail_field, i);
        if (field->name_len == 0 || field->name_len > 100)
            continue;
        g_autofree char *name = g_strndup(field->name, field->name_len);
        g_autofree char *value = mail_field_value(field);
        mail_auto_field(&state, name, value);
    }
    mail->auto_class = mail_auto_finish(&state);
    mail->auto_reason = state.reason;
}

static void read_header(const struct mail_header *header, struct parsed_mail *mail)
{
    read_from(header, mail);
    mail->sender = first_address(header, "Sender");
    read_addresses(header, "To", mail->to);
    read_addresses(header, "Cc", mail->cc);
    read_addresses(header, "Reply-To", mail->reply_to);
    mail->subject = clean_value(header, "Subject", 2000);
    mail->message_id = first_id(header, "Message-ID");
    mail->in_reply_to = first_id(header, "In-Reply-To");
    mail->references = read_references(header);
    mail->date = date_value(header, "Date");
    mail->deferred_until = date_value(header, "Deferred-Delivery");
    if (mail->deferred_until == 0 && mail_header_count(header, "Deferred-Delivery") > 0)
        mail->deferred_until = -1;
    mail->urgent = is_urgent(header);
    mail->read_report_to = first_address(header, "Disposition-Notification-To");
    mail->read_report = mail->read_report_to != NULL;
    mail->ump_from = clean_value(header, UMP_HEADER_FROM, 320);
    mail->ump_template = clean_value(header, UMP_HEADER_TEMPLATE, 320);
    g_autofree char *preference = mail_header_get(header, UMP_HEADER_PREFERENCE);
    if (preference)
        mail->channel_preference = ump_preference_parse(preference, strlen(preference));
    if (!mail->channel_preference)
        mail->channel_preference = g_new0(char *, 1);
    classify(header, mail);
}

static void read_body(const char *data, gsize len, struct parsed_mail *mail)
{
    struct mail_body body = {.attachments = mail->attachments};
    mail_body_read(data, len, &body);
    if (body.text)
        mail->text = g_string_free(g_steal_pointer(&body.text), FALSE);
    if (body.html)
        mail->html = g_string_free(g_steal_pointer(&body.html), FALSE);
    mail->reaction = g_steal_pointer(&body.reaction);
    mail->reaction_removed = body.reaction_removed;
    mail->is_flowed = body.is_flowed;
    mail->is_encrypted = body.is_encrypted;
    mail->is_signed = body.is_signed;
    mail->is_report = body.is_report;
    mail->is_calendar = body.is_calendar;
    mail->is_forward = body.is_forward;
    mail->has_tnef = body.has_tnef;
    mail_body_clear(&body);
}

int mail_parse(const char *data, gsize len, const struct mime_limits *limits, struct parsed_mail **out, GError **error)
{
    enum mime_limits_outcome outcome = mime_limits_check(data, len, limits);
    if (outcome != MIME_LIMITS_OK)
        return (int)outcome;
    g_auto(mail_header) header = {0};
    mail_header_scan(&header, data, len);
    if (header.fields->len == 0) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "the message has no header");
        return -1;
    }
    struct parsed_mail *mail = g_new0(struct parsed_mail, 1);
    mail->to = addresses_new();
    mail->cc = addresses_new();
    mail->reply_to = addresses_new();
    mail->attachments = g_ptr_array_new_with_free_func((GDestroyNotify)attachment_free);
    read_header(&header, mail);
    read_body(data, len, mail);
    *out = mail;
    return 0;
}
