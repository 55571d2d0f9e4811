/* SPDX-License-Identifier: Apache-2.0 */
/* Structured fields, RFC 9651 section 4.2: parsing. */
#include "core/sf.h"

#include "core/hmac.h"

#include <string.h>

#define SF_MAX_DEPTH_MEMBERS 1024 /* members of a list, a dictionary, an inner list, parameters */

struct scan {
    const char *p, *end;
};

/* --- Memory --- */

static void clear_value(struct sf_value *value)
{
    g_clear_pointer(&value->text, g_free);
}

static void clear_param(void *data)
{
    struct sf_param *param = data;

    g_clear_pointer(&param->key, g_free);
    clear_value(&param->value);
}

static void clear_item(void *data)
{
    struct sf_item *item = data;

    g_clear_pointer(&item->key, g_free);
    clear_value(&item->value);
    g_clear_pointer(&item->items, g_array_unref);
    g_clear_pointer(&item->params, g_array_unref);
}

static GArray *new_items(void)
{
    GArray *items = g_array_sized_new(FALSE, TRUE, sizeof(struct sf_item), 8);

    g_array_set_clear_func(items, clear_item);
    return items;
}

void sf_clear(struct sf *sf)
{
    g_clear_pointer(&sf->members, g_array_unref);
}

/* --- Characters --- */

static bool at_end(const struct scan *s)
{
    return s->p == s->end;
}

static bool peek(const struct scan *s, char c)
{
    return s->p < s->end && *s->p == c;
}

static bool take(struct scan *s, char c)
{
    if (!peek(s, c))
        return false;
    s->p++;
    return true;
}

static void skip_sp(struct scan *s)
{
    while (peek(s, ' '))
        s->p++;
}

static void skip_ows(struct scan *s)
{
    while (peek(s, ' ') || peek(s, '\t'))
        s->p++;
}

static bool is_key_start(char c)
{
    return g_ascii_islower(c) || c == '*';
}

static bool is_key_char(char c)
{
    return g_ascii_islower(c) || g_ascii_isdigit(c) || (c != '\0' && strchr("_-.*", c) != NULL);
}

static bool is_token_start(char c)
{
    return g_ascii_isalpha(c) || c == '*';
}

static bool is_token_char(char c)
{
    return g_ascii_isalnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~:/", c) != NULL);
}

bool sf_is_key(const char *text)
{
    if (!is_key_start(*text))
        return false;
    for (; *text != '\0'; text++)
        if (!is_key_char(*text))
            return false;
    return true;
}

bool sf_is_token(const char *text)
{
    if (!is_token_start(*text))
        return false;
    for (; *text != '\0'; text++)
        if (!is_token_char(*text))
            return false;
    return true;
}

/* --- Bare items --- */

static bool parse_key(struct scan *s, char **key)
{
    const char *start = s->p;

    if (at_end(s) || !is_key_start(*s->p))
        return false;
    while (!at_end(s) && is_key_char(*s->p))
        s->p++;
    *key = g_strndup(start, (size_t)(s->p - start));
    return true;
}

static bool parse_number(struct scan *s, struct sf_value *out)
{
    bool negative = take(s, '-');
    gint64 value = 0;
    int digits = 0, fraction = 0;

    for (; !at_end(s) && g_ascii_isdigit(*s->p); s->p++, digits++) {
        if (digits == 15)
            return false;
        value = value * 10 + (*s->p - '0');
    }
    if (digits == 0)
        return false;
    out->type = SF_INTEGER;
    if (take(s, '.')) {
        if (digits > 12)
            return false;
        for (; !at_end(s) && g_ascii_isdigit(*s->p); s->p++, fraction++) {
            if (fraction == 3)
                return false;
            value = value * 10 + (*s->p - '0');
        }
        if (fraction == 0)
            return false;
        for (int i = fraction; i < 3; i++)
            value *= 10;
        out->type = SF_DECIMAL;
    }
    out->integer = negative ? -value : value;
    return true;
}

static bool parse_string(struct scan *s, struct sf_value *out)
{
    /* The text can only shrink: one allocation. */
    const char *start = ++s->p;
    bool escaped = false;

    for (; !at_end(s) && *s->p != '"'; s->p++) {
        if (*s->p < ' ' || *s->p >= 0x7f)
            return false;
        if (*s->p == '\\') {
            escaped = true;
            if (++s->p == s->end || (*s->p != '"' && *s->p != '\\'))
                return false;
        }
    }
    if (at_end(s))
        return false;
    out->type = SF_STRING;
    out->length = (size_t)(s->p - start);
    out->text = g_strndup(start, out->length);
    s->p++;
    if (escaped) {
        char *to = out->text;
        for (const char *from = out->text; *from != '\0'; from++) {
            if (*from == '\\')
                from++;
            *to++ = *from;
        }
        *to = '\0';
        out->length = (size_t)(to - out->text);
    }
    return true;
}

static bool parse_token(struct scan *s, struct sf_value *out)
{
    const char *start = s->p;

    while (!at_end(s) && is_token_char(*s->p))
        s->p++;
    out->type = SF_TOKEN;
    out->length = (size_t)(s->p - start);
    out->text = g_strndup(start, out->length);
    return true;
}

/* Base64; padding may be missing (RFC 9651 4.2.7: be lenient there), stray characters may not. */
static bool parse_bytes(struct scan *s, struct sf_value *out)
{
    const char *start = ++s->p;
    const char *stop = memchr(start, ':', (size_t)(s->end - start));

    if (stop == NULL)
        return false;
    size_t length = (size_t)(stop - start);
    g_autofree char *text = g_strndup(start, length);
    while (length > 0 && text[length - 1] == '=')
        text[--length] = '\0';
    if ((size_t)(stop - start) - length > 2)
        return false;
    for (char *p = text; *p != '\0'; p++) {
        if (*p == '-' || *p == '_')
            return false;
        *p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
    }
    size_t size = length * 3 / 4;
    out->text = g_malloc(size + 1);
    if (!hmac_unbase64url(text, strlen(text), (uint8_t *)out->text, &size))
        return false;
    out->text[size] = '\0';
    out->type = SF_BYTES;
    out->length = size;
    s->p = stop + 1;
    return true;
}

static bool parse_boolean(struct scan *s, struct sf_value *out)
{
    s->p++;
    if (!peek(s, '0') && !peek(s, '1'))
        return false;
    out->type = SF_BOOLEAN;
    out->integer = *s->p++ == '1';
    return true;
}

static bool parse_date(struct scan *s, struct sf_value *out)
{
    s->p++;
    if (!parse_number(s, out) || out->type != SF_INTEGER)
        return false;
    out->type = SF_DATE;
    return true;
}

static int lower_hex(char c)
{
    return g_ascii_isupper(c) ? -1 : g_ascii_xdigit_value(c);
}

static bool parse_display(struct scan *s, struct sf_value *out)
{
    s->p++;
    if (!take(s, '"'))
        return false;
    const char *start = s->p;
    const char *stop = memchr(start, '"', (size_t)(s->end - start));
    if (stop == NULL)
        return false;
    char *to = out->text = g_malloc((size_t)(stop - start) + 1);
    for (; s->p < stop; s->p++) {
        if (*s->p < ' ' || *s->p >= 0x7f)
            return false;
        if (*s->p != '%') {
            *to++ = *s->p;
            continue;
        }
        if (stop - s->p < 3 || lower_hex(s->p[1]) < 0 || lower_hex(s->p[2]) < 0)
            return false;
        *to++ = (char)(lower_hex(s->p[1]) << 4 | lower_hex(s->p[2]));
        s->p += 2;
    }
    *to = '\0';
    out->type = SF_DISPLAY;
    out->length = (size_t)(to - out->text);
    s->p = stop + 1;
    /* A NUL would cut the text short for its readers. */
    return strlen(out->text) == out->length && g_utf8_validate(out->text, (gssize)out->length, NULL);
}

static bool parse_bare(struct scan *s, struct sf_value *out)
{
    if (at_end(s))
        return false;
    if (*s->p == '"')
        return parse_string(s, out);
    if (*s->p == '-' || g_ascii_isdigit(*s->p))
        return parse_number(s, out);
    if (is_token_start(*s->p))
        return parse_token(s, out);
    switch (*s->p) {
    case ':':
        return parse_bytes(s, out);
    case '?':
        return parse_boolean(s, out);
    case '@':
        return parse_date(s, out);
    case '%':
        return parse_display(s, out);
    default:
        return false;
    }
}

/* --- Items, parameters, inner lists --- */

static void set_param(GArray *params, struct sf_param *param)
{
    for (guint i = 0; i < params->len; i++) {
        struct sf_param *old = &g_array_index(params, struct sf_param, i);
        if (strcmp(old->key, param->key) == 0) {
            clear_param(old);
            *old = *param;
            return;
        }
    }
    g_array_append_val(params, *param);
}

static bool parse_params(struct scan *s, GArray **params)
{
    while (take(s, ';')) {
        struct sf_param param = {.value = {.type = SF_BOOLEAN, .integer = 1}};
        skip_sp(s);
        if (!parse_key(s, &param.key))
            return false;
        if (take(s, '=') && !parse_bare(s, &param.value)) {
            clear_param(&param);
            return false;
        }
        if (*params == NULL) {
            *params = g_array_new(FALSE, TRUE, sizeof(struct sf_param));
            g_array_set_clear_func(*params, clear_param);
        }
        if ((*params)->len == SF_MAX_DEPTH_MEMBERS) {
            clear_param(&param);
            return false;
        }
        set_param(*params, &param);
    }
    return true;
}

static bool parse_inner(struct scan *s, struct sf_item *out)
{
    s->p++;
    out->value.type = SF_INNER;
    out->items = new_items();
    for (;;) {
        skip_sp(s);
        if (take(s, ')'))
            return true;
        if (out->items->len == 4 * SF_MAX_DEPTH_MEMBERS)
            return false;
        g_array_set_size(out->items, out->items->len + 1);
        struct sf_item *item = &g_array_index(out->items, struct sf_item, out->items->len - 1);
        if (!parse_bare(s, &item->value) || !parse_params(s, &item->params))
            return false;
        if (!peek(s, ' ') && !peek(s, ')'))
            return false;
    }
}

/* The value of a member: an item or an inner list, with parameters. */
static bool parse_member_value(struct scan *s, struct sf_item *out)
{
    if (peek(s, '(') ? !parse_inner(s, out) : !parse_bare(s, &out->value))
        return false;
    return parse_params(s, &out->params);
}

static bool parse_member(struct scan *s, bool dictionary, struct sf_item *out)
{
    if (!dictionary)
        return parse_member_value(s, out);
    if (!parse_key(s, &out->key))
        return false;
    if (take(s, '='))
        return parse_member_value(s, out);
    out->value = (struct sf_value){.type = SF_BOOLEAN, .integer = 1};
    return parse_params(s, &out->params);
}

static void add_member(GArray *members, struct sf_item *item)
{
    for (guint i = 0; item->key != NULL && i < members->len; i++)
        if (strcmp(g_array_index(members, struct sf_item, i).key, item->key) == 0) {
            /* RFC 9651 4.2.2: the last one counts, in the place of the first. */
            clear_item(&g_array_index(members, struct sf_item, i));
            g_array_index(members, struct sf_item, i) = *item;
            return;
        }
    g_array_append_val(members, *item);
}

static bool parse_members(struct scan *s, bool dictionary, GArray **members)
{
    *members = new_items();
    while (!at_end(s)) {
        struct sf_item item = {0};
        if ((*members)->len == SF_MAX_DEPTH_MEMBERS || !parse_member(s, dictionary, &item)) {
            clear_item(&item);
            return false;
        }
        add_member(*members, &item);
        skip_ows(s);
        if (at_end(s))
            return true;
        if (!take(s, ','))
            return false;
        skip_ows(s);
        if (at_end(s))
            return false; /* a comma at the end */
    }
    return true;
}

static bool parse_field(const char *text, size_t length, bool dictionary, struct sf *out)
{
    struct scan s = {text, text + length};
    GArray *members = NULL;

    skip_sp(&s);
    while (s.end > s.p && s.end[-1] == ' ')
        s.end--;
    if (!parse_members(&s, dictionary, &members)) {
        g_array_unref(members);
        return false;
    }
    out->members = members;
    return true;
}

bool sf_parse_dictionary(const char *text, size_t length, struct sf *out)
{
    return parse_field(text, length, true, out);
}

bool sf_parse_list(const char *text, size_t length, struct sf *out)
{
    return parse_field(text, length, false, out);
}

bool sf_parse_item(const char *text, size_t length, struct sf *out)
{
    struct scan s = {text, text + length};
    struct sf_item item = {0};

    skip_sp(&s);
    if (!parse_bare(&s, &item.value) || !parse_params(&s, &item.params)) {
        clear_item(&item);
        return false;
    }
    skip_sp(&s);
    if (!at_end(&s)) {
        clear_item(&item);
        return false;
    }
    out->members = new_items();
    g_array_append_val(out->members, item);
    return true;
}

/* --- Looking up --- */

guint sf_count(const struct sf *sf)
{
    return sf->members != NULL ? sf->members->len : 0;
}

const struct sf_item *sf_member(const struct sf *sf, guint index)
{
    return index < sf_count(sf) ? &g_array_index(sf->members, struct sf_item, index) : NULL;
}

const struct sf_item *sf_get(const struct sf *dictionary, const char *key)
{
    for (guint i = 0; i < sf_count(dictionary); i++) {
        const struct sf_item *item = sf_member(dictionary, i);
        if (item->key != NULL && strcmp(item->key, key) == 0)
            return item;
    }
    return NULL;
}

const char *sf_get_text(const struct sf *dictionary, const char *key)
{
    const struct sf_item *item = sf_get(dictionary, key);

    if (item == NULL)
        return NULL;
    switch (item->value.type) {
    case SF_STRING:
    case SF_TOKEN:
    case SF_DISPLAY:
        return item->value.text;
    default:
        return NULL;
    }
}

gint64 sf_get_integer(const struct sf *dictionary, const char *key, gint64 fallback)
{
    const struct sf_item *item = sf_get(dictionary, key);

    return item != NULL && item->value.type == SF_INTEGER ? item->value.integer : fallback;
}

bool sf_get_boolean(const struct sf *dictionary, const char *key, bool fallback)
{
    const struct sf_item *item = sf_get(dictionary, key);

    return item != NULL && item->value.type == SF_BOOLEAN ? item->value.integer != 0 : fallback;
}
