/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups whose network has no id for them (group MMS) are the set of their members: how that set becomes the key of
 * ump.chat_groups and the local part of the group's address.  Inbound and outbound must agree on it.
 */
#pragma once

#include <glib.h>

/* The members without our own number, each once, sorted, joined by ","; g_free.  NULL when nobody is left. */
char *group_key_of_members(const char *const *members, const char *own);
/* What stands behind "g." in the address of a group: 16 characters of a hash over endpoint (uuid text) and key;
 * g_free. */
char *group_address_id(const char *endpoint_id, const char *group_key);
