/* SPDX-License-Identifier: Apache-2.0 */
#include "core/group_key.h"

#include <string.h>

#include "core/hmac.h"

#define ADDRESS_BYTES 10 /* 16 characters of base32 */

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *group_key_of_members(const char *const *members, const char *own)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    GString *key = g_string_new(NULL);

    for (; *members; members++)
        if (g_strcmp0(*members, own) != 0)
            g_ptr_array_add(sorted, (gpointer)*members);
    g_ptr_array_sort(sorted, compare);
    for (guint i = 0; i < sorted->len; i++) {
        const char *member = g_ptr_array_index(sorted, i);
        if (i > 0 && strcmp(member, g_ptr_array_index(sorted, i - 1)) == 0)
            continue;
        g_string_append_printf(key, "%s%s", key->len > 0 ? "," : "", member);
    }
    return g_string_free(key, key->len == 0);
}

char *group_address_id(const char *endpoint_id, const char *group_key)
{
    g_autofree char *text = g_strconcat(endpoint_id, "/", group_key, NULL);
    uint8_t hash[32];

    hmac_sha256(text, strlen(text), hash);
    return hmac_base32(hash, ADDRESS_BYTES);
}
