/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the values of Signal's JSON. */
#include "bridge/channels/signal.h"

#include <string.h>

#define MAX_IDENTIFIER 100

gint64 signal_stamp(const json_t *object, const char *key)
{
    gint64 time = channel_json_int(object, key);

    if (time <= 0)
        return 0;
    if (time < G_GINT64_CONSTANT(100000000000)) /* seconds until the year 5138 */
        return time * 1000;
    if (time < G_GINT64_CONSTANT(100000000000000))
        return time;
    return MIN(time / 1000, G_GINT64_CONSTANT(100000000000000) - 1);
}

char *signal_message_id(gint64 stamp, const char *author)
{
    return stamp > 0 && author ? g_strdup_printf("%" G_GINT64_FORMAT "@%s", stamp, author) : NULL;
}

bool signal_message_id_split(const char *id, gint64 *stamp, const char **author)
{
    const char *at = id ? strchr(id, '@') : NULL;
    g_autofree char *digits = at ? g_strndup(id, (gsize)(at - id)) : NULL;
    guint64 number;

    if (!at || !at[1] || !g_ascii_string_to_unsigned(digits, 10, 1, G_MAXINT64, &number, NULL))
        return false;
    *stamp = (gint64)number;
    *author = at + 1;
    return true;
}

char *signal_identifier(const char *id)
{
    if (!id || !*id || strlen(id) > MAX_IDENTIFIER)
        return NULL;
    return *id == '+' ? g_strdup(id) : g_ascii_strdown(id, -1);
}

static char *part(const json_t *object, const char *prefix, const char *what)
{
    g_autofree char *key = *prefix ? g_strconcat(prefix, what, NULL) : g_ascii_strdown(what, -1);
    g_autofree char *raw = channel_json_text(object, key);

    return signal_identifier(raw);
}

/* Old versions have one key for both. */
static char *either(const json_t *object, const char *prefix, bool number)
{
    g_autofree char *raw = *prefix ? channel_json_text(object, prefix) : NULL;

    return raw && (*raw == '+') == number ? signal_identifier(raw) : NULL;
}

char *signal_author(const json_t *object, const char *prefix)
{
    char *id = part(object, prefix, "Uuid");

    if (!id)
        id = either(object, prefix, false);
    if (!id)
        id = part(object, prefix, "Number");
    return id ? id : either(object, prefix, true);
}

void signal_read_party(const json_t *object, const char *prefix, struct ump_party *party)
{
    g_autofree char *number = part(object, prefix, "Number"), *uuid = part(object, prefix, "Uuid");

    if (!number)
        number = either(object, prefix, true);
    if (!uuid)
        uuid = either(object, prefix, false);
    g_free(party->address);
    g_free(party->alias);
    party->address = g_strdup(number ? number : uuid);
    party->alias = number ? g_steal_pointer(&uuid) : NULL;
}

void signal_add_party(struct ump_group *group, const json_t *member)
{
    struct ump_party *party = ump_party_new(NULL, NULL);

    if (json_is_string(member))
        party->address = signal_identifier(json_string_value(member));
    else
        signal_read_party(member, "", party);
    if (party->address)
        g_ptr_array_add(group->members, party);
    else
        ump_party_free(party);
}

bool signal_is_own(const struct channel_endpoint *endpoint, const char *id)
{
    const char *uuid = channel_setting(endpoint, "uuid");

    return id && (g_strcmp0(id, endpoint->address) == 0 || g_strcmp0(id, signal_account(endpoint)) == 0 ||
                  (uuid && g_ascii_strcasecmp(id, uuid) == 0));
}

bool signal_truth(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    g_autofree char *text = json_is_boolean(value) ? NULL : channel_value_text(value);

    return json_is_true(value) || (text && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0));
}
