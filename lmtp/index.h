/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of delivered mail: a row per recipient, pending before the store sees the mail, settled after it answered:
 * what it refused before the peer hears of it, what it took just after that (lmtp/settler.h).
 *
 * While the database is away and [lmtp] index is best-effort, ordinary mail is delivered at once; what the index
 * should have learned goes into a journal, which a thread replays when the database is back.  Such a mail carries no
 * UMP-Conversation-ID; its conversation is found then by its Message-ID all the same.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/ids.h"

struct config;
struct db;
struct index;
struct mail;
struct txn;
struct underway;

struct index *index_open(struct db *db, const struct config *config, struct underway *underway, GError **error);
/* Settles what is left and ends the threads; what is in the journal stays for the next start. */
void index_close(struct index *index);

enum index_state {
    INDEX_NONE,    /* deliver; nothing is to be settled (a mailbox that nobody here owns, or no index possible) */
    INDEX_PENDING, /* deliver, then settle */
    INDEX_LATER,   /* deliver, then index_later(): the database is away */
    INDEX_DONE,    /* delivered before: answer 250 and do nothing */
    INDEX_WAIT     /* temporary failure: answer 451 */
};

/* One recipient. */
struct index_entry {
    char *key;           /* delivery key; owned */
    const char *mailbox;
    const char *recipient; /* as in the envelope */
    bool stable_key;     /* the peer will say the same key when it comes again */
    bool bridged;
    /* set by index_begin() */
    enum index_state state;
    char conversation[IDS_UUID_TEXT]; /* "" unknown */
    char message[IDS_UUID_TEXT];
    /* what the store said */
    const char *reply;
    /* set by index_settle(): the turn of the key went with it */
    bool settling;
};
void index_entry_clear(struct index_entry *entry);

/* What the index keeps of one mail, the same for all its recipients. */
struct index_mail;
struct index_mail *index_mail_new(struct index *index, const struct mail *mail, const struct txn *txn);
void index_mail_free(struct index_mail *mail);
const char *index_mail_subject(const struct index_mail *mail); /* NULL */
const char *index_mail_id(const struct index_mail *mail);      /* Message-ID; never NULL */

/* All of them in one batch; blocks.  mail: may be NULL when all are bridged; trusted: the bridge's mail. */
void index_begin(struct index *index, const struct index_mail *mail, const struct mail *trusted,
                 struct index_entry *entries, guint count);
/* The store has answered (reply): the rows of what it took are given to the settler, with the turns of their keys; the
 * others are settled, or the journal has it.  Blocks for these. */
void index_settle(struct index *index, const struct index_mail *mail, struct index_entry *const *entries, guint count);
