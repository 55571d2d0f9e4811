/* SPDX-License-Identifier: Apache-2.0 */
#include "core/endpoint_secrets.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/error.h"

static char *context_of(const char *endpoint_id, const char *key)
{
    return g_strconcat("endpoint:", endpoint_id, ":", key, NULL);
}

static json_t *parse_stored(GBytes *stored, GError **error)
{
    if (stored == NULL || g_bytes_get_size(stored) == 0)
        return json_object();
    gsize size;
    const char *text = g_bytes_get_data(stored, &size);
    json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    if (object == NULL || !json_is_object(object)) {
        json_decref(object);
        g_set_error_literal(error, UMP_ERROR, UMP_ERROR_INVALID, "the stored credentials are damaged");
        return NULL;
    }
    return object;
}

GBytes *endpoint_secrets_seal(const struct secrets *secrets, const char *endpoint_id, const json_t *plain,
                              GBytes *stored, GError **error)
{
    g_autoptr(json_t) object = parse_stored(stored, error);
    if (object == NULL)
        return NULL;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)plain, key, value) {
        if (json_is_null(value)) {
            json_object_del(object, key);
            continue;
        }
        g_autofree char *context = context_of(endpoint_id, key);
        g_autofree char *sealed =
            secrets_seal(secrets, json_string_value(value), json_string_length(value), context, error);
        if (sealed == NULL)
            return NULL;
        json_object_set_new(object, key, json_string(sealed));
    }
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    GBytes *bytes = g_bytes_new(text, strlen(text));
    g_free(text);
    return bytes;
}

json_t *endpoint_secrets_open(const struct secrets *secrets, const char *endpoint_id, GBytes *stored,
                              GError **error)
{
    g_autoptr(json_t) object = parse_stored(stored, error);
    if (object == NULL)
        return NULL;
    json_t *plain = json_object();
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        const char *sealed = json_string_value(value);
        g_autofree char *context = context_of(endpoint_id, key);
        size_t length = 0;
        char *clear = secrets_open(secrets, sealed != NULL ? sealed : "", context, &length, error);
        if (clear == NULL) {
            g_prefix_error(error, "credential %s of endpoint %s: ", key, endpoint_id);
            endpoint_secrets_wipe(plain);
            return NULL;
        }
        json_object_set_new(plain, key, json_stringn_nocheck(clear, length));
        secrets_wipe(clear);
    }
    return plain;
}

void endpoint_secrets_wipe(json_t *plain)
{
    if (plain == NULL)
        return;
    const char *key;
    json_t *value;
    json_object_foreach(plain, key, value) {
        /* jansson keeps the string in memory of its own that we may overwrite before it is freed */
        char *text = (char *)json_string_value(value);
        if (text != NULL)
            explicit_bzero(text, json_string_length(value));
    }
    json_decref(plain);
}
