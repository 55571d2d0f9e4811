/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One LMTP session (RFC 2033, with PIPELINING, ENHANCEDSTATUSCODES, 8BITMIME, SMTPUTF8, SIZE, DSN and Postfix's
 * XFORWARD), as a plain function over an I/O handle.  It knows the protocol and its limits (FAILURES T07, T09); what
 * recipients and mails mean is its handler's.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lmtp/content.h"
#include "lmtp/io.h"
#include "lmtp/txn.h"

#define SESSION_LINE_MAX 4096
#define SESSION_XFORWARD_MAX 512
#define SESSION_BAD_COMMANDS 5

struct session_handler {
    /* Recipients from index `first` on were named: give each of them its reply, and say whether it is accepted.
     * Called for as many at once as the peer pipelined; data_follows: so was DATA. */
    void (*recipients)(void *data, struct txn *txn, guint first, bool data_follows);
    /* The whole mail is here: give each accepted recipient its final reply. */
    void (*deliver)(void *data, struct txn *txn, const struct content *content);
    /* The transaction is over, however it went; txn->handler_data must be freed. */
    void (*end)(void *data, struct txn *txn);
};

struct session_options {
    const char *hostname;
    gint64 command_timeout; /* µs */
    gint64 data_timeout;    /* silence within DATA */
    gint64 data_deadline;   /* for the whole of DATA */
    gint64 write_timeout;
    size_t max_size;
    size_t memory_limit;    /* larger mails are spooled */
    const char *spool_dir;
    guint max_recipients;
    /* May be NULL: true when idle sessions should give way to others that wait. */
    bool (*crowded)(void *data);
    void *crowded_data;
};

enum session_end {
    SESSION_QUIT = 0,
    SESSION_CLOSED,  /* the peer went away */
    SESSION_REFUSED, /* we closed: protocol errors */
    SESSION_TIMEOUT,
    SESSION_STOPPED
};

struct session_stats {
    guint64 commands, transactions, mails;
};

/* Runs to the end of the session.  stats may be NULL. */
enum session_end session_run(const struct session_options *options, const struct session_handler *handler,
                             void *handler_data, struct io *io, struct session_stats *stats);
