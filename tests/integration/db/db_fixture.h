/* SPDX-License-Identifier: Apache-2.0 */
/* Tables and statements of the database layer's own tests: they need none of the product's schema. */
#pragma once

#include "core/db.h"

enum {
    T_PUT,      /* id, value → the value that is stored; idempotent */
    T_APPEND,   /* id, key: log with a serial number; idempotent */
    T_RAISE,    /* text: our own exception */
    T_UNIQUE,   /* id: plain insert */
    T_DEFERRED, /* id: passes, and fails at commit time when it is negative */
    T_BUMP,     /* id, row: adds one to a hot row, once per id */
    T_BUMP2,    /* id, row, row: the same to two rows in this order */
    T_SLEEP,    /* seconds */
    T_TYPES,
    T_WIDE,     /* select * from wide: its columns change */
    T_BROKEN,   /* cannot be prepared */
    T_ECHO,     /* bytea → its length and md5 */
    T_READONLY, /* writes: refused in a read-only lease */
    T_SUICIDE,  /* ends its own backend */
    T_NOTIFY,   /* channel, payload */
};

extern const struct db_stmt test_stmts[];

/* The uri of the environment (DB_TEST_URI), or the end. */
const char *test_uri(void);

/* Creates everything anew. */
void test_schema(void);

/* One statement by a connection of the test's own; the first value as text (g_free), NULL: none. */
char *test_sql(const char *sql);

struct db *test_open(unsigned pool_size);
