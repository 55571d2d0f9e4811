/* SPDX-License-Identifier: Apache-2.0 */
/* The From field of a mail that wants to leave, see mail_from.h. */
#include "core/mail_from.h"

#include <stdbool.h>
#include <string.h>

static const char *const sentences[] = {
    [MAIL_FROM_OK] = NULL,
    [MAIL_FROM_MISSING] = "5.7.1 the mail has no From field",
    [MAIL_FROM_MULTIPLE_FIELDS] = "5.7.1 the mail has more than one From field",
    [MAIL_FROM_MULTIPLE_ADDRESSES] = "5.7.1 the From field names more than one address",
    [MAIL_FROM_GROUP] = "5.7.1 the From field is a group or list, not one address",
    [MAIL_FROM_INVALID] = "5.7.1 the From field is not one plain mail address",
};

const char *mail_from_sentence(enum mail_from_state state)
{
    return (guint)state < G_N_ELEMENTS(sentences) ? sentences[state] : sentences[MAIL_FROM_INVALID];
}

struct scan {
    const char *p;
    bool bare_at;      /* '@' in words outside of <> and quotes */
    bool comment_at;     /* '@' or '<' within a comment */
    guint angles;
    const char *angle, *angle_end; /* between < and > */
    const char *bare, *bare_end;   /* words outside: first to last */
    bool after_angle;    /* words behind > */
    guint words;      /* bare words (atoms or quoted strings) since the last separator */
};

/* "(…)" with nesting; false when it never closes. */
static bool skip_comment(struct scan *scan)
{
    guint depth = 0;
    for (; *scan->p != '\0'; scan->p++) {
        if (*scan->p == '\\' && scan->p[1] != '\0')
            scan->p++;
        else if (*scan->p == '(')
            depth++;
        else if (*scan->p == ')' && --depth == 0) {
            scan->p++;
            return true;
        } else if (*scan->p == '@' || *scan->p == '<')
            scan->comment_at = true;
    }
    return false;
}

static bool skip_quoted(const char **p)
{
    for ((*p)++; **p != '\0'; (*p)++) {
        if (**p == '\\' && (*p)[1] != '\0')
            (*p)++;
        else if (**p == '"') {
            (*p)++;
            return true;
        }
    }
    return false;
}

static bool skip_angle(struct scan *scan)
{
    scan->angle = ++scan->p;
    scan->angles++;
    while (*scan->p != '\0' && *scan->p != '>') {
        if (*scan->p == '"') {
            if (!skip_quoted(&scan->p))
                return false;
        } else if (*scan->p == '<') {
            return false;
        } else {
            scan->p++;
        }
    }
    scan->angle_end = scan->p;
    if (*scan->p != '>')
        return false;
    scan->p++;
    return true;
}

static bool is_atext(char c)
{
    return g_ascii_isalnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_dot_atom(const char *p, gsize len)
{
    if (len == 0 || p[0] == '.' || p[len - 1] == '.')
        return false;
    for (gsize i = 0; i < len; i++)
        if (!is_atext(p[i]) && !(p[i] == '.' && p[i - 1] != '.'))
            return false;
    return true;
}

static bool is_domain(const char *p, gsize len)
{
    if (len == 0 || len > 255)
        return false;
    if (p[0] == '[') {
        if (p[len - 1] != ']')
            return false;
        for (gsize i = 1; i + 1 < len; i++)
            if (!g_ascii_isalnum(p[i]) && p[i] != '.' && p[i] != ':')
                return false;
        return len > 2;
    }
    for (gsize i = 0; i < len; i++)
        if (!g_ascii_isalnum(p[i]) && p[i] != '-' && p[i] != '_' && !(p[i] == '.' && i > 0 && p[i - 1] != '.'))
            return false;
    return p[0] != '-' && p[len - 1] != '.';
}

static bool is_addr_spec(const char *p, gsize len)
{
    const char *at = g_strrstr_len(p, (gssize)len, "@");
    if (!at || len > 320)
        return false;
    gsize local = (gsize)(at - p);
    if (p[0] == '"') {
        const char *q = p;
        if (!skip_quoted(&q) || q != at)
            return false;
        for (gsize i = 0; i < local; i++)
            if ((guchar)p[i] < ' ' || (guchar)p[i] >= 0x7F)
                return false;
    } else if (!is_dot_atom(p, local)) {
        return false;
    }
    if (local >= 2 && p[0] == '=' && p[1] == '?') /* an encoded word is no local part */
        return false;
    return is_domain(at + 1, len - local - 1);
}

enum mail_from_state mail_from_check(const char *value, guint count, char **address)
{
    if (count == 0 || !value)
        return MAIL_FROM_MISSING;
    if (count > 1)
        return MAIL_FROM_MULTIPLE_FIELDS;
    struct scan scan = {.p = value};
    while (*scan.p != '\0') {
        char c = *scan.p;
        if (g_ascii_isspace(c)) {
            scan.p++;
        } else if (c == '(') {
            if (!skip_comment(&scan))
                return MAIL_FROM_INVALID;
        } else if (c == '<') {
            if (!skip_angle(&scan))
                return MAIL_FROM_INVALID;
        } else if (c == ',') {
            return MAIL_FROM_MULTIPLE_ADDRESSES;
        } else if (c == ':' || c == ';') {
            return MAIL_FROM_GROUP;
        } else {
            scan.after_angle = scan.after_angle || scan.angles > 0;
            if (!scan.bare)
                scan.bare = scan.p;
            scan.words++;
            bool quoted = c == '"';
            if (quoted && !skip_quoted(&scan.p))
                return MAIL_FROM_INVALID;
            for (; *scan.p != '\0' && !g_ascii_isspace(*scan.p) && !strchr("(<,:;\"", *scan.p); scan.p++)
                scan.bare_at = scan.bare_at || *scan.p == '@';
            scan.bare_end = scan.p;
        }
    }
    if (scan.angles > 1)
        return MAIL_FROM_MULTIPLE_ADDRESSES;
    if (scan.comment_at || scan.after_angle)
        return MAIL_FROM_INVALID;
    const char *start = scan.angle, *end = scan.angle_end;
    if (scan.angles == 0) {
        if (scan.words != 1)
            return MAIL_FROM_INVALID;
        start = scan.bare;
        end = scan.bare_end;
    } else if (scan.bare_at) {
        return MAIL_FROM_INVALID;
    }
    while (start < end && g_ascii_isspace(*start))
        start++;
    while (end > start && g_ascii_isspace(end[-1]))
        end--;
    if (!is_addr_spec(start, (gsize)(end - start)))
        return MAIL_FROM_INVALID;
    *address = g_strndup(start, (gsize)(end - start));
    return MAIL_FROM_OK;
}
