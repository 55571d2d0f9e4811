/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the values of WhatsApp's JSON. */
#include "bridge/channels/whatsapp_cloud.h"

#include <math.h>
#include <string.h>

#include "core/clock.h"

char *whatsapp_identifier(const char *id)
{
    size_t length = id ? strlen(id) : 0;

    if (length >= 6 && length <= 15 && strspn(id, "0123456789") == length)
        return g_strconcat("+", id, NULL);
    return g_strdup(id);
}

bool whatsapp_number(const json_t *object, const char *key, double *number)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    char *end = NULL;
    double found;

    if (json_is_number(value)) {
        *number = json_number_value(value);
        return true;
    }
    if (!text || !*text)
        return false;
    found = g_ascii_strtod(text, &end);
    if (*end != '\0' || !isfinite(found))
        return false;
    *number = found;
    return true;
}

bool whatsapp_error(const json_t *error, char **code, char **text)
{
    g_autofree char *details = channel_json_text(json_object_get(error, "error_data"), "details");
    g_autofree char *message = channel_json_text(error, "message");

    if (!message)
        message = channel_json_text(error, "title");
    *code = channel_json_text(error, "code");
    if (message && details && strcmp(message, details) != 0)
        *text = g_strdup_printf("%s: %s", message, details);
    else
        *text = g_strdup(details ? details : message);
    return *code || *text;
}
