/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rooms of ump-bridge share.  Made by main.c before any of them starts; each room has
 * start, stop (begin no more work, finish what is under way until the deadline) and free.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "bridge/endpoints.h"
#include "core/config.h"
#include "core/db.h"
#include "core/ids.h"
#include "core/journal.h"
#include "core/media_store.h"
#include "core/program.h"
#include "core/stamp.h"

struct bridge {
    struct program *program;
    const struct config *config;
    struct db *db;
    struct ids_keys *ids;
    struct stamp_keys *stamps;    /* NULL without the roles inbound and receipts */
    struct secrets *secrets;
    struct media_store *media;
    struct journal *journal;      /* the web role's; NULL without it */
    struct endpoints *endpoints;
    char *worker;                 /* name under which jobs and outbox rows are leased: the same after a
                                   * restart of this instance, so that it takes its leases back at once */
    char *state_dir;              /* of this instance: state_dir/bridge-N */
    const char *hostname;
    const char *public_url;       /* no trailing slash; NULL */
};
