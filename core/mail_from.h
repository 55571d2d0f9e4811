/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The From field of a mail that wants to leave: exactly one field with exactly one addr-spec that cannot be read in
 * two ways (FAILURES T05).  A strict parser of its own, because lenient ones are what such attacks live on.
 */
#pragma once

#include <glib.h>

enum mail_from_state {
    MAIL_FROM_OK = 0,
    MAIL_FROM_MISSING,
    MAIL_FROM_MULTIPLE_FIELDS,
    MAIL_FROM_MULTIPLE_ADDRESSES,
    MAIL_FROM_GROUP,   /* group syntax */
    MAIL_FROM_INVALID  /* empty, comment tricks, encoded word or 8-bit in the addr-spec */
};
/* "5.7.1 the mail has two From fields" … ; NULL for OK */
const char *mail_from_sentence(enum mail_from_state state);
/* The rule on one raw From value: 0 and *address (g_free), else the state. count: number of From fields. */
enum mail_from_state mail_from_check(const char *value, guint count, char **address);
