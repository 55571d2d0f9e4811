/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread's own messages as evidence of what is new in an answer: what this person got from us, or is answering of
 * his own, stands in the database, so a line of it in his mail is a quote.
 */
#pragma once

#include <glib.h>

#include "core/text_known.h"

struct db;

/*
 * One read, for mail that answers something: refs is In-Reply-To, then References newest first, NULL-terminated.
 * Only conversations of the login's owner (himself, his teams) are looked at, only what was stored before the instant
 * `before` (µs; the same mail read again gives the same), the newest messages up to a bound of both number and bytes.
 * Measured at the client, round trip included: 0.3 ms where a few messages come back, 0.4 ms for 30 SMS; 4 ms for mails
 * of 4 KiB each, which PostgreSQL stores out of line.
 *
 * 0: *known is owned, or NULL when nothing is known (no login, no references, another's thread); -1: DB_ERROR.
 */
int evidence_load(struct db *db, const char *login, const char *const *refs, gint64 before, unsigned timeout_ms,
                  struct text_known **known, GError **error);
