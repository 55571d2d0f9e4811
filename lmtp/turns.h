/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One delivery at a time per mailbox.  Dovecot 2.3 takes several at once, but then numbers them in any order, and its
 * record of duplicates (Sieve) loses entries: half of them with four deliveries at once.
 */
#pragma once

#include <glib.h>

#include "lmtp/txn.h"

struct turns;

struct turns *turns_new(void);
void turns_free(struct turns *turns);

/* Waits until none of these mailboxes is taken, then takes them all at once (so nobody waits in a circle). */
void turns_take(struct turns *turns, struct txn_recipient *const *rcpts, guint count);
void turns_give(struct turns *turns, struct txn_recipient *const *rcpts, guint count);
