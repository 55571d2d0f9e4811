/* SPDX-License-Identifier: Apache-2.0 */
/* Waits until a number of asynchronous writes are done. */
#pragma once

#include <glib.h>
#include <pthread.h>

struct latch {
    pthread_mutex_t lock;
    pthread_cond_t done;
    guint open;
};

static inline void latch_init(struct latch *latch)
{
    pthread_mutex_init(&latch->lock, NULL);
    pthread_cond_init(&latch->done, NULL);
    latch->open = 0;
}

static inline void latch_add(struct latch *latch)
{
    pthread_mutex_lock(&latch->lock);
    latch->open++;
    pthread_mutex_unlock(&latch->lock);
}

static inline void latch_drop(struct latch *latch)
{
    pthread_mutex_lock(&latch->lock);
    if (--latch->open == 0)
        pthread_cond_signal(&latch->done);
    pthread_mutex_unlock(&latch->lock);
}

/* Waits for all and destroys the latch. */
static inline void latch_wait(struct latch *latch)
{
    pthread_mutex_lock(&latch->lock);
    while (latch->open > 0)
        pthread_cond_wait(&latch->done, &latch->lock);
    pthread_mutex_unlock(&latch->lock);
    pthread_mutex_destroy(&latch->lock);
    pthread_cond_destroy(&latch->done);
}
