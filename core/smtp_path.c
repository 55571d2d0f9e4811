/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of SMTP paths: RFC 5321 section 4.1.2 with RFC 6531's extensions. */
#include "core/smtp_path.h"

#include "core/smtp_path_internal.h"

#include <arpa/inet.h>
#include <string.h>

/* --- Characters --- */

static bool is_atext(unsigned char c)
{
    return g_ascii_isalnum((char)c) || c >= 0x80 || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool at_end(const struct smtp_scan *s)
{
    return s->p == s->end;
}

static bool peek(const struct smtp_scan *s, char c)
{
    return s->p < s->end && *s->p == c;
}

static bool take(struct smtp_scan *s, char c)
{
    if (!peek(s, c))
        return false;
    s->p++;
    return true;
}

/* --- Local part --- */

static bool take_dot_string(struct smtp_scan *s, GString *out)
{
    do {
        const char *start = s->p;
        while (!at_end(s) && is_atext((unsigned char)*s->p))
            s->p++;
        if (s->p == start)
            return false;
        if (out->len > 0)
            g_string_append_c(out, '.');
        g_string_append_len(out, start, s->p - start);
    } while (take(s, '.'));
    return true;
}

static bool take_quoted_string(struct smtp_scan *s, GString *out)
{
    s->p++;
    while (!at_end(s) && *s->p != '"') {
        if (*s->p == '\\' && ++s->p == s->end)
            return false;
        unsigned char c = (unsigned char)*s->p++;
        if (c < ' ' || c == 0x7f)
            return false;
        g_string_append_c(out, (char)c);
    }
    return take(s, '"') && out->len > 0; /* "" is legal and useless (CVE-2020-10967): refused */
}

/* --- Domain --- */

static bool take_label(struct smtp_scan *s, GString *out)
{
    const char *start = s->p;

    while (!at_end(s) && (g_ascii_isalnum(*s->p) || *s->p == '-' || (unsigned char)*s->p >= 0x80))
        s->p++;
    size_t length = (size_t)(s->p - start);
    if (length == 0 || *start == '-' || s->p[-1] == '-')
        return false;
    /* 63 octets for what goes into the DNS; a UTF-8 label is longer than its ASCII form, or not. */
    if (length > 63 * 4 || (length > 63 && g_utf8_validate(start, (gssize)length, NULL) == false))
        return false;
    for (const char *p = start; p < s->p; p++)
        g_string_append_c(out, g_ascii_tolower(*p));
    return true;
}

static bool is_literal_address(const char *text)
{
    struct in6_addr v6;
    struct in_addr v4;

    if (g_ascii_strncasecmp(text, "ipv6:", 5) == 0)
        return inet_pton(AF_INET6, text + 5, &v6) == 1;
    return inet_pton(AF_INET, text, &v4) == 1;
}

static bool take_literal(struct smtp_scan *s, GString *out)
{
    const char *start = s->p++;
    const char *stop = memchr(start, ']', (size_t)(s->end - start));

    if (stop == NULL)
        return false;
    g_autofree char *inside = g_strndup(s->p, (size_t)(stop - s->p));
    if (strlen(inside) != (size_t)(stop - s->p) || !is_literal_address(inside))
        return false;
    g_string_append_len(out, start, stop + 1 - start);
    s->p = stop + 1;
    return true;
}

static bool take_domain(struct smtp_scan *s, GString *out)
{
    if (peek(s, '['))
        return take_literal(s, out);
    do {
        if (out->len > 0)
            g_string_append_c(out, '.');
        if (!take_label(s, out))
            return false;
    } while (take(s, '.'));
    return true;
}

/* "@a,@b:" before the mailbox; RFC 5321 says: accept, ignore. */
static bool skip_source_route(struct smtp_scan *s, bool *found)
{
    if (!peek(s, '@'))
        return true;
    *found = true;
    do {
        g_autoptr(GString) domain = g_string_new(NULL);
        if (!take(s, '@') || !take_domain(s, domain))
            return false;
    } while (take(s, ','));
    return take(s, ':');
}

/* --- The mailbox --- */

static bool is_dot_atom(const char *local)
{
    bool dot = true;

    for (const char *p = local; *p != '\0'; p++) {
        if (*p == '.' ? dot : !is_atext((unsigned char)*p))
            return false;
        dot = *p == '.';
    }
    return !dot;
}

static char *join_address(const char *local, const char *domain)
{
    GString *out = g_string_new(NULL);

    if (is_dot_atom(local)) {
        g_string_append(out, local);
    } else {
        g_string_append_c(out, '"');
        for (; *local != '\0'; local++) {
            if (*local == '"' || *local == '\\')
                g_string_append_c(out, '\\');
            g_string_append_c(out, *local);
        }
        g_string_append_c(out, '"');
    }
    if (*domain != '\0')
        g_string_append_printf(out, "@%s", domain);
    return g_string_free(out, FALSE);
}

static bool has_utf8(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0x80)
            return true;
    return false;
}

static enum smtp_path_result take_mailbox(struct smtp_scan *s, bool allow_postmaster, struct smtp_path *out)
{
    g_autoptr(GString) local = g_string_new(NULL), domain = g_string_new(NULL);

    if (!skip_source_route(s, &out->source_route))
        return SMTP_PATH_SYNTAX;
    out->quoted = peek(s, '"');
    if (!(out->quoted ? take_quoted_string(s, local) : take_dot_string(s, local)))
        return SMTP_PATH_SYNTAX;
    if (take(s, '@')) {
        if (!take_domain(s, domain))
            return SMTP_PATH_SYNTAX;
    } else if (!allow_postmaster || g_ascii_strcasecmp(local->str, "postmaster") != 0) {
        return SMTP_PATH_SYNTAX;
    }
    if (local->len > SMTP_LOCAL_MAX || domain->len > SMTP_DOMAIN_MAX)
        return SMTP_PATH_TOO_LONG;
    if (!g_utf8_validate(local->str, (gssize)local->len, NULL) ||
        !g_utf8_validate(domain->str, (gssize)domain->len, NULL))
        return SMTP_PATH_SYNTAX;
    out->utf8 = has_utf8(local->str) || has_utf8(domain->str);
    out->address = join_address(local->str, domain->str);
    out->local = g_string_free(g_steal_pointer(&local), FALSE);
    out->domain = g_string_free(g_steal_pointer(&domain), FALSE);
    return SMTP_PATH_OK;
}

static enum smtp_path_result take_path(struct smtp_scan *s, guint flags, struct smtp_path *out)
{
    bool rcpt = (flags & SMTP_PATH_RCPT) != 0;

    while (peek(s, ' ') || peek(s, '\t'))
        s->p++;
    if (!take(s, '<'))
        return SMTP_PATH_SYNTAX;
    if (take(s, '>')) {
        if (rcpt)
            return SMTP_PATH_SYNTAX;
        out->null = true;
        out->local = g_strdup("");
        out->domain = g_strdup("");
        out->address = g_strdup("");
        return SMTP_PATH_OK;
    }
    enum smtp_path_result result = take_mailbox(s, rcpt, out);
    if (result != SMTP_PATH_OK)
        return result;
    return take(s, '>') ? SMTP_PATH_OK : SMTP_PATH_SYNTAX;
}

void smtp_path_clear(struct smtp_path *path)
{
    g_free(path->local);
    g_free(path->domain);
    g_free(path->address);
    g_free(path->envid);
    g_free(path->orcpt_type);
    g_free(path->orcpt);
    memset(path, 0, sizeof *path);
}

static enum smtp_path_result parse(struct smtp_scan *s, guint flags, struct smtp_path *out)
{
    enum smtp_path_result result;

    if (s->end - s->p > SMTP_PATH_MAX + SMTP_PARAMS_BYTES)
        return SMTP_PATH_TOO_LONG;
    result = take_path(s, flags, out);
    if (result != SMTP_PATH_OK)
        return result;
    result = smtp_params_parse(s, flags, out);
    if (result != SMTP_PATH_OK)
        return result;
    return out->utf8 && !out->smtputf8 && !(flags & SMTP_PATH_ALLOW_UTF8) ? SMTP_PATH_UTF8 : SMTP_PATH_OK;
}

enum smtp_path_result smtp_path_parse(const char *text, size_t length, guint flags, struct smtp_path *out)
{
    struct smtp_scan s = {text, text + length};
    g_auto(smtp_path_t) path = {.size = -1};

    enum smtp_path_result result = parse(&s, flags, &path);
    if (result == SMTP_PATH_OK) {
        *out = path;
        memset(&path, 0, sizeof path);
    }
    return result;
}

enum smtp_path_result smtp_address_parse(const char *text, size_t length, bool allow_utf8, struct smtp_path *out)
{
    struct smtp_scan s = {text, text + length};
    g_auto(smtp_path_t) path = {.size = -1};

    if (length > SMTP_PATH_MAX)
        return SMTP_PATH_TOO_LONG;
    if (length > 0 && *text == '@') /* no source routes without brackets */
        return SMTP_PATH_SYNTAX;
    enum smtp_path_result result = take_mailbox(&s, false, &path);
    if (result == SMTP_PATH_OK && !at_end(&s))
        result = SMTP_PATH_SYNTAX;
    if (result == SMTP_PATH_OK && path.utf8 && !allow_utf8)
        result = SMTP_PATH_UTF8;
    if (result == SMTP_PATH_OK) {
        *out = path;
        memset(&path, 0, sizeof path);
    }
    return result;
}

const char *smtp_path_reply(enum smtp_path_result result, guint flags)
{
    bool rcpt = (flags & SMTP_PATH_RCPT) != 0;

    switch (result) {
    case SMTP_PATH_OK:
        return "250 2.1.0 Ok";
    case SMTP_PATH_SYNTAX:
        return rcpt ? "501 5.1.3 Bad recipient address syntax" : "501 5.1.7 Bad sender address syntax";
    case SMTP_PATH_TOO_LONG:
        return rcpt ? "501 5.1.3 Recipient address is too long" : "501 5.1.7 Sender address is too long";
    case SMTP_PATH_UTF8:
        return "553 5.6.7 Address has non-ASCII characters, but SMTPUTF8 was not asked for";
    case SMTP_PATH_PARAMETER:
        return "501 5.5.4 Bad parameter";
    case SMTP_PATH_UNKNOWN:
        return "555 5.5.4 Parameter not known";
    case SMTP_PATH_TWICE:
        return "501 5.5.4 Parameter given twice";
    }
    return "451 4.3.0 Local error";
}
