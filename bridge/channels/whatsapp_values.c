/* SPDX-License-Identifier: Apache-2.0 */
/* WhatsApp's values: ids, numbers, errors, words for statuses, its pace. */
#include "bridge/channels/whatsapp.h"

#include <math.h>
#include <string.h>

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

enum channel_status whatsapp_status(const char *word)
{
    static const struct {
        const char *word;
        enum channel_status status;
    } words[] = {
        {"sent", CHANNEL_STATUS_SENT},     {"delivered", CHANNEL_STATUS_DELIVERED}, {"read", CHANNEL_STATUS_READ},
        {"played", CHANNEL_STATUS_READ},   {"failed", CHANNEL_STATUS_FAILED},
    };
    for (size_t i = 0; word && i < G_N_ELEMENTS(words); i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].status;
    return CHANNEL_STATUS_NONE; /* "deleted", and words of tomorrow */
}

bool whatsapp_same_digits(const char *one, const char *other)
{
    for (;; one++, other++) {
        while (*one && !g_ascii_isdigit(*one))
            one++;
        while (*other && !g_ascii_isdigit(*other))
            other++;
        if (*one != *other || !*one)
            return *one == *other;
    }
}

void whatsapp_pace(struct channel_pace *pace)
{
    pace->rate = 80;
    pace->burst = 80;
    pace->pair_rate = 1.0 / 6;
    pace->pair_burst = 45;
}
