/* SPDX-License-Identifier: Apache-2.0 */
#include "lmtp/underway.h"

#include <pthread.h>

#include "core/clock.h"
#include "core/cond.h"

struct underway {
    pthread_mutex_t lock;
    pthread_cond_t dropped;
    GHashTable *keys;
    guint waiting;
};

struct underway *underway_new(void)
{
    struct underway *underway = g_new0(struct underway, 1);

    pthread_mutex_init(&underway->lock, NULL);
    cond_init(&underway->dropped);
    underway->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return underway;
}

void underway_free(struct underway *underway)
{
    if (!underway)
        return;
    g_hash_table_unref(underway->keys);
    pthread_cond_destroy(&underway->dropped);
    pthread_mutex_destroy(&underway->lock);
    g_free(underway);
}

bool underway_take(struct underway *underway, const char *key, unsigned timeout_ms)
{
    gint64 until = ump_clock_mono_us() + timeout_ms * (CLOCK_SECOND / 1000);
    bool taken;

    pthread_mutex_lock(&underway->lock);
    underway->waiting++;
    while (g_hash_table_contains(underway->keys, key) && cond_wait_until(&underway->dropped, &underway->lock, until))
        ;
    underway->waiting--;
    taken = !g_hash_table_contains(underway->keys, key);
    if (taken)
        g_hash_table_add(underway->keys, g_strdup(key));
    pthread_mutex_unlock(&underway->lock);
    return taken;
}

void underway_drop(struct underway *underway, const char *key)
{
    pthread_mutex_lock(&underway->lock);
    g_hash_table_remove(underway->keys, key);
    if (underway->waiting > 0)
        pthread_cond_broadcast(&underway->dropped);
    pthread_mutex_unlock(&underway->lock);
}
