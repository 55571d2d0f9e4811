/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The deliveries that are under way, by delivery key.  A peer that was killed comes again while the store still works
 * on its first attempt: the second waits for the first and then meets its settled row, instead of delivering twice.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct underway;

struct underway *underway_new(void);
void underway_free(struct underway *underway);

/* Takes the key, or waits at most timeout_ms for whoever has it; false: he has it still.  Who takes several keys takes
 * them in order of strcmp().  key is copied. */
bool underway_take(struct underway *underway, const char *key, unsigned timeout_ms);
void underway_drop(struct underway *underway, const char *key);
