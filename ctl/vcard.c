/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/vcard.h"

#include <string.h>

static void vcard_free(void *data)
{
    struct vcard *card = data;
    g_free(card->name);
    g_ptr_array_unref(card->numbers);
    g_ptr_array_unref(card->mails);
    g_free(card);
}

/* Content lines: folded ones (RFC 6350, 3.2) joined, and quoted-printable's soft breaks of 2.1 too. */
static GPtrArray *unfold(const char *text, size_t length)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    GString *line = NULL;
    for (size_t at = 0; at < length;) {
        const char *end = memchr(text + at, '\n', length - at);
        size_t n = end != NULL ? (size_t)(end - text) - at : length - at;
        size_t next = at + n + 1;
        if (n > 0 && text[at + n - 1] == '\r')
            n--;
        bool soft = line != NULL && line->len > 0 && line->str[line->len - 1] == '=' &&
                    g_strstr_len(line->str, (gssize)line->len, "QUOTED-PRINTABLE") != NULL;
        if (line != NULL && soft) {
            g_string_truncate(line, line->len - 1);
            g_string_append_len(line, text + at, (gssize)n);
        } else if (line != NULL && n > 0 && (text[at] == ' ' || text[at] == '\t')) {
            g_string_append_len(line, text + at + 1, (gssize)n - 1);
        } else {
            if (line != NULL)
                g_ptr_array_add(lines, g_string_free(line, FALSE));
            line = g_string_new_len(text + at, (gssize)n);
        }
        at = next;
    }
    if (line != NULL)
        g_ptr_array_add(lines, g_string_free(line, FALSE));
    return lines;
}

static char *decode_quoted_printable(const char *text)
{
    GString *out = g_string_new(NULL);
    for (const char *p = text; *p != '\0'; p++) {
        int high = *p == '=' ? g_ascii_xdigit_value(p[1]) : -1;
        int low = high >= 0 ? g_ascii_xdigit_value(p[2]) : -1;
        if (low >= 0) {
            g_string_append_c(out, (char)(high * 16 + low));
            p += 2;
        } else {
            g_string_append_c(out, *p);
        }
    }
    return g_string_free(out, FALSE);
}

/* Backslash escapes; a ';' between components becomes a space when components is true. */
static char *unescape(const char *text, bool components)
{
    GString *out = g_string_new(NULL);
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\\' && p[1] != '\0') {
            p++;
            g_string_append_c(out, *p == 'n' || *p == 'N' ? ' ' : *p);
        } else {
            g_string_append_c(out, components && *p == ';' ? ' ' : *p);
        }
    }
    char *valid = g_utf8_make_valid(out->str, -1);
    g_string_free(out, TRUE);
    return g_strstrip(valid);
}

/* "item1.TEL;TYPE=CELL:+1…" → name "TEL", its parameters, the value. */
static bool split_line(const char *line, char **name, char **params, const char **value)
{
    bool quoted = false;
    const char *colon = line;
    for (; *colon != '\0' && (quoted || *colon != ':'); colon++)
        if (*colon == '"')
            quoted = !quoted;
    if (*colon == '\0')
        return false;
    g_autofree char *head = g_ascii_strup(line, colon - line);
    char *semicolon = strchr(head, ';');
    *params = g_strdup(semicolon != NULL ? semicolon : "");
    if (semicolon != NULL)
        *semicolon = '\0';
    char *dot = strrchr(head, '.');
    *name = g_strdup(dot != NULL ? dot + 1 : head);
    *value = colon + 1;
    return true;
}

/* "Jones;Bob;;;" → "Bob Jones". */
static char *name_of_n(const char *value)
{
    g_auto(GStrv) parts = g_strsplit(value, ";", 3);
    if (parts[0] == NULL || parts[1] == NULL)
        return unescape(value, true);
    g_autofree char *joined = g_strconcat(parts[1], " ", parts[0], NULL);
    return unescape(joined, true);
}

static void take_line(struct vcard *card, const char *name, const char *params, const char *raw)
{
    g_autofree char *value = strstr(params, "QUOTED-PRINTABLE") != NULL ? decode_quoted_printable(raw) : g_strdup(raw);
    if (strcmp(name, "FN") == 0) {
        g_free(card->name);
        card->name = unescape(value, false);
    } else if (strcmp(name, "N") == 0 && card->name == NULL) {
        card->name = name_of_n(value);
    } else if (strcmp(name, "ORG") == 0 && card->name == NULL) {
        card->name = unescape(value, true);
    } else if (strcmp(name, "TEL") == 0) {
        const char *number = g_ascii_strncasecmp(value, "tel:", 4) == 0 ? value + 4 : value;
        g_ptr_array_add(card->numbers, unescape(number, false));
    } else if (strcmp(name, "EMAIL") == 0) {
        g_ptr_array_add(card->mails, unescape(value, false));
    }
}

GPtrArray *vcard_parse(const char *text, size_t length)
{
    GPtrArray *cards = g_ptr_array_new_with_free_func(vcard_free);
    g_autoptr(GPtrArray) lines = unfold(text, length);
    struct vcard *card = NULL;
    for (guint i = 0; i < lines->len; i++) {
        g_autofree char *name = NULL;
        g_autofree char *params = NULL;
        const char *value;
        if (!split_line(lines->pdata[i], &name, &params, &value))
            continue;
        if (strcmp(name, "BEGIN") == 0 && g_ascii_strncasecmp(value, "VCARD", 5) == 0) {
            card = g_new0(struct vcard, 1);
            card->numbers = g_ptr_array_new_with_free_func(g_free);
            card->mails = g_ptr_array_new_with_free_func(g_free);
            g_ptr_array_add(cards, card);
        } else if (strcmp(name, "END") == 0) {
            card = NULL;
        } else if (card != NULL) {
            take_line(card, name, params, value);
        }
    }
    return cards;
}
