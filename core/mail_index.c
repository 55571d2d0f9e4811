/* SPDX-License-Identifier: Apache-2.0 */
/* What the index needs of ordinary mail, see mail_index.h. */
#include "core/mail_index.h"

#include <string.h>

#include "core/mail_body.h"
#include "core/mail_clean.h"
#include "core/mail_flow.h"
#include "core/mail_gmime.h"
#include "core/mail_header.h"
#include "core/mail_parse.h"
#include "core/mime_limits.h"

enum { LOOK_AT = 65536, REFERENCES_MAX = 100, IDS_SCANNED_MAX = 4000 };

/* Fields are visited once; each of interest is taken where it stands first. */
static void take_field(const struct mail_field *field, struct mail_index *index, struct mail_auto *state, char **types)
{
    static const char *const wanted[] = {"Content-Type", "Content-Transfer-Encoding"};
    char name[64];
    if (field->name_len == 0 || field->name_len >= sizeof name)
        return;
    memcpy(name, field->name, field->name_len);
    name[field->name_len] = '\0';
    char *value = mail_field_value(field);
    mail_auto_field(state, name, value);
    if (!index->message_id && g_ascii_strcasecmp(name, "Message-ID") == 0) {
        g_auto(GStrv) ids = mail_message_ids(value, 1);
        index->message_id = g_strdup(ids[0]);
    } else if (!index->in_reply_to && g_ascii_strcasecmp(name, "In-Reply-To") == 0) {
        g_auto(GStrv) ids = mail_message_ids(value, 1);
        index->in_reply_to = g_strdup(ids[0]);
    } else if (!index->references && g_ascii_strcasecmp(name, "References") == 0) {
        g_auto(GStrv) ids = mail_message_ids(value, IDS_SCANNED_MAX);
        guint n = g_strv_length(ids);
        index->references = g_strdupv(ids + (n > REFERENCES_MAX ? n - REFERENCES_MAX : 0));
    } else if (index->date == 0 && g_ascii_strcasecmp(name, "Date") == 0) {
        index->date = mail_gmime_date(value);
    } else if (!index->subject && g_ascii_strcasecmp(name, "Subject") == 0) {
        g_autofree char *decoded = mail_gmime_decode_text(value);
        index->subject = mail_clean_line(decoded, 500);
    } else if (!index->from && g_ascii_strcasecmp(name, "From") == 0) {
        g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)mail_address_free);
        mail_gmime_addresses(value, list, 1);
        if (list->len > 0) {
            struct mail_address *first = list->pdata[0];
            index->from = g_steal_pointer(&first->address);
            index->from_name = g_steal_pointer(&first->name);
        }
    } else {
        for (guint i = 0; i < G_N_ELEMENTS(wanted); i++)
            if (!types[i] && g_ascii_strcasecmp(name, wanted[i]) == 0)
                types[i] = g_steal_pointer(&value);
    }
    g_free(value);
}

/* Tags away, entities of the common kind decoded, scripts and styles dropped: good enough to search in. */
static char *strip_tags(const char *html, gsize max)
{
    static const struct {
        const char *name, *text;
    } entities[] = {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&nbsp;", " "}, {"&quot;", "\""}, {"&#39;", "'"}};
    GString *out = g_string_new(NULL);
    const char *p = html;
    while (*p != '\0' && out->len < max) {
        if (*p == '<') {
            bool hidden = g_ascii_strncasecmp(p, "<style", 6) == 0 || g_ascii_strncasecmp(p, "<script", 7) == 0;
            const char *from = p;
            p = strchr(p, '>');
            if (!p)
                break;
            p++;
            if (hidden) {
                const char *close = strcasestr(p, from[2] == 't' ? "</style" : "</script");
                if (!close)
                    break;
                p = close;
            }
            if (out->len > 0 && out->str[out->len - 1] != ' ')
                g_string_append_c(out, ' ');
            continue;
        }
        bool found = false;
        for (guint i = 0; *p == '&' && i < G_N_ELEMENTS(entities) && !found; i++) {
            gsize n = strlen(entities[i].name);
            if (strncmp(p, entities[i].name, n) == 0) {
                g_string_append(out, entities[i].text);
                p += n;
                found = true;
            }
        }
        if (found)
            continue;
        if (!g_ascii_isspace(*p))
            g_string_append_c(out, *p);
        else if (out->len > 0 && out->str[out->len - 1] != ' ')
            g_string_append_c(out, ' ');
        p++;
    }
    return g_string_free(out, FALSE);
}

static char *cut_text(const char *text, gsize max)
{
    gsize len = strlen(text);
    if (len > max) {
        const char *cut = g_utf8_find_prev_char(text, text + max + 1);
        len = cut ? (gsize)(cut - text) : 0;
    }
    return g_strndup(text, len);
}

static bool type_starts(const char *type, const char *prefix)
{
    return type && g_ascii_strncasecmp(type, prefix, strlen(prefix)) == 0;
}

/* charset=… of a Content-Type value as it stands, NULL when there is none; g_free */
static char *charset_of(const char *type)
{
    const char *p = type ? strcasestr(type, "charset=") : NULL;
    if (!p)
        return NULL;
    p += strlen("charset=");
    p += *p == '"';
    return g_strndup(p, strcspn(p, "\"; \t\r\n("));
}

/* One part of plain text, the commonest mail, taken without a MIME parser; NULL for anything else. */
static char *simple_text(const char *type, const char *encoding, const char *body, gsize len, gsize max)
{
    GMimeContentEncoding how = encoding ? g_mime_content_encoding_from_string(encoding) : GMIME_CONTENT_ENCODING_DEFAULT;
    if ((type && !type_starts(type, "text/plain")) || how == GMIME_CONTENT_ENCODING_UUENCODE)
        return NULL;
    g_autofree char *decoded = NULL, *charset = charset_of(type);
    len = MIN(len, 4 * max + 64);
    if (how == GMIME_CONTENT_ENCODING_BASE64 || how == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE) {
        GMimeEncoding state;
        g_mime_encoding_init_decode(&state, how);
        decoded = g_malloc(g_mime_encoding_outlen(&state, len) + 1);
        len = g_mime_encoding_flush(&state, body, len, decoded);
        body = decoded;
    }
    g_autofree char *text = mail_gmime_to_utf8(body, len, charset);
    if (!type || !strcasestr(type, "flowed"))
        return cut_text(text, max);
    const char *delsp = strcasestr(type, "delsp=");
    g_autofree char *joined = mail_unflow(text, delsp && (delsp[6] | 32) == 'y');
    return cut_text(joined, max);
}

static char *parsed_text(const char *data, gsize len, gsize max)
{
    if (mime_limits_check(data, len, NULL) != MIME_LIMITS_OK)
        return NULL;
    struct mail_body body = {0};
    mail_body_read(data, len, &body);
    char *text = NULL;
    if (body.text && body.text->len > 0) {
        text = cut_text(body.text->str, max);
    } else if (body.html) {
        g_autofree char *stripped = strip_tags(body.html->str, max + 16);
        text = cut_text(stripped, max);
    }
    mail_body_clear(&body);
    return text;
}

void mail_parse_index(const char *data, gsize len, gsize max_text, struct mail_index *index)
{
    *index = (struct mail_index){0};
    g_auto(mail_header) header = {0};
    mail_header_scan(&header, data, len);
    struct mail_auto state;
    mail_auto_init(&state, NULL);
    char *types[2] = {NULL, NULL};
    for (guint i = 0; i < header.fields->len; i++)
        take_field(&g_array_index(header.fields, struct mail_field, i), index, &state, types);
    index->auto_class = mail_auto_finish(&state);
    if (!index->references)
        index->references = g_new0(char *, 1);
    index->text = simple_text(types[0], types[1], data + header.body_offset, len - header.body_offset, max_text);
    if (!index->text && header.body_offset < len)
        index->text = parsed_text(data, MIN(len, header.body_offset + LOOK_AT), max_text);
    g_free(types[0]);
    g_free(types[1]);
}

void mail_index_clear(struct mail_index *index)
{
    g_free(index->from);
    g_free(index->from_name);
    g_free(index->subject);
    g_free(index->message_id);
    g_free(index->in_reply_to);
    g_strfreev(index->references);
    g_free(index->text);
    *index = (struct mail_index){0};
}
