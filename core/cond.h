/* SPDX-License-Identifier: Apache-2.0 */
/* Condition variables whose waits end by the monotonic clock, so that nobody waits longer, or not at all, because the
 * system's time was set. */
#pragma once

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>

void cond_init(pthread_cond_t *cond);

/* Waits for a signal, at most until then (ump_clock_mono_us()); false: that time has come.  mutex is held.  As with
 * every condition it may wake without a signal.  The condition is one of cond_init(). */
bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, gint64 until_us);
