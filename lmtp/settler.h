/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deliveries that the store has taken are settled after the peer has its answer, many in one statement: what counts is
 * with the store, and a row that a crash leaves pending says only that its delivery was begun.
 *
 * The turn of a key (lmtp/underway.h) ends with its row settled, so that a peer that lost our answer and comes again at
 * once meets that; or, when the database fails, with the record in the journal, from where it is settled when the
 * database is back.  Who comes again before that, or whose answer and our row were lost by one crash of both, is
 * delivered again: at least once, as where Dovecot's answer is lost.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct db;
struct settler;
struct underway;

/* Could not be settled now: kept for later.  On the settler's thread. */
typedef void (*settler_kept)(void *data, const char *key, const char *reply);

struct settler *settler_new(struct db *db, struct underway *underway, unsigned wait_ms, settler_kept kept, void *data);
/* Settles what is left. */
void settler_free(struct settler *settler);

/* The store has answered 2xx (reply) to the delivery of this key.  turn: the caller has the key's turn and gives it up.
 * Both are copied; returns at once. */
void settler_add(struct settler *settler, const char *key, const char *reply, bool turn);
