/* SPDX-License-Identifier: Apache-2.0 */
/* Waits until a number of asynchronous writes are done. */
#pragma once

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>

struct latch {
    atomic_uint open; /* who waits counts as one */
    sem_t done;
};

static inline void latch_init(struct latch *latch)
{
    atomic_init(&latch->open, 1);
    sem_init(&latch->done, 0, 0);
}

static inline void latch_add(struct latch *latch)
{
    atomic_fetch_add(&latch->open, 1);
}

static inline void latch_drop(struct latch *latch)
{
    if (atomic_fetch_sub(&latch->open, 1) == 1)
        sem_post(&latch->done);
}

/* Waits for all and destroys the latch. */
static inline void latch_wait(struct latch *latch)
{
    latch_drop(latch);
    while (sem_wait(&latch->done) < 0 && errno == EINTR)
        ;
    sem_destroy(&latch->done);
}
