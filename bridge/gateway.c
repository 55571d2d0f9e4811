/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/gateway.h"

#include <string.h>

#include "core/address.h"
#include "core/hmac.h"

static char *hash_of(const char *id)
{
    uint8_t digest[32];

    hmac_sha256(id, strlen(id), digest);
    return hmac_base32(digest, 15);
}

char *gateway_opaque_id(const char *id, const char *channel)
{
    if (address_kind_on(channel, id) != ADDRESS_OPAQUE || address_id_is_safe(id))
        return NULL;
    return hash_of(id);
}

char *gateway_address(const char *id, const char *channel, const char *domain)
{
    enum address_kind kind = address_kind_on(channel, id);
    g_autofree char *opaque = gateway_opaque_id(id, channel), *hash = NULL;
    g_autofree char *lower = kind == ADDRESS_ALPHANUMERIC ? g_ascii_strdown(id, -1) : g_strdup(opaque ? opaque : id);
    char *address = address_format(kind, lower, channel, domain);

    if (address)
        return address;
    hash = hash_of(id);
    address = address_format(ADDRESS_OPAQUE, hash, channel, domain);
    return address ? address : g_strdup_printf("u.%s@%s.%s", hash, channel, domain);
}

char *gateway_group_address(const char *group, const char *channel, const char *domain)
{
    char *address = address_format(ADDRESS_GROUP, group, channel, domain);

    return address ? address : g_strdup_printf("g.%s@%s.%s", group, channel, domain);
}
