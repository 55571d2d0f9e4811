/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one door: what ump-lmtp does with the recipients of a mail.  Mail for mailboxes goes through the index to the
 * store; mail for gateway addresses into the outbound queue; the two never touch each other.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/address.h"
#include "core/policy.h"
#include "lmtp/session.h"

struct config;
struct db;
struct ids_keys;
struct index;
struct mail;
struct media_store;
struct policy_alarm;
struct policy_cache;
struct stamp_keys;
struct store_hold;
struct store_ops;
struct success;

/* What all sessions share; nothing of it changes while they run. */
struct door {
    const struct config *config;
    struct db *db;
    struct index *index;
    const struct store_ops *store_ops;
    void *store;
    struct success *success;
    struct underway *underway;
    struct media_store *media;
    struct stamp_keys *stamp_keys;
    struct ids_keys *ids_keys;
    struct policy_alarm *alarm;
    struct policy_cache *facts;
    struct policy_site site;
    struct address_space space; /* with the site's region */
    const char *const *domains;
    const char *hostname;
    const char *delimiter; /* recipient_delimiter; NULL: none */
    gint64 stamp_max_age;  /* seconds */
    unsigned database_ms;  /* how long one mail for the gateway waits for the database */
    gint64 window, segment_messages, segment_silence;
    gint64 send_expires;   /* µs */
};

/* Opens everything; the database may be down.  NULL: error. */
struct door *door_open(const struct config *config, GError **error);
void door_close(struct door *door);

/* The handler of a session; data is a struct door *. */
extern const struct session_handler door_handler;

/* ---- Between the parts of the door ---- */

/* What one transaction keeps (txn->handler_data). */
struct door_txn {
    struct store_hold *hold;
};

/* local.c: the recipients are mailboxes, accepted, each address once. */
void local_check(struct door *door, struct txn *txn, struct txn_recipient *const *rcpts, guint count,
                 bool data_follows);
void local_deliver(struct door *door, struct txn *txn, const struct mail *mail, struct txn_recipient *const *rcpts,
                   guint count);

/* gateway.c: the recipients are gateway addresses, accepted. */
void gateway_check(struct door *door, struct txn *txn, struct txn_recipient *rcpt);
void gateway_deliver(struct door *door, struct txn *txn, const struct mail *mail, struct txn_recipient *const *rcpts,
                     guint count);
