/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One mail transaction: envelope, and what is answered to each recipient.  Made by MAIL, ended by the replies after
 * DATA, by RSET, or with the connection.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/smtp_path.h"

/* XFORWARD, decoded; NULL: not said or [UNAVAILABLE]. */
struct txn_forward {
    char *name, *addr, *port, *proto, *helo, *ident, *source;
};
void txn_forward_clear(struct txn_forward *forward);

struct txn_recipient {
    struct smtp_path path;
    bool gateway;              /* an address of the gateway; else a mailbox */
    bool accepted;             /* its RCPT was answered 250 */
    char *reply;               /* the line to be said next: to RCPT, then the final one; NULL: not known yet */
    struct txn_recipient *same; /* the same address stood before: delivered with it; not owned */
    char *mailbox;             /* lower case, extension cut off; of mailboxes */
};

struct txn {
    struct smtp_path sender;
    struct txn_forward forward;
    char *lhlo;          /* how the peer calls itself */
    GPtrArray *rcpts;    /* struct txn_recipient * */
    GHashTable *by_address;
    guint accepted;
    gint64 started;      /* µs, wall */
    void *handler_data;  /* the handler's own, freed by its end() */
};

/* Takes what sender and forward hold. */
struct txn *txn_new(struct smtp_path *sender, struct txn_forward *forward, const char *lhlo);
/* Takes the path. */
struct txn_recipient *txn_add(struct txn *txn, struct smtp_path *path);
struct txn_recipient *txn_rcpt(const struct txn *txn, guint index);
void txn_free(struct txn *txn);

/* Replaces the line. */
void txn_reply(struct txn_recipient *rcpt, const char *line);
void txn_reply_take(struct txn_recipient *rcpt, char *line);
