/* SPDX-License-Identifier: Apache-2.0 */
/* Forms as browsers and Twilio send them: name=value pairs, '+' for a space, % escapes. */
#include "bridge/channels/channel_common.h"

#include <string.h>

#include "core/error.h"

#define MAX_FIELDS 1000
#define MAX_LENGTH (64 * 1024)

static void field_free(gpointer data)
{
    struct channel_field *field = data;

    g_free(field->name);
    g_free(field->value);
    g_free(field);
}

static char *decode(const char *text, size_t length, size_t *decoded)
{
    char *out = g_malloc(length + 1);
    size_t n = 0;

    for (size_t i = 0; i < length; i++) {
        if (text[i] == '+') {
            out[n++] = ' ';
        } else if (text[i] == '%' && length - i > 2 && g_ascii_isxdigit(text[i + 1]) && g_ascii_isxdigit(text[i + 2])) {
            out[n++] = (char)(g_ascii_xdigit_value(text[i + 1]) << 4 | g_ascii_xdigit_value(text[i + 2]));
            i += 2;
        } else {
            out[n++] = text[i];
        }
    }
    out[n] = '\0';
    *decoded = n;
    return out;
}

static enum channel_parse over_limit(GError **error, const char *why)
{
    g_set_error_literal(error, UMP_ERROR, UMP_ERROR_INVALID, why);
    return CHANNEL_OVER_LIMIT;
}

enum channel_parse channel_form_parse(const char *body, size_t length, GPtrArray **fields, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(field_free);
    const char *end = body + length;

    for (const char *at = body; at < end;) {
        const char *stop = memchr(at, '&', (size_t)(end - at)), *equals;
        stop = stop ? stop : end;
        equals = memchr(at, '=', (size_t)(stop - at));
        if (stop - at > MAX_LENGTH)
            return over_limit(error, "a field of the form is longer than 64 KiB");
        if (list->len == MAX_FIELDS)
            return over_limit(error, "the form has more than 1000 fields");
        if (stop > at) {
            struct channel_field *field = g_new0(struct channel_field, 1);
            const char *name_end = equals ? equals : stop, *value = equals ? equals + 1 : stop;
            field->name = decode(at, (size_t)(name_end - at), &field->name_length);
            field->value = decode(value, (size_t)(stop - value), &field->value_length);
            g_ptr_array_add(list, field);
        }
        at = stop + 1;
    }
    *fields = g_steal_pointer(&list);
    return CHANNEL_PARSED;
}

const char *channel_form_get(const GPtrArray *fields, const char *name)
{
    for (guint i = 0; i < fields->len; i++) {
        const struct channel_field *field = fields->pdata[i];
        if (strcmp(field->name, name) == 0)
            return *field->value ? field->value : NULL;
    }
    return NULL;
}

void channel_form_add(GString *body, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    if (body->len > 0)
        g_string_append_c(body, '&');
    g_string_append_uri_escaped(body, name, NULL, FALSE);
    g_string_append_c(body, '=');
    g_string_append_uri_escaped(body, value, NULL, FALSE);
}
