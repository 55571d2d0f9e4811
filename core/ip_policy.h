/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses a URL that a stranger chose may lead to (FAILURES T26): only global unicast ones.  Pure. */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

/* False for anything that is not globally reachable unicast by the IANA special-purpose registries: private,
 * loopback, link-local (cloud metadata), CGNAT, multicast, documentation, benchmarking, reserved; for IPv6 also
 * everything outside 2000::/3, and what embeds an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo)
 * whatever that address is.  Families other than AF_INET and AF_INET6: false. */
bool ip_is_global(const struct sockaddr *address);
