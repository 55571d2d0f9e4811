/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mail for mailboxes: index rows pending, the store, rows settled, the store's replies passed on.  Recipients whose
 * copies have the same fields on top share one transaction with the store, usually there is one recipient.
 */
#include "lmtp/door.h"

#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/ump_header.h"
#include "lmtp/index.h"
#include "lmtp/mail.h"
#include "lmtp/reply.h"
#include "lmtp/store.h"
#include "lmtp/success.h"
#include "lmtp/underway.h"

/* Longer than Dovecot takes for a mail, shorter than a peer waits for the answer. */
#define UNDERWAY_WAIT_MS 60000

static struct door_txn *of(struct txn *txn)
{
    return txn->handler_data;
}

void local_check(struct door *door, struct txn *txn, struct txn_recipient *const *rcpts, guint count,
                 bool data_follows)
{
    for (guint i = 0; i < count; i++) {
        g_autofree char *local = g_ascii_strdown(rcpts[i]->path.local, -1);
        const char *extension = door->delimiter && *local ? strpbrk(local + 1, door->delimiter) : NULL;
        int length = extension ? (int)(extension - local) : (int)strlen(local);
        rcpts[i]->mailbox = g_strdup_printf("%.*s%s%s", length, local, *rcpts[i]->path.domain ? "@" : "",
                                            rcpts[i]->path.domain);
    }
    door->store_ops->check(door->store, &of(txn)->hold, txn, rcpts, count, data_follows);
}

/* ---- Delivery keys ---- */

static bool is_bridged(const struct door *door, const struct mail *mail, const struct txn_recipient *rcpt)
{
    return mail->trust == MAIL_TRUST_BRIDGE && (stamp_has_recipient(door->stamp_keys, &mail->stamp, rcpt->path.address) ||
                                                stamp_has_recipient(door->stamp_keys, &mail->stamp, rcpt->mailbox));
}

/* Bridged mail: its message.  Else the peer's queue id, when it tells one; without it the mail is a new one each time. */
static void set_key(struct index_entry *entry, const struct txn *txn, const struct mail *mail,
                    const struct txn_recipient *rcpt)
{
    const char *ident = txn->forward.ident;

    entry->mailbox = rcpt->mailbox;
    entry->recipient = rcpt->path.address;
    entry->stable_key = entry->bridged || (ident && *ident);
    if (entry->bridged) {
        entry->key = g_strconcat(mail->stamp.txn, "/", rcpt->path.address, NULL);
    } else if (entry->stable_key) {
        entry->key = g_strconcat(txn->lhlo, "/", ident, "/", rcpt->path.address, NULL);
    } else {
        g_autofree char *id = ids_new();
        entry->key = g_strconcat(id, "/", rcpt->path.address, NULL);
    }
}

/* ---- Groups ---- */

static bool same_copy(const struct index_entry *a, const struct index_entry *b)
{
    return a->bridged == b->bridged && strcmp(a->conversation, b->conversation) == 0;
}

static bool goes_out(const struct index_entry *entry)
{
    return entry->state != INDEX_DONE && entry->state != INDEX_WAIT;
}

static void deliver_group(struct door *door, struct txn *txn, const struct mail *mail, const struct index_entry *entry,
                          struct txn_recipient *const *rcpts, guint count, GArray *pieces)
{
    g_autofree char *top = NULL;
    enum mail_trust trust = mail->trust;

    if (!entry->bridged && *entry->conversation)
        top = g_strconcat(UMP_HEADER_CONVERSATION ": ", entry->conversation, "\r\n", NULL);
    if (trust == MAIL_TRUST_BRIDGE && !entry->bridged)
        trust = MAIL_TRUST_NONE; /* somebody else's bridged mail, redirected: ordinary mail to this mailbox */
    mail_pieces(mail, trust, top ? top : "", pieces);
    door->store_ops->deliver(door->store, &of(txn)->hold, txn, rcpts, count,
                             (const struct iovec *)(const void *)pieces->data, pieces->len);
}

static void deliver_all(struct door *door, struct txn *txn, const struct mail *mail, const struct index_mail *indexed,
                        struct index_entry *entries, struct txn_recipient *const *rcpts, guint count)
{
    g_autoptr(GArray) pieces = g_array_sized_new(FALSE, FALSE, sizeof(struct iovec), 8);
    g_autofree bool *taken = g_new0(bool, count);
    g_autoptr(GPtrArray) group = g_ptr_array_sized_new(count);
    g_autoptr(GPtrArray) settle = g_ptr_array_sized_new(count);

    for (guint i = 0; i < count; i++) {
        if (taken[i] || !goes_out(&entries[i]))
            continue;
        g_ptr_array_set_size(group, 0);
        g_ptr_array_set_size(settle, 0);
        for (guint j = i; j < count; j++) {
            if (taken[j] || !goes_out(&entries[j]) || !same_copy(&entries[i], &entries[j]))
                continue;
            taken[j] = true;
            g_ptr_array_add(group, rcpts[j]);
        }
        deliver_group(door, txn, mail, &entries[i], (struct txn_recipient *const *)group->pdata, group->len, pieces);
        for (guint j = i; j < count; j++) {
            if (taken[j] && goes_out(&entries[j]) && !entries[j].reply && rcpts[j]->reply) {
                entries[j].reply = rcpts[j]->reply;
                g_ptr_array_add(settle, &entries[j]);
            }
        }
        index_settle(door->index, indexed, (struct index_entry *const *)settle->pdata, settle->len);
    }
}

/* ---- After it ---- */

static const char *status_of(const char *reply)
{
    int code = reply_code(reply);

    return code / 100 == 2 ? "delivered" : code / 100 == 5 ? "refused" : "deferred";
}

static void report(struct door *door, const struct txn *txn, const struct mail *mail,
                   const struct index_mail *indexed, const struct index_entry *entry,
                   const struct txn_recipient *rcpt)
{
    const char *status = entry->state == INDEX_DONE ? "delivered-before" : status_of(rcpt->reply);

    log_info("id", entry->bridged ? mail->stamp.txn : entry->message, "queue", txn->forward.ident, "message_id",
             entry->bridged ? mail->message_id : index_mail_id(indexed), "from", LOG_ADDRESS(txn->sender.address),
             "to", LOG_ADDRESS(rcpt->path.address), "conversation",
             *entry->conversation ? entry->conversation : mail->conversation_id, "bytes",
             LOG_INT((gint64)mail->length), "delay", LOG_MS(ump_clock_now_us() - txn->started), "index",
             entry->state == INDEX_LATER ? "later" : entry->state == INDEX_NONE ? "none" : NULL, "reply", rcpt->reply,
             "status", status);
    if (!entry->bridged && entry->state != INDEX_DONE && reply_code(rcpt->reply) / 100 == 2 &&
        (rcpt->path.notify & SMTP_NOTIFY_SUCCESS))
        success_add(door->success, txn, rcpt, mail, entry, index_mail_id(indexed), index_mail_subject(indexed));
}

/* ---- One delivery of a key at a time ---- */

static int by_key(const void *a, const void *b, void *entries)
{
    const struct index_entry *list = entries;

    return strcmp(list[*(const guint *)a].key, list[*(const guint *)b].key);
}

/* Takes the keys of all recipients that the peer may come again with, in order; who waited in vain answers 451.  Moves
 * the rest to the front; how many there are. */
static guint take_keys(struct door *door, struct index_entry *entries, struct txn_recipient **rcpts, guint count)
{
    g_autofree guint *order = g_new(guint, count);
    guint left = 0;

    for (guint i = 0; i < count; i++)
        order[i] = i;
    g_qsort_with_data(order, (gint)count, sizeof *order, by_key, entries);
    for (guint i = 0; i < count; i++) {
        struct index_entry *entry = &entries[order[i]];
        if (entry->stable_key && !underway_take(door->underway, entry->key, UNDERWAY_WAIT_MS)) {
            txn_reply(rcpts[order[i]], reply_text(REPLY_UNDER_WAY));
            log_info("key", entry->key, "status", "deferred");
            index_entry_clear(entry);
        }
    }
    for (guint i = 0; i < count; i++)
        if (entries[i].key) {
            entries[left] = entries[i];
            rcpts[left++] = rcpts[i];
        }
    return left;
}

void local_deliver(struct door *door, struct txn *txn, const struct mail *mail, struct txn_recipient *const *all,
                   guint count)
{
    g_autofree struct index_entry *entries = g_new0(struct index_entry, count);
    g_autofree struct txn_recipient **rcpts = g_memdup2(all, count * sizeof *all);
    struct index_mail *indexed = NULL;

    for (guint i = 0; i < count; i++) {
        entries[i].bridged = is_bridged(door, mail, rcpts[i]);
        set_key(&entries[i], txn, mail, rcpts[i]);
        if (!entries[i].bridged && !indexed)
            indexed = index_mail_new(door->index, mail, txn);
    }
    count = take_keys(door, entries, rcpts, count);
    index_begin(door->index, indexed, mail, entries, count);
    for (guint i = 0; i < count; i++) {
        if (entries[i].state == INDEX_DONE)
            txn_reply(rcpts[i], reply_text(REPLY_DELIVERED_BEFORE));
        else if (entries[i].state == INDEX_WAIT)
            txn_reply(rcpts[i], reply_text(REPLY_DATABASE_DOWN));
    }
    deliver_all(door, txn, mail, indexed, entries, rcpts, count);
    for (guint i = 0; i < count; i++) {
        report(door, txn, mail, indexed, &entries[i], rcpts[i]);
        if (entries[i].stable_key && !entries[i].settling)
            underway_drop(door->underway, entries[i].key);
        index_entry_clear(&entries[i]);
    }
    index_mail_free(indexed);
}
