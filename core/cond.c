/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cond.h"

#include <time.h>

#include "core/clock.h"

void cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, gint64 until_us)
{
    const struct timespec until = {until_us / CLOCK_SECOND, until_us % CLOCK_SECOND * 1000};

    return pthread_cond_timedwait(cond, mutex, &until) == 0;
}
