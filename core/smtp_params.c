/* SPDX-License-Identifier: Apache-2.0 */
/* ESMTP parameters of MAIL and RCPT: RFC 5321, 1870, 6152, 6531, 3461, 4954. */
#include "core/smtp_path_internal.h"

#include <string.h>

typedef enum smtp_path_result (*param_func)(const char *value, size_t length, struct smtp_path *out);

static bool word_is(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && g_ascii_strncasecmp(text, word, length) == 0;
}

static enum smtp_path_result take_size(const char *value, size_t length, struct smtp_path *out)
{
    gint64 size = 0;

    if (length < 1 || length > 20)
        return SMTP_PATH_PARAMETER;
    for (size_t i = 0; i < length; i++) {
        if (!g_ascii_isdigit(value[i]))
            return SMTP_PATH_PARAMETER;
        /* 20 digits are legal (RFC 1870) and more than any limit: saturate. */
        size = size > (G_MAXINT64 - 9) / 10 ? G_MAXINT64 : size * 10 + (value[i] - '0');
    }
    out->size = size;
    return SMTP_PATH_OK;
}

static enum smtp_path_result take_body(const char *value, size_t length, struct smtp_path *out)
{
    if (word_is(value, length, "7BIT"))
        out->body = SMTP_BODY_7BIT;
    else if (word_is(value, length, "8BITMIME"))
        out->body = SMTP_BODY_8BITMIME;
    else
        return SMTP_PATH_PARAMETER; /* BINARYMIME needs BDAT */
    return SMTP_PATH_OK;
}

static enum smtp_path_result take_smtputf8(const char *value, size_t length, struct smtp_path *out)
{
    if (value != NULL)
        return SMTP_PATH_PARAMETER;
    out->smtputf8 = true;
    return SMTP_PATH_OK;
}

static enum smtp_path_result take_ret(const char *value, size_t length, struct smtp_path *out)
{
    if (word_is(value, length, "FULL"))
        out->ret = SMTP_RET_FULL;
    else if (word_is(value, length, "HDRS"))
        out->ret = SMTP_RET_HDRS;
    else
        return SMTP_PATH_PARAMETER;
    return SMTP_PATH_OK;
}

static enum smtp_path_result take_envid(const char *value, size_t length, struct smtp_path *out)
{
    if (length > 100 || !smtp_xtext_decode(value, length, &out->envid))
        return SMTP_PATH_PARAMETER;
    return SMTP_PATH_OK;
}

/* Who authenticated further up the line: believed from nobody, since the stamp says it. */
static enum smtp_path_result take_auth(const char *value, size_t length, struct smtp_path *out)
{
    return SMTP_PATH_OK;
}

static guint notify_bit(const char *word, size_t length)
{
    if (word_is(word, length, "NEVER"))
        return SMTP_NOTIFY_NEVER;
    if (word_is(word, length, "SUCCESS"))
        return SMTP_NOTIFY_SUCCESS;
    if (word_is(word, length, "FAILURE"))
        return SMTP_NOTIFY_FAILURE;
    return word_is(word, length, "DELAY") ? SMTP_NOTIFY_DELAY : 0;
}

static enum smtp_path_result take_notify(const char *value, size_t length, struct smtp_path *out)
{
    const char *end = value + length;
    guint notify = 0;

    for (const char *p = value;; p++) {
        const char *stop = memchr(p, ',', (size_t)(end - p));
        if (stop == NULL)
            stop = end;
        guint bit = notify_bit(p, (size_t)(stop - p));
        if (bit == 0)
            return SMTP_PATH_PARAMETER;
        notify |= bit;
        p = stop;
        if (p == end)
            break;
    }
    if ((notify & SMTP_NOTIFY_NEVER) != 0 && notify != SMTP_NOTIFY_NEVER)
        return SMTP_PATH_PARAMETER;
    out->notify = notify;
    return SMTP_PATH_OK;
}

/* "rfc822;Bob+2B1@example.org"; utf-8 addresses (RFC 6533) pass through xtext's rules as they are. */
static enum smtp_path_result take_orcpt(const char *value, size_t length, struct smtp_path *out)
{
    const char *semicolon = memchr(value, ';', length);

    if (length > 500 || semicolon == NULL || semicolon == value)
        return SMTP_PATH_PARAMETER;
    for (const char *p = value; p < semicolon; p++)
        if (!g_ascii_isalnum(*p) && *p != '-')
            return SMTP_PATH_PARAMETER;
    if (!smtp_xtext_decode(semicolon + 1, length - (size_t)(semicolon + 1 - value), &out->orcpt))
        return SMTP_PATH_PARAMETER;
    out->orcpt_type = g_ascii_strdown(value, semicolon - value);
    return SMTP_PATH_OK;
}

static const struct param {
    const char *name;
    guint command; /* SMTP_PATH_MAIL or SMTP_PATH_RCPT */
    bool needs_value;
    param_func func;
} PARAMS[] = {
    {"SIZE", SMTP_PATH_MAIL, true, take_size},
    {"BODY", SMTP_PATH_MAIL, true, take_body},
    {"SMTPUTF8", SMTP_PATH_MAIL, false, take_smtputf8},
    {"RET", SMTP_PATH_MAIL, true, take_ret},
    {"ENVID", SMTP_PATH_MAIL, true, take_envid},
    {"AUTH", SMTP_PATH_MAIL, true, take_auth},
    {"NOTIFY", SMTP_PATH_RCPT, true, take_notify},
    {"ORCPT", SMTP_PATH_RCPT, true, take_orcpt},
};

static bool is_keyword(const char *text, size_t length)
{
    if (length == 0 || !g_ascii_isalnum(*text))
        return false;
    for (size_t i = 1; i < length; i++)
        if (!g_ascii_isalnum(text[i]) && text[i] != '-')
            return false;
    return true;
}

static bool is_value(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == '=' || text[i] == 0x7f)
            return false;
    return length > 0;
}

static enum smtp_path_result take_param(const char *text, size_t length, guint flags, guint *seen,
                                        struct smtp_path *out)
{
    const char *equals = memchr(text, '=', length);
    size_t name_length = equals != NULL ? (size_t)(equals - text) : length;
    const char *value = equals != NULL ? equals + 1 : NULL;
    size_t value_length = equals != NULL ? length - name_length - 1 : 0;

    if (!is_keyword(text, name_length) || (value != NULL && !is_value(value, value_length)))
        return SMTP_PATH_PARAMETER;
    for (guint i = 0; i < G_N_ELEMENTS(PARAMS); i++) {
        const struct param *param = &PARAMS[i];
        if (param->command != (flags & SMTP_PATH_RCPT) || !word_is(text, name_length, param->name))
            continue;
        if ((*seen & 1u << i) != 0)
            return SMTP_PATH_TWICE;
        *seen |= 1u << i;
        if (param->needs_value && value == NULL)
            return SMTP_PATH_PARAMETER;
        return param->func(value, value_length, out);
    }
    return SMTP_PATH_UNKNOWN;
}

enum smtp_path_result smtp_params_parse(struct smtp_scan *s, guint flags, struct smtp_path *out)
{
    guint seen = 0;

    for (int count = 0; s->p < s->end; count++) {
        const char *start = s->p;
        while (s->p < s->end && (*s->p == ' ' || *s->p == '\t'))
            s->p++;
        if (s->p == s->end)
            return SMTP_PATH_OK; /* white space at the end: old programs do that */
        if (s->p == start)
            return SMTP_PATH_SYNTAX; /* something right behind the '>' */
        if (count == SMTP_PARAMS_MAX)
            return SMTP_PATH_PARAMETER;
        const char *word = s->p;
        while (s->p < s->end && *s->p != ' ' && *s->p != '\t')
            s->p++;
        enum smtp_path_result result = take_param(word, (size_t)(s->p - word), flags, &seen, out);
        if (result != SMTP_PATH_OK)
            return result;
    }
    return SMTP_PATH_OK;
}

/* --- xtext --- */

static int upper_hex(char c)
{
    return g_ascii_islower(c) ? -1 : g_ascii_xdigit_value(c);
}

bool smtp_xtext_decode(const char *text, size_t length, char **out)
{
    g_autoptr(GString) decoded = g_string_sized_new(length);

    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] <= ' ' || text[i] == '=' || text[i] == 0x7f)
            return false;
        if (text[i] != '+') {
            g_string_append_c(decoded, text[i]);
            continue;
        }
        if (length - i < 3 || upper_hex(text[i + 1]) < 0 || upper_hex(text[i + 2]) < 0)
            return false;
        int c = upper_hex(text[i + 1]) << 4 | upper_hex(text[i + 2]);
        /* Controls would end up in the fields of a report. */
        if (c < ' ' || c == 0x7f)
            return false;
        g_string_append_c(decoded, (char)c);
        i += 2;
    }
    if (!g_utf8_validate(decoded->str, (gssize)decoded->len, NULL))
        return false;
    *out = g_string_free(g_steal_pointer(&decoded), FALSE);
    return true;
}

char *smtp_xtext_encode(const char *text)
{
    GString *out = g_string_new(NULL);

    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c <= ' ' || c >= 0x7f || c == '+' || c == '=')
            g_string_append_printf(out, "+%02X", c);
        else
            g_string_append_c(out, *text);
    }
    return g_string_free(out, FALSE);
}
