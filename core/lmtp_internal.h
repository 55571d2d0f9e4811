/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to an LMTP server, and the pool; what lmtp_*.c share.  Not for others. */
#pragma once

#include "core/lmtp_client.h"

#include <pthread.h>
#include <stdatomic.h>

enum lmtp_xforward {
    XF_NAME = 1 << 0,
    XF_ADDR = 1 << 1,
    XF_PORT = 1 << 2,
    XF_PROTO = 1 << 3,
    XF_HELO = 1 << 4,
    XF_IDENT = 1 << 5,
    XF_SOURCE = 1 << 6,
};

struct lmtp_conn {
    int fd;
    unsigned extensions; /* enum lmtp_extension */
    unsigned xforward;   /* enum lmtp_xforward: attributes that the server takes */
    uint64_t max_size;
    GByteArray *in; /* read, not yet parsed: from in_at */
    size_t in_at;
    unsigned read_timeout_ms; /* as set on the socket */
    bool used;                /* has had a transaction: it may have died meanwhile */
    bool heard;               /* something was read since it was taken from the pool */
    bool needs_rset;          /* an envelope was begun and given up */
    unsigned transactions;
    int64_t idle_since;
};

struct lmtp_client {
    struct lmtp_client_options options; /* zeroes replaced; strings owned */
    char *path;                         /* unix socket, or NULL */
    char *host, *port;
    pthread_mutex_t lock;
    pthread_cond_t freed;
    GPtrArray *idle; /* of struct lmtp_conn, latest last */
    unsigned open;   /* idle and in use */
    bool known;      /* extensions and max_size were said once */
    unsigned extensions;
    uint64_t max_size;
};

/* A kept connection (unless fresh), or a new one.  NULL: error. */
struct lmtp_conn *lmtp_pool_take(struct lmtp_client *client, bool fresh, GError **error);

/* usable false: it is closed. */
void lmtp_pool_give(struct lmtp_client *client, struct lmtp_conn *conn, bool usable);

/* All bytes, or -1 (what arrived is not known).  deadline: µs, monotonic. */
int lmtp_conn_write(struct lmtp_conn *conn, struct iovec *pieces, size_t count, int64_t deadline, GError **error);

/* The next reply; reply is cleared first. */
int lmtp_conn_read(struct lmtp_conn *conn, struct lmtp_reply *reply, unsigned timeout_ms, GError **error);
