/* SPDX-License-Identifier: Apache-2.0 */
/* Structured fields, RFC 9651 section 4.1: serialising. */
#include "core/sf.h"

#include <string.h>

static bool is_printable_ascii(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] >= 0x7f)
            return false;
    return true;
}

static void put_string(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *text);
    }
    g_string_append_c(out, '"');
}

static void put_display(GString *out, const char *text)
{
    g_string_append(out, "%\"");
    for (; *text != '\0'; text++) {
        if (*text == '%' || *text == '"' || *text < ' ' || *text >= 0x7f)
            g_string_append_printf(out, "%%%02x", (unsigned char)*text);
        else
            g_string_append_c(out, *text);
    }
    g_string_append_c(out, '"');
}

void sf_put_key(GString *out, const char *key)
{
    if (out->len > 0)
        g_string_append(out, ", ");
    g_string_append(out, key);
    g_string_append_c(out, '=');
}

void sf_put_text(GString *out, const char *text)
{
    if (is_printable_ascii(text, strlen(text))) {
        put_string(out, text);
        return;
    }
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    put_display(out, valid);
}

void sf_put_token(GString *out, const char *token)
{
    if (sf_is_token(token))
        g_string_append(out, token);
    else
        sf_put_text(out, token);
}

void sf_put_integer(GString *out, gint64 value)
{
    g_string_append_printf(out, "%" G_GINT64_FORMAT, value);
}

void sf_put_boolean(GString *out, bool value)
{
    g_string_append(out, value ? "?1" : "?0");
}

void sf_put_bytes(GString *out, const void *data, size_t length)
{
    gsize at = out->len + 1;
    int bits = 0, save = 0;

    g_string_append_c(out, ':');
    g_string_set_size(out, at + (length / 3 + 1) * 4 + 4);
    gsize n = g_base64_encode_step(data, length, FALSE, out->str + at, &bits, &save);
    n += g_base64_encode_close(FALSE, out->str + at + n, &bits, &save);
    g_string_truncate(out, at + n);
    g_string_append_c(out, ':');
}

/* --- The tree --- */

static const gint64 INTEGER_MAX = G_GINT64_CONSTANT(999999999999999);

static bool put_decimal(GString *out, gint64 thousandths)
{
    gint64 whole = ABS(thousandths) / 1000;
    int fraction = (int)(ABS(thousandths) % 1000);

    if (whole > G_GINT64_CONSTANT(999999999999))
        return false;
    g_string_append_printf(out, "%s%" G_GINT64_FORMAT ".%03d", thousandths < 0 ? "-" : "", whole, fraction);
    /* One digit of the fraction always stays. */
    for (int i = 0; i < 2 && out->str[out->len - 1] == '0'; i++)
        g_string_truncate(out, out->len - 1);
    return true;
}

static bool put_value(GString *out, const struct sf_value *value)
{
    switch (value->type) {
    case SF_DATE:
        g_string_append_c(out, '@');
        /* fall through */
    case SF_INTEGER:
        sf_put_integer(out, value->integer);
        return ABS(value->integer) <= INTEGER_MAX;
    case SF_DECIMAL:
        return put_decimal(out, value->integer);
    case SF_STRING:
        put_string(out, value->text);
        return is_printable_ascii(value->text, strlen(value->text));
    case SF_TOKEN:
        g_string_append(out, value->text);
        return sf_is_token(value->text);
    case SF_BYTES:
        sf_put_bytes(out, value->text, value->length);
        return true;
    case SF_BOOLEAN:
        sf_put_boolean(out, value->integer != 0);
        return true;
    case SF_DISPLAY:
        put_display(out, value->text);
        return g_utf8_validate(value->text, -1, NULL);
    case SF_INNER:
        break;
    }
    return false;
}

static bool put_params(GString *out, const GArray *params)
{
    for (guint i = 0; params != NULL && i < params->len; i++) {
        const struct sf_param *param = &g_array_index(params, struct sf_param, i);
        if (!sf_is_key(param->key))
            return false;
        g_string_append_printf(out, ";%s", param->key);
        if (param->value.type == SF_BOOLEAN && param->value.integer)
            continue;
        g_string_append_c(out, '=');
        if (!put_value(out, &param->value))
            return false;
    }
    return true;
}

static bool put_inner(GString *out, const struct sf_item *item)
{
    g_string_append_c(out, '(');
    for (guint i = 0; item->items != NULL && i < item->items->len; i++) {
        const struct sf_item *inner = &g_array_index(item->items, struct sf_item, i);
        if (i > 0)
            g_string_append_c(out, ' ');
        if (!put_value(out, &inner->value) || !put_params(out, inner->params))
            return false;
    }
    g_string_append_c(out, ')');
    return true;
}

static bool put_item(GString *out, const struct sf_item *item)
{
    if (!(item->value.type == SF_INNER ? put_inner(out, item) : put_value(out, &item->value)))
        return false;
    return put_params(out, item->params);
}

static bool put_member(GString *out, const struct sf_item *item, bool dictionary)
{
    if (!dictionary)
        return put_item(out, item);
    if (item->key == NULL || !sf_is_key(item->key))
        return false;
    g_string_append(out, item->key);
    if (item->value.type == SF_BOOLEAN && item->value.integer)
        return put_params(out, item->params);
    g_string_append_c(out, '=');
    return put_item(out, item);
}

static char *serialise(const struct sf *sf, bool dictionary)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < sf_count(sf); i++) {
        if (i > 0)
            g_string_append(out, ", ");
        if (!put_member(out, sf_member(sf, i), dictionary)) {
            g_string_free(out, TRUE);
            return NULL;
        }
    }
    return g_string_free(out, FALSE);
}

char *sf_serialise_dictionary(const struct sf *sf)
{
    return serialise(sf, true);
}

char *sf_serialise_list(const struct sf *sf)
{
    return serialise(sf, false);
}
