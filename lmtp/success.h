/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Success reports (RFC 3461 NOTIFY=SUCCESS) for ordinary mail that reached its mailbox.  Because we announce DSN,
 * Postfix leaves them to us.  What is to be reported goes into a journal before the 250; a thread composes the report
 * (the same each time: its Message-ID is derived) and hands it to [lmtp] submit by SMTP, or, where the sender has a
 * mailbox behind our own store and no submit address is set, to that.
 */
#pragma once

#include <glib.h>

struct config;
struct index_entry;
struct mail;
struct store_ops;
struct success;
struct txn;
struct txn_recipient;

struct success *success_open(const struct config *config, const struct store_ops *store_ops, void *store,
                             GError **error);
void success_close(struct success *success);
/* Never fails the delivery: what cannot be kept is logged. */
void success_add(struct success *success, const struct txn *txn, const struct txn_recipient *rcpt,
                 const struct mail *mail, const struct index_entry *entry, const char *message_id,
                 const char *subject);
