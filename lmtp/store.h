/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where mail for mailboxes goes: one struct of functions per kind of store ("lmtp:" relays to Dovecot's LMTP server).
 * A store's word on a recipient is a reply line in the recipient: 2xx taken, 5xx refused, else temporary.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/uio.h>

#include "lmtp/txn.h"

struct store_options {
    const char *hostname;
    unsigned connections; /* at most */
    unsigned timeout_ms;  /* one answer of the store */
    unsigned final_ms;    /* the answers after the content */
};

/* What the store keeps for one transaction between its calls; NULL at first. */
struct store_hold;

struct store_ops {
    const char *scheme; /* "lmtp" */
    void *(*open)(const char *where, const struct store_options *options, GError **error);
    void (*close)(void *store);
    /* May mail for these come?  Sets reply and accepted of each.  data_follows: no more recipients, and the mail is
     * on its way. */
    void (*check)(void *store, struct store_hold **hold, const struct txn *txn, struct txn_recipient *const *rcpts,
                  guint count, bool data_follows);
    /* The same mail for all of these, who were accepted by check.  Sets the final reply of each. */
    void (*deliver)(void *store, struct store_hold **hold, const struct txn *txn,
                    struct txn_recipient *const *rcpts, guint count, const struct iovec *parts, size_t n_parts);
    /* The transaction is over. */
    void (*end)(void *store, struct store_hold **hold);
};

extern const struct store_ops store_lmtp;

/* "lmtp:/path": the kind and what stands behind its name; NULL: no such kind. */
const struct store_ops *store_find(const char *setting, const char **where);
