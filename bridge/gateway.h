/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids of a network as mail addresses of ours.
 */
#pragma once

#include <glib.h>

/* "+15551234567@sms.example.org", "s.12345@…", "a.amazon@…"; what is not safe as a local part becomes
 * "u.<hash>".  Never NULL. */
char *gateway_address(const char *id, const char *channel, const char *domain);
/* What stands behind "u." in the mail address of an id that cannot stand there itself; NULL: it can, or
 * it is of another kind. */
char *gateway_opaque_id(const char *id, const char *channel);
/* "g.4f2a91@sms.example.org". */
char *gateway_group_address(const char *group, const char *channel, const char *domain);
