/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/mail.h"

#include <string.h>

#include "core/ids.h"
#include "core/mail_header.h"

static void recipient_free(gpointer data)
{
    struct mail_recipient *r = data;
    g_free(r->envelope);
    g_free(r->address);
    g_free(r->id);
    g_free(r->channel);
    g_strfreev(r->members);
    g_free(r);
}

static void field_clear(gpointer data)
{
    struct mail_field_value *field = data;
    g_free(field->name);
    g_free(field->value);
}

struct mail *mail_new(const char *client, bool local, const char *login, const char *sender, const char *hostname)
{
    struct mail *mail = g_new0(struct mail, 1);
    mail->txn = ids_new();
    mail->client = g_strdup(client);
    mail->local = local;
    mail->login = login != NULL && *login != '\0' ? g_strdup(login) : NULL;
    mail->sender = g_strdup(sender);
    mail->recipients = g_ptr_array_new_with_free_func(recipient_free);
    mail->fields = g_array_new(FALSE, FALSE, sizeof(struct mail_field_value));
    g_array_set_clear_func(mail->fields, field_clear);
    mail->body = g_byte_array_new();
    mail_auto_init(&mail->automatic, hostname);
    mail_auto_envelope(&mail->automatic, mail->sender);
    return mail;
}

void mail_free(struct mail *mail)
{
    if (mail == NULL)
        return;
    g_free(mail->queue_id);
    g_free(mail->txn);
    g_free(mail->login);
    g_free(mail->client);
    g_free(mail->sender);
    g_ptr_array_free(mail->recipients, TRUE);
    g_array_free(mail->fields, TRUE);
    g_byte_array_free(mail->body, TRUE);
    g_free(mail);
}

/* ---- Envelope ---- */

char *mail_strip_brackets(const char *path)
{
    const char *start = path;
    size_t length = strlen(path);
    if (*start == '<') {
        const char *end = strrchr(start, '>');
        start++;
        length = end != NULL ? (size_t)(end - start) : strlen(start);
    }
    if (length > 0 && *start == '@') { /* <@relay,@other:user@host> */
        const char *colon = memchr(start, ':', length);
        if (colon != NULL) {
            length -= (size_t)(colon + 1 - start);
            start = colon + 1;
        }
    }
    return g_strndup(start, length);
}

const char *mail_domain_of(const char *address)
{
    const char *at = strrchr(address, '@');
    return at != NULL ? at + 1 : "";
}

static bool is_gateway(const char *domain, size_t length, const struct address_space *space)
{
    while (length > 0 && domain[length - 1] == '.') /* sms.example.org. */
        length--;
    return length > 0 && address_is_gateway_domain(domain, length, space);
}

bool mail_concerns_gateway(const char *address, const struct address_space *space)
{
    const char *domain = mail_domain_of(address);
    if (is_gateway(domain, strlen(domain), space))
        return true;
    const char *end = *domain != '\0' ? domain - 1 : address + strlen(address);
    for (const char *p = address; p < end; p++) {
        if (*p != '%' && *p != '@' && *p != '!' && p != address)
            continue;
        const char *start = *p == '%' || *p == '@' || *p == '!' ? p + 1 : p;
        size_t length = strcspn(start, "%@!\"\\");
        if (is_gateway(start, MIN(length, (size_t)(end - start)), space))
            return true;
    }
    return false;
}

struct mail_recipient *mail_add_recipient(struct mail *mail, const char *envelope, char *address, bool gateway)
{
    struct mail_recipient *r = g_new0(struct mail_recipient, 1);
    r->envelope = g_strdup(envelope);
    r->address = address;
    r->gateway = gateway;
    g_ptr_array_add(mail->recipients, r);
    mail->gateways += gateway;
    return r;
}

/* ---- Content ---- */

void mail_add_field(struct mail *mail, const char *name, const char *value)
{
    struct mail_field_value field = {g_strdup(name), g_strdup(value)};
    g_array_append_val(mail->fields, field);
    mail->size += (gint64)(strlen(name) + strlen(value) + 4);
    mail_auto_field(&mail->automatic, name, value);
    if (g_ascii_strncasecmp(name, "UMP-", 4) == 0)
        mail->ump_fields++;
    if (g_ascii_strcasecmp(name, "From") == 0 && mail->from_count++ == 0)
        mail->from = field.value;
    if (g_ascii_strcasecmp(name, "Message-ID") == 0 && mail->message_id == NULL)
        mail->message_id = field.value;
}

void mail_add_body(struct mail *mail, const void *data, size_t length)
{
    size_t room = MAIL_BODY_KEPT - mail->body->len;
    mail->size += (gint64)length;
    mail->cut = mail->cut || length > room;
    g_byte_array_append(mail->body, data, (guint)MIN(length, room));
}

/* ---- UMP-* ---- */

static bool is_kept(const char *name)
{
    static const char *const kept[] = {"UMP-Channel-Preference", "UMP-Template", "UMP-From"};
    for (size_t i = 0; i < G_N_ELEMENTS(kept); i++)
        if (g_ascii_strcasecmp(name, kept[i]) == 0)
            return true;
    return false;
}

GArray *mail_stripped_fields(const struct mail *mail)
{
    GArray *out = g_array_new(FALSE, FALSE, sizeof(struct mail_strip));
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < mail->fields->len && mail->ump_fields > 0; i++) {
        const char *name = g_array_index(mail->fields, struct mail_field_value, i).name;
        if (g_ascii_strncasecmp(name, "UMP-", 4) != 0)
            continue;
        char *key = g_ascii_strdown(name, -1);
        int index = GPOINTER_TO_INT(g_hash_table_lookup(seen, key)) + 1;
        g_hash_table_replace(seen, key, GINT_TO_POINTER(index));
        if (mail->login != NULL && index == 1 && is_kept(name))
            continue;
        struct mail_strip strip = {name, index};
        g_array_prepend_val(out, strip);
    }
    return out;
}

/* ---- Reading ---- */

char *mail_field_text(const struct mail *mail, const char *name)
{
    for (guint i = 0; i < mail->fields->len; i++) {
        const struct mail_field_value *field = &g_array_index(mail->fields, struct mail_field_value, i);
        if (g_ascii_strcasecmp(field->name, name) != 0)
            continue;
        GString *text = g_string_new(NULL);
        for (const char *p = field->value; *p != '\0'; p++)
            if (*p != '\r' && *p != '\n')
                g_string_append_c(text, *p);
        return g_strstrip(g_string_free(text, FALSE));
    }
    return NULL;
}

char **mail_references(const struct mail *mail)
{
    GPtrArray *ids = g_ptr_array_new();
    g_autofree char *reply = mail_field_text(mail, "In-Reply-To");
    g_autofree char *chain = mail_field_text(mail, "References");
    g_auto(GStrv) first = mail_message_ids(reply != NULL ? reply : "", 1);
    g_auto(GStrv) all = mail_message_ids(chain != NULL ? chain : "", 100);
    if (first[0] != NULL)
        g_ptr_array_add(ids, g_strdup(first[0]));
    for (guint i = g_strv_length(all); i > 0; i--)
        if (first[0] == NULL || strcmp(all[i - 1], first[0]) != 0)
            g_ptr_array_add(ids, g_strdup(all[i - 1]));
    g_ptr_array_add(ids, NULL);
    return (char **)g_ptr_array_free(ids, FALSE);
}

GString *mail_source(const struct mail *mail)
{
    GString *out = g_string_sized_new((gsize)mail->body->len + 4096);
    for (guint i = 0; i < mail->fields->len; i++) {
        const struct mail_field_value *field = &g_array_index(mail->fields, struct mail_field_value, i);
        g_string_append_printf(out, "%s: ", field->name);
        for (const char *p = field->value; *p != '\0'; p++) {
            if (*p == '\n' && (p == field->value || p[-1] != '\r'))
                g_string_append_c(out, '\r');
            g_string_append_c(out, *p);
        }
        g_string_append(out, "\r\n");
    }
    g_string_append(out, "\r\n");
    g_string_append_len(out, (const char *)mail->body->data, mail->body->len);
    return out;
}
