/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The endpoints, with their secrets decrypted: a cache that follows LISTEN ump_endpoints.  A snapshot
 * (secrets still sealed) lies in state_dir, so that a bridge that starts while the database is down
 * can verify webhooks.
 *
 * ump.endpoints.secrets is read by core/endpoint_secrets.h.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "bridge/channels/channel.h"
#include "core/db.h"
#include "core/secrets.h"

struct endpoints;

enum endpoint_status { ENDPOINT_ENABLED, ENDPOINT_DISABLED };

/* One endpoint, immutable, counted. */
struct endpoint {
    struct channel_endpoint channel; /* what adapters see */
    enum endpoint_status status;
    char *owner_kind; /* "user", "team" */
    char *owner_id;
    int version;
    int refs;
};

/* Starts listening; loads what the database or the snapshot has.  Never fails for a database that is down. */
struct endpoints *endpoints_new(struct db *db, const struct secrets *secrets, const char *state_dir);
void endpoints_stop(struct endpoints *endpoints);
void endpoints_free(struct endpoints *endpoints); /* stopped, and the db closed before */

/* A reference, or NULL: no such endpoint.  Not blocking; one that is not in the cache is asked for at
 * most a few times a second. */
struct endpoint *endpoints_get(struct endpoints *endpoints, const char *id);
/* Reads all of them again, for one that somebody speaks of by another name than its id; at most once a second.  Waits for a
 * reading that is under way, and for its own half a second.  False: the database did not answer. */
bool endpoints_refresh(struct endpoints *endpoints);
struct endpoint *endpoint_ref(struct endpoint *endpoint);
void endpoint_unref(struct endpoint *endpoint);
typedef struct endpoint endpoint_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(endpoint_t, endpoint_unref)

/* True once the database, or a snapshot, has been read. */
bool endpoints_loaded(struct endpoints *endpoints);
guint endpoints_count(struct endpoints *endpoints);

/* Enabled endpoints; endpoint_unref each (the array frees with it). */
GPtrArray *endpoints_list(struct endpoints *endpoints);
