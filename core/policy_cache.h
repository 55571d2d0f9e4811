/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the database said of a sender a moment ago, for mail that he sends in a burst (a machine sender's reminders, a
 * mail to a hundred numbers): one read serves all that come within the cache's lifetime.  Only facts that do not hang
 * on the recipient are kept, so it serves numbers in international form that are valid, and mail that answers nothing;
 * all else misses.  Opt-outs and caps are never taken from here: accept_submission decides them when it stores.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/policy.h"

struct policy_cache;

/* lifetime in µs; 0: nothing is ever kept.  Any thread may use it. */
struct policy_cache *policy_cache_new(gint64 lifetime);
void policy_cache_free(struct policy_cache *cache);

/* True: *facts are set as policy_facts_load would have set them a moment ago, with opted_out…, known_contact, last_inbound
 * (policy_facts_window) and what the caps counted unset.  *facts unchanged otherwise. */
bool policy_cache_get(struct policy_cache *cache, const struct policy_site *site, const struct policy_request *request,
                      struct policy_facts *facts);
/* Facts that were just loaded for this request; copied where they may be kept. */
void policy_cache_put(struct policy_cache *cache, const struct policy_request *request, const struct policy_facts *facts);
