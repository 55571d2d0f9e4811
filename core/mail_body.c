/* SPDX-License-Identifier: Apache-2.0 */
/* The MIME tree of a mail, see mail_body.h. */
#include "core/mail_body.h"

#include <gmime/gmime.h>
#include <string.h>

#include "core/mail_clean.h"
#include "core/mail_flow.h"
#include "core/mail_gmime.h"
#include "core/mail_parse.h"

enum { DEPTH_MAX = 64, REACTION_MAX = 64 };

static void walk(GMimeObject *object, struct mail_body *body, guint depth);

static GByteArray *part_bytes(GMimePart *part)
{
    GMimeDataWrapper *content = g_mime_part_get_content(part);
    GByteArray *bytes = g_byte_array_new();
    if (!content)
        return bytes;
    GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(bytes);
    g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
    g_mime_data_wrapper_write_to_stream(content, stream);
    g_object_unref(stream);
    return bytes;
}

static const char *type_param(GMimeObject *object, const char *name)
{
    GMimeContentType *type = g_mime_object_get_content_type(object);
    return type ? g_mime_content_type_get_parameter(type, name) : NULL;
}

static bool type_is(GMimeObject *object, const char *type, const char *subtype)
{
    GMimeContentType *content_type = g_mime_object_get_content_type(object);
    return content_type && g_mime_content_type_is_type(content_type, type, subtype);
}

static bool disposition_is(GMimeObject *object, const char *word)
{
    const char *disposition = g_mime_object_get_disposition(object);
    return disposition && g_ascii_strcasecmp(disposition, word) == 0;
}

/* PGP within the text: encrypted, or clear-signed (RFC 9580, 7): armour taken off. */
static char *without_armour(char *text, struct mail_body *body)
{
    const char *start = strstr(text, "-----BEGIN PGP ");
    if (!start || (start > text && start[-1] != '\n'))
        return text;
    if (g_str_has_prefix(start, "-----BEGIN PGP MESSAGE-----")) {
        body->is_encrypted = true;
        return text;
    }
    if (!g_str_has_prefix(start, "-----BEGIN PGP SIGNED MESSAGE-----"))
        return text;
    const char *signature = strstr(start, "\n-----BEGIN PGP SIGNATURE-----");
    const char *blank = strstr(start, "\n\n");
    if (!signature || !blank || blank > signature)
        return text;
    body->is_signed = true;
    GString *out = g_string_new_len(text, start - text);
    for (const char *p = blank + 2; p < signature;) {
        const char *nl = memchr(p, '\n', (gsize)(signature - p));
        const char *end = nl ? nl : signature;
        if (end - p >= 2 && p[0] == '-' && p[1] == ' ')
            p += 2;
        g_string_append_len(out, p, end - p);
        g_string_append_c(out, '\n');
        p = end + 1;
    }
    const char *end = strstr(signature + 1, "-----END PGP SIGNATURE-----");
    if (end)
        g_string_append(out, end + strlen("-----END PGP SIGNATURE-----"));
    g_free(text);
    return g_string_free(out, FALSE);
}

/* Decoded text of a text/ part; a signal to the caller that it is a reaction is in body->reaction. */
static char *part_text(GMimePart *part, struct mail_body *body, bool plain)
{
    GMimeObject *object = GMIME_OBJECT(part);
    GByteArray *bytes = part_bytes(part);
    char *text = mail_gmime_to_utf8((const char *)bytes->data, bytes->len, type_param(object, "charset"));
    g_byte_array_free(bytes, TRUE);
    if (!plain)
        return text;
    const char *format = type_param(object, "format");
    if (format && g_ascii_strcasecmp(format, "flowed") == 0) {
        const char *delsp = type_param(object, "delsp");
        char *joined = mail_unflow_own(text, delsp && g_ascii_strcasecmp(delsp, "yes") == 0, MAIL_BODY_OWN_LINE);
        g_free(text);
        text = joined;
        body->is_flowed = true;
    }
    return without_armour(text, body);
}

static void append_text(GString **to, const char *text)
{
    if (!*to)
        *to = g_string_new(NULL);
    else if ((*to)->len > 0 && (*to)->str[(*to)->len - 1] != '\n')
        g_string_append_c(*to, '\n');
    g_string_append(*to, text);
}

/* RFC 9078: one emoji sequence, alone.  It knows no taking back: nothing, or a dash, in place of the emoji does it. */
static bool take_reaction(GMimePart *part, struct mail_body *body)
{
    if (!disposition_is(GMIME_OBJECT(part), "reaction"))
        return false;
    g_autofree char *text = part_text(part, body, true);
    g_autofree char *line = mail_clean_line(text, 0);
    if (strlen(line) > REACTION_MAX || strchr(line, ' '))
        return false;
    g_free(body->reaction);
    body->reaction_removed = line[0] == '\0' || strcmp(line, "-") == 0;
    body->reaction = body->reaction_removed ? g_strdup("-") : g_steal_pointer(&line);
    return true;
}

static void add_attachment(struct mail_body *body, GMimeObject *object, const char *filename, GByteArray *bytes)
{
    struct mail_attachment *attachment = g_new0(struct mail_attachment, 1);
    g_autofree char *type = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(object));
    attachment->name = mail_clean_filename(filename);
    attachment->type = GMIME_IS_MESSAGE_PART(object) ? g_strdup("message/rfc822") : mail_clean_type(type);
    const char *id = g_mime_object_get_content_id(object);
    attachment->content_id = id ? g_utf8_make_valid(id, -1) : NULL;
    attachment->is_inline = disposition_is(object, "inline") || (id && !disposition_is(object, "attachment"));
    attachment->content = g_byte_array_free_to_bytes(bytes);
    g_ptr_array_add(body->attachments, attachment);
}

/* text/plain or text/html that is part of what was written, not a file. */
static bool is_body_text(GMimePart *part, const struct mail_body *body, bool plain)
{
    if (disposition_is(GMIME_OBJECT(part), "attachment"))
        return false;
    const char *name = g_mime_part_get_filename(part);
    return !name || name[0] == '\0' || (plain ? !body->text : !body->html);
}

static void leaf(GMimePart *part, struct mail_body *body)
{
    GMimeObject *object = GMIME_OBJECT(part);
    bool plain = type_is(object, "text", "plain"), html = type_is(object, "text", "html");
    if (plain && take_reaction(part, body))
        return;
    if ((plain || html) && is_body_text(part, body, plain)) {
        g_autofree char *text = part_text(part, body, plain);
        append_text(plain ? &body->text : &body->html, text);
        return;
    }
    if (type_is(object, "application", "pgp-signature") || type_is(object, "application", "pkcs7-signature") ||
        type_is(object, "application", "x-pkcs7-signature")) {
        body->is_signed = true;
        return;
    }
    if (type_is(object, "application", "pkcs7-mime") || type_is(object, "application", "x-pkcs7-mime"))
        body->is_encrypted = true;
    if (type_is(object, "application", "ms-tnef") || type_is(object, "application", "vnd.ms-tnef"))
        body->has_tnef = true;
    if (type_is(object, "text", "calendar"))
        body->is_calendar = true;
    if (body->attachments)
        add_attachment(body, object, g_mime_part_get_filename(part), part_bytes(part));
}

static void message_part(GMimeMessagePart *part, struct mail_body *body)
{
    body->is_forward = true;
    GMimeMessage *message = g_mime_message_part_get_message(part);
    if (!message || !body->attachments)
        return;
    GByteArray *bytes = g_byte_array_new();
    GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(bytes);
    g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
    g_mime_object_write_to_stream(GMIME_OBJECT(message), NULL, stream);
    g_object_unref(stream);
    const char *subject = g_mime_message_get_subject(message);
    g_autofree char *name = g_strdup_printf("%.120s.eml", subject && subject[0] ? subject : "message");
    add_attachment(body, GMIME_OBJECT(part), name, bytes);
}

/* The richest forms that we read; what an AMP or watch part repeats is left out. */
static void alternative(GMimeMultipart *multipart, struct mail_body *body, guint depth)
{
    gsize text_before = body->text ? body->text->len : 0, html_before = body->html ? body->html->len : 0;
    int n = g_mime_multipart_get_count(multipart);
    for (int i = 0; i < n; i++) {
        GMimeObject *child = g_mime_multipart_get_part(multipart, i);
        if (type_is(child, "text", "x-amp-html") || type_is(child, "text", "watch-html") ||
            type_is(child, "text", "enriched"))
            continue;
        if (type_is(child, "text", "plain") && body->text)
            g_string_truncate(body->text, text_before);
        if (type_is(child, "text", "html") && body->html)
            g_string_truncate(body->html, html_before);
        walk(child, body, depth + 1);
    }
}

static void children(GMimeMultipart *multipart, struct mail_body *body, guint depth, int n)
{
    n = MIN(n, g_mime_multipart_get_count(multipart));
    for (int i = 0; i < n; i++)
        walk(g_mime_multipart_get_part(multipart, i), body, depth + 1);
}

static void walk(GMimeObject *object, struct mail_body *body, guint depth)
{
    if (!object || depth > DEPTH_MAX)
        return;
    if (GMIME_IS_MESSAGE_PART(object)) {
        message_part(GMIME_MESSAGE_PART(object), body);
    } else if (GMIME_IS_MULTIPART(object)) {
        GMimeMultipart *multipart = GMIME_MULTIPART(object);
        const char *prologue = g_mime_multipart_get_prologue(multipart);
        if (g_mime_multipart_get_count(multipart) == 0 && prologue && !body->text) { /* says multipart, is none */
            g_autofree char *text = mail_gmime_to_utf8(prologue, strlen(prologue), NULL);
            append_text(&body->text, text);
        }
        if (type_is(object, "multipart", "encrypted")) {
            body->is_encrypted = true;
        } else if (type_is(object, "multipart", "signed")) {
            body->is_signed = true;
            children(multipart, body, depth, 1);
        } else if (type_is(object, "multipart", "report")) {
            body->is_report = true;
            children(multipart, body, depth, 1);
        } else if (type_is(object, "multipart", "alternative")) {
            alternative(multipart, body, depth);
        } else {
            children(multipart, body, depth, G_MAXINT);
        }
    } else if (GMIME_IS_PART(object)) {
        leaf(GMIME_PART(object), body);
    }
}

void mail_body_read(const char *data, gsize len, struct mail_body *body)
{
    mail_gmime_init();
    /* the stream borrows the bytes: the array gives them up again before it is freed */
    GByteArray *borrowed = g_byte_array_new_take((guint8 *)data, len);
    GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(borrowed);
    g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, mail_gmime_options());
    if (message) {
        walk(g_mime_message_get_mime_part(message), body, 0);
        g_object_unref(message);
    }
    g_object_unref(parser);
    g_object_unref(stream);
    gsize unused;
    g_byte_array_steal(borrowed, &unused);
    g_byte_array_free(borrowed, TRUE);
}

void mail_body_clear(struct mail_body *body)
{
    if (body->text)
        g_string_free(body->text, TRUE);
    if (body->html)
        g_string_free(body->html, TRUE);
    g_free(body->reaction);
}
