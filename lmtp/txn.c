/* SPDX-License-Identifier: Apache-2.0 */
#include "lmtp/txn.h"

#include <string.h>

#include "core/clock.h"

void txn_forward_clear(struct txn_forward *forward)
{
    g_free(forward->name);
    g_free(forward->addr);
    g_free(forward->port);
    g_free(forward->proto);
    g_free(forward->helo);
    g_free(forward->ident);
    g_free(forward->source);
    memset(forward, 0, sizeof *forward);
}

static void recipient_free(void *data)
{
    struct txn_recipient *rcpt = data;

    smtp_path_clear(&rcpt->path);
    g_free(rcpt->reply);
    g_free(rcpt->mailbox);
    g_free(rcpt);
}

struct txn *txn_new(struct smtp_path *sender, struct txn_forward *forward, const char *lhlo)
{
    struct txn *txn = g_new0(struct txn, 1);

    txn->sender = *sender;
    memset(sender, 0, sizeof *sender);
    txn->forward = *forward;
    memset(forward, 0, sizeof *forward);
    txn->lhlo = g_strdup(lhlo);
    txn->rcpts = g_ptr_array_new_with_free_func(recipient_free);
    txn->started = ump_clock_now_us();
    return txn;
}

struct txn_recipient *txn_add(struct txn *txn, struct smtp_path *path)
{
    struct txn_recipient *rcpt = g_new0(struct txn_recipient, 1);

    rcpt->path = *path;
    memset(path, 0, sizeof *path);
    if (txn->rcpts->len > 0) { /* one recipient needs no table */
        if (!txn->by_address) {
            struct txn_recipient *first = txn_rcpt(txn, 0);
            txn->by_address = g_hash_table_new(g_str_hash, g_str_equal);
            g_hash_table_insert(txn->by_address, first->path.address, first);
        }
        rcpt->same = g_hash_table_lookup(txn->by_address, rcpt->path.address);
        if (!rcpt->same)
            g_hash_table_insert(txn->by_address, rcpt->path.address, rcpt);
    }
    g_ptr_array_add(txn->rcpts, rcpt);
    return rcpt;
}

struct txn_recipient *txn_rcpt(const struct txn *txn, guint index)
{
    return g_ptr_array_index(txn->rcpts, index);
}

void txn_free(struct txn *txn)
{
    if (!txn)
        return;
    smtp_path_clear(&txn->sender);
    txn_forward_clear(&txn->forward);
    g_free(txn->lhlo);
    g_clear_pointer(&txn->by_address, g_hash_table_destroy);
    g_ptr_array_unref(txn->rcpts);
    g_free(txn);
}

void txn_reply_take(struct txn_recipient *rcpt, char *line)
{
    g_free(rcpt->reply);
    rcpt->reply = line;
}

void txn_reply(struct txn_recipient *rcpt, const char *line)
{
    txn_reply_take(rcpt, g_strdup(line));
}
