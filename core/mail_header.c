/* SPDX-License-Identifier: Apache-2.0 */
/* The top-level header block of a raw message, see mail_header.h. */
#include "core/mail_header.h"

#include <string.h>

/* End of the line that starts at p (behind its line end).  CR, LF and CRLF all end a line, because whatever relays
 * the mail may turn one into the other: a field must not hide behind a bare CR. */
static const char *line_end(const char *p, const char *end)
{
    while (p < end && *p != '\n' && *p != '\r')
        p++;
    if (p < end && *p == '\r')
        p++;
    if (p < end && p[-1] == '\r' && *p == '\n')
        return p + 1;
    if (p < end && *p == '\n' && p[-1] != '\r')
        return p + 1;
    return p;
}

/* Only LF or CRLF alone on a line after a line that LF ended is the empty line. */
static gsize empty_line(const char *start, const char *p, const char *end)
{
    if (p > start && p[-1] != '\n')
        return 0;
    if (*p == '\n')
        return 1;
    return end - p >= 2 && p[0] == '\r' && p[1] == '\n' ? 2 : 0;
}

static void add_field(struct mail_header *header, const char *p, const char *end)
{
    struct mail_field field = {.name = p, .raw = p, .raw_len = (gsize)(end - p), .body = p};
    const char *stop = end;
    while (stop > p && (stop[-1] == '\n' || stop[-1] == '\r'))
        stop--;
    const char *colon = p;
    while (colon < stop && *colon != ':' && *colon != '\n' && *colon != '\r')
        colon++;
    if (colon < stop && *colon == ':') {
        gsize len = (gsize)(colon - p);
        while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\t'))
            len--;
        if (!memchr(p, ' ', len) && !memchr(p, '\t', len)) {
            field.name_len = len;
            field.body = colon + 1;
        }
    }
    field.body_len = (gsize)(stop - field.body);
    g_array_append_val(header->fields, field);
}

void mail_header_scan(struct mail_header *header, const char *data, size_t len)
{
    *header = (struct mail_header){.data = data, .len = len, .fields = g_array_sized_new(FALSE, FALSE, sizeof(struct mail_field), 32)};
    const char *end = data + len, *p = data;
    if (len >= 5 && memcmp(data, "From ", 5) == 0)
        p = line_end(p, end);
    const char *field = NULL;
    while (p < end) {
        gsize empty = empty_line(data, p, end);
        if (empty > 0) {
            if (field)
                add_field(header, field, p);
            header->header_len = (gsize)(p - data);
            header->body_offset = header->header_len + empty;
            header->crlf = empty == 2;
            return;
        }
        if (field && *p != ' ' && *p != '\t') {
            add_field(header, field, p);
            field = p;
        } else if (!field) {
            field = p;
        }
        p = line_end(p, end);
    }
    if (field)
        add_field(header, field, end);
    header->header_len = header->body_offset = len;
    header->crlf = len >= 2 && data[len - 2] == '\r';
}

void mail_header_clear(struct mail_header *header)
{
    if (header->fields)
        g_array_free(header->fields, TRUE);
    *header = (struct mail_header){0};
}

bool mail_field_is(const struct mail_field *field, const char *name)
{
    return field->name_len == strlen(name) && g_ascii_strncasecmp(field->name, name, field->name_len) == 0;
}

bool mail_field_has_prefix(const struct mail_field *field, const char *prefix)
{
    gsize len = strlen(prefix);
    return field->name_len >= len && g_ascii_strncasecmp(field->name, prefix, len) == 0;
}

const struct mail_field *mail_header_find(const struct mail_header *header, const char *name,
                      const struct mail_field *after)
{
    const struct mail_field *fields = (const struct mail_field *)(const void *)header->fields->data;
    for (guint i = after ? (guint)(after - fields) + 1 : 0; i < header->fields->len; i++)
        if (mail_field_is(&fields[i], name))
            return &fields[i];
    return NULL;
}

guint mail_header_count(const struct mail_header *header, const char *name)
{
    guint count = 0;
    for (const struct mail_field *f = mail_header_find(header, name, NULL); f; f = mail_header_find(header, name, f))
        count++;
    return count;
}

char *mail_field_value(const struct mail_field *field)
{
    const char *p = field->body, *end = p + field->body_len;
    char *value = g_malloc(field->body_len + 1), *out = value;
    while (p < end && g_ascii_isspace(*p))
        p++;
    for (; p < end; p++)
        if (*p != '\r' && *p != '\n' && *p != '\0')
            *out++ = *p;
    while (out > value && g_ascii_isspace(out[-1]))
        out--;
    *out = '\0';
    return value;
}

char *mail_header_get(const struct mail_header *header, const char *name)
{
    const struct mail_field *field = mail_header_find(header, name, NULL);
    return field ? mail_field_value(field) : NULL;
}

static bool is_id_byte(char c)
{
    return c > ' ' && c < 0x7F && c != '<' && c != '>' && c != ',' && c != '"';
}

char **mail_message_ids(const char *value, guint max)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    for (const char *p = value; *p != '\0' && ids->len < max;) {
        bool bracket = *p == '<';
        if (!bracket && !is_id_byte(*p)) {
            p++;
            continue;
        }
        const char *start = bracket ? p + 1 : p, *q = start;
        bool at = false;
        g_autoptr(GString) id = g_string_new("<");
        /* folding white space within the brackets is left out, clients do fold there */
        while (*q != '\0' && *q != '<' && *q != '>' && (bracket || is_id_byte(*q))) {
            if (is_id_byte(*q))
                g_string_append_c(id, *q);
            at = at || *q == '@';
            q++;
        }
        bool closed = *q == '>';
        if (id->len > 1 && id->len <= 998 && ((bracket && closed) || (!bracket && at))) {
            g_string_append_c(id, '>');
            g_ptr_array_add(ids, g_strdup(id->str));
        }
        p = closed ? q + 1 : q;
    }
    g_ptr_array_add(ids, NULL);
    return (char **)g_ptr_array_steal(ids, NULL);
}

/* A bare CR in front of what was left out must not become one line end with an LF behind it. */
static void append_kept(GByteArray *out, const char *from, const char *to)
{
    if (from < to && *from == '\n' && out->len > 0 && out->data[out->len - 1] == '\r')
        g_byte_array_append(out, (const guint8 *)"\n", 1);
    g_byte_array_append(out, (const guint8 *)from, (guint)(to - from));
}

GBytes *mail_header_rewrite(const struct mail_header *header, const char *top, mail_field_drop drop, void *data)
{
    gsize top_len = top ? strlen(top) : 0;
    GByteArray *out = g_byte_array_sized_new((guint)(header->len + top_len));
    if (top_len > 0)
        g_byte_array_append(out, (const guint8 *)top, (guint)top_len);
    const char *kept = header->data; /* everything from here on is still to be copied */
    if (top_len > 0 && header->fields->len > 0 && header->len > 0 && (*kept == ' ' || *kept == '\t'))
        kept += g_array_index(header->fields, struct mail_field, 0).raw_len; /* must not continue our last field */
    for (guint i = 0; drop && i < header->fields->len; i++) {
        const struct mail_field *field = &g_array_index(header->fields, struct mail_field, i);
        if (field->raw < kept || !drop(field, data))
            continue;
        append_kept(out, kept, field->raw);
        kept = field->raw + field->raw_len;
    }
    append_kept(out, kept, header->data + header->len);
    return g_byte_array_free_to_bytes(out);
}

bool mail_field_drop_ump(const struct mail_field *field, void *unused)
{
    (void)unused;
    return field->raw_len >= 4 && g_ascii_strncasecmp(field->raw, "UMP-", 4) == 0;
}
