/* SPDX-License-Identifier: Apache-2.0 */
/* The mailboxes that are being delivered to; see the header. */
#include "lmtp/turns.h"

#include <pthread.h>
#include <stdbool.h>

struct turns {
    pthread_mutex_t lock;
    pthread_cond_t given;
    GHashTable *taken; /* set of mailboxes, copies */
};

struct turns *turns_new(void)
{
    struct turns *turns = g_new0(struct turns, 1);

    pthread_mutex_init(&turns->lock, NULL);
    pthread_cond_init(&turns->given, NULL);
    turns->taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return turns;
}

void turns_free(struct turns *turns)
{
    if (!turns)
        return;
    g_hash_table_unref(turns->taken);
    pthread_cond_destroy(&turns->given);
    pthread_mutex_destroy(&turns->lock);
    g_free(turns);
}

static const char *key(const struct txn_recipient *rcpt)
{
    return rcpt->mailbox ? rcpt->mailbox : rcpt->path.address;
}

static bool any_taken(const struct turns *turns, struct txn_recipient *const *rcpts, guint count)
{
    for (guint i = 0; i < count; i++)
        if (g_hash_table_contains(turns->taken, key(rcpts[i])))
            return true;
    return false;
}

void turns_take(struct turns *turns, struct txn_recipient *const *rcpts, guint count)
{
    pthread_mutex_lock(&turns->lock);
    while (any_taken(turns, rcpts, count))
        pthread_cond_wait(&turns->given, &turns->lock);
    for (guint i = 0; i < count; i++)
        g_hash_table_add(turns->taken, g_strdup(key(rcpts[i])));
    pthread_mutex_unlock(&turns->lock);
}

void turns_give(struct turns *turns, struct txn_recipient *const *rcpts, guint count)
{
    pthread_mutex_lock(&turns->lock);
    for (guint i = 0; i < count; i++)
        g_hash_table_remove(turns->taken, key(rcpts[i]));
    pthread_cond_broadcast(&turns->given);
    pthread_mutex_unlock(&turns->lock);
}
