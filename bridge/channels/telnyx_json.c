/* SPDX-License-Identifier: Apache-2.0 */
/* Reading Telnyx's JSON without trusting its types. */
#include "bridge/channels/telnyx.h"

#include <string.h>

#include "core/clock.h"

gint64 telnyx_json_cost(const json_t *object, const char *key, char **currency)
{
    const json_t *cost = json_object_get(object, key);
    const json_t *amount = json_object_get(cost, "amount");
    gint64 value = -1;

    if (json_is_string(amount))
        value = channel_amount(json_string_value(amount));
    else if (json_is_number(amount) && json_number_value(amount) >= 0 && json_number_value(amount) < 1e6)
        value = (gint64)(json_number_value(amount) * 1e6 + 0.5);
    if (value >= 0)
        *currency = channel_json_text(cost, "currency");
    return value;
}

gint64 telnyx_json_time(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    gint64 us = 0;

    if (json_is_string(value) && ump_clock_parse_rfc3339(json_string_value(value), json_string_length(value), &us))
        return us;
    return channel_json_epoch(object, key);
}

static bool is_known(const char *code)
{
    static const struct channel_error *const tables[] = {telnyx_errors, whatsapp_errors};

    for (size_t i = 0; code && i < G_N_ELEMENTS(tables); i++)
        for (const struct channel_error *e = tables[i]; e->code; e++)
            if (strcmp(e->code, code) == 0)
                return true;
    return false;
}

bool telnyx_json_error(const json_t *object, char **code, char **text)
{
    const json_t *errors = json_object_get(object, "errors"), *chosen = NULL, *error;
    size_t i;

    json_array_foreach(errors, i, error) {
        g_autofree char *this_code = channel_json_text(error, "code");
        if (!chosen)
            chosen = error;
        if (is_known(this_code)) {
            chosen = error;
            break;
        }
    }
    if (!chosen)
        return false;
    g_autofree char *title = channel_json_text(chosen, "title");
    g_autofree char *detail = channel_json_text(chosen, "detail");
    *code = channel_json_text(chosen, "code");
    if (title && detail && strcmp(title, detail) != 0)
        *text = g_strdup_printf("%s: %s", title, detail);
    else
        *text = g_strdup(detail ? detail : title);
    return *code || *text;
}

char *telnyx_json_party(const json_t *party)
{
    static const char *const keys[] = {"phone_number", "address", "agent_id", "username", NULL};

    if (!json_is_object(party))
        return channel_value_text(party);
    for (const char *const *key = keys; *key; key++) {
        char *text = channel_json_text(party, *key);
        if (text)
            return text;
    }
    return NULL;
}

enum channel_status telnyx_status(const char *word)
{
    static const struct {
        const char *word;
        enum channel_status status;
    } words[] = {
        {"sent", CHANNEL_STATUS_SENT},
        {"delivery_unconfirmed", CHANNEL_STATUS_SENT}, /* final, but the network confirms nothing */
        {"dlr_timeout", CHANNEL_STATUS_SENT},
        {"delivered", CHANNEL_STATUS_DELIVERED},
        {"read", CHANNEL_STATUS_READ},
        {"sending_failed", CHANNEL_STATUS_FAILED},
        {"delivery_failed", CHANNEL_STATUS_FAILED},
        {"failed", CHANNEL_STATUS_FAILED},
        {"expired", CHANNEL_STATUS_FAILED},
        {"gw_reject", CHANNEL_STATUS_FAILED},
    };
    for (size_t i = 0; word && i < G_N_ELEMENTS(words); i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].status;
    return CHANNEL_STATUS_NONE; /* queued, sending, unknown, and words of tomorrow */
}
