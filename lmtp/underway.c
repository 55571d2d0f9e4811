/* SPDX-License-Identifier: Apache-2.0 */
#include "lmtp/underway.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

struct underway {
    pthread_mutex_t lock;
    pthread_cond_t dropped;
    GHashTable *keys;
    guint waiting;
};

struct underway *underway_new(void)
{
    struct underway *underway = g_new0(struct underway, 1);
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&underway->lock, NULL);
    pthread_cond_init(&underway->dropped, &monotonic);
    pthread_condattr_destroy(&monotonic);
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
    struct timespec until;
    int code = 0;
    bool taken;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&underway->lock);
    underway->waiting++;
    while (g_hash_table_contains(underway->keys, key) && code != ETIMEDOUT)
        code = pthread_cond_timedwait(&underway->dropped, &underway->lock, &until);
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
