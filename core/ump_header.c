/* SPDX-License-Identifier: Apache-2.0 */
/* The codec of UMP-Header and UMP-Channel-Preference. */
#include "core/ump_header.h"

#include "core/sf.h"

#include <string.h>

#define FOLD_COLUMN 76
#define PREFERENCE_MAX 32

/* One row per text key.  Tokens are written bare where they can be. */
static const struct field {
    const char *key;
    size_t offset;
    bool token;
} FIELDS[] = {
    {"id", offsetof(struct ump_header, id), false},
    {"channel", offsetof(struct ump_header, channel), true},
    {"provider", offsetof(struct ump_header, provider), true},
    {"endpoint", offsetof(struct ump_header, endpoint), false},
    {"direction", offsetof(struct ump_header, direction), true},
    {"type", offsetof(struct ump_header, type), true},
    {"external-id", offsetof(struct ump_header, external_id), false},
    {"reply-to", offsetof(struct ump_header, reply_to), false},
    {"edited", offsetof(struct ump_header, edited), false},
    {"contact", offsetof(struct ump_header, contact), true},
    {"group", offsetof(struct ump_header, group), false},
    {"from", offsetof(struct ump_header, from), false},
    {"account", offsetof(struct ump_header, account), false},
};

static char **slot(const struct ump_header *header, const struct field *field)
{
    return (char **)((char *)header + field->offset);
}

void ump_header_clear(struct ump_header *header)
{
    for (size_t i = 0; i < G_N_ELEMENTS(FIELDS); i++)
        g_free(*slot(header, &FIELDS[i]));
    memset(header, 0, sizeof *header);
}

static const struct field *find_field(const char *key)
{
    for (size_t i = 0; i < G_N_ELEMENTS(FIELDS); i++)
        if (strcmp(FIELDS[i].key, key) == 0)
            return &FIELDS[i];
    return NULL;
}

static void take_member(struct ump_header *header, struct sf_item *item)
{
    const struct field *field = find_field(item->key);
    enum sf_type type = item->value.type;

    if (field != NULL && (type == SF_STRING || type == SF_TOKEN || type == SF_DISPLAY))
        *slot(header, field) = g_steal_pointer(&item->value.text);
    else if (strcmp(item->key, "v") == 0 && type == SF_INTEGER)
        header->version = item->value.integer == 1;
    else if (strcmp(item->key, "time") == 0 && (type == SF_INTEGER || type == SF_DATE))
        header->time = item->value.integer;
}

bool ump_header_parse(const char *text, size_t length, struct ump_header *out)
{
    struct ump_header header = {0};
    g_autofree char *unfolded = ump_header_unfold(text, length);
    g_auto(sf_t) dictionary = {0};

    if (!sf_parse_dictionary(unfolded, strlen(unfolded), &dictionary))
        return false;
    for (guint i = 0; i < sf_count(&dictionary); i++)
        take_member(&header, &g_array_index(dictionary.members, struct sf_item, i));
    if (header.version != 1) {
        ump_header_clear(&header);
        return false;
    }
    *out = header;
    return true;
}

char *ump_header_format(const struct ump_header *header)
{
    GString *out = g_string_sized_new(256);

    sf_put_key(out, "v");
    sf_put_integer(out, header->version != 0 ? header->version : 1);
    for (size_t i = 0; i < G_N_ELEMENTS(FIELDS); i++) {
        const char *text = *slot(header, &FIELDS[i]);
        if (text == NULL)
            continue;
        sf_put_key(out, FIELDS[i].key);
        if (FIELDS[i].token)
            sf_put_token(out, text);
        else
            sf_put_text(out, text);
    }
    if (header->time != 0) {
        sf_put_key(out, "time");
        sf_put_integer(out, header->time);
    }
    return g_string_free(out, FALSE);
}

/*
 * Breaks before the last space that keeps the line short, but never within a quoted string: its
 * spaces are content, and some programs along the way change white space at a fold.
 */
char *ump_header_fold(const char *value, size_t prefix)
{
    GString *out = g_string_sized_new(strlen(value) + 32);
    size_t column = prefix, break_at = 0;
    bool quoted = false, can_break = false;

    for (const char *p = value; *p != '\0'; p++) {
        if (quoted && *p == '\\' && p[1] != '\0') {
            g_string_append_c(out, *p++);
            column++;
        } else if (*p == '"') {
            quoted = !quoted;
        } else if (*p == ' ' && !quoted) {
            break_at = out->len;
            can_break = true;
        }
        g_string_append_c(out, *p);
        if (++column > FOLD_COLUMN && can_break) {
            g_string_insert_c(out, (gssize)break_at, '\n');
            column = out->len - break_at - 1;
            can_break = false;
        }
    }
    return g_string_free(out, FALSE);
}

char *ump_header_unfold(const char *text, size_t length)
{
    char *out = g_malloc(length + 1);
    size_t n = 0;

    for (size_t i = 0; i < length; i++)
        if (text[i] != '\r' && text[i] != '\n')
            out[n++] = text[i] != '\0' ? text[i] : '\x7f'; /* a NUL makes the field invalid */
    out[n] = '\0';
    return out;
}

char **ump_preference_parse(const char *text, size_t length)
{
    g_autofree char *unfolded = ump_header_unfold(text, length);
    g_auto(sf_t) list = {0};

    if (!sf_parse_list(unfolded, strlen(unfolded), &list) || sf_count(&list) == 0 ||
        sf_count(&list) > PREFERENCE_MAX)
        return NULL;
    g_autoptr(GPtrArray) channels = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < sf_count(&list); i++) {
        const struct sf_item *item = sf_member(&list, i);
        if (item->value.type != SF_TOKEN && item->value.type != SF_STRING)
            return NULL;
        g_ptr_array_add(channels, g_ascii_strdown(item->value.text, -1));
    }
    g_ptr_array_add(channels, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&channels), FALSE);
}

char *ump_preference_format(const char *const *channels)
{
    GString *out = g_string_new(NULL);

    for (; *channels != NULL; channels++) {
        if (out->len > 0)
            g_string_append(out, ", ");
        sf_put_token(out, *channels);
    }
    return g_string_free(out, FALSE);
}
