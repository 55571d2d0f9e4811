/* SPDX-License-Identifier: Apache-2.0 */
/* Globally reachable unicast: see ip_policy.h.  After the IANA special-purpose address registries. */
#include "core/ip_policy.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Not reachable from everywhere, or not unicast. */
static const struct {
    uint32_t net;
    unsigned bits;
} special4[] = {
    { 0x00000000, 8 },  /* this network */
    { 0x0a000000, 8 },  /* private */
    { 0x64400000, 10 }, /* carrier-grade NAT */
    { 0x7f000000, 8 },  /* loopback */
    { 0xa9fe0000, 16 }, /* link-local, cloud metadata */
    { 0xac100000, 12 }, /* private */
    { 0xc0000000, 24 }, /* IETF protocol assignments */
    { 0xc0000200, 24 }, /* documentation */
    { 0xc01fc400, 24 }, /* AS112 */
    { 0xc034c100, 24 }, /* AMT */
    { 0xc0586300, 24 }, /* 6to4 relays */
    { 0xc0a80000, 16 }, /* private */
    { 0xc0af3000, 24 }, /* AS112 */
    { 0xc6120000, 15 }, /* benchmarking */
    { 0xc6336400, 24 }, /* documentation */
    { 0xcb007100, 24 }, /* documentation */
    { 0xe0000000, 3 },  /* multicast, reserved, broadcast */
};

/* Within 2000::/3; everything outside is refused as a whole. */
static const struct {
    uint8_t net[6];
    unsigned bits;
} special6[] = {
    { { 0x20, 0x01, 0x00 }, 23 },       /* IETF protocol assignments: Teredo, benchmarking, ORCHID … */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
    { { 0x20, 0x02 }, 16 },             /* 6to4: an IPv4 address in disguise */
    { { 0x26, 0x20, 0x00, 0x4f, 0x80, 0x00 }, 48 }, /* AS112 */
    { { 0x3f, 0xff, 0x00 }, 20 },       /* documentation */
};

static bool is_global4(uint32_t address)
{
    for (size_t i = 0; i < sizeof special4 / sizeof *special4; i++)
        if ((address ^ special4[i].net) >> (32 - special4[i].bits) == 0)
            return false;
    return true;
}

static bool has_prefix(const uint8_t *address, const uint8_t *net, unsigned bits)
{
    if (memcmp(address, net, bits / 8))
        return false;
    unsigned rest = bits % 8;
    return !rest || (address[bits / 8] ^ net[bits / 8]) >> (8 - rest) == 0;
}

static bool is_global6(const uint8_t *address)
{
    if (address[0] >> 5 != 1)
        return false;
    for (size_t i = 0; i < sizeof special6 / sizeof *special6; i++)
        if (has_prefix(address, special6[i].net, special6[i].bits))
            return false;
    return true;
}

bool ip_is_global(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return is_global4(ntohl(in.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        return is_global6(in6.sin6_addr.s6_addr);
    }
    return false;
}
